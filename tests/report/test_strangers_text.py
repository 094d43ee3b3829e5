"""Text of strangers is inert, and no page asks for anything."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from report_tools import (
    FACTS,
    HOSTILE,
    OBS,
    Page,
    check_inert,
    make_cohort,
    make_genes,
    make_sample,
    make_tables,
)

from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import render

# ------------------------------------------------------------------ strangers' text


@pytest.mark.parametrize("name", HOSTILE, ids=[f"text{i}" for i in range(len(HOSTILE))])
def test_hostile_text_is_inert_on_the_sample_page(
    book: Catalogue, spread: dict[str, Any], name: str
) -> None:
    tables = make_tables(book)
    tables["mechanisms"]["reason"] = name
    tables["mechanisms"]["reference"] = name
    tables["fractions"]["label"] = name
    tables["fractions"]["note"] = name
    tables["readouts"]["reason"] = name
    tables["quality"]["note"] = name
    record = make_sample(
        book,
        spread,
        name,
        obs={**dict.fromkeys(OBS, name), name: name},
        reference=FACTS["reference"] | {"name": name, "description": name},
        preparation=FACTS["preparation"] | {"notes": [name], "units_how": name},
        thresholds={name: name},
        genes=make_genes(book, names=(name,)),
        software=FACTS["software"] | {"version": name},
        **tables,
    )
    html = render.render_sample(record)
    html.encode("utf-8")
    read = Page(html)
    check_inert(read)
    assert [s["at"].get("type") for s in read.all("script")] == ["application/json", None]
    assert read.all("script")[1]["text"] == (render.TEMPLATES / "sample.js").read_text("utf-8")
    assert read.all("h1")[0]["text"] == record["sample"]
    assert json.loads(render.to_json(record)) == json.loads(json.dumps(record))
    assert "<" not in render.to_json(record)


def test_no_page_asks_for_anything(page: str, book: Catalogue) -> None:
    for html in (page, render.render_cohort(make_cohort(book, ["A", "B"]))):
        check_inert(Page(html))
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
        assert policy.startswith("default-src &#39;none&#39;;")


def test_hostile_names_are_inert_on_the_cohort_page(book: Catalogue) -> None:
    record = make_cohort(book, HOSTILE)
    html = render.render_cohort(record)
    html.encode("utf-8")
    read = Page(html)
    check_inert(read)
    scripts = read.all("script")
    assert [s["at"].get("type") for s in scripts] == ["application/json", None]
    data = json.loads(scripts[0]["text"])
    assert sorted(data["samples"]) == sorted(s["sample"] for s in record["samples"])
    digest = base64.b64encode(hashlib.sha256(scripts[1]["text"].encode()).digest()).decode()
    assert f"sha256-{digest}" in html
