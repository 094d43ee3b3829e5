"""Fixtures that the tests of this folder share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from deconvolve_tools import (
    drawn_fractions,
    mixtures,
)


@pytest.fixture(scope="module")
def fractions() -> np.ndarray:
    return drawn_fractions()


@pytest.fixture(scope="module")
def tpm(fractions: np.ndarray) -> pd.DataFrame:
    """Noisy mixtures; the noise makes constraints bind."""
    return mixtures(fractions, noise=0.6)
