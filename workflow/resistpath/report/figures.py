"""Inline SVG drawn from records. Colours are classes; the style sheet gives them their values.

Every function returns markup that is safe to place in a page: the only free text, the title,
is escaped. Positions are rounded to a tenth of a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from resistpath.report.text import end_text, percentile_text

Record = Mapping[str, Any]

STRIP_WIDTH, STRIP_HEIGHT, STRIP_EDGE = 240, 28, 8
PLOT_WIDTH, PLOT_HEIGHT, PLOT_EDGE, PLOT_BASE = 240, 46, 6, 34
MOST_DOTS = 150
BAR_WIDTH, BAR_HEIGHT = 260, 16
HEAT_ROW, HEAT_WIDTH, HEAT_CELL = 18, 880, 22
HEAT_LEVELS = 10


def _n(value: float) -> str:
    """Write a coordinate in as few characters as a tenth of a pixel needs."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _svg(width: float, height: float, kind: str, title: str, body: str, style: str = "") -> Markup:
    return Markup(  # noqa: S704 - title is escaped, the rest is ours
        f'<svg class="{kind}" viewBox="0 0 {_n(width)} {_n(height)}" role="img"{style}'
        f' aria-label="{escape(title)}">{body}</svg>'
    )


def percentile_x(percentile: float) -> float:
    """Place a percentile on the strip.

    >>> percentile_x(0), percentile_x(50), percentile_x(100)
    (8.0, 120.0, 232.0)
    """
    return STRIP_EDGE + percentile * (STRIP_WIDTH - 2 * STRIP_EDGE) / 100


def interval_words(record: Record) -> str:
    """Return a percentile with its interval in words.

    >>> interval_words({"percentile": 83.0, "low": 71.0, "high": 92.0})
    '83 (71 to 92)'
    """
    if record["percentile"] is None:
        return "not available"
    text = percentile_text(record["percentile"])
    if record["low"] is None or record["high"] is None:
        return text
    return f"{text} ({end_text(record['low'])} to {end_text(record['high'])})"


def _mark(x: float, y: float, kind: str, accent: bool, size: float = 4.5) -> str:
    """Draw a circle, or a diamond where the value is what reads as consistent with resistance."""
    if accent:
        r = size + 1.3
        return (
            f'<path class="{kind} acc" '
            f'd="M{_n(x - r)} {_n(y)}l{_n(r)} {_n(-r)}l{_n(r)} {_n(r)}l{_n(-r)} {_n(r)}z"/>'
        )
    return f'<circle class="{kind}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(size)}"/>'


def _on_strip(record: Record, y: float, kind: str, accent: bool) -> str:
    if record["percentile"] is None:
        return ""
    line = ""
    if record["low"] is not None and record["high"] is not None:
        x0, x1 = percentile_x(record["low"]), percentile_x(record["high"])
        colour = "iv acc" if accent else "iv"
        line = f'<path class="{colour}" d="M{_n(x0)} {_n(y)}H{_n(x1)}"/>'
    return line + _mark(percentile_x(record["percentile"]), y, kind, accent)


def _band(height: float) -> str:
    left, middle, right = (percentile_x(p) for p in (25, 50, 75))
    return (
        f'<path class="band" d="M{_n(left)} 0H{_n(right)}V{_n(height)}H{_n(left)}z"/>'
        f'<path class="mid" d="M{_n(middle)} 0V{_n(height)}"/>'
        f'<path class="end" d="M{STRIP_EDGE} 0V{_n(height)}'
        f'M{STRIP_WIDTH - STRIP_EDGE} 0V{_n(height)}"/>'
    )


_AXIS = "".join(f'<text x="{_n(percentile_x(p))}" y="10">{p}</text>' for p in (0, 25, 50, 75, 100))


def shared_shapes() -> Markup:
    """Shapes a page draws many times, written once; every figure refers to them by name."""
    return Markup(  # noqa: S704 - numbers only
        '<svg class="defs" aria-hidden="true" width="0" height="0"><defs>'
        f'<g id="b2">{_band(STRIP_HEIGHT)}</g><g id="b1">{_band(STRIP_HEIGHT / 2)}</g>'
        f'<g id="ax" class="ticks">{_AXIS}</g></defs></svg>'
    )


