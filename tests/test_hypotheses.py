"""Combination hypotheses: checked as data, and never advice."""

from __future__ import annotations

import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.io.resources import catalogue, hypotheses
from resistpath.mechanisms.hypotheses import COLUMNS, STATUS, build_hypotheses, hypotheses_of


def table(**cells: str) -> pd.DataFrame:
    row = dict.fromkeys(COLUMNS, "text") | {
        "hypothesis": "h",
        "mechanism": "myc",
        "status": STATUS[0],
        "finding": "Has been tried.",
        "citation": "PMID:12345678;NCT01234567;doi:10.1000/x;PMC1234567;https://example.org/a",
        "checked": "2026-11-27",
        "evidence_grade": "one cohort",
    }
    return pd.DataFrame([row | cells])


def test_a_row_becomes_a_record():
    made = build_hypotheses(table(), catalogue())
    assert made[0].citations[:2] == ("PMID:12345678", "NCT01234567")
    assert hypotheses_of(made, "myc") == made
    assert hypotheses_of(made, "treg") == ()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"mechanism": "mycc"}, "not in mechanisms.tsv"),
        ({"status": "promising"}, "status"),
        ({"evidence_grade": "A"}, "evidence_grade"),
        ({"citation": "Smith 2020"}, "Smith 2020"),
        ({"citation": "http://example.org/a"}, "citation"),
        ({"checked": "27.11.2026"}, "YYYY-MM-DD"),
        ({"read_in": ""}, "read_in"),
        ({"selected_by": ""}, "selected_by"),
        ({"finding": "Patients should get it."}, "advice"),
        ({"finding": "Consider a TIGIT antibody."}, "advice"),
        ({"setting": "Recommended in melanoma"}, "advice"),
    ],
)
def test_mistakes_are_refused_with_their_place(cells, words):
    with pytest.raises(UserError, match=words) as caught:
        build_hypotheses(table(**cells), catalogue())
    assert "hypotheses.tsv" in str(caught.value)


def test_ids_occur_once():
    with pytest.raises(UserError, match="ids occur twice"):
        build_hypotheses(pd.concat([table(), table()]), catalogue())


def test_shipped_rows_show_failures_and_say_tried():
    made = hypotheses()
    failed = [h for h in made if "failed" in h.status]
    assert len(failed) >= len(made) / 3
    for h in made:
        assert h.finding.startswith("Has been tried"), h.hypothesis
        assert "failed" in h.finding or "failed" not in h.status, h.hypothesis
    # Every failure the evidence of a mechanism rests on is beside it.
    assert {h.mechanism for h in failed} >= {"tgf_beta", "ido_kynurenine", "inhibitory_checkpoints"}
