"""Symbols that a spreadsheet turned into dates, and the way back where there is only one.

Excel reads a month's name or the beginning of one, followed by a number, as a day: SEPT2 becomes
2-Sep, MARCH1 and MARC1 both become 1-Mar. What it then shows depends on the cell's format and
the country: ``2-Sep``, ``Sep-02``, ``2021-09-02``, ``9/2/2021`` or the day's number, 44441.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

import pandas as pd

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_OTHER = {"mrz": 3, "mär": 3, "mars": 3, "mai": 5, "okt": 10, "dez": 12, "dic": 12, "ene": 1}
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|mrz|mär|mai|okt|dez)"
)
_DAY_MONTH = re.compile(rf"(\d{{1,2}})[-/. ]+{_MONTH}\.?(?:[-/. ]+\d{{2,4}})?", re.IGNORECASE)
_MONTH_NUMBER = re.compile(rf"{_MONTH}[-/. ]+(\d{{2}}|\d{{4}})", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ t]\d{1,2}:\d{2}(?::\d{2})?)?", re.I)
_NUMERIC = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2}|\d{4})")
_SERIAL = re.compile(r"(\d{5})(?:\.0+)?")
_DATED_NAME = re.compile(r"([A-Za-z]{3,9})[- ]?0?(\d{1,2})")  # SEPT2, MARC1, DEC-1
_DATED = re.compile(
    r"(?:^|\|)(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ]?\d{1,2}(?:\||$)",
    re.IGNORECASE,
)
_FIRST = datetime.date(1899, 12, 30)
_SERIALS = range(32874, 51136)  # 1990 to 2039

DAMAGED = "looks like a date (spreadsheet damage)"

Day = tuple[int, int]


def _month(word: str) -> int:
    word = word.lower()
    found = [i for i, month in enumerate(MONTHS, 1) if month.startswith(word[:3])]
    return _OTHER.get(word) or found[0]


def possible_days(text: str) -> set[Day]:
    """Months and numbers that a spreadsheet may have read, given what it shows.

    Examples
    --------
    >>> sorted(possible_days("2-Sep"))
    [(9, 2)]
    >>> sorted(possible_days("2002-09-01"))
    [(9, 1), (9, 2)]
    >>> sorted(possible_days("44441"))
    [(9, 2)]
    """
    if m := _DAY_MONTH.fullmatch(text):
        return {(_month(m[2]), int(m[1]))}
    if m := _MONTH_NUMBER.fullmatch(text):
        return {(_month(m[1]), int(m[2]) % 100)}
    if m := _ISO.fullmatch(text):
        return set(_full(int(m[1]), int(m[2]), int(m[3])))
    if m := _NUMERIC.fullmatch(text):
        year = int(m[3]) + (2000 if len(m[3]) == 2 else 0)
        return {*_full(year, int(m[1]), int(m[2])), *_full(year, int(m[2]), int(m[1]))}
    if (m := _SERIAL.fullmatch(text)) and int(m[1]) in _SERIALS:
        day = _FIRST + datetime.timedelta(days=int(m[1]))
        return set(_full(day.year, day.month, day.day))
    return set()


def _full(year: int, month: int, day: int) -> Iterator[Day]:
    """A whole date stands for its day, or, on the first, for month and year (SEPT2: Sep-02)."""
    if 1 <= month <= 12 and 1 <= day <= 31:
        yield month, day
        if day == 1 and 2001 <= year <= 2031:
            yield month, year - 2000


def dated_names(table: pd.DataFrame) -> pd.DataFrame:
    """Find the names of genes that a spreadsheet takes for days.

    Parameters
    ----------
    table
        The gene table: symbol, previous, alias.

    Returns
    -------
    DataFrame
        One row per name, indexed by (month, number): row of the table, rank (0 approved,
        1 previous, 2 alias), text for the report.
    """
    claims = []
    symbols = table["symbol"].to_numpy(dtype=object)
    for rank, column in enumerate(("symbol", "previous", "alias")):
        for row, names in enumerate(table[column]):
            if not names or not _DATED.search(names):
                continue
            for name in names.split("|"):
                if day := _day(name):
                    of = f"{('', 'previous symbol', 'alias')[rank]} of {symbols[row]}"
                    claims.append((day, row, rank, f"{name}, {of}" if rank else name))
    out = pd.DataFrame(claims, columns=["day", "row", "rank", "text"])
    return out.set_index("day")


def _day(name: str) -> Day | None:
    m = _DATED_NAME.fullmatch(name)
    if not m:
        return None
    month = next((i for i, x in enumerate(MONTHS, 1) if x.startswith(m[1].lower())), 0)
    return (month, int(m[2])) if month and 1 <= int(m[2]) <= 31 else None


def recover(text: str, dates: pd.DataFrame) -> tuple[int, str]:
    """Gene row (-1 if none or several) and reason for one damaged identifier, or no reason.

    Approved and previous symbols are tried first, because a matrix is written in the approved
    symbols of its day; aliases only where there is no such symbol.
    """
    days = possible_days(text)
    if not days:
        return -1, ""
    found = dates[dates.index.isin(days)]
    named = found[found["rank"] < 2]
    found = (named if len(named) else found).drop_duplicates("row").sort_values("row")
    if len(found) == 1:
        return int(found["row"].iloc[0]), f"spreadsheet date of {found['text'].iloc[0]}"
    if len(found):
        return -1, f"spreadsheet date, ambiguous: {' or '.join(found['text'])}"
    return -1, DAMAGED if not _SERIAL.fullmatch(text) else ""
