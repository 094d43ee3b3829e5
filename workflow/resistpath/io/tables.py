"""Sample sheets and result tables as text files."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.files import need_file, replacing

TIMEPOINTS = ("pre", "on", "progression", "post")
SHEET_ALIASES = {
    "sample_id": "sample",
    "patient_id": "patient",
    "therapy": "treatment",
    "gender": "sex",
}
VOCABULARY = {
    "timepoint": TIMEPOINTS,
    "response_binary": ("R", "NR"),
    "survival_event": ("0", "1"),
}
NAMES = ("sample", "patient", "from_sample", "to_sample")
"""Columns of names: 007 is not 7."""
# What a spreadsheet skips before a formula is skipped here too; -1 is a number, - a dash.
_START = r"[\s\ufeff\u200b']*(?:[=+@]|-(?![\d.]|$))"
_FORMULA, _GUARDED = re.compile(rf"^{_START}"), re.compile(rf"^'({_START})")
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]


def _first_lines(path: Path) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
            return [handle.readline().rstrip("\r\n") for _ in range(2)]
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"the file cannot be read ({error})", where=str(path), do="download or compress it anew"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(
            "this is not UTF-8 text", where=str(path), do="export it as tab-separated text"
        ) from error


def _separator(header: str, path: Path) -> str:
    counts = {sep: header.count(sep) for sep in ("\t", ",", ";")}
    best = max(counts, key=lambda s: counts[s])
    if counts[best] == 0:
        raise UserError(
            "no tab, comma or semicolon in the first line",
            where=str(path),
            do="export the table as tab- or comma-separated text",
        )
    return best


def read_sample_sheet(path: Path | str) -> pd.DataFrame:
    """Read a sample sheet; see ``workflow/schemas/samples.schema.yaml`` for its columns.

    Returns
    -------
    pandas.DataFrame
        One row per sample, indexed by sample name; text, with None where missing.
    """
    path = need_file(path, "sample sheet")
    sep = _separator(_first_lines(path)[0], path)
    try:
        sheet = pd.read_csv(
            path, sep=sep, dtype=str, na_values=MISSING, keep_default_na=False, encoding="utf-8-sig"
        )
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        said = str(error).rsplit("error: ", 1)[-1].strip()
        raise UserError(
            f"the table cannot be parsed ({said})", where=str(path), do="check that row"
        ) from error
    _check_columns(sheet, path, sep)
    sheet.columns = sheet.columns.str.strip()
    for alias, name in SHEET_ALIASES.items():
        if name not in sheet and alias in sheet:
            sheet = sheet.rename(columns={alias: name})
    if "sample" not in sheet:
        raise UserError(
            f"no column 'sample' among {some(sheet.columns, 8)}",
            where=str(path),
            do="name the column that holds the matrix's column names 'sample'",
        )
    sheet = sheet.apply(lambda column: column.str.strip())
    if sheet["sample"].isna().any() or sheet["sample"].duplicated().any():
        bad = sheet.loc[sheet["sample"].duplicated() | sheet["sample"].isna(), "sample"]
        raise UserError(
            f"samples missing or listed twice: {some(bad)}",
            where=str(path),
            do="one row per sample",
        )
    for column, allowed in VOCABULARY.items():
        _check_words(sheet, column, allowed, path)
    return sheet.set_index("sample").astype(object).where(lambda x: x.notna(), None)


def file_annotation(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Annotation that came with a matrix, in the words of a sample sheet.

    Nobody wrote it for resistpath: a column that a sample sheet gives a meaning, but whose values
    do not have it, is kept as ``file_...`` and is not interpreted.

    Returns
    -------
    frame, notes
        One row per sample; sentences on what was renamed.
    """
    out, notes = frame.copy(), []
    for alias, name in SHEET_ALIASES.items():
        if alias in out and name not in out and name != "sample":
            out = out.rename(columns={alias: name})
    for column, allowed in VOCABULARY.items():
        if column in out and not out[column].dropna().isin(allowed).all():
            bad = out[column].dropna()[lambda s, a=allowed: ~s.isin(a)].unique()
            out = out.rename(columns={column: f"file_{column}"})
            notes.append(
                f"Column {column} of the annotation in the file holds {some(bad, 3)} and was not"
                f" interpreted; a sample sheet can say {', '.join(allowed)}."
            )
    return out, notes


def _check_columns(sheet: pd.DataFrame, path: Path, sep: str) -> None:
    """Refuse a header that names a column twice or is shorter than its rows."""
    names = [name.strip() for name in _first_lines(path)[0].split(sep)]
    twice = dict.fromkeys(name for name in names if name and names.count(name) > 1)
    if twice:
        raise UserError(
            f"columns occur twice: {some(twice)}", where=str(path), do="name each column once"
        )
    if not isinstance(sheet.index, pd.RangeIndex):  # pandas took the first column for row names
        raise UserError(
            "the rows have more fields than the header", where=str(path), do="name every column"
        )


def _check_words(sheet: pd.DataFrame, column: str, allowed: Sequence[str], path: Path) -> None:
    if column not in sheet:
        return
    bad = sheet[column].dropna()[lambda s: ~s.isin(allowed)].unique()
    if len(bad):
        raise UserError(
            f"column {column} holds {some(bad)}",
            where=str(path),
            do=f"use {', '.join(allowed)} or leave the cell empty",
        )


def write_table(path: Path, table: pd.DataFrame, *, sealed: bool = True) -> None:
    """Write a result table: tab-separated, NA for missing, yes/no for truth values.

    Numbers are written with as many digits as float64 needs to be read back exactly. Text at which
    a spreadsheet would compute gets an apostrophe before it, which `read_table` takes off. A sealed
    table is refused by later steps once its bytes change; see `resistpath.io.files.replacing`.
    """
    out = table.copy()
    for name, column in out.items():
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind == "boolean" or (kind == "mixed" and any(isinstance(x, bool) for x in column)):
            out[name] = column.map({True: "yes", False: "no"})
        elif kind in ("string", "mixed"):
            out[name] = _changed(column, _FORMULA, r"'\g<0>")
    with replacing(path, sealed=sealed) as temporary:
        out.to_csv(temporary, sep="\t", index=False, na_rep="NA", lineterminator="\n")


def _changed(column: pd.Series, pattern: re.Pattern[str], by: str) -> pd.Series:
    """Replace what stands at the beginning of texts; each different text is looked at once."""
    texts = {x for x in column.unique() if isinstance(x, str) and pattern.match(x)}
    if not texts:
        return column
    return column.map(lambda x: pattern.sub(by, x, count=1) if x in texts else x)


def read_table(
    path: Path | str, what: str = "table", columns: list[str] | None = None
) -> pd.DataFrame:
    """Read a table written by `write_table`, or some of its columns.

    ``yes`` and ``no`` stay text, and so do names.
    """
    path = need_file(path, what)
    table = pd.read_csv(
        path,
        sep="\t",
        usecols=columns,
        na_values=["NA"],
        keep_default_na=False,
        float_precision="round_trip",
        dtype=dict.fromkeys(NAMES, str),
    )
    for name, column in table.items():
        if not pd.api.types.is_numeric_dtype(column):
            table[name] = _changed(column, _GUARDED, r"\1")
    return table
