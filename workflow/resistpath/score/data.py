"""The matrix as the scoring methods see it: blocks of samples, each ranked once for all methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from resistpath.methods import GeneSet
from resistpath.score.kernels import compiled
from resistpath.score.ranking import rank_float32, rank_float64

BLOCK = 32
"""Samples per block: a block of ranks and values fits the processor's cache."""


@dataclass(frozen=True)
class SetIndex:
    """Many gene sets as positions in one matrix.

    The genes of all sets stand one after the other; each set has two sides, up then down, and
    within a side genes are ordered by name, so that sums depend neither on the order in which
    a set lists its genes nor on the order of the matrix.

    Attributes
    ----------
    sets
        The sets, in the order given.
    genes
        Places of the measured genes among the matrix's genes ordered by name.
    rows
        Their rows in the matrix as given.
    bounds
        Where each side begins: side ``2 s`` is the up side of set s, ``2 s + 1`` its down
        side; one more entry ends the last side.
    sizes
        Sets x 2: genes of each side, measured or not.
    weights
        Signed weight per measured gene: the set's own, or 1 up and -1 down.
    pairs, pair_bounds
        For sets of pairs: the pairs with both genes measured as rows of the matrix, and where
        each set's pairs begin.
    """

    sets: tuple[GeneSet, ...]
    genes: np.ndarray
    rows: np.ndarray
    bounds: np.ndarray
    sizes: np.ndarray
    weights: np.ndarray
    pairs: np.ndarray
    pair_bounds: np.ndarray

    @property
    def names(self) -> list[str]:
        """Names of the sets."""
        return [s.name for s in self.sets]

    @cached_property
    def sides(self) -> np.ndarray:
        """Sets x 2: measured genes up and down."""
        return np.diff(self.bounds).reshape(-1, 2)

    @cached_property
    def whole(self) -> np.ndarray:
        """Bounds of whole sets, up and down side together."""
        return np.ascontiguousarray(self.bounds[::2])

    @cached_property
    def measured(self) -> np.ndarray:
        """Measured genes per set; of a set of pairs, the genes of its measured pairs."""
        counts = self.sides.sum(axis=1)
        for i, s in enumerate(self.sets):
            if s.pairs:
                counts[i] = len(
                    np.unique(self.pairs[self.pair_bounds[i] : self.pair_bounds[i + 1]])
                )
        return counts

    @cached_property
    def coverage(self) -> np.ndarray:
        """Share of each set's genes (of a set of pairs: of its pairs) that are measured."""
        found, size = self.sides.sum(axis=1), self.sizes.sum(axis=1)
        share = np.divide(found, size, out=np.zeros(len(size)), where=size > 0)
        for i, s in enumerate(self.sets):
            if s.pairs:
                share[i] = (self.pair_bounds[i + 1] - self.pair_bounds[i]) / len(s.pairs)
        return share

    @cached_property
    def incomplete(self) -> np.ndarray:
        """True for sets with a side of which no gene is measured, and for sets without genes."""
        missing = (self.sides == 0) & (self.sizes > 0)
        return missing.any(axis=1) | (self.sides.sum(axis=1) == 0)

    def columns(self, i: int) -> slice:
        """Where the genes of set i stand in `genes`."""
        return slice(int(self.whole[i]), int(self.whole[i + 1]))


@dataclass(frozen=True)
class Background:
    """What a random set of genes is drawn from: genes of the same bin of typical expression.

    Attributes
    ----------
    bins
        Bin of each gene, genes ordered by name.
    counts
        Genes per bin.
    """

    bins: np.ndarray
    counts: np.ndarray

    def profile(self, genes: np.ndarray, bounds: np.ndarray, weights: np.ndarray) -> np.ndarray:
        r"""Segments x bins x 3: sum of the weights, and of their 2nd and 3rd central powers.

        Weights are taken over all :math:`N` genes of the bin, 0 outside the segment:
        :math:`W_k = \sum (w - \bar w)^k`. A weighted sum over genes drawn without replacement
        has mean :math:`\sum_b \bar w N \mu`, variance :math:`\sum_b W_2 \sigma^2 N / (N - 1)`
        and third cumulant :math:`\sum_b W_3 \mu_3 N^2 / ((N - 1)(N - 2))`.
        """
        segment = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        shape = (len(bounds) - 1, len(self.counts))
        powers = [np.zeros(shape) for _ in range(3)]
        for i, power in enumerate(powers):
            np.add.at(power, (segment, self.bins[genes]), weights ** (i + 1))
        first, second, third = powers
        mean = first / self.counts
        second_central = second - mean * first
        third_central = third - 3 * mean * second + 2 * self.counts * mean**3
        return np.stack([first, second_central, third_central], axis=-1)


