"""GEO series matrix: values and the annotation of the samples.

Lines ``!Series_...`` and ``!Sample_...``, then the table between ``!series_matrix_table_begin``
and ``!series_matrix_table_end``. Series of RNA-seq leave the table empty and keep their values
in supplementary files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.delimited import split
from resistpath.io.readers.numeric import Layout, read_numbers
from resistpath.io.readers.opening import Head
from resistpath.io.readers.source import Format, Options, Source, check_names, matrix

_BEGIN, _END = "!series_matrix_table_begin", "!series_matrix_table_end"
_CHARACTERISTIC = re.compile(r"characteristics_ch\d+")


@dataclass
class _Preamble:
    """What stands above the table."""

    series: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    samples: list[tuple[str, list[str]]] = field(default_factory=list)
    skip: int = 0
    header: list[str] = field(default_factory=list)
    first: str = ""


def _preamble(head: Head) -> _Preamble:
    """Read line by line up to the header of the table; the annotation may be long."""
    out = _Preamble()
    where = str(head.path)
    data, begin = b"", _BEGIN.encode()
    with head.open() as stream:
        while begin not in data or data.count(b"\n", data.find(begin)) < 3:
            if not (more := stream.read(1 << 20)):
                break
            data += more
    lines = data.splitlines()
    for at, raw in enumerate(lines):
        line = raw.decode("utf-8-sig", errors="replace")
        if line.startswith(_BEGIN):
            out.skip = at + 2
            out.header = split(_line(lines, at + 1), "\t", where)
            out.first = _line(lines, at + 2)
            return out
        key, *values = split(line, "\t", where)
        if key.startswith("!Sample_"):
            out.samples.append((key.removeprefix("!Sample_"), values))
        elif key.startswith("!Series_"):
            out.series[key.removeprefix("!Series_")] += values
    raise UserError(
        f"the series matrix holds no line {_BEGIN}",
        where=where,
        do="download it again",
    )


def _line(lines: list[bytes], at: int) -> str:
    return lines[at].decode("utf-8", errors="replace") if at < len(lines) else ""


def sample_annotation(lines: list[tuple[str, list[str]]]) -> pd.DataFrame:
    """One row per sample, indexed by accession; ``key: value`` cells become columns by key.

    Parameters
    ----------
    lines
        Name and cells of each ``!Sample_`` line, in order; names may repeat.

    Returns
    -------
    pandas.DataFrame
        Text, None where missing. What is the same in all samples, such as protocols and contact
        addresses, is left out, unless it is a characteristic.
    """
    accessions = next((cells for name, cells in lines if name == "geo_accession"), [])
    columns: dict[str, list[str | None]] = {}
    for name, cells in lines:
        if len(cells) != len(accessions) or name == "geo_accession":
            continue
        if _CHARACTERISTIC.fullmatch(name):
            for i, cell in enumerate(cells):
                key, colon, value = cell.partition(":")
                if not colon and not key.strip():
                    continue
                label = key.strip() if colon else name
                column = columns.setdefault(label, [None] * len(accessions))
                text = value.strip() if colon else cell.strip()
                column[i] = text if column[i] is None else f"{column[i]}; {text}"
        elif name == "title" or len(set(cells)) > 1:
            column = columns.setdefault(name, [None] * len(accessions))
            for i, cell in enumerate(cells):
                column[i] = cell if column[i] is None else f"{column[i]}; {cell}"
    index = pd.Index(accessions, name="sample")
    return pd.DataFrame(columns, index=index, dtype=object)


def _read(head: Head, _: Options) -> Source:
    where = str(head.path)
    above = _preamble(head)
    names = above.header[1:]
    if not names or not above.first or above.first.startswith(_END):
        files = [f.rsplit("/", 1)[-1] for f in above.series["supplementary_file"]]
        raise UserError(
            "the table of this series matrix is empty, as GEO leaves it for sequencing",
            where=where,
            do=f"give the series' supplementary table: {some(files, 3)}"
            if files
            else "look for a supplementary table on the series' page",
        )
    names = check_names(names, where)
    layout = Layout(
        skip=above.skip,
        separator="\t",
        n_fields=len(above.header),
        ids=(0,),
        columns=range(1, len(above.header)),
        names=names,
        end=_END,
    )
    ids, values = read_numbers(head, layout)
    accession = some(above.series["geo_accession"], 1)
    notes = [f"GEO series matrix {accession}; {some(above.series['type'], 3)}."]
    frame = matrix(ids, values, names, where, notes)
    samples = sample_annotation(above.samples)
    notes.append(f"{samples.shape[1]} columns of sample annotation came with the file.")
    return Source(frame, FORMAT.name, samples=samples.reindex(names), notes=tuple(notes))


FORMAT = Format(
    name="geo_series_matrix",
    what="GEO series matrix, with its sample annotation",
    how="lines !Series_ and !Sample_ before the table",
    fits_file=lambda head: any(x.startswith(("!Series_", "!Sample_")) for x in head.lines[:5]),
    read_file=_read,
)
