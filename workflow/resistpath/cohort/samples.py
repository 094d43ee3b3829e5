"""Which samples stand for a patient, and what was left out, so that nobody counts twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
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
    members, starts = _members(selection)
    places = values.index.get_indexer(pd.Index(members, dtype=object))
    rows = values.to_numpy(dtype=np.float64)[places]
    rows[places < 0] = np.nan
    seen = np.isfinite(rows)
    if len(starts):
        count = np.add.reduceat(seen, starts, axis=0, dtype=np.int64)
        total = np.add.reduceat(np.where(seen, rows, 0.0), starts, axis=0)
        rows = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    index = pd.Index(list(selection.groups), name="patient", dtype=object)
    return pd.DataFrame(rows, index=index, columns=values.columns)


def _members(selection: Selection) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Samples of all patients one after the other, and where each patient begins."""
    groups = selection.groups.values()
    sizes = np.array([len(names) for names in groups], dtype=np.intp)
    return [name for names in groups for name in names], np.cumsum(sizes) - sizes


def patient_sheet(selection: Selection, sheet: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """One row per patient; a column on which a patient's samples disagree becomes missing.

    Returns
    -------
    tuple
        The sheet by patient, and for each column the number of patients with a disagreement.
    """
    members, starts = _members(selection)
    patients = np.repeat(np.arange(len(starts)), np.diff([*starts, len(members)]))
    rows = sheet.loc[members]
    table: dict[str, list[object]] = {}
    conflicts = {}
    for column in rows.columns:
        texts = rows[column]
        known = (texts.notna() & (texts.astype(str).str.strip() != "")).to_numpy()
        codes, distinct = pd.factorize(texts[known])
        own = pd.DataFrame({"patient": patients[known], "code": codes}).drop_duplicates()
        once = own[~own["patient"].duplicated(keep=False)]
        cells: list[object] = [None] * len(starts)
        for patient, code in zip(once["patient"], once["code"], strict=True):
            cells[patient] = distinct[code]
        table[column] = cells
        conflicts[str(column)] = own["patient"].nunique() - len(once)
    index = pd.Index(list(selection.groups), name="patient", dtype=object)
    out = pd.DataFrame(table, index=index, columns=list(rows.columns))
    return out, {c: n for c, n in conflicts.items() if n}


def responders(sheet: pd.DataFrame, column: str = "response_binary") -> pd.Series[bool]:
    """Whether each patient responded, those with R or NR only."""
    if column not in sheet:
        return pd.Series(dtype=bool)
    words = sheet[column].astype(str).str.strip()
    known = words.isin(["R", "NR"])
    return words[known] == "R"
