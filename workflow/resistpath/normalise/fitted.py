"""What needs a set of samples: fitted on a reference once, then applied to any sample alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import check_matrix, samples_by_genes
from resistpath.normalise.single import MILLION, Floats, bases

M_TRIM, A_TRIM = 0.3, 0.05
"""Shares of the genes trimmed by ratio and by level, as edgeR's."""
PRIOR_COUNT = 2.0


def log_cpm(
    counts: pd.DataFrame, factors: pd.Series | None = None, mean_library: float | None = None
) -> pd.DataFrame:
    """log2 CPM with a prior of two reads scaled by library size, as edgeR's ``cpm(log=TRUE)``.

    ``log2((x + p) / (N + 2 p) 10^6)`` with ``p = 2 N / mean(N)`` and N the library size times its
    normalisation factor. The mean library is that of the samples given, so values depend on
    them, unless `mean_library` is that of a reference.
    """
    library = _library(counts, "log_cpm")
    library = library if factors is None else library * factors.reindex(counts.columns).to_numpy()
    prior = PRIOR_COUNT * library / (library.mean() if mean_library is None else mean_library)
    rows = samples_by_genes(counts)
    out = np.log2((rows + prior[:, None]) / (library + 2 * prior)[:, None] * MILLION)
    return pd.DataFrame(out.T, index=counts.index, columns=counts.columns)


def getmm(counts: pd.DataFrame, lengths: Mapping[str, float] | pd.Series) -> pd.DataFrame:
    """Gene-length corrected TMM (Smid et al. 2018, doi:10.1186/s12859-018-2246-7).

    TMM of reads per kilobase. Depends on the samples given.
    """
    rate = counts.div(bases(counts.index, lengths) / 1e3, axis=0)
    return fit_tmm(rate).apply(rate)


@dataclass(frozen=True)
class TmmReference:
    """The sample others are compared with, and the factor that makes those of the fit average 1.

    Attributes
    ----------
    profile
        Reads of the reference sample, by gene.
    geometric_mean
        Of the raw factors of the samples it was fitted on.
    mean_library
        Mean library size times factor of those samples; for `log_cpm`.
    """

    profile: pd.Series
    geometric_mean: float
    mean_library: float

    def factors(self, counts: pd.DataFrame) -> pd.Series:
        """One factor per sample; a sample's does not depend on the others given."""
        rows = samples_by_genes(_same_genes(counts, self.profile.index, "TMM"))
        _library(counts, "TMM")
        reference = self.profile.to_numpy(dtype=np.float64)
        raw = [_tmm_factor(row, reference) for row in rows]
        return pd.Series(np.array(raw) / self.geometric_mean, counts.columns, name="tmm_factor")

    def apply(self, counts: pd.DataFrame) -> pd.DataFrame:
        """CPM with library sizes times factors; genes x samples."""
        return _cpm_with(counts, self.factors(counts))


def fit_tmm(counts: pd.DataFrame) -> TmmReference:
    """Choose the TMM reference sample as edgeR's ``calcNormFactors`` does (by rnanorm).

    Robinson & Oshlack 2010, doi:10.1186/gb-2010-11-3-r25. rnanorm cannot apply its fit to one
    sample (it drops the genes without reads in the samples given), so `TmmReference` does.
    """
    from rnanorm import TMM

    library = _library(counts, "TMM")
    rows = samples_by_genes(counts)
    expressed = (rows > 0).any(axis=0)
    chosen = np.asarray(TMM().fit(rows).ref_, dtype=np.float64)
    reference = np.zeros(rows.shape[1])
    reference[expressed] = chosen
    raw = np.array([_tmm_factor(row, reference) for row in rows])
    mean = float(np.exp(np.log(raw).mean()))
    profile = pd.Series(reference, index=counts.index, name="reads")
    return TmmReference(profile, mean, float((library * raw / mean).mean()))


