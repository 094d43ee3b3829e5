"""compare: what goes with response, with survival and with time, in one cohort."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.cohort import leakage, paired, response, samples, survival
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.errors import UserError
from resistpath.io.files import write_json
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue, leakage_register
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.records import Catalogue
from resistpath.quality import cohort_confounding, failed_gates
from resistpath.steps import Progress, silent

COVARIATES = ("batch", "site", "prior_treatment", "purity")
AFTER = ("on", "progression", "post")
SURVIVAL = ("kind", "name", "view", *survival.COLUMNS, "q")


@dataclass(frozen=True)
class Measures:
    """What one cohort folder holds, by sample.

    Attributes
    ----------
    name
        Name of the cohort.
    sheet
        Sample sheet.
    values
        Kind (``readout``, ``mechanism``) and view (``raw``, ``residual``) to samples x columns.
        Raw readouts are scores; residual readouts and all mechanisms are percentiles in the
        reference, as `assess` gives them.
    failed
        Samples that fail quality, with the reason.
    """

    name: str
    sheet: pd.DataFrame
    values: dict[tuple[str, str], pd.DataFrame]
    failed: Mapping[str, str]
    expression: pd.DataFrame = field(repr=False)

    @property
    def inflammation(self) -> pd.Series[float]:
        """T-cell-inflamed score, raw."""
        return self.values["readout", "raw"][catalogue().inflammation]


def read_measures(folder: Path, prepared: Prepared | None = None) -> Measures:
    """Read what `prepare`, `score` and `assess` wrote; the first may be at hand already."""
    prepared = prepared or read_prepared(folder / "prepared.h5ad")
    wide = read_table(folder / "scores.wide.tsv").set_index("sample")
    wide.index = wide.index.astype(str)
    placed = read_table(
        folder / "readouts.tsv", columns=["sample", "readout", "score", "residual_percentile"]
    )
    mechanisms = read_table(
        folder / "mechanisms.tsv",
        columns=["sample", "mechanism", "percentile", "residual_percentile"],
    )

    def table(rows: pd.DataFrame, columns: str, values: str) -> pd.DataFrame:
        once = rows.drop_duplicates(["sample", columns])
        made = once.pivot(index="sample", columns=columns, values=values).astype(np.float64)
        made.index = made.index.astype(str)
        return made[list(dict.fromkeys(once[columns]))].reindex(wide.index)

    scores = table(placed, "readout", "score")
    extra = [c for c in scores if c not in wide]
    return Measures(
        folder.resolve().name,
        prepared.obs.reindex(wide.index),
        {
            ("readout", "raw"): pd.concat([wide, scores[extra]], axis=1),
            ("readout", "residual"): table(placed, "readout", "residual_percentile"),
            ("mechanism", "raw"): table(mechanisms, "mechanism", "percentile"),
            ("mechanism", "residual"): table(mechanisms, "mechanism", "residual_percentile"),
        },
        failed_gates(read_table(folder / "quality.tsv")),
        prepared.values,
    )


def check_timepoint(timepoint: str) -> None:
    """Refuse a time point that no sample sheet can have."""
    if timepoint not in samples.TIMEPOINTS:
        raise UserError(
            f"there is no time point {timepoint!r}",
            where="compare.timepoint",
            do=f"use {', '.join(samples.TIMEPOINTS)}",
        )


def select(measures: Measures, timepoint: str, replicates: samples.Rule) -> samples.Selection:
    """Patients of one time point that pass quality."""
    return samples.select(
        measures.sheet,
        timepoint=timepoint,
        failed=measures.failed,
        present=set(measures.values["readout", "raw"].index),
        rule=replicates,
    )


def associate(
    measures: Measures,
    selection: samples.Selection,
    *,
    covariates: Sequence[str],
    level: float,
    without: Collection[str] = (),
) -> pd.DataFrame:
    """Table of `resistpath.cohort.response` with q and leakage; empty without both outcomes."""
    sheet, _ = samples.patient_sheet(selection, measures.sheet)
    positive = samples.responders(sheet).drop(list(without), errors="ignore")
    if positive.nunique() < 2:
        return pd.DataFrame(columns=[*response.COLUMNS, "leakage"])
    by = {key: samples.represent(selection, v) for key, v in measures.values.items()}
    inflamed = by["readout", "raw"][catalogue().inflammation]
    present = [c for c in covariates if c in sheet]
    parts = [
        response.response_table(
            by[kind, "raw"],
            by[kind, "residual"],
            positive,
            sheet,
            covariates=present,
            inflammation=inflamed,
            kind=kind,
            level=level,
        )
        for kind in ("readout", "mechanism")
    ]
    table = response.with_q(pd.concat(parts, ignore_index=True))
    aligned = confounded(sheet.loc[positive.index])
    if aligned:
        warning = f"{', '.join(aligned)} aligned with response"
        table["note"] = ["; ".join(filter(None, [n, warning])) for n in table["note"]]
    table["leakage"] = leakage_marks(zip(table["kind"], table["name"], strict=True), measures.name)
    return table


def confounded(sheet: pd.DataFrame) -> dict[str, str]:
    """Columns aligned with response among these patients, and how."""
    found = cohort_confounding(sheet)
    warned = found[found["status"] == "warn"]
    return dict(zip(warned["variable"], warned["note"], strict=True))


def leakage_marks(rows: Iterable[tuple[str, str]], cohort: str) -> list[str]:
    """What each readout or mechanism (kind, name) owes to the cohort; empty if nothing is known.

    One that the shipped catalogue does not have is the user's.
    """
    book = catalogue()
    use = uses(book, cohort)
    known = {("readout", r.readout) for r in book.readouts}
    known |= {("mechanism", m.mechanism) for m in book.mechanisms}
    return [use.get(row, "") if row in known else leakage.OWN for row in rows]


def uses(book: Catalogue, cohort: str) -> dict[tuple[str, str], str]:
    """Gravest use of the cohort in the making of each readout, and of a mechanism's readouts.

    Returns
    -------
    dict
        Kind and name to a use of `resistpath.cohort.leakage`; only those with one.
    """
    every = {s for r in book.readouts for s in r.signatures}
    found = leakage.marks(leakage_register(), every, {cohort: ""}).set_index("score")["use"]
    out: dict[tuple[str, str], str] = {}
    order = list(leakage.USES)
    for r in book.readouts:
        own = [str(found[s]) for s in r.signatures if s in found.index]
        for key in (("readout", r.readout), ("mechanism", str(r.mechanism))):
            worst = min([*own, *([out[key]] if key in out else [])], key=order.index, default="")
            if worst:
                out[key] = worst
    return out


def follow_up(sheet: pd.DataFrame) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Time, above zero, and event of the patients for whom both are known."""
    if not {"survival_time", "survival_event"} <= set(sheet.columns):
        return pd.Series(dtype=float), pd.Series(dtype=bool)
    time = pd.to_numeric(sheet["survival_time"], errors="coerce")
    event = pd.to_numeric(sheet["survival_event"], errors="coerce")
    known = (time > 0) & event.notna()
    return time[known], event[known].astype(bool)


