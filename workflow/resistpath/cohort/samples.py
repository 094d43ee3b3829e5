"""Which samples stand for a patient, and what was left out, so that nobody counts twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Rule = Literal["mean", "first"]
TIMEPOINTS = ("pre", "on", "progression", "post")


@dataclass(frozen=True)
class Selection:
    """Patients of one time point with the samples that stand for them.

    Attributes
    ----------
    timepoint
        Time point asked for.
    rule
        ``mean``: readouts are averaged over a patient's samples; ``first``: the first sample by
        name stands for the patient.
    groups
        Patient to samples, both sorted by name.
    left_out
        Sample to reason.
    """

    timepoint: str
    rule: Rule
    groups: dict[str, tuple[str, ...]]
    left_out: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """Figures to print: patients, samples used, patients with several samples, left out."""
        return {
            "patients": len(self.groups),
            "samples": sum(len(s) for s in self.groups.values()),
            "patients_with_several": sum(len(s) > 1 for s in self.groups.values()),
            "left_out": len(self.left_out),
        }


def patients_of(sheet: pd.DataFrame) -> pd.Series[str]:
    """Patient of each sample; a sample without one is its own patient."""
    own = pd.Series(sheet.index.astype(str), index=sheet.index, dtype=object)
    if "patient" not in sheet:
        return own
    given = sheet["patient"].astype(object)
    known = given.notna() & (given.astype(str).str.strip() != "")
    return given.astype(str).where(known, own)


def select(
    sheet: pd.DataFrame,
    *,
    timepoint: str = "pre",
    failed: Mapping[str, str] | None = None,
    present: Collection[str] | None = None,
    rule: Rule = "mean",
) -> Selection:
    """Choose the samples of one time point and group them by patient.

    Parameters
    ----------
    sheet
        Sample sheet by sample; ``patient`` and ``timepoint`` where known. An unknown time point
        counts as ``pre``.
    timepoint
        One of `TIMEPOINTS`.
    failed
        Samples that fail a quality gate, with the reason.
    present
        Samples that have readouts; all by default.
    rule
        See `Selection`.
    """
    failed = failed or {}
    patients = patients_of(sheet)
    groups: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for sample in sorted(map(str, sheet.index)):
        when = sheet["timepoint"].get(sample) if "timepoint" in sheet else None
        when = "pre" if when is None or pd.isna(when) or str(when).strip() == "" else str(when)
        if present is not None and sample not in present:
            left_out[sample] = "no readouts"
        elif sample in failed:
            left_out[sample] = f"fails quality: {failed[sample]}"
        elif when != timepoint:
            left_out[sample] = f"time point {when}"
        else:
            mates = groups.setdefault(str(patients[sample]), [])
            if mates and rule == "first":
                left_out[sample] = f"patient {patients[sample]} is already there with {mates[0]}"
            else:
                mates.append(sample)
    return Selection(timepoint, rule, {p: tuple(s) for p, s in sorted(groups.items())}, left_out)


def represent(selection: Selection, values: pd.DataFrame) -> pd.DataFrame:
    """Patients x readouts: the mean over each patient's samples, missing values left out."""
    names = list(selection.groups)
    out = np.full((len(names), values.shape[1]), np.nan)
    for i, patient in enumerate(names):
        rows = values.reindex(list(selection.groups[patient])).to_numpy(dtype=np.float64)
        seen = np.isfinite(rows)
        count = seen.sum(axis=0)
        total = np.where(seen, rows, 0.0).sum(axis=0)
        out[i] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return pd.DataFrame(out, index=pd.Index(names, name="patient"), columns=values.columns)


def patient_sheet(selection: Selection, sheet: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """One row per patient; a column on which a patient's samples disagree becomes missing.

    Returns
    -------
    tuple
        The sheet by patient, and for each column the number of patients with a disagreement.
    """
    rows, conflicts = {}, dict.fromkeys(map(str, sheet.columns), 0)
    for patient, names in selection.groups.items():
        part = sheet.loc[list(names)]
        row = {}
        for column in sheet.columns:
            seen = part[column].dropna()
            seen = seen[seen.astype(str).str.strip() != ""]
            distinct = seen.unique()
            conflicts[str(column)] += len(distinct) > 1
            row[column] = distinct[0] if len(distinct) == 1 else None
        rows[patient] = row
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(sheet.columns))
    table.index.name = "patient"
    return table, {c: n for c, n in conflicts.items() if n}


def responders(sheet: pd.DataFrame, column: str = "response_binary") -> pd.Series[bool]:
    """Whether each patient responded, those with R or NR only."""
    if column not in sheet:
        return pd.Series(dtype=bool)
    words = sheet[column].astype(str).str.strip()
    known = words.isin(["R", "NR"])
    return words[known] == "R"