def _tmm_factor(sample: Floats, reference: Floats) -> float:
    """Raw TMM factor of one sample: trimmed, precision-weighted mean of log ratios."""
    from scipy.stats import rankdata

    n, m = _total(sample), _total(reference)
    both = (sample > 0) & (reference > 0)
    x, y = sample[both], reference[both]
    ratio, level = np.log2((x / n) / (y / m)), np.log2((x / n) * (y / m)) / 2
    if len(x) == 0 or np.abs(ratio).max() < 1e-6:
        return 1.0
    weight = 1 / ((1 - x / n) / x + (1 - y / m) / y)
    keep = np.ones(len(x), dtype=bool)
    for values, trim in ((ratio, M_TRIM), (level, A_TRIM)):
        low = np.floor(len(x) * trim) + 1
        rank = rankdata(values)
        keep &= (rank >= low) & (rank <= len(x) - low + 1)
    return float(2 ** ((weight * ratio)[keep].sum() / weight[keep].sum()))


def tmm_factors(counts: pd.DataFrame) -> pd.Series:
    """TMM normalisation factors of a cohort, as edgeR's ``calcNormFactors``.

    The reference sample is chosen among the samples given, so the factors depend on the
    cohort and never enter a single-sample result; `fit_tmm` keeps the reference for that.

    Parameters
    ----------
    counts
        Genes x samples, raw counts; every sample must hold at least one read.

    Returns
    -------
    pandas.Series
        One factor per sample; their geometric mean is 1.
    """
    return fit_tmm(counts).factors(counts)


@dataclass(frozen=True)
class UpperQuartileReference:
    """Genes with reads in the samples it was fitted on, and the scale of their factors."""

    genes: pd.Index
    geometric_mean: float

    def factors(self, counts: pd.DataFrame) -> pd.Series:
        """One factor per sample, alone: 75th percentile of its expressed genes over its reads."""
        raw = _upper_quartile(_same_genes(counts, self.genes, "upper quartile"), _sums(counts))
        return pd.Series(raw / self.geometric_mean, counts.columns, name="upper_quartile_factor")

    def apply(self, counts: pd.DataFrame) -> pd.DataFrame:
        """CPM with library sizes times factors; genes x samples."""
        return _cpm_with(counts, self.factors(counts))


def fit_upper_quartile(counts: pd.DataFrame) -> UpperQuartileReference:
    """Fit upper-quartile factors (Bullard et al. 2010, doi:10.1186/1471-2105-11-94), as edgeR."""
    library = _library(counts, "upper quartile")
    genes = counts.index[(counts > 0).any(axis=1)]
    raw = _upper_quartile(counts.loc[genes], library)
    return UpperQuartileReference(genes, float(np.exp(np.log(raw).mean())))


def _upper_quartile(counts: pd.DataFrame, library: Floats) -> Floats:
    quartile = np.quantile(samples_by_genes(counts), 0.75, axis=1)
    empty = counts.columns[quartile <= 0]
    if len(empty):
        raise UserError(
            f"three quarters of the genes have no reads in {some(empty)}",
            where="upper quartile",
            do="leave these samples out, or use TMM",
        )
    return np.asarray(quartile / library)


@dataclass(frozen=True)
class SizeFactorReference:
    """Mean logarithm of each gene's reads over the samples it was fitted on.

    Attributes
    ----------
    log_means
        By gene; minus infinity where a gene is left out.
    scale
        Size factors are divided by it: 1, or their geometric mean for ``poscounts``.
    """

    log_means: pd.Series
    scale: float = 1.0

    def factors(self, counts: pd.DataFrame) -> pd.Series:
        """One size factor per sample, alone: the median ratio to the reference."""
        _library(counts, "size factors")
        means = self.log_means.to_numpy()
        rows = samples_by_genes(_same_genes(counts, self.log_means.index, "size factors"))
        out = []
        for row in rows:
            use = np.isfinite(means) & (row > 0)
            out.append(np.exp(np.median(np.log(row[use]) - means[use])) if use.any() else np.nan)
        return pd.Series(np.array(out) / self.scale, counts.columns, name="size_factor")

    def apply(self, counts: pd.DataFrame) -> pd.DataFrame:
        """Counts divided by size factors; genes x samples."""
        return counts / self.factors(counts)


