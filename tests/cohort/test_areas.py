"""Areas, permutation, power, effect sizes and signed ranks against the original programs."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from cohort_statistics_tools import close

from resistpath.cohort import (
    auc,
    effect,
    multiplicity,
    paired,
    permutation,
    power,
)


@pytest.mark.parametrize("name", ["a", "b"])
def test_area_and_delong_as_proc(name, figures, small_cohort):
    got = auc.areas(small_cohort[[name]], small_cohort["positive"] == 1, interval="plain")
    row = got.loc[name]
    close(row["auc"], figures[f"auc_{name}"])
    close(row["se"] ** 2, figures[f"auc_var_{name}"])
    close(row["low"], figures[f"auc_low_{name}"])
    close(row["high"], figures[f"auc_high_{name}"])


def test_paired_delong_as_proc(figures, small_cohort):
    got = auc.paired_test(small_cohort[["a"]], small_cohort[["b"]], small_cohort["positive"] == 1)
    # pROC takes first minus second.
    close(-got["z"].iloc[0], figures["paired_z"])
    close(got["p"].iloc[0], figures["paired_p"])


def test_areas_of_many_readouts_with_ties_and_gaps_as_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    x = rng.normal(size=(41, 30)).round(1)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[3, 4] = np.inf
    y = rng.random(41) < 0.4
    got = auc.areas(x, y)
    for j, column in enumerate(x.T):
        seen = np.isfinite(column)
        assert got["auc"][j] == pytest.approx(roc_auc_score(y[seen], column[seen]), abs=1e-12)
        assert (got["n"][j], got["n_missing"][j]) == (seen.sum(), (~seen).sum())


def brute_delong(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The definition: every pair compared."""
    kernel = np.array([[(a > b) + 0.5 * (a == b) for b in x[~y]] for a in x[y]])
    rows, columns = kernel.mean(axis=1), kernel.mean(axis=0)
    return kernel.mean(), rows.var(ddof=1) / len(rows) + columns.var(ddof=1) / len(columns)


@pytest.mark.parametrize("seed", range(5))
def test_delong_variance_is_that_of_all_pairs(seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(17) < 6)
    x = rng.integers(0, 8, 17).astype(float)
    got = auc.areas(x, y).iloc[0]
    area, variance = brute_delong(x, y)
    assert (got["auc"], got["se"] ** 2) == pytest.approx((area, variance), abs=1e-12)


def test_area_does_not_depend_on_the_order_of_samples():
    rng = np.random.default_rng(5)
    x = pd.DataFrame(rng.normal(size=(33, 12)).round(2))
    y = rng.random(33) < 0.4
    order = rng.permutation(33)
    pd.testing.assert_frame_equal(
        auc.areas(x, y), auc.areas(x.iloc[order], y[order]), check_exact=True
    )
    pd.testing.assert_frame_equal(
        permutation.permutation_p(x, y, exact_cost=0),
        permutation.permutation_p(x.iloc[order], y[order], exact_cost=0),
        check_exact=True,
    )


@pytest.mark.parametrize(("scores", "area"), [([1, 2, 3, 7, 8, 9], 1.0), ([7, 8, 9, 1, 2, 3], 0.0)])
def test_full_separation_gets_an_interval_with_width(scores, area):
    got = auc.areas(np.array(scores, float), [False] * 3 + [True] * 3).iloc[0]
    assert got["auc"] == area
    assert 0.25 < got["high"] - got["low"] < 1.0
    assert got["interval"] == "score"
    assert "separated" in got["note"]


def test_score_interval_holds_its_own_equation():
    # Newcombe 2006, method 5: at both ends the squared distance is z² times the variance there.
    for area, m, n in [(0.7, 12, 20), (0.95, 5, 9), (1.0, 4, 4), (0.0, 7, 3)]:
        for end in auc.score_interval(area, m, n):
            if end in (0.0, 1.0):
                continue
            extra = (m + n) / 2 - 1
            v = end * (1 - end) * (1 + extra * ((1 - end) / (2 - end) + end / (1 + end))) / (m * n)
            close((end - area) ** 2, 1.959963984540054**2 * v)


@pytest.mark.parametrize(
    ("scores", "positive", "note"),
    [
        ([1.0, 1.0, 1.0, 1.0], [True, True, False, False], "equal"),
        ([1.0, 2.0, 3.0, 4.0], [True, False, False, False], ""),
        ([np.nan, np.nan, 3.0, 4.0], [True, True, False, False], "empty"),
    ],
)
def test_areas_that_cannot_be_had_say_so(scores, positive, note):
    got = auc.areas(np.array(scores), positive).iloc[0]
    assert note in got["note"]
    if note == "empty":
        assert np.isnan(got["auc"])
    else:
        assert got["low"] <= got["auc"] <= got["high"]


def test_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="unknown"):
        auc.areas([1.0, 2.0, 3.0], [1.0, 0.0, np.nan])


