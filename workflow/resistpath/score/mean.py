"""Mean log expression of a set, of one gene, and differences of two such means."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Block, SetIndex


def _values(block: Block, sets: SetIndex) -> Terms:
    return Terms(block.values)


def _plus_minus(block: Block, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([1.0, -1.0]), np.zeros(2)


MEAN = Additive(_values, _plus_minus, by_name=False)
"""Mean of the up genes' values minus that of the down genes; log2 units."""


def _record(name: str, description: str, reference: str = "-") -> Method:
    return Method(
        name=name,
        step="score",
        func=MEAN.score,
        detail=MEAN.detail,
        leave_one_out=MEAN.without,
        needs="log2_tpm",
        kind="score",
        range=(-np.inf, np.inf),
        cohort_dependent=False,
        reference=reference,
        licence="-",
        description=description,
    )


METHOD = _record("mean", "Mean log2(TPM+1) of the set's genes.", "10.1016/j.cell.2014.12.033")
GENE = _record("gene", "log2(TPM+1) of one gene.")
RATIO = _record("ratio", "Mean log2(TPM+1) of the up genes minus that of the down genes.")
