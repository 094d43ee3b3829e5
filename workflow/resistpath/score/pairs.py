"""Number of gene pairs in the expected order (IMPRES and its kind)."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.data import Background, Block, SetIndex
from resistpath.score.result import Scored


def _won(block: Block, sets: SetIndex) -> np.ndarray:
    """Samples x pairs: whether the first gene lies above the second; equal is not above."""
    first = np.take(block.values, sets.pairs[:, 0], axis=1)
    return np.asarray(first > np.take(block.values, sets.pairs[:, 1], axis=1))


def _share(block: Block, sets: SetIndex) -> tuple[np.ndarray, np.ndarray]:
    """Share of each set's measured pairs that are won, and their number."""
    starts = sets.pair_bounds
    n = np.diff(starts)
    won = np.cumsum(np.pad(_won(block, sets), ((0, 0), (1, 0))), axis=1, dtype=np.int64)
    count = won[:, starts[1:]] - won[:, starts[:-1]]
    return count / np.where(n > 0, n, np.nan), n


def _sizes(sets: SetIndex) -> np.ndarray:
    return np.array([len(s.pairs) for s in sets.sets], dtype=np.float64)


def pairs(block: Block, sets: SetIndex) -> np.ndarray:
    """Number of pairs whose first gene lies above the second.

    Values are compared within the sample, so any monotone transform gives the same count. If
    some pairs are not measured, the count of the others is scaled up to all pairs.

    Returns
    -------
    numpy.ndarray
        Samples x sets, 0 to the number of pairs; NaN for sets without measured pairs.
    """
    return np.asarray(_share(block, sets)[0] * _sizes(sets))


def pairs_detail(block: Block, sets: SetIndex, background: Background | None) -> Scored:
    """Scores with the jackknife variance over pairs, :math:`p (1 - p) / (n - 1)` for a share.

    Pairs have no random sets of their own kind to stand among: `null_z` is NaN.
    """
    share, n = _share(block, sets)
    size = _sizes(sets)
    many = np.where(n > 1, n - 1, np.nan)
    variance = size**2 * share * (1 - share) / many
    df = np.broadcast_to(np.maximum(n - 1, 0).astype(np.float64), share.shape)
    return Scored(share * size, variance, df, np.full(share.shape, np.nan))


METHOD = Method(
    name="pairs",
    step="score",
    func=pairs,
    detail=pairs_detail,
    needs="any",
    kind="score",
    range=(0.0, np.inf),
    cohort_dependent=False,
    reference="10.1038/s41591-018-0157-9",
    licence="-",
    description="Number of gene pairs whose first gene is expressed above the second.",
    takes="pairs",
)
