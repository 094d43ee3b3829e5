"""Samples as points: phenotype map, principal components and UMAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from resistpath.cohort.phenotype import DESERT
from resistpath.report.plots.axes import MARKS, Scale, frame, n, picture
from resistpath.report.text import share_text

Record = Mapping[str, Any]

SIZE, LEFT, TOP, BASE = 470, 52, 12, 420
MAP_X, MAP_Y = Scale(0, 100, LEFT, SIZE - 12), Scale(0, 100, BASE, TOP)
QUARTERS = tuple((p, str(p)) for p in (0, 25, 50, 75, 100))
SHAPES = {"inflamed": 0, "excluded": 1, "desert": 2}
OTHER = 3
MOST_INTERVALS = 150
WIDE, TALL = 470, 400


def phenotype_map(title: str, record: Record, x_label: str, y_label: str) -> Markup:
    """Draw each sample with its intervals; a sample between phenotypes is a hollow diamond.

    With many samples the intervals are left to the table.
    """
    body = []
    shown = record["n_placed"] <= MOST_INTERVALS
    for p in record["points"] if shown else ():
        if p["x"] is None or p["y"] is None or p["x_low"] is None or p["y_low"] is None:
            continue
        x, y = MAP_X(p["x"]), MAP_Y(p["y"])
        across = f"M{n(MAP_X(p['x_low']))} {n(y)}H{n(MAP_X(p['x_high']))}"
        body.append(f"{across}M{n(x)} {n(MAP_Y(p['y_low']))}V{n(MAP_Y(p['y_high']))}")
    lines = f'<path class="iv faint" d="{"".join(body)}"/>' if body else ""
    points = []
    for i, p in enumerate(record["points"]):
        if p["x"] is not None and p["y"] is not None:
            shape = SHAPES.get(p["phenotype"], OTHER)
            points.append(
                f'<path class="p{shape}" data-i="{i}"'
                f' d="M{n(MAP_X(p["x"]))} {n(MAP_Y(p["y"]))}{MARKS[shape]}"/>'
            )
    axes = frame(MAP_X, MAP_Y, QUARTERS, QUARTERS, x_label, y_label)
    return picture(SIZE, BASE + 44, title, axes + _borders() + lines + "".join(points))


def _borders() -> str:
    """Draw where one phenotype becomes another, as `resistpath.cohort.phenotype` has it."""
    edge = 100 * DESERT
    x, y = n(MAP_X(edge)), n(MAP_Y(edge))
    return f'<path class="end" d="M{x} {TOP}V{BASE}M{x} {y}L{n(MAP_X(100))} {n(MAP_Y(100))}"/>'


def phenotype_mark(phenotype: str) -> Markup:
    """Draw a phenotype's mark for the legend."""
    shape = SHAPES.get(phenotype, OTHER)
    return Markup(  # noqa: S704 - constants only
        f'<svg class="key" viewBox="0 0 16 14" aria-hidden="true">'
        f'<path class="p{shape}" d="M8 7{MARKS[shape]}"/></svg>'
    )


def embedding(title: str, record: Record, kind: str) -> Markup:
    """Draw samples by their first two components (``pc``) or in UMAP (``umap``).

    The script of the page gives the points their colours.
    """
    keys = (f"{kind}1", f"{kind}2")
    known = [p for p in record["points"] if p[keys[0]] is not None]
    scales = [
        _spread([p[key] for p in known], start, end)
        for key, start, end in ((keys[0], LEFT, WIDE - 12), (keys[1], TALL - 50, TOP))
    ]
    labels = ["UMAP 1", "UMAP 2"]
    if kind == "pc":
        facts = record["facts"]
        labels = [f"PC{i} ({share_text(facts[f'pc{i}'])} of variance)" for i in (1, 2)]
    points = "".join(
        f'<path class="cx" data-i="{i}"'
        f' d="M{n(scales[0](p[keys[0]]))} {n(scales[1](p[keys[1]]))}{MARKS[0]}"/>'
        for i, p in enumerate(record["points"])
        if p[keys[0]] is not None
    )
    axes = frame(scales[0], scales[1], (), (), labels[0], labels[1])
    return picture(WIDE, TALL - 6, title, axes + points)


def _spread(values: Sequence[float], start: float, end: float) -> Scale:
    """Scale with a margin around the values."""
    low, high = min(values), max(values)
    margin = 0.05 * (high - low)
    return Scale(low - margin, high + margin, start, end)


def correlation_strip(name: str, value: float | None) -> Markup:
    """Draw one rank correlation on −1 to 1."""
    x = Scale(-1, 1, 8, 152)
    body = '<path class="end" d="M8 7H152M8 2V12M152 2V12"/><path class="mid" d="M80 1V13"/>'
    if value is not None:
        body += f'<circle class="raw" cx="{n(x(value))}" cy="7" r="4.2"/>'
    return Markup(
        '<svg class="rho" viewBox="0 0 160 14" role="img"><title>{}</title>{}</svg>'
    ).format(name, Markup(body))  # noqa: S704 - numbers only
