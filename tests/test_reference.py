"""Percentiles, intervals and fit against a reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resistpath import UserError
from resistpath.io.packs import read_reference, write_reference
from resistpath.mechanisms.line import Line, Others
from resistpath.mechanisms.position import (
    ReadoutValues,
    gene_sampling_variance,
    raw_position,
    residual_position,
)
from resistpath.reference import (
    Reference,
    build_reference,
    fit_to_reference,
    jeffreys_interval,
    members,
    midrank_counts,
    midrank_percentile,
    normal_scores,
    select_samples,
    shared_universe,
)


@pytest.fixture
def reference():
    rng = np.random.default_rng(5)
    base = rng.normal(5, 2, 300)
    x = pd.DataFrame(
        base[:, None] + rng.normal(0, 0.5, (300, 30)),
        index=[f"G{i:03d}" for i in range(300)],
        columns=[f"R{i:02d}" for i in range(30)],
    )
    obs = pd.DataFrame(index=x.columns)
    return build_reference("made up", "no disease", x, pd.DataFrame(index=x.columns), obs, {})


def test_midrank_by_hand():
    ref = np.array([5.0, 1.0, 3.0, 3.0])
    np.testing.assert_array_equal(
        midrank_counts(ref, np.array([0.0, 1.0, 2.0, 3.0, 5.0, 9.0])), [0, 0.5, 1, 2, 3.5, 4]
    )


def test_reference_members_take_evenly_spaced_percentiles():
    ref = np.random.default_rng(2).normal(size=50)
    percentiles = np.sort(100 * midrank_counts(ref, ref) / 50)
    np.testing.assert_allclose(percentiles, (np.arange(50) + 0.5) * 2)


def test_jeffreys_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(11)
    n, p = 60, rng.uniform(0.02, 0.98, 20000)
    low, high = jeffreys_interval(rng.binomial(n, p).astype(float), n, 0.9)
    assert 0.88 < np.mean((low <= p) & (p <= high)) < 0.92


def test_one_pre_treatment_sample_per_patient():
    obs = pd.DataFrame(
        {
            "patient": ["p1", "p1", "p2", "p3", None, "p4"],
            "timepoint": ["pre", "pre", "on", None, "pre", "pre"],
        },
        index=list("badcef"),
    )
    chosen, left_out = select_samples(obs, {"f": "too few reads"})
    assert chosen == ["a", "c", "e"]
    assert left_out == {
        "b": "patient p1 is already there with a",
        "d": "not pre-treatment (on)",
        "f": "fails quality: too few reads",
    }


def test_a_cohort_without_pre_treatment_samples_makes_no_reference(reference):
    obs = pd.DataFrame({"timepoint": "on"}, index=reference.values.columns)
    with pytest.raises(UserError, match="no sample can serve as reference"):
        build_reference("x", "y", reference.values, reference.fractions, obs, {})


@pytest.mark.parametrize("n", [3, 4, 29, 30])
def test_correlation_without_self_equals_leaving_the_sample_out(reference, n):
    values = reference.values.iloc[:, :n].round(0)  # with many ties
    values.iloc[:, 1] = values.iloc[:, 0]
    quick = fit_to_reference(values, replace(reference, values=values))["correlation"]
    rows = values.to_numpy(dtype=float).T
    for i in {0, 1, 7 % n, n - 1}:
        median = np.median(np.delete(rows, i, axis=0), axis=0)
        expected = stats.spearmanr(rows[i], median).statistic
        assert quick.iloc[i] == pytest.approx(expected, abs=1e-12)


def test_a_sample_without_variation_does_not_fit(reference):
    flat = pd.DataFrame({"flat": 1.0}, index=reference.values.index)
    fit = fit_to_reference(flat, reference).loc["flat"]
    assert fit["correlation"] == 0
    assert not fit["fits"]


def test_another_tissue_fits_poorly(reference):
    rng = np.random.default_rng(9)
    same = reference.values["R03"]
    other = pd.Series(rng.permutation(same.to_numpy()), index=same.index)
    fit = fit_to_reference(pd.DataFrame({"same": same, "other": other}), reference)
    assert list(fit["fits"]) == [True, False]


def test_the_line_without_each_tumour_is_the_line_of_the_others():
    rng = np.random.default_rng(12)
    t, y = rng.normal(5, 1, 300), rng.normal(-2, 3, 300)
    at = np.array([299, 0, 7, 140])
    others = Others.of(t, y, at)
    alone = Others.of(t, y, at[2:3])
    ends = np.stack([y[at] - 1, y[at], y[at] + 1])
    for i, k in enumerate(at):
        rest_t, rest = np.delete(t, k), np.delete(y, k)
        line = Line.fit(rest_t, rest)
        left = line.residual(rest_t, rest)
        own = line.residual(t[[k]], y[[k]])[0]
        assert others.residual(t[at], y[at])[i] == pytest.approx(own, abs=1e-11)
        width = line.half_width(t[[k]], left, 0.9)[0]
        assert others.half_width(t[at], 0.9)[i] == pytest.approx(width, rel=1e-11)
        assert others.counts(ends)[:, i].tolist() == midrank_counts(left, ends[:, i]).tolist()
    assert alone.half_width(t[at[2:3]], 0.9)[0] == others.half_width(t[at], 0.9)[2]


def test_a_member_is_told_by_its_name_and_values(reference):
    x = reference.values[["R05", "R02", "R09"]].rename(columns={"R09": "new"})
    assert list(members(x, reference)) == [5, 2, -1]
    assert list(members(x.iloc[10:200], reference)) == [5, 2, -1]
    x.iloc[7, 1] += np.float32(1e-5)
    assert list(members(x, reference)) == [5, -1, -1]


def test_a_member_is_placed_and_fitted_as_if_it_were_left_out(reference):
    scores = np.random.default_rng(3).normal(size=30).round(1)
    t = np.random.default_rng(4).normal(size=30)
    place_ = np.arange(30)
    raw = raw_position(ReadoutValues(scores), ReadoutValues(scores), 0.9, place_)
    own = ReadoutValues(scores), ReadoutValues(scores), ReadoutValues(t), ReadoutValues(t)
    residual = residual_position(*own, 0.9, place_)
    for i in (0, 11, 29):
        rest, rest_t = np.delete(scores, i), np.delete(t, i)
        one, one_t = ReadoutValues(scores[[i]]), ReadoutValues(t[[i]])
        alone = raw_position(one, ReadoutValues(rest), 0.9)
        assert raw.percentile[i] == alone.percentile[0]
        assert raw.z[i] == alone.z[0]
        assert midrank_percentile(scores, scores, place_)[i] == alone.percentile[0]
        left = residual_position(one, ReadoutValues(rest), one_t, ReadoutValues(rest_t), 0.9)
        for end in ("percentile", "low", "high"):
            assert getattr(residual, end)[i] == pytest.approx(getattr(left, end)[0], abs=1e-9)
    few = reference.values.iloc[:, :3]
    whole = fit_to_reference(few, reference)
    for i, sample in enumerate(few):
        rest = np.delete(reference.values.to_numpy(dtype=float), i, axis=1)
        expected = stats.spearmanr(few[sample], np.median(rest, axis=1)).statistic
        assert whole.loc[sample, "correlation"] == pytest.approx(expected, abs=1e-12)


def test_fit_does_not_depend_on_the_other_samples(reference):
    x = reference.values.iloc[:, :5] + 0.1
    together = fit_to_reference(x, reference)
    alone = fit_to_reference(x[["R02"]], reference)
    pd.testing.assert_frame_equal(together.loc[["R02"]], alone, check_exact=True)


def test_the_universe_is_what_both_measured(reference):
    x = pd.DataFrame(1.0, index=["G299", "G001", "NEW"], columns=["s"])
    assert list(shared_universe(x, reference)) == ["G001", "G299"]


def test_packs_are_read_back_bit_for_bit_and_written_the_same_twice(reference, tmp_path):
    cells = pd.DataFrame({"m:T cells": np.linspace(0, 1, 30)}, index=reference.values.columns)
    pack = Reference(reference.name, "β < 3", reference.values, cells, reference.info)
    write_reference(tmp_path / "a.npz", pack)
    write_reference(tmp_path / "b.npz", pack)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_reference(tmp_path / "a.npz")
    pd.testing.assert_frame_equal(back.values, pack.values, check_exact=True, check_names=False)
    pd.testing.assert_frame_equal(back.fractions, cells, check_exact=True)
    assert (back.name, back.cancer_type, back.info) == (pack.name, pack.cancer_type, pack.info)


def test_a_file_that_is_no_pack_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(b"not a zip")
    with pytest.raises(UserError, match="not a reference pack"):
        read_reference(path)
    np.savez(path, values=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="not a reference pack"):
        read_reference(path)


def placed_in(ref, x, half):
    values = ReadoutValues(x, half=np.full(len(x), half))
    return raw_position(values, ReadoutValues(ref), 0.9)


def test_place_widens_with_the_score_and_narrows_with_the_reference():
    ref = np.linspace(-2, 2, 101)
    x = np.array([1.0])
    exact = placed_in(ref, x, 0.0)
    vague = placed_in(ref, x, 0.5)
    fewer = placed_in(ref[::5], x, 0.0)
    assert exact.percentile[0] == pytest.approx(75, abs=1)
    assert vague.low[0] < exact.low[0] < exact.percentile[0] < exact.high[0] < vague.high[0]
    assert fewer.high[0] - fewer.low[0] > exact.high[0] - exact.low[0]


def test_orientation_mirrors_the_percentile_and_swaps_the_ends():
    ref = np.linspace(0, 1, 50)
    p = placed_in(ref, np.array([0.9]), 0.1)
    m = p.oriented(-1)
    assert m.percentile[0] == pytest.approx(100 - p.percentile[0])
    assert m.low[0] == pytest.approx(100 - p.high[0])
    assert p.oriented(1) is p


def test_gene_sampling_ignores_what_all_samples_share():
    """A gene that is high in every sample moves scores, but no sample's place."""
    rng = np.random.default_rng(4)
    ref = rng.normal(size=(40, 1)) + np.zeros((40, 10)) + np.arange(10) * 100.0
    variance, _ = gene_sampling_variance(ref, ref)
    np.testing.assert_allclose(variance, 0, atol=1e-20)


