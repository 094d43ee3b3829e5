"""Records of what several readouts say together: phenotype, rules, and what has been tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from resistpath.errors import UserError
from resistpath.report import wording
from resistpath.report.parts import records
from resistpath.report.text import doi_url, listed, words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Catalogue
    from resistpath.mechanisms.hypotheses import Hypothesis
    from resistpath.mechanisms.rules import Rule

Record = dict[str, Any]
PHENOTYPES = ("inflamed", "excluded", "desert")
_ITEM = re.compile(r"\b(readout|mechanism|given):(\w+)")
PHENOTYPE_NOTE = (
    "The probabilities cover measurement only. Bulk RNA shows how many T cells there are, not where"
    " they stand: that needs a slide."
)
TRIED_NOTE = (
    "A record of trials, not a recommendation. Most took all comers, so that they say nothing about"
    " the RNA readout."
)


def phenotype_record(frame: pd.DataFrame | None) -> Record | None:
    """Return coordinates, probabilities and label of one sample; None without a row."""
    row = None if frame is None else next(iter(records(frame)), None)
    if row is None:
        return None
    axes = (("x", "T-cell inflammation"), ("y", "stromal TGF-β response"))
    return {
        "phenotype": words(row["phenotype"], "cannot say"),
        "probabilities": [{"phenotype": k, "probability": row[f"p_{k}"]} for k in PHENOTYPES],
        "coordinates": [
            {
                "coordinate": key,
                "name": name,
                "percentile": row[key],
                "low": row[f"{key}_low"],
                "high": row[f"{key}_high"],
            }
            for key, name in axes
        ],
        "reason": words(row["reason"]),
        "note": PHENOTYPE_NOTE,
    }


def named(text: str, catalogue: Catalogue) -> str:
    """Return a condition or a reason with names in place of ids."""
    names = {("mechanism", m.mechanism): m.name for m in catalogue.mechanisms}
    for r in catalogue.readouts:
        names["readout", r.readout] = r.name
        names["given", r.readout] = f"given {r.name}"
    return _ITEM.sub(lambda found: names.get((found[1], found[2]), found[0]), text)


def rule_records(
    frame: pd.DataFrame | None, rules: Sequence[Rule], catalogue: Catalogue
) -> list[Record]:
    """Return the answer to each rule, with what may be said where it is met."""
    known = {r.rule: r for r in rules}
    out = []
    for row in [] if frame is None else records(frame):
        entry = known.get(str(row["rule"]))
        if entry is None:
            raise UserError(
                f"rules.tsv names {row['rule']!r}, which is not in the table of rules",
                do="run the steps again from assess",
            )
        figures = named(words(row["figures"]), catalogue)
        out.append(
            {
                "rule": entry.rule,
                "name": words(entry.name),
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
        )
    return out


def rules_in_words(rules: Sequence[Record]) -> str:
    """One sentence on the rules of a sample for page one.

    >>> rules_in_words([{"name": "A", "outcome": "met"}, {"name": "B", "outcome": "not met"}])
    'Met: A. Not met: 1 of 2 rules.'
    """
    if not rules:
        return ""
    names = {o: [r["name"] for r in rules if r["outcome"] == o] for o in ("met", "not met")}
    unknown = len(rules) - len(names["met"]) - len(names["not met"])
    met = f"Met: {listed(names['met'], 9)}." if names["met"] else "Met: none."
    rest = [("Not met", len(names["not met"])), ("Cannot say", unknown)]
    return " ".join([met, *(f"{word}: {n} of {len(rules)} rules." for word, n in rest if n)])


def tried_records(hypotheses: Iterable[Hypothesis], mechanisms: Sequence[Record]) -> list[Record]:
    """Return what has been tried against the mechanisms read as resistance in this sample."""
    table = list(hypotheses)
    out = []
    for x in mechanisms:
        entries = [_tried(h) for h in table if h.mechanism == x["mechanism"]]
        if entries and x["reading"] == wording.RESISTANCE:
            out.append({"mechanism": x["mechanism"], "name": x["name"], "entries": entries})
    return out


def _tried(h: Hypothesis) -> Record:
    return {
        "drug_class": words(h.drug_class),
        "agents": words(h.agents),
        "setting": words(h.setting),
        "status": h.status,
        "selected_by": words(h.selected_by),
        "finding": words(h.finding),
        "citations": [{"text": c, "url": address(c)} for c in h.citations],
        "checked": h.checked,
        "evidence_grade": h.evidence_grade,
    }


def address(citation: str) -> str | None:
    """Address of a citation of the table of hypotheses.

    >>> address("PMID:123456"), address("NCT01234567")
    ('https://pubmed.ncbi.nlm.nih.gov/123456/', 'https://clinicaltrials.gov/study/NCT01234567')
    >>> address("javascript:alert(1)") is None
    True
    """
    kind, _, rest = citation.partition(":")
    if kind == "PMID":
        return f"https://pubmed.ncbi.nlm.nih.gov/{rest}/"
    if kind == "doi":
        return doi_url(rest)
    if citation.startswith("PMC"):
        return f"https://pmc.ncbi.nlm.nih.gov/articles/{citation}/"
    if citation.startswith("NCT"):
        return f"https://clinicaltrials.gov/study/{citation}"
    return citation if kind == "https" else None
