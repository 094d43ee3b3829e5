"""Part of report: what `compare` and `assess` found about the whole cohort, for its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.cohort import paired, roc, samples, survival
from resistpath.errors import UserError
from resistpath.io.files import file_names, need_file
from resistpath.io.prepared import Prepared
from resistpath.io.tables import read_table
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import cohort_panels as panels
from resistpath.steps import compare, differential, embed

Record = dict[str, Any]
Key = tuple[str, str, str]
COMPARED = ("response", "paired", "survival")


def cohort_panels(folder: Path, prepared: Prepared, book: Catalogue) -> Record:
    """Panels of the cohort page, None where a step was not run or had nothing to compare."""
    order = [str(s) for s in prepared.values.columns]
    found = dict(panels.EMPTY)
    found["phenotype"] = panels.phenotype_record(_optional(folder / "phenotype.tsv"), order)
    found["concordance"] = panels.concordance_record(
        _optional(folder / "fractions.cohort_concordance.tsv")
    )
    where = folder / "comparison"
    if (where / embed.OUTPUTS[0]).is_file():
        facts = _json(where / embed.OUTPUTS[1])
        table = read_table(where / embed.OUTPUTS[0])
        found["embedding"] = panels.embedding_record(table, facts, order)
    _, sets, about = (where / name for name in differential.OUTPUTS)
    if about.is_file():
        names = panels.names_of(book, "readout")
        found["differential"] = panels.differential_record(read_table(sets), _json(about), names)
    pairs = _optional(folder / "pairs.tsv")
    patients = {
        patient: f"patients/{name}.html"
        for patient, name in file_names(dict.fromkeys(map(str, pairs.get("patient", ())))).items()
    }
    patterns = _optional(folder / "patterns.tsv")
    found["pairs"] = panels.pairs_record(pd.DataFrame(), {}, patterns, patients, None)
    tables = {name: _optional(where / f"{name}.tsv") for name in COMPARED}
    if any(map(len, tables.values())):
        measures = compare.read_measures(folder, prepared)
        for table in tables.values():
            _name_rows(table, book)
        summary = _json(where / "summary.json")
        found |= _compared(measures, tables, summary)
        if len(tables["paired"]):
            mechanisms = tables["paired"].query("kind == 'mechanism'")
            lines = _lines(tables["paired"], measures)
            level = float(summary["level"])
            found["pairs"] = panels.pairs_record(mechanisms, lines, patterns, patients, level)
    return found


def _optional(path: Path) -> pd.DataFrame:
    return read_table(path) if path.is_file() else pd.DataFrame()


def _json(path: Path) -> Record:
    path = need_file(path, "record of compare", do="run resistpath compare again")
    record: Record = json.loads(path.read_text(encoding="utf-8"))
    return record


def _name_rows(table: pd.DataFrame, book: Catalogue) -> None:
    """Add the name of each row, and the page its mechanism stands on."""
    if not len(table):
        return
    kinds = {kind: panels.names_of(book, kind) for kind in ("mechanism", "readout")}
    one = {m.mechanism for m in book.page("one")}
    shown = {"mechanism": one, "readout": {r.readout for r in book.readouts if r.mechanism in one}}
    name = "readout" if "readout" in table else "name"
    keys = list(zip(table["kind"].astype(str), table[name].astype(str), strict=True))
    table["label"] = [kinds[kind].get(key, key) for kind, key in keys]
    table["page"] = ["one" if key in shown[kind] else "more" for kind, key in keys]


def _compared(
    measures: compare.Measures, tables: dict[str, pd.DataFrame], summary: Record
) -> Record:
    """What the patients of one time point say: response and survival."""
    selection = compare.select(measures, summary["timepoint"], summary["replicates"])
    sheet, _ = samples.patient_sheet(selection, measures.sheet)
    level = float(summary["level"])
    keys = ("level", "timepoint", "patients", "responders", "non_responders", "confounded")
    about = {key: summary[key] for key in keys}
    curves = _curves(tables["response"], measures, selection, sheet)
    sizes = {
        str(n): [[float(v) for v in pair] for pair in roc.shares(n, level).round(4)]
        for n in sorted({c.count(mark) for c in curves.values() for mark in "ur"})
    }
    return {
        "response": panels.response_record(tables["response"], curves, sizes, about),
        "survival": panels.survival_record(
            tables["survival"], _survival(tables["survival"], measures, selection, sheet), level
        ),
    }


def _curves(
    table: pd.DataFrame,
    measures: compare.Measures,
    selection: samples.Selection,
    sheet: pd.DataFrame,
) -> dict[Key, str]:
    """ROC curve of page one's mechanisms and their readouts, each checked against its area."""
    if not len(table):
        return {}
    positive = samples.responders(sheet)
    out: dict[Key, str] = {}
    for (kind, view), values in measures.values.items():
        by_patient = samples.represent(selection, values).loc[positive.index]
        rows = table[(table["kind"] == kind) & (table["view"] == view) & (table["page"] == "one")]
        for name, auc in zip(rows["name"], rows["auc"], strict=True):
            curve = roc.steps(by_patient[name], positive)
            if not np.isclose(roc.area(curve), auc, rtol=0, atol=1e-9, equal_nan=True):
                raise UserError(
                    f"comparison/response.tsv does not belong to these scores ({name})",
                    where="report",
                    do="run resistpath compare again",
                )
            out[str(kind), str(name), str(view)] = curve
    return out