def test_interval_covers_the_place_over_other_genes():
    """Scores are means of genes that follow a programme plus gene-wise noise.

    The place a sample would have with endlessly many genes lies in its 90 % interval in 85 to
    97 % of samples (the interval also allows for the reference's own sampling).
    """
    rng = np.random.default_rng(21)
    hits = []
    for _ in range(30):
        truth = rng.normal(size=100)
        genes = truth[:, None] + rng.normal(0, 1.5, (100, 12))
        total = genes.sum(axis=1)
        without = (total[:, None] - genes) / 11
        values = ReadoutValues(total / 12, without)
        placed = raw_position(values, values, 0.9)
        true_percentile = 100 * stats.norm.cdf(truth)
        hits.append((placed.low <= true_percentile) & (true_percentile <= placed.high))
    assert 0.85 < np.mean(hits) < 0.97


def test_residual_removes_inflammation():
    rng = np.random.default_rng(8)
    t = rng.normal(size=80)
    noise = rng.normal(0, 0.3, 80)
    axis = ReadoutValues(t)
    follows = ReadoutValues(2 * t + noise)
    placed = residual_position(follows, follows, axis, axis, 0.9)
    slope, intercept, *_ = stats.linregress(t, follows.scores)
    left = follows.scores - intercept - slope * t
    np.testing.assert_allclose(placed.z, normal_scores(midrank_counts(left, left), 80))
    assert abs(np.corrcoef(placed.z, t)[0, 1]) < 0.1


def test_residual_interval_is_wider_at_the_edge_of_the_line():
    rng = np.random.default_rng(8)
    t = rng.normal(size=25)
    ref, axis = ReadoutValues(t + rng.normal(0, 1, 25)), ReadoutValues(t)
    own = ReadoutValues(np.array([0.0, 6.0]))
    placed = residual_position(own, ref, ReadoutValues(np.array([0.0, 6.0])), axis, 0.9)
    width = placed.lower + placed.upper
    assert width[1] > width[0]
