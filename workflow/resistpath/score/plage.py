"""PLAGE (Tomfohr 2005): the set's main direction of variation over the cohort."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.cohort import by_sample_name, standardised
from resistpath.score.data import ScoreData, SetIndex


def plage(data: ScoreData, sets: SetIndex, *, threads: int = 1) -> np.ndarray:
    """First right singular vector of the set's z values, genes x samples.

    Its sign is arbitrary in the original (Tomfohr et al. 2005,
    doi:10.1186/1471-2105-6-225); here a sample is positive where the set's genes, up minus
    down, are high on the whole.

    Parameters
    ----------
    threads
        Not used: the decompositions run one after the other.

    Returns
    -------
    numpy.ndarray
        Samples x sets; the squares of a set's scores sum to 1. NaN for sets without genes
        that vary.
    """
    rows, where = np.unique(sets.rows, return_inverse=True)
    z = standardised(data, rows, None, "plage")
    out = np.full((len(data.samples), len(sets.sets)), np.nan)
    order = by_sample_name(data)
    side = np.repeat(np.arange(2 * len(sets.sets)), np.diff(sets.bounds)) % 2
    # A decomposition per set: nothing is shared between them.
    for i in range(len(sets.sets)):
        part = sets.columns(i)
        block, sign = z[where[part]], np.where(side[part], -1.0, 1.0)
        varies = ~np.isnan(block).any(axis=1)
        if not varies.any():
            continue
        vector = np.linalg.svd(block[varies], full_matrices=False)[2][0]
        high = float((sign[varies][:, None] * block[varies]).sum(axis=0) @ vector)
        out[order, i] = vector if high >= 0 else -vector
    return out


METHOD = Method(
    name="plage",
    step="score",
    func=plage,
    needs="log2_tpm",
    kind="score",
    range=(-1.0, 1.0),
    cohort_dependent=True,
    reference="10.1186/1471-2105-6-225",
    licence="-",
    description="First right singular vector of the set's z values over the cohort.",
)
