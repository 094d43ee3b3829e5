"""Delimited text: tab, comma, semicolon or blank; genes in rows or in columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from resistpath.errors import UserError
from resistpath.io.readers.columns import Columns, choose_columns, is_gene
from resistpath.io.readers.numeric import Layout, read_numbers
from resistpath.io.readers.opening import Head
from resistpath.io.readers.source import Format, Options, Source, check_names, matrix
from resistpath.io.tables import MISSING

ROWS_SEEN, CELLS_SEEN = 50, 50_000
"""How much of a table its layout is told from: so many rows, fewer if they are long."""
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?|nan", re.I)


@dataclass(frozen=True)
class Table:
    """A header line and some rows below it, split into fields.

    Attributes
    ----------
    skip
        Lines before the first row.
    separator
        Between fields.
    names
        Header, as long as the rows.
    rows
        The first rows.
    notes
        What was done to get there.
    """

    skip: int
    separator: str
    names: list[str]
    rows: list[list[str]]
    notes: tuple[str, ...] = ()


def split(line: str, separator: str, where: str) -> list[str]:
    """Split a line into fields, minding quotes."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=False))
    except csv.Error as error:
        raise UserError(
            f"a line near the top cannot be split into fields ({error})",
            where=where,
            do="check for a stray quotation mark or a cell of text in the table",
        ) from error


