"""Opening a file of unknown make: compression, archive, encoding, and what is no table at all.

Nothing is unpacked to disk, no pickled or R object is read, and a stream that grows out of all
proportion is stopped.
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa
from isal import igzip, igzip_threaded, isal_zlib

from resistpath.errors import UserError, some
from resistpath.io.files import need_file
from resistpath.io.readers.refused import AS_TEXT, COMPRESSED, refuse, text_encoding

HEAD_BYTES = 1 << 20
"""How much of a file is looked at to recognise it; more if its first lines are longer."""
HEAD_LIMIT = 1 << 26
"""Two lines longer than this together are no table."""
BOMB_BYTES = 1 << 28
BOMB_RATIO = 250
"""A stream that has passed `BOMB_BYTES` may not be this many times its compressed size.

Expression matrices compress 3- to 30-fold; a run of zeros 1,000-fold by deflate."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_DAMAGE: tuple[Any, ...] = (  # isal's own types have its error as an object, not a class
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
    isal_zlib.error,
)


class Readable(Protocol):
    """What is needed of a stream of bytes."""

    def read(self, n: int = -1, /) -> bytes:
        """Return up to n bytes; nothing at the end."""


class Stream:
    """Decompressed bytes as UTF-8, with damage and bombs turned into sentences."""

    closed = False

    def __init__(self, inner: Readable, path: Path, encoding: str) -> None:
        self._inner, self._path, self._size = inner, path, path.stat().st_size
        self._total = 0
        self._ahead = b""
        self._decoder = None
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)()

    def skip(self, lines: int) -> None:
        """Pass over whole lines, however they end."""
        data = b""
        ends: list[int] = []
        while len(ends) <= lines and (more := self.read(1 << 20)):  # one more: \r and \n together
            data += more
            ends = [m.end() for m in _LINE_END.finditer(data)]
        if lines:
            data = data[ends[lines - 1] :] if len(ends) >= lines else b""
        self._ahead = data

    def read(self, n: int = -1) -> bytes:
        """Return up to n bytes; nothing at the end."""
        data = self._ahead or self._next(n)
        if n < 0 or len(data) <= n:
            self._ahead = b""
            return data
        self._ahead = data[n:]
        return data[:n]

    def _next(self, n: int) -> bytes:
        """Return about n bytes as UTF-8."""
        while True:
            data = self._raw(n)
            if self._decoder is None:
                return data
            try:
                text = self._decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise UserError(
                    f"the text is damaged ({error.reason})",
                    where=str(self._path),
                    do="save it as UTF-8",
                ) from error
            if text or not data:
                return text.encode()

    def _raw(self, n: int) -> bytes:
        try:
            data = self._inner.read(n)
        except _DAMAGE as error:
            raise UserError(
                "the compressed file is damaged or truncated",
                where=str(self._path),
                do="download it again",
            ) from error
        self._total += len(data)
        if self._total > BOMB_BYTES and self._total > BOMB_RATIO * self._size:
            raise UserError(
                f"the file expands to more than {BOMB_RATIO} times its size:"
                " a decompression bomb, or no expression matrix",
                where=str(self._path),
                do="check where the file comes from",
            )
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self._inner.close()  # type: ignore[attr-defined]

    def readable(self) -> bool:
        """Tell pyarrow that it can read."""
        return True

    def writable(self) -> bool:
        """Tell pyarrow that it cannot write."""
        return False

    def seekable(self) -> bool:
        """Tell pyarrow that it cannot seek."""
        return False


