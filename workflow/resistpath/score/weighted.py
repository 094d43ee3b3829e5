"""Weighted sum of log expression, with housekeeping genes where the source has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.methods import Method
from resistpath.score.additive import Additive, Terms
from resistpath.score.data import Block, SetIndex
from resistpath.score.kernels import compiled, segment_means


def _values(block: Block, sets: SetIndex, *, housekeeping: Sequence[str] = ()) -> Terms:
    if not housekeeping:
        return Terms(block.values)
    names = block.genes
    wanted = pd.Index(sorted(set(housekeeping)))
    rows = names.get_indexer(wanted)
    if (rows < 0).any():
        missing = wanted[rows < 0]
        raise UserError(
            f"housekeeping genes are not measured: {some(missing)}",
            do="leave them out, or score without housekeeping genes",
        )
    mean = np.empty((block.n_samples, 1))
    bounds = np.array([0, len(rows)])
    plain = Terms(block.values).arguments()
    compiled(segment_means)(
        *plain, rows.astype(np.int32), np.ones(len(rows)), bounds, False, mean, np.empty((1, 1))
    )
    return Terms(block.values, shift=np.ascontiguousarray(mean[:, 0]))


def _scale(
    block: Block, counts: np.ndarray, *, housekeeping: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(counts, 1).astype(np.float64), np.zeros(1)


WEIGHTED = Additive(_values, _scale, by_name=False, weighted=True, keeps_size=True)
r""":math:`\sum_g w_g (x_g - h)`, x log2(TPM+1), h the mean of the housekeeping genes (0 without
them). Without weights, up genes count 1 and down genes -1. Used by PROGENy (Schubert 2018,
doi:10.1038/s41467-017-02391-6) and the 18-gene T-cell-inflamed profile (Ayers 2017,
doi:10.1172/JCI91190). A missing gene is missing from the sum: see the coverage."""


METHOD = Method(
    name="weighted",
    step="score",
    func=WEIGHTED.score,
    detail=WEIGHTED.detail,
    leave_one_out=WEIGHTED.without,
    needs="log2_tpm",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1038/s41467-017-02391-6",
    licence="-",
    description="Sum of weight times log2(TPM+1), optionally against housekeeping genes.",
    takes="weights",
)
