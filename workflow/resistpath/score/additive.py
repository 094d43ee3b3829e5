"""What all scores made of a mean over genes have in common.

A side of a set (its up or its down genes) contributes ``slope * mean + offset``, where slope
and offset depend on the number of genes only (or on the sample as a whole). Score, jackknife,
leave-one-out and null then follow from the same sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from resistpath.score.data import Background, Block, SetIndex
from resistpath.score.kernels import compiled, random_sums, segment_means, segment_means_without
from resistpath.score.result import Scored, z_value


@dataclass(frozen=True)
class Terms:
    """The number each gene puts in.

    Attributes
    ----------
    matrix
        Samples x genes: ranks (genes ordered by name) or the block's values.
    floor
        Numbers below it count as if they were it.
    shift
        Subtracted from every value of a sample; None for nothing.
    """

    matrix: np.ndarray
    floor: float = -np.inf
    shift: np.ndarray | None = None

    def arguments(self) -> tuple[np.ndarray, float, np.ndarray]:
        """Leading arguments of the kernels."""
        shift = np.zeros(len(self.matrix)) if self.shift is None else self.shift
        return self.matrix, float(self.floor), shift


Scale = Callable[..., tuple[np.ndarray, np.ndarray]]
"""Of block, genes per set and side, and options: slope and offset, broadcastable to
samples x sets x 2."""


@dataclass(frozen=True)
class Additive:
    """A scoring method as its terms and their scale.

    Attributes
    ----------
    terms
        Of block, sets and options.
    scale
        See `Scale`. Where the genes have weights, sets have one side that holds all of them.
    by_name
        True if the terms' columns are ordered by name (ranks), False if as in the matrix.
    weighted
        True if each term is multiplied by the gene's weight.
    keeps_size
        True for sums, which grow with the number of genes: with a gene left out they are
        scaled back to the full number, or losing any gene would look like uncertainty.
    """

    terms: Callable[..., Terms]
    scale: Scale
    by_name: bool
    weighted: bool = False
    keeps_size: bool = False

    def _layout(self, sets: SetIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Genes, weights and bounds of the segments, and genes per set and side."""
        genes = sets.genes if self.by_name else sets.rows
        if not self.weighted:
            return genes, np.ones(len(genes)), sets.bounds, sets.sides
        return genes, sets.weights, sets.whole, sets.sides.sum(axis=1, keepdims=True)

    def _means(
        self, terms: Terms, sets: SetIndex, square: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        genes, weights, bounds, sides = self._layout(sets)
        shape = (len(terms.matrix), len(bounds) - 1)
        mean, spread = np.empty(shape), np.empty(shape if square else (1, 1))
        compiled(segment_means)(*terms.arguments(), genes, weights, bounds, square, mean, spread)
        form = (len(terms.matrix), *sides.shape)
        return mean.reshape(form), spread.reshape(form) if square else spread, sides

    def _join(self, sides: np.ndarray, counts: np.ndarray, sets: SetIndex) -> np.ndarray:
        """Add the sides a set has; NaN for sets that lack one they should have."""
        out = np.where(counts > 0, sides, 0.0)
        total = out[..., 0] if out.shape[-1] == 1 else out[..., 0] + out[..., 1]
        lacking = sets.coverage == 0 if self.weighted else sets.incomplete
        return np.where(lacking, np.nan, total)

    def _fewer(
        self, block: Block, sides: np.ndarray, options: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Slope and offset of sets that lost a gene."""
        left = sides if self.keeps_size else np.where(sides > 1, sides - 1, sides)
        return self.scale(block, left, **options)

    def score(self, block: Block, sets: SetIndex, **options: Any) -> np.ndarray:
        """Scores, samples x sets."""
        mean, _, sides = self._means(self.terms(block, sets, **options), sets, False)
        slope, offset = self.scale(block, sides, **options)
        return self._join(slope * mean + offset, sides, sets)

    def detail(
        self, block: Block, sets: SetIndex, background: Background | None, **options: Any
    ) -> Scored:
        r"""Scores with jackknife variance and null.

        Leaving one of n genes out of a mean gives the variance
        :math:`\sum (v - \bar v)^2 / (n (n - 1))`, times the squared slope of n - 1 genes; the
        sides of a set add up. A side of one gene adds nothing. Degrees of freedom: genes minus
        sides, of the sides with two genes or more.
        """
        terms = self.terms(block, sets, **options)
        mean, spread, sides = self._means(terms, sets, True)
        slope, offset = self.scale(block, sides, **options)
        score = self._join(slope * mean + offset, sides, sets)
        fewer, _ = self._fewer(block, sides, options)
        many = sides >= 2
        each = fewer**2 * spread / np.where(many, sides * (sides - 1), 1)
        variance = self._join(np.where(many, each, 0.0), sides, sets)
        df = np.where(many, sides - 1, 0).sum(axis=1)
        variance = np.where(df > 0, variance, np.nan)
        df = np.broadcast_to(df.astype(np.float64), score.shape)
        null_z = np.full(score.shape, np.nan)
        if background is not None:
            null_z = self._null(block, terms, sets, background, slope, offset, score)
        return Scored(score, variance, df, null_z)

    def _null(
        self,
        block: Block,
        terms: Terms,
        sets: SetIndex,
        background: Background,
        slope: np.ndarray,
        offset: np.ndarray,
        score: np.ndarray,
    ) -> np.ndarray:
        _, weights, bounds, sides = self._layout(sets)
        profile = background.profile(sets.genes, bounds, weights)
        order = np.arange(block.n_genes, dtype=np.int32) if self.by_name else block.order
        moments = np.empty((block.n_samples, len(bounds) - 1, 3))
        compiled(random_sums)(
            *terms.arguments(), order, background.bins, background.counts, profile, moments
        )
        one, two, three = (moments[..., i].reshape(block.n_samples, *sides.shape) for i in range(3))
        each = slope / np.maximum(sides, 1)
        middle = self._join(each * one + offset, sides, sets)
        spread = self._join(each * each * two, sides, sets)
        third = self._join(each * each * each * three, sides, sets)
        return z_value(score, middle, spread, third)

    def without(self, block: Block, sets: SetIndex, **options: Any) -> np.ndarray:
        """Scores of each set without each of its genes: samples x genes of all sets.

        A side with one gene cannot lose it: NaN.
        """
        terms = self.terms(block, sets, **options)
        genes, weights, bounds, sides = self._layout(sets)
        left = np.empty((block.n_samples, len(genes)))
        compiled(segment_means_without)(*terms.arguments(), genes, weights, bounds, left)
        mean, _, _ = self._means(terms, sets, False)
        slope, offset = self.scale(block, sides, **options)
        full = np.where(sides > 0, slope * mean + offset, 0.0)
        whole = self._join(full, sides, sets)
        fewer, shifted = self._fewer(block, sides, options)
        n_sides = sides.shape[1]
        segment = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        of_set = segment // n_sides
        flat = (block.n_samples, len(bounds) - 1)
        rest = (whole[..., None] - full).reshape(flat)[:, segment]
        form = (block.n_samples, *sides.shape)
        fewer, shifted = (
            np.broadcast_to(a, form).reshape(flat)[:, segment] for a in (fewer, shifted)
        )
        return np.where(np.isnan(whole[:, of_set]), np.nan, rest + (fewer * left + shifted))