def _lines(table: pd.DataFrame, measures: compare.Measures) -> dict[Key, Record]:
    """Percentiles of each patient before and after, for page one's mechanisms."""
    if not len(table):
        return {}
    patients = samples.patients_of(measures.sheet)
    groups = {str(p): tuple(map(str, g)) for p, g in patients.groupby(patients).groups.items()}
    everyone = samples.Selection("any", "mean", groups, {})
    positive = samples.responders(samples.patient_sheet(everyone, measures.sheet)[0])
    out: dict[Key, Record] = {}
    shown = table[(table["kind"] == "mechanism") & (table["page"] == "one")]
    for (view, after), rows in shown.groupby(["view", "after"], sort=False):
        values = measures.values["mechanism", str(view)]
        one, two, _ = paired.changes(
            values, measures.sheet, after=str(after), failed=measures.failed
        )
        outcome = [bool(positive[p]) if p in positive.index else None for p in one.index]
        for name in rows["readout"]:
            out[str(name), str(view), str(after)] = {
                "patients": [str(p) for p in one.index],
                "before": _cells(one[name]),
                "after": _cells(two[name]),
                "responder": outcome,
            }
    return out


def _cells(values: pd.Series[float]) -> list[float | None]:
    return [float(v) if np.isfinite(v) else None for v in values.astype(float)]


def _survival(
    table: pd.DataFrame,
    measures: compare.Measures,
    selection: samples.Selection,
    sheet: pd.DataFrame,
) -> dict[tuple[str, str], Record]:
    """Kaplan-Meier curves above and below the median of page one's mechanisms."""
    if not len(table):
        return {}
    time = pd.to_numeric(sheet["survival_time"], errors="coerce")
    event = pd.to_numeric(sheet["survival_event"], errors="coerce")
    known = sheet.index[(time > 0) & np.isfinite(time) & event.notna()]
    out: dict[tuple[str, str], Record] = {}
    fitted = table[
        (table["kind"] == "mechanism") & (table["page"] == "one") & table["hazard_ratio"].notna()
    ]
    for view, rows in fitted.groupby("view", sort=False):
        by_patient = samples.represent(selection, measures.values["mechanism", str(view)])
        for name in rows["name"]:
            values = by_patient.loc[known, name].dropna()
            middle = float(values.median())
            above = values > middle
            if above.nunique() < 2:
                continue
            group = np.where(above, "above", "at or below")
            curves, risk, _ = survival.kaplan_meier(
                time[values.index], event[values.index].astype(bool), group
            )
            out[str(name), str(view)] = {
                "median": middle,
                "groups": [_curve(part, risk, str(g)) for g, part in curves.groupby("group")],
            }
    return out


def _curve(part: pd.DataFrame, risk: pd.DataFrame, group: str) -> Record:
    """Steps at events, the times of those censored, and the numbers at risk."""
    steps = part[(part["events"] > 0) | (part["time"] == 0)]
    left = risk[risk["group"] == group]
    return {
        "group": group,
        "n": int(part["at_risk"].iloc[0]),
        **{k: _cells(steps[k]) for k in ("time", "survival", "low", "high")},
        "last": float(part["time"].iloc[-1]),
        "censored": _cells(part.loc[part["censored"] > 0, "time"]),
        "risk_time": _cells(left["time"]),
        "at_risk": [int(n) for n in left["at_risk"]],
    }
