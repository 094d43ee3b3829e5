"""differential: genes and gene sets that go with response in one cohort."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from resistpath.cohort import differential as genes
from resistpath.cohort import enrichment, samples
from resistpath.cohort.moderated import standard_residuals
from resistpath.errors import UserError
from resistpath.io.files import write_json
from resistpath.io.prepared import Prepared, read_prepared, read_sheet
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.records import Catalogue, Readout
from resistpath.quality import failed_gates
from resistpath.score.gseapy_backend import prerank
from resistpath.steps import Progress, silent
from resistpath.steps.compare import COVARIATES, check_timepoint, confounded, leakage_marks

OUTPUTS = ("differential.tsv", "prerank.tsv", "differential.json")
METHODS = ("auto", "pydeseq2", "limma", "none")
FOUND = 0.1
"""q below which a gene or set is counted as found."""
MOST_PATIENTS = 200
"""Patients up to whom ``auto`` takes PyDESeq2, whose time grows with them."""
SINGLE = ("gene", "ratio", "fraction")
"""Readouts that are no gene set."""


@dataclass(frozen=True)
class Ranked:
    """The contrast, gene by gene.

    Attributes
    ----------
    genes
        Columns as `resistpath.cohort.differential.COLUMNS`.
    facts
        What was done, for differential.json.
    residuals
        Patients x genes, log2(TPM+1): what the model leaves, see
        `resistpath.cohort.moderated.standard_residuals`.
    df
        Residual degrees of freedom.
    """

    genes: pd.DataFrame
    facts: dict[str, Any]
    residuals: pd.DataFrame = field(default_factory=pd.DataFrame)
    df: int = 0


def choose(method: str, prepared: Prepared, patients: int) -> tuple[str, str]:
    """Return ``pydeseq2`` or ``limma``, and why."""
    if method == "limma":
        return method, "asked for"
    if method == "auto" and patients > MOST_PATIENTS:
        return "limma", f"more than {MOST_PATIENTS} patients"
    if prepared.counts is not None and genes.are_whole(prepared.counts):
        return "pydeseq2", "the cohort was given as reads"
    if method == "pydeseq2":
        raise UserError(
            "PyDESeq2 needs reads as whole numbers, which this cohort was not prepared from",
            where="differential.method",
            do="use auto or limma",
        )
    if prepared.counts is not None:
        return "limma", "the reads are estimates, not whole numbers"
    return "limma", "the cohort was not given as reads"


def arms(
    obs: pd.DataFrame, selection: samples.Selection, covariates: Sequence[str]
) -> tuple[genes.Arms, dict[str, Any]]:
    """Who is compared, and what is to be said of it."""
    sheet, _ = samples.patient_sheet(selection, obs)
    positive = samples.responders(sheet)
    compared = genes.arms(positive, sheet, covariates)
    responders, others = compared.sizes
    facts: dict[str, Any] = {
        "responders_known": int(positive.sum()),
        "non_responders_known": int((~positive).sum()),
        "responders": responders,
        "non_responders": others,
        "adjusted_for": list(compared.adjusted_for),
        "covariates_left_out": compared.dropped,
        "patients_left_out": dict.fromkeys(compared.incomplete, "a covariate is missing"),
        "absent": compared.absent,
    }
    if not compared.absent:
        facts["confounded"] = confounded(sheet.loc[compared.columns.index])
    return compared, facts


def by_patient(
    values: pd.DataFrame, selection: samples.Selection, patients: pd.Index
) -> pd.DataFrame:
    """Patients x genes: the mean over a patient's samples.

    Parameters
    ----------
    values
        Genes x samples.
    """
    groups = {str(p): selection.groups[str(p)] for p in patients}
    if all(len(g) == 1 for g in groups.values()):  # as it is, in float32
        table = values[[g[0] for g in groups.values()]].T
        return table.set_axis(patients, axis=0)
    chosen = samples.Selection(selection.timepoint, selection.rule, groups, {})
    return samples.represent(chosen, values.T)


def rank_genes(
    prepared: Prepared,
    selection: samples.Selection,
    compared: genes.Arms,
    *,
    method: str,
    level: float,
    wanted: Collection[str],
) -> Ranked:
    """Contrast responders with non-responders among the patients of a selection.

    A patient's samples are averaged on the logarithmic scale; reads are summed. `wanted` are the
    genes whose residuals are needed.
    """
    patients = compared.columns.index
    chosen, reason = choose(method, prepared, len(patients))
    values = by_patient(prepared.values, selection, patients)
    if chosen == "pydeseq2" and prepared.counts is not None:
        several = pd.Series({p: len(selection.groups[str(p)]) for p in patients})
        counts = by_patient(prepared.counts, selection, patients).mul(several, axis=0)
        table, facts = genes.negative_binomial(counts, compared, level=level)
        # In tumours a few outlying samples make such models find too much; say what is left.
        other, _ = genes.linear(values, compared, level=level)
        facts["genes_found_linear"] = int((other["q"] < FOUND).sum())
    else:
        table, facts = genes.linear(values, compared, level=level)
    facts = {"method": chosen, "method_reason": reason, **facts, "genes": len(table)}
    facts["genes_found"] = int((table["q"] < FOUND).sum())
    if table.empty:
        facts["absent"] = "hardly a gene is expressed in enough patients"
    kept = sorted(set(wanted).intersection(table["gene"]))
    rest = standard_residuals(values[kept], compared.columns)
    return Ranked(table, facts, rest, len(patients) - compared.columns.shape[1])


def rank_sets(
    by_gene: Ranked,
    book: Catalogue,
    cohort: str,
    *,
    permutations: int,
    smallest: int,
    seed: int,
) -> tuple[pd.DataFrame, int]:
    """Every gene set of the catalogue along the ranking, and the number of genes that tie."""
    ranked, ties = enrichment.ranking(by_gene.genes)
    readouts, sets = _sets(book)
    known = set(ranked.index)
    tested = {
        enrichment.term(*key): members
        for key, members in sets.items()
        if smallest <= len(known.intersection(members)) < len(known)
    }
    found = pd.DataFrame()
    if tested:
        found = prerank(ranked, tested, threads=1, permutations=permutations, seed=seed)
    scores = enrichment.as_normal(by_gene.genes)
    correlated = enrichment.correlated_test(scores, by_gene.residuals, tested, by_gene.df)
    names = [r.readout for r in readouts]
    marks = leakage_marks([("readout", name) for name in names], cohort)
    return enrichment.prerank_table(
        found,
        correlated,
        sets,
        ranked.index,
        mechanisms={r.readout: str(r.mechanism) for r in readouts if r.mechanism},
        leakage=dict(zip(names, marks, strict=True)),
        smallest=smallest,
        permutations=permutations,
    ), ties


def _sets(book: Catalogue) -> tuple[list[Readout], dict[tuple[str, str], list[str]]]:
    """Readouts that are scored from a set, and the genes of each side."""
    readouts = [r for r in book.readouts if r.method not in SINGLE]
    return readouts, {
        (r.readout, side): members
        for r in readouts
        for side, members in enrichment.sides(r.genes_up, r.genes_down)
    }


def differential(
    folder: Path,
    *,
    timepoint: str = "pre",
    covariates: Sequence[str] = COVARIATES,
    replicates: samples.Rule = "mean",
    level: float = 0.95,
    method: str = "limma",
    permutations: int = 1000,
    min_size: int = 5,
    seed: int = 1,
    signatures: Path | None = None,
    say: Progress = silent,
) -> None:
    """Write ``comparison/``: differential.tsv, prerank.tsv, differential.json.

    The tables are empty, and the record says why, where the cohort has not both outcomes, where
    response cannot be told from a covariate, or with the method ``none``.
    """
    check_timepoint(timepoint)
    if method not in METHODS:
        raise UserError(
            f"there is no method {method!r}",
            where="differential.method",
            do=f"use {', '.join(METHODS)}",
        )
    facts: dict[str, Any] = {"timepoint": timepoint, "replicates": replicates, "level": level}
    tables = [pd.DataFrame(columns=list(c)) for c in (genes.COLUMNS, enrichment.COLUMNS)]
    if method == "none":
        facts["absent"] = "switched off"
    else:
        obs = read_sheet(folder / "prepared.h5ad")
        selection = samples.select(
            obs,
            timepoint=timepoint,
            failed=failed_gates(read_table(folder / "quality.tsv")),
            rule=replicates,
        )
        compared, who = arms(obs, selection, covariates)
        facts |= who
    if not facts["absent"]:
        # A large cohort's reads are not needed, and take twice the memory of its values.
        few = sum(compared.sizes) <= MOST_PATIENTS
        reads = method == "pydeseq2" or (method == "auto" and few)
        prepared = read_prepared(folder / "prepared.h5ad", counts=reads)
        book = catalogue(signatures)
        wanted = {gene for members in _sets(book)[1].values() for gene in members}
        ranked = rank_genes(
            prepared, selection, compared, method=method, level=level, wanted=wanted
        )
        facts |= ranked.facts
        tables[0] = ranked.genes
    if not facts["absent"]:
        options = {"permutations": permutations, "smallest": min_size, "seed": seed}
        tables[1], ties = rank_sets(ranked, book, folder.resolve().name, **options)
        facts |= {"permutations": permutations, "min_size": min_size, "seed": seed, "ties": ties}
        facts["sets"] = int(tables[1]["nes"].notna().sum())
        facts["sets_found"] = int((tables[1]["q_correlated"] < FOUND).sum())
    out = folder / "comparison"
    out.mkdir(parents=True, exist_ok=True)
    write_table(out / OUTPUTS[0], tables[0])
    write_table(out / OUTPUTS[1], tables[1])
    write_json(out / OUTPUTS[2], facts)
    if facts["absent"]:
        say(f"nothing compared: {facts['absent']}")
        return
    say(
        f"{facts['method']}: {facts['responders']} responders, {facts['non_responders']}"
        f" non-responders; {facts['genes_found']} of {facts['genes']} genes and"
        f" {facts['sets_found']} of {facts['sets']} sets (their genes' correlation counted)"
        f" with q < {FOUND:g}"
    )
    if "genes_found_linear" in facts:
        say(f"a linear model of log2(TPM+1) finds {facts['genes_found_linear']} genes")
    for note in facts["notes"]:
        say(f"note: {note}")
    for column, note in facts["confounded"].items():
        say(f"warning: {column}: {note}")