def read_header(head: Head) -> Table:
    """Find header, separator and first rows of a delimited text.

    Raises
    ------
    UserError
        If there is no separator, or header and rows do not fit.
    """
    where = str(head.path)
    start, notes = _header_line(head.lines)
    if start >= len(head.lines):
        raise UserError("the file holds no table", where=where, do="check the download")
    line = head.lines[start]
    seen = max(2, min(ROWS_SEEN, CELLS_SEEN // (line.count("\t") + line.count(",") + 1)))
    rows = [x for x in head.lines[start + 1 :] if x.strip()][:seen]
    separator = _separator(line, rows, where)
    names = split(re.sub(r"^#+\s*", "", line), separator, where)
    fields = [split(row, separator, where) for row in rows]
    fields = [f for f in fields if len(f) == len(fields[0])]  # the full reading names the others
    names, more = _fitted(names, fields, separator, where)
    return Table(start + 1, separator, names, fields, (*notes, *more))


def _header_line(lines: Sequence[str]) -> tuple[int, list[str]]:
    """Position of the header: below blank lines, comments and a spreadsheet's ``sep=;``."""
    notes = []
    at = 0
    while at < len(lines) and (not lines[at].strip() or re.match(r"#|sep=.$", lines[at])):
        at += 1
    comments = [line for line in lines[:at] if line.startswith("#")]
    last = lines[at - 1] if at and lines[at - 1].startswith("#") else ""
    if at < len(lines) and last and not last.startswith("##"):
        for separator in "\t,;":
            n = lines[at].count(separator)
            if n and last.count(separator) == n and not _all_text(lines[at].split(separator)):
                at, comments = at - 1, comments[:-1]  # the header itself begins with #
                break
    if comments:
        notes.append(f"{len(comments)} comment lines above the header were left out.")
    return at, notes


def _all_text(fields: Sequence[str]) -> bool:
    return not any(_NUMBER.fullmatch(f.strip().strip('"')) for f in fields[1:])


def _separator(line: str, rows: Sequence[str], where: str) -> str:
    """Tab, comma or semicolon, whichever splits header and rows alike; blank at last."""
    counts = {separator: line.count(separator) for separator in "\t,;" if separator in line}
    for separator in sorted(counts, key=lambda s: -counts[s]):
        if _splits(line, rows, separator, where):
            return separator
    if counts:  # rows that fit no separator are named when they are read
        return max(counts, key=lambda s: counts[s])
    if rows and _splits(line, rows, " ", where):  # as write.table() leaves it
        return " "
    raise UserError(
        "no tab, comma or semicolon in the first line",
        where=where,
        do="export the table as tab- or comma-separated text",
    )


def _splits(line: str, rows: Sequence[str], separator: str, where: str) -> bool:
    """Whether a separator gives all rows one number of fields, that of the header or one more."""
    n = len(split(line, separator, where))
    lengths = {len(split(row, separator, where)) for row in rows}
    return len(lengths) == 1 and n - 1 <= (k := lengths.pop()) <= n + 1 and k > 1


def _fitted(
    names: list[str], rows: Sequence[Sequence[str]], separator: str, where: str
) -> tuple[list[str], list[str]]:
    """Bring the header to the length of the rows."""
    if not rows or len(rows[0]) == len(names):
        return names, []
    n = len(rows[0])
    if n == len(names) - 1 and not names[-1].strip():
        return names[:-1], []
    if n == len(names) + 1:
        if all(not row[-1].strip() for row in rows):
            return [*names, ""], []
        note = "The header is one field short of the rows, as R writes it; the first column was"
        return ["", *names], [f"{note} read as gene identifiers."]
    halves = separator == "," and n == 2 * len(names) - 1
    raise UserError(
        f"the header has {len(names)} fields and the first row {n}",
        where=where,
        do="decimal commas need another separator: export with semicolons or tabs"
        if halves
        else "check that the file is complete",
    )


def describe(head: Head, table: Table) -> tuple[Layout, Columns, list[str]]:
    """Decide what each column is and how its numbers are written."""
    where = str(head.path)
    decimal = _decimal(table, where)
    text = [_is_text([row[i] for row in table.rows]) for i in range(len(table.names))]
    _check_header(table, where)
    labels = [row[0] for row in table.rows]
    columns = choose_columns(table.names, text, labels, where)
    names = [table.names[i] for i in columns.values]
    layout = Layout(
        skip=table.skip,
        separator=table.separator,
        n_fields=len(table.names),
        ids=(columns.labels,),
        columns=columns.values,
        names=names,
        decimal=decimal,
        turned=columns.turned,
    )
    notes = [*table.notes, *columns.notes]
    if decimal == ",":
        notes.append("Decimals are written with a comma.")
    return layout, columns, notes


def _cells(table: Table) -> list[str]:
    return [cell.strip() for row in table.rows for cell in row[1:]]


def _decimal(table: Table, where: str) -> str:
    """Point or comma; both, or commas that may stand between thousands, are refused."""
    if table.separator == ",":
        return "."
    cells = _cells(table)
    if not any("," in c or c.count(".") > 1 for c in cells):
        return "."
    cells = [c for c in cells if "," in c or "." in c]
    comma = [c for c in cells if re.fullmatch(r"-?\d*,\d+([eE][-+]?\d+)?", c)]
    point = [c for c in cells if re.fullmatch(r"-?\d*\.\d+([eE][-+]?\d+)?", c)]
    both = [c for c in cells if re.fullmatch(r"-?\d{1,3}([.,]\d{3})+[.,]\d+", c)]
    if both or (comma and point):
        mixed = both[0] if both else f"{comma[0]} and {point[0]}"
        raise UserError(
            f"numbers are written with both commas and points, for example {mixed}",
            where=where,
            do="write all decimals with a point, and no sign between thousands",
        )
    if comma and all(re.fullmatch(r"-?\d{1,3},\d{3}", c) for c in comma):
        raise UserError(
            f"numbers such as {comma[0]} may hold a decimal comma or a thousands separator",
            where=where,
            do="write decimals with a point, and no sign between thousands",
        )
    return "," if comma else "."


def _is_text(cells: Sequence[str]) -> bool | None:
    """Whether all cells that are not missing are text; None if all are missing."""
    present = [c.strip() for c in cells if c.strip() not in MISSING]
    if not present:
        return None
    return not any(_NUMBER.fullmatch(c) for c in present)


def _check_header(table: Table, where: str) -> None:
    """Refuse a first line that is itself a row of the matrix."""
    names = [n.strip() for n in table.names[1:] if n.strip()]
    if not names or not all(_NUMBER.fullmatch(n) for n in names):
        return
    if is_gene(table.names[0]) or not all(n.isdigit() for n in names):
        raise UserError(
            f"the first line holds values ({table.names[0][:40]}, {names[0][:20]}), not sample"
            " names",
            where=where,
            do="add a header line with the sample names",
        )


def read_table(
    head: Head, table: Table, notes: list[str], *, compact: bool = False
) -> tuple[list[str], npt.NDArray[Any], list[str]]:
    """Read genes, values (genes x samples) and sample names, turned if need be."""
    layout, columns, more = describe(head, table)
    notes += more
    if not columns.turned:
        names = check_names(layout.names, str(head.path))
        ids, values = read_numbers(head, replace(layout, names=names), compact=compact)
        return ids, values, names
    ids, values = read_numbers(head, layout, compact=compact)
    return list(layout.names), values.T, ids


def _read(head: Head, _: Options) -> Source:
    notes: list[str] = []
    ids, values, names = read_table(head, read_header(head), notes, compact=True)
    frame = matrix(ids, values, names, str(head.path), notes)
    return Source(frame, FORMAT.name, notes=tuple(notes))


FORMAT = Format(
    name="delimited",
    what="text table with one header line, genes in rows or in columns",
    how="any other text, separated by tab, comma, semicolon or blank",
    fits_file=lambda head: bool(head.encoding),
    read_file=_read,
)
