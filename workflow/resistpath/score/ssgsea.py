"""Single-sample gene-set enrichment (Barbie 2009) by its closed form."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.data import IndexedSet, ScoreData, take


def _ranks(data: ScoreData, ties: str) -> tuple[np.ndarray, np.ndarray]:
    if ties == "gsva":
        return data.ordered_ranks, data.ordered_positions
    if ties == "average":
        return data.average_ranks, data.average_ranks
    raise ValueError(f"ties must be 'average' or 'gsva', not {ties!r}")


def ssgsea(
    data: ScoreData, gene_set: IndexedSet, *, alpha: float = 0.25, ties: str = "average"
) -> np.ndarray:
    r"""Score one set in every sample.

    With :math:`N` genes, ascending position :math:`q_g` of gene :math:`g` (1 = lowest), set
    :math:`S` of size :math:`n` and weight :math:`w_g = R_g^{\alpha}`,

    .. math:: s = \frac{\sum_{g \in S} w_g q_g}{\sum_{g \in S} w_g}
              - \frac{N(N+1)/2 - \sum_{g \in S} q_g}{N - n}

    which equals the sum of GSVA's random walk (Barbie et al. 2009,
    doi:10.1038/nature08460), not divided by the range over the cohort.

    Parameters
    ----------
    alpha
        Exponent of the rank weight.
    ties
        ``"average"``: tied genes share their mean rank, so the order of the genes in the file
        does not matter. ``"gsva"``: as GSVA, whose truncated ranks and stable sort make
        scores depend on that order.

    Returns
    -------
    numpy.ndarray
        One score per sample, about -N to N; NaN if the set holds no or all measured genes.
    """
    n, total = len(gene_set.up), data.n_genes
    if n == 0 or n == total:
        return np.full(len(data.samples), np.nan)
    ranks, positions = _ranks(data, ties)
    weight = take(ranks, gene_set.up) ** alpha
    position = take(positions, gene_set.up)
    inside = (weight * position).sum(axis=1) / weight.sum(axis=1)
    outside = (total * (total + 1) / 2 - position.sum(axis=1)) / (total - n)
    return np.asarray(inside - outside)


def ssgsea_without_each(
    data: ScoreData, gene_set: IndexedSet, *, alpha: float = 0.25, ties: str = "average"
) -> np.ndarray:
    """Scores of the set without each of its genes: samples x genes of the set.

    Each sum loses one term; the gene left out counts among those outside the set.
    """
    n, total = len(gene_set.up), data.n_genes
    if n < 2 or n == total:
        return np.full((len(data.samples), n), np.nan)
    ranks, positions = _ranks(data, ties)
    weight = take(ranks, gene_set.up) ** alpha
    position = take(positions, gene_set.up)
    product = weight * position
    inside = (product.sum(axis=1, keepdims=True) - product) / (
        weight.sum(axis=1, keepdims=True) - weight
    )
    kept = position.sum(axis=1, keepdims=True) - position
    return np.asarray(inside - (total * (total + 1) / 2 - kept) / (total - n + 1))


METHOD = Method(
    name="ssgsea",
    step="score",
    func=ssgsea,
    leave_one_out=ssgsea_without_each,
    needs="any",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1038/nature08460",
    licence="-",
    description="Weighted rank sum of the set against the other genes, unnormalised.",
)
