"""Records that the sample page and the cohort page share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.report import wording
from resistpath.report.text import plain, sentence, words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Catalogue


Record = dict[str, Any]
SCHEMA_VERSION = "1.0"
AXES = ("tumour-intrinsic", "tumour-extrinsic", "host")
MOST_BINS = 40
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_PREPARATION_COUNTS = (
    ("n_input_rows", "rows in the matrix given"),
    ("n_genes", "genes after preparation"),
    ("n_renamed", "rows renamed to a current symbol"),
    ("n_merged", "rows merged with another of the same gene"),
    ("n_dropped", "rows dropped"),
)


def records(frame: pd.DataFrame) -> list[Record]:
    """Rows of a frame as dictionaries of plain values, in the frame's order."""
    columns = [str(c) for c in frame.columns]
    return [
        dict(zip(columns, map(plain, row), strict=True))
        for row in frame.itertuples(index=False, name=None)
    ]


def interval(row: Record, prefix: str = "") -> Record:
    """Percentile with its 90 % interval; `prefix` is "residual_" or empty."""
    return {key: row[f"{prefix}{key}"] for key in ("percentile", "low", "high")}


def truth(value: object) -> bool | None:
    """Read a gate's outcome; text as a table holds it is understood too.

    >>> truth("False"), truth(True), truth(None)
    (False, True, None)
    """
    if isinstance(value, str):
        return _TRUTH.get(value.strip().lower())
    return None if value is None else bool(value)


