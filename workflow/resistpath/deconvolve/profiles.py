"""A signature somebody brings or builds: profiles of cell types and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from resistpath.deconvolve.rows import need, text
from resistpath.deconvolve.solver import MOST_TYPES
from resistpath.errors import UserError, some

KEYS = ("gene", "symbol", "other_symbols")
UNITS = ("tpm", "relative")
SCALES = ("none", "noise", "gene")


@dataclass(frozen=True)
class Signature:
    """Expression profiles of cell types.

    Attributes
    ----------
    profiles
        Genes x cell types, linear; genes as printed in the source.
    name
        What to call it in a table.
    variability
        Genes x cell types, in the unit of the profiles: how much a gene varies between samples of
        one cell type (EPIC). None if unknown.
    markers
        The genes a fit uses; all if empty. EPIC's profiles hold all genes, as both sides are
        scaled to the genes they share.
    mrna
        mRNA per cell by cell type, in any unit; ``otherCells`` for cells without a profile and
        ``default`` for types without a value. Empty if unknown: shares of mRNA are then not
        turned into shares of cells.
    unit
        ``"tpm"``, or ``"relative"`` where profiles and samples share no scale (microarray
        intensities): fractions then say nothing of other cells.
    scale
        How `least_squares` scales its genes unless told otherwise: ``"none"``, ``"noise"`` or
        ``"gene"``.
    symbols
        ``gene``, ``symbol`` (current) and ``other_symbols`` (separated by bars), a row per gene of
        the profiles; None if only the names as printed are known.
    provenance
        Where it comes from and how it was made, by topic.
    """

    profiles: pd.DataFrame
    name: str = "signature"
    variability: pd.DataFrame | None = None
    markers: tuple[str, ...] = ()
    mrna: Mapping[str, float] = field(default_factory=dict)
    unit: str = "tpm"
    scale: str = "none"
    symbols: pd.DataFrame | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> list[str]:
        """Names of the cell types."""
        return [str(c) for c in self.profiles.columns]

    @property
    def genes(self) -> list[str]:
        """Genes as printed."""
        return [str(g) for g in self.profiles.index]


def as_signature(given: object, tables: Mapping[str, pd.DataFrame]) -> Signature:
    """Take a signature as it is, a table of profiles as one, and TIL10 where there is none.

    Raises
    ------
    UserError
        If the profiles cannot be used.
    """
    if given is None:
        return _til10(tables)
    if isinstance(given, pd.DataFrame):
        given = Signature(given, name="the matrix given")
    if not isinstance(given, Signature):
        raise UserError(
            f"the signature is a {type(given).__name__}",
            do="give a table of genes x cell types, or what read_signature returns",
        )
    return checked(given)


def checked(signature: Signature) -> Signature:
    """Return the signature with text labels, or say what is wrong with it."""
    profiles = _labelled(signature.profiles)
    where = signature.name
    for axis, labels in (("gene", profiles.index), ("cell type", profiles.columns)):
        if labels.has_duplicates:
            repeated = labels[labels.duplicated()].unique()
            raise UserError(f"the signature repeats {axis}s: {some(repeated)}", where=where)
    if not 1 <= profiles.shape[1] <= MOST_TYPES or profiles.shape[0] < 2:
        raise UserError(
            f"the signature has {profiles.shape[0]} genes and {profiles.shape[1]} cell types",
            where=where,
            do=f"give genes in rows and at most {MOST_TYPES} cell types in columns",
        )
    values = profiles.to_numpy()
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all() or (values < 0).any():
        raise UserError(
            "the signature holds text, missing, infinite or negative values",
            where=where,
            do="give linear expression, not logarithms",
        )
    empty = profiles.columns[(values == 0).all(axis=0)]
    if len(empty):
        raise UserError(f"no gene is expressed in {some(empty)}", where=where)
    for word, value, known in (
        ("unit", signature.unit, UNITS),
        ("scale", signature.scale, SCALES),
    ):
        if value not in known:
            raise UserError(
                f"the signature's {word} is {value!r}",
                where=where,
                do=f"use one of {', '.join(known)}",
            )
    unknown = [g for g in signature.markers if g not in profiles.index]
    if unknown:
        raise UserError(f"the profiles lack the marker genes {some(unknown)}", where=where)
    variability = signature.variability
    if variability is not None:
        variability = _labelled(variability).reindex(profiles.index, columns=profiles.columns)
        if variability.isna().any(axis=None) or (variability < 0).any(axis=None):
            raise UserError(
                "the variability has missing or negative values, or lacks genes or cell types",
                where=where,
                do="give a table of the same genes and cell types as the profiles",
            )
    return replace(signature, profiles=profiles.astype(np.float64), variability=variability)


def content(signature: Signature) -> dict[str, float]:
    """Look up the mRNA per cell of each type; 1 for all where nothing is known.

    Raises
    ------
    UserError
        If a value is not positive, or a type has none and there is no default.
    """
    if not signature.mrna:
        return dict.fromkeys(signature.types, 1.0)
    found = {t: signature.mrna.get(t, signature.mrna.get("default", 0.0)) for t in signature.types}
    bad = [name for name, value in found.items() if not (np.isfinite(value) and value > 0)]
    if bad:
        raise UserError(
            f"no mRNA per cell for {some(bad)}",
            where=signature.name,
            do="give a positive value for each cell type, or one called default",
        )
    return found


def _labelled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([str(g) for g in frame.index]).set_axis(
        [str(c) for c in frame.columns], axis=1
    )


def _til10(tables: Mapping[str, pd.DataFrame]) -> Signature:
    """Take TIL10, the signature of quanTIseq, for those who bring none."""
    table = need(tables, "til10", KEYS)
    scaling = need(tables, "til10_scaling", ("cell_type", "mrna"))
    types = [c for c in table.columns if c not in KEYS]
    profiles = table[types].astype(np.float64).set_axis(text(table["gene"]))
    mrna = {
        name: float(value)
        for name, value in zip(text(scaling["cell_type"]), scaling["mrna"], strict=True)
    }
    return Signature(profiles, name="TIL10", mrna=mrna, symbols=table[list(KEYS)])
