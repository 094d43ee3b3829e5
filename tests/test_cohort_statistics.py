"""Cohort statistics against independent implementations: R's packages, scikit-learn, statsmodels.

Figures of R stand in ``tests/qc/cohort_figures.tsv`` (versions in its last line, the calls in its
third column), made by ``tests/qc/cohort_figures.R`` from ``cohort_figures_input.tsv``.
"""

from __future__ import annotations

from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resistpath.cohort import (
    adjusted,
    auc,
    design,
    effect,
    logistic,
    meta,
    multiplicity,
    paired,
    permutation,
    power,
    survival,
)

QC = Path(__file__).parent / "qc"
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    """R's figures by name."""
    table = pd.read_csv(QC / "cohort_figures.tsv", sep="\t", comment="#")
    return dict(zip(table["figure"], table["value"], strict=True))


@pytest.fixture(scope="module")
def small_cohort() -> pd.DataFrame:
    return pd.read_csv(QC / "cohort_figures_input.tsv", sep="\t", index_col="sample")


def close(value: float, expected: float) -> None:
    assert value == pytest.approx(expected, abs=TOLERANCE, rel=TOLERANCE)


# --- areas ---------------------------------------------------------------------------------------


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


def matrix(table: pd.DataFrame) -> np.ndarray:
    z = (table["a"] - table["a"].mean()) / table["a"].std()
    return np.column_stack([np.ones(len(table)), z, table["b"]])


def test_maximum_likelihood_as_glm_and_statsmodels(figures, small_cohort):
    import statsmodels.api as sm

    x, y = matrix(small_cohort), small_cohort["positive"].to_numpy() == 1
    got = logistic.fit(x, y, firth=False)
    close(got.beta[1], figures["glm_beta"])
    close(np.sqrt(got.covariance[1, 1]), figures["glm_se"])
    other = sm.Logit(y.astype(float), x).fit(disp=0)
    np.testing.assert_allclose(got.beta, other.params, atol=TOLERANCE)
    close(got.loglik, other.llf)


