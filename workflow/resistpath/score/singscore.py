"""singscore (Foroutan 2018): mean rank between its smallest and largest possible value."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.data import IndexedSet, ScoreData, take


def _scaled(mean_rank: np.ndarray, n: int, total: int) -> np.ndarray:
    lowest, highest = (n + 1) / 2, (2 * total - n + 1) / 2
    return np.asarray((mean_rank - lowest) / (highest - lowest))


def _sides(data: ScoreData, gene_set: IndexedSet) -> list[np.ndarray]:
    up = take(data.minimum_ranks, gene_set.up)
    down = data.n_genes + 1 - take(data.minimum_ranks, gene_set.down)
    return [up, down]


def singscore(data: ScoreData, gene_set: IndexedSet, *, centre: bool = True) -> np.ndarray:
    r"""Score one set, or one up/down pair of sets, in every sample.

    For :math:`n` genes with mean ascending rank :math:`\bar r` among :math:`N` (ties take the
    lowest rank, as in the original), :math:`(\bar r - \frac{n+1}{2}) / (N - n)`, minus 1/2 if
    centred. Genes expected down enter by their descending ranks and the two parts are added
    (Foroutan et al. 2018, doi:10.1186/s12859-018-2435-4).

    Returns
    -------
    numpy.ndarray
        One score per sample: -0.5 to 0.5 for one-sided sets, -1 to 1 for pairs (0 to 1 and 0
        to 2 when not centred); NaN without measured genes.
    """
    total = data.n_genes
    parts = [
        _scaled(ranks.sum(axis=1) / ranks.shape[1], ranks.shape[1], total) - (0.5 if centre else 0)
        for ranks in _sides(data, gene_set)
        if 0 < ranks.shape[1] < total
    ]
    return np.asarray(sum(parts)) if parts else np.full(len(data.samples), np.nan)


def singscore_without_each(
    data: ScoreData, gene_set: IndexedSet, *, centre: bool = True
) -> np.ndarray:
    """Scores of the set without each of its genes: samples x genes, up before down."""
    total = data.n_genes
    full = singscore(data, gene_set, centre=centre)
    blocks = []
    for ranks in _sides(data, gene_set):
        n = ranks.shape[1]
        if n == 0:
            continue
        if n == 1 or n == total:
            blocks.append(np.full(ranks.shape, np.nan))
            continue
        whole = ranks.sum(axis=1, keepdims=True)
        part = _scaled((whole - ranks) / (n - 1), n - 1, total)
        blocks.append(full[:, None] - _scaled(whole / n, n, total) + part)
    return np.hstack(blocks) if blocks else np.empty((len(data.samples), 0))


METHOD = Method(
    name="singscore",
    step="score",
    func=singscore,
    leave_one_out=singscore_without_each,
    needs="any",
    kind="score",
    range=(-1.0, 1.0),
    cohort_dependent=False,
    reference="10.1186/s12859-018-2435-4",
    licence="-",
    description="Mean rank of the set, centred and scaled by its bounds; up and down genes.",
)
