"""Area under the ROC curve of many readouts at once: interval, tests, and what n could show.

The area (AUC) is the probability that a sample with the outcome reads higher than one without,
ties counted half: 0 to 1, 0.5 without association, above 0.5 higher with the outcome.

Intervals rest on DeLong's variance [1]_, computed from mid-ranks [2]_. The default interval is
symmetric on the logit scale and transformed back: it stays between 0 and 1, is wider towards the
middle, and near the edges covers better at small n than the plain one [3]_. ``interval="plain"``
is AUC ± z × SE clipped to 0–1, which is what R's pROC prints. DeLong's variance is zero when the
groups are fully separated and undefined when a group has one sample; an interval of no width
would be a false statement there, so Newcombe's score interval [4]_ stands in and the row says so.

References
----------
.. [1] DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837, doi:10.2307/2531595
.. [2] Sun and Xu 2014, IEEE Signal Process Lett 21:1389, doi:10.1109/LSP.2014.2337313
.. [3] Qin and Hotilovac 2008, Stat Methods Med Res 17:207, doi:10.1177/0962280207087173
.. [4] Newcombe 2006, Stat Med 25:559 (method 5), doi:10.1002/sim.2324
.. [5] Hanley and McNeil 1982, Radiology 143:29, doi:10.1148/radiology.143.1.7063747
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Interval = Literal["logit", "plain", "score"]

COLUMNS = ("n", "n_positive", "n_missing", "auc", "se", "low", "high", "interval", "note")


def areas(
    scores: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    level: float = 0.95,
    interval: Interval = "logit",
) -> pd.DataFrame:
    """AUC of each readout with its interval.

    Parameters
    ----------
    scores
        Samples x readouts. A value that is not finite counts as missing for its readout only.
    positive
        Whether each sample has the outcome; no missing values.
    level
        Coverage of the interval.
    interval
        ``logit`` (DeLong on the logit scale), ``plain`` (DeLong, clipped) or ``score``
        (Newcombe's method 5 throughout). The first two fall back on ``score`` where DeLong's
        variance is zero or undefined.

    Returns
    -------
    DataFrame
        One row per readout: n, n_positive, n_missing (samples left out for a missing value), auc,
        se (DeLong, empty where undefined), low, high, interval (the one that was used; empty
        without one), note.
    """
    from scipy.special import expit, logit, ndtri

    values, names = as_matrix(scores)
    y = outcomes(positive, len(values))
    parts = _placements(values, y)
    auc, variance = parts.auc, parts.variance
    m, n = parts.m, parts.n
    assessable = (m > 0) & (n > 0)
    z = float(ndtri(0.5 + level / 2))
    se = np.sqrt(variance)
    usable = assessable & np.isfinite(se) & (se > 0) & (auc > 0) & (auc < 1)

    low, high = np.full_like(auc, np.nan), np.full_like(auc, np.nan)
    used = np.full(len(auc), "", dtype=object)
    delong = usable & (interval != "score")
    a, s = auc[delong], se[delong]
    if interval == "logit":
        half = z * s / (a * (1 - a))
        low[delong], high[delong] = expit(logit(a) - half), expit(logit(a) + half)
    elif interval == "plain":
        low[delong], high[delong] = np.clip(a - z * s, 0, 1), np.clip(a + z * s, 0, 1)
    used[delong] = f"delong {interval}"
    for i in np.flatnonzero(assessable & ~delong):
        low[i], high[i] = score_interval(float(auc[i]), int(m[i]), int(n[i]), level=level)
        used[i] = "score"

    constant = np.array([_is_constant(column) for column in values.T], dtype=np.bool_)
    notes = [
        _note(bool(c), int(mi), int(ni), float(ai), str(u), interval)
        for c, mi, ni, ai, u in zip(constant, m, n, auc, used, strict=True)
    ]
    return pd.DataFrame(
        {
            "n": m + n,
            "n_positive": m,
            "n_missing": len(values) - m - n,
            "auc": auc,
            "se": se,
            "low": low,
            "high": high,
            "interval": used,
            "note": notes,
        },
        index=names,
    )


def _note(constant: bool, m: int, n: int, auc: float, used: str, asked: str) -> str:
    if not used:
        return "one of the two groups is empty"
    if constant:
        return "all values are equal"
    if used == "score" and asked != "score":
        why = "a group of one sample" if min(m, n) == 1 else "groups fully separated"
        return f"{why}: score interval, DeLong's variance does not apply"
    return ""


def score_interval(auc: float, m: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Newcombe's method 5: all areas that `auc` does not contradict, m and n per group.

    Solves (θ − AUC)² = z² V(θ) with V(θ) = θ(1−θ) [1 + N ((1−θ)/(2−θ) + θ/(1+θ))] / (m n) and
    N = (m + n)/2 − 1. It has width at 0 and at 1.

    >>> low, high = score_interval(1.0, 10, 10)
    >>> round(low, 3), high
    (0.8, 1.0)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    extra = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        spread = 1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (theta - auc) ** 2 - z * z * theta * (1 - theta) * spread / (m * n)

    edge = 1e-12
    low = 0.0 if auc <= edge else float(brentq(excess, 0.0, auc - edge / 2))
    high = 1.0 if auc >= 1 - edge else float(brentq(excess, auc + edge / 2, 1.0))
    return low, high


@dataclass(frozen=True)
class _Placements:
    """Mid-rank placements of each sample among the other group; NaN where it takes no part."""

    positives: Floats
    negatives: Floats
    m: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    auc: Floats
    variance: Floats


def _placements(values: Floats, y: Bools) -> _Placements:
    """AUC and DeLong's variance of each column from three rankings."""
    seen = np.isfinite(values)
    x, rest = np.where(seen, values, np.inf)[y], np.where(seen, values, np.inf)[~y]
    m, n = seen[y].sum(axis=0), seen[~y].sum(axis=0)
    together = mid_ranks(np.concatenate([x, rest]))
    with np.errstate(invalid="ignore", divide="ignore"):
        v10 = (together[: len(x)] - mid_ranks(x)) / n
        v01 = 1 - (together[len(x) :] - mid_ranks(rest)) / m
        v10[~seen[y]] = np.nan
        v01[~seen[~y]] = np.nan
        # Sums of half integers are exact, so no order of samples changes the area.
        twice = 2 * np.where(seen[y], together[: len(x)], 0.0)
        auc = (twice.sum(axis=0) - m * (m + 1.0)) / (2.0 * m * n)
        variance = _covariance(v10, v10, m) / m + _covariance(v01, v01, n) / n
    auc[(m == 0) | (n == 0)] = np.nan
    return _Placements(v10, v01, m, n, auc, variance)


def _covariance(a: Floats, b: Floats, count: npt.NDArray[np.int64]) -> Floats:
    """Sample covariance of columns over the entries that are present; NaN below two."""
    present = np.isfinite(a) & np.isfinite(b)
    # Sorted before summing: the sum then does not depend on the order of the samples.
    mean_a = np.sort(np.where(present, a, 0.0), axis=0).sum(axis=0) / count
    mean_b = np.sort(np.where(present, b, 0.0), axis=0).sum(axis=0) / count
    product = np.where(present, (a - mean_a) * (b - mean_b), 0.0)
    out = np.sort(product, axis=0).sum(axis=0) / (count - 1.0)
    return np.where(count > 1, out, np.nan)


def mid_ranks(values: Floats) -> Floats:
    """Ranks down each column, 1 = lowest, ties averaged."""
    from scipy.stats import rankdata

    if not values.size:
        return np.zeros_like(values)
    return np.asarray(rankdata(values, axis=0), dtype=np.float64)


def paired_test(
    first: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
    second: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """DeLong's test of two correlated areas, column by column.

    Parameters
    ----------
    first, second
        Samples x readouts, the same samples in the same order; the columns are paired by position
        (for example raw and residual). Samples missing in either are left out of both.
    positive
        Whether each sample has the outcome.
    level
        Coverage of the interval of the difference.

    Returns
    -------
    DataFrame
        One row per pair: n, n_positive, auc_first, auc_second, difference (second − first), low,
        high, z, p (two-sided, normal), note. p is 1 for two identical orders and empty where the
        variance is zero or undefined otherwise.
    """
    from scipy.special import ndtr, ndtri

    a, names = as_matrix(first)
    b, _ = as_matrix(second)
    if a.shape != b.shape:
        raise ValueError(f"two tables of one shape are compared, not {a.shape} and {b.shape}")
    y = outcomes(positive, len(a))
    both = np.isfinite(a) & np.isfinite(b)
    one = _placements(np.where(both, a, np.nan), y)
    two = _placements(np.where(both, b, np.nan), y)
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = (
            _covariance(one.positives, two.positives, one.m) / one.m
            + _covariance(one.negatives, two.negatives, one.n) / one.n
        )
        variance = np.maximum(one.variance + two.variance - 2 * shared, 0.0)
    difference = two.auc - one.auc
    tiny = 1e-15
    with np.errstate(invalid="ignore", divide="ignore"):
        z = difference / np.sqrt(variance)
        p = 2 * ndtr(-np.abs(z))
    flat = (variance <= tiny) & np.isfinite(difference)
    same = flat & (np.abs(difference) <= tiny)
    z[flat], p[flat] = np.nan, np.nan
    z[same], p[same] = 0.0, 1.0
    half = float(ndtri(0.5 + level / 2)) * np.sqrt(variance)
    half[flat & ~same] = np.nan
    note = np.where(np.isnan(p), "no variance to test with: a group is too small or separated", "")
    return pd.DataFrame(
        {
            "n": one.m + one.n,
            "n_positive": one.m,
            "auc_first": one.auc,
            "auc_second": two.auc,
            "difference": difference,
            "low": np.maximum(difference - half, -1.0),
            "high": np.minimum(difference + half, 1.0),
            "z": z,
            "p": p,
            "note": note,
        },
        index=names,
    )


def _is_constant(column: Floats) -> bool:
    present = column[np.isfinite(column)]
    return bool(len(present)) and bool((present == present[0]).all())


def as_matrix(
    scores: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
) -> tuple[Floats, pd.Index]:
    """Samples x readouts as numbers, and the names of the readouts."""
    if isinstance(scores, pd.Series):
        scores = scores.to_frame()
    names = scores.columns if isinstance(scores, pd.DataFrame) else None
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, None]
    return values, pd.RangeIndex(values.shape[1]) if names is None else names


def outcomes(positive: npt.ArrayLike, length: int) -> Bools:
    """`length` outcomes as true or false; anything else is refused."""
    raw = np.asarray(positive)
    if raw.shape != (length,):
        raise ValueError(f"{length} samples need as many outcomes, not {raw.shape}")
    if raw.dtype != np.bool_:
        known = pd.Series(raw).map({True: True, False: False})
        if known.isna().any():
            raise ValueError("an outcome is true or false; leave out samples where it is unknown")
        raw = known.to_numpy(dtype=np.bool_)
    return raw
