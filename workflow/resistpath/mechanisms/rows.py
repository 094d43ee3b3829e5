"""One line of a table at a time, each cell checked, each complaint with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Hashable, Iterator, Sequence

import pandas as pd

from resistpath.errors import UserError, some


class Row:
    """One line of a table; every access checks the cell and knows where it stands."""

    def __init__(self, table: str, line: int, cells: dict[str, object], key: str) -> None:
        self._cells = cells
        label = cells[key]
        self.where = f"{table}, line {line}" + ("" if is_missing(label) else f" ({label})")

    def text(self, column: str) -> str:
        """Cell that must not be empty."""
        value = self.optional(column)
        if value is None:
            raise UserError(f"column {column!r} is empty", where=self.where, do="fill it in")
        return value

    def optional(self, column: str) -> str | None:
        """Cell that may be NA."""
        value = self._cells[column]
        return None if is_missing(value) else str(value).strip()

    def word(self, column: str, vocabulary: Collection[str]) -> str:
        """Cell whose value must be in the vocabulary."""
        value = self.text(column)
        if value not in vocabulary:
            raise UserError(
                f"column {column!r} is {value!r}",
                where=self.where,
                do=f"use one of {some(vocabulary, 9)}",
            )
        return value

    def identifier(self, column: str) -> str:
        """Cell made of letters, digits and underscores."""
        value = self.text(column)
        if not re.fullmatch(r"[A-Za-z0-9_]+", value):
            raise UserError(
                f"{value!r} is not an id", where=self.where, do="use letters, digits and _ only"
            )
        return value

    def number(self, column: str) -> float:
        """Cell that must be a finite number."""
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UserError(f"column {column!r} is {value!r}, not a number", where=self.where)
        return number

    def count(self, column: str) -> int:
        """Cell that must be a whole number above zero."""
        number = self.number(column)
        if number < 1 or number != int(number):
            raise UserError(
                f"column {column!r} is {number:g}, not a count above zero", where=self.where
            )
        return int(number)

    def parts(self, column: str, separator: str) -> tuple[str, ...]:
        """Cell that holds a list."""
        values = tuple(part.strip() for part in self.text(column).split(separator))
        if not all(values):
            raise UserError(f"column {column!r} has an empty entry", where=self.where)
        refuse_repeats(values, f"column {column!r} repeats", self.where)
        return values


def rows(frame: pd.DataFrame, table: str, columns: Sequence[str]) -> Iterator[Row]:
    """Lines of a table that has exactly these columns, the first of which is its key."""
    missing = [c for c in columns if c not in frame.columns]
    unknown = [c for c in frame.columns if c not in columns]
    if missing or unknown:
        what = [f"lacks the columns {some(missing, 20)}"] if missing else []
        what += [f"has unknown columns {some(unknown, 20)}"] if unknown else []
        raise UserError(" and ".join(what), where=table)
    refuse_repeats([str(c) for c in frame.columns], "columns occur twice:", table)
    if frame.empty:
        raise UserError("has no rows", where=table)
    for line, values in enumerate(frame.itertuples(index=False, name=None), start=2):
        yield Row(table, line, dict(zip(map(str, frame.columns), values, strict=True)), columns[0])


def is_missing(value: object) -> bool:
    """Whether a cell is empty, NaN or the text NA."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return True
    return str(value).strip() in ("", "NA")


def refuse_repeats(values: Sequence[Hashable], what: str, where: str) -> None:
    """Refuse a list that holds a value twice."""
    repeated = list(dict.fromkeys(v for v in values if values.count(v) > 1))
    if repeated:
        raise UserError(f"{what} {some(repeated)}", where=where, do="keep one")
