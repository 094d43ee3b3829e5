"""singscore (Foroutan 2018): mean rank between its smallest and largest possible value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Background, Block, SetIndex
from resistpath.score.kernels import compiled, segment_spreads
from resistpath.score.result import Scored


def _ranks(
    block: Block,
    sets: SetIndex,
    *,
    centre: bool = True,
    known_direction: bool = True,
    stable_genes: Sequence[str] = (),
) -> Terms:
    if len(stable_genes):
        return Terms(_among_stable(block, stable_genes))
    if known_direction:
        return Terms(block.lowest_ranks)
    if (sets.sizes[:, 1] > 0).any():
        raise UserError(
            "sets with down genes have a known direction",
            where="singscore",
            do="leave known_direction at its default",
        )
    ranks = block.lowest_ranks.astype(np.int32)
    middle = np.ceil(np.median(ranks, axis=1)).astype(np.int32)
    return Terms(np.abs(ranks - middle[:, None]))


def _among_stable(block: Block, genes: Sequence[str]) -> np.ndarray:
    """How many of the stable genes lie below each gene; genes ordered by name."""
    names = pd.Index(sorted(set(genes)))
    rows = block.genes.get_indexer(names)
    if (rows < 0).any():
        raise UserError(
            f"stable genes are not measured: {some(names[rows < 0])}", where="singscore"
        )
    values = np.take(block.values, block.order, axis=1)
    out = np.zeros(values.shape, dtype=np.int32)
    for row in rows:
        out += values > block.values[:, row, None]
    return out


def _scale(
    block: Block,
    counts: np.ndarray,
    *,
    centre: bool = True,
    known_direction: bool = True,
    stable_genes: Sequence[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    r"""Slope and offset from the bounds of a mean rank of n genes among N.

    A down gene counts by its descending rank, :math:`N + 1 - r`.
    """
    middle = 0.5 if centre and known_direction else 0.0
    if len(stable_genes):
        steps = len(set(stable_genes)) + 1
        slope = np.array([1.0, -1.0]) / steps + 0.0 * counts
        return slope, np.array([1 / steps, 1 - 1 / steps]) - middle
    total = block.n_genes
    if not known_direction:
        half = counts // 2
        lowest, highest = (half + 1) / 2, (2 * np.ceil(total / 2) - half + 1) / 2
        slope = 1 / np.where(highest > lowest, highest - lowest, np.nan)
        return slope, -lowest * slope
    width = np.where(counts < total, total - counts, np.nan).astype(np.float64)
    slope = np.array([1.0, -1.0]) / width
    return slope, (np.array([0.0, total + 1.0]) - (counts + 1) / 2) / width - middle


SINGSCORE = Additive(_ranks, _scale, by_name=True)
r"""For :math:`n` genes with mean ascending rank :math:`\bar r` among :math:`N` (ties take the
lowest rank, as in the original), :math:`(\bar r - \frac{n+1}{2}) / (N - n)`, minus 1/2 if
centred. Genes expected down enter by their descending ranks and the two parts are added
(Foroutan et al. 2018, doi:10.1186/s12859-018-2435-4). -0.5 to 0.5 for one-sided sets, -1 to 1
for pairs (0 to 1 and 0 to 2 when not centred).

Options: ``known_direction=False`` for sets whose genes may go either way: ranks become
distances from the middle rank, and nothing is centred. ``stable_genes``: ranks are counted
among these genes only, for panels that measure few genes (Bhuva et al. 2020,
doi:10.1093/nar/gkaa802)."""


def dispersion(block: Block, sets: SetIndex, *, kind: str = "mad") -> np.ndarray:
    """Spread of the ranks of each set's genes in every sample.

    Parameters
    ----------
    kind
        ``"mad"``: median absolute deviation times 1.4826; ``"iqr"``: interquartile range with
        quantiles interpolated between ranks (R's type 7).

    Returns
    -------
    numpy.ndarray
        Samples x sets, in ranks; of an up/down pair, the mean of its two sides.
    """
    if kind not in ("mad", "iqr"):
        raise UserError(f"kind must be 'mad' or 'iqr', not {kind!r}", where="singscore_dispersion")
    spread = np.empty((block.n_samples, len(sets.bounds) - 1))
    compiled(segment_spreads)(block.lowest_ranks, sets.genes, sets.bounds, kind == "iqr", spread)
    sides = spread.reshape(block.n_samples, -1, 2)
    there = sets.sides > 0
    total = np.where(there, sides, 0.0).sum(axis=-1)
    return np.where(sets.incomplete, np.nan, total / np.maximum(there.sum(axis=1), 1))


def dispersion_detail(
    block: Block, sets: SetIndex, background: Background | None, *, kind: str = "mad"
) -> Scored:
    """Spread without interval or null: it is itself the statement of uncertainty."""
    score = dispersion(block, sets, kind=kind)
    nothing = np.full(score.shape, np.nan)
    return Scored(score, nothing, np.zeros(score.shape), nothing)


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
DISPERSION = Method(
    name="singscore_dispersion",
    step="score",
    func=dispersion,
    detail=dispersion_detail,
    needs="any",
    kind="score",
    range=(0.0, np.inf),
    cohort_dependent=False,
    reference="10.1186/s12859-018-2435-4",
    licence="-",
    description="Spread of the ranks of the set's genes (MAD or IQR): do they move together?",
)
