"""One row per sample for a laboratory information system, as RFC 4180 text."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resistpath.io.files import replacing

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters at which a spreadsheet starts to compute."""


def cell(value: Any) -> str:
    r"""Write a value as one line that no spreadsheet computes; a missing one is empty.

    Numbers are written as they are, with as many digits as they need.

    >>> cell("=HYPERLINK(1)"), cell(-1.5), cell(float("nan")), cell("a\nb")
    ("'=HYPERLINK(1)", '-1.5', '', 'a b')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return repr(value) if math.isfinite(value) else ""
    if hasattr(value, "item"):
        return cell(value.item())
    text = " ".join(str(value).split())
    # What a spreadsheet skips before a formula is skipped here too.
    return f"'{text}" if text.lstrip("\ufeff\u200b\u00a0").startswith(FORMULA) else text


def write_lims(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV: comma, CRLF, quotes where needed, UTF-8, a header."""
    with (
        replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as handle,
    ):
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([[cell(row.get(name)) for name in columns] for row in rows])
