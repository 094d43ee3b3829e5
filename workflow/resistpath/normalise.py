"""From a linear matrix of one unit to log2(TPM+1), one sample at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import Expression, samples_by_genes
from resistpath.units import PER_LENGTH, Units, parse_units

MILLION = 1e6


def _per_million(rows: np.ndarray, samples: pd.Index) -> np.ndarray:
    total = rows.sum(axis=1, keepdims=True)
    if (total <= 0).any():
        raise UserError(
            f"no expression in {some(samples[(total <= 0).ravel()])}",
            do="remove empty samples from the matrix",
        )
    return rows / total * MILLION


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
    rows = samples_by_genes(values)
    if units.quantity not in PER_LENGTH:
        if lengths is None:
            raise UserError(
                f"TPM from {units.quantity} needs gene lengths",
                where="lengths",
                do="give gene lengths, or normalise to log2_cpm",
            )
        bases = pd.Series(lengths, dtype=float).reindex(values.index)
        missing = bases.index[~(bases > 0)]
        if len(missing):
            raise UserError(
                f"{len(missing)} genes have no length: {some(missing)}",
                where="lengths",
                do="drop these genes or add their lengths",
            )
        rows = rows / bases.to_numpy()
    tpm = _per_million(rows, values.columns)
    return pd.DataFrame(tpm.T, index=values.index, columns=values.columns)


def to_cpm(values: pd.DataFrame) -> pd.DataFrame:
    """Counts per million over the genes given; genes x samples, each sample alone."""
    cpm = _per_million(samples_by_genes(values), values.columns)
    return pd.DataFrame(cpm.T, index=values.index, columns=values.columns)


def log2_plus_one(values: pd.DataFrame) -> pd.DataFrame:
    """log2(x + 1) of a linear matrix."""
    logged = np.log2(samples_by_genes(values) + 1.0)
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
    linear = units.linear(expression.values)
    if to == "log2_cpm":
        if units.quantity in PER_LENGTH:
            raise UserError(
                f"{units.quantity} is already divided by gene length and cannot become CPM",
                do="normalise to log2_tpm",
            )
        return Expression(
            log2_plus_one(to_cpm(linear)), "log2(cpm+1)", expression.gene_id, expression.report
        )
    tpm = to_tpm(linear, units, lengths)
    if to == "tpm":
        return Expression(tpm, "tpm", expression.gene_id, expression.report)
    return Expression(log2_plus_one(tpm), "log2(tpm+1)", expression.gene_id, expression.report)


def tmm_factors(counts: pd.DataFrame) -> pd.Series:
    """TMM normalisation factors, as edgeR's ``calcNormFactors``.

    The reference sample is chosen among the samples given, so the factors depend on the
    cohort and never enter a single-sample result. Computed by rnanorm (Robinson & Oshlack
    2010, doi:10.1186/gb-2010-11-3-r25).

    Parameters
    ----------
    counts
        Genes x samples, raw counts; every sample must hold at least one read.

    Returns
    -------
    pandas.Series
        One factor per sample; their geometric mean is 1.
    """
    from rnanorm import TMM

    array = counts.to_numpy(dtype=float)
    if (array < 0).any():
        raise UserError("counts cannot be negative", where="tmm_factors", do="give raw counts")
    if (array.sum(axis=0) == 0).any():
        empty = counts.columns[array.sum(axis=0) == 0]
        raise UserError(f"no reads in {some(empty)}", where="tmm_factors", do="remove them")
    model = TMM().fit(array.T)
    factors = np.asarray(model.get_norm_factors(array.T), dtype=float)
    return pd.Series(factors, index=counts.columns, name="tmm_factor")
