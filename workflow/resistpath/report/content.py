"""Everything a page says, as plain records that JSON can hold.

A record holds no markup and no rounded number: rendering decides how a number looks, the record
says what it is. Missing values are None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.report import wording
from resistpath.report.text import (
    RESEARCH_USE,
    doi_url,
    first_phrase,
    plain,
    sentence,
    words,
)

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Catalogue, Mechanism, Readout, Signature

Record = dict[str, Any]

SCHEMA_VERSION = "1.0"
AXES = ("tumour-intrinsic", "tumour-extrinsic", "host")
MOST_BINS = 40

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_IDENTITY = (
    ("patient", "Patient"),
    ("timepoint", "Time point"),
    ("cancer_type", "Disease"),
    ("cohort", "Cohort"),
    ("treatment", "Treatment"),
)
_REMAINDER = ("other", "uncharacterized", "uncharacterised")


# ------------------------------------------------------------------ small parts


def _records(frame: pd.DataFrame) -> list[Record]:
    """Rows of a frame as dictionaries of plain values, in the frame's order."""
    columns = [str(c) for c in frame.columns]
    return [
        dict(zip(columns, map(plain, row), strict=True))
        for row in frame.itertuples(index=False, name=None)
    ]


def _interval(row: Record, prefix: str = "") -> Record:
    """Percentile with its 90 % interval; `prefix` is "residual_" or empty."""
    return {key: row[f"{prefix}{key}"] for key in ("percentile", "low", "high")}


def _cite(text: str) -> Record:
    return {"text": words(text), "url": doi_url(text)}


def _passed(value: object) -> bool | None:
    """Read a gate's outcome; text as a table holds it is understood too.

    >>> _passed("False"), _passed(True), _passed(None)
    (False, True, None)
    """
    if isinstance(value, str):
        return _TRUTH.get(value.strip().lower())
    return None if value is None else bool(value)


