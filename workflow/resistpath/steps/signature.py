"""signature: a signature matrix from annotated single cells, and what a matrix holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resistpath.deconvolve.fitted import condition
from resistpath.deconvolve.names import vocabulary
from resistpath.deconvolve.profiles import Signature
from resistpath.deconvolve.signature import Recipe
from resistpath.errors import UserError
from resistpath.io.prepared import read_prepared
from resistpath.io.signature_matrices import write_signature
from resistpath.io.single_cell import signature_from_cells
from resistpath.io.tables import write_table
from resistpath.steps import Progress, silent


def build(
    cells: Path,
    out: Path,
    *,
    label: str = "cell_type",
    labels: Path | None = None,
    layer: str = "X",
    units: str = "auto",
    donor: str | None = None,
    leave_out: Sequence[str] = (),
    bulk: Path | None = None,
    name: str | None = None,
    recipe: Recipe | None = None,
    say: Progress = silent,
) -> None:
    """Make a signature matrix from annotated single cells.

    Writes `out` (genes x cell types), and beside it ``.json`` (recipe, source with hash, markers,
    mRNA per cell), ``.var.tsv`` (variability, if donors are given), ``.markers.tsv`` (why each
    marker is one) and ``.cells.tsv`` (cells used, and left out by reason).

    Parameters
    ----------
    bulk
        Folder of a prepared cohort, whose genes the signature is limited to.
    cells, label, labels, layer, units, donor, leave_out, name, recipe
        As for `resistpath.io.single_cell.signature_from_cells`.
    """
    if out.suffix != ".tsv":
        raise UserError("the matrix is written as .tsv", where=str(out), do="end its name in .tsv")
    genes = None
    if bulk is not None:
        genes = list(read_prepared(bulk / "prepared.h5ad").values.index)
    built = signature_from_cells(
        cells,
        label=label,
        labels=labels,
        layer=layer,
        units=units,
        donor=donor,
        bulk_genes=genes,
        leave_out=leave_out,
        recipe=recipe,
        name=name,
    )
    write_table(out.with_suffix(".markers.tsv"), built.markers, sealed=False)
    write_table(out.with_suffix(".cells.tsv"), built.cells, sealed=False)
    write_signature(out, built.signature)
    out_of = built.cells[built.cells["reason"] != ""]
    for kind, reason, n in zip(*(out_of[c] for c in ("label", "reason", "cells")), strict=True):
        say(f"left out: {n} of {kind or 'no label'}, {reason}")
    said = describe(built.signature)
    say(
        f"{len(said['cell_types'])} cell types, {said['n_markers']} markers,"
        f" condition {said['condition']:g}"
    )


def describe(signature: Signature) -> dict[str, Any]:
    """What a signature matrix is, as plain values."""
    used = list(signature.markers) or signature.genes
    profiles = signature.profiles.loc[used].to_numpy(dtype=np.float64)
    words = vocabulary(signature.types)
    return {
        "name": signature.name,
        "unit": signature.unit,
        "n_genes": len(signature.genes),
        "n_markers": len(used),
        "condition": condition(profiles),
        "variability": signature.variability is not None,
        "cell_types": {
            name: {"id": words.cells[name].id, "mrna": signature.mrna.get(name)}
            for name in signature.types
        },
        "sums": {id_: list(members) for id_, members in words.sums.items()},
        "provenance": dict(signature.provenance),
    }
