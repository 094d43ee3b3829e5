"""What the names in a matrix somebody brings mean, and the long table made of them."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest

from resistpath.deconvolve import epic, names
from resistpath.deconvolve.profiles import Signature
from resistpath.io.resources import deconvolution_tables

package = importlib.import_module("resistpath.deconvolve")
TABLES = deconvolution_tables()
GENES = [f"G{i}" for i in range(80)]


def _split(text: str) -> list[str]:
    return text.split("|")


def made_up(types: list[str]) -> Signature:
    values = np.random.default_rng(0).lognormal(3, 1.5, (len(GENES), len(types)))
    return Signature(pd.DataFrame(values, GENES, types), name="made up")


@pytest.fixture(scope="module")
def tpm() -> pd.DataFrame:
    values = np.random.default_rng(1).lognormal(4, 1, (len(GENES), 3))
    return pd.DataFrame(values, GENES, ["s0", "s1", "s2"])


LM22 = _split(
    "B cells naive|B cells memory|Plasma cells|T cells CD8|T cells CD4 naive|"
    "T cells CD4 memory resting|T cells CD4 memory activated|T cells follicular helper|"
    "T cells regulatory (Tregs)|T cells gamma delta|NK cells resting|NK cells activated|Monocytes|"
    "Macrophages M0|Macrophages M1|Macrophages M2|Dendritic cells resting|"
    "Dendritic cells activated|Mast cells resting|Mast cells activated|Eosinophils|Neutrophils"
)
ABIS = _split(
    "Monocytes C|NK|T CD8 Memory|T CD4 Naive|T CD8 Naive|B Naive|T CD4 Memory|MAIT|T gd Vd2|"
    "Neutrophils LD|T gd non-Vd2|Basophils LD|Monocytes NC+I|B Memory|mDCs|pDCs|Plasmablasts"
)


def test_names_of_lm22_are_understood() -> None:
    words = names.vocabulary(LM22)
    plain = {c: cell.id for c, cell in words.cells.items() if ":" not in cell.id}
    assert plain == {
        "Plasma cells": "plasma_cell",
        "T cells CD8": "t_cd8",
        "T cells regulatory (Tregs)": "treg",
        "T cells gamma delta": "t_gamma_delta",
        "Monocytes": "monocyte",
        "Macrophages M0": "macrophage_m0",
        "Macrophages M1": "macrophage_m1",
        "Macrophages M2": "macrophage_m2",
        "Eosinophils": "eosinophil",
        "Neutrophils": "neutrophil",
    }
    assert words.cells["B cells naive"].id == "b_cell:b_cells_naive"
    assert words.cells["B cells naive"].parent == "b_cell"
    sums = {k: len(v) for k, v in words.sums.items()}
    assert sums == {
        "b_cell": 2,
        "t_cd4_conventional": 4,
        "nk": 2,
        "myeloid_dc": 2,
        "mast_cell": 2,
        "t_cd4": 5,
        "t_cell": 7,
        "macrophage": 3,
        "monocytic_lineage": 6,
    }


def test_names_of_abis_and_epic_are_understood() -> None:
    words = names.vocabulary(ABIS)
    assert words.cells["MAIT"].id == "own:mait"
    assert words.sums["t_cd8"] == ("T CD8 Memory", "T CD8 Naive")
    assert words.sums["t_gamma_delta"] == ("T gd Vd2", "T gd non-Vd2")
    epic_types = [*sorted(epic.TUMOUR_REFERENCE), "otherCells"]
    ids = [cell.id for cell in names.vocabulary(epic_types).cells.values()]
    assert ids == [
        "b_cell", "fibroblast", "t_cd4", "t_cd8", "endothelial", "macrophage", "nk", "other"
    ]  # fmt: skip


def test_no_two_columns_share_an_id() -> None:
    for columns in (LM22, ABIS, ["x-1", "x 1", "x_1"], ["T cell", "t.cell"], ["CAF", "CAFs"]):
        words = names.vocabulary(columns)
        ids = [cell.id for cell in words.cells.values()] + list(words.sums)
        assert len(set(ids)) == len(ids)


def test_long_table_of_a_users_signature(tpm: pd.DataFrame) -> None:
    types = ["B cells", "CD8 T cells", "CD4 T cells", "Macrophages", "CAFs"]
    table = package.deconvolve_long(tpm, "least_squares", TABLES, signature=made_up(types))
    one = table[table["sample"] == "s0"].set_index("cell_type")
    ids = ["b_cell", "t_cd8", "t_cd4", "macrophage", "fibroblast", "other", "t_cell"]
    assert list(one.index) == ids
    assert one["detectable"].eq("unknown").all()  # nobody has measured its limits
    assert one["note"].str.contains("signature: made up").all()
    assert one["kind"].eq("fraction").all()


def test_limits_hold_for_epics_own_reference_only(tpm: pd.DataFrame) -> None:
    types = sorted(epic.TUMOUR_REFERENCE)
    table = package.deconvolve_long(tpm, "epic", TABLES, signature=made_up(types[:-1]))
    assert table["limit"].isna().all()
    table = package.deconvolve_long(tpm, "epic", TABLES, signature=made_up(types))
    limits = table.drop_duplicates("cell_type").set_index("cell_type")["limit"]
    assert limits["t_cd8"] == pytest.approx(0.38)
    assert limits["fibroblast"] == pytest.approx(0.0065)
    assert np.isnan(limits["other"])
