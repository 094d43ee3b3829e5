"""Deconvolution: how much of which cell type a bulk sample holds.

One method per module. `METHODS` lists them, `deconvolve` runs one, `deconvolve_long` also says how
sure each value is and whether it lies above the method's published limit of detection, and `run`
returns all there is to know.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.deconvolve import mcpcounter, quantiseq
from resistpath.deconvolve.celltypes import limits, of
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.rows import need
from resistpath.errors import UserError, some
from resistpath.expression import check_matrix
from resistpath.methods import Method

__all__ = ["METHODS", "check_tpm", "deconvolve", "deconvolve_long", "run"]

METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method(
            name="quantiseq",
            step="deconvolve",
            func=quantiseq.quantiseq,
            needs="tpm",
            kind="fraction",
            range=(0.0, 1.0),
            cohort_dependent=False,
            reference="10.1186/s13073-019-0638-6",
            licence="BSD-3-Clause",
            description="fractions of ten immune cell types and of all other cells, by"
            " constrained least squares on the TIL10 signature",
            resources=("til10", "til10_scaling", "til10_removed", "hgnc_2017"),
        ),
        Method(
            name="mcpcounter",
            step="deconvolve",
            func=mcpcounter.mcpcounter,
            needs="tpm",
            kind="score",
            range=(0.0, np.inf),
            cohort_dependent=False,
            reference="10.1186/s13059-016-1070-5",
            licence="CC0-1.0",
            description="scores of ten populations, the mean log2(TPM+1) of their markers",
            resources=("mcpcounter",),
        ),
    )
}

LOWEST_MAXIMUM = 50.0  # no transcriptome in linear TPM has a lower one; log2(TPM) stays below


def run(
    tpm: pd.DataFrame, method: str, tables: Mapping[str, pd.DataFrame], **options: object
) -> Result:
    """Check a matrix and run one method on it.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM; gene symbols as row names.
    method
        A name in `METHODS`.
    tables
        The tables the method names in its record, by name.
    **options
        Options of the method.

    Raises
    ------
    UserError
        If the method or an option is unknown, or the matrix is not linear TPM of most genes.
    """
    if method not in METHODS:
        raise UserError(
            f"there is no deconvolution method {method!r}", do=f"use one of {', '.join(METHODS)}"
        )
    func = METHODS[method].func
    known = [
        p.name
        for p in inspect.signature(func).parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise UserError(
            f"{method} has no option {some(unknown)}", do=f"its options are {', '.join(known)}"
        )
    check_tpm(tpm)
    result: Result = func(tpm, tables, **options)
    return result


def deconvolve(
    tpm: pd.DataFrame, method: str, tables: Mapping[str, pd.DataFrame], **options: object
) -> pd.DataFrame:
    """Run one method and return its values: samples x cell types, by the method's own names.

    See `run` for the parameters.
    """
    return run(tpm, method, tables, **{"interval": False, **options}).estimate


def deconvolve_long(
    tpm: pd.DataFrame, method: str, tables: Mapping[str, pd.DataFrame], **options: object
) -> pd.DataFrame:
    """Run one method and return a row for each sample and cell type.

    Cell types that are sums of the method's own ones follow them. Parameters are those of `run`;
    `tables` also holds ``limits_of_detection``.

    Returns
    -------
    DataFrame
        ``method``, ``sample``, ``cell_type`` and ``label`` (see `celltypes`), ``value``, ``kind``
        (fraction or score), ``low`` and ``high`` (90 % interval), ``detectable`` (``yes``, ``below
        limit`` or ``unknown``), ``limit`` (published limit of detection as a fraction of all
        cells) and ``note``.
    """
    result = run(tpm, method, tables, **options)
    kind = METHODS[method].kind
    published = limits(
        need(tables, "limits_of_detection", ("method", "cell_type", "percent_of_cells"))
    )
    values = pd.concat([result.estimate, result.combined], axis=1)
    blocks = []
    for column in values.columns:
        cell = of(method, column)
        limit = published.get((method, cell.id), np.nan)
        value = values[column].to_numpy(dtype=float)
        remarks = [result.notes.get(column, ""), result.notes.get("", "")]
        if kind == "fraction":
            known = np.isfinite(value) & np.isfinite(limit)
            detectable = np.where(known, np.where(value >= limit, "yes", "below limit"), "unknown")
        else:
            # A limit in cells says nothing about a score, but no signal at all is below any limit.
            detectable = np.where(value == 0, "below limit", "unknown")
            if np.isfinite(limit):
                remarks.append("the limit is a share of cells, the score is not")
        blocks.append(
            pd.DataFrame(
                {
                    "method": method,
                    "sample": values.index,
                    "cell_type": cell.id,
                    "label": cell.label,
                    "value": value,
                    "kind": kind,
                    "low": result.low[column].to_numpy(),
                    "high": result.high[column].to_numpy(),
                    "detectable": detectable,
                    "limit": limit,
                    "note": "; ".join(r for r in remarks if r),
                }
            )
        )
    table = pd.concat(blocks, ignore_index=True)
    # Sample by sample, in the order given.
    order = np.arange(len(table)).reshape(len(blocks), len(values)).T.ravel()
    return table.iloc[order].reset_index(drop=True)


def check_tpm(tpm: pd.DataFrame) -> None:
    """Refuse values that cannot be linear TPM.

    Raises
    ------
    UserError
        If a value is negative, or the largest value of a sample is below 50.
    """
    check_matrix(tpm, "TPM matrix")
    values = tpm.to_numpy(dtype=float)
    below = np.asarray((values < 0).any(axis=0))
    if below.any():
        raise UserError(
            f"TPM matrix holds negative values in {int(below.sum())} of {len(below)} samples:"
            f" {some(tpm.columns[below])}",
            do="give linear TPM, not centred or logged values",
        )
    top = np.asarray(values.max(axis=0))
    empty = np.asarray(top == 0)
    if empty.any():
        raise UserError(
            f"TPM matrix holds nothing but zeros in {some(tpm.columns[empty])}",
            do="remove these samples",
        )
    low = np.asarray(top < LOWEST_MAXIMUM)
    if low.any():
        raise UserError(
            f"TPM matrix has no value of {LOWEST_MAXIMUM:g} or more in {int(low.sum())} of"
            f" {len(low)} samples, so they look logged: {some(tpm.columns[low])}",
            do="give linear TPM",
        )
