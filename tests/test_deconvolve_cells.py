"""Signatures from single cells: recovered fractions, what is left out and why, files read.

Scanpy's bundled PBMC set (700 cells, 765 genes, labelled) needs no folder beside the repository;
the tumour set does, and is skipped without it.
"""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy
from scipy import sparse
from scipy.io import mmwrite

from resistpath.deconvolve.signature import Built, Recipe, build_signature, linear_values
from resistpath.errors import UserError
from resistpath.io.signature_matrices import read_signature, write_signature
from resistpath.io.single_cell import detect_units, read_cells, signature_from_cells

package = importlib.import_module("resistpath.deconvolve")
REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "data" / "reference"
SMALL = Recipe(fewest_genes=50)  # the bundled set holds variable genes only


def mixtures(
    linear: np.ndarray, labels: np.ndarray, genes: pd.Index, seed: int, n: int = 60
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TPM of mixtures of 200 cells each, scaled to one total; and the fractions drawn."""
    rng = np.random.default_rng(seed)
    types = sorted(set(labels))
    linear = linear / linear.sum(axis=1, keepdims=True)
    values, fractions = [], []
    for shares in rng.dirichlet(np.ones(len(types)), n):
        count = np.round(shares * 200).astype(int)
        total = sum(
            linear[rng.choice(np.flatnonzero(labels == t), k)].sum(axis=0)
            for t, k in zip(types, count, strict=True)
        )
        values.append(total / total.sum() * 1e6)
        fractions.append(count / count.sum())
    names = [f"m{i}" for i in range(n)]
    return pd.DataFrame(np.array(values).T, genes, names), pd.DataFrame(fractions, names, types)


def halves(labels: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    first = np.zeros(len(labels), dtype=bool)
    for cell in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == cell))
        first[own[: len(own) // 2]] = True
    return first


def recovered(built: Built, tpm: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """Pearson per cell type, and of all T cells together."""
    result = package.run(tpm, "least_squares", {}, signature=built.signature, interval=False)
    found = result.estimate[list(truth.columns)].copy()
    truth = truth.copy()
    t_cells = [c for c in truth if "T cell" in c]
    if len(t_cells) > 1:
        found["all T cells"] = found[t_cells].sum(axis=1)
        truth["all T cells"] = truth[t_cells].sum(axis=1)
    return pd.Series({c: np.corrcoef(found[c], truth[c])[0, 1] for c in truth})


@pytest.fixture(scope="module")
def pbmc() -> Any:
    """Scanpy's PBMC set by five types; log1p of counts scaled per cell over all genes."""
    found = scanpy.datasets.pbmc68k_reduced()
    words = {"Dendritic": "Dendritic", "CD14+ Monocyte": "Monocyte", "CD19+ B": "B cell"}
    words["CD56+ NK"] = "NK"
    labels = [
        words.get(x, "T cell" if x.startswith(("CD4", "CD8")) else "")
        for x in found.obs["bulk_labels"].astype(str)
    ]
    obs = pd.DataFrame({"cell_type": labels}, index=found.obs_names)
    return anndata.AnnData(found.raw.X.copy(), obs=obs, var=pd.DataFrame(index=found.raw.var_names))


@pytest.fixture(scope="module")
def built(pbmc: Any) -> Built:
    return build_signature(pbmc, units="log1p", recipe=SMALL, provenance={"source": "scanpy"})


# --- what it is for -----------------------------------------------------------------------------


def test_held_out_blood_cells_are_recovered(pbmc: Any) -> None:
    cells = pbmc[pbmc.obs["cell_type"] != ""].copy()
    labels = cells.obs["cell_type"].to_numpy()
    first = halves(labels, 1)
    half = build_signature(cells[first], units="log1p", recipe=SMALL)
    rest = cells[~first]
    tpm, truth = mixtures(np.expm1(rest.X.toarray()), labels[~first], cells.var_names, 2)
    r = recovered(half, tpm, truth)
    assert (r[["B cell", "Monocyte", "Dendritic", "T cell"]] >= 0.9).all()
    assert r["NK"] >= 0.85


def test_held_out_tumour_cells_are_recovered() -> None:
    """HNSCC (Puram 2017), ten cells of each of nine types for the signature, ten for mixtures."""
    path = REFERENCE / "chetah_hnscc_scrna.tsv.gz"
    if not path.exists():
        pytest.skip("no ../shared/data/reference")
    values = pd.read_csv(path, sep="\t", index_col=0).T
    labels = pd.read_csv(REFERENCE / "chetah_hnscc_scrna.cells.tsv", sep="\t", index_col=0)
    labels = labels["cell_type"].loc[values.index].to_numpy()
    cells = anndata.AnnData(
        values.to_numpy(dtype=float),
        obs=pd.DataFrame({"cell_type": labels}, index=values.index),
        var=pd.DataFrame(index=values.columns),
    )
    first = halves(labels, 0)
    half = build_signature(cells[first], units="log2_tpm10")
    linear = 10 * (np.exp2(values.to_numpy()[~first]) - 1)
    r = recovered(half, *mixtures(linear, labels[~first], values.columns, 0))
    major = ["B cell", "Dendritic", "Endothelial", "Fibroblast", "Macrophage", "Mast"]
    assert (r[[*major, "CD8 T cell", "all T cells"]] >= 0.9).all()


# --- what a signature is ------------------------------------------------------------------------


def test_profiles_are_pseudobulks(pbmc: Any, built: Built) -> None:
    own = np.expm1(pbmc.X.toarray().astype(float)[(pbmc.obs["cell_type"] == "NK").to_numpy()]).sum(
        axis=0
    )
    expected = pd.Series(own / own.sum() * 1e6, pbmc.var_names)
    profile = built.signature.profiles["NK"]
    np.testing.assert_allclose(profile, expected[profile.index])
    assert built.signature.scale == "noise"
    assert built.signature.mrna == {}  # logged shares do not say how much RNA a cell has


def test_markers_mark(built: Built) -> None:
    table, profiles = built.markers, built.signature.profiles
    assert set(table["cell_type"]) == set(profiles.columns)
    assert (table.groupby("cell_type").size() <= 75).all()
    for row in table.itertuples():
        others = profiles.loc[row.gene].drop(row.cell_type).sort_values()
        fold = (profiles.loc[row.gene, row.cell_type] + 1) / (others.iloc[-2] + 1)
        assert row.fold == pytest.approx(fold)
        assert fold >= 2
    assert (table["p_adjusted"] < 0.05).all()
    assert {"CD3D", "CD79A"} <= set(built.signature.markers)
    assert set(built.signature.markers) == set(table["gene"])


def test_provenance_says_how(built: Built) -> None:
    said = built.signature.provenance
    assert said["source"] == "scanpy"
    assert said["cells"] == "B cell 95, Dendritic 240, Monocyte 129, NK 31, T cell 192"
    assert "fewest_genes=50" in said["recipe"]
    assert float(said["condition"]) > 1
    assert built.cells.set_index("reason").loc["no cell type", "cells"] == 13


def made_up(seed: int = 0) -> Any:
    """Counts of 3 types x 12 cells, 120 genes; eight markers each, mitochondria and others."""
    rng = np.random.default_rng(seed)
    special = ["MT-CO1", "RPL3", "RPS6KA1", "HBB", "IGHG1", "FOS", "MALAT1", "TRAV12-2", "H2AX"]
    genes = [*special, *(f"G{i}" for i in range(111))]
    labels = np.repeat(["T cell", "B cell", "Fibroblast"], 12)
    rate = np.full((36, 120), 3.0)
    for k in range(3):
        rate[12 * k : 12 * k + 12, 20 + 8 * k : 28 + 8 * k] = 60
    rate[labels == "Fibroblast"] *= 2
    obs = pd.DataFrame(
        {"cell_type": labels, "donor": np.tile(list("abcd"), 9)}, [f"c{i}" for i in range(36)]
    )
    return anndata.AnnData(
        sparse.csr_matrix(rng.poisson(rate).astype(float)), obs=obs, var=pd.DataFrame(index=genes)
    )


def test_genes_measured_differently_leave() -> None:
    cells = made_up()
    kept = build_signature(cells, recipe=SMALL).signature.profiles.index
    gone = {"MT-CO1", "RPL3", "HBB", "IGHG1", "FOS", "MALAT1", "TRAV12-2"}
    assert not gone & set(kept)
    assert {"RPS6KA1", "H2AX", "G0"} <= set(kept)
    bulk = [g for g in cells.var_names if g != "G0"]
    fewer = build_signature(cells, recipe=SMALL, bulk_genes=bulk).signature
    assert set(kept) - set(fewer.profiles.index) == {"G0"}
    with pytest.raises(UserError, match="share fewer than two genes"):
        build_signature(cells, recipe=SMALL, bulk_genes=["X"])


def test_cells_that_leave_are_counted_by_reason() -> None:
    cells = made_up()
    values = cells.X.toarray()
    values[0, 5:] = 0
    values[1, 0] = 5000
    cells.X = sparse.csr_matrix(values)
    cells.obs["cell_type"] = cells.obs["cell_type"].astype(object)
    cells.obs.iloc[2, 0] = None
    cells.obs.iloc[3, 0] = "doublet"
    cells.obs.iloc[12:15, 0] = "Mast"
    built = build_signature(cells, recipe=SMALL, leave_out=["doublet"])
    counted = built.cells[built.cells["reason"] != ""].groupby("reason")["cells"].sum().to_dict()
    assert counted == {
        "fewer than 50 genes": 1,
        "more than 20 % mitochondrial": 1,
        "no cell type": 2,
        "cell type with fewer than 5 cells": 3,
    }


def test_mrna_and_variability_come_from_counts_and_donors() -> None:
    cells = made_up()
    built = build_signature(cells, recipe=SMALL, donor="donor").signature
    assert built.mrna["Fibroblast"] / built.mrna["T cell"] == pytest.approx(2, rel=0.1)
    variability = built.variability
    assert variability is not None
    assert list(variability.index) == list(built.profiles.index)
    own = cells[(cells.obs["cell_type"] == "B cell").to_numpy()]
    shares = [own[(own.obs["donor"] == d).to_numpy()].X.toarray().sum(axis=0) for d in "abcd"]
    shares = np.array([x / x.sum() * 1e6 for x in shares])
    place = list(cells.var_names).index("G40")
    assert variability.loc["G40", "B cell"] == pytest.approx(shares[:, place].std(ddof=1))
    cells.obs["donor"] = "a"
    with pytest.raises(UserError, match="comes from 1 donors"):
        build_signature(cells, recipe=SMALL, donor="donor")


def test_cells_are_not_changed_and_results_repeat() -> None:
    cells = made_up()
    before, columns = cells.X.toarray().copy(), list(cells.obs.columns)
    one, two = (build_signature(cells, recipe=SMALL).signature for _ in range(2))
    np.testing.assert_array_equal(cells.X.toarray(), before)
    assert list(cells.obs.columns) == columns
    pd.testing.assert_frame_equal(one.profiles, two.profiles, check_exact=True)
    assert one.markers == two.markers


@pytest.mark.parametrize("units", ["log1p", "log2p1", "log2_tpm10", "tpm"])
def test_scales_come_to_the_same_shares(units: str) -> None:
    cells = made_up()
    expected = build_signature(cells, recipe=SMALL).signature.profiles
    values = cells.X.toarray()
    logged = {
        "log1p": np.log1p,
        "log2p1": lambda x: np.log2(x + 1),
        "log2_tpm10": lambda x: np.log2(x / 10 + 1),
        "tpm": lambda x: x * 1.0,
    }
    cells.X = sparse.csr_matrix(logged[units](values))
    found = build_signature(cells, units=units, recipe=SMALL).signature.profiles
    pd.testing.assert_frame_equal(found, expected)


def test_what_cannot_make_a_signature() -> None:
    cells = made_up()
    for options, message in (
        ({"units": "fpkm"}, "unit of cells is 'fpkm'"),
        ({"label": "type"}, "no column 'type'; use one of cell_type, donor"),
        ({"recipe": Recipe(fewest_genes=500)}, "0 cell types have 5 good cells"),
        ({"recipe": Recipe(fewest_genes=50, least_fold=500)}, "no gene marks"),
        ({"donor": "patient"}, "no column 'patient'"),
    ):
        with pytest.raises(UserError, match=message):
            build_signature(cells, **{"recipe": SMALL, **options})
    with pytest.raises(UserError, match="repeat gene names"):
        build_signature(cells[:, ["G0", "G0"]], recipe=SMALL)
    scaled = cells.copy()
    scaled.X = scaled.X.toarray() - 3
    with pytest.raises(UserError, match="not scaled or centred"):
        linear_values(scaled.X, "counts")
    with pytest.raises(UserError, match="do not hold counts"):
        linear_values(np.array([[0.5, 1.0]]), "counts")


# --- files --------------------------------------------------------------------------------------


def written_10x(folder: Path, cells: Any, *, packed: bool, old: bool) -> Path:
    folder.mkdir()
    genes = [f"ENSG{i}\t{g}" for i, g in enumerate(cells.var_names)]
    if not old:
        genes = [f"{line}\tGene Expression" for line in genes]
    texts = {
        "genes.tsv" if old else "features.tsv": "\n".join(genes) + "\n",
        "barcodes.tsv": "\n".join(cells.obs_names) + "\n",
    }
    for name, text in texts.items():
        data = text.encode()
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)
    mmwrite(folder / "matrix.mtx", cells.X.T.tocoo(), field="integer")
    if packed:
        plain = folder / "matrix.mtx"
        (folder / "matrix.mtx.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return folder


def known_names(cells: Any) -> Any:
    """The made-up cells under names the gene table knows, one of them retired."""
    from resistpath.io.resources import gene_table

    symbols = [s for s in gene_table()["symbol"][:200] if s and not s.startswith("A1")][:120]
    symbols[50] = "FAM46C"
    cells.var_names = symbols
    return cells


@pytest.mark.parametrize(("packed", "old"), [(True, False), (False, True)])
def test_a_10x_folder_and_an_h5ad_give_one_signature(
    tmp_path: Path, packed: bool, old: bool
) -> None:
    cells = known_names(made_up())
    folder = written_10x(tmp_path / "filtered", cells, packed=packed, old=old)
    cells.obs[["cell_type"]].iloc[:-1].to_csv(tmp_path / "types.csv", index_label="barcode")
    cells[:-1].copy().write_h5ad(tmp_path / "cells.h5ad")
    one = signature_from_cells(folder, labels=tmp_path / "types.csv", recipe=SMALL).signature
    two = signature_from_cells(tmp_path / "cells.h5ad", recipe=SMALL).signature
    pd.testing.assert_frame_equal(one.profiles, two.profiles)
    assert one.markers == two.markers
    assert "TENT5C" in one.profiles.index
    assert two.provenance["files"] == "cells.h5ad"
    assert two.provenance["units"] == "UMI counts"
    write_signature(tmp_path / "mine.tsv", one)
    again = read_signature(tmp_path / "mine.tsv")
    pd.testing.assert_frame_equal(again.profiles, one.profiles, check_exact=True)
    assert again.scale == "noise"


def test_genes_of_one_symbol_are_summed(tmp_path: Path) -> None:
    cells = known_names(made_up())
    names = list(cells.var_names)
    names[51] = "TENT5C"
    names[52] = names[53]  # as in many 10x folders
    values = cells.X.toarray()
    cells.var = pd.DataFrame({"name": names}, index=[f"g{i}" for i in range(120)])
    folder = written_10x(tmp_path / "tenx", cells, packed=False, old=False)
    table = [f"ENSG{i}\t{g}\tGene Expression" for i, g in enumerate(names)]
    (folder / "features.tsv").write_text("\n".join(table) + "\n")
    cells.obs[["cell_type"]].to_csv(tmp_path / "types.csv")
    found = read_cells(folder, labels=tmp_path / "types.csv")
    for name, first in (("TENT5C", 50), (names[53], 52)):
        both = values[:, first] + values[:, first + 1]
        np.testing.assert_array_equal(found[:, name].X.toarray().ravel(), both)


def test_units_are_told_apart() -> None:
    cells = made_up()
    assert detect_units(cells.X) == "counts"
    scanpy.pp.normalize_total(cells, target_sum=1e4)
    scanpy.pp.log1p(cells)
    assert detect_units(cells.X) == "log1p"
    cells.X = cells.X / np.log(2)
    with pytest.raises(UserError, match="neither counts nor log1p"):
        detect_units(cells.X)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    cells = known_names(made_up())
    cells.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "no.h5ad").write_bytes(b"no")
    folder = written_10x(tmp_path / "tenx", cells, packed=False, old=False)
    (tmp_path / "types.tsv").write_text("barcode\tcell_type\nx\tT cell\n")
    for options, message in (
        ({"path": tmp_path / "no.h5ad"}, "not an h5ad that anndata reads"),
        ({"path": tmp_path / "gone.h5ad"}, "no such h5ad"),
        ({"path": tmp_path / "cells.h5ad", "layer": "counts"}, "no layer 'counts'"),
        ({"path": tmp_path / "cells.h5ad", "layer": "raw"}, "has no raw"),
        ({"path": tmp_path / "cells.h5ad", "label": "type"}, "no column 'type'"),
        ({"path": folder}, "no column 'cell_type'; give labels"),
        ({"path": folder, "labels": tmp_path / "types.tsv"}, "no cell has a row in it"),
        ({"path": tmp_path}, "the folder has no matrix.mtx"),
    ):
        with pytest.raises(UserError, match=message):
            read_cells(**options)
    (folder / "barcodes.tsv").write_text("a\nb\n")
    with pytest.raises(UserError, match="there are 120 genes and 2 barcodes"):
        read_cells(folder)
