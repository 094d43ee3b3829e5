"""The step `deconvolve` and the command `signature`: tables, gaps, and matrices users bring."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest

from resistpath.api import linear_tpm
from resistpath.cli import main
from resistpath.deconvolve.attempt import FEWEST_GENES, attempt
from resistpath.deconvolve.celltypes import CELL_TYPES
from resistpath.errors import UserError
from resistpath.io.prepared import preparing
from resistpath.io.resources import deconvolution_tables, gene_table
from resistpath.io.signature_matrices import read_signature, signature_files
from resistpath.io.tables import read_table
from resistpath.steps import deconvolve as step
from resistpath.steps.deconvolve import Own, deconvolve, read_cells, wide_cells

package = importlib.import_module("resistpath.deconvolve")
TABLES = deconvolution_tables()
TIL10 = TABLES["til10"].iloc[:, 3:].astype(float).set_axis(list(TABLES["til10"]["symbol"]))
DESIGN = ["sample", "method", "cell_type", "value", "kind", "low", "high", "detectable"]
OUTPUTS = ("fractions.tsv", "fractions.fit.tsv", "fractions.cohort_concordance.tsv")
EVERY = list(package.METHODS)


def options(method: str) -> dict[str, Any]:
    """A signature for the method that has none; no intervals, which take their time."""
    return {"interval": False} | ({"signature": TIL10} if method == "epic" else {})


@pytest.fixture(scope="module")
def tpm(demo_values: pd.DataFrame) -> pd.DataFrame:
    return linear_tpm(demo_values.iloc[:, :8])


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TIL10 as a table somebody brings."""
    path = tmp_path_factory.mktemp("own") / "mine.tsv"
    TIL10.to_csv(path, sep="\t", index_label="gene")
    return path


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory, demo_values: pd.DataFrame, own: Path) -> Path:
    """Eight tumours through the step, with two matrices of the user's."""
    folder = tmp_path_factory.mktemp("cohort")
    prepared(folder, demo_values.iloc[:, :8])
    methods = ["quantiseq", "mcpcounter", "estimate", "consensus_markers"]
    mine = [Own("mine", "least_squares", own), Own("mine", "epic", own)]
    deconvolve(folder, methods=methods, signatures=mine)
    return folder


def prepared(folder: Path, values: pd.DataFrame) -> None:
    folder.mkdir(exist_ok=True)
    obs = pd.DataFrame(index=pd.Index(values.columns, name="sample"))
    path = folder / "prepared.h5ad"
    with preparing(path, values.index, obs, {"cohort": "few"}, counts=False) as file:
        file.add(values, None)


# --- tables -------------------------------------------------------------------------------------


def test_fractions_have_the_columns_of_the_design(cohort: Path) -> None:
    table = read_table(cohort / "fractions.tsv")
    assert [c for c in table if c in DESIGN] == DESIGN
    assert set(table["kind"]) == {"fraction", "score"}
    assert set(table["detectable"]) == {"yes", "below limit", "unknown"}
    assert not table.duplicated(["sample", "method", "cell_type"]).any()
    fractions = table[(table["kind"] == "fraction")]
    assert (fractions["low"] <= fractions["value"]).all()
    assert (fractions["value"] <= fractions["high"]).all()
    shared = table[~table["cell_type"].str.contains(":")]
    assert set(shared["cell_type"]) <= set(CELL_TYPES)


def test_detectable_follows_the_published_limit(cohort: Path) -> None:
    table = read_table(cohort / "fractions.tsv")
    known = table[(table["method"] == "quantiseq") & table["limit"].notna()]
    assert (known["detectable"].eq("below limit") == (known["value"] < known["limit"])).all()
    assert set(known["detectable"]) == {"yes", "below limit"}
    assert table[table["method"] == "least_squares:mine"]["detectable"].eq("unknown").all()


def test_the_step_fits_the_matrix_the_user_gave(cohort: Path, tpm: pd.DataFrame, own: Path) -> None:
    table = read_table(cohort / "fractions.tsv")
    for method, column in (("least_squares", "B.cells"), ("epic", "B.cells")):
        mine = table[table["method"] == f"{method}:mine"]
        mine = mine.pivot(index="sample", columns="cell_type", values="value")
        current = {"signature": read_signature(own), "symbols": "current"}
        direct = package.run(tpm, method, {}, **current).estimate
        np.testing.assert_array_equal(mine["b_cell"].loc[tpm.columns], direct[column])
    assert "signature: mine" in set(read_table(cohort / "fractions.fit.tsv")["note"])


