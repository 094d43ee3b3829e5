"""Symbols, missing genes, what is said of values, what is refused, and the tables."""

from __future__ import annotations

import gzip
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deconvolve_tools import (
    CONTENT,
    PROFILES,
    ROOT,
    SHARED,
    TABLES,
    TIL10,
    TYPES,
    cohort,
    mixtures,
    package,
    run,
)

from resistpath.deconvolve import celltypes, rows
from resistpath.errors import UserError

# --- symbols and genes --------------------------------------------------------------------------


def test_symbols_of_2017_by_hand() -> None:
    table = pd.DataFrame(
        {
            "symbol": ["NEW", "OLD", "KEPT", "GONE", "FORMER"],
            "becomes": ["", "NEW", "", "entry withdrawn", "KEPT"],
        }
    )
    names, changed = rows.as_of_2017(["OLD", "KEPT", "GONE", "FORMER", "1-Mar"], table)
    assert names == ["NEW", "KEPT", "entry withdrawn", "", ""]
    assert changed.set_index("row")["fate"].to_dict() == {
        "OLD": "renamed",
        "GONE": "withdrawn symbol: counted in the sum only",
        "FORMER": "dropped: previous symbol of KEPT, which is there too",
        "1-Mar": "dropped: unknown",
    }


def test_dropped_rows_leave_the_sum_and_doubled_ones_count_by_their_median() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, 2.0, 4.0, 8.0, 16.0], "b": [3.0, 1.0, 5.0, 0.0, 7.0]}, index=list("pqrst")
    )
    table = rows.Rows(frame, ["X", "Y", "X", "", "X"])
    assert table.sums().tolist() == [4.0 + 2.0, 5.0 + 1.0]
    assert table.label("X") == "p|r|t"
    even = rows.Rows(frame, ["X", "X", "Y", "Y", ""])
    assert even.value("X").tolist() == [1.5, 2.0]


def test_unknown_rows_change_nothing_in_quantiseqr_mode(tpm: pd.DataFrame) -> None:
    base = tpm.rename(index={"FILLER": "GAPDH"})
    more = pd.concat([base, pd.DataFrame(5000.0, ["LINC-NEW", "TENT5C"], base.columns)])
    one, two = (run(m, symbols="quantiseqr") for m in (base, more))
    pd.testing.assert_frame_equal(one.estimate, two.estimate, check_exact=True)
    assert two.dropped["row"].to_list() == ["LINC-NEW", "TENT5C"]
    diluted = run(more).estimate["Other"] - one.estimate["Other"]  # the sum counts them there
    assert diluted.min() > -1e-12
    assert diluted.max() > 0.005


def test_missing_genes_are_counted_and_named(tpm: pd.DataFrame) -> None:
    result = run(tpm.drop(index=["CD8A", "FOXP3"]))
    assert (result.fit["n_genes"] == 136).all()
    assert (result.fit["n_signature"] == 138).all()
    assert result.fit["coverage"].iloc[0] == 136 / 138
    missing = result.genes[result.genes["fate"] == "missing"]["gene"]
    assert set(missing) == {"CD8A", "FOXP3"}
    fates = result.genes["fate"].value_counts()
    assert fates["left out: noisy in RNA-seq"] == 17
    assert fates["left out: expressed by tumours"] == 15  # two of 17 are noisy too
    own = run(tpm, remove_genes=["CD8A"]).genes.set_index("gene")["fate"]
    assert own["CD8A"] == "left out: asked for"
    assert own["CD36"] == "left out: expressed by tumours"


def test_fit_says_how_well_the_signature_explains(fractions: np.ndarray) -> None:
    exact, noisy = run(mixtures(fractions)).fit, run(mixtures(fractions, noise=1.0)).fit
    assert (exact["correlation"] > 1 - 1e-9).all()
    assert (exact["residual"] < 1e-9).all()
    assert (noisy["correlation"] < 0.99).all()
    assert noisy["residual"].between(0.05, 1).all()


