"""Normalisation against hand-worked examples, edgeR, DESeq2, limma and sva.

The figures of the original tools are those of ``oracle/riaz_normalisation``: R 4.2.2, edgeR 3.40,
DESeq2 and limma of the same Bioconductor release, 51 tumours, every 20th gene.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from resistpath import UserError, normalise, tmm_factors
from resistpath.expression import Expression
from resistpath.normalise import (
    fit_quantiles,
    fit_size_factors,
    fit_tmm,
    fit_upper_quartile,
    getmm,
    log2_plus_one,
    log_cpm,
    remove_batch,
    to_cpm,
    to_rpkm,
    to_tpm,
)
from resistpath.units import QUANTITIES, Units


def test_tpm_by_hand():
    # Reads 10, 20, 30 on genes of 1, 2 and 3 kb: 10 reads per kb each, a third of a million.
    x = pd.DataFrame({"s": [10.0, 20.0, 30.0]}, index=list("abc"))
    tpm = to_tpm(x, Units("counts"), {"a": 1000, "b": 2000, "c": 3000})
    np.testing.assert_allclose(tpm["s"], [1e6 / 3] * 3, rtol=1e-15)
    # TPM of a larger gene list are only rescaled.
    np.testing.assert_allclose(to_tpm(x, Units("tpm"))["s"], [1e6 / 6, 1e6 / 3, 5e5], rtol=1e-15)
    np.testing.assert_allclose(to_cpm(x)["s"], [1e6 / 6, 1e6 / 3, 5e5], rtol=1e-15)


def test_scaling_between_samples_cancels(small):
    lengths = pd.Series(np.linspace(500, 5000, len(small)), index=small.index)
    counts = to_tpm(small, Units("counts"), lengths)
    scaled = to_tpm(small * [1, 2, 4, 8, 16, 0.5], Units("normalised_counts"), lengths)
    pd.testing.assert_frame_equal(counts, scaled, rtol=1e-14)


def test_a_sample_is_normalised_the_same_in_any_company(small):
    lengths = pd.Series(np.linspace(500, 5000, len(small)), index=small.index)
    together = log2_plus_one(to_tpm(small, Units("counts"), lengths))
    for s in small.columns:
        alone = log2_plus_one(to_tpm(small[[s]], Units("counts"), lengths))
        pd.testing.assert_frame_equal(together[[s]], alone, check_exact=True)


def test_what_cannot_be_had_is_refused(small):
    with pytest.raises(UserError, match="needs gene lengths"):
        to_tpm(small, Units("counts"))
    with pytest.raises(UserError, match=r"39 genes have no length: G01"):
        to_tpm(small, Units("counts"), {"G00": 1000})
    with pytest.raises(UserError, match="no expression in S0"):
        to_tpm(small.assign(S0=0.0), Units("tpm"))
    with pytest.raises(UserError, match=r"log2\(CPM\+1\) cannot be had from tpm"):
        normalise(Expression(small, "tpm", "symbol"), "log2_cpm", lengths={})
    for quantity in ("relative", "intensity"):
        for call in (
            lambda u: to_tpm(small, u, {}),
            lambda u: normalise(Expression(small, str(u), "symbol"), "log2_tpm", lengths={}),
        ):
            with pytest.raises(UserError, match=f"cannot be had from {QUANTITIES[quantity]}"):
                call(Units(quantity))


FITS = [fit_tmm, fit_upper_quartile, fit_size_factors, log_cpm]


@pytest.mark.parametrize("fit", [*FITS, tmm_factors])
def test_counts_that_cannot_be_are_refused(small, fit):
    """Checks that rnanorm leaves out: it takes negative counts, and an empty sample gives NaN."""
    with pytest.raises(UserError, match="counts cannot be negative"):
        fit(small - 5)
    with pytest.raises(UserError, match="no reads in S1"):
        fit(small.assign(S1=0))
    with pytest.raises(UserError, match="missing or infinite"):
        fit(small.assign(S1=np.nan))
    with pytest.raises(UserError, match="repeats gene names"):
        fit(small.set_axis(["A"] * len(small)))


def test_fits_that_have_nothing_to_fit(small):
    thin = small.where(np.eye(40, 6) > 0, 0.0)
    with pytest.raises(UserError, match="no gene has reads in every sample; use kind"):
        fit_size_factors(thin)
    assert fit_size_factors(thin, "poscounts").factors(thin).gt(0).all()
    with pytest.raises(UserError, match="three quarters of the genes have no reads in S0"):
        fit_upper_quartile(thin)


@pytest.mark.parametrize(
    "fit",
    [
        fit_tmm,
        fit_upper_quartile,
        fit_size_factors,
        lambda x: fit_size_factors(x, "poscounts"),
        fit_quantiles,
    ],
)
def test_a_fit_treats_every_sample_alone(small, fit):
    rng = np.random.default_rng(3)
    counts = (small * 40).round().mask(rng.random(small.shape) < 0.1, 0.0)
    counts.iloc[5] = 0.0
    reference = fit(counts[["S0", "S1", "S2", "S3"]])
    together = reference.apply(counts)
    for s in counts.columns:
        alone = reference.apply(counts[[s]].sample(frac=1, random_state=1))
        pd.testing.assert_frame_equal(alone.loc[together.index], together[[s]], check_exact=True)
    with pytest.raises(UserError, match=r"1 genes of the reference are not in the matrix: G00"):
        reference.apply(counts.drop(index="G00"))
    wider = pd.concat([counts, counts.set_axis([f"X{i}" for i in range(40)])])
    if fit is not fit_quantiles:  # more genes are more reads
        return
    pd.testing.assert_frame_equal(reference.apply(wider), together)


def test_quantiles_by_hand():
    x = pd.DataFrame({"a": [2.0, 4, 6], "b": [4.0, 3, 11]}, index=list("xyz"))
    fit = fit_quantiles(x)
    np.testing.assert_allclose(fit.target, [2.5, 4, 8.5])
    out = fit.apply(x.assign(tie=[1.0, 1.0, 9.0]))
    assert out["b"].tolist() == [4, 2.5, 8.5]
    assert out["tie"].tolist() == [3.25, 3.25, 8.5]


def test_size_factors_by_hand():
    x = pd.DataFrame({"a": [1.0, 2, 8], "b": [4.0, 8, 8], "z": [0.0, 5, 5]}, index=list("xyz"))
    fit = fit_size_factors(x[["a", "b"]])
    np.testing.assert_allclose(fit.factors(x), [0.5, 2.0, (5 / 4 * 5 / 8) ** 0.5], rtol=1e-12)


# --- the original tools --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def riaz(shared):
    folder = shared / "oracle" / "riaz_normalisation"

    def read(name):
        return pd.read_csv(folder / name, sep="\t", index_col=0)

    read.counts = read("input.tsv.gz")
    read.lengths = read("gene_info.tsv")["length"].reindex(read.counts.index)
    return read


def same(ours, theirs, rtol=1e-9, atol=1e-9):
    np.testing.assert_allclose(ours.loc[theirs.index, theirs.columns], theirs, rtol=rtol, atol=atol)


def test_factors_equal_edger_and_deseq2(riaz):
    edger, deseq2 = riaz("edgeR__normfactors.tsv"), riaz("DESeq2__sizefactors.tsv")
    ours = {
        "TMM": tmm_factors(riaz.counts),
        "upperquartile": fit_upper_quartile(riaz.counts).factors(riaz.counts),
    }
    for name, factors in ours.items():
        np.testing.assert_allclose(factors, edger.loc[factors.index, name], rtol=1e-12)
    for kind in ("ratio", "poscounts"):
        factors = fit_size_factors(riaz.counts, kind).factors(riaz.counts)
        np.testing.assert_allclose(factors, deseq2.loc[factors.index, kind], rtol=1e-12)


def test_tmm_after_filtering_equals_edger(riaz):
    """filterByExpr without groups: 10 reads at the median library, in 38.7 samples."""
    library = riaz.counts.sum()
    seen = (riaz.counts / library >= 10 / library.median()).sum(axis=1) >= 10 + 0.7 * 41
    kept = riaz.counts[seen & (riaz.counts.sum(axis=1) >= 15)]
    edger = riaz("edgeR__normfactors_after_filterByExpr.tsv")
    assert (kept.sum() == edger["lib.size"].reindex(kept.columns)).all()
    np.testing.assert_allclose(tmm_factors(kept), edger["TMM"].reindex(kept.columns), rtol=1e-12)


def test_tmm_equals_rnanorm(riaz):
    from rnanorm import TMM

    rows = riaz.counts.T.astype(float)
    theirs = TMM().fit(rows.to_numpy()).transform(rows.to_numpy())
    np.testing.assert_allclose(fit_tmm(riaz.counts).apply(riaz.counts).T, theirs, rtol=1e-12)


def test_cpm_equals_edger(riaz):
    tmm = fit_tmm(riaz.counts)
    factors = tmm.factors(riaz.counts)
    same(tmm.apply(riaz.counts), riaz("edgeR__cpm_tmm.every20th_gene.tsv.gz"))
    plain = riaz("edgeR__logcpm_nonorm_prior2.every20th_gene.tsv.gz")
    same(log_cpm(riaz.counts), plain)
    logged = riaz("edgeR__logcpm_tmm_prior2.every20th_gene.tsv.gz")
    same(log_cpm(riaz.counts, factors), logged)
    one = riaz.counts.iloc[:, [7]]  # alone, by what the fit kept
    same(log_cpm(one, tmm.factors(one), tmm.mean_library), logged.iloc[:, [7]])


def test_values_per_length_equal_edger(riaz):
    same(to_rpkm(riaz.counts, riaz.lengths), riaz("edgeR__rpkm_nonorm.every20th_gene.tsv.gz"))
    same(getmm(riaz.counts, riaz.lengths), riaz("edgeR__getmm.every20th_gene.tsv.gz"))
    tpm = to_tpm(riaz.counts, Units("counts"), riaz.lengths)
    same(tpm, riaz("tpm__from_lengths.every20th_gene.tsv.gz"), rtol=1e-12)


def test_normalised_counts_equal_deseq2(riaz):
    ours = fit_size_factors(riaz.counts).apply(riaz.counts)
    same(ours, riaz("DESeq2__normcounts_ratio.every20th_gene.tsv.gz"), rtol=1e-12)
    logged = riaz("DESeq2__normTransform_log2p1.every20th_gene.tsv.gz")
    same(log2_plus_one(ours), logged, rtol=1e-12)


def test_quantiles_equal_limma_and_preprocesscore(riaz):
    """To the last digits where genes are tied as in R, which adds up in extended precision.

    With sums in double precision, TPM that are equal on paper tie in other places: 102 of 52,428
    values then differ, by up to 7e-4.
    """
    rate = riaz.counts.div(riaz.lengths / 1e3, axis=0)
    total = rate.to_numpy().sum(axis=0, dtype=np.longdouble).astype(float)
    logged = np.log2(rate / total * 1e6 + 1)
    ours = fit_quantiles(logged).apply(logged)
    limma = riaz("limma__normalizeQuantiles_log2tpm1.every20th_gene.tsv.gz")
    exact = np.finfo(np.longdouble).eps < 1e-18  # not on every processor
    same(ours, limma, rtol=1e-12 if exact else 1e-2, atol=1e-12 if exact else 1e-3)
    same(ours, riaz("preprocessCore__normalize.quantiles_log2tpm1.every20th_gene.tsv.gz"), 1e-2)
    tpm = log2_plus_one(to_tpm(riaz.counts, Units("counts"), riaz.lengths))
    other = fit_quantiles(tpm).apply(tpm).loc[limma.index, limma.columns]
    assert ((other - limma).abs() > 1e-6).to_numpy().mean() < 0.003
    assert (other - limma).abs().to_numpy().max() < 1e-3


# --- batch correction ----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # scanpy's own, on import
def test_combat_equals_sva(riaz):
    """2e-5: both stop their iteration once it moves by less than 1e-4."""
    library = riaz.counts.sum()
    seen = (riaz.counts / library >= 10 / library.median()).sum(axis=1) >= 10 + 0.7 * 41
    kept = seen & (riaz.counts.sum(axis=1) >= 15)
    x = log2_plus_one(to_tpm(riaz.counts, Units("counts"), riaz.lengths))[kept]
    batch = pd.Series(["odd", "even"] * 25 + ["odd"], index=x.columns)
    theirs = riaz("sva__ComBat_log2tpm1_filtered_batchOddEven.every20th_gene.tsv.gz")
    before = x.copy()
    same(remove_batch(x, batch), theirs, rtol=0, atol=2e-5)
    pd.testing.assert_frame_equal(x, before)


@pytest.mark.filterwarnings("ignore")
def test_batches_that_cannot_be_corrected(small):
    batch = pd.Series(list("aabbab"), index=small.columns)
    constant = small.copy()
    constant.iloc[3, :2] = constant.iloc[3, 4] = 1.0  # constant in batch a
    out = remove_batch(constant, batch)
    assert np.isfinite(out.to_numpy()).all()
    assert (out.iloc[3] == constant.iloc[3]).all()
    assert not np.allclose(out.iloc[4], constant.iloc[4])
    with pytest.raises(UserError, match="there is only one batch"):
        remove_batch(small, batch.replace("b", "a"))
    with pytest.raises(UserError, match="batches with one sample cannot be corrected: c"):
        remove_batch(small, batch.set_axis(small.columns).where(small.columns != "S5", "c"))
    with pytest.raises(UserError, match="no batch for S0"):
        remove_batch(small, batch.drop("S0"))
