"""Covariates of a sample sheet as the columns of a regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.cohort.auc import Floats

MOST_LEVELS = 6
"""A text covariate with more levels than this is left out, and said."""


@dataclass(frozen=True)
class Design:
    """Columns for a regression without the intercept, and what became of each covariate.

    Attributes
    ----------
    columns
        Samples x columns; numbers in standard deviations, levels as 0/1 against the commonest.
    kept
        Covariates that are in.
    dropped
        Covariate to reason.
    complete
        Samples (labels) with a value in every kept covariate.
    """

    columns: pd.DataFrame
    kept: tuple[str, ...]
    dropped: dict[str, str]
    complete: pd.Index


def build(sheet: pd.DataFrame, covariates: list[str], *, needed: pd.Index) -> Design:
    """Turn sheet columns into regression columns over the samples `needed`.

    A covariate is left out, with the reason, if it is not in the sheet, has no second value, has
    more than `MOST_LEVELS` text levels, is missing in over half of the samples, or adds nothing
    to those before it.
    """
    rows = sheet.reindex(needed)
    dropped: dict[str, str] = {}
    blocks: dict[str, pd.DataFrame] = {}
    for name in covariates:
        if name not in rows:
            dropped[name] = "not in the sample sheet"
            continue
        column = rows[name].mask(rows[name].astype(str).str.strip() == "")
        if column.isna().mean() > 0.5:
            dropped[name] = f"missing in {int(column.isna().sum())} of {len(column)} samples"
            continue
        block = _block(name, column)
        if isinstance(block, str):
            dropped[name] = block
        else:
            blocks[name] = block
    complete = needed
    for block in blocks.values():
        complete = complete[block.loc[complete].notna().all(axis=1)]
    kept: list[str] = []
    table = pd.DataFrame(index=complete)
    for name, block in blocks.items():
        part = block.loc[complete]
        part = varying(part)
        wider = pd.concat([table, part], axis=1)
        if part.shape[1] == 0:
            dropped[name] = "one value only in the samples with all covariates"
        elif _rank(wider) < wider.shape[1] + 1:
            dropped[name] = "says nothing beyond the covariates before it"
        else:
            table = wider
            kept.append(name)
    return Design(table, tuple(kept), dropped, complete)


def varying(table: pd.DataFrame) -> pd.DataFrame:
    """Columns with at least two values."""
    return table.loc[:, [bool((c != c.iloc[:1].max()).any()) for _, c in table.items()]]


def _block(name: str, column: pd.Series[float]) -> pd.DataFrame | str:
    present = column.dropna()
    numbers = pd.to_numeric(present, errors="coerce")
    if numbers.notna().all() and numbers.nunique() > 2:
        sd = float(numbers.std())
        centred = (pd.to_numeric(column, errors="coerce") - numbers.mean()) / sd
        return centred.to_frame(name)
    levels = present.astype(str).value_counts()
    if len(levels) < 2:
        return "one value only"
    if len(levels) > MOST_LEVELS:
        return f"{len(levels)} levels, more than {MOST_LEVELS}"
    # Commonest first, ties by name, so that the base does not depend on the order of samples.
    ordered = sorted(levels.index, key=lambda v: (-int(levels[v]), v))
    text = column.astype(str)
    return pd.DataFrame(
        {f"{name}={v}": (text == v).astype(float).where(column.notna()) for v in ordered[1:]}
    )


def _rank(table: pd.DataFrame) -> int:
    values: Floats = np.column_stack([np.ones(len(table)), table.to_numpy(dtype=np.float64)])
    scale = np.abs(values).max(axis=0, initial=0.0)
    return int(np.linalg.matrix_rank(values / np.where(scale > 0, scale, 1.0), tol=1e-8))
