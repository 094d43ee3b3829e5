"""singscore (Foroutan 2018): mean rank between its smallest and largest possible value."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Block, SetIndex


def _ranks(block: Block, sets: SetIndex, *, centre: bool = True) -> Terms:
    return Terms(block.lowest_ranks)


def _scale(
    block: Block, counts: np.ndarray, *, centre: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    r"""Bring mean ranks to 0 … 1: :math:`(\bar r - (n+1)/2) / (N - n)`, minus 1/2 if centred.

    A down gene counts by its descending rank, :math:`N + 1 - r`.
    """
    total = block.n_genes
    width = np.where(counts < total, total - counts, np.nan).astype(np.float64)
    slope = np.array([1.0, -1.0]) / width
    offset = (np.array([0.0, total + 1.0]) - (counts + 1) / 2) / width
    return slope, offset - (0.5 if centre else 0.0)


SINGSCORE = Additive(_ranks, _scale, by_name=True)
r"""For :math:`n` genes with mean ascending rank :math:`\bar r` among :math:`N` (ties take the
lowest rank, as in the original), :math:`(\bar r - \frac{n+1}{2}) / (N - n)`, minus 1/2 if
centred. Genes expected down enter by their descending ranks and the two parts are added
(Foroutan et al. 2018, doi:10.1186/s12859-018-2435-4). -0.5 to 0.5 for one-sided sets, -1 to 1
for pairs (0 to 1 and 0 to 2 when not centred)."""

METHOD = Method(
    name="singscore",
    step="score",
    func=SINGSCORE.score,
    detail=SINGSCORE.detail,
    leave_one_out=SINGSCORE.without,
    needs="any",
    kind="score",
    range=(-1.0, 1.0),
    cohort_dependent=False,
    reference="10.1186/s12859-018-2435-4",
    licence="-",
    description="Mean rank of the set, centred and scaled by its bounds; up and down genes.",
)
