"""What is said about a deconvolution: fit per sample, agreement of methods, caveats."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resistpath.deconvolve.caveats import BY_METHOD, GENERAL, caveats
from resistpath.deconvolve.concordance import cohort_concordance
from resistpath.deconvolve.table import fit_table
from resistpath.errors import UserError
from resistpath.io.resources import deconvolution_tables

package = importlib.import_module("resistpath.deconvolve")
TABLES = deconvolution_tables()
TIL10 = TABLES["til10"]


@pytest.fixture(scope="module")
def tpm() -> pd.DataFrame:
    """Twelve noisy mixtures of TIL10 with all markers the other methods need."""
    rng = np.random.default_rng(5)
    shares = rng.dirichlet([0.7] * 10 + [4.0], 12)[:, :10]
    values = TIL10.iloc[:, 3:].to_numpy(dtype=float) @ shares.T
    values *= np.exp(rng.normal(0, 0.4, values.shape))
    frame = pd.DataFrame(values, TIL10["symbol"], [f"s{i}" for i in range(12)])
    more = {*TABLES["mcpcounter"]["symbol"], *TABLES["consensus_markers"]["symbol"]}
    more = sorted(more - set(frame.index))
    extra = pd.DataFrame(np.exp(rng.normal(1, 1, (len(more), 12))), more, frame.columns)
    whole = pd.concat([frame, extra])
    whole.loc["ELSE"] = np.maximum(0, 1e6 - whole.sum())
    return whole


@pytest.fixture(scope="module")
def long(tpm: pd.DataFrame) -> pd.DataFrame:
    methods = ("quantiseq", "least_squares", "mcpcounter", "consensus_markers")
    options = {"quantiseq": {"symbols": "current"}}
    return pd.concat(
        [package.deconvolve_long(tpm, m, TABLES, **options.get(m, {})) for m in methods],
        ignore_index=True,
    )


# --- fit ----------------------------------------------------------------------------------------


def test_fit_table(tpm: pd.DataFrame) -> None:
    result = package.run(tpm, "least_squares", TABLES, scale_mrna=False)
    table = fit_table(result, "least_squares")
    assert list(table.columns) == [
        "sample",
        "method",
        "n_genes",
        "n_signature",
        "coverage",
        "correlation",
        "residual",
        "condition",
        "note",
    ]
    assert table["note"].eq("signature: TIL10").all()
    assert table["sample"].to_list() == list(tpm.columns)
    # By hand for one sample.
    a = TIL10.iloc[:, 3:].to_numpy(dtype=float)
    y = tpm.loc[TIL10["symbol"], "s4"].to_numpy() * 1e6 / tpm["s4"].sum()
    x = a @ result.estimate.loc["s4"].to_numpy()[:10]
    row = table.set_index("sample").loc["s4"]
    assert row["correlation"] == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert row["residual"] == pytest.approx(np.linalg.norm(x - y) / np.linalg.norm(y))
    assert row["condition"] == pytest.approx(
        np.linalg.cond(a / np.linalg.norm(a, axis=0)), rel=1e-5
    )


def test_fit_table_of_scores_has_coverage_only(tpm: pd.DataFrame) -> None:
    table = fit_table(package.run(tpm, "mcpcounter", TABLES), "mcpcounter")
    assert (table["coverage"] == 1).all()
    assert table[["correlation", "residual", "condition"]].isna().all(axis=None)


# --- concordance --------------------------------------------------------------------------------


def test_concordance_is_spearman_of_each_pair(long: pd.DataFrame) -> None:
    table = cohort_concordance(long)
    row = table[
        (table["cell_type"] == "b_cell")
        & (table["method_a"] == "quantiseq")
        & (table["method_b"] == "mcpcounter")
    ].iloc[0]
    x, y = (
        long[(long["method"] == m) & (long["cell_type"] == "b_cell")]["value"]
        for m in ("quantiseq", "mcpcounter")
    )
    assert row["spearman"] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert row["n"] == 12
    assert np.isnan(row["mean_difference"])  # a fraction and a score have none
    assert row["label"] == "B cells"


def test_concordance_of_fractions_says_how_far_apart(long: pd.DataFrame) -> None:
    table = cohort_concordance(long).set_index(["cell_type", "method_a", "method_b"])
    row = table.loc[("nk", "quantiseq", "least_squares")]
    wide = long[long["cell_type"] == "nk"].pivot(
        index="sample", columns="method", values=["value", "low", "high"]
    )
    difference = (wide["value", "least_squares"] - wide["value", "quantiseq"]).astype(float)
    assert row["mean_difference"] == pytest.approx(difference.mean())
    meet = (wide["low", "least_squares"] <= wide["high", "quantiseq"]) & (
        wide["low", "quantiseq"] <= wide["high", "least_squares"]
    )
    assert row["intervals_overlap"] == pytest.approx(meet.mean())


def test_concordance_covers_what_two_methods_share(long: pd.DataFrame) -> None:
    table = cohort_concordance(long)
    assert "other" not in set(table["cell_type"]) or (
        table[table["cell_type"] == "other"]["method_a"].eq("quantiseq").all()
    )
    assert not table["cell_type"].str.contains(":").any()
    assert "plasma_cell" not in set(table["cell_type"])  # one method has it
    pairs = table[table["cell_type"] == "t_cd8"]
    assert len(pairs) == 6  # four methods
    assert not table.duplicated(["cell_type", "method_a", "method_b"]).any()


def test_concordance_does_not_depend_on_row_order(long: pd.DataFrame) -> None:
    samples = long["sample"].unique()
    mixed = pd.concat([long[long["sample"] == s] for s in samples[::-1]], ignore_index=True)
    pd.testing.assert_frame_equal(cohort_concordance(mixed), cohort_concordance(long))


def test_concordance_of_few_or_constant_samples_is_missing(long: pd.DataFrame) -> None:
    few = long[long["sample"].isin(["s0", "s1", "s2", "s3"])]
    assert cohort_concordance(few)["spearman"].isna().all()
    flat = long.assign(value=long["value"].where(long["method"] != "quantiseq", 0.1))
    table = cohort_concordance(flat)
    assert table[table["method_a"] == "quantiseq"]["spearman"].isna().all()
    assert cohort_concordance(long[long["method"] == "quantiseq"]).empty
    gaps = long.assign(value=long["value"].where(long["sample"] != "s1"))
    assert (cohort_concordance(gaps)["n"] == 11).all()


def test_concordance_refuses(long: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="lacks columns: kind"):
        cohort_concordance(long.drop(columns="kind"))
    with pytest.raises(UserError, match="repeats a method, sample and cell type"):
        cohort_concordance(pd.concat([long, long.iloc[:1]]))


# --- caveats ------------------------------------------------------------------------------------


def test_every_method_has_caveats() -> None:
    assert set(BY_METHOD) == set(package.METHODS)
    for method in package.METHODS:
        said = caveats(method)
        assert said[-len(GENERAL) :] == list(GENERAL)
        assert all(s.endswith(".") and s[0].isupper() for s in said)
    with pytest.raises(UserError, match="no deconvolution method 'xcell'"):
        caveats("xcell")


def test_caveats_agree_with_the_limits_of_detection() -> None:
    """Percentages in the sentences are those of the table."""
    table = TABLES["limits_of_detection"].set_index(["method", "cell_type"])["percent_of_cells"]
    for method, cell, words in (
        ("quantiseq", "macrophage", "Macrophages below 12 %"),
        ("quantiseq", "monocytic_lineage", "monocytic cells below 10 %"),
        ("quantiseq", "t_cd4", "CD4+ T cells below 19 %"),
        ("quantiseq", "treg", "regulatory T cells below 6 %"),
        ("epic", "t_cd8", "limit of detection of 38 %"),
        ("epic", "nk", "NK cells below 10.5 %"),
        ("epic", "t_cd4", "CD4+ T cells below 13 %"),
    ):
        text = " ".join(" ".join(caveats(method)).split())
        assert words in text
        assert f"{float(table[method, cell]):g} %" in words
    assert float(table["epic", "macrophage"]) == 100


def test_what_bulk_cannot_split_is_said() -> None:
    text = " ".join(GENERAL)
    for words in ("M1 from M2", "Subsets of CD4+ T cells", "limits of detection"):
        assert words in text
