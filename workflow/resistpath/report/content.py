"""Everything a page says, as plain records that JSON can hold.

A record holds no markup and no rounded number: rendering decides how a number looks, the record
says what it is. Missing values are None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from resistpath.provenance import RESEARCH_USE_ONLY
from resistpath.report import wording
from resistpath.report.text import plain, words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Catalogue, Readout
    from resistpath.mechanisms.hypotheses import Hypothesis
    from resistpath.mechanisms.rules import Rule

from resistpath.report.cohort import cohort_content
from resistpath.report.composition import agreement, composition, general_caveats
from resistpath.report.elsewhere import other_references, places_elsewhere
from resistpath.report.findings import (
    TRIED_NOTE,
    phenotype_record,
    rule_records,
    rules_in_words,
    tried_records,
)
from resistpath.report.genes import SampleGenes, leading
from resistpath.report.mechanism import described, finding, readout_record, short_readout
from resistpath.report.parts import (
    SCHEMA_VERSION,
    by_axis,
    check_known,
    inflamed_mechanism,
    not_assessed,
    parameters,
    preparation_record,
    quality_record,
    records,
    reference_record,
    software_record,
    summarise_reference,
    summarise_values,
    truth,
)
from resistpath.report.scorers import by_method
from resistpath.report.summary import summary

__all__ = [
    "SCHEMA_VERSION",
    "cohort_content",
    "sample_content",
    "summarise_reference",
    "summarise_values",
]


Record = dict[str, Any]

_IDENTITY = (
    ("patient", "Patient"),
    ("timepoint", "Time point"),
    ("cancer_type", "Disease"),
    ("cohort", "Cohort"),
    ("treatment", "Treatment"),
)


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
    genes: SampleGenes | None = None,
    methods: Mapping[str, Mapping[str, float]] | None = None,
    elsewhere: pd.DataFrame | None = None,
    phenotype: pd.DataFrame | None = None,
    rules: pd.DataFrame | None = None,
    rule_book: Sequence[Rule] = (),
    hypotheses: Sequence[Hypothesis] = (),
) -> Record:
    """Everything one sample's page says.

    Mechanisms of page one have a card each, with the reference values of every readout; further
    ones stand in one table, their readouts in short. A failed quality gate empties both lists,
    `composition` and `key_genes` and gives the reason in `withheld`.

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
    genes
        Level and place of every gene of the sample.
    methods
        Per scoring method, the percentile of each set readout in the reference.
    elsewhere
        Places of this sample in further references (``mechanisms.references.tsv``).
    phenotype, rules
        Immune phenotype and answers to the rules, restricted to this sample; None if not asked.
    rule_book, hypotheses
        The tables behind them, and what has been tried against mechanisms.

    Raises
    ------
    UserError
        If the tables name a mechanism or readout the catalogue does not have.
    """
    name = words(sample, "unnamed sample")
    identity, sheet = _identity(name, obs)
    ref = reference_record(reference, sample)
    gates = quality_record(records(quality))
    check_known(mechanisms, "mechanism", (m.mechanism for m in catalogue.mechanisms))
    check_known(readouts, "readout", (r.readout for r in catalogue.readouts))
    if not isinstance(reference_readouts, Mapping):
        reference_readouts = summarise_reference(reference_readouts)
    withheld = gates["verdict"] == "failed"
    found: list[Record] = []
    further: list[Record] = []
    context: list[Record] = []
    if not withheld:
        rows = {str(r["mechanism"]): r for r in records(mechanisms)}
        places = places_elsewhere(elsewhere)
        values = {str(r["readout"]): r for r in records(readouts)}
        inflamed = inflamed_mechanism(catalogue)
        signatures = {s.signature: s for s in catalogue.signatures}

        def shown(r: Readout) -> Record:
            record = readout_record(r, values.get(r.readout), signatures, reference_readouts)
            return record | {
                "leading": leading(r, record["raw"]["percentile"], genes),
                "by_method": by_method(r.readout, r.method, methods),
            }

        for entry in catalogue.mechanisms:
            record = described(entry) | finding(entry, rows.get(entry.mechanism), ref, inflamed)
            record["elsewhere"] = places.get(entry.mechanism, [])
            own = [r for r in catalogue.readouts if r.mechanism == entry.mechanism]
            if entry.page == "one":
                found.append(record | {"readouts": [shown(r) for r in own]})
                continue
            short = [
                short_readout(
                    readout_record(r, values.get(r.readout), signatures, reference_readouts)
                )
                for r in own
            ]
            further.append(record | {"readouts": short})
        context = [shown(r) for r in catalogue.readouts if r.mechanism is None]
    absent = not_assessed(catalogue)
    cells = [] if withheld else composition(fractions)
    answers = [] if withheld else rule_records(rules, rule_book, catalogue)
    used = [r.method for r in catalogue.readouts] + [part["method"] for part in cells]
    return {
        "schema": "resistpath sample report",
        "schema_version": SCHEMA_VERSION,
        "statement": RESEARCH_USE_ONLY,
        "software": software_record(software),
        "sample": name,
        "identity": identity,
        "sheet": sheet,
        "reference": ref,
        "other_references": [] if withheld else other_references(elsewhere),
        "quality": gates,
        "withheld": {"reasons": gates["reasons"]} if withheld else None,
        "summary": summary(gates, ref, found, further, absent),
        "axes": by_axis(found),
        "mechanisms": found,
        "further_axes": by_axis(further),
        "further_mechanisms": further,
        "context_readouts": context,
        "phenotype": None if withheld else phenotype_record(phenotype),
        "rules": answers,
        "rules_in_words": rules_in_words(answers),
        "tried": tried_records(hypotheses, [*found, *further]),
        "tried_note": TRIED_NOTE,
        "not_assessed": absent,
        "composition": cells,
        "cell_agreement": agreement(cells),
        "cell_caveats": general_caveats() if cells else [],
        "key_genes": [] if withheld else _genes(key_genes, catalogue),
        "genes": None if withheld or genes is None else genes.record(),
        "preparation": preparation_record(preparation),
        "methods": wording.methods(ref, parameters(thresholds), used),
    }


def _genes(frame: pd.DataFrame, catalogue: Catalogue) -> list[Record]:
    """Key genes by group, in the catalogue's order; one without a row was not measured."""
    rows = {words(row["gene"]): row for row in records(frame)}
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
                "low_count": bool(row and truth(row["low_count"])),
            }
        )
    return [{"group": group, "genes": genes} for group, genes in groups.items()]


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
