"""Permutation p of an area under the ROC curve, exact where n allows it.

Permuting labels permutes which mid-ranks belong to the outcome, so the null distribution of the
rank sum depends on the multiset of ranks only: not on the order of samples, nor on which readout
they came from. It is computed exactly by the shift algorithm (Streitberg and Röhmel 1986) up to
`EXACT_COST` additions, and by `DRAWS` random relabellings from a fixed seed beyond.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.cohort.auc import Floats, as_matrix, mid_ranks, outcomes

EXACT_COST = 2e7
"""Most additions (samples x positives x possible rank sums) spent on one exact distribution."""
DRAWS = 9999
SEED = 20_240_613
BLOCK = 500
"""Relabellings held at a time as numbers; as bits all are kept for the next readouts."""


def permutation_p(
    scores: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    exact_cost: float = EXACT_COST,
) -> pd.DataFrame:
    """Two-sided p of |AUC − 0.5| under random labels, for each readout.

    Parameters
    ----------
    scores
        Samples x readouts; values that are not finite are left out per readout.
    positive
        Whether each sample has the outcome.
    draws, seed
        Random relabellings where the exact distribution is too dear; p = (hits + 1) / (draws + 1).
    exact_cost
        See `EXACT_COST`.

    Returns
    -------
    DataFrame
        One row per readout: p (empty without both groups), method (``exact`` or
        ``monte carlo``).
    """
    values, names = as_matrix(scores)
    y = outcomes(positive, len(values))
    p = np.full(values.shape[1], np.nan)
    method = np.full(values.shape[1], "", dtype=object)
    cache: dict[tuple[int, bytes], Floats] = {}
    waiting: dict[tuple[int, int], list[tuple[int, npt.NDArray[np.int64], int]]] = {}
    for j, column in enumerate(values.T):
        seen = np.isfinite(column)
        labels = y[seen]
        m = int(labels.sum())
        if m in (0, len(labels)):
            continue
        # Twice the mid-rank is a whole number; the smaller group decides the same distance.
        twice = np.rint(2 * mid_ranks(column[seen])).astype(np.int64)
        centre = (len(twice) + 1) * m
        distance = abs(int(twice[labels].sum()) - centre)
        few = min(m, len(twice) - m)
        ordered = np.sort(twice)
        if len(twice) * few * (int(ordered[-few:].sum()) + 1) <= exact_cost:
            key = (few, ordered.tobytes())
            if key not in cache:
                cache[key] = null_of_rank_sum(ordered, few)
            p[j] = _tail(cache[key], (len(twice) + 1) * few, distance)
            method[j] = "exact"
        else:
            waiting.setdefault((len(twice), few), []).append((j, ordered, distance))
            method[j] = "monte carlo"
    for (n, few), group in waiting.items():
        ranks = np.stack([row for _, row, _ in group], axis=1).astype(np.float64)
        least = np.array([distance for _, _, distance in group])
        hits = np.zeros(len(group), dtype=np.int64)
        for bits in _relabellings(n, few, draws, seed):
            sums = np.unpackbits(bits, axis=1, count=n).astype(np.float64) @ ranks
            hits += (np.abs(sums - (n + 1) * few) >= least).sum(axis=0)
        p[[j for j, _, _ in group]] = (hits + 1) / (draws + 1)
    return pd.DataFrame({"p": p, "method": method}, index=names)


def null_of_rank_sum(scores: npt.NDArray[np.int64], m: int) -> Floats:
    """Probability of each sum of `m` whole numbers drawn from `scores` without replacement.

    >>> null_of_rank_sum(np.array([1, 2, 3]), 2).round(3).tolist()
    [0.0, 0.0, 0.0, 0.333, 0.333, 0.333]
    """
    largest = int(np.sort(scores)[-m:].sum())
    table = np.zeros((m + 1, largest + 1))
    table[0, 0] = 1.0
    for done, score in enumerate(scores.tolist()):
        # Chance that the next number is drawn, given k of `done` were: kept as probabilities so
        # that nothing overflows.
        k = np.arange(m + 1)
        take = np.clip((m - k) / (len(scores) - done), 0.0, 1.0)[:, None]
        taken = table[:-1, : largest + 1 - score] * take[:-1]
        table *= 1 - take
        table[1:, score:] += taken
    return np.asarray(table[m])


def _tail(null: Floats, centre: int, distance: int) -> float:
    far = np.abs(np.arange(len(null)) - centre) >= distance
    return float(min(1.0, null[far].sum()))


@lru_cache(maxsize=4)
def _relabellings(n: int, m: int, draws: int, seed: int) -> tuple[npt.NDArray[np.uint8], ...]:
    """`draws` random choices of `m` out of `n` positions, one per row, as bits; in blocks."""
    rng = np.random.default_rng([seed, n, m])
    blocks = []
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        order = np.argpartition(rng.random((size, n)), m - 1, axis=1)[:, :m]
        chosen = np.zeros((size, n), dtype=np.uint8)
        np.put_along_axis(chosen, order, 1, axis=1)
        blocks.append(np.packbits(chosen, axis=1))
    return tuple(blocks)


def smallest_p(m: int, n: int) -> float:
    """Smallest two-sided exact p that `m` against `n` samples without ties can give.

    >>> smallest_p(3, 3)
    0.1
    >>> smallest_p(3500, 7000)
    0.0
    """
    from scipy.special import comb

    # Whole numbers divide without overflow, however large the count is.
    return float(min(1.0, 2 / comb(m + n, m, exact=True))) if m and n else 1.0
