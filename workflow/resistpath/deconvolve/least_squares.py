r"""Constrained least squares on any signature.

A signature *A* (genes x cell types) explains a sample *b* as :math:`A m` with shares of mRNA
:math:`m \ge 0`. If both are in TPM, :math:`\sum m \le 1` and what is left is the mRNA of cells the
signature does not know ("Other"). Division by the mRNA content per cell *s*, where it is known,
turns shares of mRNA into shares of cells: :math:`f_c \propto m_c / s_c`, with "Other" unchanged.

This is the plain fit, without the gene lists, weights and corrections that make quanTIseq or EPIC
what they are. On a small or collinear signature its fractions are unstable: look at ``condition``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.deconvolve import solver
from resistpath.deconvolve.algebra import (
    Floats,
    Whole,
    apply,
    grams,
    invert,
    row_sums,
    sum_first,
    times,
)
from resistpath.deconvolve.fitted import Fitted, Labels, assemble, diagnose
from resistpath.deconvolve.names import vocabulary
from resistpath.deconvolve.problem import pose
from resistpath.deconvolve.profiles import SCALES, Signature, as_signature, content
from resistpath.deconvolve.result import Result
from resistpath.errors import UserError

OTHER = "Other"
TOTALS = ("auto", "at_most_one", "one", "free")
POWERS = {"none": 0.0, "noise": 0.75, "gene": 1.0}
SHARED = ("auto", "all", "shared")


def least_squares(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    signature: Signature | pd.DataFrame | None = None,
    total: str = "auto",
    scale: str = "auto",
    universe: str = "auto",
    scale_mrna: bool = True,
    symbols: str = "current",
    interval: bool = True,
) -> Result:
    """Estimate cell fractions by constrained least squares.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM; gene symbols.
    tables
        ``til10`` and ``til10_scaling`` if no signature is given.
    signature
        Genes x cell types, linear; TIL10 if left out.
    total
        ``"at_most_one"``: shares sum to at most 1, the rest is "Other"; for profiles in TPM.
        ``"one"``: they sum to 1. ``"free"``: not constrained, but divided by their sum.
        ``"auto"``: the first for profiles in TPM, the last for those on another scale.
    scale
        ``"none"`` fits the values as they are, so strongly expressed genes decide. ``"gene"``
        divides each gene by its largest value in the signature, which suits errors in proportion
        to expression; ``"noise"`` by that value to the power 0.75, between those and counting
        noise. ``"auto"``: as the signature says; none unless built from single cells.
    universe
        ``"all"``: TPM as given. ``"shared"``: sample and profiles are first scaled to a million
        over all genes they share. ``"auto"``: shared where the signature holds more genes than
        its markers.
    scale_mrna
        Correct for the mRNA content per cell where the signature has it.
    symbols
        ``"current"`` also finds genes by today's symbols and former ones, where the signature
        has them; ``"published"`` by the names it prints alone.
    interval
        Also give 90 % intervals (see `intervals`).

    Returns
    -------
    Result
        Fractions; missing where a sample shows nothing of the signature and there is no "Other".
    """
    for option, value, known in (
        ("total", total, TOTALS),
        ("scale", scale, ("auto", *SCALES)),
        ("universe", universe, SHARED),
    ):
        if value not in known:
            raise UserError(
                f"least_squares knows no {option} {value!r}", do=f"use one of {', '.join(known)}"
            )
    given = as_signature(signature, tables)
    if total == "auto":
        total = "at_most_one" if given.unit == "tpm" else "free"
    scale = given.scale if scale == "auto" else scale
    whole = bool(given.markers) and len(given.markers) < len(given.profiles)
    shared = universe == "shared" or (universe == "auto" and whole)
    problem = pose(tpm, given, symbols, "least_squares", shared=shared)
    size = problem.profiles.max(axis=1, keepdims=True) ** POWERS[scale]
    size[size == 0] = 1.0
    profiles, mixture = problem.profiles / size, problem.mixture / size
    rest = total == "at_most_one"
    mrna = content(given) if scale_mrna else dict.fromkeys(given.types, 1.0)
    fitted = fit_shares(
        profiles,
        mixture,
        problem.groups if interval else None,
        Cells(np.array([mrna[name] for name in given.types]), rest),
        limit=None if total == "free" else 1.0,
        exact=total == "one",
    )
    columns = [*given.types, OTHER] if rest else given.types
    words = vocabulary(columns)
    notes = {"": f"signature: {given.name}"}
    if not rest:
        notes[""] += "; relative to the cell types of the signature, which are taken for all"
    return assemble(
        fitted,
        Labels(columns, problem.samples, words.sums, words.cells),
        diagnose(profiles, mixture, fitted.explained, problem.samples, problem.candidates),
        problem.genes,
        notes,
        limited_as="",
    )


@dataclass(frozen=True)
class Cells:
    """How shares of mRNA become shares of cells.

    Attributes
    ----------
    content
        mRNA per cell, one value per cell type.
    rest
        Whether what the shares leave of 1 is a column of its own.
    other
        mRNA per cell of that rest; None if its share of mRNA is taken for its share of cells.
    """

    content: Floats
    rest: bool
    other: float | None = None

    def factor(self, shares: Floats) -> Floats:
        """By what shares over content are multiplied to be fractions, per sample."""
        cells, whole = row_sums(shares / self.content), row_sums(shares)
        if self.rest and self.other is not None:
            return np.asarray(1.0 / (cells + np.maximum(0.0, 1.0 - whole) / self.other))
        some = cells > 0
        if self.rest:
            usual = float((1 / self.content).sum() / len(self.content))
            return np.where(some, whole, 1.0) / np.where(some, cells, usual)
        # Without any share there is nothing to say.
        return 1.0 / np.where(some, cells, np.nan)

    def fractions(self, shares: Floats) -> Floats:
        """Turn shares of mRNA into shares of cells; the rest comes last."""
        cells = shares / self.content * self.factor(shares)[:, None]
        if not self.rest:
            return np.asarray(cells)
        return np.hstack([cells, np.maximum(0.0, 1.0 - row_sums(cells))[:, None]])


def fit_shares(
    profiles: Floats,
    mixture: Floats,
    groups: Whole | None,
    cells: Cells,
    *,
    limit: float | None,
    exact: bool,
    weights: Floats | None = None,
) -> Fitted:
    """Fit shares of mRNA by constrained, perhaps weighted, least squares; return fractions.

    Parameters
    ----------
    profiles, mixture
        Genes x cell types, genes x samples.
    groups
        Groups of genes for the jackknife; None for no intervals.
    cells
        How shares become fractions.
    limit, exact
        As in `solver.constrained`.
    weights
        Of the genes' squared residuals; all 1 if left out.
    """
    a, b = profiles, mixture
    if weights is not None:
        root = np.sqrt(weights)[:, None]
        a, b = a * root, b * root
    parts, crosses = grams(a, b, groups)
    gram, cross = sum_first(parts), sum_first(crosses)
    shares = solver.constrained(gram, cross, limit, exact=exact)
    explained = times(profiles, np.ascontiguousarray(shares.T))
    if groups is None:
        return Fitted(cells.fractions(shares), explained)
    leave = [(gram - g, cross - c) for g, c in zip(parts, crosses, strict=True)]
    factor = cells.factor(shares)[:, None]

    def free(gram: Floats, cross: Floats) -> Floats:
        x = apply(invert(gram[None])[0], cross) / cells.content * factor
        return np.hstack([x, np.zeros((len(x), int(cells.rest)))])

    return Fitted(
        cells.fractions(shares),
        explained,
        replicates=[
            cells.fractions(solver.constrained(g, c, limit, shares, exact=exact)) for g, c in leave
        ],
        free=free(gram, cross),
        free_replicates=[free(g, c) for g, c in leave],
    )
