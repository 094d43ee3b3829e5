"""Results as tables: a row for each sample and cell type, a row for each sample's fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.deconvolve.celltypes import CellType, limits, of
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.rows import need

LIMIT_COLUMNS = ("method", "cell_type", "percent_of_cells")


def long_table(
    result: Result, method: str, kind: str, tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Write a result as one row for each sample and cell type.

    Cell types that are sums of the method's own ones follow them.

    Parameters
    ----------
    result
        What a method returned.
    method
        The name to write; a prefix of the limits of detection that hold.
    kind
        ``"fraction"`` or ``"score"``, where the result does not say otherwise.
    tables
        ``limits_of_detection``.

    Returns
    -------
    DataFrame
        ``sample``, ``method``, ``cell_type`` and ``label`` (see `celltypes`), ``value``, ``kind``
        (fraction or score), ``low`` and ``high`` (90 % interval), ``detectable`` (``yes``, ``below
        limit`` or ``unknown``), ``limit`` (published limit of detection as a fraction of all
        cells) and ``note``.
    """
    published = limits(need(tables, "limits_of_detection", LIMIT_COLUMNS))
    limited_as = method if result.limited_as is None else result.limited_as
    values = pd.concat([result.estimate, result.combined], axis=1)
    blocks = []
    for column in values.columns:
        cell = meaning(result, method, column)
        limit = published.get((limited_as, cell.id), np.nan)
        value = values[column].to_numpy(dtype=float)
        remarks = [result.notes.get(column, ""), result.notes.get("", "")]
        own_kind = result.kinds.get(column, kind)
        if own_kind == "fraction":
            known = np.isfinite(value) & np.isfinite(limit)
            detectable = np.where(known, np.where(value >= limit, "yes", "below limit"), "unknown")
        else:
            # A limit in cells says nothing about a score, but no signal at all is below any limit.
            detectable = np.where(value == 0, "below limit", "unknown")
            if np.isfinite(limit) and np.isfinite(value).any():
                remarks.append("the limit is a share of cells, the score is not")
        blocks.append(
            pd.DataFrame(
                {
                    "sample": values.index,
                    "method": method,
                    "cell_type": cell.id,
                    "label": cell.label,
                    "value": value,
                    "kind": own_kind,
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


def fit_table(result: Result, method: str) -> pd.DataFrame:
    """Write how a method got on with each sample.

    Returns
    -------
    DataFrame
        ``sample``, ``method``, ``n_genes``, ``n_signature``, ``coverage``, ``correlation``,
        ``residual`` and ``condition`` (see `fitted.diagnose`; missing for scores), and ``note``,
        what holds for all values of the method.
    """
    table = result.fit.rename_axis("sample").reset_index()
    table.insert(1, "method", method)
    return table.assign(note=result.notes.get("", ""))


def meaning(result: Result, method: str, column: str) -> CellType:
    """Find the cell type a column of a result stands for."""
    return result.cells[column] if column in result.cells else of(method, column)
