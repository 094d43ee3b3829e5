"""Areas under the ROC curve with their intervals, raw and residual, one mechanism per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from resistpath.report.plots.axes import Scale, n, picture, text
from resistpath.report.text import MISSING, fixed_text, number_text

Record = Mapping[str, Any]

WIDTH, LABEL, PLOT_END, ROW, HEAD, FOOT = 850, 210, 640, 32, 26, 34
X = Scale(0, 1, LABEL + 14, PLOT_END)


def area_text(row: Record) -> str:
    """Area, interval and q of one row in words.

    >>> area_text({"auc": 0.631, "low": 0.42, "high": 0.8, "q": 0.991})
    '0.63 (0.42–0.80), q 0.991'
    """
    if row["auc"] is None:
        return MISSING
    ends = "" if row["low"] is None else f" ({fixed_text(row['low'])}–{fixed_text(row['high'])})"
    q = "" if row["q"] is None else f", q {number_text(row['q'])}"
    return f"{fixed_text(row['auc'])}{ends}{q}"


def _mark(row: Record, y: float, kind: str) -> str:
    if row["auc"] is None:
        return ""
    line = ""
    if row["low"] is not None:
        line = f'<path class="iv" d="M{n(X(row["low"]))} {n(y)}H{n(X(row["high"]))}"/>'
    return line + f'<circle class="{kind}" cx="{n(X(row["auc"]))}" cy="{n(y)}" r="4"/>'


def forest(title: str, rows: Sequence[Record]) -> Markup:
    """Draw raw (filled) above residual (hollow); rows of one name belong together."""
    names = list(dict.fromkeys((r["kind"], r["name"]) for r in rows))
    by = {(r["kind"], r["name"], r["view"]): r for r in rows}
    labels = {(r["kind"], r["name"]): r["label"] for r in rows}
    bottom = HEAD + ROW * len(names)
    middle = n(X(0.5))
    stripes = (HEAD + i * ROW for i in range(1, len(names), 2))
    body = [f'<path class="stripe" d="M0 {y}H{WIDTH}v{ROW}H0z"/>' for y in stripes]
    body += [
        f'<path class="mid strong" d="M{middle} {HEAD - 6}V{bottom}"/>',
        text(X(0.5) - 8, HEAD - 12, "← higher in non-responders", "e"),
        text(X(0.5) + 8, HEAD - 12, "higher in responders →", "s"),
    ]
    body += [f'<path class="end" d="M{n(X(v))} {HEAD - 6}V{bottom}"/>' for v in (0, 0.25, 0.75, 1)]
    for i, key in enumerate(names):
        top = HEAD + i * ROW
        body.append(text(LABEL, top + 19, labels[key], "e ink"))
        for view, kind, y in (("raw", "raw", top + 9), ("residual", "res", top + 22)):
            if (row := by.get((*key, view))) is not None:
                body.append(_mark(row, y, kind))
                body.append(text(PLOT_END + 14, y + 3.5, area_text(row), "s"))
    ticks = ((0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1, "1"))
    body += [text(X(v), bottom + 14, words) for v, words in ticks]
    body.append(text(X(0.5), bottom + 30, "area under the ROC curve"))
    return picture(WIDTH, bottom + FOOT, title, "".join(body))