def _parameters(thresholds: Mapping[str, Any], prefix: str = "") -> list[Record]:
    """Return configuration values as name and value, nested keys joined by dots."""
    out: list[Record] = []
    for key, value in thresholds.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out += _parameters(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            out.append({"name": words(name), "value": ", ".join(words(v, "none") for v in value)})
        else:
            shown = plain(value)
            out.append({"name": words(name), "value": "none" if shown is None else shown})
    return out


def _software(software: Mapping[str, Any]) -> Record:
    return {key: words(software[key]) for key in ("name", "version", "digest")}


def _reference(reference: Mapping[str, Any], sample: str | None) -> Record:
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


# ------------------------------------------------------------------ quality


def _quality(rows: list[Record]) -> Record:
    """Verdict of the gates with its reasons, and every metric."""
    metrics = []
    for row in rows:
        passed = _passed(row["passed"])
        metrics.append(
            {
                "metric": words(row["metric"]),
                "label": words(row["label"]),
                "value": row["value"],
                "unit": words(row["unit"]),
                "threshold": words(row["threshold"]),
                "passed": passed,
                "note": words(row["note"]),
            }
        )
    gates = [m for m in metrics if m["passed"] is not None]
    failed = [m for m in gates if not m["passed"]]
    if failed:
        headline = f"failed {len(failed)} of {len(gates)} gates"
    elif gates:
        headline = f"passed {'the only gate' if len(gates) == 1 else f'all {len(gates)} gates'}"
    else:
        headline = "no gate was applied"
    return {
        "verdict": "failed" if failed else "passed" if gates else "not tested",
        "headline": headline,
        "reasons": [wording.gate_words(m) for m in failed],
        "metrics": metrics,
    }


# ------------------------------------------------------------------ mechanisms


def _deciding(mechanism: Mechanism) -> str | None:
    """Return which of raw and residual a reading rests on; None for context."""
    return None if mechanism.resistance_direction == "context" else mechanism.read


def _signature(signature: Signature, side: str) -> Record:
    return {
        "signature": signature.signature,
        "name": signature.name,
        "side": side,
        "paper": words(signature.paper),
        "doi": words(signature.doi),
        "url": doi_url(words(signature.doi)),
        "table": words(signature.table),
        "stated_direction": words(signature.stated_direction),
        "licence": words(signature.licence),
        "tier": words(signature.tier),
        "exploratory": words(signature.tier).upper().startswith("O"),
        "derivation": words(signature.derivation),
        "n_published": plain(signature.n_published),
        "n_current": plain(signature.n_current),
        "caveats": words(signature.caveats),
        "replication": words(signature.replication),
    }


def _readout(
    entry: Readout,
    row: Record | None,
    signatures: Mapping[str, Signature],
    reference: Mapping[str, Record | None],
) -> Record:
    keys = ("score", "se", "low", "high", "coverage", "n_genes")
    blank = {"percentile": None, "low": None, "high": None}
    return {
        "readout": entry.readout,
        "name": words(entry.name, entry.readout),
        "method": words(entry.method),
        "sign": plain(entry.sign),
        "inverted": entry.sign < 0,
        "weight": plain(entry.weight),
        "note": words(entry.note),
        "inputs": " over ".join(
            words(part).replace("|", " ") for part in (entry.up, entry.down) if part
        )
        if not entry.signatures
        else "",
        "signatures": [
            _signature(signatures[name], "down" if name == entry.down else "up")
            for name in entry.signatures
        ],
        "n_set": len(entry.genes_up) + len(entry.genes_down),
        **{key: row.get(key) if row else None for key in keys},
        "assessable": bool(row and _passed(row["assessable"])),
        "reason": words(row["reason"]) if row else "no record for this sample",
        "raw": {
            "percentile": row["percentile"],
            "low": row["percentile_low"],
            "high": row["percentile_high"],
        }
        if row
        else blank,
        "residual": _interval(row, "residual_") if row else dict(blank),
        "reference": reference.get(entry.readout),
    }


def _finding(
    entry: Mechanism, row: Record | None, reference: Record, inflamed: str | None
) -> Record:
    """Return what was found for one sample and mechanism."""
    blank = {"percentile": None, "low": None, "high": None}
    row = row or {
        "verdict": "not assessable",
        "residual_verdict": "not assessable",
        "reading": "cannot say",
        "reason": "no record for this sample",
        "reference": reference["name"],
        "reference_n": reference["n"],
        "n_readouts": 0,
        "concordance": None,
    }
    deciding = _deciding(entry)
    reading = words(row["reading"], "cannot say") if deciding else "context only"
    reason = words(row["reason"])
    return {
        "reading": reading,
        "highlight": [deciding] if deciding and reading == wording.RESISTANCE else [],
        "deciding": deciding if reading != "context only" else None,
        "has_residual": entry.mechanism != inflamed,
        "raw": {
            "verdict": words(row["verdict"], "not assessable"),
            **(_interval(row) if "percentile" in row else blank),
        },
        "residual": {
            "verdict": words(row["residual_verdict"], "not assessable"),
            **(_interval(row, "residual_") if "residual_percentile" in row else blank),
        },
        "reason": reason,
        "reason_short": first_phrase(reason),
        "n_readouts": row["n_readouts"],
        "concordance": row["concordance"],
        "reference": words(row["reference"], reference["name"]),
        "reference_n": row["reference_n"] if row["reference_n"] is not None else reference["n"],
    }


def _described(entry: Mechanism) -> Record:
    """Return what the catalogue says about a mechanism."""
    return {
        "mechanism": entry.mechanism,
        "name": words(entry.name),
        "axis": words(entry.axis),
        "evidence_grade": words(entry.evidence_grade),
        "resistance_direction": entry.resistance_direction,
        "read": entry.read,
        "resistance_timepoints": entry.resistance_timepoints.split(","),
        "reported": wording.reported(entry),
        "definition": words(entry.definition),
        "rna_shows": words(entry.rna_shows),
        "rna_cannot_show": words(entry.rna_cannot_show),
        "timepoint_note": words(entry.timepoint_note),
        "evidence": words(entry.evidence),
        "evidence_against": words(entry.evidence_against),
        "sources": [_cite(text) for text in entry.sources],
    }


def _by_axis(mechanisms: Sequence[Record]) -> list[Record]:
    """Axes in their fixed order, each with the positions of its mechanisms."""
    found = dict.fromkeys(m["axis"] for m in mechanisms)
    order = [a for a in AXES if a in found] + [a for a in found if a not in AXES]
    return [
        {"axis": axis, "mechanisms": [i for i, m in enumerate(mechanisms) if m["axis"] == axis]}
        for axis in order
    ]


def _check_known(frame: pd.DataFrame, column: str, known: Iterable[str]) -> None:
    unknown = set(frame[column].astype(str)) - set(known)
    if unknown:
        raise UserError(
            f"{column} {some(sorted(unknown))} of the results not in the catalogue",
            where="report",
            do="assess the cohort again with this version",
        )


# ------------------------------------------------------------------ other parts


def _composition(frame: pd.DataFrame) -> list[Record]:
    """One record per method and kind, in the frame's order; fractions and scores apart."""
    out: dict[tuple[str, str], Record] = {}
    for row in _records(frame):
        key = (words(row["method"]), words(row["kind"]))
        part = out.setdefault(key, {"method": key[0], "kind": key[1], "rows": []})
        part["rows"].append(
            {
                "cell_type": words(row["cell_type"]),
                "label": words(row["label"], words(row["cell_type"])),
                "value": row["value"],
                "low": row["low"],
                "high": row["high"],
                "detectable": words(row["detectable"], "unknown"),
                "limit": row["limit"],
                "percentile": row["percentile"],
                "note": words(row["note"]),
            }
        )
    parts = sorted(out.values(), key=lambda part: part["kind"] != "fraction")
    for part in parts:
        part["full_scale"] = None
        if part["kind"] == "fraction":
            ends = [
                value
                for row in part["rows"]
                if row["cell_type"].lower() not in _REMAINDER
                for value in (row["value"], row["high"])
                if value is not None
            ]
            top = max(ends, default=0.0)
            part["full_scale"] = next((s for s in (0.05, 0.1, 0.2, 0.4, 0.6) if top <= s), 1.0)
    return parts


def _genes(frame: pd.DataFrame, catalogue: Catalogue) -> list[Record]:
    """Key genes by group, in the catalogue's order; one without a row was not measured."""
    rows = {words(row["gene"]): row for row in _records(frame)}
    groups: dict[str, list[Record]] = {}
    for entry in catalogue.key_genes:
        row = rows.get(entry.gene)
        groups.setdefault(words(entry.group), []).append(
            {
                "gene": words(entry.gene),
                "why": words(entry.why),
                "measured": row is not None,
                "log2_tpm": row["log2_tpm"] if row else None,
                "percentile": row["percentile"] if row else None,
                "low_count": bool(row and _passed(row["low_count"])),
            }
        )
    return [{"group": group, "genes": genes} for group, genes in groups.items()]


_PREPARATION_COUNTS = (
    ("n_input_rows", "rows in the matrix given"),
    ("n_genes", "genes after preparation"),
    ("n_renamed", "rows renamed to a current symbol"),
    ("n_merged", "rows merged with another of the same gene"),
    ("n_dropped", "rows dropped"),
)


def _preparation(preparation: Mapping[str, Any]) -> Record:
    return {
        "units": words(preparation["units"], "not stated"),
        "units_how": words(preparation["units_how"]),
        "gene_id": words(preparation["gene_id"], "not stated"),
        "to": words(preparation["to"], "not stated"),
        "counts": [
            {"name": key, "label": label, "value": plain(preparation[key])}
            for key, label in _PREPARATION_COUNTS
        ],
        "notes": [sentence(words(note)) for note in preparation.get("notes", ())],
    }


def _not_assessed(catalogue: Catalogue) -> list[Record]:
    return [
        {"item": words(n.item), "why": words(n.why), "test_instead": words(n.test_instead)}
        for n in catalogue.not_assessed
    ]


def _identity(sample: str, obs: Mapping[str, Any]) -> tuple[list[Record], list[Record]]:
    """Return the identity strip, and the sheet's other columns."""
    strip = [{"field": "sample", "label": "Sample", "value": sample}]
    for key, label in _IDENTITY:
        value = words(obs.get(key), "not stated")
        if key == "timepoint":
            value = wording.TIME_POINTS.get(value, value)
        strip.append({"field": key, "label": label, "value": value})
    shown = {"sample", *(key for key, _ in _IDENTITY)}
    rest = [
        {"column": words(key), "value": value if isinstance(value, bool) else plain(value)}
        for key, value in ((k, plain(v)) for k, v in obs.items())
        if key not in shown
    ]
    return strip, rest


# ------------------------------------------------------------------ the two pages


def sample_content(
    sample: str,
    *,
    obs: Mapping[str, Any],
    preparation: Mapping[str, Any],
    quality: pd.DataFrame,
    mechanisms: pd.DataFrame,
    readouts: pd.DataFrame,
    fractions: pd.DataFrame,
    key_genes: pd.DataFrame,
    reference: Mapping[str, Any],
    reference_readouts: pd.DataFrame | Mapping[str, Record | None],
    catalogue: Catalogue,
    software: Mapping[str, Any],
    thresholds: Mapping[str, Any],
) -> Record:
    """Everything one sample's page says.

    A failed quality gate empties `mechanisms`, `composition` and `key_genes` and gives the reason
    in `withheld`.

    Parameters
    ----------
    sample
        Name of the sample.
    obs
        Its row of the sample sheet.
    preparation
        What was done to the matrix.
    quality, mechanisms, readouts, fractions, key_genes
        Long tables, already restricted to this sample.
    reference
        Name, size, disease and description of the reference, and under `fit` how well this
        sample fits it.
    reference_readouts
        Reference samples x readouts, or what `summarise_reference` made of them.
    catalogue
        Mechanisms, readouts, signatures and what the assay cannot see.
    software
        `name`, `version` and `digest`.
    thresholds
        Configuration values that decided the verdicts.

    Raises
    ------
    UserError
        If the tables name a mechanism or readout the catalogue does not have.
    """
    name = words(sample, "unnamed sample")
    identity, sheet = _identity(name, obs)
    ref = _reference(reference, sample)
    gates = _quality(_records(quality))
    _check_known(mechanisms, "mechanism", (m.mechanism for m in catalogue.mechanisms))
    _check_known(readouts, "readout", (r.readout for r in catalogue.readouts))
    if not isinstance(reference_readouts, Mapping):
        reference_readouts = summarise_reference(reference_readouts)
    withheld = gates["verdict"] == "failed"
    found: list[Record] = []
    context: list[Record] = []
    if not withheld:
        rows = {str(r["mechanism"]): r for r in _records(mechanisms)}
        values = {str(r["readout"]): r for r in _records(readouts)}
        inflamed = _inflamed(catalogue)
        signatures = {s.signature: s for s in catalogue.signatures}
        for entry in catalogue.mechanisms:
            record = _described(entry) | _finding(entry, rows.get(entry.mechanism), ref, inflamed)
            record["readouts"] = [
                _readout(r, values.get(r.readout), signatures, reference_readouts)
                for r in catalogue.readouts
                if r.mechanism == entry.mechanism
            ]
            found.append(record)
        context = [
            _readout(r, values.get(r.readout), signatures, reference_readouts)
            for r in catalogue.readouts
            if r.mechanism is None
        ]
    absent = _not_assessed(catalogue)
    composition = [] if withheld else _composition(fractions)
    used = [r.method for r in catalogue.readouts] + [part["method"] for part in composition]
    return {
        "schema": "resistpath sample report",
        "schema_version": SCHEMA_VERSION,
        "statement": RESEARCH_USE,
        "software": _software(software),
        "sample": name,
        "identity": identity,
        "sheet": sheet,
        "reference": ref,
        "quality": gates,
        "withheld": {"reasons": gates["reasons"]} if withheld else None,
        "summary": wording.summary(gates, ref, found, absent),
        "axes": _by_axis(found),
        "mechanisms": found,
        "context_readouts": context,
        "not_assessed": absent,
        "composition": composition,
        "key_genes": [] if withheld else _genes(key_genes, catalogue),
        "preparation": _preparation(preparation),
        "methods": wording.methods(ref, _parameters(thresholds), used),
    }


def cohort_content(
    *,
    cohort: str,
    obs: pd.DataFrame,
    preparation: Mapping[str, Any],
    quality: pd.DataFrame,
    mechanisms: pd.DataFrame,
    reference: Mapping[str, Any],
    catalogue: Catalogue,
    software: Mapping[str, Any],
    thresholds: Mapping[str, Any],
    links: Mapping[str, str],
    order_by: str | None = None,
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
        Long tables with a column `sample`.
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
    """
    sheet = obs if "sample" in obs.columns else obs.rename_axis("sample").reset_index()
    columns = [str(c) for c in sheet.columns if str(c) != "sample"]
    _check_known(mechanisms, "mechanism", (m.mechanism for m in catalogue.mechanisms))
    outcomes: dict[str, list[Record]] = {}
    for row in _records(quality):
        outcomes.setdefault(str(row["sample"]), []).append(row)
    rows: dict[str, dict[str, Record]] = {}
    for row in _records(mechanisms):
        rows.setdefault(str(row["sample"]), {})[str(row["mechanism"])] = row
    ref = _reference(reference, None)
    inflamed = _inflamed(catalogue)
    order_by = order_by or inflamed
    table, cells = [], []
    for raw_name, row in zip(map(str, sheet["sample"]), _records(sheet), strict=True):
        gate = _quality(outcomes.get(raw_name, []))
        failed = gate["verdict"] == "failed"
        found = [
            _finding(m, None if failed else rows.get(raw_name, {}).get(m.mechanism), ref, inflamed)
            for m in catalogue.mechanisms
        ]
        table.append(
            {
                "sample": words(raw_name, "unnamed sample"),
                "link": plain(links.get(raw_name)),
                "quality": gate["verdict"],
                "failed": [m["label"] for m in gate["metrics"] if m["passed"] is False],
                "fit": _reference(reference, raw_name)["fit"]["verdict"],
                "readings": None
                if failed
                else {r: sum(m["reading"] == r for m in found) for r in wording.READINGS},
                "columns": [row[c] for c in columns],
            }
        )
        cells.append(found)
    ids = [m.mechanism for m in catalogue.mechanisms]
    order = list(range(len(table)))
    if order_by in ids:
        key = ids.index(order_by)

        def position(i: int) -> tuple[bool, float, str]:
            value = cells[i][key]["raw"]["percentile"]
            return value is None, value or 0.0, table[i]["sample"]

        order.sort(key=position)
        ordered = (
            f"ordered from left to right by the raw percentile of"
            f" {words(catalogue.mechanisms[key].name)}; samples without that percentile stand last"
        )
    else:
        ordered = "in the order of the sample sheet"
    by_axis = _by_axis([{"axis": words(m.axis)} for m in catalogue.mechanisms])
    sequence = [i for axis in by_axis for i in axis["mechanisms"]]

    def panel(kind: str) -> Record:
        shown = [kind == "raw" or m.mechanism != inflamed for m in catalogue.mechanisms]
        return {
            key: [[cells[i][m][kind][key] if shown[m] else None for i in order] for m in sequence]
            for key in ("percentile", "verdict")
        } | {"resistance": [[kind in cells[i][m]["highlight"] for i in order] for m in sequence]}

    passed = sum(row["quality"] == "passed" for row in table)
    poor = sum(row["fit"] == "fits poorly" for row in table)
    return {
        "schema": "resistpath cohort report",
        "schema_version": SCHEMA_VERSION,
        "statement": RESEARCH_USE,
        "software": _software(software),
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
        "samples": table,
        "axes": by_axis,
        "mechanisms": [
            {
                "mechanism": entry.mechanism,
                "name": words(entry.name, entry.mechanism),
                "axis": words(entry.axis),
                "evidence_grade": words(entry.evidence_grade),
                "raw": {
                    v: sum(c[m]["raw"]["verdict"] == v for c in cells) for v in wording.VERDICTS
                },
                "residual": {
                    v: sum(c[m]["residual"]["verdict"] == v for c in cells)
                    for v in wording.VERDICTS
                }
                if entry.mechanism != inflamed
                else None,
                "readings": _tally(wording.READINGS, [c[m]["reading"] for c in cells]),
            }
            for m, entry in enumerate(catalogue.mechanisms)
        ],
        "heat_map": {
            "order": ordered,
            "samples": order,
            "mechanisms": sequence,
            "raw": panel("raw"),
            "residual": panel("residual"),
            "readings": [[cells[i][m]["reading"] for i in order] for m in sequence],
        },
        "quality": _quality_overview(quality),
        "not_assessed": _not_assessed(catalogue),
        "preparation": _preparation(preparation),
        "methods": wording.methods(
            ref, _parameters(thresholds), (r.method for r in catalogue.readouts)
        ),
    }


def _inflamed(catalogue: Catalogue) -> str | None:
    """Return the mechanism that holds the T-cell-inflamed readout."""
    return next(
        (r.mechanism for r in catalogue.readouts if r.readout == catalogue.inflammation), None
    )


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
    """Each metric over all samples: its values, and who failed."""
    out = []
    for metric, part in quality.groupby("metric", sort=False):
        records = _records(part)
        outcomes = [_passed(r["passed"]) for r in records]
        numbers = [
            float(r["value"])
            for r in records
            if isinstance(r["value"], (int, float)) and not isinstance(r["value"], bool)
        ]
        out.append(
            {
                "metric": words(metric),
                "label": words(records[0]["label"]),
                "unit": words(records[0]["unit"]),
                "threshold": words(records[0]["threshold"]),
                "n": len(records),
                "n_gated": sum(o is not None for o in outcomes),
                "n_failed": sum(o is False for o in outcomes),
                "failed": [
                    words(r["sample"]) for r, o in zip(records, outcomes, strict=True) if o is False
                ],
                "values": summarise_values(numbers),
            }
        )
    return out
