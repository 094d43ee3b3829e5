r"""A signature matrix from annotated single cells.

1. **Cells.** Too few genes, too many mitochondrial reads, no label: out, counted by reason. Cell
   types with too few cells left: out.
2. **Scale.** Each cell to a million (`scanpy.pp.normalize_total`). UMI counts are molecules, so
   their shares compare with TPM; counts of full-length reads do not: give those as TPM.
3. **Genes that single cells and bulk measure differently** leave: mitochondrial, ribosomal,
   haemoglobin, histone (no poly-A tail), immunoglobulin and T-cell receptor segments (clonal),
   genes that dissociation switches on, MALAT1 and NEAT1, and all that the bulk does not measure, if
   its genes are given. The shares of the rest stay as they are.
4. **Profiles.** Per type the sum of its cells, scaled to a million: a pseudobulk.
5. **Markers.** Genes ranked per type against all other cells (`scanpy.tl.rank_genes_groups`,
   Wilcoxon); a marker is significant (5 % false discovery) and at least twice as strong in its
   type's profile as in all others but one, the 75 strongest folds. One other type may share it:
   what only T cells express tells them from the rest, and their other markers which ones they are.
6. **Variability** between donors, where they are given, for EPIC's weights; **mRNA per cell** from
   the counts per cell, where the values are UMI counts.

The fit of such a signature is only as good as its cells: a cell type that dissociation loses
(neutrophils, adipocytes) is not in it, and its bulk RNA goes to its nearest neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.deconvolve.algebra import Floats
from resistpath.deconvolve.fitted import condition
from resistpath.deconvolve.profiles import Signature, checked
from resistpath.errors import UserError, some

# What the numbers of a cell are -> what makes them linear.
UNITS: dict[str, str] = {
    "counts": "UMI counts",
    "tpm": "TPM or other linear abundances",
    "log1p": "natural logarithm of 1 + abundance, as scanpy and Seurat leave it",
    "log2p1": "log2(1 + abundance)",
    "log2_tpm10": "log2(1 + TPM/10), as published with Tirosh 2016 and Puram 2017",
}
MEASURED_DIFFERENTLY = re.compile(
    r"MT-|MTRNR|RP[LS](?!6K)\d|RPLP\d|RPSA$|HB[ABDEGMQZ]\d?$|HIST\d|H1-\d|H[34]C\d|H2[AB]C\d"
    r"|IG[HKL][VDJ]\d|IG[HKL][ACDEGM]\d?$|IGLC\d|IGKC$|IGLL5$|TR[ABDG][VDJ]\d|(?:MALAT1|NEAT1)$"
)
# Switched on by warm digestion (van den Brink 2017; O'Flanagan 2019).
DISSOCIATION = frozenset(
    (
        *("ATF3", "BTG1", "BTG2", "CCN1", "CYR61", "DNAJA1", "DNAJB1", "DUSP1", "EGR1", "EGR2"),
        *("FOS", "FOSB", "HSP90AA1", "HSP90AB1", "HSPA1A", "HSPA1B", "HSPA6", "HSPA8", "HSPB1"),
        *("HSPE1", "HSPH1", "IER2", "IER3", "JUN", "JUNB", "JUND", "KLF4", "KLF6", "NR4A1"),
        *("SOCS3", "UBC", "ZFP36"),
    )
)


FEW_TYPES = 5


@dataclass(frozen=True)
class Recipe:
    """How a signature is made; see the module's page.

    Attributes
    ----------
    fewest_genes
        Genes a cell must express.
    most_mitochondrial
        Largest share of a cell's values in mitochondrial genes.
    fewest_cells
        Cells a type must have.
    fewest_expressing
        Cells that must express a gene.
    per_type
        Most markers per type.
    sharing
        Other types that may share a marker; none where there are fewer than five types.
    least_fold
        How many times stronger a marker is in its own profile than in those that do not share it.
    false_discovery
        Largest adjusted p-value of a marker.
    """

    fewest_genes: int = 200
    most_mitochondrial: float = 0.2
    fewest_cells: int = 5
    fewest_expressing: int = 3
    per_type: int = 75
    sharing: int = 1
    least_fold: float = 2.0
    false_discovery: float = 0.05


@dataclass(frozen=True)
class Built:
    """A signature and how it came about.

    Attributes
    ----------
    signature
        Profiles of all genes kept, markers, variability and mRNA per cell where known, provenance.
    markers
        A row per marker: ``gene``, ``cell_type``, ``fold`` over the types that do not share it,
        ``log2_fold`` over all other cells, ``p_adjusted``.
    cells
        A row per label and reason: ``label``, ``reason`` (empty for cells used), ``cells``.
    """

    signature: Signature
    markers: pd.DataFrame
    cells: pd.DataFrame


def build_signature(
    cells: Any,
    label: str = "cell_type",
    *,
    units: str = "counts",
    donor: str | None = None,
    bulk_genes: Iterable[str] | None = None,
    leave_out: Sequence[str] = (),
    recipe: Recipe | None = None,
    name: str = "signature from single cells",
    provenance: Mapping[str, str] | None = None,
) -> Built:
    """Make a signature from annotated single cells.

    Parameters
    ----------
    cells
        AnnData, cells x genes, gene symbols as `var_names`; it is not changed.
    label
        Column of `cells.obs` with the cell types.
    units
        A key of `UNITS`.
    donor
        Column of `cells.obs` with the donor, for the variability of profiles; three or more
        donors per type are needed.
    bulk_genes
        Genes the bulk measures; others are left out.
    leave_out
        Labels that are not cell types, such as "unassigned" or "doublet".
    recipe
        Thresholds.
    name
        Of the signature.
    provenance
        What is known of the cells, to be kept with the signature.

    Raises
    ------
    UserError
        If labels or units cannot be used, or fewer than two types or markers remain.
    """
    recipe = recipe or Recipe()
    linear = linear_values(cells.X, units)
    data = _copied(cells, label, linear)
    labels = data.obs[label].astype(object).where(data.obs[label].notna(), "").astype(str)
    labels = labels.to_numpy()
    reasons = _quality(data, linear, labels, set(leave_out), recipe)
    table = pd.DataFrame({"label": labels, "reason": reasons})
    table = table.groupby(["label", "reason"]).size().rename("cells").reset_index()
    keep = reasons == ""
    types = sorted(set(labels[keep]))
    if len(types) < 2:
        raise UserError(
            f"{len(types)} cell types have {recipe.fewest_cells} good cells or more",
            do="check the labels and the quality thresholds",
        )
    data, linear, labels = data[keep].copy(), linear[np.flatnonzero(keep)], labels[keep]
    genes = [str(g) for g in data.var_names]
    profiles = _profiles(linear, labels, types, genes)
    expressing = np.asarray((linear > 0).sum(axis=0)).ravel() >= recipe.fewest_expressing
    wanted = _comparable([g for g, e in zip(genes, expressing, strict=True) if e], bulk_genes)
    ranking = _ranking(data, linear, labels, types, wanted)
    markers = _markers(profiles.loc[wanted], ranking, recipe)
    used = list(dict.fromkeys(markers["gene"]))
    signature = Signature(
        profiles.loc[wanted],
        name=name,
        variability=_variability(data, linear, labels, types, donor, wanted),
        markers=tuple(used),
        mrna=_content(linear, labels, types) if units == "counts" else {},
        scale="noise",
        provenance={
            "units": UNITS[units],
            **(provenance or {}),
            "cells": ", ".join(f"{t} {int((labels == t).sum())}" for t in types),
            "genes": f"{len(wanted)} of {len(genes)} comparable with bulk",
            "recipe": str(recipe),
            "condition": f"{condition(profiles.loc[used].to_numpy()):.4g}",
        },
    )
    return Built(checked(signature), markers, table)


def linear_values(values: Any, units: str) -> Any:
    """Return values of cells (cells x genes) on the linear scale, as a sparse matrix of its own.

    Raises
    ------
    UserError
        If the unit is unknown, or the values cannot be in it.
    """
    from scipy import sparse

    if units not in UNITS:
        raise UserError(f"unit of cells is {units!r}", do=f"use one of {', '.join(UNITS)}")
    values = sparse.csr_matrix(values, dtype=np.float64, copy=True)
    if not np.isfinite(values.data).all() or (values.data < 0).any():
        raise UserError(
            "the cells hold negative, missing or infinite values",
            do="give counts or logged counts, not scaled or centred values",
        )
    if units == "counts" and (values.data != np.round(values.data)).any():
        raise UserError("the cells do not hold counts", do="say what they are: units")
    if units == "log1p":
        values.data = np.expm1(values.data)
    elif units in ("log2p1", "log2_tpm10"):
        values.data = np.exp2(values.data) - 1
    return values


def _copied(cells: Any, label: str, linear: Any) -> Any:
    """Copy what is known of the cells, with their linear values."""
    import anndata

    if label not in cells.obs:
        raise UserError(
            f"the cells have no column {label!r}", do=f"use one of {some(cells.obs.columns)}"
        )
    if not cells.var_names.is_unique:
        raise UserError("the cells repeat gene names", do="keep one column per gene")
    return anndata.AnnData(linear.copy(), obs=cells.obs.copy(), var=cells.var[[]].copy())


def _quality(
    data: Any, linear: Any, labels: npt.NDArray[Any], leave_out: set[str], recipe: Recipe
) -> npt.NDArray[Any]:
    """Say for each cell why it is left out; an empty text if it is not."""
    import scanpy as sc

    data.var["mt"] = [str(g).upper().startswith("MT-") for g in data.var_names]
    sc.pp.calculate_qc_metrics(data, qc_vars=["mt"], percent_top=None, log1p=False, inplace=True)
    reasons = np.full(len(labels), "", dtype=object)
    reasons[data.obs["pct_counts_mt"].to_numpy() > 100 * recipe.most_mitochondrial] = (
        f"more than {100 * recipe.most_mitochondrial:g} % mitochondrial"
    )
    few = data.obs["n_genes_by_counts"].to_numpy() < recipe.fewest_genes
    reasons[few] = f"fewer than {recipe.fewest_genes} genes"
    reasons[[not x or x in leave_out for x in labels]] = "no cell type"
    left, size = np.unique(labels[reasons == ""], return_counts=True)
    small = set(left[size < recipe.fewest_cells])
    reasons[(reasons == "") & np.isin(labels, list(small))] = (
        f"cell type with fewer than {recipe.fewest_cells} cells"
    )
    return reasons


def _profiles(
    linear: Any, labels: npt.NDArray[Any], types: list[str], genes: list[str]
) -> pd.DataFrame:
    """Sum the cells of each type and scale to a million."""
    sums = np.column_stack([_sum(linear[np.flatnonzero(labels == t)]) for t in types])
    return pd.DataFrame(sums * (1e6 / sums.sum(axis=0)), genes, types)


def _sum(linear: Any) -> Floats:
    return np.asarray(linear.sum(axis=0), dtype=np.float64).ravel()


def _comparable(genes: list[str], bulk_genes: Iterable[str] | None) -> list[str]:
    """Genes that single cells and bulk measure alike."""
    bulk = None if bulk_genes is None else {str(g) for g in bulk_genes}
    kept = [
        gene
        for gene in genes
        if not MEASURED_DIFFERENTLY.match(gene.upper())
        and gene.upper() not in DISSOCIATION
        and (bulk is None or gene in bulk)
    ]
    if len(kept) < 2:
        raise UserError(
            "cells and bulk share fewer than two genes", do="give both as current gene symbols"
        )
    return kept


def _ranking(
    data: Any, linear: Any, labels: npt.NDArray[Any], types: list[str], wanted: list[str]
) -> pd.DataFrame:
    """Rank the genes wanted for each type against all other cells."""
    import scanpy as sc

    data.X = linear.copy()
    sc.pp.normalize_total(data, target_sum=1e6)
    sc.pp.log1p(data)
    data = data[:, wanted].copy()
    data.obs["type"] = pd.Categorical(labels, categories=types)
    sc.tl.rank_genes_groups(data, "type", method="wilcoxon", tie_correct=True)
    return pd.concat(
        [sc.get.rank_genes_groups_df(data, group=t).assign(cell_type=t) for t in types],
        ignore_index=True,
    )


def _markers(profiles: pd.DataFrame, ranking: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Significant genes that stand out from other profiles, the strongest first."""
    values = profiles.to_numpy()
    sharing = recipe.sharing if profiles.shape[1] >= FEW_TYPES else 0
    parts = []
    for column, cell in enumerate(profiles.columns):
        others = np.sort(np.delete(values, column, axis=1), axis=1)[:, -1 - sharing]
        fold = pd.Series((values[:, column] + 1) / (others + 1), index=profiles.index)
        rows = ranking[ranking["cell_type"] == cell]
        rows = rows.assign(fold=fold.loc[rows["names"]].to_numpy())
        rows = rows[
            (rows["pvals_adj"] < recipe.false_discovery)
            & (rows["logfoldchanges"] > 0)
            & (rows["fold"] >= recipe.least_fold)
        ]
        rows = rows.sort_values(["fold", "names"], ascending=[False, True])
        parts.append(rows.head(recipe.per_type))
    table = pd.concat(parts, ignore_index=True)
    lacking = [str(c) for c in profiles.columns if c not in set(table["cell_type"])]
    if lacking:
        raise UserError(
            f"no gene marks {some(lacking)} off from the other cell types",
            do="join these types with their nearest ones, or give more cells",
        )
    names = {"names": "gene", "logfoldchanges": "log2_fold", "pvals_adj": "p_adjusted"}
    table = table.rename(columns=names)
    return table[["gene", "cell_type", "fold", "log2_fold", "p_adjusted"]]


