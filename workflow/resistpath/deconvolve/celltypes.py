"""One vocabulary of cell types for all methods, and what each method's names mean in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class CellType:
    """A cell type: `id` for tables, `label` for readers, `parent` the next wider type or empty."""

    id: str
    label: str
    parent: str = ""


CELL_TYPES: dict[str, CellType] = {
    c.id: c
    for c in (
        CellType("leukocyte", "Immune cells"),
        CellType("lymphocyte", "Lymphocytes", "leukocyte"),
        CellType("b_cell", "B cells", "lymphocyte"),
        CellType("plasma_cell", "Plasma cells", "lymphocyte"),
        CellType("t_cell", "T cells", "lymphocyte"),
        CellType("t_cd4", "CD4+ T cells, regulatory included", "t_cell"),
        CellType("t_cd4_conventional", "CD4+ T cells, not regulatory", "t_cd4"),
        CellType("th1", "Type 1 helper T cells", "t_cd4_conventional"),
        CellType("treg", "Regulatory T cells", "t_cd4"),
        CellType("t_cd8", "CD8+ T cells", "t_cell"),
        CellType("t_cd8_exhausted", "CD8+ T cells, exhausted", "t_cd8"),
        CellType("t_gamma_delta", "Gamma-delta T cells", "t_cell"),
        CellType("nk", "NK cells", "lymphocyte"),
        CellType("nk_cd56dim", "NK cells, CD56 dim", "nk"),
        CellType("cytotoxic_lymphocyte", "Cytotoxic lymphocytes", "lymphocyte"),
        CellType("myeloid", "Myeloid cells", "leukocyte"),
        CellType("monocytic_lineage", "Monocytic lineage", "myeloid"),
        CellType("monocyte", "Monocytes", "monocytic_lineage"),
        CellType("macrophage", "Macrophages", "monocytic_lineage"),
        CellType("macrophage_m0", "Macrophages, not activated", "macrophage"),
        CellType("macrophage_m1", "Macrophages, M1-like", "macrophage"),
        CellType("macrophage_m2", "Macrophages, M2-like", "macrophage"),
        CellType("myeloid_dc", "Myeloid dendritic cells", "myeloid"),
        CellType("cdc1", "Dendritic cells, cDC1", "myeloid_dc"),
        CellType("cdc2", "Dendritic cells, cDC2", "myeloid_dc"),
        CellType("plasmacytoid_dc", "Plasmacytoid dendritic cells", "leukocyte"),
        CellType("neutrophil", "Neutrophils", "myeloid"),
        CellType("eosinophil", "Eosinophils", "myeloid"),
        CellType("basophil", "Basophils", "myeloid"),
        CellType("mast_cell", "Mast cells", "myeloid"),
        CellType("stroma", "Stromal cells"),
        CellType("endothelial", "Endothelial cells", "stroma"),
        CellType("fibroblast", "Fibroblasts", "stroma"),
        CellType("pericyte", "Pericytes", "stroma"),
        CellType("epithelial", "Epithelial cells"),
        CellType("malignant", "Malignant cells"),
        CellType("stroma_and_leukocyte", "Stromal and immune cells together"),
        CellType("tumour_purity", "Tumour purity"),
        CellType("other", "Other cells, the tumour's included"),
    )
}

# Method -> its own name -> id.
NAMES: dict[str, dict[str, str]] = {
    "quantiseq": {
        "B.cells": "b_cell",
        "Macrophages.M1": "macrophage_m1",
        "Macrophages.M2": "macrophage_m2",
        "Monocytes": "monocyte",
        "Neutrophils": "neutrophil",
        "NK.cells": "nk",
        "T.cells.CD4": "t_cd4_conventional",
        "T.cells.CD8": "t_cd8",
        "Tregs": "treg",
        "Dendritic.cells": "myeloid_dc",
        "Other": "other",
    },
    "mcpcounter": {
        "T cells": "t_cell",
        "CD8 T cells": "t_cd8",
        "Cytotoxic lymphocytes": "cytotoxic_lymphocyte",
        "B lineage": "b_cell",
        "NK cells": "nk",
        "Monocytic lineage": "monocytic_lineage",
        "Myeloid dendritic cells": "myeloid_dc",
        "Neutrophils": "neutrophil",
        "Endothelial cells": "endothelial",
        "Fibroblasts": "fibroblast",
    },
    "estimate": {
        "StromalScore": "stroma",
        "ImmuneScore": "leukocyte",
        "ESTIMATEScore": "stroma_and_leukocyte",
        "TumorPurity": "tumour_purity",
    },
}

# Method -> id -> the method's own types it is the sum of. But for all T cells these sums are those
# the DREAM challenge scored (White 2024), so that its limits of detection apply to them.
COMBINED: dict[str, dict[str, tuple[str, ...]]] = {
    "quantiseq": {
        "t_cd4": ("T.cells.CD4", "Tregs"),
        "t_cell": ("T.cells.CD4", "Tregs", "T.cells.CD8"),
        "macrophage": ("Macrophages.M1", "Macrophages.M2"),
        "monocytic_lineage": (
            "Macrophages.M1",
            "Macrophages.M2",
            "Monocytes",
            "Dendritic.cells",
        ),
    },
}

# (method, id) -> what a reader must know about this value.
REMARKS: dict[tuple[str, str], str] = {
    ("quantiseq", "macrophage_m1"): "bulk RNA does not split M1 from M2: read macrophages",
    ("quantiseq", "macrophage_m2"): "bulk RNA does not split M1 from M2: read macrophages",
    ("quantiseq", "t_cd4_conventional"): "the published limit is for all CD4+ T cells: read those",
    ("quantiseq", "myeloid_dc"): "did not follow the truth in the DREAM challenge (r -0.003)",
    ("quantiseq", "other"): "what the ten immune cell types leave",
    ("estimate", "stroma_and_leukocyte"): "sum of the stromal and the immune score",
}


def of(method: str, name: str) -> CellType:
    """Find the cell type a method's own name, or one of our ids, stands for."""
    return CELL_TYPES[NAMES.get(method, {}).get(name, name)]


def limits(table: pd.DataFrame) -> Mapping[tuple[str, str], float]:
    """Read limits of detection, as fractions of all cells, by method and cell type.

    The table holds them in per cent, as published: the smallest share of spiked-in cells from
    which a method's value rose significantly in the in-silico admixtures of White 2024
    (doi:10.1038/s41467-024-50618-0). Only mixtures of purified healthy cells and cancer cell lines
    were tried there: in tumours the true limits may be higher.
    """
    percent = pd.to_numeric(table["percent_of_cells"])
    keys = zip(table["method"].astype(str), table["cell_type"].astype(str), strict=True)
    return {key: float(p) / 100 for key, p in zip(keys, percent, strict=True)}
