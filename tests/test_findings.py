"""What the pages say of rules, phenotype, what has been tried, and two time points."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from standing_tools import measured, mechanism, standings

from resistpath.errors import UserError
from resistpath.io.resources import catalogue, hypotheses, patterns, rules
from resistpath.mechanisms.pairs import compare_pairs, find_pairs
from resistpath.mechanisms.patterns import read_patterns
from resistpath.report import render
from resistpath.report.findings import (
    address,
    named,
    phenotype_record,
    rule_records,
    rules_in_words,
    tried_records,
)
from resistpath.report.patient import patient_content

HOSTILE = '<script>alert("x")</script>'
REFERENCE = {"name": "Melanoma", "n": 99, "cancer_type": "melanoma", "description": ""}
SOFTWARE = {"name": "resistpath", "version": "0.1.0", "digest": "abc"}


def phenotype_row(**cells: Any) -> pd.DataFrame:
    row = {"phenotype": "inflamed", "p_inflamed": 0.91, "p_excluded": 0.07, "p_desert": 0.02}
    row |= {"x": 88.0, "x_low": 71.0, "x_high": 96.0, "y": 40.0, "y_low": 22.0, "y_high": 60.0}
    return pd.DataFrame([row | {"reason": "91% of the uncertainty lies there"} | cells])


def test_phenotype_record_is_the_row():
    record = phenotype_record(phenotype_row())
    assert record["phenotype"] == "inflamed"
    assert [p["probability"] for p in record["probabilities"]] == [0.91, 0.07, 0.02]
    first = record["coordinates"][0]
    assert (first["percentile"], first["low"], first["high"]) == (88.0, 71.0, 96.0)
    assert phenotype_record(None) is None
    unknown = phenotype_record(phenotype_row(x=np.nan, p_inflamed=np.nan))
    assert unknown["coordinates"][0]["percentile"] is None


def rule_rows(*outcomes: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "rule": r.rule,
                "name": r.name,
                "outcome": outcome,
                "figures": "readout:IFNG_SINGLE raw above 50: 71 (63–78), met; "
                "readout:IFNG_TARGETS13 given:IFNG_SINGLE below 25: 9 (2–20), met",
                "reason": "the interval lies on the other side of 'mechanism:myc raw above 50'",
            }
            for r, outcome in zip(rules(), outcomes, strict=False)
        ]
    )


def test_rules_are_shown_by_name_and_counted():
    records = rule_records(rule_rows("met", "not met", "cannot say"), rules(), catalogue())
    assert records[0]["figures"] == [
        "Interferon γ, the ligand raw above 50: 71 (63–78), met",
        "Interferon-γ targets without T-cell genes given Interferon γ, the ligand below 25:"
        " 9 (2–20), met",
    ]
    assert records[0]["reason"].endswith("'MYC raw above 50'")
    assert records[0]["sources"][0]["url"].startswith("https://doi.org/")
    assert rules_in_words(records) == (
        f"Met: {rules()[0].name}. Not met: 1 of 3 rules. Cannot say: 1 of 3 rules."
    )
    assert rules_in_words([]) == ""
    assert rule_records(None, rules(), catalogue()) == []


def test_a_rule_of_another_table_is_refused():
    with pytest.raises(UserError, match="nobody"):
        rule_records(rule_rows("met").assign(rule="nobody"), rules(), catalogue())


def test_names_of_unknown_things_stay_as_they_are():
    assert named("readout:NOBODY raw above 50", catalogue()) == "readout:NOBODY raw above 50"


def test_only_what_reads_as_resistance_is_looked_up_in_the_trials():
    found = [
        {"mechanism": "tgf_beta", "name": "TGF-β", "reading": "consistent with resistance"},
        {"mechanism": "mapk", "name": "MAPK", "reading": "context only"},
        {"mechanism": "treg", "name": "Treg", "reading": "consistent with resistance"},
    ]
    records = tried_records(hypotheses(), found)
    assert [r["mechanism"] for r in records] == ["tgf_beta"]
    assert records[0]["entries"][0]["status"] == "randomised trial failed"
    assert all(c["url"] for r in records for e in r["entries"] for c in e["citations"])


def test_every_shipped_citation_has_an_address_that_is_a_web_address():
    for h in hypotheses():
        for citation in h.citations:
            assert re.match(r"https://[a-z.]+/", address(citation) or ""), citation
    assert address("http://example.org") is None
    assert address("javascript:alert(1)") is None


# --- the page of a patient -------------------------------------------------------------------


class Numbers(HTMLParser):
    """Values and places of the numbers of a page."""

    VOID = ("meta", "link", "br", "circle", "path")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[dict[str, Any]] = []
        self.found: dict[str, str] = {}
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        self.tags.add(tag)
        if tag == "data":
            base = next(o["data-at"] for o in reversed(self.open) if "data-at" in o)
            self.found[f"{base}/{at.get('data-k', 'percentile')}"] = at["value"]
        if tag not in self.VOID:
            self.open.append(at)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        self.open.pop()


def patient(name: str = "p", sample: str = "a") -> dict[str, Any]:
    names = [sample, "b"]
    obs = pd.DataFrame(
        {
            "patient": name,
            "timepoint": ["pre", "progression"],
            "cancer_type": name,
            "treatment": ["nivolumab", "nivolumab + ipilimumab"],
            "response_binary": ["R", None],
        },
        index=names,
    )
    rows = [mechanism(m.mechanism, names, [1.0, -1.0], [0.2, 0.1]) for m in catalogue().mechanisms]
    places = standings(names, [measured("PTEN_SINGLE", [1.0, -1.0])], rows)
    pairs = find_pairs(places.samples, obs)
    return patient_content(
        name,
        sheet=obs,
        pairs=compare_pairs(pairs, places, {}, 0.9),
        patterns=read_patterns(patterns(), pairs, places, obs, {}, 0.9),
        pattern_book=patterns(),
        reference=REFERENCE,
        catalogue=catalogue(),
        software=SOFTWARE,
        links={sample: "reports/a.html", "b": "reports/b.html"},
    )


def test_every_number_of_a_patient_page_is_its_record():
    record = patient()
    json.dumps(record, allow_nan=False)
    numbers = Numbers(render.render_patient(record)).found
    assert len(numbers) > 46 * 9
    for pointer, value in numbers.items():
        at: Any = record
        for part in pointer.strip("/").split("/"):
            at = at[int(part)] if isinstance(at, list) else at[part]
        assert float(value) == float(f"{at:.7g}"), pointer


def test_a_patient_page_says_what_changed_and_what_was_not_counted():
    record = patient()
    step = record["steps"][0]
    assert (step["start"], step["end"]) == ("before treatment", "at progression")
    lost = next(p for p in step["patterns"] if p["pattern"] == "t_cells_lost")
    assert lost["outcome"] == "met"
    assert "Cytolytic activity raw falls" in lost["figures"][0]
    assert {x["label"]: x["value"] for x in record["about"]} == {
        "Disease": "p",
        "Treatment": "nivolumab; nivolumab + ipilimumab",
        "Responder": "R",
    }
    page = render.render_patient(record)
    assert page.count("no residual given itself") == 1
    assert "<dt>Treatment</dt><dd><bdi>nivolumab; nivolumab + ipilimumab</bdi></dd>" in page
    assert "No biopsy noise is counted in" in page
    assert 'href=".././reports/a.html"' in page
    assert record["statement"] in page


def test_hostile_names_are_inert_on_a_patient_page():
    page = render.render_patient(patient(HOSTILE, HOSTILE))
    assert "script" not in Numbers(page).tags
    assert "<script" not in page


def test_the_record_of_a_pattern_that_is_not_in_the_table_is_refused():
    with pytest.raises(UserError, match="nobody"):
        patient_content(
            "p",
            sheet=pd.DataFrame(index=["a", "b"]),
            pairs=pd.DataFrame(
                {
                    "from_timepoint": ["pre"],
                    "to_timepoint": ["on"],
                    "from_sample": ["a"],
                    "to_sample": ["b"],
                    "kind": ["readout"],
                    "item": ["x"],
                    "view": ["raw"],
                    "biopsy_sd": [np.nan],
                }
            ),
            patterns=pd.DataFrame(
                {
                    "pattern": ["nobody"],
                    "from_timepoint": ["pre"],
                    "to_timepoint": ["on"],
                    "figures": [""],
                }
            ),
            pattern_book=patterns(),
            reference=REFERENCE,
            catalogue=catalogue(),
            software=SOFTWARE,
            links={},
        )