def percentile_strip(name: str, raw: Record, residual: Record, highlight: Sequence[str]) -> Markup:
    """Draw raw (filled, above) and residual (hollow, below) with their intervals on 0 to 100.

    Without a `name` the strip stands beside cells that say the same and is not read aloud.
    """
    body = (
        '<use href="#b2"/>'
        + _on_strip(raw, 8.5, "raw", "raw" in highlight)
        + _on_strip(residual, 20, "res", "residual" in highlight)
    )
    if not name:
        return _hidden(STRIP_HEIGHT, body)
    title = f"{name}: raw {interval_words(raw)}, residual {interval_words(residual)}"
    return _svg(STRIP_WIDTH, STRIP_HEIGHT, "strip", title, body)


def change_strip(name: str, before: Record, after: Record) -> Markup:
    """Draw before (filled, above) and after (hollow, below) with their intervals on 0 to 100."""
    title = f"{name}: before {interval_words(before)}, after {interval_words(after)}"
    first, then = _on_strip(before, 8.5, "raw", False), _on_strip(after, 20, "res", False)
    return _svg(STRIP_WIDTH, STRIP_HEIGHT, "strip", title, f'<use href="#b2"/>{first}{then}')


def percentile_dot(percentile: float | None) -> Markup:
    """Draw one percentile without an interval, beside a cell that says it in words."""
    at = {"percentile": percentile, "low": None, "high": None}
    body = f'<use href="#b1"/>{_on_strip(at, STRIP_HEIGHT / 4, "raw", False)}'
    return _hidden(STRIP_HEIGHT / 2, body)


def _hidden(height: float, body: str) -> Markup:
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="strip" viewBox="0 0 {STRIP_WIDTH} {_n(height)}" aria-hidden="true">'
        f"{body}</svg>"
    )


def percentile_axis() -> Markup:
    """Draw the scale that stands in the head of a column of strips."""
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="axis" viewBox="0 0 {STRIP_WIDTH} 12" aria-hidden="true">'
        '<use href="#ax"/></svg>'
    )


def legend_mark(kind: str) -> Markup:
    """Draw one mark of the legend: raw, residual, resistance, band or interval."""
    body = {
        "raw": _mark(8, 7, "raw", False),
        "residual": _mark(8, 7, "res", False),
        "resistance": _mark(8, 7, "raw", True),
        "band": '<path class="band" d="M0 0H16V14H0z"/>',
        "interval": '<path class="iv" d="M0 7H16"/>',
        "limit": '<path class="lod" d="M8 1V13"/>',
        "share": '<path class="bar" d="M0 3H16V11H0z"/>',
        "certain": '<path class="h8" d="M4 0H12V14H4z"/>',
        "uncertain": '<path class="h8" d="M4 5H12V9H4z"/>',
        "absent": '<path class="hx" d="M4 7H12"/>',
        "under": '<path class="h8" d="M4 0H12V10H4z"/><path class="hr" d="M4 11H12V14H4z"/>',
    }[kind]
    return Markup(  # noqa: S704 - constants only
        f'<svg class="key" viewBox="0 0 16 14" aria-hidden="true">{body}</svg>'
    )