def test_fit_and_concordance_tables(cohort: Path) -> None:
    fit = read_table(cohort / "fractions.fit.tsv")
    assert len(fit) == 6 * 8
    fitted = fit[fit["method"].isin(["quantiseq", "least_squares:mine", "epic:mine"])]
    assert fitted[["correlation", "residual", "condition"]].notna().all(axis=None)
    assert fit["coverage"].between(0.5, 1).all()
    pairs = read_table(cohort / "fractions.cohort_concordance.tsv")
    named = {"method_a": "quantiseq", "method_b": "mcpcounter", "cell_type": "t_cd8"}
    one = pairs[np.logical_and.reduce([pairs[k] == v for k, v in named.items()])].iloc[0]
    cells = read_cells(cohort).values
    expected = cells["quantiseq:t_cd8"].corr(cells["mcpcounter:t_cd8"], method="spearman")
    assert one["spearman"] == pytest.approx(expected)
    assert one["n"] == 8


def test_a_sample_alone_or_in_another_order_gives_the_same_rows(
    cohort: Path, demo_values: pd.DataFrame, own: Path, tmp_path: Path
) -> None:
    """Byte for byte, in the tables of values and of fits."""
    alone = demo_values.iloc[:, [6]]
    mixed = demo_values.iloc[:, [5, 6, 2]].sample(frac=1, random_state=1)
    methods = ["quantiseq", "mcpcounter", "estimate", "consensus_markers"]
    mine = [Own("mine", "least_squares", own), Own("mine", "epic", own)]
    for name, values in (("alone", alone), ("mixed", mixed)):
        prepared(tmp_path / name, values)
        deconvolve(tmp_path / name, methods=methods, signatures=mine)
        for file in ("fractions.tsv", "fractions.fit.tsv"):
            lines = {
                folder: [
                    line
                    for line in (folder / file).read_text().splitlines()
                    if line.startswith(f"{alone.columns[0]}\t")
                ]
                for folder in (cohort, tmp_path / name)
            }
            assert lines[cohort]
            assert lines[cohort] == lines[tmp_path / name]


