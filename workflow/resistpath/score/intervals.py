"""How far a score depends on which genes happen to be in its set."""

from __future__ import annotations

import numpy as np
from scipy import special

LEVEL = 0.90


def jackknife_variance(without_each: np.ndarray) -> np.ndarray:
    r"""Jackknife variance over genes: :math:`\frac{n-1}{n} \sum_i (s_{(i)} - \bar s)^2`.

    Parameters
    ----------
    without_each
        Samples x genes of the set; the score without that gene. Columns of NaN (a gene that
        cannot be left out) are passed over.

    Returns
    -------
    numpy.ndarray
        One variance per sample; NaN with fewer than two usable genes.
    """
    usable = np.ascontiguousarray(without_each[:, ~np.isnan(without_each).any(axis=0)])
    n = usable.shape[1]
    if n < 2:
        return np.full(without_each.shape[0], np.nan)
    centred = usable - usable.sum(axis=1, keepdims=True) / n
    return np.asarray((n - 1) / n * (centred**2).sum(axis=1))


def half_width(variance: np.ndarray, df: float | np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Half-width of the two-sided t interval at `level`; infinite `df` gives the normal one."""
    distinct, which = np.unique(np.asarray(df, dtype=np.float64), return_inverse=True)
    known = np.where(distinct > 0, distinct, np.nan)
    t = np.where(
        np.isinf(known), special.ndtri((1 + level) / 2), special.stdtrit(known, (1 + level) / 2)
    )
    return np.asarray(t[which].reshape(np.shape(df)) * np.sqrt(variance))


def prior_variance(variance: np.ndarray, df: float) -> tuple[float, float]:
    """Typical variance of a set over a reference, and how many degrees of freedom it is worth.

    The moment estimator of Smyth 2004 (doi:10.2202/1544-6115.1027) on the logarithm of the
    variances of the reference samples. A two-gene set has one degree of freedom of its own;
    pooling over the reference keeps its interval from being zero or endless by chance.

    Parameters
    ----------
    variance
        One variance per reference sample, positive where known.
    df
        Degrees of freedom of each.

    Returns
    -------
    tuple
        Prior variance and its degrees of freedom (infinite if all samples agree).
    """
    known = variance[np.isfinite(variance) & (variance > 0)]
    if len(known) < 3:
        return (float(np.mean(known)) if len(known) else np.nan), 0.0
    e = np.log(known) - special.digamma(df / 2) + np.log(df / 2)
    spread = float(np.var(e, ddof=1)) - float(special.polygamma(1, df / 2))
    if spread <= 0:
        return float(np.exp(np.mean(e))), np.inf
    half = _inverse_trigamma(spread)
    return float(np.exp(np.mean(e) + special.digamma(half) - np.log(half))), 2 * half


def moderated_variance(
    variance: np.ndarray, df: float, prior: float, prior_df: float
) -> tuple[np.ndarray, float]:
    """Mix a sample's own variance with the prior in proportion to their degrees of freedom."""
    if not np.isfinite(prior):
        return variance, df
    if np.isinf(prior_df):
        return np.full_like(variance, prior), np.inf
    own = np.where(np.isfinite(variance), variance, prior)
    return (prior_df * prior + df * own) / (prior_df + df), prior_df + df


def _inverse_trigamma(y: float) -> float:
    """Solve ``trigamma(x) = y`` by Newton's method on 1/trigamma, which is nearly straight."""
    if y > 1e7:
        return 1 / np.sqrt(y)
    if y < 1e-6:
        return 1 / y
    x = 0.5 + 1 / y
    for _ in range(50):
        tri = float(special.polygamma(1, x))
        step = tri * (1 - tri / y) / float(special.polygamma(2, x))
        x += step
        if -step / x < 1e-8:
            break
    return x
