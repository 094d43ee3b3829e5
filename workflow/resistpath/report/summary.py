"""Three sentences for page one, written from the verdicts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resistpath.report.text import end_text, listed, percentile_text, plural, sentence
from resistpath.report.wording import READINGS, RESISTANCE, reference_label

Record = Mapping[str, Any]


def summary(
    quality: Record,
    reference: Record,
    mechanisms: Sequence[Record],
    further: Sequence[Record],
    not_assessed: Sequence[Record],
) -> list[str]:
    """What stands out and against whom; what cannot be told or is no sign; what was not seen.

    All count the mechanisms of page one; the first adds which of the `further` ones read as
    consistent with resistance.
    """
    if quality["verdict"] == "failed":
        return [
            "This sample failed its quality gate, so no mechanism, cell composition or gene is"
            " reported for it.",
            sentence(
                f"Quality {quality['headline']}: "
                + listed(m["label"] for m in quality["metrics"] if m["passed"] is False)
            ),
            "Nothing about resistance can be concluded from this page, neither its presence nor its"
            " absence.",
        ]
    blind = listed(
        (item["item"] for item in not_assessed), limit=2, more="other items listed below"
    )
    last = "These are levels of expression, not a forecast of response" + (
        f"; RNA in this form cannot show {blind}" if blind else ""
    )
    unread = [
        m["name"]
        for m in (*mechanisms, *further)
        if m[m["deciding"] or "raw"]["verdict"] == "not assessable"
    ]
    if unread:
        last += f"; not assessed in this sample: {listed(unread, limit=4, more='others')}"
    return [_found(reference, mechanisms, further), _rest(mechanisms), last + "."]


def _found(reference: Record, mechanisms: Sequence[Record], further: Sequence[Record]) -> str:
    found = sorted(
        (m for m in mechanisms if m["reading"] == RESISTANCE), key=lambda m: m["evidence_grade"]
    )
    also = [m["name"] for m in further if m["reading"] == RESISTANCE]
    start = ""
    if reference["fit"]["verdict"] == "fits poorly":
        start = "The sample fits the reference poorly and every position is doubtful. "
    start += f"Compared with {reference_label(reference)}, "
    others = ""
    if further:
        named = f" ({listed(also, limit=3)})" if also else ""
        verb = plural(max(len(also), 1), "does", "do")
        others = f"; of {len(further)} further ones {len(also) or 'none'} {verb}{named}"
    if not found:
        return (
            f"{start}none of the {len(mechanisms)} mechanisms of page one reads as consistent with"
            f" resistance{others}; this does not show that none is at work."
        )
    names = listed((_in_figures(m) for m in found), more="more in the table")
    return (
        f"{start}{len(found)} of the {len(mechanisms)} mechanisms of page one"
        f" {plural(len(found), 'reads', 'read')} as consistent with resistance: {names}{others}."
    )


def _rest(mechanisms: Sequence[Record]) -> str:
    """Count the other readings; name what lies outside the usual without being a sign."""
    by: dict[str, list[Record]] = {reading: [] for reading in READINGS}
    for m in mechanisms:
        by.setdefault(m["reading"], []).append(m)
    _, unseen, unclear, context = (by[reading] for reading in READINGS)
    parts = []
    if unclear:
        names = listed((m["name"] for m in unclear), limit=4, more="others")
        parts.append(f"{len(unclear)} cannot be told either way ({names})")
    if unseen:
        parts.append(f"{len(unseen)} {plural(len(unseen), 'was', 'were')} looked for and not seen")
    if context:
        parts.append(
            f"{len(context)} {plural(len(context), 'is', 'are')} shown as context only, never as"
            " resistance"
        )
    clauses = [listed(parts)] if parts else []
    odd = [
        f"{m['name']} ({m[view]['verdict']})"
        for m in mechanisms
        if m["reading"] != RESISTANCE
        and m[view := m["deciding"] or "raw"]["verdict"] in ("high", "low")
    ]
    if odd:
        names = listed(odd, limit=4, more="others")
        clauses.append(
            f"{names} {plural(len(odd), 'lies', 'lie')} outside the usual, but not as"
            " resistance does"
        )
    flipped = [
        m["name"]
        for m in mechanisms
        if m["raw"]["verdict"] == "high" and m["residual"]["verdict"] in ("typical", "low")
    ]
    if flipped:
        names = listed(flipped, limit=3, more="others")
        verb = plural(len(flipped), "is", "are")
        clauses.append(f"{names} {verb} high only until T-cell inflammation is accounted for")
    return sentence("; ".join(clauses))


def _in_figures(mechanism: Record) -> str:
    """Name a finding with the value its reading rests on, and its interval."""
    parts = []
    for kind in mechanism["highlight"]:
        value = mechanism[kind]
        if value["percentile"] is None:
            continue
        text = f"{kind} percentile {percentile_text(value['percentile'])}"
        if value["low"] is not None and value["high"] is not None:
            text += f", 90 % interval {end_text(value['low'])}–{end_text(value['high'])}"
        parts.append(text)
    parts.append(f"evidence {mechanism['evidence_grade']}")
    return f"{mechanism['name']} ({'; '.join(parts)})"
