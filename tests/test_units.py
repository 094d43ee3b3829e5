"""Units are read from the values, sample by sample; ambiguity is an error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.units import Units, check_units, detect_units, parse_units


@pytest.fixture
def tpm():
    rng = np.random.default_rng(1)
    x = rng.lognormal(1, 2.5, (5000, 4)) * (rng.random((5000, 4)) > 0.1)
    x = x / x.sum(axis=0) * 1e6
    return pd.DataFrame(x, columns=list("abcd"))


@pytest.mark.parametrize("text", ["counts", "tpm", "log2(tpm+1)", "log2(tpm+0.001)", "ln(cpm+0.5)"])
def test_units_are_read_back_as_written(text):
    assert str(parse_units(text)) == text


@pytest.mark.parametrize(
    "text", ["", "log2", "tpm+1", "log2(tpm", "reads", "log3(tpm)", "log2(x+1)"]
)
def test_other_words_are_refused(text):
    with pytest.raises(UserError, match="is not a unit"):
        parse_units(text)


@pytest.mark.parametrize("offset", [1.0, 0.001, 0.01])
def test_log_scale_and_offset_are_found_and_undone(tpm, offset):
    logged = np.log2(tpm + offset)
    found = detect_units(logged)
    assert (found.quantity, found.log, found.offset) == ("tpm", "log2", offset)
    np.testing.assert_allclose(found.linear(logged), tpm, atol=1e-5 * offset, rtol=1e-9)


def test_counts_scaled_counts_and_tpm_are_told_apart(tpm):
    assert detect_units(tpm).quantity == "tpm"
    assert detect_units((tpm * 30).round()).quantity == "counts"
    assert detect_units((tpm * 30).round() + 1e-5).quantity == "counts"
    assert detect_units(tpm * 20).quantity == "normalised_counts"
    assert str(detect_units(np.log2((tpm * 30).round() + 1))) == "log2(counts+1)"


def test_one_logged_sample_in_a_linear_matrix_is_caught(tpm):
    mixed = tpm.assign(b=np.log2(tpm["b"] + 1))
    with pytest.raises(
        UserError, match=r"1 samples look logarithmic .* 3 linear.* the fewer are b"
    ):
        detect_units(mixed)


def test_centred_values_are_refused(tpm):
    z = np.log2(tpm + 1)
    with pytest.raises(UserError, match="centred or z-scored"):
        detect_units(z.sub(z.mean(axis=1), axis=0))


def test_sums_between_tpm_and_counts_are_ambiguous(tpm):
    with pytest.raises(UserError, match=r"fit neither TPM .* nor counts .*set units to"):
        detect_units(tpm * 1.5)


def test_stated_units_are_checked(tpm):
    with pytest.raises(UserError, match="cannot be negative"):
        check_units(np.log2(tpm + 0.001), Units("tpm"))
    with pytest.raises(UserError, match="too large for"):
        check_units(tpm, Units("tpm", "log2", 1))


@pytest.mark.parametrize(
    ("cohort", "expected"),
    [
        ("riaz_gse91061_counts", "counts"),
        ("gide_prjeb23709_pd1", "log2(tpm+0.001)"),
        ("tcga_uvm_rsem", "normalised_counts"),
        ("cptac_ucec_2019", "log2(normalised_counts+1)"),
        ("tcga_blca_counts_ensembl", "counts"),
        ("racle_2017_melanoma_facs", "tpm"),
        ("nathanson_2017_ctla4", "log2(tpm+0.001)"),
    ],
)
def test_real_cohorts(shared, cohort, expected):
    x = pd.read_csv(shared / "data" / cohort / "matrix.tsv.gz", sep="\t", index_col=0)
    assert str(detect_units(x)) == expected
