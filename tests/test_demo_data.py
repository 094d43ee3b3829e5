"""The demo cohort: what is shipped is what CPTAC published, and only that."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resistpath.genes import harmonise

REPO = Path(__file__).parents[1]
RESOURCES = REPO / "resources"
DEMO = RESOURCES / "demo"
PUBLISHED = REPO.parent / "shared" / "data" / "cptac_ucec_2019"
COLUMNS = [
    *("sample", "patient", "timepoint", "treatment", "cancer_type", "histology", "stage"),
    *("msi_status", "genomics_subtype", "pole", "estimate_stromal", "estimate_immune"),
    *("estimate_score", "purity", "log2_mutations_per_mb"),
]


@pytest.fixture(scope="module")
def expression() -> pd.DataFrame:
    return pd.read_csv(DEMO / "expression.tsv.gz", sep="\t", index_col="gene")


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    return pd.read_csv(DEMO / "samples.tsv", sep="\t")


def test_shape(expression: pd.DataFrame, samples: pd.DataFrame) -> None:
    assert expression.shape == (19105, 95)
    assert samples.shape == (95, len(COLUMNS))
    assert samples.columns.tolist() == COLUMNS
    assert samples["sample"].tolist() == expression.columns.tolist()
    assert expression.index.is_unique
    assert expression.columns.is_unique
    assert samples["patient"].is_unique
    assert (DEMO / "expression.tsv.gz").stat().st_size < 4_000_000


def test_values(expression: pd.DataFrame) -> None:
    values = expression.to_numpy()
    assert np.isfinite(values).all()
    assert values.min() == 0
    assert values.max() < 25
    np.testing.assert_allclose(values, values.round(2), atol=1e-12)


@pytest.mark.parametrize("sample", ["S001", "S003", "S010"])
def test_unit_is_log2_of_count_plus_one(expression: pd.DataFrame, sample: str) -> None:
    # One, two, three ... reads stand out as the commonest small values: equal steps after
    # 2**x - 1, and only after that.
    column = expression[sample]
    common = column[(column > 0) & (column < 3)].value_counts().sort_index()
    peaks = common[(common > common.shift(1)) & (common > common.shift(-1)) & (common > 50)]
    steps = 2 ** peaks.index.to_numpy()[:5] - 1
    np.testing.assert_allclose(steps / steps[0], np.arange(1, 6), rtol=0.02)


def test_cohort(samples: pd.DataFrame) -> None:
    assert set(samples["timepoint"]) == {"pre"}
    assert set(samples["cancer_type"]) == {"endometrial carcinoma"}
    assert set(samples["treatment"].fillna("none")) == {"none"}
    assert samples["histology"].value_counts().to_dict() == {"Endometrioid": 83, "Serous": 12}
    assert samples["msi_status"].value_counts().to_dict() == {"MSS": 70, "MSI-H": 25}
    assert samples["genomics_subtype"].value_counts().to_dict() == {
        "CNV_low": 43,
        "MSI-H": 25,
        "CNV_high": 20,
        "POLE": 7,
    }
    assert samples["purity"].isna().sum() == 4
    assert samples["purity"].dropna().between(0, 1).all()
    assert not any("response" in column or "surviv" in column for column in samples)


def test_every_row_is_a_protein_coding_gene(expression: pd.DataFrame) -> None:
    table = pd.read_csv(RESOURCES / "genes.tsv.gz", sep="\t", dtype=str, keep_default_na=False)
    genes, report, kind = harmonise(2 ** expression.iloc[:, :2] - 1, table)
    assert kind == "symbol"
    assert (report["action"] != "dropped").all()
    assert len(genes) == 19085
    assert {"CD274", "CD8A", "GZMB", "B2M", "VSIR", "STING1", "CCN2"} <= set(genes.index)


def test_subtypes_show_in_the_data(expression: pd.DataFrame, samples: pd.DataFrame) -> None:
    # MLH1 is silenced in most MSI-high endometrial carcinomas.
    mlh1 = expression.loc["MLH1"].to_numpy()
    unstable = (samples["msi_status"] == "MSI-H").to_numpy()
    assert np.median(mlh1[unstable]) < np.median(mlh1[~unstable]) - 1


def test_same_values_as_published(expression: pd.DataFrame, samples: pd.DataFrame) -> None:
    if not PUBLISHED.exists():
        pytest.skip("no test data beside the repository: cptac_ucec_2019")
    published = pd.read_csv(PUBLISHED / "matrix.tsv.gz", sep="\t", index_col=0)
    shared = published.loc[expression.index, expression.columns]
    np.testing.assert_array_equal(shared.to_numpy(), expression.to_numpy())
    sheet = pd.read_csv(PUBLISHED / "samples.tsv", sep="\t", dtype=str).set_index("sample_id")
    tumours = sheet[
        (sheet["Proteomics_Tumor_Normal"] == "Tumor") & (sheet["Case_excluded"] == "No")
    ]
    assert tumours.index.tolist() == samples["sample"].tolist()
    for ours, theirs in {
        "patient": "Proteomics_Participant_ID",
        "histology": "Histologic_type",
        "msi_status": "MSI_status",
        "genomics_subtype": "Genomics_subtype",
        "pole": "POLE_subtype",
    }.items():
        assert samples[ours].tolist() == tumours[theirs].tolist()
    for ours, theirs in {
        "purity": "Purity_Cancer",
        "estimate_immune": "ESTIMATE_ImmuneScore",
        "log2_mutations_per_mb": "Log2_variant_per_Mbp",
    }.items():
        np.testing.assert_array_equal(samples[ours].to_numpy(), tumours[theirs].astype(float))


@pytest.mark.parametrize("name", ["genes.tsv.gz", "demo/expression.tsv.gz", "demo/samples.tsv"])
def test_source_row(name: str) -> None:
    sources = pd.read_csv(RESOURCES / "sources.tsv", sep="\t", dtype=str, keep_default_na=False)
    row = sources[sources["file"] == name]
    assert len(row) == 1
    assert row["sha256"].item() == hashlib.sha256((RESOURCES / name).read_bytes()).hexdigest()
    assert (REPO / row["made_by"].item()).is_file()
    assert row["licence"].item()


@pytest.mark.parametrize("name", ["genes.tsv.gz", "demo/expression.tsv.gz"])
def test_gzip_holds_no_time_or_name(name: str) -> None:
    head = (RESOURCES / name).read_bytes()[:10]
    assert head[:3] == b"\x1f\x8b\x08"
    assert head[3:8] == bytes(5)  # no flags, no time
    with gzip.open(RESOURCES / name, "rt") as handle:
        assert handle.readline().count("\t") > 5
