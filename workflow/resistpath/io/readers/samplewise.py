"""Formats with one file per sample, alone or as a folder of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.delimited import Table, read_header, split
from resistpath.io.readers.numeric import Layout, read_numbers
from resistpath.io.readers.opening import Head, look, read_all
from resistpath.io.readers.source import Folder, check_names, matrix

Columns = npt.NDArray[np.float64]
ReadOne = Callable[[Path], tuple[list[str], Columns]]


def list_folder(path: Path) -> Folder:
    """List the files of a folder and of its sub-folders, one and two levels down."""
    files = [
        f
        for pattern in ("*", "*/*", "*/*/*")
        for f in path.glob(pattern)
        if f.is_file() and not any(p.startswith(".") for p in f.relative_to(path).parts)
    ]
    return Folder(path, tuple(sorted(files)))


def sample_name(path: Path, ending: str) -> str:
    r"""Name of the sample of a file: the file's name before `ending`, or its folder's name.

    >>> sample_name(Path("run/S1.genes.results"), r"genes\.results(\.gz)?")
    'S1'
    >>> sample_name(Path("S2/quant.sf"), r"quant\.sf(\.gz)?")
    'S2'
    """
    name = re.sub(rf"[._-]*{ending}$", "", path.name)
    return name or path.resolve().parent.name


def by_name(files: Sequence[Path], ending: str) -> dict[str, Path]:
    """Files by the name of their sample, which must differ."""
    names = [sample_name(f, ending) for f in files]
    check_names(names, str(files[0].parent))
    return dict(zip(names, files, strict=True))


def read_frame(
    path: Path, what: str, separator: str = "\t", header: int | None = 0
) -> pd.DataFrame:
    """Read a small table as text, such as a sample sheet; empty cells stay empty text."""
    try:
        return pd.read_csv(
            BytesIO(read_all(path, what)),
            sep=separator,
            header=header,
            dtype=str,
            keep_default_na=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(
            f"the {what} cannot be read ({str(error).strip()})",
            where=str(path),
            do="check that it is complete",
        ) from error


def header_fields(head: Head) -> list[str]:
    """First line that is no comment, split at tabs."""
    line = next((x for x in head.lines if x.strip() and not x.startswith("#")), "")
    return split(line, "\t", str(head.path))


def read_columns(path: Path, label: str, wanted: Sequence[str]) -> tuple[list[str], Columns]:
    """Read named columns of a tab-separated file with a header."""
    head = look(path)
    table = read_header(head)
    return pick(head, table, label, wanted)


def pick(head: Head, table: Table, label: str, wanted: Sequence[str]) -> tuple[list[str], Columns]:
    """Read identifiers and values of named columns."""
    absent = [name for name in (label, *wanted) if name not in table.names]
    if absent:
        raise UserError(
            f"no column {some(absent)} among {some(table.names, 9)}",
            where=str(head.path),
            do="check that the file is of the stated format",
        )
    layout = Layout(
        skip=table.skip,
        separator=table.separator,
        n_fields=len(table.names),
        ids=(table.names.index(label),),
        columns=[table.names.index(name) for name in wanted],
        names=list(wanted),
    )
    return read_numbers(head, layout)


def assemble(
    files: Mapping[str, Path], read_one: ReadOne, where: str, notes: list[str]
) -> pd.DataFrame:
    """Join one column per file to a matrix; all files must list the same genes.

    Raises
    ------
    UserError
        If a file cannot be read, or lists other genes than the first one.
    """
    first: pd.Index | None = None
    rows = np.empty((len(files), 0))
    for k, path in enumerate(files.values()):
        ids, values = read_one(path)
        index = pd.Index(ids, dtype=object)
        if first is None:
            first, rows = index, np.empty((len(files), len(index)))
        if not index.equals(first):
            values = values[_same_genes(index, first, path, next(iter(files.values())))]
        rows[k] = values[:, 0]
    return matrix(first if first is not None else [], rows.T, list(files), where, notes)


def _same_genes(index: pd.Index, first: pd.Index, path: Path, other: Path) -> npt.NDArray[np.intp]:
    """Positions that bring `index` into the order of `first`."""
    if len(index) == len(first) and index.is_unique and first.is_unique:
        order = index.get_indexer(first)
        if (order >= 0).all():
            return order
    differ = index.symmetric_difference(first)
    raise UserError(
        f"{len(index):,} genes, but {len(first):,} in {other.name}; they differ in"
        f" {some(differ, 3) or 'their order, and some occur twice'}",
        where=str(path),
        do="use files made with one annotation",
    )
