"""Mean of a set's z values within the sample: above or below the sample's other genes."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Block, SetIndex
from resistpath.score.kernels import compiled, row_moments


def _moments(block: Block) -> tuple[np.ndarray, np.ndarray]:
    mean, sd = np.empty(block.n_samples), np.empty(block.n_samples)
    compiled(row_moments)(block.values, block.order, mean, sd)
    return mean, sd


def _values(block: Block, sets: SetIndex) -> Terms:
    return Terms(block.values, shift=_moments(block)[0])


def _scale(block: Block, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sd = _moments(block)[1]
    slope = np.array([1.0, -1.0]) / np.where(sd > 0, sd, np.nan)[:, None]
    return slope[:, None, :], np.zeros(2)


SAMPLE_Z = Additive(_values, _scale, by_name=False)
"""Mean over the set of (x - m) / s, with m and s the mean and standard deviation of x =
log2(TPM+1) over all genes of the sample; down genes are subtracted. The yardstick of the
Immunophenoscore (Charoentong 2017, doi:10.1016/j.celrep.2016.12.019)."""

METHOD = Method(
    name="sample_z",
    step="score",
    func=SAMPLE_Z.score,
    detail=SAMPLE_Z.detail,
    leave_one_out=SAMPLE_Z.without,
    needs="log2_tpm",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1016/j.celrep.2016.12.019",
    licence="-",
    description="Mean z value of the set's genes among all genes of the sample.",
)
