"""Deconvolution: how much of which cell type a bulk sample holds.

One method per module. `METHODS` lists them, `deconvolve` runs one, `deconvolve_long` also says how
sure each value is and whether it lies above the method's published limit of detection, and `run`
returns all there is to know; `table` writes it as tables. `concordance` compares methods, `caveats`
says what none of them can see, and `signature` builds a signature from single cells.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.deconvolve import (
    consensus_markers,
    epic,
    estimate,
    least_squares,
    mcpcounter,
    quantiseq,
    svr,
)
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.table import long_table
from resistpath.errors import UserError, some
from resistpath.expression import check_matrix
from resistpath.methods import Method

__all__ = [
    "METHODS",
    "NEEDS_SIGNATURE",
    "TAKES_SIGNATURE",
    "check_tpm",
    "deconvolve",
    "deconvolve_long",
    "run",
]

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
        Method(
            name="estimate",
            step="deconvolve",
            func=estimate.estimate,
            needs="tpm",
            kind="score",
            range=(-np.inf, np.inf),
            cohort_dependent=False,
            reference="10.1038/ncomms3612",
            licence="MIT",
            description="stromal, immune and combined scores, the enrichment of 141 genes each;"
            " purity only for Affymetrix arrays",
            resources=("estimate",),
        ),
        Method(
            name="consensus_markers",
            step="deconvolve",
            func=consensus_markers.consensus_markers,
            needs="tpm",
            kind="score",
            range=(0.0, np.inf),
            cohort_dependent=False,
            reference="10.1186/s40425-017-0215-8",
            licence="MIT",
            description="scores of 28 populations, the mean log2(TPM+1) of the markers of up to"
            " three published panels",
            resources=("consensus_markers",),
        ),
        Method(
            name="least_squares",
            step="deconvolve",
            func=least_squares.least_squares,
            needs="tpm",
            kind="fraction",
            range=(0.0, 1.0),
            cohort_dependent=False,
            reference="10.1137/1.9781611971217",
            licence="BSD-3-Clause",
            description="fractions by plain constrained least squares on any signature, TIL10 if"
            " none is given",
            resources=("til10", "til10_scaling"),
        ),
        Method(
            name="epic",
            step="deconvolve",
            func=epic.epic,
            needs="tpm",
            kind="fraction",
            range=(0.0, 1.0),
            cohort_dependent=False,
            reference="10.7554/eLife.26476",
            licence="-",
            description="fractions by EPIC's weighted constrained fit; needs the tables of the"
            " user's own copy of EPIC, which may not be passed on",
        ),
        Method(
            name="svr",
            step="deconvolve",
            func=svr.svr,
            needs="tpm",
            kind="fraction",
            range=(0.0, 1.0),
            cohort_dependent=False,
            reference="10.1038/nmeth.3337",
            licence="BSD-3-Clause",
            description="relative fractions by nu-support-vector regression on any signature,"
            " TIL10 if none is given",
            resources=("til10", "til10_scaling"),
        ),
    )
}

TAKES_SIGNATURE = frozenset(
    m.name for m in METHODS.values() if "signature" in inspect.signature(m.func).parameters
)  # methods that fit any signature
NEEDS_SIGNATURE = frozenset({"epic"})  # and those that have none of their own

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

    Parameters are those of `run`; `tables` also holds ``limits_of_detection``. The columns are
    those of `table.long_table`.
    """
    result = run(tpm, method, tables, **options)
    return long_table(result, method, METHODS[method].kind, tables)


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