def survive(
    measures: Measures,
    selection: samples.Selection,
    *,
    covariates: Sequence[str],
    level: float,
    without: Collection[str] = (),
) -> pd.DataFrame:
    """Cox regression of every readout and mechanism, raw and residual; empty without follow-up."""
    sheet, _ = samples.patient_sheet(selection, measures.sheet)
    time, event = follow_up(sheet.drop(list(without), errors="ignore"))
    if time.empty:
        return pd.DataFrame(columns=list(SURVIVAL))
    present = [c for c in covariates if c in sheet]
    parts = []
    for (kind, view), values in measures.values.items():
        table = samples.represent(selection, values).dropna(axis=1, how="all")
        got = survival.cox(table, time, event, sheet, present, level=level)
        parts.append(got.assign(kind=kind, view=view, name=got.index))
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(q=benjamini_hochberg(whole["p"]))[list(SURVIVAL)]


def pairs(measures: Measures, *, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Changes from before treatment to each later time point: tests, and patient by patient."""
    tests: list[pd.DataFrame] = []
    changes: list[pd.DataFrame] = []
    everyone = samples.patients_of(measures.sheet)
    groups = {str(p): tuple(map(str, g)) for p, g in everyone.groupby(everyone).groups.items()}
    first = samples.Selection("any", "mean", groups, {})
    positive = samples.responders(samples.patient_sheet(first, measures.sheet)[0])
    for (kind, view), values in measures.values.items():
        noise, _ = paired.replicate_noise(values, measures.sheet)
        for after in AFTER:
            one, two, _ = paired.changes(
                values, measures.sheet, after=after, failed=measures.failed
            )
            if not len(one):
                continue
            got = paired.paired_table(one, two, positive, names=("pre", after), level=level)
            tests.append(got.assign(kind=kind, view=view))
            by_patient = paired.patient_changes(one, two, noise)
            changes.append(by_patient.assign(kind=kind, view=view, before="pre", after=after))
    head = ["kind", "view"]
    table = [*head, *paired.COLUMNS]
    long = [*head, *("patient", "readout", "before", "after", "delta", "noise_sd", "z", "call")]
    return (
        pd.concat(tests, ignore_index=True)[table] if tests else pd.DataFrame(columns=table),
        pd.concat(changes, ignore_index=True)[long] if changes else pd.DataFrame(columns=long),
    )


def compare(
    folder: Path,
    *,
    timepoint: str = "pre",
    covariates: Sequence[str] = COVARIATES,
    replicates: samples.Rule = "mean",
    level: float = 0.95,
    say: Progress = silent,
) -> None:
    """Write ``comparison/``: response.tsv, paired.tsv, changes.tsv, survival.tsv, summary.json."""
    check_timepoint(timepoint)
    measures = read_measures(folder)
    selection = select(measures, timepoint, replicates)
    sheet, conflicts = samples.patient_sheet(selection, measures.sheet)
    table = associate(measures, selection, covariates=covariates, level=level)
    cox = survive(measures, selection, covariates=covariates, level=level)
    tests, changes = pairs(measures, level=level)
    positive = samples.responders(sheet)
    summary: dict[str, Any] = {
        "timepoint": timepoint,
        "replicates": replicates,
        "level": level,
        **selection.counts,
        "responders": int(positive.sum()),
        "non_responders": int((~positive).sum()),
        "left_out": selection.left_out,
        "disagreements": conflicts,
        "covariates": {c: c in sheet for c in covariates},
        "confounded": confounded(sheet.loc[positive.index]) if len(positive) else {},
        "pairs": {str(after): int(part["n_pairs"].max()) for after, part in tests.groupby("after")},
    }
    out = folder / "comparison"
    out.mkdir(parents=True, exist_ok=True)
    write_table(out / "response.tsv", table)
    write_table(out / "paired.tsv", tests)
    write_table(out / "changes.tsv", changes)
    write_table(out / "survival.tsv", cox)
    write_json(out / "summary.json", summary)
    say(
        f"{summary['responders']} responders, {summary['non_responders']} non-responders of"
        f" {selection.counts['patients']} patients; {len(table)} associations,"
        f" {int((table['q'] < 0.1).sum()) if len(table) else 0} with q < 0.1"
    )
    for column, note in summary["confounded"].items():
        say(f"warning: {column}: {note}")
