"""Logistic and Cox regression against the original programs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohort_statistics_tools import TOLERANCE, close

from resistpath.cohort import (
    adjusted,
    design,
    logistic,
    survival,
)


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
