"""Time: changes between two samples of a patient, and the patterns they make."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special
from standing_tools import measured, mechanism, standings

from resistpath.errors import UserError
from resistpath.io.resources import catalogue, patterns
from resistpath.mechanisms.pairs import (
    COLUMNS,
    STEPS,
    Level,
    change,
    compare_pairs,
    find_pairs,
    level_at,
)
from resistpath.mechanisms.patterns import COLUMNS as PATTERN_COLUMNS
from resistpath.mechanisms.patterns import build_patterns, read_patterns
from resistpath.mechanisms.standing import Overruling


def sheet(**samples: tuple[str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(samples, index=["patient", "timepoint"]).T


# --- which samples belong together -----------------------------------------------------------


def test_pairs_are_found_by_patient_and_step():
    obs = sheet(
        a=("p1", "pre"), b=("p1", "on"), c=("p1", "progression"), d=("p2", "pre"), e=("p2", "pre")
    )
    found = [(p.patient, p.start, p.end, p.before, p.after) for p in find_pairs(obs.index, obs)]
    assert found == [
        ("p1", "pre", "on", (0,), (1,)),
        ("p1", "pre", "progression", (0,), (2,)),
        ("p1", "on", "progression", (1,), (2,)),
    ]


def test_samples_without_patient_or_time_point_take_no_part():
    obs = sheet(a=(None, "pre"), b=(None, "on"), c=("p", "pre"), d=("p", None))
    assert find_pairs(obs.index, obs) == []
    assert find_pairs(obs.index, obs[["patient"]]) == []
    assert find_pairs(obs.index, obs[["timepoint"]]) == []


def test_order_of_samples_does_not_matter():
    obs = sheet(z=("p", "pre"), y=("p", "pre"), x=("p", "on"))
    found = find_pairs(obs.index, obs)[0]
    assert [obs.index[i] for i in found.before] == ["y", "z"]


# --- the change of one item ------------------------------------------------------------------


def at(z: float, lower: float, upper: float) -> Level:
    return Level(z, lower, upper, *(100 * float(special.ndtr(v)) for v in (z, z, z)), "")


def test_interval_of_a_change_is_worked_out_by_hand():
    # 3-4-5 triangles: down sqrt(0.3^2 + 0.4^2) = 0.5, up sqrt(0.6^2 + 0.8^2) = 1.0.
    got = change(at(-0.2, 0.8, 0.4), at(0.6, 0.3, 0.6), None, 0.90)
    assert got.delta == pytest.approx(0.8)
    assert got.low == pytest.approx(0.3)
    assert got.high == pytest.approx(1.8)
    assert got.outcome == "up"
    assert got.reason == (
        "the interval lies above zero; without biopsy noise, which the reference does not hold"
    )


def test_biopsy_noise_widens_the_interval_and_is_named():
    # 1.644854 x 0.5 = 0.822427 beside 0.5: sqrt(0.5^2 + 0.822427^2) = 0.962489.
    got = change(at(-0.2, 0.4, 0.4), at(0.6, 0.3, 0.3), 0.5, 0.90)
    assert got.low == pytest.approx(0.8 - 0.962489, abs=1e-6)
    assert got.high == pytest.approx(0.8 + 0.962489, abs=1e-6)
    assert got.outcome == "no clear change"
    assert got.reason == "the interval holds zero; biopsy noise 0.50 counted in"
    assert change(at(0.6, 0.3, 0.3), at(-0.6, 0.3, 0.3), 0.1, 0.90).outcome == "down"


def test_turning_a_pair_round_turns_the_change_round():
    a, b = at(-0.3, 0.2, 0.7), at(0.9, 0.5, 0.1)
    there, back = change(a, b, 0.3, 0.9), change(b, a, 0.3, 0.9)
    assert (back.delta, back.low, back.high) == pytest.approx(
        (-there.delta, -there.high, -there.low)
    )


def test_several_samples_of_a_time_point_are_averaged():
    places = standings(["a", "b", "c"], [measured("IFNG_SINGLE", [1.0, 2.0, np.nan], half=0.4)])
    standing = places.of("readout:IFNG_SINGLE", "raw")
    got = level_at(standing, (0, 1, 2), places.samples, {})
    assert (got.z, got.lower, got.upper) == pytest.approx((1.5, 0.4, 0.4))
    assert got.percentile == pytest.approx(100 * special.ndtr(1.5))
    assert got.low == pytest.approx(100 * special.ndtr(1.1))
    only = level_at(standing, (0, 1), places.samples, {"b": "fails quality"})
    assert only.z == 1.0
    none = level_at(standing, (1,), places.samples, {"b": "fails quality"})
    assert none.reason == "b: fails quality"
    assert np.isnan(none.z)


def test_rows_of_a_pair():
    obs = sheet(a=("p", "pre"), b=("p", "on"))
    places = standings(
        ["a", "b"],
        [measured("IFNG_SINGLE", [-1.0, 1.0], [0.0, 0.1])],
        [mechanism("cytolytic_activity", ["a", "b"], [1.0, -1.0], [0.0, 0.0])],
    )
    table = compare_pairs(find_pairs(obs.index, obs), places, {"readout:IFNG_SINGLE raw": 2.0}, 0.9)
    assert list(table.columns) == list(COLUMNS)
    rows = table.set_index(["item", "view"])
    assert rows.loc[("cytolytic_activity", "raw"), "outcome"] == "down"
    assert rows.loc[("cytolytic_activity", "raw"), "delta"] == pytest.approx(-2.0)
    assert rows.loc[("cytolytic_activity", "residual"), "outcome"] == "no clear change"
    assert rows.loc[("IFNG_SINGLE", "raw"), "outcome"] == "no clear change"
    assert rows.loc[("IFNG_SINGLE", "raw"), "biopsy_sd"] == 2.0
    assert set(table["from_sample"] + ">" + table["to_sample"]) == {"a>b"}


def test_a_poorly_fitting_sample_shows_its_change_and_calls_none():
    obs = sheet(a=("p", "pre"), b=("p", "on"), c=("q", "pre"), d=("q", "on"))
    places = standings(
        list("abcd"),
        [measured("IFNG_SINGLE", [-2.0, 2.0, -2.0, 2.0])],
        overruled={
            "b": Overruling("inconclusive", "fits poorly"),
            "d": Overruling("not assessable", "fails quality"),
        },
    )
    table = compare_pairs(find_pairs(obs.index, obs), places, {}, 0.9)
    raw = table[(table["item"] == "IFNG_SINGLE") & (table["view"] == "raw")].set_index("patient")
    assert list(raw["outcome"]) == ["cannot say", "cannot say"]
    assert raw.loc["p", "delta"] == pytest.approx(4.0)
    assert raw.loc["p", "reason"] == "b: fits poorly"
    assert np.isnan(raw.loc["q", "delta"])
    assert raw.loc["q", "reason"] == "d: fails quality"


def test_a_patient_alone_gets_the_same_rows():
    z = [-1.0, 0.3, 0.7, 2.0]
    obs = sheet(a=("p", "pre"), b=("p", "on"), c=("q", "pre"), d=("q", "on"))
    whole_places = standings(list("abcd"), [measured("IFNG_SINGLE", z)])
    whole = compare_pairs(find_pairs(obs.index, obs), whole_places, {}, 0.9)
    for patient, names in (("p", "ab"), ("q", "cd")):
        part = obs.loc[list(names)]
        own = [z["abcd".index(n)] for n in names]
        places = standings(list(names), [measured("IFNG_SINGLE", own)])
        alone = compare_pairs(find_pairs(part.index, part), places, {}, 0.9)
        want = whole[whole["patient"] == patient].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, want, check_exact=True)


# --- patterns --------------------------------------------------------------------------------


def pattern_table(**cells: str) -> pd.DataFrame:
    row = dict.fromkeys(PATTERN_COLUMNS, "text") | {
        "pattern": "p",
        "resistance": "acquired",
        "steps": "pre>progression",
        "conditions": "change readout:IFNG_SINGLE raw falls",
        "evidence_grade": "C",
        "diseases": "any",
    }
    return pd.DataFrame([row | cells])


def read(conditions: str, z: list[float], noise=None, **said) -> pd.Series[str]:
    obs = sheet(a=("x", "pre"), b=("x", "progression")).assign(**said)
    places = standings(["a", "b"], [measured("IFNG_SINGLE", z)])
    made = build_patterns(pattern_table(conditions=conditions), catalogue())
    pairs = find_pairs(obs.index, obs)
    return read_patterns(made, pairs, places, obs, noise or {}, 0.9).iloc[0]


@pytest.mark.parametrize(
    ("z", "outcome"),
    [([1.0, -1.0], "met"), ([-1.0, 1.0], "not met"), ([0.0, 0.2], "cannot say")],
)
def test_a_change_answers_a_pattern(z, outcome):
    assert read("change readout:IFNG_SINGLE raw falls", z)["outcome"] == outcome


def test_a_pattern_may_ask_where_the_samples_stand():
    both = "earlier readout:IFNG_SINGLE raw above 50; later readout:IFNG_SINGLE raw above 50"
    assert read(both, [1.0, 1.2])["outcome"] == "met"
    assert read(both, [1.0, 0.2])["outcome"] == "cannot say"
    assert read(both, [-1.0, 1.2])["outcome"] == "not met"


def test_missing_biopsy_noise_is_said_where_it_mattered():
    rises = "change readout:IFNG_SINGLE raw rises"
    assert read(rises, [-1.0, 1.0])["reason"].count("without biopsy noise") == 1
    known = read(rises, [-1.0, 1.0], {"readout:IFNG_SINGLE raw": 0.1})
    assert "biopsy noise" not in known["reason"]
    still = read("later readout:IFNG_SINGLE raw above 50", [0.0, 1.0])
    assert "biopsy noise" not in still["reason"]


def test_primary_and_acquired_resistance_are_kept_apart():
    falls = "change readout:IFNG_SINGLE raw falls"
    primary = read(falls, [1.0, -1.0], response_binary="NR")
    assert primary["outcome"] == "not read"
    assert "primary resistance" in primary["reason"]
    assert read(falls, [1.0, -1.0], response_binary="R")["outcome"] == "met"
    unknown = read(falls, [1.0, -1.0])
    assert unknown["outcome"] == "met"
    assert unknown["reason"].endswith("whether the patient responded first is not stated")


def test_a_pattern_is_read_at_its_own_steps_and_diseases_only():
    obs = sheet(a=("x", "pre"), b=("x", "on"))
    places = standings(["a", "b"], [measured("IFNG_SINGLE", [1.0, -1.0])])
    made = build_patterns(pattern_table(), catalogue())
    assert read_patterns(made, find_pairs(obs.index, obs), places, obs, {}, 0.9).empty
    obs = sheet(a=("x", "pre"), b=("x", "progression")).assign(cancer_type="glioblastoma")
    bound = build_patterns(pattern_table(diseases="melanoma"), catalogue())
    row = read_patterns(bound, find_pairs(obs.index, obs), places, obs, {}, 0.9).iloc[0]
    assert (row["outcome"], row["reason"]) == (
        "not read",
        "read in melanoma only; this patient has glioblastoma",
    )


def test_antigen_presentation_falls_while_inflammation_holds():
    names = ["a", "b"]
    obs = sheet(a=("x", "pre"), b=("x", "progression")).assign(response_binary="R")

    def outcome(class_one: list[float], inflamed: list[float]) -> str:
        rows = [
            mechanism(m, names, [0.0, 0.0], [0.0, 0.0])
            for m in ("chronic_type1_ifn", "wnt_beta_catenin", "tgf_beta", "cytolytic_activity")
        ] + [
            mechanism("dedifferentiation_plasticity", names, [0.0, 0.0], [0.0, 0.0]),
            mechanism("mhc1_antigen_presentation", names, [0.0, 0.0], class_one),
            mechanism("ifng_signalling", names, inflamed, [np.nan, np.nan]),
        ]
        places = standings(names, [measured("PTEN_SINGLE", [0.0, 0.0])], rows)
        pairs = find_pairs(obs.index, obs)
        table = read_patterns(patterns(), pairs, places, obs, {}, 0.9).set_index("pattern")
        return str(table.loc["mhc1_falls_inflammation_holds", "outcome"])

    assert outcome([1.0, -1.0], [1.0, 1.0]) == "met"
    assert outcome([1.0, -1.0], [1.0, -1.0]) == "not met"
    assert outcome([0.0, 0.1], [1.0, 1.0]) == "cannot say"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"conditions": "readout:IFNG_SINGLE raw falls"}, "cannot be read"),
        ({"conditions": "change readout:IFNG_SINGLE raw above 50"}, "cannot be read"),
        ({"conditions": "later readout:IFNG_SINGLE raw falls"}, "cannot be read"),
        ({"conditions": "change readout:X raw falls"}, "does not know"),
        ({"conditions": "change readout:IFNG_SINGLE given:CTL_JIANG5 falls"}, "does not suit"),
        ({"steps": "on>pre"}, "steps"),
        ({"resistance": "primary"}, "resistance"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_its_place(cells, words):
    with pytest.raises(UserError, match=words) as caught:
        build_patterns(pattern_table(**cells), catalogue())
    assert "patterns.tsv, line 2 (p)" in str(caught.value)


def test_shipped_acquired_patterns_end_after_treatment_began():
    for pattern in patterns():
        assert set(pattern.steps) <= set(STEPS)
        if pattern.resistance == "acquired":
            assert {end for _, end in pattern.steps} == {"progression", "post"}, pattern.pattern
