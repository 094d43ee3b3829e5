"""Everything the cohort page says, as plain records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from resistpath.provenance import RESEARCH_USE_ONLY
from resistpath.report import wording
from resistpath.report.cohort_panels import EMPTY, colouring_columns
from resistpath.report.text import plain, words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Catalogue, Mechanism

from resistpath.report.mechanism import finding
from resistpath.report.parts import (
    SCHEMA_VERSION,
    by_axis,
    check_known,
    inflamed_mechanism,
    not_assessed,
    parameters,
    preparation_record,
    quality_record,
    records,
    reference_record,
    software_record,
    summarise_values,
    truth,
)

Record = dict[str, Any]


def cohort_content(
    *,
    cohort: str,
    obs: pd.DataFrame,
    preparation: Mapping[str, Any],
    quality: pd.DataFrame,
    confounding: pd.DataFrame,
    mechanisms: pd.DataFrame,
    reference: Mapping[str, Any],
    catalogue: Catalogue,
    software: Mapping[str, Any],
    thresholds: Mapping[str, Any],
    links: Mapping[str, str],
    order_by: str | None = None,
    panels: Mapping[str, Any] | None = None,
) -> Record:
    """Everything the cohort page says.

    Parameters
    ----------
    cohort
        Name of the cohort.
    obs
        Sample sheet, one row per sample; names in the index or in the column `sample`.
    preparation
        What was done to the matrix.
    quality, mechanisms
        Long tables with a column `sample`; quality with the checks that compare samples.
    confounding
        Technical columns of the sheet against the response.
    reference
        Name, size, disease and description of the reference; `fit` may hold one record per
        sample.
    catalogue, software, thresholds
        As in `sample_content`.
    links
        File name of each sample's page, beside this one.
    order_by
        Mechanism by whose raw percentile the heat map is ordered; by default the one that holds
        the T-cell-inflamed readout.
    panels
        Records of `resistpath.report.cohort_panels` on the cohort as a whole; those not given are
        left out of the page.
    """
    sheet = obs if "sample" in obs.columns else obs.rename_axis("sample").reset_index()
    columns = [str(c) for c in sheet.columns if str(c) != "sample"]
    check_known(mechanisms, "mechanism", (m.mechanism for m in catalogue.mechanisms))
    outcomes: dict[str, list[Record]] = {}
    for row in records(quality):
        outcomes.setdefault(str(row["sample"]), []).append(row)
    rows: dict[str, dict[str, Record]] = {}
    for row in records(mechanisms):
        rows.setdefault(str(row["sample"]), {})[str(row["mechanism"])] = row
    ref = reference_record(reference, None)
    inflamed = inflamed_mechanism(catalogue)
    order_by = order_by or inflamed
    # Those of page one first: the heat map and the counts per sample show these alone.
    shown_first = catalogue.page("one")
    entries = (*shown_first, *catalogue.page("more"))
    n_first = len(shown_first)
    table, cells = [], []
    for raw_name, row in zip(map(str, sheet["sample"]), records(sheet), strict=True):
        gate = quality_record(outcomes.get(raw_name, []))
        failed = gate["verdict"] == "failed"
        found = [
            finding(m, None if failed else rows.get(raw_name, {}).get(m.mechanism), ref, inflamed)
            for m in entries
        ]
        table.append(
            {
                "sample": words(raw_name, "unnamed sample"),
                "link": plain(links.get(raw_name)),
                "quality": gate["verdict"],
                "failed": [m["label"] for m in gate["metrics"] if m["passed"] is False],
                "fit": reference_record(reference, raw_name)["fit"]["verdict"],
                "readings": None
                if failed
                else _tally(wording.READINGS, [m["reading"] for m in found[:n_first]]),
                "columns": [row[c] for c in columns],
            }
        )
        cells.append(found)
    ids = [m.mechanism for m in entries]
    order = list(range(len(table)))
    if order_by in ids:
        key = ids.index(order_by)

        def position(i: int) -> tuple[bool, float, str]:
            value = cells[i][key]["raw"]["percentile"]
            return value is None, value or 0.0, table[i]["sample"]

        order.sort(key=position)
        ordered = (
            f"ordered from left to right by the raw percentile of"
            f" {words(entries[key].name)}; samples without that percentile stand last"
        )
    else:
        ordered = "in the order of the sample sheet"
    axes = by_axis([{"axis": words(m.axis)} for m in shown_first])
    sequence = [i for axis in axes for i in axis["mechanisms"]]

    def panel(kind: str) -> Record:
        shown = [kind == "raw" or m.mechanism != inflamed for m in shown_first]
        return {
            key: [[cells[i][m][kind][key] if shown[m] else None for i in order] for m in sequence]
            for key in ("percentile", "verdict")
        } | {"resistance": [[kind in cells[i][m]["highlight"] for i in order] for m in sequence]}

    counted = [
        _counts(entry, [c[m] for c in cells], entry.mechanism != inflamed)
        for m, entry in enumerate(entries)
    ]
    passed = sum(row["quality"] == "passed" for row in table)
    poor = sum(row["fit"] == "fits poorly" for row in table)
    return {
        "schema": "resistpath cohort report",
        "schema_version": SCHEMA_VERSION,
        "statement": RESEARCH_USE_ONLY,
        "software": software_record(software),
        "cohort": words(cohort, "unnamed cohort"),
        "n_samples": len(table),
        "n_patients": _distinct(sheet, "patient"),
        "n_passed": passed,
        "n_failed": sum(row["quality"] == "failed" for row in table),
        "n_poor_fit": poor,
        "diseases": _values(sheet, "cancer_type"),
        "timepoints": _values(sheet, "timepoint"),
        "reference": ref,
        "columns": [words(c) for c in columns],
        "annotations": colouring_columns(sheet, columns),
        "samples": table,
        "axes": axes,
        "mechanisms": counted[:n_first],
        "further_axes": by_axis(counted[n_first:]),
        "further_mechanisms": counted[n_first:],
        "heat_map": {
            "order": ordered,
            "samples": order,
            "mechanisms": sequence,
            "raw": panel("raw"),
            "residual": panel("residual"),
            "readings": [[cells[i][m]["reading"] for i in order] for m in sequence],
        },
        "panels": {**EMPTY, **(panels or {})},
        "quality": _quality_overview(quality),
        "confounding": [
            {key: plain(value) for key, value in row.items()} for row in records(confounding)
        ],
        "not_assessed": not_assessed(catalogue),
        "preparation": preparation_record(preparation, cohort=True),
        "methods": wording.methods(
            ref, parameters(thresholds), (r.method for r in catalogue.readouts)
        ),
    }


def _counts(entry: Mechanism, found: list[Record], has_residual: bool) -> Record:
    """Return how many samples have each verdict and reading of one mechanism."""
    raw, residual = ([f[kind]["verdict"] for f in found] for kind in ("raw", "residual"))
    return {
        "mechanism": entry.mechanism,
        "name": words(entry.name, entry.mechanism),
        "axis": words(entry.axis),
        "evidence_grade": words(entry.evidence_grade),
        "raw": _tally(wording.VERDICTS, raw),
        "residual": _tally(wording.VERDICTS, residual) if has_residual else None,
        "readings": _tally(wording.READINGS, [f["reading"] for f in found]),
    }


def _tally(kinds: Iterable[str], values: list[str]) -> dict[str, int]:
    """How many values are of each kind; kinds nobody has are counted as 0."""
    return {kind: values.count(kind) for kind in kinds}


def _distinct(sheet: pd.DataFrame, column: str) -> int | None:
    return int(sheet[column].dropna().nunique()) if column in sheet.columns else None


def _values(sheet: pd.DataFrame, column: str) -> list[Record]:
    """Values of a column with their counts, most frequent first."""
    if column not in sheet.columns:
        return []
    counts: dict[str, int] = {}
    for value in sheet[column]:
        text = words(value, "not stated")
        text = wording.TIME_POINTS.get(text, text) if column == "timepoint" else text
        counts[text] = counts.get(text, 0) + 1
    pairs = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"value": value, "n": n} for value, n in pairs]


def _quality_overview(quality: pd.DataFrame) -> list[Record]:
    """Each metric over all samples: its values, who failed and who is marked."""
    out = []
    shown = quality[~quality["metric"].str.startswith("unit_")]
    for metric, part in shown.groupby("metric", sort=False):
        rows = records(part)
        outcomes = [truth(r["passed"]) for r in rows]
        any_gate = any(o is not None for o in outcomes)
        decided = [words(r["threshold"]) for r in rows if r["status"] in ("pass", "fail")]
        limit = next(filter(None, [*decided, *(words(r["threshold"]) for r in rows)]), "")
        # A limit that some sample missed without failing: it marks, whoever passes it.
        marks = {words(r["threshold"]) for r in rows if r["status"] == "warn"}
        numbers = [
            float(r["value"])
            for r in rows
            if isinstance(r["value"], (int, float)) and not isinstance(r["value"], bool)
        ]
        out.append(
            {
                "metric": words(metric),
                "label": words(rows[0]["label"]),
                "unit": words(rows[0]["unit"]),
                "threshold": limit,
                "marks_only": bool(limit) and (limit in marks or not any_gate),
                "n": len(rows),
                "n_gated": sum(o is not None for o in outcomes),
                "n_failed": sum(o is False for o in outcomes),
                "failed": [
                    words(r["sample"]) for r, o in zip(rows, outcomes, strict=True) if o is False
                ],
                "marked": [
                    {"sample": words(r["sample"]), "note": words(r["note"])}
                    for r in rows
                    if r["status"] == "warn"
                ],
                "values": summarise_values(numbers),
            }
        )
    return out
