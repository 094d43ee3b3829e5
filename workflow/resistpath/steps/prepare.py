"""prepare: a matrix and its sample sheet become one h5ad on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.api import gene_lengths, linear_symbols, read_expression
from resistpath.errors import UserError, some
from resistpath.expression import Expression
from resistpath.io.fetch.record import RECORD, expression_path
from resistpath.io.prepared import Prepared, write_prepared
from resistpath.io.resources import gene_table
from resistpath.io.tables import read_sample_sheet, write_table
from resistpath.normalise import log2_plus_one, to_tpm
from resistpath.provenance import VERSION, file_sha256, path_sha256
from resistpath.quality import failed_gates, quality_metrics
from resistpath.steps import Progress, silent
from resistpath.units import parse_units


def prepare(
    folder: Path,
    expression: Path,
    *,
    cohort: str,
    gates: Mapping[str, float],
    samples: Path | None = None,
    units: str = "auto",
    gene_id: str = "auto",
    cancer_type: str = "",
    format: str = "auto",
    layer: str | None = None,
    tx2gene: Path | None = None,
    say: Progress = silent,
) -> None:
    """Write ``prepared.h5ad``, ``quality.tsv`` and ``genes.tsv`` from a matrix and its sheet."""
    if expression.name == RECORD:
        expression = expression_path(expression)
    say(f"reading {expression}")
    raw = read_expression(expression, units, gene_id, format=format, layer=layer, tx2gene=tx2gene)
    notes: list[str] = list(raw.report["notes"])
    sheet = read_sample_sheet(samples) if samples else raw.report["samples"]
    values, obs = _annotate(raw.values, sheet, samples or expression, cancer_type, notes)
    raw = Expression(values, raw.units, raw.gene_id, raw.report)
    say(f"{values.shape[0]:,} rows x {values.shape[1]} samples; {raw.units}; {raw.gene_id}")
    linear, genes, kind = linear_symbols(raw)
    unit = parse_units(raw.units)
    bases = gene_lengths().reindex(linear.index)
    unmeasured = bases.index[bases.isna()]
    if len(unmeasured):
        notes.append(f"{len(unmeasured)} genes without a length were left out: {some(unmeasured)}.")
        linear = linear.drop(index=unmeasured)
    tpm = to_tpm(linear, unit, bases.dropna())
    counts = linear if unit.quantity == "counts" else None
    n_universe = int((gene_table()["biotype"] == "protein_coding").sum())
    quality = quality_metrics(tpm, counts, n_universe, gates)
    preparation = _preparation(raw, kind, genes, linear, unit.quantity, notes)
    preparation |= {
        "cohort": cohort,
        "version": VERSION,
        "expression_sha256": path_sha256(expression),
        "samples_sha256": file_sha256(samples) if samples else None,
    }
    say(f"{len(linear):,} protein-coding genes; {len(failed_gates(quality))} samples fail quality")
    prepared = Prepared(log2_plus_one(tpm).astype(np.float32), obs, preparation, counts)
    write_table(folder / "quality.tsv", quality)
    write_table(folder / "genes.tsv", genes)
    write_prepared(folder / "prepared.h5ad", prepared)


def _annotate(
    values: pd.DataFrame,
    sheet: pd.DataFrame | None,
    where: Path,
    cancer_type: str,
    notes: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring matrix and sheet to the same samples, in the matrix's order."""
    if sheet is None:
        obs = pd.DataFrame(index=pd.Index(values.columns, name="sample"))
        notes.append("No sample sheet: time points are unknown and each sample is one patient.")
    else:
        both = [s for s in values.columns if s in sheet.index]
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


def _preparation(
    raw: Expression,
    kind: str,
    genes: pd.DataFrame,
    linear: pd.DataFrame,
    quantity: str,
    notes: list[str],
) -> dict[str, Any]:
    actions = genes["action"].value_counts()
    if quantity in ("counts", "normalised_counts", "cpm"):
        notes.append(f"Gene lengths turned {quantity.replace('_', ' ')} into TPM.")
    else:
        notes.append("Values were rescaled to one million per sample over protein-coding genes.")
    return {
        "format": raw.report["format"],
        "units": raw.units,
        "units_how": raw.report["units_how"],
        "gene_id": kind,
        "to": "log2(TPM+1)",
        "n_input_rows": len(genes),
        "n_genes": len(linear),
        "n_renamed": int(actions.get("renamed", 0)),
        "n_merged": int(actions.get("merged", 0)),
        "n_dropped": int(actions.get("dropped", 0)),
        "notes": notes,
    }
