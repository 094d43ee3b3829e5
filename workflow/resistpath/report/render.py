"""Records into HTML and JSON text.

Templates hold no arithmetic: they place records, numbers formatted here and figures drawn in
`resistpath.report.figures`. Every number of a record stands in a ``<data>`` element whose value
is the unrounded number, under an element whose ``data-at`` is the record's JSON pointer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from resistpath.report import figures, text
from resistpath.report.wording import READINGS, RESISTANCE, VERDICTS, reference_label

Record = Mapping[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
SCHEMA = Path(__file__).parent / "sample-report.schema.json"


def to_json(content: Record) -> str:
    r"""Write a record as JSON: fixed order, nothing but null for a missing value, a final newline.

    The characters that could end a script element or start a tag are written as escapes, so the
    text may stand inside a page as it is.

    >>> to_json({"b": None, "a": "</script>"})
    '{\n "b": null,\n "a": "\\u003c/script\\u003e"\n}\n'
    """
    return _inert(json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)) + "\n"


def _inert(dumped: str) -> str:
    for mark in "<>&\u2028\u2029":
        dumped = dumped.replace(mark, f"\\u{ord(mark):04x}")
    return dumped


def render_sample(content: Record) -> str:
    """Render the page of one sample."""
    return (
        _environment()
        .get_template("sample.html")
        .render(c=content, reference=reference_label(content["reference"]))
    )


def render_patient(content: Record) -> str:
    """Return the page of one patient as HTML."""
    return (
        _environment()
        .get_template("patient.html")
        .render(c=content, reference=reference_label(content["reference"]))
    )


def render_cohort(content: Record) -> str:
    """Render the page of a cohort, `index.html`."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("cohort.html")
        .render(
            c=content,
            reference=reference_label(content["reference"]),
            script=Markup(script),  # noqa: S704 - our own file
            script_digest=f"sha256-{digest}",
            heat_data=Markup(_inert(_heat_data(content))),  # noqa: S704 - escaped
        )
    )


# ------------------------------------------------------------------ what templates may call


def _number(show: Callable[[Any], str]) -> Callable[..., Markup]:
    """Return a function that writes ``record[key]``; `under` leads to the record from `data-at`."""

    def element(record: Any, key: Any, under: str = "") -> Markup:
        value = record[key]
        kept = "" if value is None else repr(value)
        return Markup(  # noqa: S704 - a number, its own text and our own key
            f'<data value="{kept}" data-k="{under}{key}">{escape(show(value))}</data>'
        )

    return element


def _value(record: Any, key: Any, under: str = "") -> Markup:
    """Show a cell of the sheet or the configuration: numbers as numbers, text as text."""
    value = record[key]
    if value is None or value == "":
        return Markup('<span class="na">not stated</span>')
    if isinstance(value, bool):
        return Markup("yes") if value else Markup("no")
    if isinstance(value, (int, float)):
        return _exact(record, key, under)
    return Markup("<bdi>{}</bdi>").format(value)


_exact = _number(lambda v: f"{v:g}".replace("-", "−") if abs(v) < 1e6 else text.number_text(v))
_percentile = _number(text.percentile_text)
_end = _number(text.end_text)


def _with_interval(record: Record) -> Markup:
    """Percentile and its interval, as in 83 (71–92)."""
    if record["percentile"] is None:
        return Markup("")
    middle = _percentile(record, "percentile")
    if record["low"] is None or record["high"] is None:
        return Markup("<b>{}</b>").format(middle)
    return Markup('<b>{}</b> <span class="int">({}–{})</span>').format(
        middle, _end(record, "low"), _end(record, "high")
    )


def page_link(name: str) -> str:
    """Address of a page beside or below this one: never a scheme, never a folder above.

    >>> page_link("reports/a b.html")
    './reports/a%20b.html'
    >>> page_link("javascript:alert(1)"), page_link("../x"), page_link("//host/x")
    ('./javascript%3Aalert%281%29', './..%2Fx', './%2F%2Fhost%2Fx')
    """
    inside = not {"", ".", ".."} & set(name.split("/"))
    return "./" + quote(name, safe="/" if inside else "")


def _coverage(readout: Record) -> Markup:
    """Genes measured of those in the set."""
    if readout["coverage"] is None:
        return Markup('<span class="na">–</span>')
    share = _number(text.share_text)(readout, "coverage")
    if not readout["n_genes"]:
        return share
    genes = _number(text.number_text)(readout, "n_genes")
    whole = readout["n_set"]
    if round(readout["coverage"] * whole) == readout["n_genes"]:
        of = _number(text.number_text)(readout, "n_set")
        return Markup('{}/{} genes<br><small class="quiet">{}</small>').format(genes, of, share)
    return Markup('{} genes<br><small class="quiet">{}</small>').format(genes, share)


def _heat_data(content: Record) -> str:
    """Return what the heat map says under the pointer, as compact JSON."""
    heat = content["heat_map"]
    codes = {verdict: i for i, verdict in enumerate(VERDICTS)}

    def tenth(rows: list[list[float | None]]) -> list[list[float | None]]:
        return [[None if v is None else round(v, 1) for v in row] for row in rows]

    samples = [content["samples"][i] for i in heat["samples"]]
    data = {
        "samples": [s["sample"] for s in samples],
        "links": [None if s["link"] is None else page_link(s["link"]) for s in samples],
        "mechanisms": [content["mechanisms"][i]["name"] for i in heat["mechanisms"]],
        "verdicts": VERDICTS,
        "readings": READINGS,
        "reading": [[READINGS.index(r) for r in row] for row in heat["readings"]],
        **{
            kind: {
                "percentile": tenth(heat[kind]["percentile"]),
                "verdict": [[codes.get(v, -1) for v in row] for row in heat[kind]["verdict"]],
            }
            for kind in ("raw", "residual")
        },
        "row": figures.HEAT_ROW,
    }
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@lru_cache(maxsize=1)
def _script() -> str:
    return (TEMPLATES / "cohort.js").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        fig=figures,
        pct=_percentile,
        num=_number(text.number_text),
        fixed=_number(text.fixed_text),
        share=_number(text.share_text),
        exact=_exact,
        val=_value,
        interval=_with_interval,
        coverage=_coverage,
        page_link=page_link,
        reference_label=reference_label,
        verdicts=VERDICTS,
        readings=READINGS,
        resistance=RESISTANCE,
    )
    environment.filters.update(
        css_string=lambda v: Markup(text.css_string(v)),  # noqa: S704 - escaped
        capital=lambda v: v[:1].upper() + v[1:],
    )
    return environment
