"""The record every scoring and deconvolution method carries, and the checks they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some


@dataclass(frozen=True)
class Method:
    """What a method needs, what it returns and where it comes from.

    Attributes
    ----------
    name
        The word used on the command line and in tables.
    step
        ``"score"`` or ``"deconvolve"``.
    func
        The pure function behind the name.
    needs
        Unit of the values it is given: ``"log2_tpm"``, ``"tpm"`` or ``"any"`` (only the order
        of the genes within a sample matters).
    kind
        ``"score"`` (comparable between samples only) or ``"fraction"`` (also between cell types).
    range
        Smallest and largest value the method can return.
    cohort_dependent
        True if a sample's value changes with the other samples given.
    reference
        DOI of the paper that defines the method.
    licence
        Licence of the tables the method ships, or ``"-"`` if it ships none.
    resources
        Names of the shipped tables the function takes as arguments.
    """

    name: str
    step: Literal["score", "deconvolve"]
    func: Callable[..., Any]
    needs: Literal["any", "log2_tpm", "tpm"]
    kind: Literal["score", "fraction"]
    range: tuple[float, float]
    cohort_dependent: bool
    reference: str
    licence: str
    description: str
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class GeneSet:
    """A named list of genes; `down` holds genes whose high expression lowers the score."""

    name: str
    up: tuple[str, ...]
    down: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def genes(self) -> tuple[str, ...]:
        """All genes of the set, `up` first."""
        return self.up + self.down


def as_gene_sets(sets: Mapping[str, Iterable[str] | GeneSet] | Iterable[GeneSet]) -> list[GeneSet]:
    """Bring a mapping of names to genes, or gene sets, into one form.

    A gene listed twice in one set counts once. A bare string as a set is refused: iterating
    over it would score its letters.
    """
    items = sets.items() if isinstance(sets, Mapping) else [(s.name, s) for s in sets]
    out = []
    for name, genes in items:
        if isinstance(genes, str):
            raise UserError(
                f"gene set {name!r} is the text {genes!r}, not a list of genes",
                do=f"write it as a list: [{genes!r}]",
            )
        if not isinstance(genes, GeneSet):
            genes = GeneSet(str(name), tuple(genes))
        out.append(
            GeneSet(
                str(name),
                tuple(dict.fromkeys(genes.up)),
                tuple(dict.fromkeys(genes.down)),
                genes.weights,
            )
        )
    names = pd.Index([s.name for s in out])
    if names.has_duplicates:
        raise UserError(
            f"gene set names occur twice: {some(names[names.duplicated()])}",
            do="give each set its own name",
        )
    return out


def check_matrix(values: pd.DataFrame, what: str = "expression matrix") -> None:
    """Refuse a genes x samples matrix that no method can read.

    Raises
    ------
    UserError
        If the matrix is empty, holds text, missing or infinite values, or repeats a gene or
        sample name.
    """
    if values.shape[0] == 0 or values.shape[1] == 0:
        raise UserError(
            f"{what} is empty ({values.shape[0]} genes x {values.shape[1]} samples)",
            do="check that genes are in rows and samples in columns",
        )
    for axis, labels in (("gene", values.index), ("sample", values.columns)):
        if labels.has_duplicates:
            raise UserError(
                f"{what} repeats {axis} names: {some(labels[labels.duplicated()].unique())}",
                do=f"keep one {'row per gene' if axis == 'gene' else 'column per sample'}",
            )
    text = [c for c, t in values.dtypes.items() if t.kind not in "iufb"]
    if text:
        raise UserError(
            f"{what} holds text in {len(text)} of {values.shape[1]} samples: {some(text)}",
            do="every value must be a number",
        )
    finite = np.isfinite(values.to_numpy(dtype=float))
    if not finite.all():
        rows = values.index[~finite.all(axis=1)]
        raise UserError(
            f"{what} holds {int((~finite).sum())} missing or infinite values"
            f" in {len(rows)} genes: {some(rows)}",
            do="drop these genes or impute them before scoring",
        )
