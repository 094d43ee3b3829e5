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


def z_value(
    score: np.ndarray, mean: np.ndarray, variance: np.ndarray, third: np.ndarray
) -> np.ndarray:
    r"""Place of scores in their null as a normal z value; NaN where the null does not vary.

    With g the skewness of the null and t the standardised score, Hall's transformation
    :math:`t - \frac g6 (t^2 - 1) + \frac{g^2}{108} t^3` takes the skewness out and never
    turns the order round (Hall 1992, J. R. Stat. Soc. B 54, 221-228).

    Parameters
    ----------
    third
        Third central moment of the null.
    """
    spread = np.sqrt(np.where(variance > 0, variance, np.nan))
    t = (score - mean) / spread
    skewness = third / (spread * spread * spread)
    return np.asarray(t - skewness / 6 * (t * t - 1) + skewness * skewness / 108 * (t * t * t))
