"""The record every scoring and deconvolution method carries, and what a gene set is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import check_matrix

__all__ = ["GeneSet", "Method", "as_gene_sets", "check_matrix", "find_method"]


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
    takes
        For scores: what a set must give, ``"genes"``, ``"weights"`` (genes with weights) or
        ``"pairs"``.
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
    detail
        For scores of single samples: the scores with variance, degrees of freedom and null.
    leave_one_out
        For scores: the scores of each set without each of its genes in turn.
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
    detail: Callable[..., Any] | None = None
    leave_one_out: Callable[..., Any] | None = None
    takes: Literal["genes", "weights", "pairs"] = "genes"


@dataclass(frozen=True)
class GeneSet:
    """A named list of genes; `down` holds genes whose high expression lowers the score.

    Attributes
    ----------
    weights
        Signed weight by gene, for methods that use weights.
    pairs
        Ordered pairs of genes, for methods that compare the two; such a set has neither `up`
        nor `down`.
    """

    name: str
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def genes(self) -> tuple[str, ...]:
        """All genes of the set, `up` first."""
        return self.up + self.down + tuple(dict.fromkeys(g for p in self.pairs for g in p))


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
        up, down = tuple(dict.fromkeys(genes.up)), tuple(dict.fromkeys(genes.down))
        both = sorted(set(up) & set(down))
        if both:
            raise UserError(
                f"gene set {name!r} lists {some(both)} both up and down",
                do="keep each gene on one side",
            )
        if genes.pairs and (up or down):
            raise UserError(
                f"gene set {name!r} holds pairs and single genes", do="make two sets of it"
            )
        without = sorted(set(up + down) - set(genes.weights)) if genes.weights else []
        if without:
            raise UserError(
                f"gene set {name!r} gives no weight for {some(without)}",
                do="give every gene a weight, or none",
            )
        out.append(GeneSet(str(name), up, down, genes.weights, genes.pairs))
    names = pd.Index([s.name for s in out])
    if names.has_duplicates:
        raise UserError(
            f"gene set names occur twice: {some(names[names.duplicated()].unique())}",
            do="give each set its own name",
        )
    return out


def find_method(methods: Mapping[str, Method], name: str) -> Method:
    """Return the method called `name` or say which there are."""
    if name not in methods:
        raise UserError(f"there is no method {name!r}", do=f"choose one of {', '.join(methods)}")
    return methods[name]
