"""Words and numbers as a page prints them, and untrusted text made inert."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

Scalar = str | int | float | bool | None

MISSING = "–"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>]+")


def plain(value: Any) -> Scalar:
    r"""Turn one cell into text, a number, a truth value or None (missing).

    Control characters and halves of surrogate pairs become U+FFFD, so that the text can be
    written as UTF-8 and read by every parser.

    >>> plain(float("nan")) is None
    True
    >>> plain("A\x00B")
    'A\ufffdB'
    """
    if isinstance(value, str):
        return _CONTROL.sub("\ufffd", str(value))
    if value is None or isinstance(value, (bool, int)):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if str(value) in ("<NA>", "NaT") else plain(str(value))


def words(value: Any, absent: str = "") -> str:
    """Text of a cell on one line; `absent` where it is missing or empty.

    >>> words(None, "not stated")
    'not stated'
    >>> words(2.0)
    '2'
    """
    scalar = plain(value)
    if scalar is None:
        return absent
    if isinstance(scalar, float) and scalar.is_integer() and abs(scalar) < 1e15:
        scalar = int(scalar)
    return " ".join(str(scalar).split()) or absent


def listed(names: Iterable[str], limit: int = 6, more: str = "more") -> str:
    """Join names as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    >>> listed("abcd", limit=2)
    'a, b and 2 more'
    >>> listed("abc", limit=2)
    'a, b and c'
    """
    items = list(names)
    if len(items) > limit + 1:
        items = [*items[:limit], f"{len(items) - limit} {more}"]
    return " and ".join(([", ".join(items[:-1])] if items[1:] else []) + items[-1:])


def first_phrase(text: str) -> str:
    """Return the first clause of a reason: up to the first semicolon or full stop.

    >>> first_phrase("interval 60 to 90 crosses 75; 3 readouts")
    'interval 60 to 90 crosses 75'
    """
    return re.split(r";\s|\.\s|\.$", text.strip(), maxsplit=1)[0]


def sentence(text: str) -> str:
    """Give a text a capital and a full stop.

    >>> sentence("no reads")
    'No reads.'
    """
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def plural(n: int, one: str, many: str) -> str:
    """Choose a word by number.

    >>> plural(1, "reads", "read")
    'reads'
    """
    return one if n == 1 else many


def percentile_text(value: float | None) -> str:
    """Whole percentiles; the ends are never rounded to 0 or 100.

    >>> [percentile_text(v) for v in (0.2, 0.6, 50.4, 99.7, None)]
    ['<1', '<1', '50', '>99', '–']
    """
    if value is None:
        return MISSING
    if value < 1:
        return "<1"
    return ">99" if value > 99 else f"{value:.0f}"


def end_text(value: float | None) -> str:
    """Whole percentiles for the end of an interval, where 0 and 100 may stand.

    >>> end_text(99.7)
    '100'
    """
    return MISSING if value is None else f"{value:.0f}"


def number_text(value: float | None) -> str:
    """Three significant digits, thousands separated, a true minus sign.

    >>> [number_text(v) for v in (18432, 0.01234, -2.5, 0, 1e-7, 1234.56)]
    ['18,432', '0.0123', '−2.5', '0', '1e−07', '1,235']
    """
    if value is None:
        return MISSING
    text = f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")


def fixed_text(value: float | None) -> str:
    """Two decimals, for columns of numbers of one size.

    >>> fixed_text(5.4), fixed_text(-0.001)
    ('5.40', '0.00')
    """
    return MISSING if value is None else f"{value:z.2f}".replace("-", "−")


def tenth_text(value: float | None) -> str:
    """One decimal, for means of percentiles.

    >>> tenth_text(-0.041), tenth_text(-15.55)
    ('0.0', '−15.6')
    """
    return MISSING if value is None else f"{value:z.1f}".replace("-", "−")


def limit_text(text: str) -> str:
    """Write the number of a limit as the other numbers are written.

    >>> limit_text("≥ 1e+06"), limit_text("≥ -0.9"), limit_text("none")
    ('≥ 1,000,000', '≥ −0.9', 'none')
    """
    sign, _, number = text.partition(" ")
    if sign not in ("≥", "≤"):
        return text
    return f"{sign} {number_text(float(number))}"


def share_text(value: float | None) -> str:
    """Return a fraction of one as per cent.

    >>> [share_text(v) for v in (0.1234, 0.0004, 0, 0.9999, 1, None)]
    ['12.3 %', '<0.1 %', '0 %', '>99.9 %', '100 %', '–']
    """
    if value is None:
        return MISSING
    if 0 < value < 0.001:
        return "<0.1 %"
    if 0.999 < value < 1:
        return ">99.9 %"
    text = f"{100 * value:.1f}"
    return f"{text.removesuffix('.0')} %".replace("-", "−")


def doi_url(text: str) -> str | None:
    """Return the address of a DOI, or None where the text holds none.

    >>> doi_url("10.1172/JCI91190")
    'https://doi.org/10.1172/JCI91190'
    >>> doi_url("javascript:alert(1)") is None
    True
    """
    found = _DOI.search(text)
    return f"https://doi.org/{quote(found[0].rstrip('.,;'), safe='/()-._:')}" if found else None


def css_string(text: str) -> str:
    r"""Quote a text for a style sheet; everything but ASCII letters and digits is escaped.

    >>> css_string("a</style>")
    '"a\\3c \\2f style\\3e "'
    """
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text) + '"'
