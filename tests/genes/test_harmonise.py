"""Rows of one gene joined, and what is left outside the matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from genes_tools import ACTIONS, matrix
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resistpath.genes import harmonise, harmonise_all


def small_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ensembl": ["ENSG00000000010", "ENSG00000000020", "ENSG00000000030", "", ""],
            "symbol": ["BBB", "AAA1", "C-C", "LNC1", "C1orf7"],
            "previous": ["OLDB", "AAA", "", "", ""],
            "alias": ["b-b", "SHARED", "SHARED", "", ""],
            "entrez": ["10", "20", "30", "40", "70"],
            "biotype": ["protein_coding"] * 3 + ["lncRNA", "protein_coding"],
            "length": [1000, 2000, 500, None, 700],
        }
    )


def test_rows_of_one_gene_are_summed_and_listed(small: pd.DataFrame) -> None:
    values, report, kind = harmonise(matrix(["OLDB", "AAA", "BBB", "b-b", "LNC1"]), small)
    assert kind == "symbol"
    assert values.index.tolist() == ["BBB", "AAA1"]  # the table's order
    assert values.index.name == "gene"
    assert values.loc["BBB"].tolist() == [1 + 3 + 4, 10 * (1 + 3 + 4)]
    assert values.loc["AAA1"].tolist() == [2, 20]
    merged = report[report["action"] == "merged"]
    assert merged["input_id"].tolist() == ["OLDB", "BBB", "b-b"]
    assert merged["symbol"].unique().tolist() == ["BBB"]
    assert merged["reason"].tolist() == [
        "previous symbol of BBB; summed with 2 other rows",
        "approved symbol; summed with 2 other rows",
        "alias of BBB; summed with 2 other rows",
    ]


@pytest.mark.parametrize(
    ("merge", "expected"), [("sum", 4.0), ("mean", 2.0), ("max", 3.0), ("max_mean", 3.0)]
)
def test_merge_rules(small: pd.DataFrame, merge: str, expected: float) -> None:
    values, report, _ = harmonise(matrix(["BBB", "AAA1", "BBB"]), small, merge=merge)
    assert values.loc["BBB", "s0"] == expected
    if merge != "max_mean":
        assert report["reason"][0].endswith("with 1 other row")


def test_highest_mean_probe(small: pd.DataFrame) -> None:
    values = pd.DataFrame(
        {"s0": [5.0, 1.0, 9.0, 2.0], "s1": [5.0, 1.0, 2.0, 2.0]},
        index=["BBB", "AAA1", "OLDB", "b-b"],
    )
    for frame in (values, values.iloc[::-1], values[["s1", "s0"]]):
        out, report, _ = harmonise(frame, small, merge="max_mean")
        assert out.loc["BBB", ["s0", "s1"]].tolist() == [9.0, 2.0]
        told = report.set_index("input_id")
        assert told["reason"].to_dict() == {
            "BBB": "approved symbol; another row of BBB has the higher mean",
            "AAA1": "approved symbol",
            "OLDB": "previous symbol of BBB; highest mean of 3 rows",
            "b-b": "alias of BBB; another row of BBB has the higher mean",
        }
        assert told["action"].to_dict() == {
            "BBB": "dropped",
            "AAA1": "kept",
            "OLDB": "renamed",
            "b-b": "dropped",
        }


def test_what_is_left_outside_the_matrix(small: pd.DataFrame) -> None:
    values = matrix(["AAA", "LNC1", "OLDLNC", "NOSUCH", "BBB", "RETIRED2"])
    whole = harmonise_all(values, small, also=("LNC1", "ABSENT"))
    matrix_, report, kind = harmonise(values, small)
    pd.testing.assert_frame_equal(whole.matrix, matrix_)
    pd.testing.assert_frame_equal(whole.report, report)
    assert whole.kind == kind
    assert whole.biotypes["s0"].to_dict() == {"lncRNA": 5.0, "protein_coding": 12.0, "unknown": 4.0}
    assert whole.others.index.tolist() == ["LNC1"]
    assert whole.others["s1"].tolist() == [50.0]
    assert harmonise_all(values, small).others.shape == (0, 2)


def test_par_y_copy_joins_its_gene(small: pd.DataFrame) -> None:
    ids: list[object] = ["ENSG00000000010.7", "ENSG00000000010.7_PAR_Y", "ENSG00000000030"]
    values, report, _ = harmonise(matrix(ids), small)
    assert values.loc["BBB", "s0"] == 3.0
    assert report["reason"][1] == "Ensembl id (PAR_Y copy); summed with 1 other row"


def test_rows_with_missing_values_are_dropped_and_counted(small: pd.DataFrame) -> None:
    values = matrix(["BBB", "OLDB", "AAA1", "LNC1"], samples=4)
    values.iloc[1, [0, 2, 3]] = np.nan
    values.iloc[2, 0] = np.nan
    values.iloc[3, 0] = np.nan
    out, report, _ = harmonise(values, small)
    assert report["reason"].tolist() == [
        "approved symbol",
        "missing values in 3 samples",
        "missing values in 1 sample",
        "not protein-coding (lncRNA)",
    ]
    assert report["action"].tolist() == ["kept", "dropped", "dropped", "dropped"]
    assert out.index.tolist() == ["BBB"]
    assert out.loc["BBB", "s0"] == 1.0


def test_input_is_left_alone(small: pd.DataFrame) -> None:
    values, table = matrix(["AAA", "BBB", "BBB"]), small.copy()
    before = values.copy()
    harmonise(values, small)
    pd.testing.assert_frame_equal(values, before)
    pd.testing.assert_frame_equal(small, table)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 4))
def test_sums_outside_are_a_samples_own(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.choice(["BBB", "AAA", "LNC1", "x", "y"], 40).tolist() + ["BBB", "AAA1", "C-C"] * 20
    values = pd.DataFrame(rng.lognormal(0, 5, (len(ids), 4)), index=ids, columns=list("abcd"))
    whole = harmonise_all(values, small_table(), also=("LNC1",))
    part = harmonise_all(
        values.sample(frac=1, random_state=seed).iloc[:, :n], small_table(), also=("LNC1",)
    )
    for name in ("biotypes", "matrix"):
        a, b = getattr(whole, name), getattr(part, name)
        pd.testing.assert_frame_equal(a[list("abcd")[:n]], b, check_exact=True)


IDS = ["BBB", "OLDB", "b-b", "bbb", "AAA", "AAA1", "C-C", "C.C", "LNC1", "SHARED", "1-Mar", ""]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ids=st.lists(st.sampled_from(IDS), min_size=1, max_size=30),
    seed=st.integers(0, 2**31),
)
def test_order_of_rows_and_choice_of_samples_do_not_matter(ids: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [f"s{j}" for j in range(5)]
    values = pd.DataFrame(
        rng.lognormal(0, 8, (len(ids) + 1, 5)), index=[*ids, "C1orf7"], columns=columns
    )
    table = small_table()
    whole, report, _ = harmonise(values, table, gene_id="symbol")
    order = rng.permutation(len(values))
    moved, moved_report, _ = harmonise(values.iloc[order], table, gene_id="symbol")
    alone, _, _ = harmonise(values[["s3"]], table, gene_id="symbol")
    swapped, _, _ = harmonise(values[["s3", "s1"]], table, gene_id="symbol")
    pd.testing.assert_frame_equal(whole, moved, check_exact=True)
    assert alone["s3"].to_numpy().tobytes() == whole["s3"].to_numpy().tobytes()
    assert swapped["s1"].to_numpy().tobytes() == whole["s1"].to_numpy().tobytes()
    assert report["input_id"].tolist() == list(values.index)
    assert set(report["action"]) <= ACTIONS
    assert (report["symbol"].isna() == (report["action"] == "dropped")).all()
    assert set(report["symbol"].dropna()) == set(whole.index)
    assert (report["reason"] != "").all()
    pd.testing.assert_frame_equal(
        moved_report.reset_index(drop=True), report.iloc[order].reset_index(drop=True)
    )
    kept = values.to_numpy()[report["action"].ne("dropped").to_numpy()]
    np.testing.assert_allclose(whole.sum().to_numpy(), kept.sum(axis=0), rtol=1e-12)
