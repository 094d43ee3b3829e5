"""What a scoring method says about its scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scored:
    """Scores of many sets in some samples; every array is samples x sets.

    Attributes
    ----------
    score
        NaN where a set cannot be scored.
    variance
        Variance of the score; NaN where it has no interval.
    df
        Degrees of freedom of the variance; infinite where the variance is known.
    null_z
        The score among random sets of the same size and typical expression, as a z value.
    """

    score: np.ndarray
    variance: np.ndarray
    df: np.ndarray
    null_z: np.ndarray


def z_value(score: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Standardise scores by their null; NaN where the null does not vary."""
    spread = np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray((score - mean) / spread)
