"""Read tables out of R's data files (``.rda``, ``.RData``, ``.rds``) without R.

Only data are read: numbers, texts, lists, names and dimensions, in the XDR form R writes by default
(R Internals, section "Serialization Formats"). Code, environments and whatever else a file may hold
is refused, and nothing is ever evaluated.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.files import need_file

SUFFIXES = (".rda", ".rdata", ".rds")
MOST_BYTES = 1 << 30
NIL, GLOBAL_ENV, EMPTY_ENV, BASE_ENV = 254, 253, 242, 241
SYMBOL, PAIRS, CHARS, LOGICAL, INTEGER, REAL, TEXTS, LIST = 1, 2, 9, 10, 13, 14, 16, 19
ALTERNATIVE, REFERENCE = 238, 255
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400
NA_INTEGER = -(1 << 31)


@dataclass
class Vector:
    """A vector or list with its attributes."""

    values: Any
    attributes: dict[str, Any] = field(default_factory=dict)


def read_r_data(path: Path | str) -> dict[str, Any]:
    """Read the objects of a file by name; the one object of an ``.rds`` file has the name ``""``.

    Returns
    -------
    dict
        Matrices and data frames of numbers become DataFrames, other vectors arrays or lists of
        text, named vectors Series, lists dictionaries (by position where they have no names).

    Raises
    ------
    UserError
        If the file is no R data file, is cut short, or holds more than data.
    """
    path = need_file(path, "R data file")
    try:
        data = _unpacked(path.read_bytes())
        head = data[:5]
        if head in (b"RDX2\n", b"RDX3\n"):
            data = data[5:]
        reader = _Reader(data, str(path))
        found = reader.whole()
    except (struct.error, IndexError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise UserError(
            "the file is damaged or no R data file", where=str(path), do="save it anew from R"
        ) from error
    named = found if isinstance(found, dict) else {"": found}
    return {name: _plain(value) for name, value in named.items()}


def _unpacked(data: bytes) -> bytes:
    for magic, opened in (
        (b"\x1f\x8b", lambda: zlib.decompressobj(31)),
        (b"BZh", bz2.BZ2Decompressor),
        (b"\xfd7zXZ", lzma.LZMADecompressor),
    ):
        if data.startswith(magic):
            out: bytes = opened().decompress(data, MOST_BYTES)
            return out
    return data


class _Reader:
    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.where, self.at = data, where, 0
        self.references: list[str] = []

    def take(self, n: int) -> bytes:
        if n < 0 or self.at + n > len(self.data):
            raise EOFError
        self.at += n
        return self.data[self.at - n : self.at]

    def integer(self) -> int:
        return int(struct.unpack(">i", self.take(4))[0])

    def length(self) -> int:
        n = self.integer()
        return n if n >= 0 else (self.integer() << 32) + self.integer()

    def numbers(self, kind: str) -> Any:
        n = self.length()
        return np.frombuffer(self.take(n * np.dtype(kind).itemsize), dtype=kind)

    def whole(self) -> Any:
        if self.take(2) != b"X\n":
            raise UserError(
                "the file is no binary R data file", where=self.where, do="save it with save()"
            )
        version = self.integer()
        self.take(8)
        if version == 3:
            self.take(self.integer())
        elif version != 2:
            raise UserError(f"R data of version {version} are not known", where=self.where)
        return self.item()

    def refuse(self, kind: int) -> UserError:
        return UserError(
            f"the file holds an object of R's type {kind}, which is not data",
            where=self.where,
            do="save only matrices, data frames, vectors and lists",
        )

    def item(self) -> Any:
        flags = self.integer()
        kind = flags & 0xFF
        if kind in (NIL, GLOBAL_ENV, EMPTY_ENV, BASE_ENV):
            return None
        if kind == REFERENCE:
            return self.references[(flags >> 8 or self.integer()) - 1]
        if kind == SYMBOL:
            self.references.append(self.item())
            return self.references[-1]
        if kind == CHARS:
            n = self.integer()
            return None if n == -1 else self.take(n).decode("utf-8", errors="replace")
        if kind == PAIRS:
            return self.pairs(flags)
        if kind == ALTERNATIVE:
            return self.alternative()
        values: Any
        if kind in (LOGICAL, INTEGER):
            values = self.numbers(">i4")
        elif kind == REAL:
            values = self.numbers(">f8")
        elif kind in (TEXTS, LIST):
            values = [self.item() for _ in range(self.length())]
        else:
            raise self.refuse(kind)
        attributes = self.item() if flags & HAS_ATTRIBUTES else {}
        return Vector(values, attributes or {})

    def pairs(self, flags: int) -> dict[str, Any]:
        """Read a chain of tagged values."""
        out: dict[str, Any] = {}
        while flags & 0xFF == PAIRS:
            if flags & HAS_ATTRIBUTES:
                self.item()
            tag = self.item() if flags & HAS_TAG else str(len(out))
            out[str(tag)] = self.item()
            flags = self.integer()
        if flags & 0xFF != NIL:  # a pair whose second half is no chain
            self.at -= 4
            out[str(len(out))] = self.item()
        return out

    def alternative(self) -> Vector:
        """Read a vector in one of R's compact forms."""
        info, state, attributes = self.item(), self.item(), self.item()
        name = next(iter(info.values())) if isinstance(info, dict) else ""
        if name in ("compact_intseq", "compact_realseq"):
            n, first, step = (float(v) for v in state.values)
            return Vector(first + step * np.arange(int(n)), attributes or {})
        if isinstance(name, str) and name.startswith("wrap_"):
            inner = state.values[0] if isinstance(state, Vector) else next(iter(state.values()))
            return Vector(inner.values, {**inner.attributes, **(attributes or {})})
        raise self.refuse(ALTERNATIVE)


def _plain(value: Any) -> Any:
    """Turn vectors with attributes into what Python calls such things."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if not isinstance(value, Vector):
        return value
    attributes = {name: _plain(item) for name, item in value.attributes.items()}
    names = attributes.get("names")
    if "levels" in attributes:
        levels = attributes["levels"]
        return [levels[code - 1] if code > 0 else None for code in value.values]
    if isinstance(value.values, list):
        return _list(value.values, names, attributes)
    numbers = value.values.astype(np.float64)
    if value.values.dtype.kind == "i":
        numbers[value.values == NA_INTEGER] = np.nan
    if "dim" in attributes and len(attributes["dim"]) == 2:
        rows, columns = (int(d) for d in attributes["dim"])
        labels = attributes.get("dimnames") or {}
        index, header = (labels.get(str(i)) for i in range(2))
        return pd.DataFrame(numbers.reshape((rows, columns), order="F"), index, header)
    return numbers if names is None else pd.Series(numbers, index=names)


def _list(values: list[Any], names: Any, attributes: dict[str, Any]) -> Any:
    if all(item is None or isinstance(item, str) for item in values):
        return values
    items = [_plain(item) for item in values]
    labels = [str(i) for i in range(len(items))] if names is None else [str(n) for n in names]
    if "row.names" in attributes and len({len(item) for item in items}) == 1:
        index = attributes["row.names"]
        automatic = not isinstance(index, list)
        frame = pd.DataFrame(dict(zip(labels, items, strict=True)))
        return frame if automatic else frame.set_axis(index)
    return dict(zip(labels, items, strict=True))
