"""Named rules on one sample: what several readouts say together.

The rules are data (``resources/catalogue/rules.tsv``). A rule is asked of each sample alone and
answered ``met``, ``not met`` or ``cannot say``; its answer depends on the sample and the
reference only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from resistpath.mechanisms.conditions import CANNOT_SAY, MET, Condition, parse, together
from resistpath.mechanisms.diseases import diseases_of, unreadable
from resistpath.mechanisms.records import Catalogue
from resistpath.mechanisms.rows import refuse_repeats, rows
from resistpath.mechanisms.standing import Standings

TABLE: Final = "rules.tsv"
COLUMNS: Final = (
    "rule",
    "name",
    "conditions",
    "conclusion",
    "caveat",
    "evidence",
    "evidence_against",
    "sources",
    "evidence_grade",
    "diseases",
)
GRADES: Final = ("A", "B", "C")
OUTCOME_COLUMNS: Final = ("sample", "rule", "name", "outcome", "figures", "reason")


@dataclass(frozen=True)
class Rule:
    """A named rule on one sample.

    Attributes
    ----------
    rule, name
        Id, and what a reader sees.
    conditions
        All must hold.
    conclusion, caveat
        What may be said where they do, and what must be said with it.
    evidence, evidence_against, sources, evidence_grade
        As for mechanisms.
    diseases
        Diseases in which it is read; empty if in any.
    """

    rule: str
    name: str
    conditions: tuple[Condition, ...]
    conclusion: str
    caveat: str
    evidence: str
    evidence_against: str
    sources: tuple[str, ...]
    evidence_grade: str
    diseases: tuple[str, ...]


def build_rules(frame: pd.DataFrame, catalogue: Catalogue) -> tuple[Rule, ...]:
    """Turn the table of rules into records, after checking it against the catalogue.

    Raises
    ------
    UserError
        If a cell is empty or outside its vocabulary, an id occurs twice, a condition cannot be
        read, or names something the catalogue does not know. The message names the line.
    """
    records = tuple(
        Rule(
            rule=row.identifier("rule"),
            name=row.text("name"),
            conditions=parse(row, catalogue),
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
    refuse_repeats([r.rule for r in records], "ids occur twice:", TABLE)
    return records


def evaluate_rules(
    rules: tuple[Rule, ...], standings: Standings, diseases: pd.Series[str]
) -> pd.DataFrame:
    """Ask every rule of every sample.

    Parameters
    ----------
    diseases
        Disease of each sample, as a sample sheet writes it; missing where unknown.

    Returns
    -------
    pandas.DataFrame
        Sample by sample, with `OUTCOME_COLUMNS`: the answer, the figures that decided it
        (percentile and interval against each condition) and the reason in words.
    """
    records = []
    for i, sample in enumerate(standings.samples):
        disease = diseases.get(sample)
        barred = standings.barred.get(str(sample), "")
        doubted = standings.doubtful.get(str(sample))
        for rule in rules:
            figures, why = "", barred or unreadable(rule.diseases, disease)
            outcome = CANNOT_SAY
            if not why:
                outcome, figures, why = _ask(rule, standings, i)
                if doubted is not None:
                    outcome, why = CANNOT_SAY, doubted
            records.append((sample, rule.rule, rule.name, outcome, figures, why))
    return pd.DataFrame(records, columns=list(OUTCOME_COLUMNS))


def _ask(rule: Rule, standings: Standings, i: int) -> tuple[str, str, str]:
    answers, figures, missing = [], [], []
    for condition in rule.conditions:
        standing = standings.of(condition.item, condition.view)
        if np.isnan(standing.z[i]):
            answers.append(CANNOT_SAY)
            missing.append(f"{condition.item}: {standing.reasons[i]}")
            figures.append(f"{condition}: no value")
            continue
        answers.append(condition.level(float(standing.low[i]), float(standing.high[i])))
        figures.append(f"{condition}: {standing.figures(i)}, {answers[-1]}")
    outcome = together(answers)
    if outcome == MET:
        reason = "every interval lies wholly where its condition wants it"
    elif outcome == CANNOT_SAY:
        reason = missing[0] if missing else "an interval crosses the bound of its condition"
    else:
        first = next(
            c for c, a in zip(rule.conditions, answers, strict=True) if a not in (MET, CANNOT_SAY)
        )
        reason = f"the interval lies wholly on the other side of '{first}'"
    return outcome, "; ".join(figures), reason
