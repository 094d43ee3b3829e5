"""Rules on one sample: their language, their answers, and that they are data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special
from standing_tools import measured, mechanism, standings

from resistpath.errors import UserError
from resistpath.io.resources import CATALOGUE_TABLES, _table, catalogue, rules
from resistpath.mechanisms.catalogue import build_catalogue
from resistpath.mechanisms.conditions import Condition, together
from resistpath.mechanisms.rules import COLUMNS, build_rules, evaluate_rules
from resistpath.mechanisms.standing import Overruling

ANY = pd.Series(dtype=object)


def rule_table(**cells: str) -> pd.DataFrame:
    row = dict.fromkeys(COLUMNS, "text") | {
        "rule": "r",
        "conditions": "readout:IFNG_SINGLE raw above 50",
        "evidence_grade": "C",
        "diseases": "any",
    }
    return pd.DataFrame([row | cells])


def answers(conditions: str, places, disease: str = "any", sheet=ANY) -> list[str]:
    made = build_rules(rule_table(conditions=conditions, diseases=disease), catalogue())
    return list(evaluate_rules(made, places, sheet)["outcome"])


# --- the answer to one interval, at its borders ---------------------------------------------


@pytest.mark.parametrize(
    ("test", "low", "high", "answer"),
    [
        ("above", 75, 90, "met"),
        ("above", 74.9, 90, "cannot say"),
        ("above", 10, 75, "cannot say"),
        ("above", 10, 74.9, "not met"),
        ("below", 10, 75, "met"),
        ("below", 10, 75.1, "cannot say"),
        ("below", 75, 90, "cannot say"),
        ("below", 75.1, 90, "not met"),
    ],
)
def test_the_whole_interval_decides(test, low, high, answer):
    assert Condition("readout:X", "raw", test, 75).level(low, high) == answer


def test_one_failing_condition_decides_before_an_unknown_one():
    assert together(["met", "cannot say", "not met"]) == "not met"
    assert together(["met", "cannot say"]) == "cannot say"
    assert together(["met"]) == "met"


# --- hand-worked samples ---------------------------------------------------------------------


def test_a_readout_is_read_as_printed_and_a_mechanism_as_more_of_it():
    # PTEN counts against its mechanism (sign -1), but the rule says what stands in readouts.tsv.
    places = standings(
        ["low", "high"],
        [measured("PTEN_SINGLE", [-2.0, 2.0])],
        [mechanism("cytolytic_activity", ["low", "high"], [2.0, -2.0], [0, 0])],
    )
    assert answers("readout:PTEN_SINGLE raw below 25", places) == ["met", "not met"]
    assert answers("mechanism:cytolytic_activity raw above 75", places) == ["met", "not met"]


def test_low_given_another_readout_is_worked_out_by_hand():
    # Reference correlation 0.8, sample one standard deviation up in the ligand and at the median
    # in the target: (0 - 0.8) / 0.6 = -1.333; interval +-hypot(0.5, 0.8 x 0.5) / 0.6 = +-1.067.
    rng = np.random.default_rng(3)
    g = rng.normal(size=4000)
    e = rng.normal(size=4000)
    g = (g - g.mean()) / g.std()
    e = e - e.mean() - (e @ g) / (g @ g) * g
    t = 0.8 * g + 0.6 * e / e.std()
    places = standings(
        ["s"],
        [
            measured("IFNG_SINGLE", [1.0], reference=g),
            measured("IFNG_TARGETS13", [0.0], reference=t),
        ],
    )
    got = places.of("readout:IFNG_TARGETS13", "given:IFNG_SINGLE")
    assert got.z[0] == pytest.approx(-0.8 / 0.6, abs=1e-9)
    half = np.hypot(0.5, 0.4) / 0.6
    assert got.low[0] == pytest.approx(100 * special.ndtr(-0.8 / 0.6 - half), abs=1e-9)
    assert got.high[0] == pytest.approx(100 * special.ndtr(-0.8 / 0.6 + half), abs=1e-9)


def test_a_negative_correlation_and_a_negative_sign_turn_the_correction_round():
    g = np.linspace(-2, 2, 41)
    places = standings(
        ["s"],
        [
            measured("IFNG_SINGLE", [1.0], reference=g),
            # PTEN's sign is -1; its printed score falls as the ligand rises.
            measured("PTEN_SINGLE", [0.0], reference=-g),
        ],
    )
    assert places.correlation("PTEN_SINGLE", "IFNG_SINGLE") == pytest.approx(-0.99)
    got = places.of("readout:PTEN_SINGLE", "given:IFNG_SINGLE")
    assert got.z[0] == pytest.approx(0.99 / np.sqrt(1 - 0.99**2))


def shipped_places(ligand: float, t_cells: float, targets: float):
    g = np.random.default_rng(0).normal(size=500)
    names = ["s"]
    return standings(
        names,
        [
            measured("IFNG_SINGLE", [ligand], reference=g, half=0.3),
            measured("CTL_JIANG5", [t_cells], half=0.3),
            measured("IFNG_TARGETS13", [targets], reference=g + 0.3 * g[::-1], half=0.3),
            measured("PTEN_SINGLE", [0.0]),
        ],
        [
            mechanism("cytolytic_activity", names, [t_cells], [0.0], 0.3),
            mechanism("ifng_signalling", names, [t_cells], [0.0], 0.3),
            mechanism("mhc1_antigen_presentation", names, [0.0], [-1.5], 0.3),
            mechanism("dedifferentiation_plasticity", names, [0.0], [1.5], 0.3),
            mechanism("wnt_beta_catenin", names, [0.0], [0.0], 0.3),
        ],
    )


def shipped_answers(places, disease: str | None = None) -> dict[str, str]:
    sheet = pd.Series({"s": disease}, dtype=object)
    table = evaluate_rules(rules(), places, sheet)
    return dict(zip(table["rule"], table["outcome"], strict=True))


def test_ligand_high_and_targets_low_is_a_defect_and_both_low_is_absence():
    defect = shipped_answers(shipped_places(1.0, 1.0, -1.5))
    assert defect["ifn_signalling_defect"] == "met"
    assert defect["ifn_absence"] == "not met"
    absence = shipped_answers(shipped_places(-1.5, -1.5, -1.5))
    assert absence["ifn_absence"] == "met"
    assert absence["ifn_signalling_defect"] == "not met"
    healthy = shipped_answers(shipped_places(1.0, 1.0, 2.0))
    assert healthy["ifn_signalling_defect"] == healthy["ifn_absence"] == "not met"


def test_class_one_low_counts_only_where_the_tumour_is_inflamed():
    assert shipped_answers(shipped_places(1, 1, 1))["mhc1_low_given_inflammation"] == "met"
    assert shipped_answers(shipped_places(-1, -1, -1))["mhc1_low_given_inflammation"] == "not met"
    assert shipped_answers(shipped_places(0, 0.1, 0))["mhc1_low_given_inflammation"] == "cannot say"


def test_a_rule_of_one_disease_says_so_elsewhere():
    places = shipped_places(1, 1, 1)
    assert shipped_answers(places, "melanoma")["mhc1_low_dedifferentiated"] == "met"
    table = evaluate_rules(rules(), places, pd.Series({"s": "glioblastoma"}, dtype=object))
    row = table.set_index("rule").loc["mhc1_low_dedifferentiated"]
    assert row["outcome"] == "cannot say"
    assert row["reason"] == "read in melanoma only; this sample is glioblastoma"
    unknown = evaluate_rules(rules(), places, ANY).set_index("rule")
    assert "not stated" in unknown.loc["mhc1_low_dedifferentiated", "reason"]


def test_missing_values_and_failed_samples_are_said():
    places = standings(
        ["a", "b", "c"],
        [measured("IFNG_SINGLE", [2, 2, 2], reasons=["of its genes", "", ""])],
        overruled={
            "b": Overruling("not assessable", "sample fails quality: x"),
            "c": Overruling("inconclusive", "sample fits the reference poorly"),
        },
    )
    made = build_rules(rule_table(), catalogue())
    table = evaluate_rules(made, places, ANY)
    assert list(table["outcome"]) == ["cannot say"] * 3
    assert list(table["reason"]) == [
        "readout:IFNG_SINGLE: of its genes",
        "sample fails quality: x",
        "sample fits the reference poorly",
    ]
    # What cannot be assessed shows no figures; what fits poorly shows them and decides nothing.
    assert table["figures"][1] == ""
    assert table["figures"][2] == "readout:IFNG_SINGLE raw above 50: 98 (93–99), met"


def test_a_sample_alone_gets_the_same_answers():
    z = [-1.7, -0.4, 0.3, 1.9]
    names = list("abcd")
    together_ = standings(names, [measured("IFNG_SINGLE", z)])
    whole = evaluate_rules(build_rules(rule_table(), catalogue()), together_, ANY)
    for i, name in enumerate(names):
        alone = standings([name], [measured("IFNG_SINGLE", [z[i]])])
        one = evaluate_rules(build_rules(rule_table(), catalogue()), alone, ANY)
        pd.testing.assert_frame_equal(one, whole[whole["sample"] == name].reset_index(drop=True))


# --- rules are data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ("IFNG_SINGLE raw above 50", "cannot be read"),
        ("readout:IFNG_SINGLE raw above", "cannot be read"),
        ("readout:IFNG_SINGLE raw rises", "cannot be read"),
        ("later readout:IFNG_SINGLE raw above 50", "cannot be read"),
        ("readout:IFNG_SINGEL raw above 50", "does not know IFNG_SINGEL"),
        ("mechanism:IFNG_SINGLE raw above 50", "does not know"),
        ("readout:IFNG_SINGLE given:NOBODY above 50", "does not know NOBODY"),
        ("readout:IFNG_SINGLE given:IFNG_SINGLE above 50", "does not suit"),
        ("mechanism:myc given:IFNG_SINGLE above 50", "does not suit"),
        ("readout:IFNG_SINGLE raw above 100", "outside 0 to 100"),
        ("readout:IFNG_SINGLE raw above 0", "outside 0 to 100"),
        ("readout:IFNG_SINGLE raw above 50; ", "empty entry"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_with_its_place(conditions, words):
    with pytest.raises(UserError, match=words) as caught:
        build_rules(rule_table(conditions=conditions), catalogue())
    assert "rules.tsv, line 2 (r)" in str(caught.value)


def test_other_mistakes_in_the_table_are_refused():
    for cells, words in (
        ({"evidence_grade": "D"}, "evidence_grade"),
        ({"diseases": "melanomia"}, "diseases"),
        ({"caveat": ""}, "caveat"),
    ):
        with pytest.raises(UserError, match=words):
            build_rules(rule_table(**cells), catalogue())
    with pytest.raises(UserError, match="ids occur twice"):
        build_rules(pd.concat([rule_table(), rule_table()]), catalogue())


def test_a_biologist_adds_a_mechanism_and_a_rule_in_tables_alone():
    tables = {name: _table(f"catalogue/{name}.tsv") for name in CATALOGUE_TABLES}
    mechanism_row = tables["mechanisms"].iloc[-1].to_dict() | {
        "mechanism": "vista",
        "name": "VISTA",
        "page": "more",
        "cluster": "none",
    }
    readout_row = tables["readouts"].iloc[-1].to_dict() | {
        "readout": "VSIR_SINGLE",
        "mechanism": "vista",
        "name": "VISTA",
        "method": "gene",
        "up": "VSIR",
    }
    for name, row in (("mechanisms", mechanism_row), ("readouts", readout_row)):
        tables[name] = pd.concat([tables[name], pd.DataFrame([row])], ignore_index=True)
    book = build_catalogue(**tables)
    table = pd.concat(
        [
            _table("catalogue/rules.tsv"),
            rule_table(rule="vista_high", conditions="mechanism:vista raw above 75"),
        ]
    )
    made = build_rules(table, book)
    assert [r.rule for r in made][-1] == "vista_high"
    places = standings(["s"], [], [mechanism("vista", ["s"], [2.0], [0.0])])
    assert list(evaluate_rules(made[-1:], places, ANY)["outcome"]) == ["met"]


def test_shipped_rules_name_their_sources():
    for rule in rules():
        assert rule.sources, rule.rule
        assert rule.conditions, rule.rule
        assert rule.caveat != rule.conclusion