@lru_cache(maxsize=4096)
def _reference_shape(
    start: float, width: float, counts: tuple[int, ...], lower: float, upper: float
) -> tuple[str, float, float]:
    """Draw the reference part of a distribution, once per readout; also origin and scale of x."""
    span = width * len(counts)
    pad = 0.08 * span if span > 0 else 1.0
    origin = start - pad
    scale = (PLOT_WIDTH - 2 * PLOT_EDGE) / (span + 2 * pad)

    def x(value: float) -> float:
        return PLOT_EDGE + (value - origin) * scale

    x0, x1 = x(lower), x(upper)
    band = f'<path class="band" d="M{_n(x0)} 0H{_n(x1)}V{PLOT_BASE}H{_n(x0)}z"/>'
    tallest = max(counts)
    if sum(counts) <= MOST_DOTS:
        # A column is one dashed line: dashes of no length with round ends are dots.
        step = round(min(4.4, (PLOT_BASE - 5) / max(tallest - 1, 1)), 2)
        columns = "".join(
            f"M{_n(x(start + (i + 0.5) * width))} 0v{_n(-(count - 1) * step - 0.1)}"
            for i, count in enumerate(counts)
            if count
        )
        shape = (
            f'<path class="dots" transform="translate(0 {PLOT_BASE - 2.2})"'
            f' stroke-width="{_n(min(4.1, step))}" stroke-dasharray="0 {step}" d="{columns}"/>'
        )
    else:
        left = x(start)
        parts = [f"M{_n(left)} {PLOT_BASE}"]
        for i, count in enumerate(counts):
            top = PLOT_BASE - (PLOT_BASE - 3) * count / tallest
            parts.append(f"V{_n(top)}H{_n(x(start + (i + 1) * width))}")
        shape = f'<path class="hist" d="{"".join(parts)}V{PLOT_BASE}z"/>'
    base = f'<path class="end" d="M0 {PLOT_BASE}H{PLOT_WIDTH}"/>'
    return band + shape + base, origin, scale


def distribution_x(reference: Record, value: float) -> float:
    """Place a score on a distribution plot; a score outside it is drawn at its edge."""
    _, origin, scale = _shape_of(reference)
    x = PLOT_EDGE + (value - origin) * scale
    return min(max(x, PLOT_EDGE - 3.0), PLOT_WIDTH - PLOT_EDGE + 3.0)


def _shape_of(reference: Record) -> tuple[str, float, float]:
    return _reference_shape(
        reference["bin_start"],
        reference["bin_width"],
        tuple(reference["counts"]),
        reference["lower_quartile"],
        reference["upper_quartile"],
    )


def distribution(name: str, reference: Record | None, score: Record, accent: bool) -> Markup:
    """Draw the reference's values of one readout as dots or columns, with the sample marked."""
    if reference is None:
        return _svg(PLOT_WIDTH, PLOT_HEIGHT, "plot", f"{name}: no reference values", "")
    shape, _, _ = _shape_of(reference)
    title = f"{name}: {reference['n']} reference tumours"
    if score["score"] is None:
        return _svg(PLOT_WIDTH, PLOT_HEIGHT, "plot", f"{title}; this sample has no value", shape)
    at = distribution_x(reference, score["score"])
    y = PLOT_BASE + 6
    body = f'<path class="here{" acc" if accent else ""}" d="M{_n(at)} 0V{PLOT_BASE}"/>'
    if score["low"] is not None and score["high"] is not None:
        x0, x1 = (distribution_x(reference, score[end]) for end in ("low", "high"))
        body += f'<path class="iv{" acc" if accent else ""}" d="M{_n(x0)} {y}H{_n(x1)}"/>'
    body += _mark(at, y, "raw", accent)
    side = ""
    if score["score"] < reference["minimum"]:
        side = "; below every reference value"
    elif score["score"] > reference["maximum"]:
        side = "; above every reference value"
    return _svg(
        PLOT_WIDTH, PLOT_HEIGHT, "plot", f"{title}, this sample at the line{side}", shape + body
    )


def spread(name: str, values: Record) -> Markup:
    """Draw the values of one measure over a cohort."""
    title = f"{name}: {values['n']} samples, middle half shaded"
    return _svg(PLOT_WIDTH, PLOT_BASE + 2, "plot", title, _shape_of(values)[0])


