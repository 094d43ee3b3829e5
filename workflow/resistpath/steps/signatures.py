"""signatures: browse the catalogue, and check a user's own sets."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from resistpath.errors import UserError
from resistpath.io.gene_sets import known_genes, read_user_sets
from resistpath.io.resources import catalogue, gene_names
from resistpath.mechanisms.catalogue import AXES
from resistpath.mechanisms.records import Catalogue, Readout, Signature
from resistpath.mechanisms.set_check import SetReport, check_sets

Record = dict[str, Any]
NOT_ASSESSED = "not assessed"
WIDTH = 100
MOST_OVERLAPS = 6


# ------------------------------------------------------------------ list


def listing(book: Catalogue, mechanism: str | None = None, axis: str | None = None) -> list[Record]:
    """One record per readout, those of a mechanism or an axis only if given.

    Host mechanisms that this assay cannot see come last, with the method ``not assessed``.
    """
    axes = {m.mechanism: m.axis for m in book.mechanisms}
    blind = [n for n in book.not_assessed if n.mechanism is not None]
    if mechanism is not None and mechanism not in {n.mechanism for n in blind}:
        book.mechanism(mechanism)
    if axis is not None and axis not in AXES:
        raise UserError(f"there is no axis {axis!r}", do=f"choose among {', '.join(AXES)}")
    records = [
        _listed(r, book, axes.get(r.mechanism or ""))
        for r in book.readouts
        if mechanism in (None, r.mechanism) and axis in (None, axes.get(r.mechanism or ""))
    ]
    unseen = [
        dict.fromkeys(_listed(book.readouts[0], book, None))
        | {"mechanism": n.mechanism, "axis": "host", "method": NOT_ASSESSED, "name": n.item}
        | {"genes": 0, "points_against": []}
        for n in blind
        if mechanism in (None, n.mechanism) and axis in (None, "host")
    ]
    return records + unseen


def _listed(readout: Readout, book: Catalogue, axis: str | None) -> Record:
    first = book.source_of(readout.readout)
    entry = book.mechanism(readout.mechanism) if readout.mechanism else None
    check = book.direction_check(readout.readout)
    return {
        "mechanism": readout.mechanism,
        "axis": axis,
        "readout": readout.readout,
        "method": readout.method,
        "genes": len(readout.genes_up) + len(readout.genes_down),
        "direction": book.directions_of(readout.readout)["read"],
        "stated_direction": first.stated_direction if first else "not stated",
        "tier": first.tier if first else None,
        "derivation": first.derivation if first else None,
        "cluster": entry.cluster if entry else None,
        "auc_raw": check.raw[0] if check else None,
        "auc_residual": check.residual[0] if check and check.residual else None,
        "points_against": list(book.points_against(readout.readout)),
        "name": readout.name,
    }


_LIST_COLUMNS = {
    "mechanism": "mechanism",
    "readout": "readout",
    "method": "method",
    "genes": "genes",
    "direction": "read before treatment",
    "tier": "tier",
    "cluster": "cluster",
    "auc": "AUC raw/residual",
    "name": "name",
}


def listing_text(records: Sequence[Record]) -> str:
    """Aligned columns for people."""
    rows = []
    for record in records:
        row = {k: "-" if record.get(k) is None else str(record[k]) for k in _LIST_COLUMNS}
        ends = (record["auc_raw"], record["auc_residual"])
        row["auc"] = "/".join("-" if x is None else f"{x:.2f}" for x in ends)
        row["auc"] += " !" if record["points_against"] else ""
        rows.append(list(row.values()))
    text = columns([list(_LIST_COLUMNS.values()), *rows], right={3})
    if any(r["points_against"] for r in records):
        text += (
            "\n! points against its direction, raw and as a residual; AUC for response"
            " before treatment, above 0.5 if higher in responders"
        )
    return text


def columns(rows: Sequence[Sequence[str]], right: set[int] | None = None) -> str:
    """Rows of text with columns aligned, those in `right` to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if i in (right or set()) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


# ------------------------------------------------------------------ show


def shown(book: Catalogue, name: str) -> Record:
    """Everything known about a signature, a readout without one, or a mechanism."""
    for signature in book.signatures:
        if signature.signature == name:
            return _signature(signature, book)
    for readout in book.readouts:
        if readout.readout == name:
            return {"readout": name, "readouts": [_readout(readout, book)]} | {
                "parts": [_signature(book.signature(s), book) for s in readout.signatures]
            }
    if name in {m.mechanism for m in book.mechanisms}:
        entry = book.mechanism(name)
        found = [_readout(r, book) for r in book.readouts_of(name)]
        return {**asdict(entry), "readouts": found}
    for absent in book.not_assessed:
        if name in (absent.mechanism, absent.item):
            return asdict(absent) | {"status": NOT_ASSESSED}
    raise UserError(f"there is no signature {name!r}", do="see resistpath signatures list")


