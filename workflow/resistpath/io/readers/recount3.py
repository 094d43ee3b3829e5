"""recount3 gene sums: coverage of bases, turned to reads by the mean mapped length.

``reads = round(coverage / star.average_mapped_length)``, as compute_read_counts() of the
Bioconductor package recount3 does. The length stands in the project's quality table,
``*.recount_qc.*.MD.gz``, which is looked for beside the matrix.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.delimited import read_header, read_table
from resistpath.io.readers.opening import Head
from resistpath.io.readers.samplewise import read_frame
from resistpath.io.readers.source import Format, Options, Source, matrix

_LENGTH = "star.average_mapped_length"


def _fits(head: Head) -> bool:
    return len(head.lines) > 1 and head.lines[0].startswith("##annotation=")


def _quality_table(head: Head) -> Path:
    """Path of the table that holds the mean mapped length."""
    parts = re.fullmatch(r"(.*)gene_sums\.(.+?)(\.[A-Z]\d+)?", head.name)
    pattern = (
        rf"(.*\.)?recount_qc\.{re.escape(parts[2])}\.MD(\.gz)?" if parts else r".*recount_qc.*"
    )
    found = sorted(f for f in head.path.parent.iterdir() if re.fullmatch(pattern, f.name))
    if not found:
        raise UserError(
            "these are sums of base coverage, and the table that turns them into reads is missing",
            where=str(head.path),
            do=f"put the project's recount_qc table (*.recount_qc.*.MD.gz, column {_LENGTH})"
            " into the same folder",
        )
    return found[0]


def _lengths(path: Path) -> pd.Series:
    table = read_frame(path, "recount_qc table")
    table.columns = [c.removeprefix("recount_qc.") for c in table.columns]
    absent = [c for c in ("external_id", _LENGTH) if c not in table]
    if absent:
        raise UserError(
            f"no column {some(absent)}", where=str(path), do="give recount3's recount_qc table"
        )
    numbers = pd.to_numeric(table[_LENGTH], errors="coerce")
    return pd.Series(numbers.to_numpy(), index=table["external_id"])


def _read(head: Head, _: Options) -> Source:
    where = str(head.path)
    path = _quality_table(head)
    notes: list[str] = []
    ids, coverage, names = read_table(head, read_header(head), notes)
    lengths = _lengths(path).reindex(names).to_numpy(dtype=np.float64)
    usable = lengths > 0
    if not usable.any():
        raise UserError(
            f"none of the samples ({some(names, 3)}) has a {_LENGTH}",
            where=str(path),
            do="give the recount_qc table of this project",
        )
    if not usable.all():
        gone = [n for n, ok in zip(names, usable, strict=True) if not ok]
        notes.append(f"{len(gone)} samples without a mapped length were left out: {some(gone)}.")
    reads = np.rint(coverage[:, usable] / lengths[usable])
    kept = [n for n, ok in zip(names, usable, strict=True) if ok]
    frame = matrix(ids, reads, kept, where, notes)
    notes.insert(0, f"recount3 coverage divided by {_LENGTH} of {path.name} and rounded to reads.")
    return Source(frame, FORMAT.name, "counts", "ensembl", notes=tuple(notes))


FORMAT = Format(
    name="recount3",
    what="recount3 gene sums, with the project's recount_qc table beside them",
    how="first line ##annotation=",
    fits_file=_fits,
    read_file=_read,
)
