"""Pooling one number over cohorts: random effects, heterogeneity, leave one out, strata.

An effect y_i with variance v_i per cohort; y_i ~ N(μ, v_i + τ²). τ² by DerSimonian and Laird
[1]_ or restricted maximum likelihood [2]_; the interval of μ by Hartung and Knapp [3]_ (default:
honest with few cohorts) or normal. The prediction interval [4]_ says where a new cohort's true
effect lies and is the one to read before trusting a readout elsewhere. Areas are pooled on the
logit scale.

References
----------
.. [1] DerSimonian and Laird 1986, Control Clin Trials 7:177, doi:10.1016/0197-2456(86)90046-2
.. [2] Viechtbauer 2005, J Educ Behav Stat 30:261, doi:10.3102/10769986030003261
.. [3] IntHout, Ioannidis and Borm 2014, BMC Med Res Methodol 14:25, doi:10.1186/1471-2288-14-25
.. [4] Higgins, Thompson and Spiegelhalter 2009, J R Stat Soc A 172:137,
   doi:10.1111/j.1467-985X.2008.00552.x
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.cohort.auc import Floats
from resistpath.cohort.power import variance_of_area

Estimator = Literal["reml", "dl", "fixed"]


@dataclass(frozen=True)
class Pooled:
    """A pooled effect.

    Attributes
    ----------
    k
        Cohorts pooled.
    effect, se, low, high, p
        μ with its interval and two-sided p against zero.
    tau2
        Variance of true effects between cohorts.
    i2
        Share of the total variation that is between cohorts, 0 to 100 %: τ²/(τ² + typical v) with
        the estimator's τ² (for ``dl`` equal to (Q − (k−1))/Q).
    q, q_p
        Cochran's Q and its p.
    predict_low, predict_high
        Interval of a new cohort's true effect; NaN below three cohorts.
    """

    k: int
    effect: float
    se: float
    low: float
    high: float
    p: float
    tau2: float
    i2: float
    q: float
    q_p: float
    predict_low: float
    predict_high: float


def pool(
    effects: npt.ArrayLike,
    variances: npt.ArrayLike,
    *,
    estimator: Estimator = "reml",
    hartung_knapp: bool = True,
    level: float = 0.95,
) -> Pooled:
    """Pool effects over cohorts.

    Parameters
    ----------
    effects, variances
        One per cohort; entries that are not finite, or whose variance is not positive, must be
        left out before.
    estimator
        ``reml``, ``dl`` or ``fixed`` (τ² = 0).
    hartung_knapp
        Interval and p from Student's t with k − 1 degrees of freedom and the observed weighted
        spread, never narrower than the t interval without it (the modification of Röver 2015).
        Needs two cohorts; otherwise normal.
    level
        Coverage of both intervals.
    """
    from scipy.stats import chi2, norm, t

    y, v = np.asarray(effects, np.float64), np.asarray(variances, np.float64)
    if y.shape != v.shape or y.ndim != 1 or not len(y):
        raise ValueError("one variance per effect, and at least one effect")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ValueError("effects must be finite and variances positive")
    k = len(y)
    q, _ = _q(y, v)
    tau2 = between(y, v, estimator)
    weight = 1 / (v + tau2)
    effect = float((weight * y).sum() / weight.sum())
    se = float(np.sqrt(1 / weight.sum()))
    use_t = hartung_knapp and k > 1
    if use_t:
        spread = float((weight * (y - effect) ** 2).sum() / (k - 1))
        se *= float(np.sqrt(max(spread, 1.0)))
    cut = float(t.ppf(0.5 + level / 2, k - 1) if use_t else norm.ppf(0.5 + level / 2))
    p = float(2 * (t.sf(abs(effect) / se, k - 1) if use_t else norm.sf(abs(effect) / se)))
    wide = float("nan")
    if k > 2:
        wide = float(t.ppf(0.5 + level / 2, k - 1)) * float(np.sqrt(tau2 + se**2))
    return Pooled(
        k,
        effect,
        se,
        effect - cut * se,
        effect + cut * se,
        p,
        tau2,
        100 * tau2 / (tau2 + typical_variance(v)) if k > 1 else 0.0,
        q,
        float(chi2.sf(q, k - 1)) if k > 1 else float("nan"),
        effect - wide,
        effect + wide,
    )


def typical_variance(v: Floats) -> float:
    """Higgins and Thompson's typical within-cohort variance, (k−1) Σw / ((Σw)² − Σw²), w = 1/v."""
    if len(v) < 2:
        return float(v[0])
    w = 1 / v
    return float((len(v) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum()))


