"""The tables of `assess` on real tumours: the single-sample promise, and time points."""

from __future__ import annotations

import pandas as pd
import pytest

from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.evidence import examine
from resistpath.mechanisms.measure import CellTables
from resistpath.mechanisms.pairs import find_pairs
from resistpath.mechanisms.verdict import Thresholds
from resistpath.reference import build_reference
from resistpath.steps.assess import BIOPSY_NOISE, TABLES, all_tables

OWN = ("rules", "phenotype", "pairs", "patterns")
FEW = ("S001", "S002", "S003", "S005")


@pytest.fixture(scope="module")
def reference(demo_values, demo_obs):
    few = demo_values.columns[-30:]
    obs = demo_obs.loc[few]
    none = pd.DataFrame(index=few)
    return build_reference("demo", "endometrial carcinoma", demo_values[few], none, obs, {})


@pytest.fixture(scope="module")
def sheet() -> pd.DataFrame:
    """Two made-up patients with two time points each."""
    rows = {
        "patient": ["p", "p", "q", "q"],
        "timepoint": ["pre", "progression", "pre", "progression"],
        "response_binary": ["R", "R", "NR", "NR"],
    }
    return pd.DataFrame(rows, index=list(FEW))


def tables(values, sheet, reference) -> dict[str, pd.DataFrame]:
    none = pd.DataFrame(index=values.columns)
    cells = CellTables(none, none, none)
    thresholds = Thresholds()
    obs = sheet.loc[list(values.columns)]
    found = examine(values, cells, obs, {}, reference, catalogue(), thresholds)
    return all_tables(found, obs, reference, thresholds)


@pytest.fixture(scope="module")
def together(demo_values, sheet, reference):
    return tables(demo_values[list(FEW)], sheet, reference)


def test_every_table_has_its_rows(together, sheet):
    assert tuple(together) == TABLES
    assert set(together["rules"]["sample"]) == set(together["phenotype"]["sample"]) == set(FEW)
    assert set(together["pairs"]["patient"]) == {"p", "q"}
    # The demo's disease comes from the reference: patterns of melanoma are not read.
    melanoma = together["patterns"].set_index("pattern").loc["dedifferentiation_rises"]
    assert set(melanoma["outcome"]) == {"not read"}
    primary = together["patterns"].query("patient == 'q'")
    assert set(primary["outcome"]) == {"not read"}
    read = together["patterns"].query("patient == 'p'")
    assert {"met", "not met", "cannot say"} >= set(read["outcome"]) - {"not read"} != set()


def test_a_sample_alone_has_the_same_rules_and_phenotype(
    tmp_path, demo_values, sheet, reference, together
):
    alone = tables(demo_values[["S003"]], sheet, reference)
    for name in ("rules", "phenotype"):
        want = together[name].query("sample == 'S003'").reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[name], want, check_exact=True)
    assert alone["pairs"].empty
    for name in OWN:
        write_table(tmp_path / f"{name}.tsv", alone[name])
        back = read_table(tmp_path / f"{name}.tsv")
        assert list(back.columns) == list(alone[name].columns)
        assert len(back) == len(alone[name])


def test_a_patient_alone_and_in_another_order_has_the_same_changes(
    demo_values, sheet, reference, together
):
    turned = tables(demo_values[list(FEW[::-1])], sheet, reference)
    alone = tables(demo_values[list(FEW[2:])], sheet, reference)
    for name in ("pairs", "patterns"):
        pd.testing.assert_frame_equal(turned[name], together[name], check_exact=True)
        want = together[name].query("patient == 'q'").reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[name], want, check_exact=True)


def test_noise_of_the_reference_is_used(demo_values, sheet, reference, together):
    known = {"mechanism:ifng_signalling raw": 5.0}
    noisy = type(reference)(
        reference.name,
        reference.cancer_type,
        reference.values,
        reference.fractions,
        reference.info | {BIOPSY_NOISE: known},
    )
    got = tables(demo_values[list(FEW)], sheet, noisy)["pairs"]
    rows = got.query("item == 'ifng_signalling' and view == 'raw'")
    assert set(rows["outcome"]) == {"no clear change"}
    assert set(rows["biopsy_sd"]) == {5.0}
    others = got["item"] != "ifng_signalling"
    before = together["pairs"]["item"] != "ifng_signalling"
    pd.testing.assert_frame_equal(got[others], together["pairs"][before], check_exact=True)


def test_pairs_of_a_real_cohort(shared):
    path = shared / "data" / "riaz_gse91061_counts" / "samples.tsv"
    obs = pd.read_csv(path, sep="\t", index_col="sample_id").rename(
        columns={"patient_id": "patient"}
    )
    pairs = find_pairs(obs.index, obs)
    assert len(pairs) == 43
    assert {(p.start, p.end) for p in pairs} == {("pre", "on")}
    assert all(len(p.before) == len(p.after) == 1 for p in pairs)
