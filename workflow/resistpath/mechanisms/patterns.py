"""Patterns in time: what several changes in one patient say together.

The patterns are data (``resources/catalogue/patterns.tsv``). Each names the steps between time
points at which it may be read and the kind of resistance it belongs to. Primary and acquired
resistance are kept apart: a pattern of acquired resistance is not read in a patient who, by the
sample sheet, never responded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.mechanisms.conditions import (
    CANNOT_SAY,
    CHANGE,
    EARLIER,
    MET,
    Condition,
    parse,
    together,
)
from resistpath.mechanisms.diseases import diseases_of, unreadable
from resistpath.mechanisms.pairs import STEPS, WITHOUT_NOISE, Pair, change, doubt, level_at
from resistpath.mechanisms.records import Catalogue
from resistpath.mechanisms.rows import Row, is_missing, refuse_repeats, rows
from resistpath.mechanisms.rules import GRADES
from resistpath.mechanisms.standing import Standings

TABLE: Final = "patterns.tsv"
COLUMNS: Final = (
    "pattern",
    "name",
    "resistance",
    "steps",
    "conditions",
    "conclusion",
    "caveat",
    "evidence",
    "evidence_against",
    "sources",
    "evidence_grade",
    "diseases",
)
ACQUIRED, ON_TREATMENT = "acquired", "on-treatment"
RESISTANCE: Final = (ACQUIRED, ON_TREATMENT)
NOT_READ: Final = "not read"
OUTCOME_COLUMNS: Final = (
    *("patient", "from_timepoint", "to_timepoint", "pattern", "name", "resistance"),
    *("outcome", "figures", "reason"),
)


@dataclass(frozen=True)
class Pattern:
    """A named pattern of changes between two time points.

    Attributes
    ----------
    pattern, name
        Id, and what a reader sees.
    resistance
        ``acquired``: read where a patient responded first, or where that is unknown;
        ``on-treatment``: what treatment does to the tumour, whatever the response.
    steps
        Pairs of time points at which it may be read.
    conditions
        All must hold.
    conclusion, caveat, evidence, evidence_against, sources, evidence_grade, diseases
        As in `resistpath.mechanisms.rules.Rule`.
    """

    pattern: str
    name: str
    resistance: str
    steps: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]
    conclusion: str
    caveat: str
    evidence: str
    evidence_against: str
    sources: tuple[str, ...]
    evidence_grade: str
    diseases: tuple[str, ...]


def build_patterns(frame: pd.DataFrame, catalogue: Catalogue) -> tuple[Pattern, ...]:
    """Turn the table of patterns into records, after checking it against the catalogue."""
    records = tuple(
        Pattern(
            pattern=row.identifier("pattern"),
            name=row.text("name"),
            resistance=row.word("resistance", RESISTANCE),
            steps=_steps(row),
            conditions=parse(row, catalogue, in_time=True),
            conclusion=row.text("conclusion"),
            caveat=row.text("caveat"),
            evidence=row.text("evidence"),
            evidence_against=row.text("evidence_against"),
            sources=row.parts("sources", ";"),
            evidence_grade=row.word("evidence_grade", GRADES),
            diseases=diseases_of(row),
        )
        for row in rows(frame, TABLE, COLUMNS)
    )
    refuse_repeats([p.pattern for p in records], "ids occur twice:", TABLE)
    return records


def _steps(row: Row) -> tuple[tuple[str, str], ...]:
    known = {f"{start}>{end}": (start, end) for start, end in STEPS}
    words = row.parts("steps", ",")
    unknown = [w for w in words if w not in known]
    if unknown:
        raise UserError(
            f"column 'steps' holds {some(unknown)}",
            where=row.where,
            do=f"use a list out of {some(known, 9)}",
        )
    return tuple(known[w] for w in words)


def read_patterns(
    patterns: Sequence[Pattern],
    pairs: Sequence[Pair],
    standings: Standings,
    obs: pd.DataFrame,
    noise: Mapping[str, float],
    level: float,
) -> pd.DataFrame:
    """Ask every pattern of every pair of time points at which it may be read.

    Parameters
    ----------
    obs
        Sample sheet by sample; ``response_binary`` (R or NR) keeps primary and acquired
        resistance apart, ``cancer_type`` the diseases.
    noise, level
        See `resistpath.mechanisms.pairs.compare_pairs`.

    Returns
    -------
    pandas.DataFrame
        Long, with `OUTCOME_COLUMNS`.
    """
    records = []
    for pair in pairs:
        response, disease = (
            _of(pair, obs, standings, c) for c in ("response_binary", "cancer_type")
        )
        for p in patterns:
            if (pair.start, pair.end) not in p.steps:
                continue
            figures, why = "", _unread(p, response, disease)
            outcome = NOT_READ
            if not why:
                outcome, figures, why = _ask(p, pair, standings, noise, level)
                if doubted := doubt(pair, standings):
                    outcome, why = CANNOT_SAY, doubted
                if p.resistance == ACQUIRED and response is None and outcome == MET:
                    why += "; whether the patient responded first is not stated"
            records.append(
                (
                    *(pair.patient, pair.start, pair.end, p.pattern, p.name, p.resistance),
                    *(outcome, figures, why),
                )
            )
    return pd.DataFrame(records, columns=list(OUTCOME_COLUMNS))


def _of(pair: Pair, obs: pd.DataFrame, standings: Standings, column: str) -> str | None:
    """What the sheet says of the patient in a column; None if nothing or two different things."""
    if column not in obs:
        return None
    said = {obs[column].get(standings.samples[i]) for i in pair.before + pair.after}
    words = {str(w) for w in said if not is_missing(w)}
    return words.pop() if len(words) == 1 else None


def _unread(pattern: Pattern, response: str | None, disease: str | None) -> str:
    if pattern.resistance == ACQUIRED and response == "NR":
        return "the patient did not respond first: primary resistance, not acquired"
    return unreadable(pattern.diseases, disease, "this patient has")


def _ask(
    pattern: Pattern, pair: Pair, standings: Standings, noise: Mapping[str, float], level: float
) -> tuple[str, str, str]:
    answers, figures, missing, noiseless = [], [], "", False
    for condition in pattern.conditions:
        answer, figure, why = _answer(condition, pair, standings, noise, level)
        answers.append(answer)
        figures.append(f"{condition}: {figure}")
        missing = missing or why
        noiseless |= condition.of == CHANGE and f"{condition.item} {condition.view}" not in noise
    outcome = together(answers)
    if outcome == MET:
        reason = "every interval lies wholly where its condition wants it"
        reason += f"; {WITHOUT_NOISE}" if noiseless else ""
    elif outcome == CANNOT_SAY:
        reason = missing or "an interval holds zero or crosses the bound of its condition"
    else:
        first = next(
            c
            for c, a in zip(pattern.conditions, answers, strict=True)
            if a not in (MET, CANNOT_SAY)
        )
        reason = f"the interval lies wholly on the other side of '{first}'"
    return outcome, "; ".join(figures), reason


def _answer(
    condition: Condition,
    pair: Pair,
    standings: Standings,
    noise: Mapping[str, float],
    level: float,
) -> tuple[str, str, str]:
    """Answer, figures, and why there is no value."""
    standing = standings.of(condition.item, condition.view)
    out = standings.barred
    before, after = (
        level_at(standing, places, standings.samples, out) for places in (pair.before, pair.after)
    )
    if condition.of == CHANGE:
        c = change(before, after, noise.get(f"{condition.item} {condition.view}"), level)
        if np.isnan(c.delta):
            return CANNOT_SAY, "no value", c.reason
        answer = condition.shift(c.outcome)
        return answer, f"{c.delta:+.2f} ({c.low:+.2f} to {c.high:+.2f}), {answer}", ""
    at = before if condition.of == EARLIER else after
    if at.reason:
        return CANNOT_SAY, "no value", at.reason
    answer = condition.level(at.low, at.high)
    return answer, f"{at.percentile:.0f} ({at.low:.0f}–{at.high:.0f}), {answer}", ""
