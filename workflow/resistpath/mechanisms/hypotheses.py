"""Combination hypotheses: what has been tried against a mechanism, and how it fared.

The table (``resources/catalogue/hypotheses.tsv``) reports trials and experiments, successes and
failures alike. It recommends nothing: a wording that does is refused when the table is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.mechanisms.records import Catalogue
from resistpath.mechanisms.rows import Row, refuse_repeats, rows

TABLE: Final = "hypotheses.tsv"
COLUMNS: Final = (
    "hypothesis",
    "mechanism",
    "drug_class",
    "agents",
    "setting",
    "status",
    "selected_by",
    "finding",
    "citation",
    "checked",
    "evidence_grade",
    "read_in",
)
STATUS: Final = (
    "randomised trial met its endpoint",
    "randomised trial failed",
    "randomised trials, met and failed",
    "randomised phase 2 signal",
    "subgroup of a randomised trial",
    "single-arm signal",
    "preclinical only",
)
"""How the combination fared, from best to least known; failures are shown, not left out."""
GRADES: Final = (
    "prospective assay",
    "replicated in three or more ICI cohorts",
    "one cohort",
    "preclinical",
)
"""How well the mechanism's expression readout is tied to outcome of ICI."""
ADVICE: Final = re.compile(
    r"\b(should|recommend\w*|advis\w*|consider\w*|eligible|candidate for|indicated|prefer\w*"
    r"|would benefit|treat with|switch to|offer\w*)\b",
    re.IGNORECASE,
)
_CITATION = re.compile(r"PMID:\d{6,9}|PMC\d{6,9}|NCT\d{8}|doi:10\.\d{4,9}/\S+|https://\S+")


@dataclass(frozen=True)
class Hypothesis:
    """One drug class tried against one mechanism together with checkpoint inhibition.

    Attributes
    ----------
    hypothesis
        Id.
    mechanism
        Id of the mechanism.
    drug_class, agents
        What was tried.
    setting
        Disease, line and comparator.
    status
        One of `STATUS`.
    selected_by
        What patients were selected by, as far as it bears on the mechanism; ``none`` where the
        trial took all comers, so that it says nothing about the mechanism's readout.
    finding
        What was found, in one or two sentences.
    citations
        PMIDs, PMC ids, NCT numbers and DOIs; an address where none could be confirmed.
    checked
        Date on which the source was read, ISO 8601.
    evidence_grade
        One of `GRADES`.
    read_in
        Where the source was read.
    """

    hypothesis: str
    mechanism: str
    drug_class: str
    agents: str
    setting: str
    status: str
    selected_by: str
    finding: str
    citations: tuple[str, ...]
    checked: str
    evidence_grade: str
    read_in: tuple[str, ...]


def build_hypotheses(frame: pd.DataFrame, catalogue: Catalogue) -> tuple[Hypothesis, ...]:
    """Turn the table of hypotheses into records, after checking it.

    Raises
    ------
    UserError
        If a cell is empty or outside its vocabulary, a mechanism is unknown, a citation is not
        a PMID, PMC id, NCT number, DOI or address, a date is not one, or a sentence gives advice.
    """
    mechanisms = {m.mechanism for m in catalogue.mechanisms}
    records = []
    for row in rows(frame, TABLE, COLUMNS):
        mechanism = row.identifier("mechanism")
        if mechanism not in mechanisms:
            raise UserError(f"mechanism {mechanism!r} is not in mechanisms.tsv", where=row.where)
        records.append(
            Hypothesis(
                hypothesis=row.identifier("hypothesis"),
                mechanism=mechanism,
                drug_class=_plain(row, "drug_class"),
                agents=_plain(row, "agents"),
                setting=_plain(row, "setting"),
                status=row.word("status", STATUS),
                selected_by=_plain(row, "selected_by"),
                finding=_plain(row, "finding"),
                citations=_citations(row),
                checked=_date(row),
                evidence_grade=row.word("evidence_grade", GRADES),
                read_in=row.parts("read_in", ";"),
            )
        )
    refuse_repeats([h.hypothesis for h in records], "ids occur twice:", TABLE)
    return tuple(records)


def hypotheses_of(table: tuple[Hypothesis, ...], mechanism: str) -> tuple[Hypothesis, ...]:
    """Hypotheses of one mechanism, in the order of the table."""
    return tuple(h for h in table if h.mechanism == mechanism)


def _plain(row: Row, column: str) -> str:
    text = row.text(column)
    if found := ADVICE.search(text):
        raise UserError(
            f"column {column!r} says {found.group(0)!r}, which reads as advice",
            where=row.where,
            do="report what was tried and what was found",
        )
    return text


def _citations(row: Row) -> tuple[str, ...]:
    citations = row.parts("citation", ";")
    wrong = [c for c in citations if not _CITATION.fullmatch(c)]
    if wrong:
        raise UserError(
            f"column 'citation' holds {some(wrong)}",
            where=row.where,
            do="write PMID:…, PMC…, NCT…, doi:10.… or an address",
        )
    return citations


def _date(row: Row) -> str:
    text = row.text("checked")
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])", text):
        raise UserError(f"column 'checked' is {text!r}", where=row.where, do="write YYYY-MM-DD")
    return text
