"""What the cohort-dependent methods share: genes over samples, in an order that is fixed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.score.data import ScoreData

CHUNK = 1024
"""Genes per step, so that no second matrix of the cohort's size is held."""


def by_sample_name(data: ScoreData) -> np.ndarray:
    """Order of the samples by name: sums over samples do not depend on the order given."""
    return np.argsort(data.samples.to_numpy(dtype=object), kind="stable")


def need_cohort(data: ScoreData, method: str, least: int = 2) -> None:
    """Refuse cohorts too small for a method that compares samples."""
    if len(data.samples) < least:
        raise UserError(
            f"{method} compares samples with each other and needs at least {least},"
            f" there is {len(data.samples)}",
            do="use a single-sample method such as ssgsea or singscore",
        )


def gene_parts(n: int) -> list[slice]:
    """Steps of at most `CHUNK` genes."""
    return [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]


def gene_values(data: ScoreData, rows: np.ndarray) -> np.ndarray:
    """Values of some genes: genes x samples by name, float64, C-contiguous."""
    block = np.asarray(data.matrix[:, rows], dtype=np.float64)[by_sample_name(data)]
    return np.ascontiguousarray(block.T)


def gene_chunks(data: ScoreData, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Values of some genes, chunk by chunk."""
    for part in gene_parts(len(rows)):
        yield part, gene_values(data, rows[part])


def standardised(
    data: ScoreData, rows: np.ndarray, reference: pd.DataFrame | None, method: str
) -> np.ndarray:
    """Z values of some genes: genes x samples by name; NaN for genes that do not vary.

    Parameters
    ----------
    reference
        Mean and standard deviation by gene (columns ``mean`` and ``sd``) to use in place of
        the cohort's own; genes it lacks are NaN.
    """
    if reference is None:
        need_cohort(data, method)
    out = np.empty((len(rows), len(data.samples)))
    for part, values in gene_chunks(data, rows):
        if reference is None:
            mean = values.sum(axis=1) / values.shape[1]
            away = values - mean[:, None]
            sd = np.sqrt((away**2).sum(axis=1) / (values.shape[1] - 1))
        else:
            given = reference.reindex(data.genes[rows[part]])
            mean, sd = given["mean"].to_numpy(float), given["sd"].to_numpy(float)
            away = values - mean[:, None]
        # A constant gene whose mean is rounded does not vary either.
        constant = np.ptp(values, axis=1) == 0 if reference is None else np.zeros(len(mean), bool)
        out[part] = away / np.where((sd > 0) & ~constant, sd, np.nan)[:, None]
    return out


def moments(data: ScoreData) -> pd.DataFrame:
    """Mean and standard deviation of every gene, to score other samples against this cohort."""
    need_cohort(data, "a reference of means")
    rows = np.arange(data.n_genes)
    mean, sd = np.empty(data.n_genes), np.empty(data.n_genes)
    for part, values in gene_chunks(data, rows):
        mean[part] = values.sum(axis=1) / values.shape[1]
        away = values - mean[part][:, None]
        sd[part] = np.sqrt((away**2).sum(axis=1) / (values.shape[1] - 1))
    return pd.DataFrame({"mean": mean, "sd": sd}, index=data.genes)