def penalised(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> float:
    """Firth's penalised log likelihood, written out."""
    p = 1 / (1 + np.exp(-x @ beta))
    information = sum(pi * (1 - pi) * np.outer(row, row) for pi, row in zip(p, x, strict=True))
    return float(np.log(np.where(y, p, 1 - p)).sum() + 0.5 * np.log(np.linalg.det(information)))


def test_firth_maximises_the_penalised_likelihood_and_profiles_it(small_cohort):
    from scipy.optimize import minimize
    from scipy.stats import chi2

    x, y = matrix(small_cohort), small_cohort["positive"].to_numpy() == 1
    best = minimize(lambda b: -penalised(x, y, b), np.zeros(3), options={"gtol": 1e-9})
    got = logistic.fit(x, y)
    np.testing.assert_allclose(got.beta, best.x, atol=TOLERANCE)
    close(got.loglik, -best.fun)
    line = logistic.profile(x, y, 1)

    def at(value: float) -> float:
        rest = minimize(
            lambda b: -penalised(x, y, np.array([b[0], value, b[1]])),
            best.x[[0, 2]],
            options={"gtol": 1e-9},
        )
        return float(-rest.fun)

    for end in (line.low, line.high):
        close(2 * (-best.fun - at(end)), chi2.ppf(0.95, 1))
    close(line.p, chi2.sf(2 * (-best.fun - at(0.0)), 1))


@pytest.mark.parametrize(
    ("column", "apart"),
    [
        ([1, 2, 3, 4, 5, 6], True),
        ([1, 2, 4, 4, 5, 6], True),
        ([1, 2, 5, 4, 3, 6], False),
        ([0, 0, 0, 0, 1, 1], True),
        ([0, 1, 0, 0, 1, 1], False),
    ],
)
def test_separation_is_seen(column, apart):
    x = np.column_stack([np.ones(6), column])
    assert logistic.separated(x, np.arange(6) >= 3) is apart


def odds_of(values, y, sheet, covariates, **options) -> pd.Series:
    names = [f"p{i:02d}" for i in range(len(y))]
    table = pd.DataFrame({"r": values}, index=names)
    rows = pd.DataFrame(sheet, index=names)
    return adjusted.odds_ratios(table, pd.Series(y, index=names), rows, covariates, **options).loc[
        "r"
    ]


def test_separation_is_told_without_a_programme_only_where_one_agrees(monkeypatch):
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(300):
        n, q = int(rng.integers(6, 60)), int(rng.integers(1, 5))
        kinds = rng.random(q) < 0.5
        columns = [rng.normal(size=n) if k else rng.integers(0, 2, n).astype(float) for k in kinds]
        x = np.column_stack([np.ones(n), *columns])
        y = (x[:, 1] * rng.choice([0, 1, 3, 30]) + rng.normal(size=n)) > 0
        found = logistic.separated(x, y)
        with monkeypatch.context() as patch:
            patch.setattr(logistic, "_balanced", lambda _: False)
            assert logistic.separated(x, y) is found
        scale = np.abs(x).max(axis=0)
        signed = np.where(y, 1.0, -1.0)[:, None] * (x / np.where(scale > 0, scale, 1.0))
        told += logistic._balanced(signed)
    assert told > 80


def test_separated_readout_has_a_finite_estimate_or_is_refused_in_words():
    y = np.arange(12) >= 6
    values = np.arange(12.0)
    got = odds_of(values, y, {}, [])
    assert got["separated"]
    assert "separated" in got["note"]
    assert np.isfinite(got["odds_ratio"])
    assert got["odds_ratio"] > 1 < got["low"]
    refused = odds_of(values, y, {}, [], penalty="none")
    assert "separate" in refused["note"]
    assert np.isnan(refused["odds_ratio"])


@pytest.mark.parametrize("seed", range(6))
def test_small_separated_cohorts_always_get_an_answer(seed):
    # A covariate that is the outcome, one readout, another covariate, a handful of patients.
    rng = np.random.default_rng(seed)
    n = 12 + seed
    y = rng.permutation(np.arange(n) < 5)
    x = np.column_stack([np.ones(n), rng.normal(size=n), y, rng.normal(size=n)])
    got = logistic.profile(x, y, 1)
    assert got.low < got.value < got.high
    assert np.isfinite([got.low, got.high, got.p]).all()


def test_adjustment_takes_a_confounder_away():
    rng = np.random.default_rng(2)
    site = rng.integers(0, 2, 1000)
    y = rng.random(1000) < np.where(site == 1, 0.75, 0.25)
    values = 2.0 * site + rng.normal(size=1000)
    alone = odds_of(values, y, {}, [])
    held = odds_of(values, y, {"site": np.where(site == 1, "x", "y")}, ["site"])
    assert alone["low"] > 1.5
    assert abs(np.log(held["odds_ratio"])) < 0.25 * np.log(alone["odds_ratio"])
    assert held["adjusted_for"] == "site"


def test_readout_that_is_the_inflamed_score_is_not_adjusted_for_itself():
    rng = np.random.default_rng(2)
    values = rng.normal(size=30)
    names = [f"p{i:02d}" for i in range(30)]
    got = odds_of(
        values, np.arange(30) < 12, {}, [], inflammation=pd.Series(2 * values + 1, index=names)
    )
    assert "combination of the covariates" in got["note"]
    assert np.isnan(got["p"])


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (["a"] * 8, "one value"),
        ([None] * 5 + ["a", "b", "a"], "missing in 5 of 8"),
        (list("abcdefgh"), "8 levels"),
        (["x", "x", "x", "x", "y", "y", "y", "y"], "nothing beyond"),
    ],
)
def test_covariates_that_cannot_be_used_say_why(column, reason):
    sheet = pd.DataFrame({"first": ["u"] * 4 + ["v"] * 4, "second": column}, index=list("abcdefgh"))
    got = design.build(sheet, ["first", "second", "third"], needed=sheet.index)
    assert got.kept == ("first",)
    assert reason in got.dropped["second"]
    assert "not in the sample sheet" in got.dropped["third"]


# --- survival ------------------------------------------------------------------------------------


def test_cox_as_r_survival(figures, small_cohort):
    got = survival.cox(small_cohort[["a"]], small_cohort["time"], small_cohort["event"]).loc["a"]
    close(np.log(got["hazard_ratio"]), figures["cox_beta"])
    width = np.log(got["high"]) - np.log(got["low"])
    close(width / (2 * 1.959963984540054), figures["cox_se"])
    assert (got["n"], got["n_events"]) == (36, int(small_cohort["event"].sum()))


def test_cox_with_covariates_as_statsmodels(small_cohort):
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    sheet = pd.DataFrame({"age": rng.normal(60, 9, 36)}, index=small_cohort.index)
    got = survival.cox(
        small_cohort[["a"]], small_cohort["time"], small_cohort["event"], sheet, ["age"]
    ).loc["a"]
    z = np.column_stack(
        [
            (small_cohort["a"] - small_cohort["a"].mean()) / small_cohort["a"].std(),
            (sheet["age"] - sheet["age"].mean()) / sheet["age"].std(),
        ]
    )
    other = sm.PHReg(small_cohort["time"], z, status=small_cohort["event"], ties="efron").fit()
    close(np.log(got["hazard_ratio"]), other.params[0])
    close(got["p"], other.pvalues[0])
    assert got["adjusted_for"] == "age"


