"""What the cell types of a matrix that somebody else named mean in our vocabulary.

Names differ from matrix to matrix ("T cells CD8", "CD8_Tcells", "T CD8 Memory"). `vocabulary` reads
them by patterns, adds up those that mean one type, and forms the sums that are compared between
methods. A name no pattern fits keeps its own identity; nothing is guessed for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from resistpath.deconvolve.celltypes import CELL_TYPES, CellType

# Pattern -> id, the first that is found counts. Names are in lower case with single spaces.
PATTERNS: tuple[tuple[str, str], ...] = (
    (r"\bother|uncharacteri[sz]ed|\bunknown", "other"),
    (r"\bnkt\b|natural killer t\b|\bmait\b|\bilc", ""),
    (r"\btregs?\b|\bt ?reg\b|reg\w* t|t cells? reg", "treg"),
    (r"gamma delta|\bt? ?gd\b|\bgdt\b", "t_gamma_delta"),
    (r"cd8.*exhaust|exhaust.*cd8", "t_cd8_exhausted"),
    (r"cd8", "t_cd8"),
    (r"cd4|\bth ?\d|\btfh\b|\bt? ?helper|t cells? follicular", "t_cd4"),
    (r"cd56 ?dim", "nk_cd56dim"),
    (r"\bnk|nk\b|natural killer", "nk"),
    (r"cytotoxic", "cytotoxic_lymphocyte"),
    (r"plasmacytoid|\bpdcs?\b", "plasmacytoid_dc"),
    (r"plasma ?blast|\bplasma\b|plasma ?cell", "plasma_cell"),
    (r"\bcdc ?1\b", "cdc1"),
    (r"\bcdc ?2\b", "cdc2"),
    (r"dendritic|\b[cm]?dcs?\b|mono ?dc", "myeloid_dc"),
    (r"fibroblast|\bcafs?\b", "fibroblast"),
    (r"endothel", "endothelial"),
    (r"pericyte", "pericyte"),
    (r"stroma", "stroma"),
    (r"macrophages? ?m?0|\bm0\b", "macrophage_m0"),
    (r"macrophages? m?1|\bm1\b", "macrophage_m1"),
    (r"macrophages? m?2|\bm2\b", "macrophage_m2"),
    (r"macrophage|\btams?\b", "macrophage"),
    (r"monocytic", "monocytic_lineage"),
    (r"monocyte|\bmono\b", "monocyte"),
    (r"neutrophil", "neutrophil"),
    (r"eosinophil", "eosinophil"),
    (r"basophil", "basophil"),
    (r"mast", "mast_cell"),
    (r"\bb\b|\bb ?cells?|\bb lineage", "b_cell"),
    (r"\bt\b|\bt ?cells?", "t_cell"),
    (r"malignant|tumou?r|cancer|melanoma", "malignant"),
    (r"epitheli", "epithelial"),
    (r"myeloid", "myeloid"),
    (r"leu[ck]ocyte|\bcd45|\bimmune", "leukocyte"),
)
# Sum -> the types it must have, and those it takes along. Each may itself be a sum.
SUMS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("t_cd4", ("t_cd4_conventional", "treg"), ()),
    ("t_cell", ("t_cd4", "t_cd8"), ("t_gamma_delta",)),
    ("macrophage", ("macrophage_m1", "macrophage_m2"), ("macrophage_m0",)),
    ("myeloid_dc", ("cdc1", "cdc2"), ()),
    ("monocytic_lineage", ("monocyte", "macrophage"), ("myeloid_dc",)),
)


@dataclass(frozen=True)
class Vocabulary:
    """What the columns of a matrix mean.

    Attributes
    ----------
    cells
        Column -> cell type.
    sums
        Id of a wider type -> the columns it is the sum of.
    """

    cells: dict[str, CellType]
    sums: dict[str, tuple[str, ...]]


def recognise(name: str) -> str:
    """Find the id of a cell type by its name; an empty text if no pattern fits.

    Examples
    --------
    >>> [recognise(n) for n in ("T cells CD8", "CD4_Tcells", "Macrophages M2", "NKcells", "MAIT")]
    ['t_cd8', 't_cd4', 'macrophage_m2', 'nk', '']
    """
    plain = " ".join(re.split(r"[^a-z0-9]+", name.lower())).strip()
    return next((id_ for pattern, id_ in PATTERNS if re.search(pattern, plain)), "")


def vocabulary(columns: Sequence[str]) -> Vocabulary:
    """Read the names of a matrix's cell types.

    Columns that mean one type are kept apart under names of their own and added up under the
    type's id. Where regulatory T cells have a column, CD4+ ones are those that are left.
    """
    found = {column: recognise(column) for column in columns}
    if "treg" in found.values():
        found = {c: "t_cd4_conventional" if i == "t_cd4" else i for c, i in found.items()}
    members: dict[str, tuple[str, ...]] = {}
    for column, id_ in found.items():
        if id_:
            members[id_] = (*members.get(id_, ()), column)
    cells: dict[str, CellType] = {}
    for column, id_ in found.items():
        if id_ and len(members[id_]) == 1:
            cells[column] = CELL_TYPES[id_]
            continue
        own = f"{id_ or 'own'}:{_slug(column)}"
        taken = sum(cell.id == own or cell.id.startswith(f"{own}_") for cell in cells.values())
        cells[column] = CellType(f"{own}_{taken + 1}" if taken else own, column, id_)
    for wider, needed, more in SUMS:
        if wider not in members and all(part in members for part in needed):
            parts = [*needed, *(part for part in more if part in members)]
            members[wider] = tuple(column for part in parts for column in members[part])
    sums = {id_: own for id_, own in members.items() if len(own) > 1}
    return Vocabulary(cells, sums)


def _slug(name: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", name.lower())) or "unnamed"
