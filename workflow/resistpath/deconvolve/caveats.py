"""What deconvolution of bulk RNA cannot see, method by method, in sentences for a reader."""

from __future__ import annotations

from collections.abc import Mapping

from resistpath.errors import UserError

GENERAL: tuple[str, ...] = (
    "Bulk RNA does not split M1 from M2 macrophages: their programmes overlap in tumours, so read"
    " all macrophages together as one tumour-associated programme.",
    "Subsets of CD4+ T cells (naive, memory, Th1, Th2, Th17, follicular) share almost all of their"
    " RNA; only regulatory T cells stand out, and they only above their limit of detection.",
    "Fractions are of cells, estimated from RNA: a cell type whose cells hold more or less RNA in a"
    " tumour than in blood, where it was measured, is over- or underestimated.",
    "A tumour that expresses a marker itself adds to the cell type the marker stands for; all genes"
    " of a type that move together widen no interval.",
    "The limits of detection come from mixtures of purified healthy cells and cancer cell lines; in"
    " tumours the true limits may be higher.",
)

SCORE = (
    "These are scores, not fractions: compare samples for one cell type, never cell types with one"
    " another."
)

BY_METHOD: Mapping[str, tuple[str, ...]] = {
    "quantiseq": (
        "Macrophages below 12 % of all cells, monocytic cells below 10 %, CD4+ T cells below 19 %"
        " and regulatory T cells below 6 % cannot be told from none.",
        "Dendritic cells did not follow the truth in the DREAM challenge (r -0.003): do not use"
        " them.",
        "Fibroblasts and endothelial cells have no profile: they are part of “Other”, together with"
        " the tumour.",
    ),
    "mcpcounter": (
        SCORE,
        "CD8+ T cells hang on one gene, CD8B.",
        "In the DREAM challenge the scores of B cells and of myeloid dendritic cells followed the"
        " truth only loosely (r 0.49 and 0.48).",
    ),
    "consensus_markers": (
        SCORE,
        "Panels share landmark genes with each other and with the other methods, so agreement is"
        " not independent confirmation.",
        "Th1 cells and leukocytes hang on one gene each, TBX21 and PTPRC.",
    ),
    "estimate": (
        "These are scores of one list of genes against all others: they change with the genes that"
        " are measured, so compare samples of one platform only.",
        "The immune score does not say which immune cells, and the stromal score rises with"
        " mesenchymal tumours.",
        "Tumour purity is not derived from RNA-seq: its formula was fitted on Affymetrix arrays.",
    ),
    "least_squares": (
        "The plain fit has none of the safeguards of quanTIseq or EPIC; its fractions are those of"
        " the signature's cell types, and RNA of others goes to the nearest of them or to “Other”.",
        "A large condition number means that two cell types resemble each other and their fractions"
        " can trade places.",
    ),
    "epic": (
        "CD4+ and CD8+ T cells trade places: in the DREAM challenge EPIC's CD8+ T cells had a limit"
        " of detection of 38 %, and either spilled over into the other (0.19 and 0.23).",
        "NK cells below 10.5 % and CD4+ T cells below 13 % cannot be told from none; macrophages"
        " alone could not be told at any share.",
        "Cancer-associated fibroblasts and endothelial cells have the default mRNA content, not a"
        " measured one.",
    ),
    "svr": (
        "Fractions are relative to the cell types of the signature: two tumours of which one holds"
        " ten times more immune cells can show the same fractions.",
        "A cell type the signature lacks, the tumour's own among them, distorts all others.",
    ),
}


def caveats(method: str) -> list[str]:
    """Sentences a report prints beside a method's values, its own before those for all.

    Raises
    ------
    UserError
        If there is no such method.
    """
    if method not in BY_METHOD:
        raise UserError(
            f"there is no deconvolution method {method!r}", do=f"use one of {', '.join(BY_METHOD)}"
        )
    return [*BY_METHOD[method], *GENERAL]