def test_kaplan_meier_and_log_rank_as_r_survival(figures, small_cohort):
    time, event = small_cohort["time"], small_cohort["event"]
    curve, risk, _ = survival.kaplan_meier(time, event, ["all"] * 36)
    at = curve[curve["time"] <= 10].iloc[-1]
    close(at["survival"], figures["km_10"])
    close(at["low"], figures["km_10_low"])
    close(at["high"], figures["km_10_high"])
    assert int((time >= 10).sum()) == figures["km_10_risk"]
    for row in risk.itertuples():
        assert row.at_risk == (time >= row.time).sum()
    high = small_cohort["a"] > small_cohort["a"].median()
    close(survival.kaplan_meier(time, event, high)[2], figures["logrank_p"])


def test_hazards_that_cross_are_said_and_proportional_ones_are_not():
    rng = np.random.default_rng(6)
    n = 300
    group = np.arange(n) % 2
    steady = rng.exponential(np.where(group == 1, 5.0, 10.0))
    crossing = np.where(group == 1, rng.gamma(8, 1.0, n), rng.exponential(8.0, n))
    names = [f"p{i}" for i in range(n)]
    x = pd.DataFrame({"g": group.astype(float)}, index=names)
    seen = pd.Series(np.ones(n), index=names)
    ok = survival.cox(x, pd.Series(steady, index=names), seen).loc["g"]
    bad = survival.cox(x, pd.Series(crossing, index=names), seen).loc["g"]
    assert ok["proportionality_p"] > 0.05
    assert "changes with time" not in ok["note"]
    assert bad["proportionality_p"] < 1e-6
    assert "changes with time" in bad["note"]


def test_cox_says_when_there_is_nothing_to_fit(small_cohort):
    few = small_cohort["event"].where(np.arange(36) < 4, 0)
    got = survival.cox(small_cohort[["a"]], small_cohort["time"], few).loc["a"]
    assert "not fitted" in got["note"]
    assert np.isnan(got["hazard_ratio"])
    late = small_cohort["time"].where(np.arange(36) > 2, np.nan)
    left = survival.cox(small_cohort[["a"]], late, small_cohort["event"]).loc["a"]
    assert left["n"] == 33


# --- pooling -------------------------------------------------------------------------------------

EFFECTS = [0.42, 1.31, -0.25, 0.88, 0.05, 0.61, 1.92]
VARIANCES = [0.21, 0.35, 0.09, 0.12, 0.40, 0.06, 0.55]


@pytest.mark.parametrize("estimator", ["dl", "reml"])
@pytest.mark.parametrize("test", ["z", "adhoc"])
def test_pooling_as_metafor(estimator, test, figures):
    got = meta.pool(EFFECTS, VARIANCES, estimator=estimator, hartung_knapp=test == "adhoc")
    pairs = {
        "beta": got.effect,
        "se": got.se,
        "ci.lb": got.low,
        "ci.ub": got.high,
        "pval": got.p,
        "tau2": got.tau2,
        "I2": got.i2,
        "QE": got.q,
        "QEp": got.q_p,
    }
    if test == "adhoc":
        pairs |= {"pi.lb": got.predict_low, "pi.ub": got.predict_high}
    for name, value in pairs.items():
        close(value, figures[f"meta_{estimator.upper()}_{test}_{name}"])


def test_leave_one_out_as_metafor(figures):
    table = meta.leave_one_out(list("abcdefg"), EFFECTS, VARIANCES, estimator="dl")
    for i, value in enumerate(table["effect"], start=1):
        close(value, figures[f"without_{i}"])


@pytest.mark.parametrize("estimator", ["dl", "reml"])
def test_equal_effects_have_no_heterogeneity(estimator):
    got = meta.pool([0.5, 0.52, 0.49], [0.2, 0.1, 0.3], estimator=estimator)
    assert got.tau2 == 0
    assert got.i2 == 0
    one = meta.pool([0.5], [0.2], estimator=estimator)
    assert (one.k, one.effect, one.se) == pytest.approx((1, 0.5, np.sqrt(0.2)))
    assert np.isnan(one.predict_low)


def test_pooling_refuses_what_it_cannot_weigh():
    with pytest.raises(ValueError, match="positive"):
        meta.pool([0.5, 0.1], [0.2, 0.0])
    with pytest.raises(ValueError, match="at least one"):
        meta.pool([], [])


def test_separated_cohort_counts_for_little():
    effects, variances = meta.logit_area(
        [1.0, 0.62, 0.58], [0.0, 0.05, 0.06], [4, 40, 45], [5, 80, 60]
    )
    assert np.isfinite(effects).all()
    share = (1 / variances) / (1 / variances).sum()
    assert share[0] < 0.05
    assert effects[0] > effects[1]


# --- pairs ---------------------------------------------------------------------------------------


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
