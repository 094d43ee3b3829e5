"""Records into HTML and JSON text.

Templates hold no arithmetic: they place records, numbers formatted here and figures drawn in
`resistpath.report.figures`. Every number of a record stands in a ``<data>`` element whose value
is the number to seven digits, under an element whose ``data-at`` is the record's JSON pointer:
from the top where it begins with a slash, else from the pointer of the element around it.
``data-k`` is the key within the record, ``percentile`` where it is left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from resistpath.report import figures, text
from resistpath.report.cohort_data import page_data
from resistpath.report.links import page_link
from resistpath.report.plots import forest, maps, volcano
from resistpath.report.wording import (
    READINGS,
    RESISTANCE,
    TIME_POINTS,
    VERDICTS,
    coarse_reference,
    method_name,
    reference_label,
)

Record = Mapping[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
LARGEST = 400_000
"""Bytes of a sample page, so that a thousand can be kept, sent and opened."""
SCRIPTS = ("cohort.js", "cohort_plots.js")
SCHEMA = Path(__file__).parent / "sample-report.schema.json"


def to_json(content: Record) -> str:
    r"""Write a record as JSON: fixed order, nothing but null for a missing value, a final newline.

    Each key and each item of a list has a line of its own.

    The characters that could end a script element or start a tag are written as escapes, so the
    text may stand inside a page as it is.

    >>> to_json({"b": None, "a": "</script>"})
    '{\n "b": null,\n "a": "\\u003c/script\\u003e"\n}\n'
    """
    lines = []
    for key, value in content.items():
        if isinstance(value, list) and value:
            inside = ",\n  ".join(_dumps(item) for item in value)
            lines.append(f" {_dumps(key)}: [\n  {inside}\n ]")
        else:
            lines.append(f" {_dumps(key)}: {_dumps(value)}")
    return _inert("{\n" + ",\n".join(lines) + "\n}\n")


def _label(reference: Record) -> str:
    """Name of a reference with its size, which no line break parts."""
    return reference_label(reference).replace(" = ", "\u00a0=\u00a0")


_BARE = re.compile(r"[\w/.-]+", re.ASCII)
_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _inert(dumped: str) -> str:
    for mark in "<>&\u2028\u2029":
        dumped = dumped.replace(mark, f"\\u{ord(mark):04x}")
    return dumped


def render_sample(content: Record) -> str:
    """Render the page of one sample.

    Where the genes would make the page larger than `LARGEST`, it says where they are instead.
    """
    page = _render_sample(content, search=True)
    if len(page.encode("utf-8")) > LARGEST and content["genes"]:
        page = _render_sample(content, search=False)
    return page


def _render_sample(content: Record, *, search: bool) -> str:
    script = _script("sample.js")
    genes = content["genes"] or {}
    data = json.dumps({key: genes.get(key) for key in ("n", "symbols", "values")})
    return _template("sample.html").render(
        c=content,
        search=bool(genes) and search,
        reference=_label(content["reference"]),
        script=Markup(script),  # noqa: S704 - our own file
        script_digest=_digest(script),
        gene_data=Markup(_inert(data)),  # noqa: S704 - escaped
    )


def render_patient(content: Record) -> str:
    """Return the page of one patient as HTML."""
    return (
        _environment()
        .get_template("patient.html")
        .render(c=content, reference=_label(content["reference"]))
    )


def render_cohort(content: Record) -> str:
    """Render the page of a cohort, `index.html`."""
    script = "".join(map(_script, SCRIPTS))
    return _template("cohort.html").render(
        c=content,
        reference=_label(content["reference"]),
        script=Markup(script),  # noqa: S704 - our own file
        script_digest=_digest(script),
        heat_data=Markup(_inert(page_data(content))),  # noqa: S704 - escaped
    )


# ------------------------------------------------------------------ what templates may call


def _number(show: Callable[[Any], str]) -> Callable[..., Markup]:
    """Return a function that writes ``record[key]``; `under` leads to the record from `data-at`."""

    def element(record: Any, key: Any, under: str = "") -> Markup:
        value = record[key]
        kept = '""' if value is None else _kept(value)
        path = f"{under}{key}"
        named = "" if path == "percentile" else f" data-k={_attribute(path)}"
        return Markup(  # noqa: S704 - a number, its own text and our own key
            f"<data value={kept}{named}>{escape(show(value))}</data>"
        )

    return element


def _kept(value: float) -> str:
    """Write a number to seven significant digits, in as few characters as that takes.

    >>> _kept(76.3157894736842), _kept(1.0), _kept(58395), _kept(1e-09)
    ('76.31579', '1', '58395', '1e-09')
    """
    return repr(value) if isinstance(value, int) else f"{value:.7g}"


def _attribute(text: str) -> str:
    """Write the value of an attribute of ours, with quotes only where it needs them."""
    return text if _BARE.fullmatch(text) else f'"{escape(text)}"'


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
        return Markup(f"<b>{middle}</b>")  # noqa: S704 - numbers only
    low, high = _end(record, "low"), _end(record, "high")
    return Markup(f"<b>{middle}</b> <i>({low}–{high})</i>")  # noqa: S704 - numbers only


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


@lru_cache
def _style(name: str) -> Markup:
    """Return a style sheet without what only its writers need."""
    sheet = (TEMPLATES / name).read_text(encoding="utf-8")
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    return Markup(re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", sheet)))  # noqa: S704


@lru_cache
def _script(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@lru_cache
def _digest(script: str) -> str:
    """Digest by which the page's own policy knows its script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


@lru_cache
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


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
        forest=forest,
        maps=maps,
        volcano=volcano,
        pct=_percentile,
        num=_number(text.number_text),
        fixed=_number(text.fixed_text),
        tenth=_number(text.tenth_text),
        share=_number(text.share_text),
        exact=_exact,
        val=_value,
        interval=_with_interval,
        coverage=_coverage,
        page_link=page_link,
        reference_label=_label,
        coarse=coarse_reference,
        timepoints=TIME_POINTS,
        verdicts=VERDICTS,
        readings=READINGS,
        resistance=RESISTANCE,
        style=_style,
    )
    environment.filters.update(
        css_string=lambda v: Markup(text.css_string(v)),  # noqa: S704 - escaped
        limit=text.limit_text,
        method=method_name,
        capital=lambda v: v[:1].upper() + v[1:],
    )
    return environment
