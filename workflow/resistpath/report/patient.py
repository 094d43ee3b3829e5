"""Everything the page of one patient says: then and now, and the patterns between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from resistpath.errors import UserError
from resistpath.provenance import RESEARCH_USE_ONLY
from resistpath.report import wording
from resistpath.report.findings import named
from resistpath.report.parts import (
    inflamed_mechanism,
    records,
    reference_record,
    software_record,
)
from resistpath.report.text import doi_url, listed, words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Catalogue
    from resistpath.mechanisms.patterns import Pattern

Record = dict[str, Any]
VIEWS = ("raw", "residual")
ABOUT = (
    ("cancer_type", "Disease"),
    ("treatment", "Treatment"),
    ("response", "Response"),
    ("response_binary", "Responder"),
)
"""Columns of the sample sheet that a patient's page repeats; response only where it is known."""
NOTE = (
    "A change is a difference of normal scores in the reference: 1 is the step from its median to"
    " its 84th percentile. It is called up or down if its whole 90 % interval lies beyond zero."
)
WITHOUT_NOISE = (
    "No biopsy noise is counted in: the reference holds no two biopsies of one patient without"
    " treatment in between. The changes say that two samples differ, not that the tumour changed."
)


def patient_content(
    patient: str,
    *,
    sheet: pd.DataFrame,
    pairs: pd.DataFrame,
    patterns: pd.DataFrame,
    pattern_book: Sequence[Pattern],
    reference: Mapping[str, Any],
    catalogue: Catalogue,
    software: Mapping[str, Any],
    links: Mapping[str, str],
) -> Record:
    """Everything one patient's page says.

    Parameters
    ----------
    sheet
        Rows of the sample sheet for this patient's samples.
    pairs, patterns
        As in ``pairs.tsv`` and ``patterns.tsv``, already restricted to this patient.
    links
        Address of each sample's page from the cohort folder, by sample.

    Returns
    -------
    dict
        One entry under ``steps`` per pair of time points: its samples, the change of every
        mechanism in both views, and the answer to every pattern.
    """
    known = {p.pattern: p for p in pattern_book}
    answers = records(patterns)
    steps = []
    for (start, end), rows in pairs.groupby(["from_timepoint", "to_timepoint"], sort=False):
        here = records(rows)
        own = [r for r in answers if (r["from_timepoint"], r["to_timepoint"]) == (start, end)]
        mechanisms = _mechanisms(here, catalogue)
        answered = [_pattern(r, known, catalogue) for r in own]
        steps.append(
            {
                "start": wording.TIME_POINTS.get(str(start), words(start)),
                "end": wording.TIME_POINTS.get(str(end), words(end)),
                "before": _samples(here[0]["from_sample"], links),
                "after": _samples(here[0]["to_sample"], links),
                "summary": _in_short(mechanisms, answered),
                "mechanisms": mechanisms,
                "patterns": answered,
                "note": NOTE,
                "noise": "" if any(r["biopsy_sd"] is not None for r in here) else WITHOUT_NOISE,
            }
        )
    return {
        "statement": RESEARCH_USE_ONLY,
        "schema": "resistpath patient page",
        "schema_version": "1.0",
        "software": software_record(software),
        "patient": words(patient, "unnamed patient"),
        "about": _about(sheet),
        "reference": reference_record(reference, None),
        "steps": steps,
    }


def _about(sheet: pd.DataFrame) -> list[Record]:
    """What the sheet says of the patient; every value where it differs between samples."""
    found = []
    for column, label in ABOUT:
        given = sheet[column].dropna() if column in sheet else pd.Series(dtype=object)
        values = list(dict.fromkeys(text for v in given if (text := words(v))))
        if values or not column.startswith("response"):
            value = "; ".join(values) or "not stated"
            found.append({"field": column, "label": label, "value": value})
    return found


def _in_short(mechanisms: Sequence[Record], patterns: Sequence[Record]) -> str:
    """Which mechanisms of page one moved, as measured and as residuals, and which patterns hold."""
    first = [m for m in mechanisms if m["page"] == "one"]
    said = []
    for view, name in (("raw", "As measured"), ("residual", "Given T-cell inflammation")):
        moved = [
            f"{way}: {listed(names, limit=len(first))}"
            for way in ("up", "down")
            if (names := [m["name"] for m in first if m[view]["outcome"] == way])
        ]
        said.append(f"{name}, {'; '.join(moved) or 'none is clearly up or down'}.")
    met = [p["name"] for p in patterns if p["outcome"] == "met"]
    if patterns:
        said.append(f"Pattern met: {listed(met)}." if met else "No pattern is met.")
    return f"{len(first)} mechanisms of page one. {' '.join(said)}"


def _samples(joined: Any, links: Mapping[str, str]) -> list[Record]:
    """Samples of one time point; a name that holds the separator stays whole if it is known."""
    text = words(joined)
    parts = [text] if text in links else text.split("; ")
    return [{"sample": name, "link": links.get(name)} for name in parts]


def _mechanisms(rows: Sequence[Record], catalogue: Catalogue) -> list[Record]:
    found = {(r["item"], r["view"]): r for r in rows if r["kind"] == "mechanism"}
    inflamed = inflamed_mechanism(catalogue)
    return [
        {
            "mechanism": m.mechanism,
            "name": words(m.name),
            "page": m.page,
            "has_residual": m.mechanism != inflamed,
            **{view: _change(found[m.mechanism, view]) for view in VIEWS},
        }
        for m in catalogue.mechanisms
        if all((m.mechanism, view) in found for view in VIEWS)
    ]


def _change(row: Record) -> Record:
    return {
        "outcome": words(row["outcome"], "cannot say"),
        "reason": words(row["reason"]),
        "change": {key: row[key] for key in ("delta", "low", "high")},
        **{
            when: {
                "percentile": row[f"{end}_percentile"],
                "low": row[f"{end}_low"],
                "high": row[f"{end}_high"],
            }
            for when, end in (("before", "from"), ("after", "to"))
        },
    }


def _pattern(row: Record, known: Mapping[str, Pattern], catalogue: Catalogue) -> Record:
    entry = known.get(str(row["pattern"]))
    if entry is None:
        raise UserError(
            f"patterns.tsv names {row['pattern']!r}, which is not in the table of patterns",
            do="run the steps again from assess",
        )
    figures = named(words(row["figures"]), catalogue)
    return {
        "pattern": entry.pattern,
        "name": words(entry.name),
        "resistance": entry.resistance,
        "outcome": words(row["outcome"], "cannot say"),
        "figures": figures.split("; ") if figures else [],
        "reason": named(words(row["reason"]), catalogue),
        "conclusion": words(entry.conclusion),
        "caveat": words(entry.caveat),
        "evidence": words(entry.evidence),
        "evidence_against": words(entry.evidence_against),
        "evidence_grade": entry.evidence_grade,
        "sources": [{"text": words(s), "url": doi_url(s)} for s in entry.sources],
    }
