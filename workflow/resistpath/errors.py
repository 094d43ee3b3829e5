"""The one error a user is meant to see."""

from __future__ import annotations


class UserError(Exception):
    """Input or configuration that cannot be used; shown without a traceback, exit status 2.

    Parameters
    ----------
    what
        What is wrong, as one clause.
    where
        File, column, sample or configuration key it was found in.
    do
        What the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"; {self.do}" if self.do else ""
        return f"{place}{self.what}{remedy}."


def some(names: object, limit: int = 5) -> str:
    """Join up to `limit` names for a message and say how many more there are.

    >>> some(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    >>> some(["a"])
    'a'
    """
    items = [str(name) for name in names]  # type: ignore[attr-defined]
    shown = ", ".join(items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"
