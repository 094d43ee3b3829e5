"""Units are read from the values, sample by sample; what stays open is an error, never a guess."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resistpath.errors import UserError
from resistpath.units import (
    NEEDS,
    QUANTITIES,
    Units,
    check_units,
    detect_units,
    parse_units,
    read_units,
    require,
)

GENES, SAMPLES = 12_000, ["a", "b", "c", "d"]
LOGS = {"log2": np.log2, "ln": np.log, "log10": np.log10}


@pytest.fixture(scope="module")
def lengths():
    return np.random.default_rng(2).lognormal(np.log(2500), 0.7, GENES).clip(200).round()


@pytest.fixture(scope="module")
def counts(lengths):
    """Whole reads of 12,000 genes: log-normal abundance, gene length, Poisson noise, zeros."""
    rng = np.random.default_rng(1)
    level = rng.lognormal(1.5, 2.2, (GENES, 1)) * rng.lognormal(0, 0.5, (GENES, 4))
    level *= (rng.random((GENES, 4)) > 0.1) * lengths[:, None]
    depth = np.array([20e6, 31e6, 12e6, 44e6])
    x = rng.poisson(level / level.sum(axis=0) * depth).astype(float)
    return pd.DataFrame(x, columns=SAMPLES, index=[f"G{i}" for i in range(GENES)])


@pytest.fixture(scope="module")
def tpm(counts, lengths):
    rate = counts.div(lengths, axis=0)
    return rate / rate.sum() * 1e6


@pytest.fixture(scope="module")
def expected_counts(counts):
    """As RSEM gives them: two thirds of the genes whole, the others shared between isoforms."""
    rng = np.random.default_rng(3)
    shared = (rng.random(counts.shape) < 0.35) & (counts.to_numpy() > 0)
    moved = counts + np.where(shared, rng.uniform(-0.5, 0.9, counts.shape), 0)
    return moved.clip(lower=0).round(2)


@pytest.fixture(scope="module")
def rsem(expected_counts):
    """TCGA's normalised RSEM: the upper quartile of each sample is 1000."""
    quartile = expected_counts.where(expected_counts > 0).quantile(0.75)
    return (expected_counts / quartile * 1000).round(4)


@pytest.fixture(scope="module")
def array():
    """RMA: log2 intensities without zeros, from 2 to 14."""
    rng = np.random.default_rng(4)
    level = 2.2 + 12 * rng.beta(1.6, 3.0, (20_000, 1)) + rng.normal(0, 0.15, (20_000, 4))
    return pd.DataFrame(level, columns=SAMPLES)


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["counts", "tpm", "log2(tpm+0.001)", "ln(cpm+0.5)", "relative"])
def test_units_are_read_back_as_written(text):
    assert str(parse_units(text)) == text


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("RSEM", "normalised_counts"),
        ("log2(norm_count+1)", "log2(normalised_counts+1)"),
        ("expected_count", "estimated_counts"),
        ("RPKM", "fpkm"),
        ("z-score", "relative"),
        ("Centred", "relative"),
        ("log2(rma)", "log2(intensity)"),
        ("log2(TPM+1e-3)", "log2(tpm+0.001)"),
    ],
)
def test_other_names_of_units(text, unit):
    assert str(parse_units(text)) == unit


@pytest.mark.parametrize(
    "text",
    ["", "log2", "tpm+1", "log2(tpm", "reads", "log3(tpm)", "log2(x+1)", "log2(tpm+1.2.3)", "."],
)
def test_other_words_are_refused(text):
    with pytest.raises(UserError, match="is not a unit"):
        parse_units(text)


# --- formats on which others fail ----------------------------------------------------------------


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("offset", [1.0, 0.001, 0.01])
def test_base_and_offset_are_found_and_undone(tpm, log, offset):
    logged = LOGS[log](tpm + offset)
    found = detect_units(logged)
    assert str(found) == f"{log}(tpm+{offset:g})"
    back = found.linear(logged)
    np.testing.assert_allclose(back, tpm, atol=2e-5 * offset, rtol=1e-9)
    assert (back.to_numpy() == 0).sum() == (tpm.to_numpy() == 0).sum()


