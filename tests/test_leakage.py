"""The leakage register: sound rows, and cells marked by the names cohorts really have."""

from __future__ import annotations

import re

import pytest

from resistpath.cohort import leakage
from resistpath.io.resources import catalogue, leakage_register

OUTSIDE = {"IMPRES", "COMPASS", "NetBio"}


def test_rows_are_whole_and_name_known_scores():
    table = leakage_register()
    assert tuple(table.columns) == leakage.COLUMNS
    assert table.notna().all(axis=None)
    assert set(table["use"]) <= set(leakage.USES)
    signatures = {s.signature for s in catalogue().signatures}
    assert set(table["score"]) - signatures == OUTSIDE
    assert not table.duplicated(["score", "cohort"]).any()
    for row in table.itertuples():
        assert re.search(r"10\.\d{4,}/|PMID:\d+|computed", row.source), row.source


@pytest.mark.parametrize(
    ("score", "cohort", "use"),
    [
        ("IPRES_MAPKI_INDUCED_EMT", "hugo_gse78220", "selected"),
        ("IPRES_MAPKI_INDUCED_EMT", "mine GSE78220", "selected"),
        ("PANFTBRS_MARIATHASAN19", "imvigor210_bladder_1768genes", "same study"),
        ("PANFTBRS_MARIATHASAN19", "snyder_2017_urothelial", "shared patients"),
        ("MHC2_LIU13", "liu_2019_pd1", "same study"),
        ("COMPASS", "gide_prjeb23709_pd1", "trained"),
        ("COMPASS", "vanallen_2015_ctla4", "trained"),
        ("COMPASS", "ravi_2023_nsclc_combo", "trained"),
        ("COMPASS", "zhao_2019_gbm", "trained"),
        ("IMPRES", "riaz_gse91061_counts", "tested"),
        ("COMPASS", "cho_gse126044_counts", None),
        ("MHC2_LIU13", "hugo_gse78220", None),
        ("GEP18_UNWEIGHTED", "hugo_gse78220", None),
        ("COMPASS", "kimura_2021", None),
    ],
)
def test_cells_are_marked(score, cohort, use):
    got = leakage.marks(leakage_register(), [score], {cohort: ""})
    assert list(got["use"]) == ([] if use is None else [use])
    if use is not None:
        assert got["grave"].iloc[0] == (use in ("trained", "selected", "tuned"))


def test_the_gravest_use_is_shown():
    register = leakage_register().head(2).copy()
    register["score"], register["names"] = "X", "hugo"
    register["use"] = ["tested", "trained"]
    got = leakage.marks(register, ["X"], {"hugo_2016": ""})
    assert list(got["use"]) == ["trained"]
