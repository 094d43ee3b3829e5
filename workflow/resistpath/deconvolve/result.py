"""What every deconvolution method returns: values, their intervals and how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from resistpath.deconvolve.celltypes import CellType


@dataclass(frozen=True)
class Result:
    """Cell fractions or scores of one method.

    Attributes
    ----------
    estimate
        Samples x cell types, by the method's own names.
    combined
        Samples x cell types that are sums of several of the method's, by the names of
        `celltypes`; no columns if there are none.
    low, high
        Ends of the 90 % intervals: samples x the columns of `estimate` and `combined`; missing
        where no interval was asked for or none can be given.
    fit
        One row per sample: ``n_genes`` signature genes used, ``n_signature`` that could have
        been, ``coverage``, and for fitted methods ``correlation`` and ``residual`` of the fit
        and ``condition`` of the matrix.
    genes
        One row per signature gene: ``gene`` as published, ``row`` of the matrix it was read
        from, ``used``, and ``fate``, the reason in words.
    dropped
        Rows of the matrix the method left out or renamed before anything else: ``row``,
        ``becomes`` and ``fate``.
    notes
        Remarks on single columns, by column name; on all values under the empty name.
    cells
        What columns mean, where the method's record does not fix it (matrices users bring).
    kinds
        ``"fraction"`` or ``"score"`` of columns whose kind is not the method's.
    limited_as
        The method whose published limits of detection hold for these values; empty if none do,
        None for the method's own.
    """

    estimate: pd.DataFrame
    combined: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    fit: pd.DataFrame
    genes: pd.DataFrame
    dropped: pd.DataFrame
    notes: dict[str, str]
    cells: Mapping[str, CellType] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    limited_as: str | None = None


def no_rows() -> pd.DataFrame:
    """Make the table of dropped rows of a method that drops none."""
    return pd.DataFrame(columns=["row", "becomes", "fate"], dtype=str)