@dataclass(frozen=True)
class Head:
    """The beginning of a file, decompressed, by which its format is recognised.

    Attributes
    ----------
    path
        The file.
    compression
        ``""``, ``gzip``, ``bz2``, ``xz``, ``zstd`` or ``zip`` (of one member).
    encoding
        ``utf-8``, ``utf-16``; ``""`` for Parquet, HDF5 and Excel.
    data
        First bytes as UTF-8.
    whole
        Whether `data` is all there is.
    """

    path: Path
    compression: str
    encoding: str
    data: bytes
    whole: bool

    @property
    def name(self) -> str:
        """File name without the suffix of its compression."""
        return re.sub(r"\.(gz|bgz|bz2|xz|zst|zstd|zip)$", "", self.path.name, flags=re.I)

    @cached_property
    def lines(self) -> list[str]:
        """Complete lines of the head."""
        if not self.encoding:
            return []
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(self.data, final=self.whole)
        except UnicodeDecodeError as error:
            line = self.data[: error.start].count(b"\n") + 1
            raise UserError(
                f"line {line} is not UTF-8 text", where=str(self.path), do="save it as UTF-8"
            ) from error
        lines = re.split(r"\r\n|\n|\r", text)
        if not self.whole or not lines[-1]:
            lines.pop()
        return lines

    def open(self, *, ahead: bool = False) -> Stream:
        """Open the file from its first byte, decompressed and as UTF-8.

        With `ahead`, gzip is decompressed by a thread some MB before it is asked for.
        """
        if ahead and self.compression == "gzip":
            inner = igzip_threaded.open(self.path)  # type: ignore[no-untyped-call]
        else:
            inner = _decompressed(self.path, self.compression)
        return Stream(inner, self.path, self.encoding)


def read_all(path: Path | str, what: str) -> bytes:
    """Return a small text file whole, decompressed and as UTF-8."""
    with look(path, what).open() as stream:
        return b"".join(iter(lambda: stream.read(1 << 20), b""))


def look(path: Path | str, what: str = "expression matrix") -> Head:
    """Open a file far enough to recognise its format; `what` it should be is for messages.

    Raises
    ------
    UserError
        If the file is missing, empty, damaged, an archive of several files, or of a kind that is
        never read.
    """
    path = need_file(path, what)
    try:
        with path.open("rb") as handle:
            start = handle.read(8)
    except OSError as error:
        raise UserError(f"the file cannot be read ({error.strerror})", where=str(path)) from error
    compression = next((name for magic, name in COMPRESSED if start.startswith(magic)), "")
    if compression == "zip" and _is_workbook(path):
        return Head(path, "", "", start, whole=False)
    head = Head(path, compression, "utf-8", b"", whole=False)
    with head.open() as stream:
        data, whole = _first(stream, HEAD_BYTES)
    refuse(data, compression, path)
    if data.startswith((b"PAR1", b"\x89HDF")):
        return replace(head, encoding="", data=data[:8])
    head = replace(head, encoding=text_encoding(data, path))
    with head.open() as stream:
        data, whole = _first(stream, HEAD_BYTES)
        while not whole and len(_LINE_END.findall(data)) < 3:
            more, whole = _first(stream, len(data))
            data += more
            if len(data) > HEAD_LIMIT:
                raise UserError(
                    f"no line ends within the first {len(data):,} bytes: this is no table",
                    where=str(path),
                    do=AS_TEXT,
                )
    return replace(head, data=data, whole=whole)


def _first(stream: Stream, size: int) -> tuple[bytes, bool]:
    """Read `size` bytes, and say whether the stream ended before."""
    parts: list[bytes] = []
    total = 0
    while total < size:
        part = stream.read(min(size - total, 1 << 20))
        if not part:
            return b"".join(parts), True
        parts.append(part)
        total += len(part)
    return b"".join(parts), False


def _decompressed(path: Path, compression: str) -> Any:
    if compression == "gzip":
        # A third of the time of gzip.
        return igzip.open(path)  # type: ignore[no-untyped-call]
    if compression == "bz2":
        return bz2.open(path)
    if compression == "xz":
        return lzma.open(path)
    if compression == "zstd":
        return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    if compression == "zip":
        return _sole_member(path)
    return path.open("rb")


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False  # said properly when it is opened


def _sole_member(path: Path) -> Any:
    """Open the one file of a zip archive."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UserError(
            "the zip archive is damaged or truncated",
            where=str(path),
            do="download it again",
        ) from error
    hidden = re.compile(r"(^|/)(__MACOSX/|\.DS_Store)|/$")
    members = [m for m in archive.infolist() if not hidden.search(m.filename)]
    names = some([m.filename[:80] for m in members], 3)
    if len(members) != 1:
        raise UserError(
            f"the zip archive holds {len(members)} files{': ' if members else ''}{names}",
            where=str(path),
            do="unpack it and give the one with the matrix, or the folder",
        )
    try:
        return archive.open(members[0])
    except (RuntimeError, zipfile.BadZipFile) as error:  # encrypted, or a rare compression
        raise UserError(
            "the zip archive is encrypted or of a rare kind", where=str(path), do="unpack it first"
        ) from error
