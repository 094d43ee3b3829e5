"""Mean log expression of a set, of one gene, and differences of two such means."""

from __future__ import annotations

import numpy as np

from resistpath.methods import Method
from resistpath.score.data import IndexedSet, ScoreData, take


def mean(data: ScoreData, gene_set: IndexedSet) -> np.ndarray:
    """Mean log2(TPM+1) of the up genes, minus that of the down genes if there are any.

    Returns
    -------
    numpy.ndarray
        One value per sample in log2 units; NaN if a side of the set is not measured.
    """
    parts = [
        sign * take(data.values, genes).sum(axis=1) / max(len(genes), 1)
        for sign, genes in ((1.0, gene_set.up), (-1.0, gene_set.down))
        if len(genes)
    ]
    if not len(gene_set.up):
        return np.full(len(data.samples), np.nan)
    return np.asarray(sum(parts))


def mean_without_each(data: ScoreData, gene_set: IndexedSet) -> np.ndarray:
    """Means of the set without each of its genes: samples x genes, up before down.

    A side with one gene cannot lose it: NaN.
    """
    full = mean(data, gene_set)[:, None]
    blocks = []
    for sign, genes in ((1.0, gene_set.up), (-1.0, gene_set.down)):
        n = len(genes)
        if n == 0:
            continue
        values = take(data.values, genes)
        whole = values.sum(axis=1, keepdims=True)
        if n == 1:
            blocks.append(np.full(values.shape, np.nan))
        else:
            blocks.append(full - sign * whole / n + sign * (whole - values) / (n - 1))
    return np.hstack(blocks) if blocks else np.empty((len(data.samples), 0))


def _record(name: str, description: str, reference: str = "-") -> Method:
    return Method(
        name=name,
        step="score",
        func=mean,
        leave_one_out=mean_without_each,
        needs="log2_tpm",
        kind="score",
        range=(-np.inf, np.inf),
        cohort_dependent=False,
        reference=reference,
        licence="-",
        description=description,
    )


METHOD = _record("mean", "Mean log2(TPM+1) of the set's genes.", "10.1016/j.cell.2014.12.033")
GENE = _record("gene", "log2(TPM+1) of one gene.")
RATIO = _record("ratio", "Mean log2(TPM+1) of the up genes minus that of the down genes.")
