"""Tables of numbers from text: streamed, exact, in the memory of the result and one block.

pyarrow parses each number to the nearest double, as Python does; pandas needs three to four
times as long for that.
"""

from __future__ import annotations

import ctypes
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

from resistpath.errors import UserError
from resistpath.io.readers.opening import Head, Stream
from resistpath.io.tables import MISSING

THREADS = 2
"""Blocks of text that are parsed at the same time; they change no number."""
BLOCK_BYTES = 1 << 21
WIDE_BLOCK = 1 << 25
"""Tables with genes in columns take blocks up to this size, since each column costs time."""
_FLOAT64 = pa.float64()
_WHOLE_FLOAT32 = 1 << 24
"""Up to here float32 holds every whole number."""
_FEW_NULLS = ["", "NA"]
_NULLS = [f"{left}{word}{right}" for word in MISSING for left in ("", " ") for right in ("", " ")]


@dataclass(frozen=True)
class Layout:
    """Where the numbers of a text table stand.

    Attributes
    ----------
    skip
        Lines before the first row.
    separator, decimal
        Between fields, and within numbers.
    n_fields
        Fields of each row.
    ids
        Positions of the identifiers; several are joined by ``|``.
    columns, names
        Positions of the values and what they are called, in the same order.
    end
        A line that begins so must close the table; empty if there is none.
    turned
        Whether identifiers are those of samples, for messages.
    """

    skip: int
    separator: str
    n_fields: int
    ids: tuple[int, ...]
    columns: Sequence[int]
    names: Sequence[str]
    decimal: str = "."
    end: str = ""
    turned: bool = False


def read_numbers(
    head: Head, layout: Layout, *, compact: bool = False
) -> tuple[list[str], npt.NDArray[Any]]:
    """Read identifiers and values, rows x columns of the layout.

    Values are float64 or, if `compact`, float32 where that holds every one of them exactly, as
    it does read counts.

    Raises
    ------
    UserError
        If a row has another number of fields, or a cell is neither a number nor missing.
    """
    if not layout.columns:
        raise UserError(
            "there is no column of numbers beside the genes",
            where=str(head.path),
            do="check the separator, and that each sample has a column",
        )
    ragged: list[pc.InvalidRow] = []
    ends: list[pc.InvalidRow] = []

    def judge(row: pc.InvalidRow) -> str:
        if layout.end and row.text.startswith(layout.end):
            ends.append(row)
            return "skip"
        ragged.append(row)
        return "error"

    dtype = np.float32 if compact else np.float64
    try:
        try:
            if layout.end:  # a line that is no row
                raise _OneByOne
            ids, values = _collect(_parsed_apart(head, layout, dtype), layout, dtype)
        except (pa.ArrowInvalid, _OneByOne):  # read in order, which can say where and what
            ids, values = _collect(_parsed(head, layout, judge, dtype), layout, dtype)
    except pa.ArrowInvalid as error:
        raise _explained(str(error), ragged, head, layout) from error
    if layout.end and not ends:
        raise UserError(
            f"the table is not closed by {layout.end}: the file is cut off",
            where=str(head.path),
            do="download it again",
        )
    release_memory()
    return ids, values