def test_the_floor_of_log2_tpm_plus_a_thousandth(tpm):
    logged = np.log2(tpm + 0.001).map(lambda x: float(f"{x:.7g}"))
    assert logged.min().min() == -9.965784
    assert str(detect_units(logged)) == "log2(tpm+0.001)"
    coding = logged.iloc[::2]  # genes dropped after TPM were computed: sums below a million
    assert str(detect_units(coding)) == "log2(tpm+0.001)"


@pytest.mark.parametrize("log", ["", *LOGS])
def test_counts(counts, log):
    x = LOGS[log](counts + 1) if log else counts
    assert str(detect_units(x)) == (f"{log}(counts+1)" if log else "counts")
    noisy = x * (1 + 1e-9)
    assert detect_units(noisy).quantity == "counts"


@pytest.mark.parametrize("digits", [None, 4])
@pytest.mark.parametrize("log", ["", "log2"])
def test_expected_counts(expected_counts, log, digits):
    x = np.log2(expected_counts + 1) if log else expected_counts
    x = x if digits is None else x.round(digits)
    assert detect_units(x).quantity == "estimated_counts"
    assert detect_units(x).log == log


@pytest.mark.parametrize(("log", "digits"), [("", 4), ("log2", 9), ("log2", 4), ("log2", 2)])
def test_rsem_normalised(rsem, log, digits):
    x = (np.log2(rsem + 1) if log else rsem).round(digits)
    assert detect_units(x).quantity == "normalised_counts"
    if digits > 2:
        subset = x[x.mean(axis=1) > x.mean(axis=1).quantile(0.3)]
        assert detect_units(subset).quantity == "normalised_counts"


@pytest.mark.parametrize("log", ["", *LOGS])
def test_cpm_is_not_taken_for_tpm(counts, log):
    cpm = counts / counts.sum() * 1e6
    x = LOGS[log](cpm + 1) if log else cpm
    assert str(detect_units(x)) == (f"{log}(cpm+1)" if log else "cpm")
    assert detect_units(cpm.round(3)).quantity == "cpm"


def test_cpm_of_shallow_or_filtered_samples(counts):
    cpm = counts / counts.sum() * 1e6
    high = cpm[counts.min(axis=1) > 8]  # no gene with a single read is left
    assert detect_units(high).quantity == "cpm"
    thin = np.random.default_rng(5).binomial(counts.astype(int), 0.02)
    shallow = pd.DataFrame(thin / thin.sum(axis=0) * 1e6, columns=SAMPLES)
    assert detect_units(shallow).quantity == "cpm"


def test_edger_log_cpm(counts):
    depth = counts.sum()
    prior = 2 * depth / depth.mean()
    x = np.log2((counts + prior) / (depth + 2 * prior) * 1e6)
    found = detect_units(x)
    assert (found.quantity, found.log) == ("cpm", "log2")
    cpm = counts / depth * 1e6
    np.testing.assert_allclose(found.linear(x), cpm, rtol=1e-5, atol=1e-6)


def test_size_factors(counts):
    x = counts / np.array([0.91, 1.31, 0.57, 1.73])
    assert detect_units(x).quantity == "normalised_counts"
    assert str(detect_units(np.log2(x + 1))) == "log2(normalised_counts+1)"


def test_rounded_tpm(tpm):
    assert detect_units(tpm.round()).quantity == "tpm"
    assert str(detect_units(np.log2(tpm.round() + 1))) == "log2(tpm+1)"
    assert detect_units(tpm.round(2)).quantity == "tpm"


def test_fewer_genes_than_tpm_were_computed_on(tpm):
    subset = tpm.sample(frac=0.9, random_state=1)
    assert subset.sum().max() < 0.97e6
    assert detect_units(subset).quantity == "tpm"
    assert str(detect_units(np.log2(subset + 1))) == "log2(tpm+1)"


def test_a_panel(tpm):
    panel = tpm.sample(1768, random_state=1)
    assert detect_units(panel).quantity == "tpm"
    assert str(detect_units(np.log2(panel + 0.001))) == "log2(tpm+0.001)"


