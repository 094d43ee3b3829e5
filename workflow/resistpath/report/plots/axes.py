"""What the pictures share: a frame with ticks, and marks that differ in shape and in colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

MARKS = (
    "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "m-3.7-3.7h7.4v7.4h-7.4z",
    "m0-4.8l4.6 8.2h-9.2z",
    "m0-5.2l5.2 5.2l-5.2 5.2l-5.2-5.2z",
    "m0 4.8l-4.6-8.2h9.2z",
    "m-1.6-4.6h3.2v3h3v3.2h-3v3h-3.2v-3h-3v-3.2h3z",
    "m-4.6-2.4h9.2v4.8h-9.2z",
    "m-2.4-4.6h4.8v9.2h-4.8z",
)
"""Outlines around a point: circle, square, triangle, diamond, triangle down, plus, bars."""


def n(value: float) -> str:
    """Write a coordinate in as few characters as a tenth of a pixel needs."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


@dataclass(frozen=True)
class Scale:
    """A straight line from data to pixels.

    >>> Scale(0, 1, 10, 110)(0.5)
    60.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Place a value."""
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def text(x: float, y: float, words: str, kind: str = "m") -> str:
    """Place escaped text; `kind` is its anchor: s, m or e, and further classes."""
    return f'<text class="{kind}" x="{n(x)}" y="{n(y)}">{escape(words)}</text>'


def frame(
    x: Scale,
    y: Scale,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
) -> str:
    """Draw the two axes with their ticks and names; y grows upwards."""
    out = [f'<path class="end" d="M{n(x.start)} {n(y.end)}V{n(y.start)}H{n(x.end)}"/>']
    out += [text(x(v), y.start + 15, words) for v, words in x_ticks]
    out += [text(x.start - 6, y(v) + 3.5, words, "e") for v, words in y_ticks]
    middle_x, middle_y = (x.start + x.end) / 2, (y.start + y.end) / 2
    out.append(text(middle_x, y.start + 33, x_label))
    if y_label:
        out.append(
            f'<text class="m" transform="translate(12 {n(middle_y)}) rotate(-90)">'
            f"{escape(y_label)}</text>"
        )
    return "".join(out)


def picture(width: float, height: float, title: str, body: str) -> Markup:
    """Make a picture of its natural width at most."""
    return Markup(  # noqa: S704 - title and texts are escaped, the rest is ours
        f'<svg class="fig" viewBox="0 0 {n(width)} {n(height)}" role="img"'
        f' style="max-width:{n(width)}px"><title>{escape(title)}</title>{body}</svg>'
    )
