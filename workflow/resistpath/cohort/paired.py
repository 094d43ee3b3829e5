"""Two time points of the same patients: change, its test, and whether responders change otherwise.

The patient is the unit: several samples of one patient and time point are averaged first, and a
patient with one time point takes no part. The test is Wilcoxon's signed-rank test, exact with
ties (conditional on the observed ranks, zero changes left out). A change in a single patient is
held against the noise of a repeat biopsy, given by the caller, because two biopsies of an
unchanged tumour differ too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.cohort import samples
from resistpath.cohort.auc import Floats, areas
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.cohort.permutation import permutation_p

NOISE_Z = 1.959963984540054
"""Changes beyond this many noise standard deviations are called (5 % of unchanged ones are)."""
LARGEST_EXACT = 200

COLUMNS = (
    *("readout", "before", "after", "n_pairs", "n_up", "n_down", "median_before", "median_after"),
    *("mean_delta", "low", "high", "median_delta", "effect_dz", "p", "q", "n_responders"),
    *("interaction_auc", "interaction_low", "interaction_high", "interaction_p", "interaction_q"),
    "note",
)


def signed_rank_p(deltas: npt.ArrayLike) -> float:
    """Two-sided p of Wilcoxon's signed-rank test.

    Exact by convolution over the observed mid-ranks up to 200 changes, ties included; the normal
    approximation with the ties' own variance beyond. Zeros and missing values are left out.

    >>> signed_rank_p([1.0, 2.0, 3.0, 4.0, 5.0])
    0.0625
    """
    from scipy.special import ndtr
    from scipy.stats import rankdata

    d = np.asarray(deltas, dtype=np.float64)
    d = d[np.isfinite(d) & (d != 0)]
    if not len(d):
        return float("nan")
    twice = np.rint(2 * rankdata(np.abs(d))).astype(np.int64)
    total, up = int(twice.sum()), int(twice[d > 0].sum())
    if len(d) > LARGEST_EXACT:
        gap = abs(up - total / 2) - 1.0
        return float(2 * ndtr(-max(gap, 0.0) / np.sqrt((twice.astype(float) ** 2).sum() / 4)))
    null = np.zeros(total + 1)
    null[0] = 1.0
    for rank in twice.tolist():
        moved = null[: total + 1 - rank] / 2
        null /= 2
        null[rank:] += moved
    far = np.abs(2 * np.arange(total + 1) - total) >= abs(2 * up - total)
    return float(min(1.0, null[far].sum()))


def changes(
    values: pd.DataFrame,
    sheet: pd.DataFrame,
    *,
    before: str = "pre",
    after: str = "on",
    failed: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """Readouts before and after of the patients who have both, and why the others do not count.

    Returns
    -------
    tuple
        Patients x readouts before, the same after, and the samples left out with the reason.
    """
    one = samples.select(sheet, timepoint=before, failed=failed, present=set(values.index))
    two = samples.select(sheet, timepoint=after, failed=failed, present=set(values.index))
    both = [p for p in one.groups if p in two.groups]
    left_out = {s: r for s, r in one.left_out.items() if s in two.left_out}
    for chosen, missing in ((one, after), (two, before)):
        for patient, names in chosen.groups.items():
            if patient not in both:
                left_out |= dict.fromkeys(names, f"patient {patient} has no sample {missing}")
    first, second = samples.represent(one, values), samples.represent(two, values)
    return first.loc[both], second.loc[both], left_out


def paired_table(
    before: pd.DataFrame,
    after: pd.DataFrame,
    positive: pd.Series[bool] | None = None,
    *,
    names: tuple[str, str] = ("pre", "on"),
    level: float = 0.95,
) -> pd.DataFrame:
    """Test the change of each readout, and whether it differs by response.

    Parameters
    ----------
    before, after
        Patients x readouts, the same patients in the same order (`changes`).
    positive
        Whether each patient responded, where known.
    names
        Names of the two time points.
    level
        Coverage of both intervals.

    Returns
    -------
    DataFrame
        One row per readout: n_pairs, n_up, n_down, medians, mean_delta with Student's interval,
        median_delta, effect_dz (mean over standard deviation of the changes), p (signed rank), q;
        n_responders among the pairs with known response; interaction_auc: chance that a
        responder's change exceeds a non-responder's, with DeLong's interval, permutation p and q
        (the interaction of time and response); note. q is Benjamini-Hochberg over the readouts,
        each test apart.
    """
    from scipy.stats import t

    if not before.index.equals(after.index) or not before.columns.equals(after.columns):
        raise ValueError("before and after must hold the same patients and readouts in one order")
    delta = after - before
    values: Floats = delta.to_numpy(dtype=np.float64)
    n = np.isfinite(values).sum(axis=0)
    table = pd.DataFrame(
        {
            "readout": delta.columns.astype(str),
            "before": names[0],
            "after": names[1],
            "n_pairs": n,
            "n_up": (values > 0).sum(axis=0),
            "n_down": (values < 0).sum(axis=0),
        }
    )
    seen = delta.notna()
    table["median_before"] = before.where(seen).median().to_numpy()
    table["median_after"] = after.where(seen).median().to_numpy()
    ordered = pd.DataFrame(np.sort(values, axis=0))
    mean, sd = ordered.mean().to_numpy(), ordered.std().to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        half = t.ppf(0.5 + level / 2, np.maximum(n - 1, 1)) * sd / np.sqrt(n)
        table["mean_delta"], table["low"], table["high"] = mean, mean - half, mean + half
        table["median_delta"] = ordered.median().to_numpy()
        table["effect_dz"] = np.where(sd > 0, mean / sd, np.nan)
    table["p"] = [signed_rank_p(column) for column in values.T]
    table["q"] = benjamini_hochberg(table["p"])
    interaction = _interaction(delta, positive, level)
    table = pd.concat([table, interaction.reset_index(drop=True)], axis=1)
    table["note"] = [
        _note(int(k), int(m), positive is not None)
        for k, m in zip(n, table["n_responders"], strict=True)
    ]
    return table[list(COLUMNS)]


def _interaction(
    delta: pd.DataFrame, positive: pd.Series[bool] | None, level: float
) -> pd.DataFrame:
    known = [] if positive is None else [p for p in delta.index if p in positive.index]
    part = delta.loc[known]
    y = np.array([bool(positive[p]) for p in known] if positive is not None else [], dtype=np.bool_)
    area = areas(part, y, level=level)
    p = permutation_p(part, y)["p"]
    return pd.DataFrame(
        {
            "n_responders": area["n_positive"],
            "interaction_auc": area["auc"],
            "interaction_low": area["low"],
            "interaction_high": area["high"],
            "interaction_p": p,
            "interaction_q": benjamini_hochberg(p),
        }
    )


def _note(pairs: int, responders: int, asked: bool) -> str:
    notes = []
    if pairs < 6:
        least = 2.0 ** (1 - pairs) if pairs else 1.0
        notes.append(f"{pairs} pairs: the smallest possible p is {min(least, 1.0):.3g}")
    if asked and pairs and responders < 3:
        notes.append(f"{responders} responders among the pairs")
    return "; ".join(notes)


def replicate_noise(
    values: pd.DataFrame, sheet: pd.DataFrame, *, fewest: int = 3
) -> tuple[dict[str, float], int]:
    """Noise of two samples of one tumour, from patients with several at one time point.

    Parameters
    ----------
    values
        Samples x readouts.
    sheet
        Sample sheet.
    fewest
        Degrees of freedom (samples beyond the first of a patient and time point) below which
        there is no estimate.

    Returns
    -------
    tuple
        Per readout √2 times the pooled standard deviation within patient and time point, and the
        degrees of freedom.
    """
    total, df = pd.Series(0.0, values.columns), 0
    for when in samples.TIMEPOINTS:
        for names in samples.select(
            sheet, timepoint=when, present=set(values.index)
        ).groups.values():
            if len(names) > 1:
                part = values.loc[list(names)]
                total = total + ((part - part.mean()) ** 2).sum(min_count=2)
                df += len(names) - 1
    if df < fewest:
        return {}, df
    noise = (2 * total / df).dropna() ** 0.5
    return {str(k): float(v) for k, v in noise.items()}, df


def patient_changes(
    before: pd.DataFrame, after: pd.DataFrame, noise_sd: Mapping[str, float]
) -> pd.DataFrame:
    """Each patient's change held against the noise of two biopsies.

    Parameters
    ----------
    before, after
        Patients x readouts.
    noise_sd
        Per readout, the standard deviation of the difference between two samples of an unchanged
        tumour (√2 times that of one sample). Readouts without one get no call.

    Returns
    -------
    DataFrame
        patient, readout, delta, noise_sd, z (delta over noise_sd), call: ``up`` or ``down`` beyond
        `NOISE_Z`, ``within noise``, or ``noise unknown``.
    """
    delta = (after - before).rename_axis(index="patient").rename(columns=str).reset_index()
    table = delta.melt(id_vars="patient", var_name="readout", value_name="delta")
    table = table.dropna(subset=["delta"]).sort_values(["patient", "readout"])
    table["noise_sd"] = table["readout"].map(noise_sd).astype(float)
    table.loc[~(table["noise_sd"] > 0), "noise_sd"] = np.nan
    table["z"] = table["delta"] / table["noise_sd"]
    table["call"] = np.select(
        [table["z"].isna(), table["z"] > NOISE_Z, table["z"] < -NOISE_Z],
        ["noise unknown", "up", "down"],
        "within noise",
    )
    return table.reset_index(drop=True)