def test_arrays(array):
    assert str(detect_units(array)) == "log2(intensity)"
    log10 = array * np.log10(2)
    assert str(detect_units(log10)) == "log10(intensity)"
    with pytest.raises(UserError, match=r"could be intensity or normalised_counts or fpkm"):
        detect_units(np.exp2(array))


# --- samples that disagree, values that cannot be -----------------------------------------------


@pytest.mark.parametrize("offset", [1.0, 0.001])
def test_one_logged_sample_in_a_linear_matrix_is_caught(tpm, offset):
    mixed = tpm.assign(b=np.log2(tpm["b"] + offset))
    with pytest.raises(UserError, match=r"differ in unit: 3 read as tpm, 1 .* the fewer are b;"):
        detect_units(mixed)


def test_one_sample_in_counts_among_tpm_is_caught(tpm, counts):
    with pytest.raises(UserError, match=r"3 read as tpm, 1 as counts; the fewer are c;"):
        detect_units(tpm.assign(c=counts["c"]))
    with pytest.raises(UserError, match=r"3 read as tpm, 1 as cpm; the fewer are c;"):
        detect_units(tpm.assign(c=counts["c"] / counts["c"].sum() * 1e6))


def test_one_negative_value_is_caught(tpm):
    for x in (tpm.copy(), np.log2(tpm + 1)):
        x.iloc[7, 2] = -0.3
        with pytest.raises(UserError, match=r"1 of 4 samples cannot be read \(c\); c: .*negative"):
            detect_units(x)


def test_different_floors_are_caught(tpm):
    mixed = np.log2(tpm + 0.001).assign(d=np.log2(tpm["d"] + 0.01))
    with pytest.raises(UserError, match=r"differ in unit: 3 .* 1 as log2\(tpm\+0.01\)"):
        detect_units(mixed)


def test_variance_stabilised_values_are_refused(counts):
    x = np.arcsinh(np.sqrt(0.1 * (counts / counts.sum() * 2e7 + 4))) * 3
    with pytest.raises(UserError, match="variance-stabilising"):
        detect_units(x)


def test_sums_between_tpm_and_counts_are_ambiguous(tpm):
    for scale in (1.5, 9.0):
        with pytest.raises(UserError, match=r"could be normalised_counts or fpkm .* set units"):
            detect_units(tpm * scale)


def test_whole_numbers_below_a_million_are_ambiguous(tpm):
    with pytest.raises(UserError, match=r"could be counts or tpm .* set units .* units = counts"):
        detect_units((tpm * 0.6).round())


def test_natural_logarithm_of_a_subset_is_ambiguous(tpm):
    """Sums of 6e5 under base e and of some 1e5 under base 2: nothing decides."""
    with pytest.raises(UserError, match=r"could be log2\(tpm\+1\) or ln\(tpm\+1\)"):
        detect_units(np.log(tpm * 0.6 + 1))


def test_base_coverage_is_not_reads(counts):
    with pytest.raises(UserError, match="base coverage"):
        detect_units(counts * 100)


def test_offset_that_no_sample_shows(tpm):
    x = np.log2(tpm[(tpm > 0.5).all(axis=1)] * 0.9)
    with pytest.raises(UserError, match=r"offset is open: log2\(tpm\) or log2\(tpm\+1\)"):
        detect_units(x)


def test_a_sample_that_is_open_takes_the_unit_of_its_cohort(tpm, counts):
    logged = np.log2(tpm + 0.001)
    without_zeros = logged["a"].where(tpm["a"] > 0, 1.0 + np.arange(GENES) / GENES)
    assert str(detect_units(logged.assign(a=without_zeros))) == "log2(tpm+0.001)"
    failed = (counts["a"] / 100).round()  # a library of 2e5 reads
    assert detect_units(counts.assign(a=failed)).quantity == "counts"
    with pytest.raises(UserError, match="counts or tpm"):
        detect_units(failed.to_frame())


def test_empty_samples(counts):
    assert detect_units(counts.assign(a=0.0)).quantity == "counts"
    with pytest.raises(UserError, match="all values are zero"):
        detect_units(counts * 0)
    with pytest.raises(UserError, match=r"\(b\); b: it holds no value at all"):
        detect_units(counts.assign(b=np.nan))
    with pytest.raises(UserError, match="all its values are 3"):
        detect_units(counts.assign(b=3.0))


