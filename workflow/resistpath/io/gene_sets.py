"""Gene-set files of users."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from resistpath.errors import UserError
from resistpath.io.files import need_file
from resistpath.methods import GeneSet, as_gene_sets

if TYPE_CHECKING:
    import pandas as pd

    from resistpath.identifiers import Names
    from resistpath.mechanisms.user_sets import UserFile

SEPARATORS: Final = ("\t", ",", ";")
MOSTLY: Final = 0.8
"""Share of names that are whole numbers above which all are read as Entrez ids."""


def read_gmt(path: Path | str) -> list[GeneSet]:
    """Read a GMT file: name, description, then genes, separated by tabs. Read by gseapy."""
    import gseapy

    path = need_file(path, "gene-set file")
    sets = gseapy.read_gmt(str(path))
    if not sets:
        raise UserError(
            "no gene sets", where=str(path), do="each line needs name, description and genes"
        )
    return as_gene_sets(
        {name: [g.strip() for g in genes if g.strip()] for name, genes in sets.items()}
    )


def read_user_sets(path: Path | str) -> UserFile:
    """Read a user's sets from GMT, TSV or CSV, plain or gzipped.

    A name ending in ``.gmt`` means GMT; any other file is a table whose first line is its header.
    Nothing is looked up: names stand as they were written.
    """
    from resistpath.mechanisms.user_sets import from_gmt, from_table

    path = need_file(path, "gene-set file")
    lines = _lines(path)
    if path.name.lower().removesuffix(".gz").endswith(".gmt"):
        return from_gmt(lines, str(path))
    return from_table(_table(lines, str(path)), str(path))


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are neither empty nor a comment, with their numbers."""
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"the file cannot be read ({error})", where=str(path), do="compress it anew"
        ) from error
    if raw[:2] == b"PK" or b"\x00" in raw:
        raise UserError(
            "this is not a text file",
            where=str(path),
            do="export it as tab- or comma-separated text, or as GMT",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            "this is not UTF-8 text", where=str(path), do="export it as UTF-8"
        ) from error
    numbered = enumerate(text.splitlines(), start=1)
    lines = [(n, line) for n, line in numbered if line.strip() and not line.startswith("#")]
    if not lines:
        raise UserError("no gene sets", where=str(path), do="the file has no lines")
    return lines


def _table(lines: list[tuple[int, str]], where: str) -> pd.DataFrame:
    """Cells of a delimited table as text; the index holds the lines' numbers."""
    import pandas as pd

    header = lines[0][1]
    separator = max(SEPARATORS, key=header.count)
    if not header.count(separator):
        raise UserError(
            "no tab, comma or semicolon in the first line",
            where=where,
            do="give a table with the columns set and genes, or a file named .gmt",
        )
    cells = list(csv.reader([line for _, line in lines], delimiter=separator))
    if len(cells) != len(lines):
        raise UserError("a quotation mark is not closed", where=where, do="close or remove it")
    columns = [c.strip() for c in cells[0]]
    width = len(columns)
    for (number, _), row in zip(lines[1:], cells[1:], strict=True):
        if len(row) > width and any(c.strip() for c in row[width:]):
            raise UserError(
                f"{len(row)} fields, but the header has {width}",
                where=f"{where}, line {number}",
                do="put the genes of a set into one cell in quotes, or part the columns by tabs",
            )
    rows = [(row + [""] * width)[:width] for row in cells[1:]]
    index = pd.Index([number for number, _ in lines[1:]], dtype="int64")
    return pd.DataFrame(rows, columns=columns, index=index, dtype=object)


def known_genes(names: list[str], table: pd.DataFrame | Names) -> pd.DataFrame:
    """What each gene name stands for today, by the gene table.

    Returns
    -------
    pandas.DataFrame
        Indexed by the name as written: `symbol`, missing if unknown or ambiguous, and `how`.
        Ensembl ids are understood beside symbols, Entrez ids where most names are numbers.
    """
    from resistpath.genes import current_symbols, translate

    numbers = [name for name in names if name.isdigit()]
    if numbers and len(numbers) >= MOSTLY * len(names):
        return translate(names, table, "entrez").set_index("published")
    known = current_symbols(names, table).set_index("published")
    ensembl = [name for name in names if name.upper().startswith("ENSG")]
    if ensembl:
        known.loc[ensembl] = translate(ensembl, table, "ensembl").set_index("published")
    return known