def test_mcpcounter_by_hand() -> None:
    """Repaired: "C" is CAVIN2 (Entrez 8436), and a row called C is no marker."""
    table = TABLES["mcpcounter"]
    row = table[table["entrez"] == "8436"].iloc[0]
    assert (row["gene"], row["symbol"], row["population"]) == ("C", "CAVIN2", "Endothelial cells")
    assert not (table["symbol"] == "C").any()
    endothelial = table[table["population"] == "Endothelial cells"]["symbol"].to_list()
    assert len(endothelial) == 33
    matrix = pd.DataFrame({"x": 3.0, "y": 0.0}, index=table["symbol"])
    matrix.loc["BIG"] = 100.0
    matrix.loc["CAVIN2"] = [63.0, 7.0]
    matrix.loc["C"] = 99.0
    scores = run(matrix, "mcpcounter").estimate
    assert scores.loc["x", "Endothelial cells"] == pytest.approx((32 * 2 + 6) / 33)
    assert scores.loc["y", "Endothelial cells"] == pytest.approx(3 / 33)
    assert scores.loc["x", "CD8 T cells"] == 2.0
    # Under its former symbol it is found as well; as printed, C is C.
    former = run(matrix.rename(index={"CAVIN2": "SDPR", "C": "Z"}), "mcpcounter").estimate
    pd.testing.assert_frame_equal(former, scores)
    printed = run(matrix, "mcpcounter", symbols="published", log=False).estimate
    assert printed.loc["x", "Endothelial cells"] == pytest.approx((32 * 3 + 99) / 33)


def test_mcpcounter_interval_and_absent_markers() -> None:
    table = TABLES["mcpcounter"]
    neutrophil = table[table["population"] == "Neutrophils"]["symbol"].to_list()
    matrix = pd.DataFrame({"x": 3.0}, index=table["symbol"])
    matrix.loc["BIG"] = 100.0
    matrix.loc[neutrophil[:3], "x"] = [1.0, 3.0, 7.0]
    result = run(matrix.drop(index=[*neutrophil[3:], "CD8B"]), "mcpcounter")
    assert result.estimate.loc["x", "Neutrophils"] == pytest.approx(2.0)
    # values 1, 2, 3: standard error 1 / sqrt(3), t of 2 degrees of freedom 2.91998558
    assert result.high.loc["x", "Neutrophils"] == pytest.approx(2 + 2.91998558 / 3**0.5)
    assert result.notes["Neutrophils"] == "3 of 15 markers measured"
    assert np.isnan(result.estimate.loc["x", "CD8 T cells"])
    assert result.notes["CD8 T cells"] == "0 of 1 markers measured"
    assert np.isnan(run(matrix, "mcpcounter").low.loc["x", "CD8 T cells"])  # of one marker: none


# --- what is said of the values -----------------------------------------------------------------


def test_long_table(tpm: pd.DataFrame) -> None:
    result = run(tpm)
    table = package.deconvolve_long(tpm, "quantiseq", TABLES, symbols="published")
    columns = "sample, method, cell_type, label, value, kind, low, high, detectable, limit, note"
    assert ", ".join(table.columns) == columns
    assert table["sample"].drop_duplicates().to_list() == list(tpm.columns)
    assert len(table) == tpm.shape[1] * (11 + 4)
    one = table[table["sample"] == "s3"].set_index("cell_type")
    assert one["value"]["treg"] == result.estimate.loc["s3", "Tregs"]
    assert one["low"]["t_cd8"] == result.low.loc["s3", "T.cells.CD8"]
    assert one["value"]["t_cd4"] == one["value"]["t_cd4_conventional"] + one["value"]["treg"]
    assert one["value"]["t_cell"] == pytest.approx(one["value"][["t_cd4", "t_cd8"]].sum())
    assert one["value"]["macrophage"] == one["value"][["macrophage_m1", "macrophage_m2"]].sum()
    lineage = ["macrophage_m1", "macrophage_m2", "monocyte", "myeloid_dc"]
    assert one["value"]["monocytic_lineage"] == pytest.approx(one["value"][lineage].sum())
    assert one["limit"]["treg"] == 0.06
    assert one["limit"]["macrophage"] == 0.12
    assert one["detectable"][["macrophage_m1", "macrophage_m2", "other"]].eq("unknown").all()
    limited = table[table["limit"].notna()]
    assert (limited["detectable"].eq("yes") == (limited["value"] >= limited["limit"])).all()
    assert set(limited["detectable"]) == {"yes", "below limit"}
    assert "M1" in one["note"]["macrophage_m1"]
    assert one["note"]["macrophage"].startswith("sum of: Macrophages, M1-like; ")
    assert table["kind"].eq("fraction").all()