class Block:
    """Some samples of a matrix: values, and ranks once a method asks for them.

    Attributes
    ----------
    values
        Samples x genes in the matrix's own order, float32 or float64, C-contiguous.
    genes
        Their names, in the same order.
    place, order
        See `ScoreData`.
    """

    def __init__(
        self, values: np.ndarray, genes: pd.Index, place: np.ndarray, order: np.ndarray
    ) -> None:
        self.values, self.genes = values, genes
        self.place, self.order = place, order

    @property
    def n_samples(self) -> int:
        """Samples in the block."""
        return self.values.shape[0]

    @property
    def n_genes(self) -> int:
        """Size of the universe, N in the formulas."""
        return self.values.shape[1]

    def _rank(self, ordered: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        kind = np.uint16 if 2 * self.n_genes <= np.iinfo(np.uint16).max else np.int32
        doubled, low = (np.empty(self.values.shape, dtype=kind) for _ in range(2))
        position = np.empty(self.values.shape if ordered else (0, 0), dtype=kind)
        single = self.values.dtype == np.float32
        bits = self.values.view(np.uint32 if single else np.uint64)
        rank = compiled(rank_float32 if single else rank_float64)
        rank(bits, self.place, ordered, doubled, low, position)
        return doubled, low, position

    @cached_property
    def _ranked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._rank(ordered=False)

    @property
    def doubled_ranks(self) -> np.ndarray:
        """Twice the ascending rank, ties averaged, so always whole; genes ordered by name."""
        return self._ranked[0]

    @property
    def lowest_ranks(self) -> np.ndarray:
        """Ascending rank, ties sharing the lowest; genes ordered by name."""
        return self._ranked[1]

    @cached_property
    def file_positions(self) -> np.ndarray:
        """Place from the bottom, of tied genes the first of the file topmost (GSVA's walk)."""
        return self._rank(ordered=True)[2]


def doubled_ranks(values: np.ndarray) -> np.ndarray:
    """Twice the ascending rank within each row, ties averaged: whole numbers, as float64."""
    place = np.arange(values.shape[1], dtype=np.int32)
    return Block(values, pd.RangeIndex(len(place)), place, place).doubled_ranks.astype(np.float64)


class ScoreData:
    """An expression matrix: every sample is treated alone, in blocks of samples.

    Parameters
    ----------
    values
        Genes x samples. float32 stays float32; anything else is read as float64.

    Attributes
    ----------
    matrix
        Samples x genes, a view of what was given where that is possible.
    genes, samples
        Labels of the two axes.
    place
        For each row, its place among the genes ordered by name.
    order
        For each place, the row; the inverse of `place`.
    """

    def __init__(self, values: pd.DataFrame) -> None:
        # One block of one dtype is handed out as a view; its transpose costs nothing.
        self._set(values.to_numpy().T, pd.Index(values.index), pd.Index(values.columns))

    @classmethod
    def from_rows(cls, matrix: Any, genes: pd.Index[Any], samples: pd.Index[Any]) -> ScoreData:
        """Take samples x genes that need not fit in memory, such as a memory map or a dataset.

        Single-sample methods read one block of rows at a time.
        """
        data = cls.__new__(cls)
        data._set(matrix, genes, samples)
        return data

    def _set(self, matrix: Any, genes: pd.Index[Any], samples: pd.Index[Any]) -> None:
        self.matrix, self.genes, self.samples = matrix, genes, samples
        self._kind = np.float32 if self.matrix.dtype == np.float32 else np.float64
        names = self.genes.to_numpy(dtype=object)
        self.order = np.argsort(names, kind="stable").astype(np.int32)
        self.place = np.empty_like(self.order)
        self.place[self.order] = np.arange(len(names), dtype=np.int32)

    @property
    def n_genes(self) -> int:
        """Size of the universe, N in the formulas."""
        return len(self.genes)

    def block(self, part: slice) -> Block:
        """Take some samples out, without copying where the matrix already lies that way."""
        values = np.ascontiguousarray(self.matrix[part], dtype=self._kind)
        return Block(values, self.genes, self.place, self.order)

    def parts(self, size: int = BLOCK) -> Iterator[slice]:
        """Blocks of at most `size` samples."""
        for start in range(0, len(self.samples), size):
            yield slice(start, min(start + size, len(self.samples)))

    def _find(self, names: list[str]) -> np.ndarray:
        """Rows of genes, -1 for those not measured."""
        return self.genes.get_indexer(pd.Index(names, dtype=object))

    def index(self, sets: Iterable[GeneSet]) -> SetIndex:
        """Find the genes of all sets in the matrix."""
        sets = tuple(sets)
        sides = [sorted(set(side)) for s in sets for side in (s.up, s.down)]
        rows, weights, counts = [], [], []
        for number, names in enumerate(sides):
            gene_set, sign = sets[number // 2], 1.0 - 2.0 * (number % 2)
            found = self._find(names)
            rows.append(found[found >= 0])
            counts.append(int((found >= 0).sum()))
            weights += [
                float(gene_set.weights.get(g, sign)) if gene_set.weights else sign
                for g, row in zip(names, found, strict=True)
                if row >= 0
            ]
        flat = np.concatenate([np.empty(0, dtype=np.int64), *rows]).astype(np.int32)
        pairs, per_set = [], []
        for s in sets:
            both = self._find([g for pair in s.pairs for g in pair]).reshape(-1, 2)
            pairs.append(both[(both >= 0).all(axis=1)])
            per_set.append(len(pairs[-1]))
        return SetIndex(
            sets,
            self.place[flat],
            flat,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.array([len(names) for names in sides], dtype=np.int64).reshape(-1, 2),
            np.array(weights, dtype=np.float64),
            np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs]),
            np.concatenate([[0], np.cumsum(per_set)]).astype(np.int64),
        )

    def background(self, bins: Mapping[str, int] | pd.Series | None = None) -> Background:
        """Sort genes into bins of typical expression; genes without a bin form one of their own.

        Parameters
        ----------
        bins
            Bin by gene, fixed beforehand and not from these samples. None: one bin.
        """
        given = pd.Series(0 if bins is None else bins, index=self.genes if bins is None else None)
        found = given.reindex(self.genes[self.order]).fillna(-1).to_numpy()
        _, codes = np.unique(found, return_inverse=True)
        return Background(codes.astype(np.int32), np.bincount(codes).astype(np.float64))