def _variability(
    data: Any,
    linear: Any,
    labels: npt.NDArray[Any],
    types: list[str],
    donor: str | None,
    wanted: list[str],
) -> pd.DataFrame | None:
    """Standard deviation of the donors' profiles; None where donors are not known or too few."""
    if donor is None:
        return None
    if donor not in data.obs:
        raise UserError(f"the cells have no column {donor!r}")
    donors = data.obs[donor].astype(str).to_numpy()
    genes = [str(g) for g in data.var_names]
    out = {}
    for cell in types:
        own = [
            _sum(linear[np.flatnonzero((labels == cell) & (donors == d))])
            for d in sorted(set(donors[labels == cell]))
        ]
        if len(own) < 3:
            raise UserError(
                f"{cell} comes from {len(own)} donors", do="leave donor out, or give three or more"
            )
        shares = np.array([values * (1e6 / values.sum()) for values in own])
        out[cell] = shares.std(axis=0, ddof=1)
    return pd.DataFrame(out, index=genes).loc[wanted]


def _content(linear: Any, labels: npt.NDArray[Any], types: list[str]) -> dict[str, float]:
    """Median counts per cell, relative to the mean over types."""
    per_cell = np.asarray(linear.sum(axis=1)).ravel()
    found = {t: float(np.median(per_cell[labels == t])) for t in types}
    mean = sum(found.values()) / len(found)
    return {t: value / mean for t, value in found.items()}
