"""Linear models of a sample's expression on the weights of a network (decoupleR's ulm, mlm)."""

from __future__ import annotations

import numpy as np

from resistpath.errors import UserError
from resistpath.methods import Method
from resistpath.score.additive import Terms
from resistpath.score.data import Background, Block, SetIndex
from resistpath.score.kernels import compiled, random_sums, regress_each
from resistpath.score.result import Scored, z_value
from resistpath.score.weighted import WEIGHTED


def _fit(block: Block, sets: SetIndex, detail: bool) -> tuple[np.ndarray, np.ndarray]:
    if block.n_genes < 3:
        raise UserError("a linear model needs at least three genes", where="ulm")
    shape = (block.n_samples, len(sets.sets))
    score, variance = np.empty(shape), np.empty(shape)
    compiled(regress_each)(
        block.values, block.order, sets.rows, sets.weights, sets.whole, detail, score, variance
    )
    return score, variance


def ulm(block: Block, sets: SetIndex) -> np.ndarray:
    r"""Activity of each source of a network on its own.

    The sample's expression over all N genes is regressed on the weights of the source's
    targets, all other genes weighing 0; the score is the slope's t value
    :math:`r \sqrt{(N - 2) / (1 - r^2)}` (Badia-i-Mompel et al. 2022,
    doi:10.1093/bioadv/vbac016). Sets without weights count 1 up and -1 down.

    Returns
    -------
    numpy.ndarray
        Samples x sets, in t units; NaN for sets without measured genes or with equal weights
        on all genes, and for samples without variation.
    """
    return _fit(block, sets, False)[0]


def ulm_detail(block: Block, sets: SetIndex, background: Background | None) -> Scored:
    r"""Scores with jackknife variance over the targets, and their null.

    The null is that of :math:`\sum w x` over random genes; t grows with it, so its z value is
    that of the score.
    """
    score, variance = _fit(block, sets, True)
    n = sets.sides.sum(axis=1)
    df = np.broadcast_to(np.maximum(n - 1, 0).astype(np.float64), score.shape)
    null_z = np.full(score.shape, np.nan)
    if background is not None:
        profile = background.profile(sets.genes, sets.whole, sets.weights)
        moments = np.empty((*score.shape, 3))
        compiled(random_sums)(
            *Terms(block.values).arguments(),
            block.order,
            background.bins,
            background.counts,
            profile,
            moments,
        )
        total = WEIGHTED.score(block, sets)
        z = z_value(total, moments[..., 0], moments[..., 1], moments[..., 2])
        null_z = np.where(np.isnan(score), np.nan, z)
    return Scored(score, variance, df, null_z)


METHOD = Method(
    name="ulm",
    step="score",
    func=ulm,
    detail=ulm_detail,
    needs="log2_tpm",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1093/bioadv/vbac016",
    licence="-",
    description="t value of the sample's expression regressed on the weights of one source.",
    takes="weights",
)