def test_blocks_change_no_byte(
    cohort: Path, demo_values: pd.DataFrame, own: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(step, "BLOCK", 3)
    prepared(tmp_path, demo_values.iloc[:, :8])
    methods = ["quantiseq", "mcpcounter", "estimate", "consensus_markers"]
    mine = [Own("mine", "least_squares", own), Own("mine", "epic", own)]
    said: list[str] = []
    deconvolve(tmp_path, methods=methods, signatures=mine, say=said.append)
    assert "6 of 8 samples" in said
    for file in OUTPUTS:
        assert (tmp_path / file).read_bytes() == (cohort / file).read_bytes()


# --- gaps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", EVERY)
def test_a_panel_gives_the_same_rows_without_values(method: str, tpm: pd.DataFrame) -> None:
    markers = {*TABLES["mcpcounter"]["symbol"], *TABLES["consensus_markers"]["symbol"]}
    few = {*TIL10.index[:60], "PTEN", "TP53", "ACTB"} - markers
    panel = tpm.loc[tpm.index.isin(few)]
    whole = attempt(tpm, method, TABLES, **options(method))
    gap = attempt(panel, method, TABLES, **options(method))
    assert whole.reason == ""
    assert whole.rows["value"].notna().all()
    assert "signature genes among the rows" in gap.reason
    same = ["sample", "method", "cell_type", "label", "kind"]
    pd.testing.assert_frame_equal(gap.rows[same], whole.rows[same])
    assert gap.rows[["value", "low", "high"]].isna().all(axis=None)
    assert gap.rows["detectable"].eq("unknown").all()
    assert gap.rows["note"].str.contains(f"not assessable: {gap.reason}", regex=False).all()
    assert list(gap.fit.columns) == list(whole.fit.columns)
    assert (gap.fit["coverage"] < 0.5).all()


@pytest.mark.parametrize("method", EVERY)
def test_on_a_panel_with_all_signature_genes_only_marker_means_are_given(
    method: str, tpm: pd.DataFrame
) -> None:
    """TPM and ranks of a panel are not those of a transcriptome, whatever genes it holds."""
    wanted = {*TIL10.index}
    for name in ("mcpcounter", "consensus_markers", "estimate"):
        wanted |= set(TABLES[name]["symbol"])
    panel = tpm.loc[tpm.index.isin(wanted)]
    assert len(panel) < FEWEST_GENES
    done = attempt(panel, method, TABLES, **options(method))
    given = method in ("mcpcounter", "consensus_markers")
    assert done.rows["value"].notna().all() if given else done.rows["value"].isna().all()
    assert ("are a panel" in done.reason) != given


def test_on_a_panel_a_population_needs_half_of_its_markers(tpm: pd.DataFrame) -> None:
    markers = TABLES["mcpcounter"]
    t_cells = markers[markers["population"] == "T cells"]["symbol"]
    few = markers[markers["population"] == "Fibroblasts"]["symbol"][:2]
    panel = tpm.loc[tpm.index.isin([*t_cells[:12], *few, "ACTB", "TP53"])]
    done = attempt(panel, "mcpcounter", TABLES)
    assert done.reason == ""
    value = done.rows.groupby("cell_type")["value"].count()
    assert value["t_cell"] == tpm.shape[1]
    assert value.drop("t_cell").eq(0).all()
    note = done.rows.drop_duplicates("cell_type").set_index("cell_type")["note"]
    assert note["fibroblast"].startswith("not assessable: 2 of 8 markers measured, half are needed")
    whole = package.run(tpm, "mcpcounter", TABLES, interval=False).estimate
    ours = done.rows[done.rows["cell_type"] == "t_cell"].set_index("sample")["value"]
    assert not np.allclose(ours, whole["T cells"], atol=1e-6)  # fewer markers, another mean


def test_a_panel_does_not_stop_the_step(tmp_path: Path, demo_values: pd.DataFrame) -> None:
    genes = TABLES["mcpcounter"]["symbol"]
    prepared(tmp_path, demo_values.loc[demo_values.index.isin(genes)].iloc[:, :6])
    said: list[str] = []
    deconvolve(tmp_path, methods=["quantiseq", "mcpcounter"], say=said.append)
    assert any(s.startswith("quantiseq: ") and "signature genes" in s for s in said)
    table = read_table(tmp_path / "fractions.tsv")
    assert table[table["method"] == "quantiseq"]["value"].isna().all()
    assert table[table["method"] == "mcpcounter"]["value"].notna().all()
    cells = read_cells(tmp_path)
    assert all(name.startswith("mcpcounter:") for name in cells.values)
    assert list(cells.values.index) == list(demo_values.columns[:6])
    assert not cells.below_limit.isna().any(axis=None)


def test_wide_cells_keep_columns_with_some_values(cohort: Path) -> None:
    table = read_table(cohort / "fractions.tsv")
    one = (table["sample"] == table["sample"][0]) & (table["cell_type"] == "treg")
    table.loc[one, "value"] = np.nan
    cells = wide_cells(table)
    assert cells.values["quantiseq:treg"].isna().sum() == 1
    assert cells.values.shape == cells.half.shape == cells.below_limit.shape


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("methods", "signatures", "message"),
    [
        (["xcell"], [], "there is no method 'xcell'"),
        (["epic"], [], "epic has no signature matrix of its own"),
        (["svr", "svr"], [], "listed twice: svr"),
        ([], [("mine", "svr"), ("mine", "svr")], "listed twice: svr:mine"),
        ([], [("mine", "mcpcounter")], "'mcpcounter' takes no signature matrix"),
        ([], [("a:b", "svr")], "signature name 'a:b'"),
        ([], [("../x", "svr")], "signature name '../x'"),
    ],
)
def test_refused_before_any_work(
    tmp_path: Path, own: Path, methods: list[str], signatures: list[Any], message: str
) -> None:
    mine = [Own(name, method, own) for name, method in signatures]
    with pytest.raises(UserError, match=message):
        deconvolve(tmp_path, methods=methods, signatures=mine)  # there is no prepared.h5ad
    assert not list(tmp_path.iterdir())


def test_a_matrix_that_is_not_there_is_refused(tmp_path: Path, capsys: Any) -> None:
    words = ["deconvolve", str(tmp_path), "--signature", "LM22", "svr", str(tmp_path / "LM22.txt")]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "no such signature matrix" in said
    assert "Traceback" not in said