def release_memory() -> None:
    """Give memory that was freed back to the system: Arrow's, and that of malloc (glibc only)."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class _OneByOne(Exception):
    """The text cannot be taken apart at its line ends."""


Parsed = tuple[list[str], npt.NDArray[Any]]
"""Identifiers and values of some rows."""


def _collect(
    parts: Iterable[Parsed], layout: Layout, dtype: type[np.floating[Any]]
) -> tuple[list[str], npt.NDArray[Any]]:
    """Join rows; float32 gives way to float64 at the first inexact value."""
    ids: list[str] = []
    values = np.empty((0, len(layout.columns)), dtype=dtype)
    n = 0
    for names, block in parts:
        ids += names
        more = len(block)
        if n + more > len(values):  # grown in place: the old pages are moved, not copied
            room = max(n + more, len(values) * 17 // 16)
            values.resize((room, values.shape[1]), refcheck=False)
        if block.dtype != values.dtype and values.dtype == np.float32:
            values = values.astype(np.float64)
        values[n : n + more] = block
        n += more
    values.resize((n, values.shape[1]), refcheck=False)
    return ids, values


def _rows(batch: pa.RecordBatch, layout: Layout, dtype: type[np.floating[Any]]) -> Parsed:
    """Identifiers and values of a batch, in float32 if that is wanted and exact."""
    parts = [batch.column(str(i)).to_pylist() for i in layout.ids]
    ids = parts[0] if len(parts) == 1 else ["|".join(row) for row in zip(*parts, strict=True)]
    wanted = batch.select(list(map(str, layout.columns)))
    block = wanted.to_tensor(null_to_nan=True, row_major=True).to_numpy()
    small = _exact_float32(block) if dtype == np.float32 else None
    return ids, block if small is None else small


def _parsed(
    head: Head, layout: Layout, judge: Callable[..., str], dtype: type[np.floating[Any]]
) -> Iterator[Parsed]:
    """Rows in order, one block after the other."""
    for batch in _batches(head, layout, _types(layout), judge):
        yield _rows(batch, layout, dtype)


def _parsed_apart(head: Head, layout: Layout, dtype: type[np.floating[Any]]) -> Iterator[Parsed]:
    """Rows in order, `THREADS` blocks of whole lines at a time.

    Whole numbers and few words for missing values are tried first, as those take two thirds of
    the time; the first block that holds more passes what it needs on to the next ones.
    """
    splitting = pc.ParseOptions(delimiter=layout.separator)
    names = [str(i) for i in range(layout.n_fields)]
    ways = [
        _convert(layout, _types(layout, pa.int32()), _FEW_NULLS),
        _convert(layout, _types(layout), _FEW_NULLS),
        _convert(layout, _types(layout)),
    ]
    first = [0]

    def parse(text: bytes) -> list[Parsed]:
        reading = pc.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=False)
        at = first[0] or int(_unlike_integers(text))
        while True:
            try:
                table = pc.read_csv(pa.BufferReader(text), reading, splitting, ways[at])
                break
            except pa.ArrowInvalid:
                at += 1
                if at == len(ways):
                    raise
                first[0] = max(first[0], at)
        return [_rows(batch, layout, dtype) for batch in table.to_batches()]

    with head.open(ahead=True) as stream, ThreadPoolExecutor(THREADS) as pool:
        stream.skip(layout.skip)
        waiting: deque[Future[list[Parsed]]] = deque()
        for text in _whole_lines(stream, _block_size(head)):
            waiting.append(pool.submit(parse, text))
            if len(waiting) > THREADS:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _unlike_integers(text: bytes) -> bool:
    """Whether there may be what would change as an integer: hexadecimal digits, a negative zero.

    pyarrow takes the first for numbers, and the second loses its sign. Names such as HLA-0 or
    X0X only cost time.
    """
    return (
        any(text[at - 1] == ord("0") for mark in (b"x", b"X") for at in _places(text, mark))
        or any(text[at + 1 : at + 2] == b"0" for at in _places(text, b"-"))
    )  # fmt: skip


def _places(text: bytes, mark: bytes) -> Iterator[int]:
    """Where one byte occurs; searched for by the C library, at many GB a second."""
    at = text.find(mark)
    while at >= 0:
        yield at
        at = text.find(mark, at + 1)


def _whole_lines(stream: Stream, size: int) -> Iterator[bytes]:
    """Text in blocks of about this size that end with a line; blank ones are left out."""
    rest = b""
    while more := stream.read(size):
        cut = more.rfind(b"\n") + 1
        if not cut:
            rest += more
            if len(rest) > 2 * WIDE_BLOCK:
                raise _OneByOne
            continue
        text, rest = rest + more[:cut], more[cut:]
        if not text.isspace():
            yield text
    if rest and not rest.isspace():
        yield rest


def _exact_float32(block: npt.NDArray[Any]) -> npt.NDArray[np.float32] | None:
    """The block as float32 if that holds every value exactly."""
    if block.dtype == np.int32:
        top = max(int(block.max(initial=0)), -int(block.min(initial=0)))
        return block.astype(np.float32) if top <= _WHOLE_FLOAT32 else None
    with np.errstate(over="ignore"):
        small = block.astype(np.float32)
    same = small == block
    return small if same.all() or np.isnan(block[~same]).all() else None


def _types(layout: Layout, number: pa.DataType = _FLOAT64) -> dict[str, pa.DataType]:
    ids, columns = (map(str, names) for names in (layout.ids, layout.columns))
    return dict.fromkeys(ids, pa.string()) | dict.fromkeys(columns, number)


def _convert(
    layout: Layout, types: dict[str, pa.DataType], nulls: Sequence[str] = _NULLS
) -> pc.ConvertOptions:
    return pc.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=nulls,
        decimal_point=layout.decimal,
    )


def _block_size(head: Head) -> int:
    """Bytes of text at a time: as many lines as make the columns worth their while."""
    longest = max((len(line) for line in head.lines), default=0)
    return max(BLOCK_BYTES, min(64 * longest, WIDE_BLOCK), 4 * longest)


def _batches(
    head: Head, layout: Layout, types: dict[str, pa.DataType], judge: Callable[..., str]
) -> Iterator[pa.RecordBatch]:
    """Record batches of the wanted columns; none for a table without rows."""
    with head.open(ahead=True) as stream:
        stream.skip(layout.skip)
        try:
            yield from pc.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=pc.ReadOptions(
                    column_names=[str(i) for i in range(layout.n_fields)],
                    block_size=_block_size(head),
                    use_threads=False,  # row numbers in messages
                ),
                parse_options=pc.ParseOptions(
                    delimiter=layout.separator, invalid_row_handler=judge
                ),
                convert_options=_convert(layout, types),
            )
        except pa.ArrowInvalid as error:
            if str(error) != "Empty CSV file":
                raise


def _explained(message: str, ragged: list[pc.InvalidRow], head: Head, layout: Layout) -> UserError:
    """Say in our words what pyarrow could not read."""
    where = str(head.path)
    if ragged:
        row = ragged[0]
        if row.text.count('"') % 2:
            return UserError(
                f"row {row.number} of the table opens a quotation mark that is not closed",
                where=where,
                do="remove it",
            )
        return UserError(
            f"row {row.number} of the table has {row.actual_columns} fields, the first row"
            f" {row.expected_columns}; it begins {row.text[:40]!r}",
            where=where,
            do="check that the file is complete and that no cell holds the separator",
        )
    cell = re.search(r"CSV column #(\d+).*CSV conversion error to (\w+)", message, re.S)
    if cell and cell[2] == "double":
        return _not_numbers(int(cell[1]), head, layout)
    if cell:
        return UserError("the identifiers are not UTF-8 text", where=where, do="save it as UTF-8")
    if "straddling" in message:
        return UserError(
            "one row is many times longer than the first ones",
            where=where,
            do="check the line ends",
        )
    said = " ".join(message[:200].split())
    return UserError(f"the table cannot be parsed ({said})", where=where, do="check the file")


def _not_numbers(column: int, head: Head, layout: Layout) -> UserError:
    """Read one column again as text, to count what is no number and show the first."""
    wanted = [str(layout.ids[0]), str(column)]
    name = layout.names[list(layout.columns).index(column)]
    count, first = 0, ("", "")
    try:
        for batch in _batches(head, layout, dict.fromkeys(wanted, pa.string()), lambda _: "skip"):
            cells = pd.Series(batch.column(wanted[1]).to_pylist(), dtype=object)
            plain = cells.str.strip().str.replace(layout.decimal, ".", regex=False)
            bad = pd.to_numeric(plain, errors="coerce").isna() & ~cells.isin(_NULLS)
            if layout.decimal == ",":
                bad |= cells.str.contains(".", regex=False)
            if bad.any() and not count:
                at = int(np.flatnonzero(bad)[0])
                first = (str(cells[at]), str(batch.column(wanted[0])[at].as_py()))
            count += int(bad.sum())
    except pa.ArrowInvalid:  # something worse further down; what was found so far is said
        count = max(count, 1)
    sample, gene = (first[1], name) if layout.turned else (name, first[1])
    return UserError(
        f"sample {sample[:60]!r} holds {count} values that are not numbers,"
        f" first {first[0][:40]!r} for gene {gene[:40]!r}",
        where=str(head.path),
        do=_remedy(first[0], layout.decimal),
    )


def _remedy(cell: str, decimal: str) -> str:
    if decimal == "," or re.fullmatch(r"-?[\d.]*(,\d+)+", cell):
        return "write all decimals with a point, and no sign between thousands"
    if cell.startswith("#"):
        return "this is an error value of a spreadsheet: correct it there"
    return "every cell after the gene column must be a number or NA"
