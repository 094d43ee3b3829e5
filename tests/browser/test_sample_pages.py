"""Sample reports as a reader meets them: opened from disk in an installed chromium."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_tools import OVERLAPS, WIDTHS, accessible, overlaps, reports, some

from resistpath.io.prepared import read_prepared
from resistpath.report import text
from resistpath.report.genes import unpacked

NUMBERS = """() => {
  const pointer = (element) => {
    const parts = [];
    for (let e = element; e; e = e.parentElement) {
      const at = e.dataset && e.dataset.at;
      if (at === undefined || at === "") continue;
      parts.unshift(at);
      if (at.startsWith("/")) break;
    }
    return parts.join("/");
  };
  return [...document.querySelectorAll("main data")].map((d) =>
    [pointer(d.parentElement) + "/" + (d.dataset.k ?? "percentile"), d.value, d.textContent]);
}"""


@pytest.fixture(params=["demo", "riaz"])
def results(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def test_pages_open_from_disk_and_ask_for_nothing(visit: Any, results: Path) -> None:
    for path in [*some(results), results / "index.html"]:
        with visit(path) as seen:
            seen.page.wait_for_load_state("networkidle")
            seen.quiet()
            assert seen.page.locator("h1").count() == 1


def test_every_number_on_every_page_equals_its_record(visit: Any, demo: Path) -> None:
    with visit(reports(demo)[0]) as seen:
        for path in reports(demo):
            seen.page.goto(path.resolve().as_uri())
            record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            numbers = seen.page.evaluate(NUMBERS)
            assert len(numbers) > 1200
            for pointer, value, shown in numbers:
                known: Any = record
                for part in pointer.strip("/").split("/"):
                    known = known[int(part)] if isinstance(known, list) else known[part]
                if known is None:
                    assert (value, shown) == ("", text.MISSING), (path.name, pointer)
                else:
                    assert float(value) == float(f"{known:.7g}"), (path.name, pointer)
                    assert shown != text.MISSING, (path.name, pointer)


def test_documents_say_what_the_tables_and_the_matrix_say(demo: Path) -> None:
    """Without a browser: all genes, and the readouts by the method they are read by."""
    prepared = read_prepared(demo / "prepared.h5ad")
    for path in reports(demo):
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        genes = unpacked(record["genes"])
        level = prepared.values[record["sample"]]
        assert list(genes) == sorted(level.index)
        shown = np.array([genes[name]["log2_tpm"] for name in level.index])
        assert np.abs(shown - level.to_numpy()).max() <= 0.05 + 1e-6
        own = [
            (r["by_method"]["places"][0], r)
            for m in record["mechanisms"]
            for r in m["readouts"]
            if r["by_method"]
        ]
        assert len(own) > 20
        for first, r in own:
            assert first["method"] == r["method"]
            assert math.isclose(first["percentile"], r["raw"]["percentile"], abs_tol=1e-9)


def test_a_page_stays_within_four_hundred_kilobytes(results: Path) -> None:
    for path in reports(results):
        assert path.stat().st_size <= 400_000
        assert path.with_suffix(".json").stat().st_size <= 400_000


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_and_nothing_runs_off(visit: Any, results: Path, width: int) -> None:
    path = some(results)[-1]
    with visit(path, width) as seen:
        overlaps(seen.page, path.name)


def test_the_overlap_check_sees_one(visit: Any, tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    page.write_text("<p>one two</p><p style='margin-top:-1.5em'>three</p>", encoding="utf-8")
    with visit(page) as seen:
        (found,) = seen.page.evaluate(OVERLAPS)["found"]
        assert found[:2] == ["one two", "three"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(visit: Any, results: Path, scheme: str) -> None:
    path = some(results)[1]
    with visit(path, color_scheme=scheme) as seen:
        accessible(seen.page, path.name)


def test_any_gene_can_be_looked_up(visit: Any, demo: Path) -> None:
    path = reports(demo)[3]
    genes = unpacked(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["genes"])
    with visit(path) as seen:
        page = seen.page
        page.locator("#gene-note").wait_for(state="hidden")
        for name in ("CD8A", "hla-a", "TBX21", "MARCHF1"):
            page.fill("#gene-query", name)
            row = page.locator("#gene-hits tbody tr").first
            row.locator(f"th:text-is('{name.upper()}')").wait_for()
            values = row.locator("data").evaluate_all("list => list.map((d) => d.value)")
            known = genes[name.upper()]
            assert [float(v) for v in values] == [known["log2_tpm"], known["percentile"]]
        page.fill("#gene-query", "HLA-")
        page.get_by_role("status").filter(has_text="genes").wait_for()
        rows = page.locator("#gene-hits tbody tr")
        assert rows.count() == min(20, sum(g.startswith("HLA-") for g in genes))
        for odd in ("<img src=x onerror=alert(1)>", ")(", "NOTAGENE"):
            page.fill("#gene-query", "")
            page.wait_for_function("!document.getElementById('gene-status').textContent")
            page.fill("#gene-query", odd)
            page.get_by_role("status").filter(has_text="No measured gene").wait_for()
            page.locator("#gene-hits").wait_for(state="hidden")
        page.fill("#gene-query", "")
        page.locator("#gene-hits").wait_for(state="hidden")
        seen.quiet()


def test_without_javascript_the_page_says_where_the_genes_are(visit: Any, demo: Path) -> None:
    with visit(reports(demo)[0], java_script_enabled=False) as seen:
        assert seen.page.locator("#gene-note").is_visible()
        assert seen.page.locator("#gene-controls").is_hidden()


def test_the_theme_follows_the_reader(visit: Any, demo: Path) -> None:
    for scheme, light in (("light", True), ("dark", False)):
        with visit(reports(demo)[0], color_scheme=scheme) as seen:
            paper, ink = seen.page.evaluate(
                "() => { const s = getComputedStyle(document.documentElement);"
                " return [s.backgroundColor, s.color]; }"
            )
            bright = [sum(map(int, c[4:-1].split(","))) > 380 for c in (paper, ink)]
            assert bright == [light, not light]


def test_everything_can_be_reached_by_keyboard(visit: Any, demo: Path) -> None:
    with visit(reports(demo)[0]) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.wait_for_function("location.hash === '#main'")
        reached = set()
        for _ in range(400):
            page.keyboard.press("Tab")
            at = page.evaluate(
                "() => { const e = document.activeElement;"
                " return [e.tagName, e.id, e.getAttribute('href'),"
                " getComputedStyle(e).outlineStyle]; }"
            )
            if at[0] == "BODY":
                break
            assert at[3] != "none", at
            reached.add(at[1] or at[2] or at[0])
        links = set(
            page.locator("a[href^='#m-']").evaluate_all("l => l.map(a => a.getAttribute('href'))")
        )
        assert links
        assert links <= reached
        assert {"gene-query", "SUMMARY", "DIV"} <= reached


def test_print_is_a4_with_page_one_on_one_sheet(visit: Any, results: Path) -> None:
    for path in some(results):
        with visit(path) as seen:
            seen.page.emulate_media(media="print")
            # The printable width and height of A4 with the page's own margins, at 96 dpi.
            seen.page.set_viewport_size({"width": 718, "height": 1032})
            box = seen.page.locator("#page-one").bounding_box()
            assert box["height"] <= 1032, path.name
            for hidden in (".contents", "#any-gene", ".top-link"):
                assert not seen.page.locator(hidden).first.is_visible()
            assert seen.page.pdf(prefer_css_page_size=True)[:5] == b"%PDF-"
