"""Excel workbooks (.xlsx): read with a warning, because Excel turns some symbols into dates."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from resistpath.errors import UserError, some
from resistpath.io.readers.columns import choose_columns
from resistpath.io.readers.opening import BOMB_BYTES, BOMB_RATIO, Head
from resistpath.io.readers.source import Format, Options, Source, matrix
from resistpath.io.tables import MISSING


def _rows(head: Head, sheet: str | None) -> tuple[str, list[tuple[Any, ...]]]:
    """Name and cells of the sheet asked for, or of the only one that holds any."""
    where = str(head.path)
    try:
        import openpyxl
    except ImportError as error:
        raise UserError(
            "reading Excel workbooks needs openpyxl, which is not installed",
            where=where,
            do="save the sheet as tab-separated text, or install openpyxl",
        ) from error
    _check_size(head)
    try:
        book = openpyxl.load_workbook(head.path, read_only=True, data_only=True)
        sheets = {name: book[name] for name in book.sheetnames if hasattr(book[name], "iter_rows")}
        if sheet is not None and sheet not in sheets:
            raise UserError(
                f"there is no sheet {sheet!r}", where="layer", do=f"use one of {some(sheets, 10)}"
            )
        chosen = sheets if sheet is None else {sheet: sheets[sheet]}
        filled = {name: list(_filled(page)) for name, page in chosen.items()}
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UserError(
            "the workbook is damaged", where=where, do="save it again, or as text"
        ) from error
    filled = {name: rows for name, rows in filled.items() if len(rows) > 1}
    if len(filled) != 1:
        raise UserError(
            f"the workbook has {len(filled)} sheets with a table"
            + (f": {some(filled)}" if filled else ""),
            where=where,
            do="name one as layer" if filled else "check the file",
        )
    return next(iter(filled.items()))


def _filled(page: Any) -> Iterator[tuple[Any, ...]]:
    return (row for row in page.iter_rows(values_only=True) if any(c is not None for c in row))


def _check_size(head: Head) -> None:
    """Refuse a workbook that unpacks out of all proportion."""
    with zipfile.ZipFile(head.path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > BOMB_BYTES and size > BOMB_RATIO * head.path.stat().st_size:
        raise UserError(
            f"the workbook unpacks to {size:,} bytes: a decompression bomb, or no matrix",
            where=str(head.path),
            do="check where the file comes from",
        )


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime | datetime.date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _number(cell: Any) -> float:
    if cell is None or (isinstance(cell, str) and cell.strip() in MISSING):
        return float("nan")
    if isinstance(cell, bool | datetime.date | datetime.time):
        raise ValueError
    return float(cell)


def _read(head: Head, options: Options) -> Source:
    where = str(head.path)
    sheet, rows = _rows(head, options.layer)
    width = max(len(row) for row in rows)
    rows = [(*row, *[None] * (width - len(row))) for row in rows]
    names, body = [_text(cell) for cell in rows[0]], rows[1:]
    text = [_is_text([row[i] for row in body]) for i in range(width)]
    columns = choose_columns(names, text, [_text(row[0]) for row in body], where)
    ids = [_text(row[columns.labels]) for row in body]
    values = np.empty((len(body), len(columns.values)))
    for k, row in enumerate(body):
        for j, position in enumerate(columns.values):
            try:
                values[k, j] = _number(row[position])
            except (ValueError, TypeError) as error:
                raise UserError(
                    f"sample {names[position]!r} holds {_text(row[position])[:40]!r} for gene"
                    f" {ids[k][:40]!r}, which is no number",
                    where=where,
                    do="every cell after the gene column must be a number or NA",
                ) from error
    notes = [f"Excel sheet {sheet!r}.", *columns.notes, *_dates(body, columns.labels)]
    samples = [names[i] for i in columns.values]
    if columns.turned:
        frame = matrix(samples, values.T, ids, where, notes)
    else:
        frame = matrix(ids, values, samples, where, notes)
    return Source(frame, FORMAT.name, notes=tuple(notes))


def _is_text(cells: list[Any]) -> bool | None:
    present = [c for c in cells if not (c is None or (isinstance(c, str) and c.strip() in MISSING))]
    if not present:
        return None
    return all(isinstance(c, str | datetime.date | bool) for c in present)


def _dates(rows: list[tuple[Any, ...]], label: int) -> list[str]:
    dates = [row[label] for row in rows if isinstance(row[label], datetime.date)]
    warning = "Excel turns symbols such as MARCH1 and SEPT2 into dates"
    if not dates:
        return [f"{warning}; none was found here, but text is the safer form."]
    found = some([_text(d) for d in dates], 4)
    return [f"{warning}: {len(dates)} identifiers are dates ({found})."]


FORMAT = Format(
    name="excel",
    what="Excel workbook (.xlsx)",
    how="zip archive with xl/workbook.xml",
    fits_file=lambda head: not head.encoding and head.data.startswith(b"PK"),
    read_file=_read,
    takes=("layer",),
)
