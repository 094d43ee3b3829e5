"""Single-sample gene-set enrichment (Barbie 2009) by its closed form."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from resistpath.errors import UserError
from resistpath.methods import Method
from resistpath.score.data import Background, Block, SetIndex
from resistpath.score.kernels import compiled, ssgsea_null, ssgsea_sums, ssgsea_without
from resistpath.score.result import Scored, z_value


def _ranks(block: Block, ties: str) -> tuple[np.ndarray, np.ndarray]:
    """Ranks that give the weight and the places of the walk, both doubled."""
    if ties == "average":
        return block.doubled_ranks, block.doubled_ranks
    if ties == "gsva":
        return block.doubled_ranks // 2 * 2, 2 * block.file_positions
    raise UserError(f"ties must be 'average' or 'gsva', not {ties!r}", where="ssgsea")


@lru_cache(maxsize=4)
def _weights(n_genes: int, alpha: float) -> np.ndarray:
    """Weight of each doubled rank."""
    return np.asarray((np.arange(2 * n_genes + 1) / 2) ** alpha)


def _up_side(sets: SetIndex) -> tuple[np.ndarray, np.ndarray]:
    """Genes and bounds of the up sides alone: ssgsea knows no down genes."""
    sides = np.repeat(np.arange(2 * len(sets.sets)), np.diff(sets.bounds))
    counts = sets.sides[:, 0]
    return sets.genes[sides % 2 == 0], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _sums(
    block: Block, sets: SetIndex, alpha: float, ties: str, detail: bool
) -> tuple[np.ndarray, np.ndarray]:
    ranks, places = _ranks(block, ties)
    genes, bounds = _up_side(sets)
    score, variance = (np.empty((block.n_samples, len(sets.sets))) for _ in range(2))
    weight = _weights(block.n_genes, alpha)
    compiled(ssgsea_sums)(ranks, places, weight, genes, bounds, detail, score, variance)
    return score, variance


def ssgsea(
    block: Block, sets: SetIndex, *, alpha: float = 0.25, ties: str = "average"
) -> np.ndarray:
    r"""Score every set in every sample of a block.

    With :math:`N` genes, ascending position :math:`q_g` of gene :math:`g` (1 = lowest), set
    :math:`S` of size :math:`n` and weight :math:`w_g = R_g^{\alpha}`,

    .. math:: s = \frac{\sum_{g \in S} w_g q_g}{\sum_{g \in S} w_g}
              - \frac{N(N+1)/2 - \sum_{g \in S} q_g}{N - n}

    which equals the sum of GSVA's random walk (Barbie et al. 2009,
    doi:10.1038/nature08460), not divided by the range over the cohort. Down genes are not
    used.

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
        Samples x sets, about -N to N; NaN if the set holds no or all measured genes.
    """
    return _sums(block, sets, alpha, ties, False)[0]


def ssgsea_detail(
    block: Block,
    sets: SetIndex,
    background: Background | None,
    *,
    alpha: float = 0.25,
    ties: str = "average",
) -> Scored:
    """Scores with jackknife variance over genes, and their null by the delta method."""
    score, variance = _sums(block, sets, alpha, ties, True)
    n = sets.sides[:, 0]
    df = np.broadcast_to(np.maximum(n - 1, 0).astype(np.float64), score.shape)
    null_z = np.full(score.shape, np.nan)
    if background is not None:
        ranks, places = _ranks(block, ties)
        genes, bounds = _up_side(sets)
        profile = background.profile(genes, bounds, np.ones(len(genes)))
        moments = np.empty((*score.shape, 3))
        weight = _weights(block.n_genes, alpha)
        compiled(ssgsea_null)(
            ranks, places, weight, background.bins, background.counts, profile, n, moments
        )
        null_z = z_value(score, moments[..., 0], moments[..., 1], moments[..., 2])
    return Scored(score, variance, df, null_z)


def ssgsea_leave_one_out(
    block: Block, sets: SetIndex, *, alpha: float = 0.25, ties: str = "average"
) -> np.ndarray:
    """Scores of each set without each of its genes: samples x genes of all sets.

    Each sum loses one term; the gene left out counts among those outside the set. Down genes
    are not part of the score: NaN.
    """
    ranks, places = _ranks(block, ties)
    genes, bounds = _up_side(sets)
    left = np.empty((block.n_samples, len(genes)))
    compiled(ssgsea_without)(ranks, places, _weights(block.n_genes, alpha), genes, bounds, left)
    up = np.repeat(np.arange(2 * len(sets.sets)), np.diff(sets.bounds)) % 2 == 0
    if up.all():
        return left
    out = np.full((block.n_samples, len(sets.genes)), np.nan)
    out[:, up] = left
    return out


METHOD = Method(
    name="ssgsea",
    step="score",
    func=ssgsea,
    detail=ssgsea_detail,
    leave_one_out=ssgsea_leave_one_out,
    needs="any",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1038/nature08460",
    licence="-",
    description="Weighted rank sum of the set against the other genes, unnormalised.",
)
