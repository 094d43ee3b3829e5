"""Combined z score (Lee 2008), in a cohort or against a reference's stored moments."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.methods import Method
from resistpath.score.cohort import by_sample_name, standardised
from resistpath.score.data import ScoreData, SetIndex
from resistpath.score.kernels import compiled, segment_means


def zscore(
    data: ScoreData,
    sets: SetIndex,
    *,
    reference: pd.DataFrame | None = None,
    threads: int = 1,
) -> np.ndarray:
    r""":math:`\sum_g z_g / \sqrt n` over the set's n genes that vary; down genes enter as -z.

    z is taken over the cohort given, or from `reference` (Lee et al. 2008,
    doi:10.1371/journal.pcbi.1000217, as in GSVA).

    Parameters
    ----------
    reference
        Mean and standard deviation by gene, columns ``mean`` and ``sd`` (`cohort.moments`).
        With it a sample's score does not depend on the other samples.
    threads
        Not used: there is little to do.

    Returns
    -------
    numpy.ndarray
        Samples x sets, in standard deviations; NaN for sets without genes that vary.
    """
    rows, where = np.unique(sets.rows, return_inverse=True)
    z = np.ascontiguousarray(standardised(data, rows, reference, "zscore").T)
    varies = ~np.isnan(z).any(axis=0)
    keep = varies[where]
    whole = np.repeat(np.arange(len(sets.sets)), np.diff(sets.whole))
    sign = np.where(np.repeat(np.arange(2 * len(sets.sets)), np.diff(sets.bounds)) % 2, -1.0, 1.0)
    counts = np.bincount(whole[keep], minlength=len(sets.sets))
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    mean = np.empty((len(z), len(sets.sets)))
    nothing = np.zeros(len(z))
    compiled(segment_means)(
        z, -np.inf, nothing, where[keep], sign[keep], bounds, False, mean, mean[:1]
    )
    out = np.empty_like(mean)
    out[by_sample_name(data)] = mean * np.sqrt(counts)
    return out


METHOD = Method(
    name="zscore",
    step="score",
    func=zscore,
    needs="log2_tpm",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=True,
    reference="10.1371/journal.pcbi.1000217",
    licence="-",
    description="Sum of the genes' z values over the cohort (or a reference), over root n.",
)
