"""What treats each sample alone: the same sample gives the same bytes in any company."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import Expression, samples_by_genes
from resistpath.units import PER_LENGTH, Units, parse_units, require

MILLION = 1e6

Floats = npt.NDArray[np.float64]


def _per_million(rows: Floats, samples: pd.Index, *, own: bool = False) -> Floats:
    """Rows scaled to a million each; in place if the array is the caller's own."""
    total = rows.sum(axis=1, keepdims=True)
    if (total <= 0).any():
        raise UserError(
            f"no expression in {some(samples[(total <= 0).ravel()])}",
            do="remove empty samples from the matrix",
        )
    out: Floats = np.divide(rows, total, out=rows if own else None)
    out *= MILLION
    return out


def bases(genes: pd.Index, lengths: Mapping[str, float] | pd.Series) -> pd.Series:
    """Length of each gene; one without is an error."""
    out = pd.Series(lengths, dtype=float).reindex(genes)
    missing = out.index[~(out > 0)]
    if len(missing):
        raise UserError(
            f"{len(missing)} genes have no length: {some(missing)}",
            where="lengths",
            do="drop these genes or add their lengths",
        )
    return out


def to_tpm(
    values: pd.DataFrame, units: Units, lengths: Mapping[str, float] | pd.Series | None = None
) -> pd.DataFrame:
    """Transcripts per million over the genes given.

    ``TPM_g = 10^6 (x_g / l_g) / sum_h (x_h / l_h)`` for counts, scaled counts and CPM (any
    scaling between samples cancels), and ``10^6 x_g / sum_h x_h`` for values already divided
    by gene length (TPM of a larger gene list, FPKM). See Wagner et al. 2012,
    doi:10.1007/s12064-012-0162-3.

    Parameters
    ----------
    values
        Genes x samples, linear, no missing values.
    units
        What the values are.
    lengths
        Merged-exon length in bases by gene; needed unless the unit is per length.

    Returns
    -------
    pandas.DataFrame
        Genes x samples; each column sums to 10^6. Each sample is treated alone.
    """
    require(units, "tpm")
    rows = samples_by_genes(values)
    own = not np.may_share_memory(rows, values.to_numpy())  # a copy can be worked on in place
    if units.quantity not in PER_LENGTH:
        if lengths is None:
            raise UserError(
                f"TPM from {units.quantity} needs gene lengths",
                where="lengths",
                do="give gene lengths, or normalise to log2_cpm",
            )
        size = bases(values.index, lengths).to_numpy()
        rows, own = np.divide(rows, size, out=rows if own else None), True
    tpm = _per_million(rows, values.columns, own=own)
    return pd.DataFrame(tpm.T, index=values.index, columns=values.columns)


def to_cpm(values: pd.DataFrame) -> pd.DataFrame:
    """Counts per million over the genes given; genes x samples, each sample alone."""
    cpm = _per_million(samples_by_genes(values), values.columns)
    return pd.DataFrame(cpm.T, index=values.index, columns=values.columns)


def log2_plus_one(values: pd.DataFrame) -> pd.DataFrame:
    """log2(x + 1) of a linear matrix."""
    logged = samples_by_genes(values) + 1.0
    np.log2(logged, out=logged)
    return pd.DataFrame(logged.T, index=values.index, columns=values.columns)


def normalise(
    expression: Expression,
    to: str = "log2_tpm",
    lengths: Mapping[str, float] | pd.Series | None = None,
) -> Expression:
    """Bring a matrix to ``log2(TPM+1)``, linear ``tpm`` or ``log2(CPM+1)``.

    Parameters
    ----------
    expression
        Values in any unit of `units`; missing values are not allowed.
    to
        ``"log2_tpm"``, ``"tpm"`` or ``"log2_cpm"``.
    lengths
        Gene lengths in bases by the matrix's own identifiers. Needed for TPM from counts.

    Returns
    -------
    Expression
        Every sample is normalised alone: the same sample gives the same bytes in any company.
    """
    units = parse_units(expression.units)
    if to not in ("log2_tpm", "tpm", "log2_cpm"):
        raise UserError(f"cannot normalise to {to!r}", do="use log2_tpm, tpm or log2_cpm")
    require(units, to)
    linear = units.linear(expression.values)
    if to == "log2_cpm":
        return Expression(
            log2_plus_one(to_cpm(linear)), "log2(cpm+1)", expression.gene_id, expression.report
        )
    tpm = to_tpm(linear, units, lengths)
    if to == "tpm":
        return Expression(tpm, "tpm", expression.gene_id, expression.report)
    return Expression(log2_plus_one(tpm), "log2(tpm+1)", expression.gene_id, expression.report)


def to_rpkm(counts: pd.DataFrame, lengths: Mapping[str, float] | pd.Series) -> pd.DataFrame:
    """Reads per kilobase and million, as edgeR's ``rpkm``; genes x samples, each sample alone."""
    return to_cpm(counts).div(bases(counts.index, lengths) / 1e3, axis=0)
