"""The matrix as the scoring methods see it: samples in rows, ranked once for all methods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from resistpath.expression import samples_by_genes
from resistpath.methods import GeneSet


@dataclass(frozen=True)
class IndexedSet:
    """Positions of a set's measured genes in the matrix, and how many genes it has in all.

    Positions are ordered by gene name, so that sums do not depend on the order in which the
    set or the matrix lists its genes.
    """

    name: str
    up: np.ndarray
    down: np.ndarray
    size: int

    @property
    def measured(self) -> int:
        """Number of the set's genes in the matrix."""
        return len(self.up) + len(self.down)


class ScoreData:
    """Expression values with their ranks; every row is one sample and is treated alone.

    Attributes
    ----------
    values
        Samples x genes, float64, C-contiguous.
    genes, samples
        Labels of the two axes.
    """

    def __init__(self, values: pd.DataFrame) -> None:
        self.values = samples_by_genes(values)
        self.genes = pd.Index(values.index)
        self.samples = pd.Index(values.columns)

    @property
    def n_genes(self) -> int:
        """Size of the universe, N in the formulas."""
        return len(self.genes)

    @cached_property
    def average_ranks(self) -> np.ndarray:
        """Ascending ranks within each sample, 1 = lowest; ties share their mean rank."""
        return rankdata(self.values, method="average", axis=1)

    @cached_property
    def minimum_ranks(self) -> np.ndarray:
        """Ascending ranks within each sample, 1 = lowest; ties share their lowest rank."""
        return rankdata(self.values, method="min", axis=1).astype(np.float64)

    @cached_property
    def ordered_ranks(self) -> np.ndarray:
        """GSVA's ranks: average ranks truncated to integers."""
        return np.floor(self.average_ranks)

    @cached_property
    def ordered_positions(self) -> np.ndarray:
        """GSVA's positions from the bottom: ties in `ordered_ranks` broken by row order.

        The walk runs from the highest rank down and a stable sort keeps tied genes in the
        order of the matrix, so the first of them stands nearest the top.
        """
        order = np.argsort(-self.ordered_ranks, axis=1, kind="stable")
        positions = np.empty_like(order)
        steps = np.broadcast_to(np.arange(self.n_genes, 0, -1), order.shape)
        np.put_along_axis(positions, order, steps, axis=1)
        return positions.astype(np.float64)

    def index(self, gene_set: GeneSet) -> IndexedSet:
        """Find a set's genes in the matrix."""
        up, down = (
            self.genes.get_indexer(sorted(set(genes))) for genes in (gene_set.up, gene_set.down)
        )
        size = len(set(gene_set.genes))
        return IndexedSet(gene_set.name, up[up >= 0], down[down >= 0], size)


def take(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Pick columns into a C-contiguous array, whose row sums do not depend on other rows."""
    return np.take(rows, columns, axis=1)