def test_long_table_of_scores(tpm: pd.DataFrame) -> None:
    matrix = cohort(tpm)
    matrix.loc["CD8B"] = 0.0
    table = package.deconvolve_long(matrix, "mcpcounter", TABLES)
    assert table["kind"].eq("score").all()
    by_type = table.groupby("cell_type")["detectable"].unique().str[0].to_dict()
    assert by_type.pop("t_cd8") == "below limit"  # no signal at all
    assert set(by_type.values()) == {"unknown"}
    limits = table.drop_duplicates("cell_type").set_index("cell_type")["limit"]
    assert limits["t_cd8"] == pytest.approx(0.002)
    assert np.isnan(limits["t_cell"])


def test_one_vocabulary() -> None:
    for cell in celltypes.CELL_TYPES.values():
        seen = [cell.id]
        while celltypes.CELL_TYPES[seen[-1]].parent:
            seen.append(celltypes.CELL_TYPES[seen[-1]].parent)
            assert seen.count(seen[-1]) == 1
    for method, names in celltypes.NAMES.items():
        assert method in package.METHODS
        assert set(names.values()) <= set(celltypes.CELL_TYPES)
        assert len(set(names.values())) == len(names)
        for key, members in celltypes.COMBINED.get(method, {}).items():
            assert key in celltypes.CELL_TYPES
            assert key not in names.values()
            assert set(members) <= set(names)
    assert {key for _, key in celltypes.REMARKS} <= set(celltypes.CELL_TYPES)
    assert [*celltypes.NAMES["quantiseq"]] == [*TYPES, "Other"]
    assert set(celltypes.NAMES["mcpcounter"]) == set(TABLES["mcpcounter"]["population"])
    assert celltypes.of("quantiseq", "Tregs").id == celltypes.of("mcpcounter", "treg").id


def test_limits_agree_with_a_second_reading() -> None:
    ours = celltypes.limits(TABLES["limits_of_detection"])
    second = pd.read_csv(ROOT / "tests" / "qc" / "deconvolution_limits.tsv", sep="\t", comment="#")
    for row in second.itertuples():
        assert ours[row.method, row.cell_type] == row.percent_of_cells / 100
    assert {key for _, key in ours} <= set(celltypes.CELL_TYPES)
    assert {method for method, _ in ours} <= set(package.METHODS)
    assert all(0 < limit <= 1 for limit in ours.values())


# --- what is refused ----------------------------------------------------------------------------


