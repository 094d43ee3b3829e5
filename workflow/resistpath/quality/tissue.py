"""Lymph node or normal tissue in place of, or around, the tumour: marked, never failed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.quality.gates import Floats, Gates, Metric, rows

LYMPH_NODE = (
    *("CR2", "FDCSP", "FCER2", "MS4A1", "CD19", "PAX5", "FCRL1", "FCRLA"),
    *("CCL21", "CCL19", "CCR7", "CD22", "CLEC4M"),
)
NORMAL = {
    "liver": ("ALB", "APOA1", "APOA2", "APOC3", "APOH", "FGA", "FGB", "AHSG", "TTR", "CYP2E1"),
    "lung": ("SFTPC", "SFTPB", "SFTPA1", "SFTPA2", "SFTPD", "AGER", "SCGB1A1", "SLC34A2"),
    "skin": ("KRT1", "KRT10", "KRT2", "FLG", "KRTDAP", "DSC1", "CDSN", "LORICRIN", "LCE1C"),
    "brain": ("SNAP25", "SYT1", "GABRA1", "NEFL", "MBP", "PLP1", "MOBP", "GFAP", "SLC17A7"),
    "muscle": ("ACTA1", "CKM", "MYH7", "MYH2", "MYH1", "TNNT3", "TNNC2", "MYL11", "NEB", "MYL1"),
    "fat": ("ADIPOQ", "PLIN1", "PLIN4", "LEP", "CIDEC", "CIDEA", "LIPE", "AQP7", "GPD1", "RBP4"),
    "kidney": ("UMOD", "SLC12A1", "AQP2", "NPHS2", "SLC22A6", "SLC22A8", "SLC34A1", "CALB1"),
    "stomach": ("GKN1", "GKN2", "PGC", "TFF1", "TFF2", "LIPF", "ATP4A", "ATP4B", "CBLIF"),
    "pancreas": ("PRSS1", "CPA1", "CPA2", "CELA3A", "CELA3B", "PNLIP", "CTRB1", "CTRC", "CEL"),
    "adrenal gland": ("CYP17A1", "CYP11B1", "CYP11B2", "STAR", "CYP21A2", "HSD3B2", "MC2R"),
    "thyroid": ("TG", "TPO", "TSHR", "IYD", "SLC26A4", "DIO1", "FOXE1"),
    "colon": ("CA1", "CLCA4", "AQP8", "GUCA2A", "GUCA2B", "MS4A12", "ZG16", "SLC26A3", "CA4"),
}
NODE = "lymph node"
TISSUES = {NODE: LYMPH_NODE, **NORMAL}
MEASURED = 0.6
"""Share of a tissue's genes that must be in the matrix."""


def tissue_levels(array: Floats, places: Mapping[str, npt.NDArray[np.intp]]) -> dict[str, Floats]:
    """Mean log2(TPM+1) of each tissue's genes, per sample; NaN if too few are measured.

    Parameters
    ----------
    array
        Samples x genes, linear TPM.
    places
        Position of each gene of a tissue of `TISSUES`, -1 for one that is not there.
    """
    out = {}
    for name, at in places.items():
        there = at[at >= 0]
        if len(there) < MEASURED * len(at):
            out[name] = np.full(len(array), np.nan)
        else:
            out[name] = np.log2(array.take(there, axis=1) + 1).mean(axis=1)
    return out


def tissue_rows(figures: pd.DataFrame, gates: Gates) -> list[pd.DataFrame]:
    """Level of lymph-node genes, and of the normal tissue that stands out most."""
    samples = figures.index
    node = rows(
        Metric(
            "lymph_node",
            "Genes of lymph nodes",
            "log2(TPM+1)",
            warn=gates.warn_lymph_node,
            high=True,
        ),
        samples,
        figures[NODE].to_numpy(),
        "a lymph node or dense lymphoid follicles: B-cell and follicle scores read the node"
        f" ({', '.join(LYMPH_NODE[:6])}, ...)",
    )
    metric = Metric(
        "normal_tissue",
        "Genes of a normal tissue",
        "log2(TPM+1)",
        warn=gates.warn_normal_tissue,
        high=True,
    )
    levels = figures[list(NORMAL)].dropna(axis=1, how="all")
    highest = levels.max(axis=1).to_numpy() if levels.shape[1] else np.full(len(levels), np.nan)
    marked = highest > gates.warn_normal_tissue
    notes = [
        _found(levels.iloc[i], gates.warn_normal_tissue) if mark else ""
        for i, mark in enumerate(marked)
    ]
    return [node, rows(metric, samples, highest, notes)]


def _found(levels: pd.Series, limit: float) -> str:
    high = levels[levels > limit].sort_values(ascending=False)
    parts = [f"{tissue} ({', '.join(NORMAL[str(tissue)][:4])}, ...)" for tissue in high.index]
    return f"genes of {' and '.join(parts)}: normal tissue in the sample, or the tumour's own kind"
