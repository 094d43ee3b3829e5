"""Checks of a cohort as tests ask for them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.quality import (
    cohort_quality,
    length_slopes,
)


def compare(tpm, lengths=None, **more):
    """Checks of a cohort of linear TPM."""
    slopes = None
    if lengths is not None:
        slopes = pd.Series(length_slopes(tpm, lengths), index=tpm.columns)
    return cohort_quality(np.log2(tpm + 1), slopes=slopes, **more)