def _q(y: Floats, v: Floats) -> tuple[float, Floats]:
    w = 1 / v
    return float((w * (y - (w * y).sum() / w.sum()) ** 2).sum()), w


def between(y: Floats, v: Floats, estimator: Estimator) -> float:
    """τ² of the named estimator, never below zero."""
    k = len(y)
    if k < 2 or estimator == "fixed":
        return 0.0
    q, w = _q(y, v)
    dl = max(0.0, (q - (k - 1)) / float(w.sum() - (w**2).sum() / w.sum()))
    return dl if estimator == "dl" else _reml(y, v)


def _reml(y: Floats, v: Floats) -> float:
    """Maximum of the restricted likelihood over τ² ≥ 0: the best of a grid, then Fisher scoring."""
    top = float(10 * (np.var(y) + v.max()))
    grid = np.concatenate([[0.0], np.geomspace(1e-8 * top, top, 400)])
    losses = _restricted(grid, y, v)
    best = int(np.argmin(losses))
    tau2 = _polish(float(grid[best]), y, v)
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    if not low <= tau2 <= high:
        from scipy.optimize import minimize_scalar

        found = minimize_scalar(
            lambda t: float(_restricted(np.array([t]), y, v)[0]),
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-12},
        )
        tau2 = float(found.x)
    return tau2 if tau2 > 0 and _restricted(np.array([tau2]), y, v)[0] < losses[0] else 0.0


def _restricted(tau2: Floats, y: Floats, v: Floats) -> Floats:
    """Minus the restricted log likelihood at each τ², without its constant."""
    w = 1 / (v + tau2[:, None])
    total = w.sum(axis=1)
    rest = y - ((w * y).sum(axis=1) / total)[:, None]
    spread = (w * rest**2).sum(axis=1)
    return np.asarray(0.5 * (np.log(total) - np.log(w).sum(axis=1) + spread), dtype=np.float64)


def _polish(tau2: float, y: Floats, v: Floats) -> float:
    """Fisher scoring from a close start; a minimiser alone stops at the square root of epsilon."""
    for _ in range(50):
        w = 1 / (v + tau2)
        projection = np.diag(w) - np.outer(w, w) / w.sum()
        py = projection @ y
        step = float((py @ py - np.trace(projection)) / np.sum(projection**2))
        if tau2 + step < 0:
            return tau2
        tau2 += step
        if abs(step) < 1e-14 * max(tau2, 1e-8):
            break
    return tau2


def leave_one_out(
    cohorts: list[str], effects: npt.ArrayLike, variances: npt.ArrayLike, **options: object
) -> pd.DataFrame:
    """Pooled effect without each cohort in turn; one row per cohort left out."""
    y, v = np.asarray(effects, np.float64), np.asarray(variances, np.float64)
    rows = [
        {"without": name, **asdict(pool(np.delete(y, i), np.delete(v, i), **options))}  # type: ignore[arg-type]
        for i, name in enumerate(cohorts)
        if len(cohorts) > 1
    ]
    return pd.DataFrame(rows)


def logit_area(
    auc: npt.ArrayLike, se: npt.ArrayLike, m: npt.ArrayLike, n: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Areas on the logit scale with variances, for pooling.

    The variance is (SE / (A (1 − A)))² with DeLong's SE. Where that is zero or undefined (groups
    fully separated, or a group of one) half a pair is added, A' = (A m n + ½)/(m n + 1), and
    Hanley and McNeil's variance at A' is taken, so that a small cohort with a perfect area counts
    for little instead of infinitely much.
    """
    from scipy.special import logit

    a, s = np.asarray(auc, np.float64), np.asarray(se, np.float64)
    positives, negatives = np.asarray(m, np.float64), np.asarray(n, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect, variance = logit(a), (s / (a * (1 - a))) ** 2
    pairs = positives * negatives
    odd = ~(np.isfinite(effect) & np.isfinite(variance) & (variance > 0))
    odd &= np.isfinite(a) & (pairs > 0)
    for i in np.flatnonzero(odd):
        shrunk = float((a[i] * pairs[i] + 0.5) / (pairs[i] + 1))
        spread = variance_of_area(shrunk, int(positives[i]), int(negatives[i]))
        effect[i] = logit(shrunk)
        variance[i] = spread / (shrunk * (1 - shrunk)) ** 2
    return effect, variance
