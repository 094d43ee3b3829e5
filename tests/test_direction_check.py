"""Does each readout point the way it is read? The table, the words about it, and the script."""

from __future__ import annotations

import re
import runpy

import numpy as np
import pandas as pd
import pytest

from resistpath.io.resources import catalogue
from resistpath.mechanisms.directions import DirectionCheck

BOOK = catalogue()
WHO = {
    ("authors",): "the direction its authors state",
    ("read",): "the direction it is read for",
    ("authors", "read"): "the direction its authors state and it is read for",
}


@pytest.fixture(scope="module")
def script(repository):
    return runpy.run_path(str(repository / "benchmarks" / "directions.py"))


@pytest.fixture(scope="module")
def by_cohort(repository):
    return pd.read_csv(repository / "benchmarks" / "directions.tsv", sep="\t")


def test_every_readout_that_can_be_checked_is():
    """All but fractions, and readouts of a disease without a cohort."""
    unchecked = {r.readout for r in BOOK.readouts if BOOK.direction_check(r.readout) is None}
    assert unchecked == {"QUANTISEQ_TREGS", "LKB1LOSS_KAUFMAN16", "STK11_SINGLE"}


@pytest.mark.parametrize("readout", [r.readout for r in BOOK.readouts])
def test_a_readout_that_points_the_other_way_says_so(readout):
    """In its note, which every report prints, with the figures of the table; and no other does."""
    note = BOOK.readout(readout).note
    who, check = BOOK.points_against(readout), BOOK.direction_check(readout)
    if not who:
        assert "Points against" not in note
        return
    assert note.endswith(
        f" Points against {WHO[who]}: AUC for response {check.raw[0]:.2f} raw and"
        f" {check.residual[0]:.2f} residual over {check.n_cohorts} cohorts."
    )


def test_both_views_must_contradict():
    def check(raw, residual):
        view = None if residual is None else (residual, 0.0, 1.0)
        return DirectionCheck("x", 3, 9, 9, (raw, 0.0, 1.0), view, 2, 2)

    assert check(0.6, 0.52).against("high = resistance")
    assert not check(0.6, 0.48).against("high = resistance")
    assert not check(0.6, 0.5).against("high = resistance")
    assert not check(0.6, 0.52).against("high = sensitivity")
    assert check(0.4, 0.48).against("high = sensitivity")
    assert not check(0.4, 0.48).against("context")
    assert not check(0.4, None).against("high = sensitivity")


def test_the_sign_turns_the_direction_of_a_score():
    assert BOOK.directions_of("PTEN_SINGLE")["read"] == "high = sensitivity"
    assert BOOK.directions_of("HALLMARK_PI3K")["read"] == "high = resistance"
    # Resistance at progression only: before treatment it has no direction.
    assert BOOK.directions_of("HALLMARK_IFNA")["read"] == "context"
    assert BOOK.points_against("ISGRS_BENCI38") == ("authors",)


@pytest.mark.parametrize("mechanism", [m.mechanism for m in BOOK.mechanisms])
def test_figures_in_the_evidence_are_those_of_the_table(mechanism):
    """Every area quoted in a sentence on the 15-cohort check is one of the mechanism's own."""
    entry = BOOK.mechanism(mechanism)
    checks = [BOOK.direction_check(r.readout) for r in BOOK.readouts_of(mechanism)]
    known = {
        f"{view[0]:.2f}" for c in checks if c for view in (c.raw, c.residual) if view is not None
    }
    for text in (entry.evidence, entry.evidence_against):
        assert "12-cohort" not in text
        for sentence in re.split(r"(?<=\.) (?=[A-Z])", text):
            if "15-cohort check" in sentence:
                assert set(re.findall(r"\b0\.\d\d\b", sentence)) <= known, sentence


def test_the_page_of_the_benchmark_is_the_shipped_table(script, repository):
    text = (repository / "benchmarks" / "README.md").read_text()
    assert script["page"](BOOK) in text


def test_pooled_figures_are_those_of_the_cohorts(script, by_cohort, repository):
    """The shipped table follows from the table per cohort, to its rounding."""
    shipped = pd.read_csv(repository / "resources" / "catalogue" / "direction_check.tsv", sep="\t")
    again = script["pooled_table"](by_cohort, BOOK).set_index("readout").astype(float)
    shipped = shipped.set_index("readout").astype(float)
    pd.testing.assert_frame_equal(again, shipped, atol=1.1e-3)
    assert by_cohort.groupby("cohort")[["n_R", "n_NR"]].first().sum().tolist() == [207, 324]


def test_residual_is_what_a_line_leaves(script):
    rng = np.random.default_rng(0)
    axis, score = rng.normal(size=30), rng.normal(size=30)
    left = script["residual"](score, axis)
    slope, intercept = np.polyfit(axis, score, 1)
    np.testing.assert_allclose(left, score - slope * axis - intercept, atol=1e-12)


def test_pooling_weights_by_both_groups(script):
    rows = pd.DataFrame(
        {"n_R": [10, 2], "n_NR": [10, 18], "raw_auc": [0.7, 0.4], "raw_se": [0.1, 0.2]}
    )
    found = script["pooled"](rows, "raw")
    weights = np.array([5, 1.8]) / 6.8
    assert found["raw_auc"] == pytest.approx(weights @ [0.7, 0.4])
    half = 1.96 * np.sqrt((weights * [0.1, 0.2]) @ (weights * [0.1, 0.2]))
    assert found["raw_high"] - found["raw_auc"] == pytest.approx(half, rel=1e-4)
    assert found["raw_above"] == 1


def test_one_cohort_again(shared, script, by_cohort):
    """Riaz, from raw counts: reading, scoring and areas give the committed rows."""
    cohort = "riaz_gse91061_counts"
    rows = script["cohort_table"](shared / "data", cohort, BOOK)
    kept = by_cohort[by_cohort["cohort"] == cohort].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, kept, check_dtype=False, atol=1e-4)
    responder, disease = script["tumours"](shared / "data", cohort)
    assert (responder.sum(), len(responder), disease) == (10, 33, "melanoma")


def test_overlapping_cohorts_are_not_both_used(shared, script):
    pairs = pd.read_csv(shared / "data" / "overlaps.tsv", sep="\t")
    used = set(script["COHORTS"])
    for pair in pairs.itertuples():
        assert not {pair.cohort_a, pair.cohort_b} <= used
    every = pd.read_csv(shared / "data" / "cohorts.tsv", sep="\t")
    treated = set(every.loc[every["kind"].str.startswith("ICI"), "cohort_id"])
    assert treated == used | set(script["LEFT_OUT"])
