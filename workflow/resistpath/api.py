"""The Python interface: the shipped tables joined to the pure functions.

Import these names from the package itself: ``import resistpath as rp``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.deconvolve import METHODS as DECONVOLVE_METHODS
from resistpath.deconvolve import deconvolve as deconvolve_with
from resistpath.expression import Expression
from resistpath.genes import detect_gene_id, harmonise
from resistpath.io.gene_sets import read_gmt
from resistpath.io.matrix import read_matrix
from resistpath.io.resources import (
    deconvolution_tables,
    gene_lengths,
    gene_names,
    score_table,
)
from resistpath.methods import GeneSet, Method
from resistpath.normalise import normalise as normalise_values
from resistpath.normalise import tmm_factors
from resistpath.score import METHODS as SCORE_METHODS
from resistpath.score import score as score_sets
from resistpath.score.ips import immunophenoscore as score_immunophenoscore
from resistpath.units import parse_units

METHODS: dict[str, dict[str, Method]] = {
    "score": SCORE_METHODS,
    "deconvolve": DECONVOLVE_METHODS,
}
__all__ = [
    "METHODS",
    "deconvolve",
    "gene_lengths",
    "immunophenoscore",
    "linear_symbols",
    "linear_tpm",
    "normalise",
    "read_expression",
    "score",
    "tmm_factors",
]


def read_expression(
    path: Path | str,
    units: str = "auto",
    gene_id: str = "auto",
    *,
    format: str = "auto",
    layer: str | None = None,
    tx2gene: Path | str | None = None,
) -> Expression:
    """Read an expression matrix and find out its format, unit and kind of gene identifier.

    Parameters
    ----------
    path
        File, or folder with one file per sample.
    units
        ``"auto"`` or a unit such as ``"counts"`` or ``"log2(tpm+1)"``.
    gene_id
        ``"auto"``, ``"symbol"``, ``"entrez"``, ``"ensembl"`` or ``"symbol|entrez"``.
    format
        ``"auto"`` or a format of `resistpath.io.readers.FORMATS`.
    layer
        Which of several values to read, where a format holds several.
    tx2gene
        Table of transcript and gene, for Salmon and kallisto.

    Returns
    -------
    Expression
        The values as they stand in the file; `normalise` brings them to one scale and to
        current gene symbols. ``report`` says how format, unit and identifiers were decided:
        ``units_evidence`` has a row per sample where the unit was read from the values;
        ``samples`` is the annotation that came with the file, if any.

    Raises
    ------
    UserError
        If the file cannot be read, or unit or identifiers are ambiguous.
    """
    e = read_matrix(path, units, gene_id, format=format, layer=layer, tx2gene=tx2gene)
    kind, report = e.gene_id, e.report
    if kind == "auto":
        kind, shares = detect_gene_id(e.values.index, gene_names())
        report = report | {"gene_id_evidence": shares}
    return Expression(e.values.astype(np.float64), e.units, kind, report)


def normalise(
    expression: Expression,
    to: str = "log2_tpm",
    lengths: Mapping[str, float] | pd.Series | None = None,
) -> Expression:
    """Bring a matrix to current symbols of protein-coding genes and to one scale.

    Parameters
    ----------
    expression
        As `read_expression` returns it.
    to
        ``"log2_tpm"``, ``"tpm"``, ``"log2_cpm"``, or ``"linear"`` for the values as they are, by
        current symbol and without their logarithm.
    lengths
        Gene lengths in bases by the matrix's own identifiers; identifiers then stay as they
        are. By default identifiers are mapped to the gene table and its lengths are used.

    Returns
    -------
    Expression
        ``report["genes"]`` says what became of every input row.
    """
    if lengths is not None:
        return normalise_values(expression, to, lengths)
    linear, genes, kind = linear_symbols(expression)
    units = parse_units(expression.units)
    report = {**expression.report, "genes": genes}
    flat = Expression(linear, units.quantity, kind, report)
    if to == "linear":
        return flat
    return normalise_values(flat, to, gene_lengths())


def linear_symbols(expression: Expression) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Linear values by current symbol, what became of each row, and the kind of identifier.

    Rows of one gene are summed; of several probes of an array the one with the highest mean is
    kept.
    """
    units = parse_units(expression.units)
    merge = "max_mean" if units.quantity == "intensity" else "sum"
    return harmonise(units.linear(expression.values), gene_names(), expression.gene_id, merge=merge)


def score(
    values: pd.DataFrame,
    gene_sets: Mapping[str, Iterable[str] | GeneSet] | Iterable[GeneSet] | Path | str,
    method: str = "ssgsea",
    **options: Any,
) -> pd.DataFrame:
    """Score gene sets in every sample; see `resistpath.score.score`.

    `gene_sets` may also be the path of a GMT file.
    """
    if isinstance(gene_sets, str | Path):
        gene_sets = read_gmt(gene_sets)
    return score_sets(values, gene_sets, method, **options)


def immunophenoscore(values: pd.DataFrame) -> pd.DataFrame:
    """Immunophenoscore with the shipped table of its genes; see `resistpath.score.ips`.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1), current symbols, all genes.
    """
    return score_immunophenoscore(values, score_table("immunophenoscore"))


def deconvolve(tpm: pd.DataFrame, method: str = "quantiseq", **options: Any) -> pd.DataFrame:
    """Estimate cell types in every sample with the shipped tables.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM, gene symbols.
    method
        A name in ``METHODS["deconvolve"]``.
    **options
        Passed to the method.

    Returns
    -------
    pandas.DataFrame
        Samples x cell types.
    """
    return deconvolve_with(tpm, method, deconvolution_tables(), **options)


def linear_tpm(log2_tpm: pd.DataFrame) -> pd.DataFrame:
    """TPM from log2(TPM+1), genes x samples, float64."""
    rows = np.exp2(np.ascontiguousarray(log2_tpm.to_numpy(dtype=np.float64).T)) - 1.0
    return pd.DataFrame(rows.T, index=log2_tpm.index, columns=log2_tpm.columns)
