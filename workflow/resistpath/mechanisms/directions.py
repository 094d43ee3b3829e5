"""Does a readout point the way it is read? Its AUC for response over public cohorts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pandas as pd

from resistpath.errors import UserError
from resistpath.mechanisms.rows import refuse_repeats, rows

TABLE: Final = "direction_check.tsv"
COLUMNS: Final = (
    *("readout", "n_cohorts", "n_R", "n_NR"),
    *("raw_auc", "raw_low", "raw_high", "raw_above"),
    *("residual_auc", "residual_low", "residual_high", "residual_above"),
)


@dataclass(frozen=True)
class DirectionCheck:
    """Area under the ROC curve (AUC) of a readout for response, over public cohorts.

    Above 0.5 the score, as it is and not turned by its sign, is higher in responders. Made by
    ``benchmarks/directions.py``.

    Attributes
    ----------
    readout
        Id.
    n_cohorts, n_responders, n_others
        What was measured.
    raw, residual
        Pooled AUC with the ends of its 95 % interval, as scored and given the T-cell-inflamed
        readout; `residual` is None for that readout itself.
    raw_above, residual_above
        Cohorts above 0.5.
    """

    readout: str
    n_cohorts: int
    n_responders: int
    n_others: int
    raw: tuple[float, float, float]
    residual: tuple[float, float, float] | None
    raw_above: int
    residual_above: int | None

    def against(self, direction: str) -> bool:
        """Whether raw and residual both lie on the wrong side of 0.5.

        Parameters
        ----------
        direction
            ``"high = resistance"`` or ``"high = sensitivity"`` of the score as it is; with any
            other text nothing can point against it.
        """
        if self.residual is None or not direction.startswith("high"):
            return False
        wrong = 1 if direction == "high = resistance" else -1
        return all(wrong * (view[0] - 0.5) > 0 for view in (self.raw, self.residual))


def direction_checks(frame: pd.DataFrame, readouts: Collection[str]) -> tuple[DirectionCheck, ...]:
    """Turn the table of the check into records, after checking it."""
    records = []
    for row in rows(frame, TABLE, COLUMNS):
        readout = row.text("readout")
        if readout not in readouts:
            raise UserError(f"readout {readout!r} is not in readouts.tsv", where=row.where)
        views = {}
        for view in ("raw", "residual"):
            if view == "residual" and row.optional("residual_auc") is None:
                continue
            auc, low, high = (row.number(f"{view}_{end}") for end in ("auc", "low", "high"))
            if not 0 <= low <= auc <= high <= 1:
                raise UserError(f"{view}_auc lies outside its interval", where=row.where)
            views[view] = (auc, low, high)
        above = row.optional("residual_above")
        records.append(
            DirectionCheck(
                readout=readout,
                n_cohorts=row.count("n_cohorts"),
                n_responders=row.count("n_R"),
                n_others=row.count("n_NR"),
                raw=views["raw"],
                residual=views.get("residual"),
                raw_above=int(row.number("raw_above")),
                residual_above=None if above is None else int(row.number("residual_above")),
            )
        )
    refuse_repeats([r.readout for r in records], "readouts occur twice:", TABLE)
    return tuple(records)
