"""Scoring methods: one file and one record each, one runner for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from resistpath.expression import check_matrix
from resistpath.methods import GeneSet, Method, as_gene_sets, find_method
from resistpath.score import mean, singscore, ssgsea
from resistpath.score.data import ScoreData
from resistpath.score.intervals import half_width, jackknife_variance

METHODS: dict[str, Method] = {
    method.name: method
    for method in (ssgsea.METHOD, singscore.METHOD, mean.METHOD, mean.GENE, mean.RATIO)
}


def score(
    values: pd.DataFrame,
    gene_sets: Mapping[str, Iterable[str] | GeneSet] | Iterable[GeneSet],
    method: str = "ssgsea",
    **options: Any,
) -> pd.DataFrame:
    """Score gene sets in every sample.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1); rank methods accept any monotone transform of it.
    gene_sets
        Mapping of set names to genes (or to `GeneSet` with up and down genes).
    method
        A name in `METHODS`.
    **options
        Passed to the method, for example ``alpha`` and ``ties`` for ssgsea.

    Returns
    -------
    pandas.DataFrame
        Samples x sets, in the order given. A set without measured genes is a column of NaN.
        Each sample is scored alone: its row does not depend on the other columns of `values`,
        on their order, or on the order of the genes.

    Examples
    --------
    >>> x = pd.DataFrame({"S1": [3.0, 1.0, 2.0, 0.0]}, index=["A", "B", "C", "D"])
    >>> score(x, {"set": ["A", "C"]}, method="singscore").loc["S1", "set"].item()
    0.5
    """
    sets = as_gene_sets(gene_sets)
    check_matrix(values)
    record = find_method(METHODS, method)
    data = ScoreData(values)
    columns = {s.name: record.func(data, data.index(s), **options) for s in sets}
    return pd.DataFrame(columns, index=pd.Index(values.columns, name="sample"))


def score_long(data: ScoreData, gene_set: GeneSet, method: str) -> pd.DataFrame:
    """One set by one method with its interval: sample, method, score, se, low, high, ...

    The interval is the 90 % t interval of the jackknife over the set's genes; one gene has none.
    """
    record = METHODS[method]
    found = data.index(gene_set)
    scores = record.func(data, found)
    variance = np.full(len(scores), np.nan)
    if record.leave_one_out is not None and found.measured > 1:
        variance = jackknife_variance(record.leave_one_out(data, found))
    half = half_width(variance, max(found.measured - 1, 1))
    return pd.DataFrame(
        {
            "sample": data.samples,
            "readout": gene_set.name,
            "method": method,
            "score": scores,
            "se": np.sqrt(variance),
            "low": scores - half,
            "high": scores + half,
            "coverage": found.measured / found.size if found.size else 0.0,
            "n_genes": found.measured,
        }
    )