def fit_size_factors(
    counts: pd.DataFrame, kind: Literal["ratio", "poscounts"] = "ratio"
) -> SizeFactorReference:
    """Fit median-of-ratios size factors (Anders & Huber 2010), as DESeq2.

    Parameters
    ----------
    counts
        Genes x samples, reads.
    kind
        ``"ratio"`` uses genes with reads in every sample; ``"poscounts"`` also the others, for
        references in which no gene is seen in all. See doi:10.1186/s13059-014-0550-8.
    """
    _library(counts, "size factors")
    array = counts.to_numpy(dtype=np.float64)
    logs = np.log(array, out=np.zeros_like(array), where=array > 0)
    means = logs.mean(axis=1)
    out = (array == 0).any(axis=1) if kind == "ratio" else (array == 0).all(axis=1)
    means[out] = -np.inf
    if out.all():
        raise UserError(
            "no gene has reads in every sample", where="size factors", do='use kind="poscounts"'
        )
    fit = SizeFactorReference(pd.Series(means, index=counts.index))
    if kind == "ratio":
        return fit
    return SizeFactorReference(fit.log_means, float(np.exp(np.log(fit.factors(counts)).mean())))


@dataclass(frozen=True)
class QuantileReference:
    """The distribution every sample is brought to: mean of the sorted samples of the fit."""

    genes: pd.Index
    target: Floats

    def apply(self, values: pd.DataFrame) -> pd.DataFrame:
        """Give each sample the reference's distribution; ties share the mean of their quantiles."""
        from scipy.stats import rankdata

        rows = samples_by_genes(_same_genes(values, self.genes, "quantile normalisation"))
        at = np.arange(1.0, len(self.target) + 1)
        out = np.array([np.interp(rankdata(row), at, self.target) for row in rows])
        return pd.DataFrame(out.T, index=self.genes, columns=values.columns)


def fit_quantiles(values: pd.DataFrame) -> QuantileReference:
    """Fit quantile normalisation (Bolstad et al. 2003), as limma's ``normalizeQuantiles``."""
    check_matrix(values, "matrix to fit quantiles on")
    rows = np.sort(samples_by_genes(values), axis=1)
    return QuantileReference(values.index, rows.mean(axis=0))


def _total(row: Floats) -> float:
    """Sum in extended precision, as R's: genes tied at the edge of a trim are tied in both."""
    return float(row.sum(dtype=np.longdouble))


def _sums(counts: pd.DataFrame) -> Floats:
    return np.array([_total(row) for row in samples_by_genes(counts)])


def _library(counts: pd.DataFrame, where: str) -> Floats:
    """Library sizes, after the checks rnanorm leaves out: no negative count, no empty sample."""
    check_matrix(counts, "matrix of counts")
    if (counts.to_numpy() < 0).any():
        raise UserError("counts cannot be negative", where=where, do="give raw counts")
    library = _sums(counts)
    if (library == 0).any():
        raise UserError(
            f"no reads in {some(counts.columns[library == 0])}", where=where, do="remove them"
        )
    return library


def _same_genes(values: pd.DataFrame, genes: pd.Index, where: str) -> pd.DataFrame:
    """Rows of `genes`; a gene that the reference has and the sample lacks is an error."""
    if values.index.equals(genes):
        return values
    lacking = genes.difference(values.index)
    if len(lacking):
        raise UserError(
            f"{len(lacking)} genes of the reference are not in the matrix: {some(lacking)}",
            where=where,
            do="fit the reference on the genes both have",
        )
    return values.loc[genes]


def _cpm_with(counts: pd.DataFrame, factors: pd.Series) -> pd.DataFrame:
    out: pd.DataFrame = counts / (_sums(counts) * factors) * MILLION
    return out
