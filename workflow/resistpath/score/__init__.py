"""Scoring methods: one file and one record each, one runner for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from resistpath.expression import check_matrix
from resistpath.methods import GeneSet, Method, as_gene_sets, find_method
from resistpath.score import (
    aucell,
    gsva,
    mean,
    mlm,
    pairs,
    plage,
    rank_z,
    singscore,
    ssgsea,
    u_statistic,
    ulm,
    weighted,
    zscore,
)
from resistpath.score.data import BLOCK, Background, ScoreData
from resistpath.score.intervals import half_width
from resistpath.score.run import details_of, scores_of

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        ssgsea.METHOD,
        singscore.METHOD,
        singscore.DISPERSION,
        mean.METHOD,
        mean.GENE,
        mean.RATIO,
        rank_z.METHOD,
        u_statistic.METHOD,
        aucell.METHOD,
        weighted.METHOD,
        ulm.METHOD,
        mlm.METHOD,
        pairs.METHOD,
        gsva.METHOD,
        zscore.METHOD,
        plage.METHOD,
    )
}


def score(
    values: pd.DataFrame,
    gene_sets: Mapping[str, Iterable[str] | GeneSet] | Iterable[GeneSet],
    method: str = "ssgsea",
    *,
    threads: int = 1,
    block_size: int = BLOCK,
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
    threads, block_size
        How the work is split up; neither changes a bit of the result.
    **options
        Passed to the method, for example ``alpha`` and ``ties`` for ssgsea.

    Returns
    -------
    pandas.DataFrame
        Samples x sets, in the order given. A set without measured genes is a column of NaN.
        Each sample is scored alone: its row does not depend on the other columns of `values`,
        on their order, or on the order of the genes (methods whose record says
        `cohort_dependent` excepted).

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
    index = data.index(sets)
    found = scores_of(
        data, index, {method: record}, {method: options}, threads=threads, block_size=block_size
    )
    samples = pd.Index(values.columns, name="sample")
    return pd.DataFrame(found[method], index=samples, columns=index.names)


def score_long(
    data: ScoreData,
    sets: Mapping[str, Sequence[GeneSet]],
    background: Background | None = None,
    *,
    threads: int = 1,
    block_size: int = BLOCK,
) -> pd.DataFrame:
    """Score sets with intervals and null: one row per method, set and sample.

    Parameters
    ----------
    sets
        The sets each single-sample method scores.
    background
        What the null draws from; None: no null.

    Returns
    -------
    pandas.DataFrame
        Columns sample, readout, method, score, se, low, high, coverage, n_genes, null_z.
        `low` and `high` end the 90 % t interval of the jackknife over the set's genes; a
        single gene has none.
    """
    methods = {name: find_method(METHODS, name) for name in sets}
    index = {name: data.index(some) for name, some in sets.items()}
    found = details_of(
        data, index, methods, background, threads=threads, block_size=block_size
    )
    n = len(data.samples)
    frames = []
    for name, scored in found.items():
        at = index[name]
        half = half_width(scored.variance, scored.df)
        columns = {
            "sample": np.tile(data.samples.to_numpy(), len(at.sets)),
            "readout": np.repeat(np.array(at.names, dtype=object), n),
            "method": name,
            "score": scored.score.T.ravel(),
            "se": np.sqrt(scored.variance).T.ravel(),
            "low": (scored.score - half).T.ravel(),
            "high": (scored.score + half).T.ravel(),
            "coverage": np.repeat(at.coverage, n),
            "n_genes": np.repeat(at.measured, n),
            "null_z": scored.null_z.T.ravel(),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
