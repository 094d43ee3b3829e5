"""Area under the ROC curve against p, raw beside residual."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from resistpath.report.plots.axes import MARKS, Scale, frame, n, picture, text

Record = Mapping[str, Any]

PANEL, HEIGHT, LEFT, TOP, BASE = 430, 330, 52, 34, 280
TICKS = ((0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1, "1"))


def places(rows: Sequence[Record]) -> list[tuple[float, float] | None]:
    """Place of each row in its panel's picture; None where it has no area or p."""
    y = Scale(0, _highest(rows), BASE, TOP)
    out: list[tuple[float, float] | None] = []
    for r in rows:
        if r["auc"] is None or not r["p_perm"]:
            out.append(None)
            continue
        left = LEFT + (PANEL if r["view"] == "residual" else 0)
        out.append((Scale(0, 1, left, left + PANEL - 70)(r["auc"]), y(-math.log10(r["p_perm"]))))
    return out


def _highest(rows: Sequence[Record]) -> int:
    """Top of the axis: a whole −log10 p, 2 or more."""
    return math.ceil(max([2.0, *(-math.log10(r["p_perm"]) for r in rows if r["p_perm"])]))


def volcano(title: str, rows: Sequence[Record], alpha: float) -> Markup:
    """Draw every row: mechanisms as diamonds, readouts as circles; those found are filled."""
    highest = _highest(rows)
    y = Scale(0, highest, BASE, TOP)
    body = []
    for k, view in enumerate(("raw", "residual")):
        left = LEFT + k * PANEL
        x = Scale(0, 1, left, left + PANEL - 70)
        body.append(text(x(0.5), TOP - 18, view, "m ink"))
        body.append(f'<path class="mid" d="M{n(x(0.5))} {TOP}V{BASE}"/>')
        ticks = [(v, f"{v}") for v in range(highest + 1)]
        part = frame(x, y, TICKS, ticks, "area under the ROC curve", "")
        body.append(part)
        found = [r["p_perm"] for r in rows if r["view"] == view and (r["q"] or 1) < alpha]
        if found:
            level = n(y(-math.log10(max(found))))
            body.append(f'<path class="lod" d="M{n(left)} {level}H{n(x(1))}"/>')
    body.append(
        f'<text class="m" transform="translate(14 {n((TOP + BASE) / 2)}) rotate(-90)">'
        "−log10 p</text>"
    )
    for i, (row, at) in enumerate(zip(rows, places(rows), strict=True)):
        if at is not None:
            mark = MARKS[3 if row["kind"] == "mechanism" else 0]
            kind = "found-row" if (row["q"] if row["q"] is not None else 1) < alpha else "seen-row"
            body.append(f'<path class="{kind}" data-i="{i}" d="M{n(at[0])} {n(at[1])}{mark}"/>')
    return picture(LEFT + 2 * PANEL - 50, HEIGHT, title, "".join(body))