# --- signature build and show -------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Counts of four types x 15 cells over 300 genes, 12 markers each, three donors."""
    rng = np.random.default_rng(3)
    genes = [g for g in gene_table()["symbol"][:1500] if g and g[:2] not in ("MT", "RP")][:300]
    names = np.repeat(["T cell", "B cell", "Fibroblast", "doublet"], 15)
    rate = np.full((60, 300), 2.0)
    for k in range(3):
        rate[15 * k : 15 * k + 15, 12 * k : 12 * k + 12] = 60
    obs = pd.DataFrame({"cell_type": names, "donor": np.tile(list("abc"), 20)})
    obs.index = [f"c{i}" for i in range(60)]
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    anndata.AnnData(
        rng.poisson(rate).astype(float), obs=obs, var=pd.DataFrame(index=genes)
    ).write_h5ad(path)
    return path


def test_signature_build_show_and_use(
    cells: Path, tmp_path: Path, capsys: Any, demo_values: pd.DataFrame
) -> None:
    out = tmp_path / "mine.tsv"
    words = ["signature", "build", str(cells), "--out", str(out), "--donor", "donor"]
    words += ["--leave-out", "doublet", "--fewest-genes", "50", "--name", "tumour"]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "left out: 15 of doublet, no cell type" in said
    assert "3 cell types, " in said
    written = {p.name for p in tmp_path.iterdir()}
    beside = {"mine.json", "mine.var.tsv", "mine.markers.tsv", "mine.cells.tsv"}
    assert written == {"mine.tsv", *beside}
    assert {p.name for p in signature_files(out)} == {"mine.tsv", "mine.json", "mine.var.tsv"}
    markers = pd.read_csv(tmp_path / "mine.markers.tsv", sep="\t")
    signature = read_signature(out)
    assert set(markers["gene"]) == set(signature.markers)
    assert signature.provenance["recipe"].startswith("Recipe(fewest_genes=50")

    assert main(["signature", "show", str(out)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "tumour"
    assert {k: v["id"] for k, v in shown["cell_types"].items()} == {
        "B cell": "b_cell",
        "Fibroblast": "fibroblast",
        "T cell": "t_cell",
    }
    assert shown["n_markers"] == len(signature.markers)
    assert shown["condition"] == pytest.approx(float(signature.provenance["condition"]), rel=1e-3)

    # Its genes are not all in the demo, which is no reason to stop.
    genes = signature.profiles.index
    rng = np.random.default_rng(1)
    more = pd.DataFrame(rng.gamma(2, 2, (len(genes), 5)).astype(np.float32), genes)
    values = demo_values.iloc[:, :5].drop(index=genes, errors="ignore")
    values = pd.concat([values, more.set_axis(values.columns, axis=1)])
    prepared(tmp_path / "cohort", values)
    words = ["deconvolve", str(tmp_path / "cohort"), "--methods", "mcpcounter"]
    assert main([*words, "--signature", "tumour", "least_squares", str(out)]) == 0
    table = read_table(tmp_path / "cohort" / "fractions.tsv")
    mine = table[table["method"] == "least_squares:tumour"]
    assert set(mine["cell_type"]) == {"b_cell", "fibroblast", "t_cell", "other"}
    assert mine["value"].between(0, 1).all()


def test_signature_build_refuses(cells: Path, tmp_path: Path, capsys: Any) -> None:
    for words, message in (
        (["--out", "x.csv"], "the matrix is written as .tsv"),
        (["--out", "x.tsv", "--label", "type"], "no column 'type'"),
        (["--out", "x.tsv", "--fewest-cells", "50"], "0 cell types have 50 good cells"),
        (["--out", "x.tsv", "--bulk", str(tmp_path)], "run resistpath prepare first"),
    ):
        words[1] = str(tmp_path / words[1])
        assert main(["signature", "build", str(cells), *words]) == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_bulk_limits_the_genes(cells: Path, tmp_path: Path) -> None:
    genes = anndata.read_h5ad(cells).var_names[:200]
    values = pd.DataFrame(np.ones((200, 2), dtype=np.float32), genes, ["a", "b"])
    prepared(tmp_path / "bulk", values)
    out = tmp_path / "mine.tsv"
    words = ["signature", "build", str(cells), "--out", str(out), "--fewest-genes", "50"]
    assert main([*words, "--bulk", str(tmp_path / "bulk"), "--leave-out", "doublet"]) == 0
    assert set(read_signature(out).profiles.index) <= set(genes)
