"""U statistic with a rank cut-off (UCell, Andreatta & Carmona 2021)."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Block, SetIndex


def _ranks(block: Block, sets: SetIndex, *, max_rank: int = 1500) -> Terms:
    """Doubled ascending ranks; all beyond the cut-off count as the first one beyond it."""
    top = min(max_rank, block.n_genes)
    return Terms(block.doubled_ranks, floor=2.0 * (block.n_genes - top))


def _scale(
    block: Block, counts: np.ndarray, *, max_rank: int = 1500
) -> tuple[np.ndarray, np.ndarray]:
    top = min(max_rank, block.n_genes)
    sign = np.array([1.0, -1.0])
    descending = block.n_genes + 1
    return (
        sign / (2 * top) + 0.0 * counts,
        sign * (1 + ((counts + 1) / 2 - descending) / top),
    )


U_STATISTIC = Additive(_ranks, _scale, by_name=True)
r"""Genes ranked from the top, r = 1 the highest, ties averaged; ranks beyond the cut-off
:math:`R` (1,500, at most N) count as :math:`R + 1`. :math:`1 - (\sum r - n(n+1)/2) / (n R)`:
1 if the set's genes are the topmost, near 0 if none reaches the cut-off (Andreatta & Carmona
2021, doi:10.1016/j.csbj.2021.06.043). Down genes are subtracted."""

METHOD = Method(
    name="u_statistic",
    step="score",
    func=U_STATISTIC.score,
    detail=U_STATISTIC.detail,
    leave_one_out=U_STATISTIC.without,
    needs="any",
    kind="score",
    # Sets of more than R genes outnumber the ranks that count, and exceed 1.
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1016/j.csbj.2021.06.043",
    licence="-",
    description="Mann-Whitney U of the set's genes among the sample's topmost genes.",
)
