r"""MCP-counter: abundance scores of ten populations (Becht 2016).

A population's score is the plain mean of its markers' expression, here of
:math:`\log_2(\mathrm{TPM}+1)`; see `markers`. Scores compare samples for one population, never
populations with one another.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from resistpath.deconvolve.markers import score_markers
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.rows import need
from resistpath.errors import UserError

SYMBOLS = ("current", "published")


def mcpcounter(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    log: bool = True,
    symbols: str = "current",
    interval: bool = True,
) -> Result:
    """Score cell populations by MCP-counter.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM; gene symbols.
    tables
        ``mcpcounter``.
    log
        Average log2(TPM+1), as the authors intend. False averages linear TPM, as some pipelines
        do: one strongly expressed marker then decides the score.
    symbols
        ``"current"`` finds markers by their symbols of today or former ones, and reads CAVIN2
        where the published list has the slip "C". ``"published"`` takes the list as printed.
    interval
        Also give 90 % intervals.

    Returns
    -------
    Result
        Scores; missing for a population without a measured marker.
    """
    if symbols not in SYMBOLS:
        raise UserError(
            f"mcpcounter knows no symbols {symbols!r}", do=f"use one of {', '.join(SYMBOLS)}"
        )
    table = need(tables, "mcpcounter", ("population", "gene", "symbol", "other_symbols"))
    return score_markers(
        tpm,
        table.assign(panel="Becht 2016"),
        "mcpcounter",
        log=log,
        published=symbols == "published",
        interval=interval,
    )
