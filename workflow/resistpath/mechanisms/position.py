"""Where samples stand in the reference, readout by readout, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from resistpath.reference import jeffreys_interval, midrank_counts, normal_scores
from resistpath.score.intervals import (
    half_width,
    jackknife_variance,
    moderated_variance,
    prior_variance,
)


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


@dataclass(frozen=True)
class Position:
    """Normal scores of samples in a reference; `lower` and `upper` are distances, >= 0."""

    counts: np.ndarray
    z: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n: int

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
        return Position(self.n - self.counts, -self.z, self.upper, self.lower, self.n)


def nowhere(n_samples: int, n: int) -> Position:
    """Positions of samples that could not be placed: all NaN."""
    nan = np.full(n_samples, np.nan)
    return Position(nan, nan, nan, nan, n)


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


def place(scores: np.ndarray, half: np.ndarray, reference: np.ndarray, level: float) -> Position:
    """Place scores with half-widths in a reference.

    Two sources widen the interval at each end and are joined by the square root of the sum of
    squares on the normal-score axis (MOVER, Zou & Donner 2008, doi:10.1002/sim.3095): the
    score's own interval, mapped through the reference, and the binomial interval of a
    percentile read in n samples. A missing half-width leaves the second alone.
    """
    n = len(reference)
    counts = midrank_counts(reference, scores)
    z = normal_scores(counts, n)
    half = np.where(np.isfinite(half), half, 0.0)
    score_low = normal_scores(midrank_counts(reference, scores - half), n)
    score_high = normal_scores(midrank_counts(reference, scores + half), n)
    p_low, p_high = jeffreys_interval(counts, n, level)
    lower = np.hypot(z - score_low, z - special.ndtri(p_low))
    upper = np.hypot(score_high - z, special.ndtri(p_high) - z)
    missing = np.isnan(scores)
    for array in (counts, z, lower, upper):
        array[missing] = np.nan
    return Position(counts, z, lower, upper, n)


def raw_position(sample: ReadoutValues, reference: ReadoutValues, level: float) -> Position:
    """Place a readout as measured."""
    return place(sample.scores, _half(sample, reference, level), reference.scores, level)


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
) -> Position:
    r"""Place what is left of a readout given the T-cell-inflamed score.

    The residual is :math:`s - (a + b T)` with a and b the least-squares line of the readout on
    the T-cell-inflamed score T over the reference. Its interval adds to the gene sampling of
    s the gene sampling of T (times b) and the uncertainty of the line at T.
    """
    t_ref, t = reference_inflammation.scores, inflammation.scores
    mean_t = t_ref.sum() / len(t_ref)
    square = float(((t_ref - mean_t) ** 2).sum())

    def residuals(own: np.ndarray, ref: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = ref.sum(axis=0) / len(ref)
        slope = np.einsum("s,s...->...", t_ref - mean_t, ref - mean) / square
        left_ref = ref - mean - np.multiply.outer(t_ref - mean_t, slope)
        return own - mean - np.multiply.outer(t - mean_t, slope), left_ref

    own, ref = residuals(sample.scores, reference.scores)
    sd = float(np.sqrt((ref**2).sum() / (len(ref) - 2)))
    slope = float(((t_ref - mean_t) * (reference.scores - reference.scores.mean())).sum() / square)
    without: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    if sample.without is not None and reference.without is not None:
        without = residuals(sample.without, reference.without)
    half = _half(ReadoutValues(own, without[0], sample.half), ReadoutValues(ref, without[1]), level)
    line = half_width(sd**2 * (1 / len(ref) + (t - mean_t) ** 2 / square), len(ref) - 2, level)
    half_t = np.where(np.isfinite(h := _half(inflammation, reference_inflammation, level)), h, 0.0)
    half = np.sqrt(np.where(np.isfinite(half), half, 0.0) ** 2 + (slope * half_t) ** 2 + line**2)
    return place(own, half, ref, level)
