"""Quality gates: what each check sees, that samples are judged alone, and real cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_tools import compare

from resistpath.genes import lengths, universe
from resistpath.io.resources import gene_table
from resistpath.quality import (
    COLUMNS,
    STATUSES,
    Gates,
    cohort_confounding,
    failed_gates,
    library_kinds,
    sample_quality,
    truncation,
    unit_rows,
)
from resistpath.quality.cohort import IDENTITY
from resistpath.quality.figures import HAEMOGLOBIN
from resistpath.quality.sex import Y_GENES
from resistpath.quality.tissue import LYMPH_NODE, NORMAL
from resistpath.units import read_units


@pytest.fixture(scope="module")
def coding():
    return universe(gene_table())


@pytest.fixture(scope="module")
def bases():
    return lengths(gene_table())


@pytest.fixture(scope="module")
def tpm(coding):
    """Twelve plain tumours: all genes, log-normal, nothing of blood, node, tissue or sex."""
    rng = np.random.default_rng(11)
    level = rng.lognormal(1.2, 1.6, (len(coding), 1)) * rng.lognormal(0, 0.4, (len(coding), 12))
    x = pd.DataFrame(level, index=coding["symbol"], columns=[f"S{i}" for i in range(12)])
    x.index.name = "gene"
    special = {*HAEMOGLOBIN, *Y_GENES, *LYMPH_NODE, *(g for s in NORMAL.values() for g in s)}
    x.loc[x.index.isin(special)] = 0.5
    return x / x.sum() * 1e6


def with_level(tpm, sample, genes, level):
    """The same matrix with some genes of one sample set to a level, rescaled to a million."""
    x = tpm.copy()
    there = [g for g in genes if g in x.index]
    x.loc[there, sample] = level
    return x / x.sum() * 1e6


def row(table, metric, sample="S3"):
    found = table[(table["metric"] == metric) & (table["sample"] == sample)]
    assert len(found) == 1, (metric, sample)
    return found.iloc[0]


def judge(tpm, coding, **more):
    more = {"broken": truncation(tpm.index, coding)} | more
    return sample_quality(tpm, n_universe=len(coding), **more)


# --- the table -----------------------------------------------------------------------------------


def test_a_plain_sample_passes_everything(tpm, coding, bases):
    quality = judge(tpm, coding, lengths=bases, counts=(tpm * 20).round())
    assert quality.columns.tolist() == list(COLUMNS)
    assert set(quality["status"]) <= {"pass", "info"}
    assert quality["passed"].map(lambda x: x in (True, None)).all()
    assert (quality["note"] == "").all()
    assert failed_gates(quality) == {}
    assert quality["sample"].drop_duplicates().tolist() == list(tpm.columns)
    assert not quality.duplicated(["sample", "metric"]).any()
    assert not quality["metric"].str.startswith("cohort_").any()


def test_status_words_and_thresholds(tpm, coding):
    gates = Gates(min_genes_detected=1e5)
    bad = row(judge(tpm, coding, gates=gates), "genes_detected")
    assert (bad["status"], bad["passed"], bad["threshold"]) == ("fail", False, "≥ 100000")
    assert bad["note"].startswith("few detected genes")
    marked = row(judge(tpm, coding, gates=Gates(warn_genes_detected=1e5)), "genes_detected")
    assert (marked["status"], marked["passed"], marked["threshold"]) == ("warn", True, "≥ 100000")
    assert set(STATUSES) == {"pass", "warn", "fail", "info"}


def test_only_a_samples_own_gates_fail_it():
    table = pd.DataFrame(
        {
            "sample": ["a", "a", "b"],
            "metric": ["reads", "top50_share", "cohort_twin"],
            "label": ["Reads", "Share", "Twin"],
            "value": [10.0, 0.9, 1.0],
            "threshold": ["≥ 100", "≤ 0.7", "≤ 0.98"],
            "passed": [False, "no", False],
        }
    )
    assert failed_gates(table) == {"a": "Reads 10 (gate ≥ 100); Share 0.9 (gate ≤ 0.7)"}


# --- a sample alone ------------------------------------------------------------------------------


def test_library_gates(tpm, coding):
    thin = tpm.assign(S3=tpm["S3"].where(tpm["S3"].rank(ascending=False) < 6000, 0.0))
    quality = judge(thin, coding, counts=(thin * 0.5).round())
    assert row(quality, "genes_detected")["status"] == "fail"
    assert row(quality, "reads")["status"] == "fail"
    assert "S3" in failed_gates(quality)
    crowded = with_level(tpm, "S3", tpm.index[:10], 3e5)
    top = row(judge(crowded, coding), "top50_share")
    assert top["status"] == "fail"
    assert top["value"] == pytest.approx(np.sort(crowded["S3"])[-50:].sum() / 1e6)


def test_a_sample_of_zeros(tpm, coding, bases):
    quality = judge(tpm.assign(S3=0.0), coding, lengths=bases, counts=tpm.assign(S3=0.0).round())
    assert row(quality, "zero_share")["status"] == "fail"
    assert row(quality, "top50_share")["value"] == 0
    assert np.isnan(row(quality, "length_slope")["value"])
    assert "S3" in failed_gates(quality)


def test_half_the_genes_missing(tpm, coding):
    half = tpm.sample(frac=0.49, random_state=0)
    quality = judge(half, coding)
    assert (quality.loc[quality["metric"] == "gene_coverage", "status"] == "fail").all()
    panel = row(quality, "haemoglobin_share")
    assert (panel["status"], panel["note"]) == ("info", "not gated on a gene panel")
    assert "lymph_node" not in set(quality["metric"])
    most = judge(tpm.sample(frac=0.7, random_state=0), coding)
    assert row(most, "gene_coverage")["status"] == "warn"
    assert row(most, "truncated_share")["value"] == 0


@pytest.mark.parametrize(
    ("metric", "pattern", "level", "status"),
    [
        ("mitochondrial_share", "MT-", 1e5, "warn"),
        ("mitochondrial_share", "MT-", 1e6, "fail"),
        ("ribosomal_share", "RP[LS]", 3e4, "warn"),
        ("haemoglobin_share", "HB", 8e4, "warn"),
        ("haemoglobin_share", "HB", 5e5, "fail"),
    ],
)
def test_shares_of_gene_families(tpm, coding, metric, pattern, level, status):
    genes = HAEMOGLOBIN if pattern == "HB" else tpm.index[tpm.index.str.match(pattern)]
    x = with_level(tpm, "S3", genes, level)
    found = row(judge(x, coding), metric)
    assert found["status"] == status
    assert found["note"]
    assert row(judge(x, coding), metric, "S4")["status"] == "pass"
    without = row(judge(x.drop(index=list(genes), errors="ignore"), coding), metric)
    assert (without["status"], without["note"]) == ("info", "no such gene in the matrix")


def test_ribosomal_proteins_are_not_their_kinases(coding):
    x = pd.DataFrame({"a": [1.0, 1, 1, 1, 7]}, index=["RPL3", "RPS4X", "RPLP0", "RPSA", "RPS6KA1"])
    quality = judge(x * 1e5, coding)
    assert row(quality, "ribosomal_share", "a")["value"] == pytest.approx(4 / 11)


def test_share_of_coding_genes(tpm, coding):
    biotypes = pd.DataFrame(
        {s: [9e6, 0.5e6, 0.5e6] for s in tpm}, index=["protein_coding", "lncRNA", "unknown"]
    )
    biotypes["S3"] = [4e6, 5e6, 1e6]
    biotypes["S4"] = [0.5e6, 9e6, 0.5e6]
    biotypes["S5"] = [1e6, 0.0, 10.0]
    quality = judge(tpm, coding, biotypes=biotypes)
    assert [row(quality, "coding_share", s)["status"] for s in ("S2", "S3", "S4", "S5")] == [
        *("pass", "warn", "fail", "info")
    ]
    assert row(quality, "coding_share", "S5")["note"] == "the matrix holds hardly any other genes"


def test_slope_on_gene_length(tpm, coding, bases):
    size = bases.reindex(tpm.index)
    tilted = tpm.mul((size / size.median()) ** -2.5, axis=0)
    quality = judge(tilted / tilted.sum() * 1e6, coding, lengths=bases)
    found = row(quality, "length_slope")
    assert found["status"] == "warn"
    assert "nor show FFPE as such" in found["note"]
    assert found["value"] < -0.9 < row(judge(tpm, coding, lengths=bases), "length_slope")["value"]


@pytest.mark.parametrize("letter", ["H", "S"])
def test_lists_that_stop_or_start_at_a_letter(tpm, coding, letter):
    upper = tpm.index.str.upper()
    before, after = tpm[upper < letter], tpm[upper >= letter]
    share, words = truncation(before.index, coding)
    assert share == pytest.approx(len(after) / len(coding))
    assert "breaks off: hardly any of" in words
    assert f" after {max(before.index, key=str.upper)} in the order of symbols" in words
    share, words = truncation(after.index, coding)
    assert share > 0.05
    assert " before " in words
    strays = pd.concat([before, after.sample(frac=0.05, random_state=0)])  # renamed since
    share, words = truncation(strays.index, coding)
    assert share == pytest.approx(0.95 * len(after) / len(coding), rel=0.02)
    assert row(judge(strays, coding), "truncated_share")["status"] == "fail"


def test_files_cut_short_in_the_order_of_numbers(tpm, coding):
    for column, name in (("ensembl", "Ensembl id"), ("entrez", "Entrez id")):
        key = coding[column] if column == "ensembl" else pd.to_numeric(coding[column])
        kept = coding.loc[key.sort_values().index[:15000], "symbol"]
        share, words = truncation(pd.Index(kept), coding)
        assert share == pytest.approx(4310 / 19310, abs=0.01)
        assert f"in the order of {name}s" in words


def test_complete_lists_and_panels_do_not_break_off(tpm, coding):
    for frac in (1.0, 0.9, 0.6, 0.1, 0.03):
        assert truncation(tpm.sample(frac=frac, random_state=1).index, coding)[0] == 0.0
    assert truncation(pd.Index([]), coding) == (0.0, "")


SEXES = {
    # annotated, RPS4Y1 and DDX3Y, other Y genes, XIST -> status, words
    "woman": ("F", 0.3, 0.3, 300, "pass", ""),
    "woman, total RNA": ("female", 0.3, 15, 300, "info", "too low or too unlike"),
    "man": ("M", 60, 30, 0.1, "pass", ""),
    "man, capture without RPS4Y1": ("M", 0.2, 30, 0.1, "info", "too low or too unlike"),
    "woman with Y": ("F", 60, 30, 0.1, "warn", "but the Y chromosome is expressed"),
    "man with XIST": ("M", 0.2, 0.2, 300, "warn", "XIST is expressed and the Y chromosome not"),
    "man without Y": ("male", 0.2, 0.2, 0.1, "warn", "Y lost by the tumour, or mixed up"),
    "both": ("M", 60, 30, 300, "info", "two people's cells, or XXY"),
    "not said": (None, 60, 30, 0.1, "info", "expression is that of a man"),
    "unknown": ("n/a", 0.2, 0.2, 300, "info", "that of a woman, or of a tumour without its Y"),
}


@pytest.mark.parametrize("case", SEXES)
def test_sex(tpm, coding, case):
    said, clear, other, xist, status, words = SEXES[case]
    x = with_level(with_level(tpm, "S3", Y_GENES[2:], other), "S3", Y_GENES[:2], clear)
    sex = pd.Series({"S3": said})
    ppm = pd.Series(xist, index=tpm.columns, dtype=float)
    found = row(judge(x, coding, sex=sex, xist=ppm), "sex_expression")
    assert found["status"] == status
    assert words in found["note"]
    alone = row(judge(x[["S3"]], coding, sex=sex, xist=ppm), "sex_expression")
    assert alone.to_dict() == found.to_dict()


def test_sex_without_xist_or_y(tpm, coding):
    x = with_level(tpm, "S3", Y_GENES, 0.1)
    found = row(judge(x, coding, sex=pd.Series({"S3": "M"})), "sex_expression")
    assert "XIST is not in the matrix" in found["note"]
    without = judge(x.drop(index=list(Y_GENES)), coding, sex=pd.Series({"S3": "M"}))
    assert row(without, "sex_expression")["note"] == "RPS4Y1 and DDX3Y are not measured"


def test_lymph_node_and_normal_tissue(tpm, coding):
    node = row(judge(with_level(tpm, "S3", LYMPH_NODE, 80), coding), "lymph_node")
    assert node["status"] == "warn"
    assert "CR2, FDCSP" in node["note"]
    for tissue, genes in NORMAL.items():
        x = with_level(tpm, "S3", genes, 300)
        found = row(judge(x, coding), "normal_tissue")
        assert found["status"] == "warn"
        assert found["passed"] is True
        assert f"genes of {tissue} ({genes[0]}" in found["note"]
        assert failed_gates(judge(x, coding)) == {}


def test_every_named_gene_is_a_current_coding_symbol(coding):
    symbols = set(coding["symbol"])
    listed = [
        *Y_GENES,
        *HAEMOGLOBIN,
        *LYMPH_NODE,
        *IDENTITY,
        *(g for s in NORMAL.values() for g in s),
    ]
    assert {g for g in listed if g not in symbols} == set()
    assert len(listed) == len(set(listed))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), n=st.integers(1, 4))
def test_a_sample_is_judged_the_same_in_any_company(seed, n):
    rng = np.random.default_rng(seed)
    coding = universe(gene_table()).iloc[::4]
    x = pd.DataFrame(rng.lognormal(1, 2, (len(coding), 6)), index=coding["symbol"])
    x.columns = list("abcdef")
    x = x / x.sum() * 1e6
    more = {
        "n_universe": len(coding),
        "lengths": lengths(gene_table()),
        "sex": pd.Series(dict(zip("abcdef", "MFMFMF", strict=True))),
    }
    whole = sample_quality(x, counts=x.round(), **more)
    part = sample_quality(x.iloc[:, -n:], counts=x.iloc[:, -n:].round(), **more)
    expected = whole[whole["sample"].isin(part["sample"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, expected, check_exact=True)


def test_evidence_of_the_unit_as_rows(tpm):
    _, evidence = read_units(np.log2(tpm.where(tpm > 1, 0.0) + 1))
    table = unit_rows(evidence)
    assert table.columns.tolist() == list(COLUMNS)
    assert (table["status"] == "info").all()
    assert len(table) == 6 * tpm.shape[1]
    step = row(table, "unit_step")
    assert step["note"].startswith("read as log2(tpm+1): fractional values without steps")
    assert row(table, "unit_total")["value"] == pytest.approx(1e6, rel=1e-2)


# --- a cohort ------------------------------------------------------------------------------------


def test_twins(tpm):
    table = compare(tpm.assign(S9=tpm["S3"], S8=tpm["S3"] * 1.0001))
    found = row(table, "cohort_twin", "S9")
    assert found["status"] == "warn"
    assert "has the very same values as S3 of another patient" in found["note"]
    assert "all but identical" in row(table, "cohort_twin", "S8")["note"]
    assert row(table, "cohort_twin", "S5")["status"] == "pass"
    patient = pd.Series({s: "P3" if s in ("S3", "S8") else s for s in tpm})
    again = compare(tpm.assign(S8=tpm["S3"] * 1.0001), patient=patient)
    assert row(again, "cohort_twin", "S8")["status"] == "info"
    assert table["passed"].isna().all()
    assert failed_gates(table) == {}


def test_outliers(tpm):
    rng = np.random.default_rng(2)
    other = tpm["S3"].sample(frac=1, random_state=1).to_numpy() * rng.lognormal(0, 1, len(tpm))
    table = compare(tpm.assign(S3=other / other.sum() * 1e6))
    marked = table[(table["metric"] == "cohort_outlier") & (table["status"] == "warn")]
    assert marked["sample"].tolist() == ["S3"]


def test_samples_of_two_patients_swapped(tpm):
    """Six patients, two samples each; germline genes differ between patients."""
    rng = np.random.default_rng(4)
    genes = [g for g in (*IDENTITY, *Y_GENES) if g in tpm.index]
    germline = rng.choice([0.2, 40.0], (len(genes), 6))
    x = tpm.copy()
    x.loc[genes] = np.repeat(germline, 2, axis=1) * rng.lognormal(0, 0.3, (len(genes), 12))
    patient = pd.Series([f"P{i // 2}" for i in range(12)], index=tpm.columns)
    table = compare(x, patient=patient)
    assert (table.loc[table["metric"] == "cohort_identity", "status"] == "pass").all()
    swapped = patient.replace({"P1": "P2", "P2": "P1"}).where(patient.index.isin(["S3", "S5"]))
    table = compare(x, patient=swapped.fillna(patient))
    marked = table[(table["metric"] == "cohort_identity") & (table["status"] == "warn")]
    assert set(marked["sample"]) == {"S2", "S3", "S4", "S5"}
    assert "nearest is S2 (r" in row(table, "cohort_identity", "S3")["note"]
    kinds = pd.Series(["tumour", "normal"] * 6, index=tpm.columns)
    apart = compare(x, patient=swapped.fillna(patient), group=kinds)
    assert "cohort_identity" not in set(apart["metric"])


def test_two_kinds_of_library(tpm, bases):
    size = (bases.reindex(tpm.index) / 3000).to_numpy()[:, None]
    tilt = np.where(np.arange(12) < 4, 0.6, 0.0) + np.linspace(0, 0.05, 12)
    x = tpm * size**tilt
    table = compare(x / x.sum() * 1e6, lengths=bases)
    marked = table[(table["metric"] == "cohort_library") & (table["status"] == "warn")]
    assert marked["sample"].tolist() == ["S0", "S1", "S2", "S3"]
    assert "one of 4 samples whose long genes" in marked["note"].iloc[0]
    slopes = np.array([0.1, 0.12, 0.13, 0.5, np.nan])
    assert library_kinds(slopes, 0.25).tolist() == [0, 0, 0, 0, 0]  # a single one is an outlier
    assert library_kinds(np.array([0.1, 0.12, 0.13, 0.5, 0.6]), 0.25).tolist() == [0, 0, 0, 1, 1]


def test_small_cohorts(tpm):
    assert compare(tpm[["S0"]]).empty
    assert set(compare(tpm[["S0", "S1"]])["metric"]) == {"cohort_twin"}


def test_every_cohort_metric_says_so(tpm, bases):
    patient = pd.Series([f"P{i // 2}" for i in range(12)], index=tpm.columns)
    table = compare(tpm, patient=patient, lengths=bases)
    assert table["metric"].str.startswith("cohort_").all()
    assert table.columns.tolist() == list(COLUMNS)


def test_confounding_by_hand():
    sheet = pd.DataFrame(
        {
            "response_binary": ["R"] * 6 + ["NR"] * 6,
            "batch": ["1"] * 6 + ["2"] * 6,
            "biopsy.site": ["skin", "node", "lung"] * 4,
            "patient": range(12),
        }
    )
    table = cohort_confounding(sheet).set_index("variable")
    assert table.index.tolist() == ["batch", "biopsy.site"]
    assert table.loc["batch", "p"] == pytest.approx(2 / 924)
    assert table.loc["batch", "cramers_v"] == pytest.approx(1)
    assert table.loc["batch", "status"] == "warn"
    assert "1 (6 of 6 R), 2 (6 of 6 NR)" in table.loc["batch", "note"]
    assert table.loc["biopsy.site", "status"] == "pass"
    assert table.loc["biopsy.site", "p"] == 1
    pd.testing.assert_frame_equal(cohort_confounding(sheet), cohort_confounding(sheet))
    assert cohort_confounding(sheet.assign(x=list("abcdefghijkl")), columns=["x"])["p"].item() == 1
    wide = pd.concat([sheet] * 2).assign(x=range(24))
    assert cohort_confounding(wide, columns=["x"]).empty  # as many levels as samples
    assert cohort_confounding(sheet.drop(columns="response_binary")).empty
