"""Scoring methods: one file and one record each, one runner for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.expression import check_matrix
from resistpath.methods import GeneSet, Method, as_gene_sets, find_method
from resistpath.score import (
    aucell,
    gseapy_backend,
    gsva,
    ips,
    mean,
    mlm,
    pairs,
    plage,
    rank_z,
    sample_z,
    singscore,
    ssgsea,
    u_statistic,
    ulm,
    weighted,
    zscore,
)
from resistpath.score.data import BLOCK, Background, ScoreData, SetIndex
from resistpath.score.intervals import half_width
from resistpath.score.run import Options, details_of, scores_of

COLUMNS = (
    "sample",
    "readout",
    "method",
    "score",
    "se",
    "low",
    "high",
    "coverage",
    "n_genes",
    "null_z",
)
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        ssgsea.METHOD,
        singscore.METHOD,
        singscore.DISPERSION,
        mean.METHOD,
        mean.GENE,
        mean.RATIO,
        sample_z.METHOD,
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

PANELS: dict[str, Method] = {ips.METHOD.name: ips.METHOD}
"""Methods with gene sets of their own, which they take from a table."""


def score(
    values: pd.DataFrame,
    gene_sets: Mapping[str, Iterable[str] | GeneSet] | Iterable[GeneSet],
    method: str = "ssgsea",
    *,
    backend: str = "resistpath",
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
    backend
        ``"resistpath"``, or ``"gseapy"`` for ssgsea, gsva and prerank by that library, with
        its scale and its treatment of ties (see `gseapy_backend`).
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
    if backend == "gseapy":
        return gseapy_backend.score(values, sets, method, threads=threads, **options)
    if backend != "resistpath":
        raise UserError(f"there is no backend {backend!r}", do="choose resistpath or gseapy")
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
    options: Options | None = None,
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
    options
        Keyword arguments by method.

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
        data, index, methods, background, options, threads=threads, block_size=block_size
    )
    frames = []
    for name, scored in found.items():
        half = half_width(scored.variance, scored.df)
        numbers = {
            "score": scored.score,
            "se": np.sqrt(scored.variance),
            "low": scored.score - half,
            "high": scored.score + half,
            "null_z": scored.null_z,
        }
        frames.append(_long(data, index[name], name, numbers)[list(COLUMNS)])
    return pd.concat(frames, ignore_index=True)


def score_cohort(
    data: ScoreData, sets: Sequence[GeneSet], methods: Sequence[str], *, threads: int = 1
) -> pd.DataFrame:
    """Score sets by methods that depend on the cohort: one row per method, set and sample.

    Returns
    -------
    pandas.DataFrame
        Columns sample, readout, method, score, coverage, n_genes. There is no interval: the
        scores change with the other samples.
    """
    index = data.index(sets)
    records = {name: find_method(METHODS, name) for name in methods}
    found = scores_of(data, index, records, threads=threads)
    keep = ["sample", "readout", "method", "score", "coverage", "n_genes"]
    return pd.concat(
        [_long(data, index, name, {"score": found[name]})[keep] for name in methods],
        ignore_index=True,
    )


def _long(
    data: ScoreData, index: SetIndex, method: str, numbers: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Lay samples x sets out as rows, set by set."""
    n = len(data.samples)
    columns = {name: array.T.ravel() for name, array in numbers.items()}
    return pd.DataFrame(
        {
            "sample": np.tile(data.samples.to_numpy(dtype=object), len(index.sets)),
            "readout": np.repeat(np.array(index.names, dtype=object), n),
            "method": method,
            "coverage": np.repeat(index.coverage, n),
            "n_genes": np.repeat(index.measured, n),
            **columns,
        }
    )