def fraction_bar(name: str, record: Record, full: float) -> Markup:
    """Draw a cell fraction with its interval and limit of detection; `full` spans the width."""

    def x(value: float) -> float:
        return min(max(value, 0.0), full) / full * (BAR_WIDTH - 8) + 2

    body = f'<path class="end" d="M2 0V{BAR_HEIGHT}"/>'
    value = record["value"]
    if value is not None:
        kind = "bar faint" if record["detectable"] == "below limit" else "bar"
        body += f'<path class="{kind}" d="M2 3H{_n(x(value))}V13H2z"/>'
        if value > full:
            body += f'<path class="gap" d="M{BAR_WIDTH - 24} {BAR_HEIGHT}l6 -{BAR_HEIGHT}"/>'
    if record["low"] is not None and record["high"] is not None and record["low"] < full:
        body += f'<path class="iv" d="M{_n(x(record["low"]))} 8H{_n(x(record["high"]))}"/>'
    if record["limit"] is not None and record["limit"] <= full:
        body += f'<path class="lod" d="M{_n(x(record["limit"]))} 0V{BAR_HEIGHT}"/>'
    return _svg(BAR_WIDTH, BAR_HEIGHT, "fbar", name, body)


def share_bar(name: str, part: int, whole: int) -> Markup:
    """Draw how many of the samples; the accent belongs to readings of resistance only."""
    width = 120 * part / whole if whole else 0.0
    body = f'<path class="end" d="M0 13H120"/><path class="bar acc" d="M0 2H{_n(width)}V12H0z"/>'
    return _svg(120, 14, "share", name, body)


def heat_x(n_samples: int) -> float:
    """Width of one sample's column in the heat map."""
    return min(HEAT_CELL, HEAT_WIDTH / max(n_samples, 1))


def heat_level(percentile: float) -> int:
    """Colour step of a percentile: 0 for 0 to 10, up to 9 for 90 to 100.

    >>> heat_level(0), heat_level(49.9), heat_level(50), heat_level(100)
    (0, 4, 5, 9)
    """
    return min(int(percentile / 100 * HEAT_LEVELS), HEAT_LEVELS - 1)


def heat_map(title: str, panel: Record) -> Markup:
    """Draw percentiles, mechanisms in rows and samples in columns.

    A verdict of high, typical or low fills its cell; an inconclusive one shrinks to a bar a third
    as high; one not assessable is a hairline. Cells on which a reading of resistance rests
    are underlined. All cells of one colour are one path, which keeps 500 samples small.
    """
    percentiles, verdicts = panel["percentile"], panel["verdict"]
    n = len(percentiles[0]) if percentiles else 0
    cell = heat_x(n)
    gap = 1.0 if cell >= 6 else 0.0
    paths: dict[str, list[str]] = {}
    for row, (values, states) in enumerate(zip(percentiles, verdicts, strict=True)):
        top = row * HEAT_ROW
        for column, (value, state) in enumerate(zip(values, states, strict=True)):
            x, w = _n(column * cell), _n(cell - gap)
            if state is None:
                continue
            if value is None or state == "not assessable":
                paths.setdefault("hx", []).append(f"M{x} {top + 8}h{w}")
                continue
            y, h = (top + 5, 5) if state == "inconclusive" else (top, 14)
            kind = f"h{heat_level(value)}"
            paths.setdefault(kind, []).append(f"M{x} {y}h{w}v{h}h-{w}z")
            if panel["resistance"][row][column]:
                paths.setdefault("hr", []).append(f"M{x} {top + 14.5}h{w}v2h-{w}z")
    body = "".join(
        f'<path class="{kind}" d="{"".join(parts)}"/>' for kind, parts in sorted(paths.items())
    )
    width, height = max(n * cell, 1), max(len(percentiles) * HEAT_ROW, 1)
    return _svg(width, height, "heat", title, body, f' style="max-width:{_n(width)}px"')


def heat_scale() -> Markup:
    """Draw the colour scale of the heat map."""
    body = "".join(f'<path class="h{i}" d="M{i * 20} 0h20v10h-20z"/>' for i in range(HEAT_LEVELS))
    texts = "".join(
        f'<text x="{p * 2}" y="21" class="{anchor}">{p}</text>'
        for p, anchor in ((0, "s"), (50, "m"), (100, "e"))
    )
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="scale" viewBox="0 0 200 22" aria-hidden="true">{body}{texts}</svg>'
    )
