"""Bytes, schema and size of the documents."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
from report_tools import (
    HOSTILE,
    Page,
    make_cohort,
    make_quality,
    make_reference_readouts,
    make_sample,
)

from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import content, render, wording
from resistpath.report.genes import GeneNames, SampleGenes

# ------------------------------------------------------------------ documents


def test_same_input_same_bytes(book: Catalogue, spread: dict[str, Any], page: str) -> None:
    again = make_sample(book, content.summarise_reference(make_reference_readouts(book)))
    assert render.render_sample(again) == page
    direct = make_sample(book, make_reference_readouts(book))
    assert render.to_json(direct) == render.to_json(again)
    names = ["b", "a", "c"]
    assert render.render_cohort(make_cohort(book, names)) == render.render_cohort(
        make_cohort(book, names)
    )


def test_rendering_leaves_the_record_alone(record: dict[str, Any]) -> None:
    before = copy.deepcopy(record)
    render.render_sample(record)
    render.to_json(record)
    assert record == before


def test_json_follows_the_schema(book: Catalogue, spread: dict[str, Any]) -> None:
    schema = json.loads(render.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    records = [
        make_sample(book, spread),
        make_sample(book, spread, quality=make_quality(failed=True)),
        make_sample(book, spread, HOSTILE[0], obs={"flag": True, "n": 3, "when": pd.NaT}),
    ]
    for record in records:
        dumped = render.to_json(record)
        assert dumped.endswith("}\n")
        assert "NaN" not in dumped
        validator.validate(json.loads(dumped))
    broken = records[0] | {"surprise": 1}
    assert not validator.is_valid(broken)
    assert schema["properties"]["schema_version"]["const"] == content.SCHEMA_VERSION
    assert tuple(schema["$defs"]["verdict"]["enum"]) == wording.VERDICTS
    assert tuple(schema["$defs"]["mechanism"]["properties"]["reading"]["enum"]) == wording.READINGS


def test_a_page_stays_small(book: Catalogue, spread: dict[str, Any], page: str) -> None:
    assert len(page.encode("utf-8")) <= 400_000
    # Noise does not compress: a page that would grow too large says where its genes are.
    rng = np.random.default_rng(8)
    names = [*book.genes(), *(f"G{i:x}" for i in rng.integers(0, 2**62, 40_000))]
    many = SampleGenes(
        GeneNames.of(names), rng.uniform(0, 25, len(names)), rng.uniform(0, 100, len(names))
    )
    record = make_sample(book, spread, genes=many)
    small = render.render_sample(record)
    assert len(small.encode("utf-8")) <= 400_000 < len(render.to_json(record))
    assert "would make this page too large" in small
    assert not Page(small).all("script")
    assert "script-src" not in small


def test_templates_do_not_calculate() -> None:
    for path in render.TEMPLATES.glob("*.html"):
        for tag in re.findall(r"\{[{%](.*?)[%}]\}", path.read_text(encoding="utf-8"), re.DOTALL):
            code = re.sub(r"\"[^\"]*\"|'[^']*'", "", tag)
            assert not re.search(r"[*/+]|\s-\s|\|\s*(round|sum|abs)", code), tag


def test_headings_tables_and_pictures_can_be_read_aloud(page: str, book: Catalogue) -> None:
    for html in (page, render.render_cohort(make_cohort(book, ["A", "B"]))):
        read = Page(html)
        assert len(read.all("h1")) == 1
        assert read.all("html")[0]["at"]["lang"] == "en-GB"
        assert read.all("a", class_="skip")[0]["at"]["href"] == "#main"
        for e in read.all("th"):
            assert e["at"].get("scope") in ("col", "row", "rowgroup", "colgroup")
        for e in read.all("svg"):
            if e["at"].get("aria-hidden") != "true":
                assert e["at"]["role"] == "img"
                assert e["at"]["aria-label"]
        named = [e["at"]["id"] for e in read.all() if "id" in e["at"]]
        assert len(named) == len(set(named))
        for e in read.all("a"):
            if e["at"]["href"].startswith("#"):
                assert e["at"]["href"][1:] in named
