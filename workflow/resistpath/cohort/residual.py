"""What is left of readouts after the T-cell-inflamed score, within one cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd

FEWEST = 5


def residuals_in_cohort(scores: pd.DataFrame, inflammation: pd.Series[float]) -> pd.DataFrame:
    """Residuals of each readout's least-squares line on the inflamed score, over these samples.

    Depends on the cohort. Where a reference gives residuals, those are to be used instead: they
    do not move with the company a sample is in.

    Parameters
    ----------
    scores
        Samples x readouts.
    inflammation
        T-cell-inflamed score of the same samples.

    Returns
    -------
    DataFrame
        Samples x readouts; empty columns with fewer than five complete samples, and for a readout
        that is the inflamed score itself or a line of it.
    """
    x = inflammation.reindex(scores.index).to_numpy(dtype=np.float64)
    out = np.full(scores.shape, np.nan)
    for j, name in enumerate(scores.columns):
        y = scores[name].to_numpy(dtype=np.float64)
        seen = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if len(seen) < FEWEST:
            continue
        # Sorted by value: sums, and so residuals, do not depend on the order of the samples.
        order = seen[np.lexsort((y[seen], x[seen]))]
        a, b = x[order] - x[order].mean(), y[order] - y[order].mean()
        squares = float(a @ a)
        if squares == 0:
            continue
        rest = b - (float(a @ b) / squares) * a
        if float(rest @ rest) > 1e-12 * float(b @ b):
            out[order, j] = rest
    return pd.DataFrame(out, index=scores.index, columns=scores.columns)
