"""Mann-Whitney z: the set's rank sum against that of random genes of the same sample."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Block, SetIndex
from resistpath.score.kernels import compiled, sums_of_squares


def _ranks(block: Block, sets: SetIndex) -> Terms:
    return Terms(block.doubled_ranks)


def _scale(block: Block, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Standardise by the exact mean and variance of a rank sum, ties included.

    With :math:`s^2` the variance of the sample's ranks (N - 1 in the denominator), n random
    genes have a mean rank of variance :math:`s^2 (N - n) / (n N)`.
    """
    total = block.n_genes
    # Sums of whole numbers: exact, so that their order cannot matter.
    squares = np.empty(block.n_samples, dtype=np.int64)
    compiled(sums_of_squares)(block.doubled_ranks, squares)
    square = squares / 4.0 - total * (total + 1.0) ** 2 / 4.0
    rank_variance = np.where(square > 0, square, np.nan) / (total - 1)
    spread = rank_variance[:, None, None] * (total - counts) / (np.maximum(counts, 1) * total)
    slope = np.array([1.0, -1.0]) / np.sqrt(np.where(spread > 0, spread, np.nan))
    # Two sides add up to variance 2: each counts 1 / sqrt(2) where a set has both.
    both = np.asarray((counts > 0).all(axis=1))
    slope = np.where(both[:, None], slope / np.sqrt(2.0), slope)
    # The terms are twice the ranks.
    return slope / 2, -slope * (total + 1) / 2


RANK_Z = Additive(_ranks, _scale, by_name=True, keeps_size=True)
r""":math:`z = (\bar r - (N+1)/2) / \sqrt{s^2 (N-n)/(nN)}`, ties averaged; standard normal for
random genes of the sample (Mann & Whitney 1947, doi:10.1214/aoms/1177730491). With down genes:
:math:`(z_{up} - z_{down}) / \sqrt 2`."""

METHOD = Method(
    name="rank_z",
    step="score",
    func=RANK_Z.score,
    detail=RANK_Z.detail,
    leave_one_out=RANK_Z.without,
    needs="any",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1214/aoms/1177730491",
    licence="-",
    description="Mann-Whitney z of the set's genes against the other genes of the sample.",
)