def refused(
    message: str, matrix: pd.DataFrame, method: str = "quantiseq", **options: object
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        package.deconvolve(matrix, method, TABLES, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["quantiseq", "mcpcounter"])
def test_matrices_that_are_not_tpm(tpm: pd.DataFrame, method: str) -> None:
    matrix = cohort(tpm)
    logged = matrix.copy()
    logged["s3"] = np.log2(logged["s3"] + 1)
    refused(r"no value of 50 or more in 1 of 12 samples, so they look logged: s3", logged, method)
    refused(r"negative values in 12 of 12 samples", matrix - 1e3, method)
    refused(r"nothing but zeros in s2", matrix.assign(s2=0.0), method)
    refused(r"missing or infinite", matrix.assign(s2=np.nan), method)
    refused(r"holds text", matrix.astype({"s1": object}), method)
    refused(r"repeats gene names", pd.concat([matrix, matrix.iloc[:1]]), method)
    refused(r"is empty", matrix.iloc[:, :0], method)
    ensembl = matrix.set_axis([f"ENSG{i:011d}" for i in range(len(matrix))])
    refused(rf"{method} found 0 of its \d+ signature genes", ensembl, method)
    half = matrix.drop(index=[*TIL10["gene"][::2], *TIL10["gene"][1::8]])
    half = half.drop(index=TABLES["mcpcounter"]["symbol"][::2], errors="ignore")
    half = half.drop(index=TABLES["mcpcounter"]["symbol"][1::8], errors="ignore")
    refused(r"found \d+ of its", half, method)


def test_words_nobody_knows(tpm: pd.DataFrame) -> None:
    refused(r"no deconvolution method 'cibersort'; use one of quantiseq", tpm, "cibersort")
    refused(r"no option tumor; its options are tumour,", tpm, tumor=True)
    refused(r"knows no symbols 'hgnc'", tpm, symbols="hgnc")
    refused(r"knows no robust 'mm'", tpm, robust="mm")
    refused(r"remove_genes is 'all'", tpm, remove_genes="all")
    refused(r"not in the signature: CD8X", tpm, remove_genes=["CD8A", "CD8X"])
    refused(r"knows no symbols 'x'", tpm, "mcpcounter", symbols="x")
    with pytest.raises(UserError, match="table 'til10_scaling' was not given"):
        package.deconvolve(tpm, "quantiseq", {"til10": TIL10})
    with pytest.raises(UserError, match="'til10' lacks columns: symbol, other_symbols"):
        package.deconvolve(tpm, "quantiseq", {"til10": TIL10[["gene", *TYPES]]})


# --- the tables ---------------------------------------------------------------------------------


def test_tables_are_whole() -> None:
    assert PROFILES.shape == (170, 10)
    assert (PROFILES >= 0).all()
    assert TIL10["gene"].is_unique
    assert TIL10["symbol"].is_unique
    removed = TABLES["til10_removed"]
    assert removed["list"].value_counts().to_dict() == {"noisy": 17, "tumour": 17}
    assert set(removed["gene"]) <= set(TIL10["gene"])
    assert removed["gene"].nunique() == 32
    hgnc = TABLES["hgnc_2017"]
    assert hgnc["symbol"].is_unique
    assert hgnc["symbol"].is_monotonic_increasing
    own = set(hgnc["symbol"][hgnc["becomes"] == ""])
    assert len(own) == 40938
    assert set(hgnc["becomes"]) - own == {"", "entry withdrawn"}
    assert set(TIL10["gene"]) <= own  # the signature is written in symbols of that time
    markers = TABLES["mcpcounter"]
    assert len(markers) == 111
    assert markers["symbol"].is_unique
    assert markers["population"].nunique() == 10


def test_tables_equal_a_second_copy_of_their_sources() -> None:
    folder = SHARED / "reference" / "signature_matrices"
    if not folder.exists():
        pytest.skip("no ../shared/reference/signature_matrices")
    til10 = pd.read_csv(folder / "quantiseq_TIL10_signature.tsv", sep="\t")
    assert til10["ID"].to_list() == TIL10["gene"].to_list()
    np.testing.assert_allclose(til10[TYPES].to_numpy(), PROFILES, rtol=1e-14)
    scaling = pd.read_csv(folder / "quantiseq_TIL10_mRNA_scaling.tsv", sep="\t", index_col=0)
    np.testing.assert_array_equal(scaling["mrna_scaling"][TYPES], CONTENT)
    drop = pd.read_csv(folder / "quantiseq_TIL10_genes_to_drop.tsv", sep="\t")
    assert drop["gene"].to_list() == TABLES["til10_removed"]["gene"].to_list()
    markers = pd.read_csv(folder / "mcpcounter_markers.tsv", sep="\t", dtype=str)
    assert markers["HUGO symbols"].to_list() == TABLES["mcpcounter"]["gene"].to_list()
    assert markers["current_symbol"].to_list() == TABLES["mcpcounter"]["symbol"].to_list()
    assert markers["Cell population"].to_list() == TABLES["mcpcounter"]["population"].to_list()
    assert markers["ENTREZID"].to_list() == TABLES["mcpcounter"]["entrez"].to_list()


def test_hgnc_table_is_built_by_its_rules(tmp_path: Path) -> None:
    """One previous symbol leads on, one of two does not; a later gene wins; own symbols stay."""
    script = ROOT / "resources" / "build" / "deconvolution.py"
    spec = importlib.util.spec_from_file_location("build_deconvolution", script)
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    lines = [
        "HGNCID\tStatus\tApprovedSymbol\tApprovedName\tPreviousSymbols\tAliasSymbol",
        "1\tApproved\tA1\tname\tOLD1\tX",
        '2\tApproved\tB1\t"a, quoted"\tOLD2|OLD3\tY',
        "3\tEntry Withdrawn\tC1\tentry withdrawn\t\t",
        "4\tApproved\tC1\tagain\t\t",
        "5\tApproved\tD1\tname\tOLD1\t",
        "6\tApproved\tE1\tname\tA1\t",
    ]
    source = tmp_path / "hgnc.txt.gz"
    source.write_bytes(gzip.compress("\n".join(lines).encode()))
    build.hgnc(source, tmp_path)
    first = (tmp_path / "hgnc_2017-04-18.tsv.gz").read_bytes()
    table = [line.split("\t") for line in gzip.decompress(first).decode().splitlines()[1:]]
    assert table == [
        ["A1", ""],
        ["B1", ""],
        ["C1", "entry withdrawn"],
        ["D1", ""],
        ["E1", ""],
        ["OLD1", "D1"],
    ]
    build.hgnc(source, tmp_path)
    assert (tmp_path / "hgnc_2017-04-18.tsv.gz").read_bytes() == first
