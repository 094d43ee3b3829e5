"""Multivariate linear model of expression on all sources of a network (decoupleR's mlm)."""

from __future__ import annotations

import numpy as np

from resistpath.errors import UserError
from resistpath.methods import Method
from resistpath.score.data import Background, Block, SetIndex
from resistpath.score.kernels import compiled, regress_together
from resistpath.score.result import Scored


def mlm(block: Block, sets: SetIndex) -> np.ndarray:
    """Activity of each source of a network, given the others.

    The sample's expression over all genes is regressed on the weights of all sources at once;
    the score is the t value of the source's coefficient (Badia-i-Mompel et al. 2022,
    doi:10.1093/bioadv/vbac016). It therefore changes with the *sets* scored together, though
    not with the samples.

    Returns
    -------
    numpy.ndarray
        Samples x sets, in t units; NaN for sets without measured genes.

    Raises
    ------
    UserError
        If two sources cannot be told apart, or there are more sources than genes.
    """
    score = np.full((block.n_samples, len(sets.sets)), np.nan)
    counts = sets.sides.sum(axis=1)
    used = np.flatnonzero(counts > 0)
    design = np.zeros((block.n_genes, len(sets.sets) + 1))
    design[:, 0] = 1.0
    design[sets.genes, np.repeat(np.arange(len(sets.sets)), counts) + 1] = sets.weights
    design = np.ascontiguousarray(design[:, [0, *(used + 1)]])
    if len(design) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        raise UserError(
            "the sources of the network cannot be told apart in these genes",
            where="mlm",
            do="remove sources with the same targets, or score with ulm",
        )
    # Of the sets alone, the same for every sample: block and threads cannot change it.
    inverse = np.linalg.inv(design.T @ design)
    found = np.empty((block.n_samples, len(used)))
    compiled(regress_together)(
        block.values, block.order, design, design @ inverse, np.diag(inverse).copy(), found
    )
    score[:, used] = np.where(np.isfinite(found), found, np.nan)
    return score


def mlm_detail(block: Block, sets: SetIndex, background: Background | None) -> Scored:
    """Scores with the model's own variance.

    A t value has variance 1 around its expectation; degrees of freedom are genes minus
    coefficients. The sources are fitted together, so no set stands alone against random
    genes: `null_z` is NaN.
    """
    score = mlm(block, sets)
    known = np.where(np.isnan(score), np.nan, 1.0)
    left = block.n_genes - 1 - int((sets.sides.sum(axis=1) > 0).sum())
    return Scored(score, known, np.full(score.shape, float(left)), np.full(score.shape, np.nan))


METHOD = Method(
    name="mlm",
    step="score",
    func=mlm,
    detail=mlm_detail,
    needs="log2_tpm",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1093/bioadv/vbac016",
    licence="-",
    description="t values of the sample's expression regressed on all sources at once.",
    takes="weights",
)
