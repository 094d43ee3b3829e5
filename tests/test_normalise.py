"""Normalisation against hand-worked examples and edgeR."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from resistpath import UserError, normalise, tmm_factors
from resistpath.expression import Expression
from resistpath.normalise import log2_plus_one, to_cpm, to_tpm
from resistpath.units import Units


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
    with pytest.raises(UserError, match="cannot become CPM"):
        normalise(Expression(small, "tpm", "symbol"), "log2_cpm", lengths={})
    with pytest.raises(UserError, match="counts cannot be negative"):
        tmm_factors(small - 5)
    with pytest.raises(UserError, match="no reads in S1"):
        tmm_factors(small.assign(S1=0))


def test_tmm_equals_edger(shared):
    folder = shared / "oracle" / "riaz_normalisation"
    counts = pd.read_csv(folder / "input.tsv.gz", sep="\t", index_col=0)
    expected = pd.read_csv(folder / "edgeR__normfactors.tsv", sep="\t", index_col=0)
    column = "TMM"
    ours = tmm_factors(counts)
    np.testing.assert_allclose(ours, expected.loc[ours.index, column], rtol=1e-12)


def test_tpm_equals_the_riaz_table(shared):
    folder = shared / "oracle" / "riaz_normalisation"
    counts = pd.read_csv(folder / "input.tsv.gz", sep="\t", index_col=0)
    info = pd.read_csv(folder / "gene_info.tsv", sep="\t", index_col=0)
    expected = pd.read_csv(
        folder / "tpm__from_lengths.every20th_gene.tsv.gz", sep="\t", index_col=0
    )
    length = info[next(c for c in info if "ength" in c)]
    ours = to_tpm(counts, Units("counts"), length.reindex(counts.index))
    np.testing.assert_allclose(ours.loc[expected.index, expected.columns], expected, rtol=1e-12)
