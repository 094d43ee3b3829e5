"""The small language in which rules and patterns are written down, and how it is answered.

A condition is ``ITEM VIEW TEST``:

- ITEM ``readout:ID`` (as in ``readouts.tsv``) or ``mechanism:ID`` (high means more of it);
- VIEW ``raw``, ``residual`` (given T-cell inflammation) or, for readouts, ``given:READOUT``;
- TEST ``above N`` or ``below N``, N a percentile; in patterns also ``rises`` or ``falls``.

In patterns a word before it says of what: ``change``, ``earlier`` or ``later``. Conditions are
parted by semicolons and all must hold. An answer is ``met`` if the whole interval lies where the
condition wants it, ``not met`` if the whole interval lies where it does not, else ``cannot say``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from resistpath.errors import UserError, some
from resistpath.mechanisms.records import Catalogue
from resistpath.mechanisms.rows import Row
from resistpath.mechanisms.standing import GIVEN

MET, NOT_MET, CANNOT_SAY = "met", "not met", "cannot say"
OUTCOMES: Final = (MET, NOT_MET, CANNOT_SAY)
CHANGE, EARLIER, LATER = "change", "earlier", "later"

_POSITION = r"(?P<item>(?:readout|mechanism):\w+) (?P<view>raw|residual|given:\w+)"
_LEVEL = re.compile(_POSITION + r" (?P<test>above|below) (?P<bound>\d+(?:\.\d+)?)")
_SHIFT = re.compile(_POSITION + r" (?P<test>rises|falls)")


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes
    ----------
    item
        ``readout:ID`` or ``mechanism:ID``.
    view
        ``raw``, ``residual`` or ``given:READOUT``.
    test
        ``above``, ``below``, ``rises`` or ``falls``.
    bound
        Percentile, for the first two.
    of
        ``change``, ``earlier`` or ``later``; empty in rules on one sample.
    """

    item: str
    view: str
    test: str
    bound: float | None = None
    of: str = ""

    def __str__(self) -> str:
        end = "" if self.bound is None else f" {self.bound:g}"
        return f"{self.of} {self.item} {self.view} {self.test}{end}".strip()

    def level(self, low: float, high: float) -> str:
        """Answer for an interval of percentiles.

        Examples
        --------
        >>> c = Condition("readout:X", "raw", "above", 75)
        >>> c.level(75, 99), c.level(10, 74), c.level(60, 90)
        ('met', 'not met', 'cannot say')
        """
        bound = float("nan") if self.bound is None else self.bound
        if self.test == "above":
            met, contrary = low >= bound, high < bound
        else:
            met, contrary = high <= bound, low > bound
        return MET if met else NOT_MET if contrary else CANNOT_SAY

    def shift(self, outcome: str) -> str:
        """Answer for the outcome of a change: ``up``, ``down`` or neither.

        No clear change is not proof of no change, so only the opposite is ``not met``.
        """
        wanted, opposite = ("up", "down") if self.test == "rises" else ("down", "up")
        return MET if outcome == wanted else NOT_MET if outcome == opposite else CANNOT_SAY


def parse(row: Row, catalogue: Catalogue, *, in_time: bool = False) -> tuple[Condition, ...]:
    """Conditions of one line of a table, each item checked against the catalogue."""
    return tuple(
        _checked(_one(part, row, in_time), row, catalogue) for part in row.parts("conditions", ";")
    )


def _one(text: str, row: Row, in_time: bool) -> Condition:
    of, rest = "", " ".join(text.split())
    if in_time:
        of, _, rest = rest.partition(" ")
    found = (_SHIFT if of == CHANGE else _LEVEL).fullmatch(rest)
    if (in_time and of not in (CHANGE, EARLIER, LATER)) or found is None:
        form = "ITEM VIEW above N, or below N"
        if in_time:
            form = f"{EARLIER} or {LATER} {form}; or {CHANGE} ITEM VIEW rises, or falls"
        raise UserError(f"condition {text!r} cannot be read", where=row.where, do=f"write {form}")
    parts = found.groupdict()
    bound = parts.get("bound")
    return Condition(
        parts["item"], parts["view"], parts["test"], None if bound is None else float(bound), of
    )


def _checked(condition: Condition, row: Row, catalogue: Catalogue) -> Condition:
    kind, _, name = condition.item.partition(":")
    readouts = {r.readout for r in catalogue.readouts}
    known = readouts if kind == "readout" else {m.mechanism for m in catalogue.mechanisms}
    unknown = [] if name in known else [name]
    given = condition.view.removeprefix(GIVEN) if condition.view.startswith(GIVEN) else None
    if given is not None and given not in readouts:
        unknown.append(given)
    if unknown:
        raise UserError(f"the catalogue does not know {some(unknown)}", where=row.where)
    if given is not None and (kind != "readout" or given == name or condition.of == CHANGE):
        raise UserError(
            f"condition '{condition}' has a view that does not suit it",
            where=row.where,
            do="'given' is for the place of a readout, given another one",
        )
    if condition.bound is not None and not 0 < condition.bound < 100:
        raise UserError(
            f"condition '{condition}' has a bound outside 0 to 100",
            where=row.where,
            do="bounds are percentiles",
        )
    return condition


def together(answers: Iterable[str]) -> str:
    """Answer to all conditions at once: one that fails decides, then one that is unknown.

    Examples
    --------
    >>> together(["met", "met"]), together(["met", "cannot say"])
    ('met', 'cannot say')
    >>> together(["cannot say", "not met"])
    'not met'
    """
    given = set(answers)
    return NOT_MET if NOT_MET in given else CANNOT_SAY if CANNOT_SAY in given else MET
