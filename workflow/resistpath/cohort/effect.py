"""How far two groups lie apart: Hedges' g and Cliff's delta, many readouts at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.cohort.auc import Floats, areas, as_matrix, outcomes


def sorted_sum(values: Floats) -> Floats:
    """Sum down the columns, missing values left out; the same for any order of the rows."""
    return np.asarray(np.sort(np.where(np.isfinite(values), values, 0.0), axis=0).sum(axis=0))


def hedges_g(
    scores: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Standardised mean difference of samples with the outcome against those without.

    d = (mean₁ − mean₀) / s with the pooled s; g = J d with the exact J = Γ(ν/2) /
    (√(ν/2) Γ((ν−1)/2)), ν = n₁ + n₀ − 2 (Hedges 1981, doi:10.3102/10769986006002107). Variance
    1/n₁ + 1/n₀ + g²/(2 (n₁ + n₀)), the large-sample form metafor's ``escalc("SMD")`` uses.

    Parameters
    ----------
    scores
        Samples x readouts; values that are not finite are left out per readout.
    positive
        Whether each sample has the outcome.
    level
        Coverage of the normal interval.

    Returns
    -------
    DataFrame
        One row per readout: g (standard deviations, positive when higher with the outcome), se,
        low, high. Empty below two samples in a group or without spread.
    """
    from scipy.special import gammaln, ndtri

    values, names = as_matrix(scores)
    y = outcomes(positive, len(values))
    one, zero = values[y], values[~y]
    m, n = np.isfinite(one).sum(axis=0), np.isfinite(zero).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_one, mean_zero = sorted_sum(one) / m, sorted_sum(zero) / n
        squares = sorted_sum((one - mean_one) ** 2) + sorted_sum((zero - mean_zero) ** 2)
        df = (m + n - 2).astype(np.float64)
        d = (mean_one - mean_zero) / np.sqrt(squares / df)
        half_df = df / 2
        g = d * np.exp(gammaln(half_df) - gammaln(half_df - 0.5)) / np.sqrt(half_df)
        se = np.sqrt(1 / m + 1 / n + g**2 / (2.0 * (m + n)))
    bad = (np.minimum(m, n) < 2) | ~np.isfinite(d)
    g[bad], se[bad] = np.nan, np.nan
    z = float(ndtri(0.5 + level / 2))
    return pd.DataFrame({"g": g, "se": se, "low": g - z * se, "high": g + z * se}, index=names)


def cliffs_delta(
    scores: pd.DataFrame | pd.Series[float] | npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """P(higher with the outcome) − P(lower), −1 to 1: 2 AUC − 1, interval included.

    Cliff 1993, doi:10.1037/0033-2909.114.3.494. Columns: delta, low, high.
    """
    area = areas(scores, positive, level=level)[["auc", "low", "high"]]
    return (2 * area - 1).rename(columns={"auc": "delta"})
