"""Where a value stands among those of a reference."""

from __future__ import annotations

import numpy as np
from scipy import special


def midrank_percentile(
    reference: np.ndarray, x: np.ndarray, place: np.ndarray | None = None
) -> np.ndarray:
    """Mid-rank percentile of each x among the finite reference values, 0 to 100.

    Parameters
    ----------
    place
        Position of each x in `reference`, -1 where it is not in it (`members`). A value that is
        in it is placed among the others.

    Examples
    --------
    >>> midrank_percentile(np.array([1.0, 2.0, 3.0]), np.array([2.0, 9.0]))
    array([ 50., 100.])
    >>> midrank_percentile(np.array([1.0, 2.0, 3.0]), np.array([3.0]), np.array([2]))
    array([100.])
    """
    known = np.isfinite(reference)
    counts = midrank_counts(reference[known], x)
    n = np.full(len(x), float(known.sum()))
    if place is not None:
        inside = place >= 0
        itself = reference[place[inside]]
        inside[inside] = np.isfinite(itself)
        itself = itself[np.isfinite(itself)]
        counts[inside] -= (itself < x[inside]) + 0.5 * (itself == x[inside])
        n[inside] -= 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(x), 100 * counts / n, np.nan)


def midrank_counts(reference: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Reference values below each x, plus half of those equal to it; 0 to n.

    Examples
    --------
    >>> midrank_counts(np.array([1.0, 2.0, 2.0, 3.0]), np.array([2.0, 9.0]))
    array([2., 4.])
    """
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, x, side="left")
    up_to = np.searchsorted(ordered, x, side="right")
    return np.asarray((below + up_to) / 2.0)


def normal_scores(counts: np.ndarray, n: int | np.ndarray) -> np.ndarray:
    """Van der Waerden scores of mid-rank counts: the normal quantile of (c + 1/2) / (n + 1)."""
    return np.asarray(special.ndtri((counts + 0.5) / (n + 1)))


def jeffreys_interval(
    counts: np.ndarray, n: int | np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Binomial interval of a percentile read in n samples, as shares of 1.

    Jeffreys' interval (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286): it stays
    inside 0 to 1 for samples beyond every reference sample.
    """
    tail = (1 - level) / 2
    a, b = counts + 0.5, n - counts + 0.5
    return (
        np.asarray(special.betaincinv(a, b, tail)),
        np.asarray(special.betaincinv(a, b, 1 - tail)),
    )
