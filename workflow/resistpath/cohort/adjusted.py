"""Odds ratios per standard deviation of a readout, adjusted for covariates and inflammation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.cohort import design, logistic
from resistpath.cohort.auc import Floats

FEWEST_OF_A_GROUP = 3
FEW_PER_PARAMETER = 5
COLLINEAR = 0.95
"""Correlation with the covariates from which a readout's own part is not told from them."""

COLUMNS = (
    *("n", "n_positive", "odds_ratio", "low", "high", "p", "adjusted_for", "separated", "note"),
)


def odds_ratios(
    scores: pd.DataFrame,
    positive: pd.Series[bool],
    sheet: pd.DataFrame,
    covariates: list[str],
    *,
    inflammation: pd.Series[float] | None = None,
    penalty: logistic.Penalty = "firth",
    level: float = 0.95,
) -> pd.DataFrame:
    """Logistic regression of the outcome on each readout and the covariates.

    Parameters
    ----------
    scores
        Samples x readouts.
    positive
        Outcome of each sample in `scores`; no missing values.
    sheet
        Sample sheet; covariates are taken from it (see `design.build`).
    covariates
        Columns of the sheet to adjust for.
    inflammation
        T-cell-inflamed score, added as a covariate where given.
    penalty
        ``firth`` (default: finite and little biased at small n) or ``none`` (maximum likelihood;
        refuses a separated readout in words).
    level
        Coverage of the profile-likelihood interval.

    Returns
    -------
    DataFrame
        One row per readout: n, n_positive (samples with everything), odds_ratio per standard
        deviation, low, high, p (likelihood ratio), adjusted_for, separated, note. Not fitted,
        and said, with fewer than three samples in a group or when the readout is nearly a
        combination of the covariates (multiple correlation ≥ 0.95).
    """
    from threadpoolctl import threadpool_limits

    scores = scores.sort_index()
    outcome = positive.reindex(scores.index)
    extra = sheet.reindex(scores.index).copy()
    names = list(dict.fromkeys(covariates))
    if inflammation is not None:
        extra["inflammation"] = inflammation.reindex(scores.index)
        names.append("inflammation")
    base = design.build(extra, names, needed=scores.index)
    with threadpool_limits(limits=1):  # more threads would add in another order
        rows = {
            name: _one(scores[name], outcome, base, penalty, level)
            for name in map(str, scores.columns)
        }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))


def _one(
    readout: pd.Series[float],
    outcome: pd.Series[bool],
    base: design.Design,
    penalty: logistic.Penalty,
    level: float,
) -> list[object]:
    used = base.complete[np.isfinite(readout.reindex(base.complete).to_numpy(dtype=np.float64))]
    values: Floats = np.asarray(readout.reindex(used), dtype=np.float64)
    y = outcome.reindex(used).to_numpy(dtype=np.bool_)
    columns = design.varying(base.columns.reindex(used))
    others: Floats = np.asarray(columns.to_numpy(), dtype=np.float64)
    adjusted = ", ".join(base.kept) or "nothing"
    few = int(min(y.sum(), (~y).sum()))
    nan = float("nan")

    def refuse(why: str) -> list[object]:
        return [len(y), int(y.sum()), nan, nan, nan, nan, adjusted, False, f"not fitted: {why}"]

    parameters = others.shape[1] + 1
    if few < FEWEST_OF_A_GROUP:
        return refuse(f"{few} samples in the smaller group")
    if len(y) <= parameters + 1:
        return refuse(f"{parameters} parameters for {len(y)} samples")
    sd = float(values.std(ddof=1))
    if not sd > 0:
        return refuse("all values are equal")
    z: Floats = np.asarray((values - values.mean()) / sd, dtype=np.float64)
    if _multiple_correlation(z, others) >= COLLINEAR:
        return refuse("the readout is nearly a combination of the covariates")
    x = np.column_stack([np.ones(len(y)), z, others])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return refuse("covariates repeat each other in these samples")
    apart = logistic.separated(x, y)
    if apart and penalty == "none":
        return refuse("readout and covariates separate the groups; no finite maximum")
    got = logistic.profile(x, y, 1, level=level, firth=penalty == "firth")
    notes = []
    if apart:
        notes.append("groups separated by readout and covariates: Firth-penalised estimate")
    if few < FEW_PER_PARAMETER * parameters:
        notes.append(f"{parameters} parameters on {few} samples in the smaller group")
    if not got.converged:
        notes.append("did not converge")
    numbers = [float(np.exp(np.clip(v, -700, 700))) for v in (got.value, got.low, got.high)]
    return [len(y), int(y.sum()), *numbers, got.p, adjusted, apart, "; ".join(notes)]


def _multiple_correlation(z: Floats, others: Floats) -> float:
    if not others.shape[1]:
        return 0.0
    x = np.column_stack([np.ones(len(z)), others])
    fitted = x @ np.linalg.lstsq(x, z, rcond=None)[0]
    return float(np.sqrt(max(0.0, 1 - ((z - fitted) ** 2).sum() / ((z - z.mean()) ** 2).sum())))