@pytest.mark.parametrize("ties", [False, True])
def test_exact_permutation_p_is_that_of_all_relabellings(ties):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 5, 10).astype(float) if ties else rng.normal(size=10)
    y = np.arange(10) < 4
    areas = []
    for chosen in combinations(range(10), 4):
        label = np.zeros(10, bool)
        label[list(chosen)] = True
        areas.append(brute_delong(x, label)[0])
    expected = np.mean(np.abs(np.array(areas) - 0.5) >= abs(brute_delong(x, y)[0] - 0.5) - 1e-12)
    got = permutation.permutation_p(x, y).iloc[0]
    assert got["method"] == "exact"
    assert got["p"] == pytest.approx(expected, abs=1e-12)


def test_exact_p_as_scipy_and_monte_carlo_near_it():
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(8)
    x = rng.normal(size=(30, 6))
    y = np.arange(30) < 9
    exact = permutation.permutation_p(x, y)["p"]
    drawn = permutation.permutation_p(x, y, exact_cost=0)
    assert set(drawn["method"]) == {"monte carlo"}
    for j in range(6):
        reference = mannwhitneyu(x[y, j], x[~y, j], method="exact").pvalue
        assert exact[j] == pytest.approx(reference, abs=1e-12)
        assert abs(drawn["p"][j] - reference) < 4 * np.sqrt(reference * (1 - reference) / 9999)


def test_power_is_what_simulation_gives():
    # Binormal scores with the area asked for; 4 standard errors of 3,000 runs plus 2 % for the
    # exponential form of the variance.
    from scipy.special import ndtri

    rng = np.random.default_rng(1)
    for m, n, area in [(12, 25, 0.75), (10, 10, 0.8)]:
        y = np.arange(m + n) < m
        x = rng.normal(size=(m + n, 3000))
        x[y] += np.sqrt(2) * ndtri(area)
        found = (permutation.permutation_p(x, y)["p"] < 0.05).mean()
        assert found == pytest.approx(power.power(area, m, n), abs=0.02 + 4 * 0.5 / np.sqrt(3000))


def test_minimum_detectable_area_has_the_power_it_states():
    for m, n in [(5, 11), (14, 13), (40, 150)]:
        least = power.minimum_detectable(m, n)
        assert power.power(least, m, n) == pytest.approx(0.8, abs=1e-6)
        assert power.power(1 - least, m, n) == pytest.approx(0.8, abs=1e-6)
    assert np.isnan(power.minimum_detectable(2, 5))


# --- multiplicity and effect sizes ---------------------------------------------------------------


def test_benjamini_hochberg_as_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(4).random(57) ** 2
    p[5] = p[9]
    expected = multipletests(p, method="fdr_bh")[1]
    np.testing.assert_allclose(multiplicity.benjamini_hochberg(p), expected, atol=1e-12)
    with_gap = multiplicity.benjamini_hochberg(np.append(p, np.nan))
    np.testing.assert_allclose(with_gap[:-1], expected, atol=1e-12)
    assert np.isnan(with_gap[-1])
    with pytest.raises(ValueError, match="outside"):
        multiplicity.benjamini_hochberg([0.1, 1.2])


def test_hedges_g_as_metafor(figures, small_cohort):
    got = effect.hedges_g(small_cohort[["a"]], small_cohort["positive"] == 1).iloc[0]
    close(got["g"], figures["hedges_g"])
    close(got["se"] ** 2, figures["hedges_v"])


def test_cliffs_delta_counts_pairs():
    x, y = np.array([1.0, 5.0, 5.0, 7.0, 2.0]), np.array([True, True, False, False, False])
    up = sum(a > b for a in x[y] for b in x[~y])
    down = sum(a < b for a in x[y] for b in x[~y])
    assert effect.cliffs_delta(x, y)["delta"].iloc[0] == pytest.approx((up - down) / 6)


# --- logistic regression -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_signed_rank_p_as_scipy(seed):
    from scipy.stats import wilcoxon

    d = np.random.default_rng(seed).normal(0.2, 1, 24)
    expected = wilcoxon(d, method="exact").pvalue
    assert paired.signed_rank_p(d) == pytest.approx(expected, abs=1e-12)


def test_signed_rank_p_with_ties_is_that_of_all_signs():
    d = np.array([1.0, -1.0, 2.0, 2.0, 2.0, -3.0, 0.0, 4.0])
    ranks = np.array([1.5, 1.5, 4.0, 4.0, 4.0, 6.0, 7.0])
    observed = abs(ranks @ np.sign(d[d != 0]))
    signs = {s for k in range(8) for s in permutations([1] * k + [-1] * (7 - k))}
    expected = np.mean([abs(ranks @ np.array(s)) >= observed - 1e-12 for s in signs])
    assert paired.signed_rank_p(d) == pytest.approx(expected, abs=1e-12)
