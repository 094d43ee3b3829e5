"""What every deconvolution method returns: values, their intervals and how they came about."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


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
        been, ``coverage``, and for fitted methods ``correlation`` and ``residual`` of the fit.
    genes
        One row per signature gene: ``gene`` as published, ``row`` of the matrix it was read
        from, ``used``, and ``fate``, the reason in words.
    dropped
        Rows of the matrix the method left out or renamed before anything else: ``row``,
        ``becomes`` and ``fate``.
    notes
        Remarks on single columns, by column name; on all values under the empty name.
    """

    estimate: pd.DataFrame
    combined: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    fit: pd.DataFrame
    genes: pd.DataFrame
    dropped: pd.DataFrame
    notes: dict[str, str]
