"""prepare: a matrix and its sample sheet become one h5ad on one scale."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import Expression, count_missing, over_sample_blocks
from resistpath.genes import GeneMap, lengths, map_genes, universe
from resistpath.identifiers import turn_table
from resistpath.io.fetch.record import RECORD, expression_path
from resistpath.io.files import file_states, need_unchanged
from resistpath.io.matrix import read_matrix
from resistpath.io.prepared import PreparedFile, preparing
from resistpath.io.readers.numeric import release_memory
from resistpath.io.resources import gene_table
from resistpath.io.tables import file_annotation, read_sample_sheet, write_table
from resistpath.normalise import log2_plus_one, to_tpm
from resistpath.provenance import VERSION, file_sha256, path_sha256
from resistpath.quality import (
    Gates,
    SampleFigures,
    by_sample,
    cohort_confounding,
    cohort_quality,
    failed_gates,
    judge_samples,
    truncation,
    unit_rows,
)
from resistpath.steps import Progress, silent
from resistpath.units import PER_LENGTH, READS, Units, parse_units, require

MOST_MISSING = 0.3
"""A gene with a missing value in any sample is lost to all, so no sample may lack more."""


@dataclass(frozen=True)
class _Input:
    """A matrix with everything that decides what becomes of it."""

    raw: Expression
    unit: Units
    genes: GeneMap
    coding: pd.DataFrame
    lengths: pd.Series
    obs: pd.DataFrame
    gates: Gates

    @property
    def reads(self) -> bool:
        """Whether the values are numbers of reads."""
        return self.unit.quantity in READS


@dataclass(frozen=True)
class _Block:
    """Some samples as they are written, and what was measured of them.

    Attributes
    ----------
    levels, counts
        Genes x samples: log2(TPM+1), and reads if the input was reads.
    figures
        Samples x figures, of `SampleFigures`.
    xist
        XIST in parts per million of the input by sample, if it is in it.
    """

    levels: pd.DataFrame
    counts: pd.DataFrame | None
    figures: pd.DataFrame
    xist: pd.Series | None


def prepare(
    folder: Path,
    expression: Path,
    *,
    cohort: str,
    gates: Gates | None = None,
    samples: Path | None = None,
    units: str = "auto",
    gene_id: str = "auto",
    cancer_type: str = "",
    format: str = "auto",
    layer: str | None = None,
    tx2gene: Path | None = None,
    threads: int = 1,
    say: Progress = silent,
) -> None:
    """Write ``prepared.h5ad`` and what was decided on the way from a matrix and its sheet.

    ``genes.tsv`` says what became of every row, ``quality.tsv`` what each sample's own values
    show, ``quality.cohort.tsv`` what its samples show beside each other, and
    ``confounding.tsv`` which columns of the sheet are aligned with the response. `threads` work
    on blocks of samples; they change no byte.
    """
    if threads < 1:
        raise UserError(f"threads must be 1 or more, not {threads}", where="prepare")
    if expression.name == RECORD:
        expression = expression_path(expression)
    say(f"reading {expression}")
    states = file_states(*(path for path in (expression, samples) if path and path.exists()))
    given, about = _input_of(
        read_matrix(
            expression, units, gene_id, format=format, layer=layer, tx2gene=tx2gene, threads=threads
        ),
        samples or expression,
        read_sample_sheet(samples) if samples else None,
        cancer_type,
        gates or Gates(),
        {
            "cohort": cohort,
            "version": VERSION,
            "expression_sha256": path_sha256(expression),
            "samples_sha256": file_sha256(samples) if samples else None,
        },
    )
    rows, columns = given.raw.values.shape[0], given.raw.values.columns
    say(f"{rows:,} rows x {len(columns)} samples; {given.raw.units}; {given.genes.kind}")
    obs, genes, gates = given.obs, given.genes, given.gates
    evidence = given.raw.report["units_evidence"]
    path = folder / "prepared.h5ad"
    with (
        ThreadPoolExecutor(1) as beside,  # the file is sealed meanwhile
        preparing(path, genes.genes, obs, about, counts=given.reads) as file,
    ):
        quality, xist = _add_blocks(file, given, threads)
        del given  # the levels of the cohort are read back in half the memory
        release_memory()
        levels = file.levels(genes.genes, columns)
        together = beside.submit(_together, levels, obs, quality, xist, gates)
    if evidence is not None:
        evidence = evidence[evidence["sample"].isin(columns)]
        quality = by_sample([quality, unit_rows(evidence)], columns)
    say(f"{about['n_genes']:,} protein-coding genes; {len(failed_gates(quality))} samples fail")
    write_table(folder / "genes.tsv", genes.report)
    write_table(folder / "quality.cohort.tsv", together.result())
    write_table(folder / "confounding.tsv", cohort_confounding(obs, gates=gates))
    write_table(folder / "quality.tsv", quality)
    need_unchanged(states)


def _input_of(
    raw: Expression,
    where: Path,
    sheet: pd.DataFrame | None,
    cancer_type: str,
    gates: Gates,
    known: dict[str, Any],
) -> tuple[_Input, dict[str, Any]]:
    """What decides what becomes of a matrix; with what is `known`, all that is to be kept of it."""
    notes: list[str] = []
    if sheet is None and raw.report["samples"] is not None:
        sheet, notes = file_annotation(raw.report["samples"])
    about = {
        "format": raw.report["format"],
        "units": raw.units,
        "units_how": raw.report["units_how"],
        "to": "log2(TPM+1)",
        "notes": list(raw.report["notes"]),
        "cohort_notes": [],  # depend on its samples
    } | known
    values, obs = _annotate(raw.values, sheet, where, cancer_type, about)
    about["cohort_notes"] = notes + about["cohort_notes"]
    raw = Expression(values, raw.units, raw.gene_id, raw.report)
    unit = parse_units(raw.units)
    require(unit, "tpm")
    _check_samples(values, unit)
    names = turn_table(gene_table())  # its look-ups take 60 MB, for as long as rows are resolved
    found, coding, bases = map_genes(values, names, raw.gene_id), universe(names), lengths(names)
    del names
    release_memory()
    facts = _gene_facts(found, unit)
    about["notes"] += facts.pop("notes")
    return _Input(raw, unit, found, coding, bases, obs, gates), about | facts


def _add_blocks(
    file: PreparedFile, given: _Input, threads: int
) -> tuple[pd.DataFrame, pd.Series | None]:
    """Bring block by block to log2(TPM+1); return each sample's quality and its XIST."""
    broken = truncation(given.genes.genes, given.coding)
    measure = SampleFigures(given.genes.genes, given.lengths).measure
    lengths = given.lengths.reindex(given.genes.genes)

    def brought(values: pd.DataFrame) -> _Block:
        part = given.genes.apply(given.unit.linear(values))
        counts = part.matrix if given.reads else None
        tpm = to_tpm(part.matrix, given.unit, lengths)
        xist = part.per_million("XIST")
        found = measure(tpm, counts=counts, biotypes=part.biotypes, xist=xist)
        return _Block(log2_plus_one(tpm), counts, found, xist)

    figures, xist = [], []
    for block in over_sample_blocks(given.raw.values, brought, threads):
        file.add(block.levels, block.counts)
        figures.append(block.figures)
        if block.xist is not None:
            xist.append(block.xist)
    quality = judge_samples(
        pd.concat(figures),
        coverage=len(given.genes.genes) / len(given.coding),
        gates=given.gates,
        broken=broken,
        sex=given.obs.get("sex"),
    )
    return quality, pd.concat(xist) if xist else None


