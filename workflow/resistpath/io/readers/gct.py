"""GCT 1.2 and 1.3, the Broad Institute's expression tables.

Line 1 is the version, line 2 the number of rows and columns (1.3: also of the fields that
describe rows and columns). Version 1.3 puts the description of the columns below the header, in
rows of their own.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from resistpath.errors import UserError
from resistpath.io.readers.delimited import split
from resistpath.io.readers.numeric import Layout, read_numbers
from resistpath.io.readers.opening import Head
from resistpath.io.readers.source import Format, Options, Source, check_names, matrix


def _fits(head: Head) -> bool:
    return bool(head.lines) and re.fullmatch(r"#1\.[23]\s*", head.lines[0]) is not None


def _sizes(head: Head) -> tuple[int, int, int, int]:
    """Rows, columns, fields that describe rows (the id aside), fields that describe columns."""
    want = 2 if head.lines[0].startswith("#1.2") else 4
    fields = head.lines[1].split() if len(head.lines) > 2 else []
    if len(fields) < want or not all(f.isdigit() for f in fields[:want]):
        raise UserError(
            f"line 2 must hold {want} whole numbers and line 3 the header",
            where=str(head.path),
            do="write the GCT file again",
        )
    numbers = [int(f) for f in fields[:want]]
    return (numbers[0], numbers[1], 1, 0) if want == 2 else tuple(numbers)  # type: ignore[return-value]


def _read(head: Head, _: Options) -> Source:
    where = str(head.path)
    n_rows, n_columns, n_described, n_above = _sizes(head)
    header = split(head.lines[2], "\t", where)
    first = 1 + n_described
    if len(header) != first + n_columns:
        raise UserError(
            f"line 2 promises {n_columns} samples and {n_described} fields that describe genes,"
            f" but the header has {len(header)} fields",
            where=where,
            do="write the GCT file again",
        )
    if len(head.lines) < 3 + n_above:
        raise UserError("the description of the samples is cut off", where=where)
    names = check_names(header[first:], where)
    layout = Layout(
        skip=3 + n_above,
        separator="\t",
        n_fields=len(header),
        ids=(0,),
        columns=range(first, len(header)),
        names=names,
    )
    ids, values = read_numbers(head, layout)
    if len(ids) != n_rows:
        raise UserError(
            f"line 2 promises {n_rows:,} genes, but there are {len(ids):,}",
            where=where,
            do="check that the file is complete",
        )
    described = [h or "without name" for h in header[1:first]]
    notes = [f"Columns that describe genes were left out: {', '.join(described)}."]
    frame = matrix(ids, values, names, where, notes if n_described else notes[1:])
    above = [split(x, "\t", where) for x in head.lines[3 : 3 + n_above]]
    samples = pd.DataFrame(
        {row[0]: row[first:] for row in above if len(row) == len(header)},
        index=pd.Index(names, name="sample"),
        dtype=object,
    )
    version = head.lines[0].strip("# \t")
    notes.insert(0, f"GCT version {version}.")
    source = Source(frame, FORMAT.name, samples=samples, notes=tuple(notes))
    return source if n_above else replace(source, samples=None)


FORMAT = Format(
    name="gct",
    what="GCT 1.2 or 1.3 (Broad Institute, GTEx)",
    how="first line #1.2 or #1.3",
    fits_file=_fits,
    read_file=_read,
)
