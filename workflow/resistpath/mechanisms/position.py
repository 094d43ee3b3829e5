"""Where samples stand in the reference, readout by readout, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from resistpath.mechanisms.line import Line, Others
from resistpath.reference import jeffreys_interval, midrank_counts, normal_scores
from resistpath.score.intervals import (
    half_width,
    jackknife_variance,
    moderated_variance,
    prior_variance,
)

SOURCES = ("genes", "inflammation", "reference")
"""Where uncertainty comes from: the readout's own genes (or its fit), the genes of the
T-cell-inflamed score a residual is taken on, and the reference's tumours."""


@dataclass(frozen=True)
class ReadoutValues:
    """One readout in a group of samples.

    Attributes
    ----------
    scores
        One per sample; NaN where the readout could not be had.
    without
        Samples x genes: the score without each gene of the set. None where genes cannot be
        left out (single genes, fractions).
    half
        Half-width of the score's own 90 % interval where it comes from elsewhere (fractions).
    """

    scores: np.ndarray
    without: np.ndarray | None = None
    half: np.ndarray | None = None

    @classmethod
    def joined(cls, blocks: Sequence[ReadoutValues]) -> ReadoutValues:
        """The samples of several blocks, one after the other."""

        def joined(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
            known = [a for a in arrays if a is not None]
            return np.concatenate(known) if known else None

        return cls(
            np.concatenate([b.scores for b in blocks]),
            joined([b.without for b in blocks]),
            joined([b.half for b in blocks]),
        )


@dataclass(frozen=True)
class Position:
    """Normal scores of samples in a reference; distances to the interval's ends are >= 0.

    Attributes
    ----------
    counts, z
        Mid-rank count and its normal score.
    parts
        By source of uncertainty (`SOURCES`), the distances to the lower and the upper end that
        it alone would give, in normal scores.
    n
        Number of reference tumours each sample was placed among: one less for a sample that is
        itself in the reference.
    """

    counts: np.ndarray
    z: np.ndarray
    parts: Mapping[str, tuple[np.ndarray, np.ndarray]]
    n: int | np.ndarray

    @property
    def lower(self) -> np.ndarray:
        """Distance to the lower end: all sources, as the root of the sum of squares."""
        return _root_sum_square([down for down, _ in self.parts.values()])

    @property
    def upper(self) -> np.ndarray:
        """Distance to the upper end."""
        return _root_sum_square([up for _, up in self.parts.values()])

    @property
    def percentile(self) -> np.ndarray:
        """Mid-rank percentile, 0 to 100."""
        return np.asarray(100.0 * self.counts / self.n)

    @property
    def low(self) -> np.ndarray:
        """Lower end of the percentile's interval."""
        return np.minimum(100.0 * special.ndtr(self.z - self.lower), self.percentile)

    @property
    def high(self) -> np.ndarray:
        """Upper end of the percentile's interval."""
        return np.maximum(100.0 * special.ndtr(self.z + self.upper), self.percentile)

    def oriented(self, sign: int) -> Position:
        """Turn the axis round for readouts whose low values mean more of the mechanism."""
        if sign > 0:
            return self
        turned = {source: (up, down) for source, (down, up) in self.parts.items()}
        return Position(self.n - self.counts, -self.z, turned, self.n)


def _root_sum_square(terms: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros_like(terms[0])
    for term in terms:
        total = total + term**2
    return np.sqrt(total)


def nowhere(n_samples: int, n: int) -> Position:
    """Positions of samples that could not be placed: all NaN."""
    nan = np.full(n_samples, np.nan)
    return Position(nan, nan, dict.fromkeys(SOURCES, (nan, nan)), n)


def gene_sampling_variance(sample: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, float]:
    r"""Variance of a standardised score under resampling of the set's genes.

    Leaving out a gene moves the sample and the reference together, so what counts is the
    sample's place: :math:`u_{(i)} = (s_{(i)} - \bar r_{(i)}) / sd(r_{(i)})`, with
    :math:`s_{(i)}, r_{(i)}` the scores of sample and reference without gene i. The jackknife
    variance of u is mixed with its typical value in the reference (`prior_variance`).

    Parameters
    ----------
    sample, reference
        Samples x genes: scores without each gene.

    Returns
    -------
    tuple
        One variance per sample, in squared standard deviations of the reference, and their
        degrees of freedom.
    """
    usable = ~np.isnan(reference).any(axis=0)
    n_genes = int(usable.sum())
    if n_genes < 2:
        return np.full(len(sample), np.nan), 1.0
    ref, own = reference[:, usable], sample[:, usable]
    mean = ref.sum(axis=0) / len(ref)
    sd = np.sqrt(((ref - mean) ** 2).sum(axis=0) / (len(ref) - 1))
    sd = np.where(sd > 0, sd, np.nan)
    df = n_genes - 1
    prior, prior_df = prior_variance(jackknife_variance((ref - mean) / sd), df)
    return moderated_variance(jackknife_variance((own - mean) / sd), df, prior, prior_df)


Count = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From ends x samples, the mid-rank counts of each and the number of reference tumours."""


def place(
    scores: np.ndarray,
    half: np.ndarray,
    count: Count,
    level: float,
    further: Mapping[str, np.ndarray] | None = None,
) -> Position:
    """Place scores with half-widths in a reference.

    Two sources widen the interval at each end and are joined by the square root of the sum of
    squares on the normal-score axis (MOVER, Zou & Donner 2008, doi:10.1002/sim.3095): the
    score's own interval, mapped through the reference, and the binomial interval of a
    percentile read in n samples. A missing half-width leaves the second alone.

    Parameters
    ----------
    half
        Half-widths of the scores' own intervals, for the source ``"genes"``.
    count
        Counts scores in the reference.
    further
        Half-widths by further sources. All are joined before they are mapped through the
        reference, and the distances shared out by their squares.
    """
    halves = {"genes": np.where(np.isfinite(half), half, 0.0), **(further or {})}
    half = _root_sum_square(list(halves.values()))
    ends = np.stack([scores - half, scores, scores + half])
    counts, n = count(ends)
    low, z, high = normal_scores(counts, n)
    p_low, p_high = jeffreys_interval(counts[1], n, level)
    missing = np.where(np.isnan(scores), np.nan, 0.0)
    share = {
        source: np.divide(h, half, out=np.zeros_like(half), where=half > 0)
        for source, h in halves.items()
    }
    none = np.zeros_like(half)
    parts = {
        source: (
            (z - low) * share.get(source, none) + missing,
            (high - z) * share.get(source, none) + missing,
        )
        for source in SOURCES
    }
    down, up = parts["reference"]
    parts["reference"] = (
        np.hypot(down, z - special.ndtri(p_low)),
        np.hypot(up, special.ndtri(p_high) - z),
    )
    return Position(counts[1] + missing, z + missing, parts, n)


def raw_position(
    sample: ReadoutValues,
    reference: ReadoutValues,
    level: float,
    members: np.ndarray | None = None,
) -> Position:
    """Place a readout as measured.

    Parameters
    ----------
    members
        Position of each sample in the reference, -1 where it is not in it. A sample that is in
        it is placed among the others; the spread its interval is scaled by is that of all.
    """

    def count(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts = midrank_counts(reference.scores, ends)
        n = np.full(ends.shape[1], len(reference.scores))
        if members is not None:
            inside = members >= 0
            itself, own = reference.scores[members[inside]], ends[:, inside]
            counts[:, inside] -= (itself < own) + 0.5 * (itself == own)
            n[inside] -= 1
        return counts, n

    half = _half(sample, reference, level)
    return place(sample.scores, half, count, level)


def _half(sample: ReadoutValues, reference: ReadoutValues, level: float) -> np.ndarray:
    if sample.without is None or reference.without is None:
        missing = np.full(len(sample.scores), np.nan)
        return missing if sample.half is None else sample.half
    variance, df = gene_sampling_variance(sample.without, reference.without)
    return half_width(variance, df, level) * float(np.std(reference.scores, ddof=1))


def residual_position(
    sample: ReadoutValues,
    reference: ReadoutValues,
    inflammation: ReadoutValues,
    reference_inflammation: ReadoutValues,
    level: float,
    members: np.ndarray | None = None,
) -> Position:
    r"""Place what is left of a readout given the T-cell-inflamed score.

    The residual is :math:`s - (a + b T)` with a and b the least-squares line of the readout on
    the T-cell-inflamed score T over the reference. Its interval adds to the gene sampling of
    s the gene sampling of T (times b) and the uncertainty of the line at T, which counts as the
    reference's.

    Parameters
    ----------
    members
        As in `raw_position`; the line of a sample that is in the reference is that of the
        others, so that the sample does not draw it towards itself.
    """
    t_ref, t = reference_inflammation.scores, inflammation.scores
    line = Line.fit(t_ref, reference.scores)
    own, ref = line.residual(t, sample.scores), line.residual(t_ref, reference.scores)
    of_line = line.half_width(t, ref, level)
    inside = np.array([], dtype=np.int64) if members is None else np.flatnonzero(members >= 0)
    others = Others.of(t_ref, reference.scores, inside if members is None else members[inside])
    own[inside] = others.residual(t[inside], sample.scores[inside])
    of_line[inside] = others.half_width(t[inside], level)

    def count(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts, n = midrank_counts(ref, ends), np.full(ends.shape[1], len(ref))
        counts[:, inside], n[inside] = others.counts(ends[:, inside]), len(ref) - 1
        return counts, n

    without: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    if sample.without is not None and reference.without is not None:
        lines = Line.fit(t_ref, reference.without)
        without = (
            lines.residual(t, sample.without),
            lines.residual(t_ref, reference.without),
        )
    half = _half(ReadoutValues(own, without[0], sample.half), ReadoutValues(ref, without[1]), level)
    half_t = np.where(np.isfinite(h := _half(inflammation, reference_inflammation, level)), h, 0.0)
    further = {"inflammation": np.abs(float(line.slope)) * half_t, "reference": of_line}
    return place(own, half, count, level, further)