def _together(
    levels: pd.DataFrame,
    obs: pd.DataFrame,
    quality: pd.DataFrame,
    xist: pd.Series | None,
    gates: Gates,
) -> pd.DataFrame:
    """What the samples of a cohort show beside each other."""
    slopes = quality[quality["metric"] == "length_slope"].set_index("sample")["value"]
    return cohort_quality(
        levels,
        gates=gates,
        patient=obs.get("patient"),
        group=obs.get("sample_type"),
        xist=xist,
        slopes=slopes,
    )


def _annotate(
    values: pd.DataFrame,
    sheet: pd.DataFrame | None,
    where: Path,
    cancer_type: str,
    about: dict[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring matrix and sheet to the same samples, in the matrix's order."""
    notes: list[str] = about["cohort_notes"]
    if sheet is None:
        obs = pd.DataFrame(index=pd.Index(values.columns, name="sample"))
        about["notes"].append(
            "No sample sheet: time points are unknown and each sample is one patient."
        )
    else:
        both = [s for s in values.columns if s in sheet.index]
        if not both and sheet.index.isin(values.index).any():
            raise UserError(
                f"the samples of the sheet ({some(sheet.index, 3)}) are rows of the matrix, whose"
                f" columns ({some(values.columns, 3)}) are no known genes",
                where=str(where),
                do="write genes by symbol, Entrez or Ensembl id, one per row",
            )
        if not both:
            raise UserError(
                f"no sample of the sheet ({some(sheet.index, 3)}) is a column of the matrix"
                f" ({some(values.columns, 3)})",
                where=str(where),
                do="the column 'sample' must hold the matrix's column names",
            )
        extra = [s for s in values.columns if s not in sheet.index]
        absent = [s for s in sheet.index if s not in set(values.columns)]
        if extra:
            notes.append(
                f"{len(extra)} columns are not in the sample sheet and were left out:"
                f" {some(extra, 10)}."
            )
        if absent:
            notes.append(
                f"{len(absent)} samples of the sheet are not in the matrix: {some(absent, 10)}."
            )
        values, obs = values[both], sheet.loc[both]
    if cancer_type and "cancer_type" not in obs:
        obs = obs.assign(cancer_type=cancer_type)
    return values, obs


def _check_samples(values: pd.DataFrame, unit: Units) -> None:
    """Refuse samples without expression, or whose gaps would cost all samples their genes."""
    array = values.to_numpy()
    if not unit.log:
        empty = np.fmax.reduce(array, axis=0) <= 0
        if empty.any():
            raise UserError(
                f"every value of {some(values.columns[empty])} is zero or missing",
                where="expression matrix",
                do="remove empty samples from the matrix",
            )
    few = values.columns[count_missing(values)[1] / len(values) > MOST_MISSING]
    if len(few):
        raise UserError(
            f"{len(few)} of {values.shape[1]} samples lack more than {MOST_MISSING:.0%} of the"
            f" values: {some(few)}",
            where="expression matrix",
            do="leave them out: a gene missing in one sample is lost to all",
        )


def _gene_facts(found: GeneMap, unit: Units) -> dict[str, Any]:
    actions = found.report["action"].value_counts()
    lost = found.report["reason"].str.startswith("missing values").sum()
    notes = [
        "Values were rescaled to one million per sample over protein-coding genes."
        if unit.quantity in PER_LENGTH
        else f"Gene lengths turned {unit.quantity.replace('_', ' ')} into TPM."
    ]
    if lost:
        notes.append(f"{lost} genes with missing values in some samples were left out.")
    return {
        "gene_id": found.kind,
        "n_input_rows": len(found.report),
        "n_genes": len(found.genes),
        **{f"n_{a}": int(actions.get(a, 0)) for a in ("renamed", "merged", "dropped")},
        "notes": notes,
    }