def test_missing_values_are_passed_over(tpm):
    x = np.log2(tpm + 0.001).mask(np.random.default_rng(0).random(tpm.shape) < 0.01)
    units, evidence = read_units(x)
    assert str(units) == "log2(tpm+0.001)"
    assert (evidence["missing"] > 50).all()


# --- evidence -----------------------------------------------------------------------------------


def test_evidence_has_one_row_per_sample(counts, tpm):
    units, evidence = read_units(np.log2(counts / counts.sum() * 1e6 + 1))
    assert evidence["sample"].tolist() == SAMPLES
    np.testing.assert_allclose(evidence["step"], 1e6 / counts.sum(), rtol=1e-4)
    np.testing.assert_allclose(evidence["total"], 1e6, rtol=1e-9)
    assert (evidence["reading"] == "log2(cpm+1)").all()
    assert evidence["why"].str.contains("one read").all()
    assert units.how.startswith("read from the values")
    _, evidence = read_units(tpm)
    assert evidence["step"].isna().all()
    assert evidence.columns.tolist() == [
        *("sample", "n_values", "missing", "minimum", "maximum", "floor_share"),
        *("negative_share", "total", "whole_share", "step", "reading", "why"),
    ]


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(SAMPLES), n=st.integers(1, 4), seed=st.integers(0, 99))
def test_evidence_of_a_sample_is_its_own(order, n, seed):
    rng = np.random.default_rng(seed)
    base = np.random.default_rng(0).poisson(rng.lognormal(2, 2, (3000, 4))) / [1.3, 0.7, 1.9, 0.4]
    x = pd.DataFrame(base, columns=SAMPLES)
    whole = read_units(x)[1].set_index("sample")
    part = read_units(x[order[:n]].sample(frac=1, random_state=seed))[1].set_index("sample")
    pd.testing.assert_frame_equal(part, whole.loc[part.index], check_exact=True)


# --- stated units --------------------------------------------------------------------------------


def test_stated_units_are_checked(tpm):
    with pytest.raises(UserError, match="cannot be negative"):
        check_units(np.log2(tpm + 0.001), Units("tpm"))
    with pytest.raises(UserError, match="too large for"):
        check_units(tpm, Units("tpm", "log2", 1))
    with pytest.raises(UserError, match=r"below the logarithm of 1, which log2\(tpm\+1\)"):
        check_units(np.log2(tpm + 0.001), Units("tpm", "log2", 1))
    check_units(np.log2(tpm + 0.001), Units("tpm", "log2", 0.001))
    check_units(-tpm, Units("relative"))


def test_centred_and_scaled_values_are_known_and_refused(tpm):
    x = np.log2(tpm[(tpm > 0).all(axis=1)] + 1)
    centred = x.sub(x.mean(axis=1), axis=0)
    for values in (centred, centred.div(x.std(axis=1), axis=0)):
        found = detect_units(values)
        assert found.quantity == "relative"
        assert "centred or z-scored" in found.how
        with pytest.raises(UserError, match="cannot be had from centred or z-scored values"):
            found.linear(values)


REFUSED = {
    ("relative", need): "each gene's level was taken away" for need in NEEDS if need != "any"
} | {
    **{("intensity", n): "probes differ in affinity" for n in NEEDS if n not in ("any", "linear")},
    **{
        (q, "counts"): "the number of reads is lost"
        for q in ("normalised_counts", "cpm", "tpm", "fpkm")
    },
    **{(q, "log2_cpm"): "already divided by gene length" for q in ("tpm", "fpkm")},
}


@pytest.mark.parametrize("need", NEEDS)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_what_can_be_had_from_what(quantity, need):
    if (quantity, need) in REFUSED:
        with pytest.raises(UserError, match=REFUSED[quantity, need]) as caught:
            require(Units(quantity), need)
        assert f"cannot be had from {QUANTITIES[quantity].split(',')[0][:4]}"[:24] in str(
            caught.value
        ) or quantity in str(caught.value)
        assert "; " in str(caught.value)
    else:
        require(Units(quantity), need)


def test_unknown_need():
    with pytest.raises(UserError, match="is not one of"):
        require(Units("tpm"), "quantiles")
