"""The matrix that every reader must return."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from reader_tools import GENES, SAMPLES


@pytest.fixture
def frame():
    """Five genes x three samples, as every reader must return them."""
    values = np.array(
        [
            [10.5, 0.25, 1e-3],
            [0.0, 3.0, 4.125],
            [np.nan, 2.5, 7.0],
            [100.125, 200.5, 300.75],
            [1.0, 2.0, 1234567.891],
        ]
    )
    return pd.DataFrame(values, index=pd.Index(GENES, name="gene"), columns=SAMPLES)