def _signature(entry: Signature, book: Catalogue) -> Record:
    renamed = {new: old for old, new in entry.renamed}
    genes = [
        {"published": renamed.get(symbol, symbol), "symbol": symbol, "role": role}
        for role, symbols in (("up", entry.up), ("down", entry.down))
        for symbol in symbols
    ]
    used = [r for r in book.readouts if entry.signature in (r.readout, *r.signatures)]
    return {
        **asdict(entry),
        "genes": genes,
        "readouts": [_readout(r, book) for r in used],
    }


def _readout(readout: Readout, book: Catalogue) -> Record:
    entry = book.mechanism(readout.mechanism) if readout.mechanism else None
    check = book.direction_check(readout.readout)
    return {
        **asdict(readout),
        "mechanism_name": entry.name if entry else None,
        "axis": entry.axis if entry else None,
        "resistance_direction": entry.resistance_direction if entry else None,
        "resistance_timepoints": entry.resistance_timepoints if entry else None,
        "view": entry.read if entry else None,
        "timepoint_note": entry.timepoint_note if entry else None,
        "cluster": entry.cluster if entry else None,
        "cluster_members": [m.mechanism for m in book.cluster_of(entry.mechanism)] if entry else [],
        "directions": book.directions_of(readout.readout),
        "points_against": list(book.points_against(readout.readout)),
        "direction_check": asdict(check) if check else None,
    }


_SIGNATURE_LINES = (
    ("paper", "paper"),
    ("doi", "DOI"),
    ("table", "table"),
    ("read_from", "read from"),
    ("licence", "licence"),
    ("tier", "tier"),
    ("derivation", "derivation"),
    ("stated_direction", "stated by its authors"),
    ("caveats", "caveats"),
    ("replications", "replications"),
    ("failed_replications", "failed replications"),
)
_MECHANISM_LINES = (
    *("axis", "resistance_direction", "read", "resistance_timepoints", "diseases", "cluster"),
    *("definition", "rna_shows", "rna_cannot_show", "timepoint_note", "evidence"),
    *("evidence_against", "sources", "evidence_grade", "page"),
)


def shown_text(record: Record) -> str:
    """The same for people."""
    if record.get("status") == NOT_ASSESSED:
        return _lines(record["item"], [(k, record[k]) for k in ("status", "why", "test_instead")])
    parts = []
    if "signature" in record:
        parts.append(_signature_text(record))
    elif "definition" in record:
        title = f"{record['mechanism']}: {record['name']}"
        parts.append(_lines(title, [(k.replace("_", " "), record[k]) for k in _MECHANISM_LINES]))
    parts += [_readout_text(r) for r in record["readouts"]]
    parts += [_signature_text(s) for s in record.get("parts", ())]
    return "\n\n".join(parts)


def _signature_text(record: Record) -> str:
    lines = [(label, record[key]) for key, label in _SIGNATURE_LINES]
    size = f"{record['n_current']} genes now of {record['n_published']} published"
    lines.append(("size", size))
    for role, label in (("up", "genes"), ("down", "genes that lower the score")):
        names = [
            g["symbol"] if g["symbol"] == g["published"] else f"{g['symbol']} ({g['published']})"
            for g in record["genes"]
            if g["role"] == role
        ]
        if names:
            lines.append((label, ", ".join(names)))
    return _lines(f"{record['signature']}: {record['name']}", lines)


def _readout_text(record: Record) -> str:
    check, said = record["direction_check"], record["directions"]
    inputs = " minus ".join(filter(None, (record["up"], record["down"])))
    lines = [
        ("mechanism", f"{record['mechanism_name']} ({record['mechanism']})")
        if record["mechanism"]
        else ("mechanism", "none; context only"),
        ("axis", record["axis"]),
        ("scored by", f"{record['method']} of {inputs}, sign {record['sign']:+d}"),
        ("weight", f"{record['weight']:g}"),
        ("read before treatment", said["read"]),
        ("time points", record["resistance_timepoints"]),
        ("time-point note", record["timepoint_note"]),
        ("overlap cluster", _cluster_text(record)),
        ("direction check", "not made" if check is None else _check_text(check)),
        ("against", " and ".join(record["points_against"]) or None),
        ("note", record["note"]),
    ]
    return _lines(f"readout {record['readout']}: {record['name']}", lines)


