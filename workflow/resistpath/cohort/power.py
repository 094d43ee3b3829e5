"""What a number of samples could show: power and minimum detectable area."""

from __future__ import annotations

import numpy as np

from resistpath.cohort.permutation import smallest_p


def variance_of_area(auc: float, m: int, n: int) -> float:
    """Hanley and McNeil's variance of an area of `auc` with `m` and `n` samples.

    [A(1−A) + (m−1)(Q1−A²) + (n−1)(Q2−A²)] / (m n), Q1 = A/(2−A), Q2 = 2A²/(1+A); Radiology 1982,
    143:29, doi:10.1148/radiology.143.1.7063747. Holds for exponential scores and, to a per cent
    or two of the standard error, for normal ones.
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)
    return float(max(spread, 0.0) / (m * n))


def power(auc: float, m: int, n: int, *, alpha: float = 0.05) -> float:
    """Chance that a two-sided test at `alpha` finds an area of `auc`.

    Φ((|A − ½| − z₁₋α⁄₂ √V₀) / √V_A) with V₀ = (m+n+1)/(12 m n), the variance of the rank sum
    without association, and V_A as in `variance_of_area`. Zero where not even full separation
    gives an exact p of `alpha`.

    >>> round(power(0.75, 20, 20), 2)
    0.81
    """
    from scipy.special import ndtr, ndtri

    if m < 1 or n < 1 or smallest_p(m, n) > alpha:
        return 0.0
    null = np.sqrt((m + n + 1) / (12 * m * n))
    gap = abs(auc - 0.5) - float(ndtri(1 - alpha / 2)) * null
    spread = np.sqrt(variance_of_area(max(auc, 1 - auc), m, n))
    if spread == 0:
        return float(gap > 0)
    return float(ndtr(gap / spread))


def minimum_detectable(m: int, n: int, *, power_of: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest area above 0.5 that is found with chance `power_of`; NaN if there is none.

    >>> round(minimum_detectable(10, 39), 2)
    0.78
    >>> minimum_detectable(3, 3)
    nan
    """
    from scipy.optimize import brentq

    def short(auc: float) -> float:
        return power(auc, m, n, alpha=alpha) - power_of

    top = 1 - 1e-9
    if short(top) < 0:
        return float("nan")
    return float(brentq(short, 0.5, top, xtol=1e-10))
