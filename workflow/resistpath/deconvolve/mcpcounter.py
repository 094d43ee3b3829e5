r"""MCP-counter: abundance scores of ten populations (Becht 2016).

A population's score is the plain mean of its markers' expression, here of
:math:`\log_2(\mathrm{TPM}+1)`. Scores compare samples for one population, never populations with
one another.

The 90 % interval is the jackknife over markers, which for a mean of *n* values is
:math:`\bar x \pm t_{n-1,\,0.95}\, s / \sqrt n`. It says how far the score hangs on which markers
were chosen; as markers differ in their base level, it is wider than the uncertainty of a difference
between two samples.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.deconvolve import intervals
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.rows import Rows, find, need, require_half, text
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
    labels = [str(gene) for gene in tpm.index]
    rows = Rows(tpm, labels)
    wanted = find(table, labels) if symbols == "current" else text(table["gene"])
    there = [name in rows for name in wanted]
    require_half(sum(there), len(there), "mcpcounter")

    populations = list(dict.fromkeys(text(table["population"])))
    shape = (len(rows.samples), len(populations))
    scores, low, high = (np.full(shape, np.nan) for _ in range(3))
    notes = {}
    for column, population in enumerate(populations):
        mine = [
            (name, here)
            for name, here, of in zip(wanted, there, text(table["population"]), strict=True)
            if of == population
        ]
        values = [rows.value(name) for name, here in mine if here]
        n = len(values)
        if n < len(mine):
            notes[population] = f"{n} of {len(mine)} markers measured"
        if n == 0:
            continue
        if log:
            values = [np.log2(v + 1.0) for v in values]
        mean = sum(values, np.zeros(shape[0])) / n
        scores[:, column] = mean
        if interval and n > 1:
            squares = sum(((v - mean) ** 2 for v in values), np.zeros(shape[0]))
            half = intervals.quantile(n - 1) * np.sqrt(squares / (n * (n - 1)))
            low[:, column] = np.maximum(mean - half, 0.0)
            high[:, column] = mean + half
    return Result(
        estimate=pd.DataFrame(scores, rows.samples, populations),
        combined=pd.DataFrame(index=rows.samples),
        low=pd.DataFrame(low, rows.samples, populations),
        high=pd.DataFrame(high, rows.samples, populations),
        fit=pd.DataFrame(
            {
                "n_genes": sum(there),
                "n_signature": len(there),
                "coverage": sum(there) / len(there),
                "correlation": np.nan,
                "residual": np.nan,
            },
            index=rows.samples,
        ),
        genes=pd.DataFrame(
            {
                "gene": text(table["gene"]),
                "row": [rows.label(name) for name in wanted],
                "used": there,
                "fate": ["used" if here else "missing" for here in there],
            }
        ),
        dropped=pd.DataFrame(columns=["row", "becomes", "fate"], dtype=str),
        notes=notes,
    )
