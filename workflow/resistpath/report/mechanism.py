"""Records of one mechanism and its readouts: what was found, and what is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from resistpath.report import wording
from resistpath.report.text import doi_url, first_phrase, plain, words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Mechanism, Readout, Signature

from resistpath.report.parts import interval, truth

Record = dict[str, Any]
_PLAIN = re.compile(r" \(correlation [^)]*\)$")  # page one gives the figure once, at its head


def _deciding(mechanism: Mechanism) -> str | None:
    """Return which of raw and residual a reading rests on; None for context."""
    return None if mechanism.resistance_direction == "context" else mechanism.read


def _cite(text: str) -> Record:
    return {"text": words(text), "url": doi_url(text)}


def finding(
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
    short = _PLAIN.sub("", first_phrase(reason))
    if reading == "context only" and row["verdict"] != "not assessable":
        short = wording.no_reading(entry)
    return {
        "reading": reading,
        "highlight": [deciding] if deciding and reading == wording.RESISTANCE else [],
        "deciding": deciding if reading != "context only" else None,
        "has_residual": entry.mechanism != inflamed,
        "raw": {
            "verdict": words(row["verdict"], "not assessable"),
            **(interval(row) if "percentile" in row else blank),
        },
        "residual": {
            "verdict": words(row["residual_verdict"], "not assessable"),
            **(interval(row, "residual_") if "residual_percentile" in row else blank),
        },
        "reason": reason,
        "reason_short": short,
        "n_readouts": row["n_readouts"],
        "concordance": row["concordance"],
        "reference": words(row["reference"], reference["name"]),
        "reference_n": row["reference_n"] if row["reference_n"] is not None else reference["n"],
    }


@lru_cache(maxsize=1024)
def described(entry: Mechanism) -> Record:
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


def readout_record(
    entry: Readout,
    row: Record | None,
    signatures: Mapping[str, Signature],
    reference: Mapping[str, Record | None],
) -> Record:
    """Return one readout: what it is, its values, and its distribution in the reference."""
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
        "assessable": bool(row and truth(row["assessable"])),
        "reason": words(row["reason"]) if row else "no record for this sample",
        "raw": {
            "percentile": row["percentile"],
            "low": row["percentile_low"],
            "high": row["percentile_high"],
        }
        if row
        else blank,
        "residual": interval(row, "residual_") if row else dict(blank),
        "reference": reference.get(entry.readout),
    }


def short_readout(record: Record) -> Record:
    """Return a readout without its reference values, its signatures by id alone."""
    keys = ("readout", "name", "method", "sign", "inverted", "weight", "note", "score", "low")
    more = ("high", "coverage", "n_genes", "assessable", "reason", "raw", "residual")
    return {key: record[key] for key in (*keys, *more)} | {
        "signatures": [s["signature"] for s in record["signatures"]],
        "exploratory": any(s["exploratory"] for s in record["signatures"]),
    }


@lru_cache(maxsize=4096)
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
        "replications": words(signature.replications),
        "failed_replications": words(signature.failed_replications),
    }