def _cluster_text(record: Record) -> str:
    if not record["cluster"]:
        return "none"
    return f"{record['cluster']}, with {', '.join(record['cluster_members'])}"


def _check_text(check: Record) -> str:
    def view(name: str) -> str:
        auc, low, high = check[name]
        return f"{auc:.2f} ({low:.2f} to {high:.2f}), above 0.5 in {check[f'{name}_above']}"

    text = f"AUC for response in {check['n_cohorts']} cohorts ({check['n_responders']} responders,"
    text += f" {check['n_others']} others): raw {view('raw')}"
    return text + (f"; residual {view('residual')}" if check["residual"] else "")


def _lines(title: str, entries: Sequence[tuple[str, Any]]) -> str:
    kept = []
    for label, value in entries:
        text = "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
        if text not in (None, ""):
            kept.append((label, str(text)))
    width = max(len(label) for label, _ in kept)
    indent = " " * (width + 4)
    lines = [
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=f"  {label.ljust(width)}  ",
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for label, text in kept
    ]
    return "\n".join([title, *lines])


# ------------------------------------------------------------------ check


def check(path: Path) -> tuple[list[SetReport], tuple[str, ...]]:
    """Check a user's sets; also the columns that mean nothing here."""
    from resistpath.genes import universe

    file = read_user_sets(path)
    known = known_genes(file.names(), gene_names())
    symbols = frozenset(universe(gene_names())["symbol"])
    return list(check_sets(file, known, catalogue(), symbols)), file.unknown_columns


def check_record(path: Path, reports: Sequence[SetReport], unknown: Sequence[str]) -> Record:
    """The check as plain values."""
    return {
        "file": str(path),
        "sets": [
            asdict(r) | {"usable": r.usable, "n_listed": r.listed, "n_used": len(r.used)}
            for r in reports
        ],
        "n_usable": sum(r.usable for r in reports),
        "unknown_columns": list(unknown),
    }


def check_text(reports: Sequence[SetReport], unknown: Sequence[str]) -> str:
    """The check for people: one line per set, then what there is to say about each."""
    head = ["set", "genes", "used", "renamed", "left out", "scored by", "direction", "mechanism"]
    rows = [
        [
            r.name,
            str(r.listed),
            str(len(r.used)),
            str(r.count("renamed", "spreadsheet date")),
            str(r.count("ambiguous", "unknown", "damaged date", "not protein-coding")),
            r.method or "-",
            r.stated_direction,
            r.mechanism or "none",
            "" if r.usable else "CANNOT JOIN",
        ]
        for r in reports
    ]
    parts = [columns([[*head, ""], *rows], right={1, 2, 3, 4})]
    parts += [text for r in reports if (text := _report_text(r))]
    if unknown:
        names = ", ".join(unknown)
        parts.append(f"columns that mean nothing here, and that a run refuses: {names}")
    usable = sum(r.usable for r in reports)
    parts.append(f"{usable} of {len(reports)} sets can join the catalogue")
    return "\n\n".join(parts)


def _report_text(report: SetReport) -> str:
    entries: list[tuple[str, str]] = [("problem", text) for text in report.problems]
    entries += [("warning", text) for text in report.warnings]
    groups = {
        "renamed": ("renamed", "spreadsheet date"),
        "left out": ("ambiguous", "unknown", "damaged date", "not protein-coding"),
        "repeated": ("repeated",),
    }
    for label, statuses in groups.items():
        for m in report.members:
            if m.status in statuses:
                arrow = f" -> {m.symbol}" if m.symbol else ""
                entries.append((label, f"{m.published}{arrow} ({m.why})"))
    for o in report.overlaps[:MOST_OVERLAPS]:
        where = f", {o.mechanism}" if o.mechanism else ""
        where += f", cluster {o.cluster}" if o.cluster else ""
        entries.append(
            ("overlap", f"{o.shared} genes with {o.readout} ({o.size} genes{where}): {o.share:.0%}")
        )
    if (more := len(report.overlaps) - MOST_OVERLAPS) > 0:
        entries.append(("overlap", f"and with {more} more; --json lists them"))
    entries += [("note", text) for text in report.notes]
    return _lines(f"{report.name} (line {report.line})", entries) if entries else ""