def parameters(thresholds: Mapping[str, Any], prefix: str = "") -> list[Record]:
    """Return configuration values as name and value, nested keys joined by dots."""
    out: list[Record] = []
    for key, value in thresholds.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out += parameters(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            out.append({"name": words(name), "value": ", ".join(words(v, "none") for v in value)})
        else:
            shown = plain(value)
            out.append({"name": words(name), "value": "none" if shown is None else shown})
    return out


def software_record(software: Mapping[str, Any]) -> Record:
    """Return name, version and code digest."""
    return {key: words(software[key]) for key in ("name", "version", "digest")}


def reference_record(reference: Mapping[str, Any], sample: str | None) -> Record:
    """Name, size and fit of the reference; the fit is this sample's own."""
    record: Record = {
        "name": words(reference["name"], "unnamed reference"),
        "n": plain(reference["n"]),
        "cancer_type": words(reference.get("cancer_type"), "not stated"),
        "description": words(reference.get("description")),
    }
    if sample is not None:
        fit = reference.get("fit") or {}
        fit = fit if "verdict" in fit else fit.get(sample, {})
        record["fit"] = {
            "verdict": words(fit.get("verdict"), "not tested"),
            "correlation": plain(fit.get("correlation")),
            "lowest_typical": plain(fit.get("lowest_typical")),
            "reason": sentence(words(fit.get("reason"))),
        }
    return record


def preparation_record(preparation: Mapping[str, Any], *, cohort: bool = False) -> Record:
    """Return what was done to the matrix, with the counts of rows.

    Notes that depend on which samples there are stand on the page of the `cohort` only.
    """
    notes = [*preparation.get("notes", ()), *(preparation["cohort_notes"] if cohort else ())]
    return {
        "units": words(preparation["units"], "not stated"),
        "units_how": words(preparation["units_how"]),
        "gene_id": words(preparation["gene_id"], "not stated"),
        "to": words(preparation["to"], "not stated"),
        "counts": [
            {"name": key, "label": label, "value": plain(preparation[key])}
            for key, label in _PREPARATION_COUNTS
        ],
        "notes": [sentence(words(note)) for note in notes],
    }


def not_assessed(catalogue: Catalogue) -> list[Record]:
    """Return what the assay cannot see, and the test that can."""
    return [
        {"item": words(n.item), "why": words(n.why), "test_instead": words(n.test_instead)}
        for n in catalogue.not_assessed
    ]


def by_axis(mechanisms: Sequence[Record]) -> list[Record]:
    """Axes in their fixed order, each with the positions of its mechanisms."""
    found = dict.fromkeys(m["axis"] for m in mechanisms)
    order = [a for a in AXES if a in found] + [a for a in found if a not in AXES]
    return [
        {"axis": axis, "mechanisms": [i for i, m in enumerate(mechanisms) if m["axis"] == axis]}
        for axis in order
    ]


def check_known(frame: pd.DataFrame, column: str, known: Iterable[str]) -> None:
    """Refuse a table that names what the catalogue does not have."""
    unknown = set(frame[column].astype(str)) - set(known)
    if unknown:
        raise UserError(
            f"{column} {some(sorted(unknown))} of the results not in the catalogue",
            where="report",
            do="assess the cohort again with this version",
        )


def inflamed_mechanism(catalogue: Catalogue) -> str | None:
    """Return the mechanism that holds the T-cell-inflamed readout."""
    return next(
        (r.mechanism for r in catalogue.readouts if r.readout == catalogue.inflammation), None
    )


def quality_record(rows: list[Record]) -> Record:
    """Verdict of the gates with its reasons, and every metric."""
    metrics = []
    for row in rows:
        passed = truth(row["passed"])
        metrics.append(
            {
                "metric": words(row["metric"]),
                "label": words(row["label"]),
                "value": row["value"],
                "unit": words(row["unit"]),
                "threshold": words(row["threshold"]),
                "passed": passed,
                "status": words(row["status"]),
                "note": words(row["note"]),
            }
        )
    gates = [m for m in metrics if m["passed"] is not None]
    failed = [m for m in gates if not m["passed"]]
    marked = [m for m in metrics if m["status"] == "warn"]
    if failed:
        headline = f"failed {len(failed)} of {len(gates)} gates"
    elif gates:
        headline = f"passed {'the only gate' if len(gates) == 1 else f'all {len(gates)} gates'}"
    else:
        headline = "no gate was applied"
    if marked:
        headline += f", {len(marked)} marked"
    return {
        "verdict": "failed" if failed else "passed" if gates else "not tested",
        "headline": headline,
        "reasons": [wording.gate_words(m) for m in failed],
        "marks": [wording.gate_words(m) for m in marked],
        "metrics": metrics,
    }


def summarise_values(values: Iterable[float], bins: int | None = None) -> Record | None:
    """Size, quartiles and histogram of values; None if there are none.

    Few values are put into fewer bins.

    >>> summarise_values([1.0, 2.0, 3.0], bins=2)["counts"]
    [1, 2]
    """
    array = np.asarray(list(values) if not isinstance(values, np.ndarray) else values, dtype=float)
    array = array[np.isfinite(array)]
    if array.size == 0:
        return None
    low, lower, middle, upper, high = np.quantile(array, [0, 0.25, 0.5, 0.75, 1]).tolist()
    bins = bins or min(MOST_BINS, max(16, array.size // 3))
    width = (high - low) / bins
    if width > 0:
        at = np.clip(((array - low) / (high - low) * bins).astype(int), 0, bins - 1)
        counts = np.bincount(at, minlength=bins).tolist()
    else:
        width, counts = 0.0, [int(array.size)]
    return {
        "n": int(array.size),
        "minimum": low,
        "lower_quartile": lower,
        "median": middle,
        "upper_quartile": upper,
        "maximum": high,
        "bin_start": low,
        "bin_width": width,
        "counts": counts,
    }


def summarise_reference(readouts: pd.DataFrame) -> dict[str, Record | None]:
    """Distribution of every readout in the reference.

    Parameters
    ----------
    readouts
        Reference samples x readouts.

    Returns
    -------
    dict
        One record per readout. Compute it once per cohort and hand it to `sample_content` as
        `reference_readouts`.
    """
    values = readouts.to_numpy(dtype=float)
    return {str(name): summarise_values(values[:, i]) for i, name in enumerate(readouts.columns)}
