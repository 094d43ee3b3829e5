"""A signature and samples brought together: which genes both have, on one scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.deconvolve import intervals
from resistpath.deconvolve.algebra import Floats, Whole
from resistpath.deconvolve.profiles import Signature
from resistpath.deconvolve.rows import Rows, find, require_half, text
from resistpath.errors import UserError, some

SYMBOLS = ("published", "current")


@dataclass(frozen=True)
class Problem:
    """What a fit works on.

    Attributes
    ----------
    profiles, mixture
        Genes used x cell types, genes used x samples.
    scale
        What the profiles were multiplied by, per cell type.
    used
        Places of the genes used in the signature.
    groups
        Their groups for the jackknife.
    samples
        Names of the samples.
    genes
        What became of each gene of the signature; see `Result`.
    candidates
        Number of genes that could have been used.
    """

    profiles: Floats
    mixture: Floats
    scale: Floats
    used: Whole
    groups: Whole
    samples: pd.Index[str]
    genes: pd.DataFrame
    candidates: int


def pose(
    tpm: pd.DataFrame, signature: Signature, symbols: str, method: str, *, shared: bool = False
) -> Problem:
    """Find the signature's genes among the rows and bring both to one scale.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM.
    signature
        Profiles.
    symbols
        ``"published"`` finds genes by the names the signature prints, ``"current"`` also by the
        symbols of today and former ones, where the signature has them.
    method
        Its name, for messages.
    shared
        Scale samples and profiles each to a million over all genes they share; otherwise samples
        are scaled to a million over all their rows and profiles stay.

    Raises
    ------
    UserError
        If fewer than half of the genes wanted are there, or a sample expresses none of them.
    """
    if symbols not in SYMBOLS:
        raise UserError(
            f"{method} knows no symbols {symbols!r}", do=f"use one of {', '.join(SYMBOLS)}"
        )
    labels = [str(gene) for gene in tpm.index]
    rows = Rows(tpm, labels)
    genes = signature.genes
    wanted = genes
    if symbols == "current" and signature.symbols is not None:
        table = signature.symbols.set_axis(text(signature.symbols["gene"])).loc[genes]
        wanted = find(table, labels)
    wanted = _once([name if name in rows else "" for name in wanted])
    there = np.array([bool(name) for name in wanted])
    marker = np.isin(genes, list(signature.markers)) if signature.markers else ~np.zeros_like(there)
    require_half(int((there & marker).sum()), int(marker.sum()), method)
    used = np.flatnonzero(there & marker)

    profiles = signature.profiles.to_numpy(dtype=np.float64)
    scale = np.ones(profiles.shape[1])
    if shared:
        scale = 1e6 / profiles[there].sum(axis=0)
        sums = rows.sums([name for name in wanted if name])
    else:
        sums = rows.sums()
    if (sums <= 0).any():
        raise UserError(f"no known gene is expressed in {some(rows.samples[sums <= 0])}")
    fates = np.where(marker, np.where(there, "used", "missing"), "not a marker gene")
    return Problem(
        profiles=profiles[used] * scale,
        mixture=np.array([rows.value(wanted[gene]) for gene in used]) * 1e6 / sums,
        scale=scale,
        used=used,
        groups=intervals.groups_of(np.cumsum(marker)[used] - 1),
        samples=rows.samples,
        genes=pd.DataFrame(
            {
                "gene": genes,
                "row": [rows.label(name) for name in wanted],
                "used": there & marker,
                "fate": fates,
            }
        ),
        candidates=int(marker.sum()),
    )


def _once(names: list[str]) -> list[str]:
    """Keep the first of equal names, so that no row of the matrix counts for two genes."""
    seen: set[str] = set()
    out = []
    for name in names:
        out.append("" if name in seen else name)
        seen.add(name)
    return out
