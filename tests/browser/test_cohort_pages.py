"""The cohort page and the pages of then and now: search, sort, colours, downloads, paper."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from browser_tools import WIDTHS, accessible, overlaps
from report_tools import HOSTILE, make_cohort

from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table
from resistpath.report import render
from resistpath.report.parts import inflamed_mechanism

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {
    *("mechanisms", "phenotype-map", "pca", "umap", "response-forest", "volcano", "roc"),
    *("paired-slopes", "kaplan-meier"),
}
TABLES = {
    *("samples", "counts", "further-counts", "response", "pairs", "patterns", "survival"),
    *("quality", "confounding", "concordance"),
}


@pytest.fixture(scope="module")
def cohort(browser: Any, riaz: Path) -> Iterator[Any]:
    """Riaz's page, opened once; tests leave it as they found it."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.address = (riaz / "index.html").resolve().as_uri()
    page.goto(page.address)
    yield page
    # After all that was clicked, chosen and downloaded: nothing said, nothing asked for.
    assert page.said == []
    assert {a for a in page.asked if not a.startswith(("data:", "blob:"))} == {page.address}
    context.close()


@pytest.fixture
def downloading(visit: Any, riaz: Path) -> Iterator[Any]:
    """Riaz's page anew: Chromium lets one page save ten files."""
    with visit(riaz / "index.html") as seen:
        yield seen.page
        assert seen.said == []


@pytest.fixture(scope="module")
def sheet(riaz: Path) -> pd.DataFrame:
    return pd.read_csv(riaz.parent / "s.tsv", sep="\t", dtype=str, keep_default_na=False)


def patients(results: Path) -> list[Path]:
    found = sorted((results / "patients").glob("*.html"))
    assert found
    return found


def saved(page: Any, label: str) -> tuple[str, str]:
    """Name and text of what a button downloads."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_text(encoding="utf-8")


def table_of(text: str) -> pd.DataFrame:
    lines = list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len({len(line) for line in lines}) == 1
    return pd.DataFrame(lines[1:], columns=lines[0]).replace("NA", np.nan)


def in_order(page: Any) -> list[str]:
    return page.locator("#samples tbody tr:not([hidden]) th").all_inner_texts()


def test_links_lead_to_files_and_places(cohort: Any, visit: Any, riaz: Path) -> None:
    def hrefs(page: Any) -> list[str]:
        return page.locator("a[href]").evaluate_all("list => list.map((a) => a.href)")

    found = hrefs(cohort)
    with visit(patients(riaz)[0]) as seen:
        found += hrefs(seen.page)
    reached = set()
    for link in found:
        parts = urlsplit(link)
        if parts.scheme == "https":
            continue
        path = Path(unquote(parts.path))
        assert path.is_file(), link
        assert path.is_relative_to(riaz.resolve())
        reached.add(path)
        if parts.fragment and path.name == "index.html":
            assert cohort.locator(f"[id='{parts.fragment}']").count() == 1, link
    for folder, some in (("reports", 45), ("patients", 17)):
        pages = {p.resolve() for p in (riaz / folder).glob("*.html")}
        assert len(pages) == some
        assert pages <= reached


def test_words_and_choices_narrow_the_table(cohort: Any, sheet: pd.DataFrame) -> None:
    shown = cohort.locator("#shown")

    def count(rows: pd.Series) -> None:
        expect(shown).to_have_text(f"{int(rows.sum())} of 45 shown")
        assert sorted(in_order(cohort)) == sorted(sheet["sample_id"][rows])

    whole = sheet.agg(" ".join, axis=1).str.lower()
    cohort.fill("#filter", "PT3 pre")
    hits = whole.str.contains("pt3") & whole.str.contains("pre")
    assert 0 < hits.sum() < 45
    count(hits)
    choice = cohort.locator("#choices label", has_text="response_binary").locator("select")
    choice.select_option("R")
    count(hits & (sheet["response_binary"] == "R"))
    cohort.fill("#filter", "<script>")
    expect(shown).to_have_text("0 of 45 shown")
    cohort.fill("#filter", "")
    choice.select_option("not stated")
    count(sheet["response_binary"] == "")
    choice.select_option("all")
    count(pd.Series(True, index=sheet.index))


def test_columns_sort_as_numbers_and_as_words_with_the_missing_last(
    cohort: Any, sheet: pd.DataFrame
) -> None:
    values = sheet.set_index("sample_id")
    time = pd.to_numeric(values["survival_time"])
    assert time.isna().any()
    before = in_order(cohort)
    for column, by in (("survival_time", time), ("response", values["response"])):
        head = cohort.get_by_role("columnheader", name=column, exact=True)
        for way, sign in (("ascending", 1), ("descending", -1)):
            head.get_by_role("button").click()
            expect(head).to_have_attribute("aria-sort", way)
            got = by.loc[in_order(cohort)]
            known = got[got.notna() & (got != "")]
            assert known.index.equals(got.index[: len(known)])
            assert list(known) == sorted(known, reverse=sign < 0)
        assert cohort.locator("#samples [aria-sort]").count() == 1
    head = cohort.get_by_role("columnheader", name="Sample", exact=True)
    head.get_by_role("button").focus()
    cohort.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert sorted(before) == sorted(in_order(cohort))
    cohort.reload()


def test_the_embedding_can_be_coloured_by_any_column(cohort: Any, sheet: pd.DataFrame) -> None:
    choice, levels = cohort.get_by_label("Colour by"), cohort.locator("#embedding-levels")
    options = choice.locator("option").all_inner_texts()
    assert {"timepoint", "response", "Hypoxia, raw percentile"} <= set(options)
    marks = "list => list.map((p) => [p.dataset.i, p.className.baseVal, getComputedStyle(p).fill])"
    for name in ("timepoint", "survival_time", "Hypoxia, residual percentile"):
        choice.select_option(name)
        expect(levels.locator("b")).to_have_text(name)
        for figure in ("pca", "umap"):
            points = cohort.locator(f"[data-figure={figure}] path[data-i]").evaluate_all(marks)
            assert len(points) == 45
            colours = {kind: fill for _, kind, fill in points}
            assert len(colours) > 1
            assert len(set(colours.values())) == len(colours)
            if name == "timepoint":
                kinds = {at: kind for at, kind, _ in points}
                said = levels.locator("span").all_inner_texts()
                assert said == [f"{n} ({k})" for n, k in sheet[name].value_counts().items()]
                for i, value in enumerate(sheet[name]):
                    assert kinds[str(i)] == ("c0" if said[0].startswith(value) else "c1")
    choice.select_option("response_binary")


def test_pictures_can_be_downloaded(downloading: Any) -> None:
    figures = downloading.locator("figure[data-figure]").evaluate_all(
        "list => list.map((f) => [f.dataset.figure, f.querySelectorAll('path[data-i]').length])"
    )
    assert {name for name, _ in figures} == FIGURES
    for name, points in figures:
        file, text = saved(downloading, f"Download {name} as SVG")
        assert file == f"riaz-{name}.svg"
        root = ET.fromstring(text)  # noqa: S314 - made by our own page
        assert root.tag == f"{SVG}svg"
        _, _, width, height = map(float, root.get("viewBox", "").split())
        assert min(width, height) > 100
        # It stands alone: every colour written out, no style sheet, no script, no address.
        assert not re.search(r"var\(|class=|style=|<script|href", text)
        drawn = [e for e in root.iter() if e.tag in (f"{SVG}path", f"{SVG}circle")]
        assert len(drawn) >= max(points, 4)
        assert any(e.get("fill", "").startswith("rgb") for e in drawn)
        assert all("".join(e.itertext()).strip() for e in root.iter(f"{SVG}text"))


def test_data_of_the_pictures_can_be_downloaded(downloading: Any, riaz: Path) -> None:
    tables = {}
    for name in sorted(FIGURES):
        file, text = saved(downloading, f"Download the data of {name} as TSV")
        assert file == f"riaz-{name}.tsv"
        tables[name] = table_of(text)
        assert len(tables[name]) > 2, name
    book = catalogue()
    rows = read_table(riaz / "mechanisms.tsv")
    rows["mechanism"] = rows["mechanism"].map({m.mechanism: m.name for m in book.mechanisms})
    known = rows.set_index(["sample", "mechanism"])
    heat = tables["mechanisms"].set_index(["sample", "mechanism"])
    assert len(heat) == 45 * 14
    known = known.loc[heat.index]
    assert list(heat["reading"]) == list(known["reading"])
    for column in ("percentile", "residual_percentile"):
        got = heat[column].astype(float)
        kept = got.notna()
        assert kept.sum() > 45 * 12
        assert np.abs(got - known[column])[kept].max() <= 0.05 + 1e-9
    places = read_table(riaz / "comparison" / "embedding.tsv").set_index("sample")
    pca = tables["pca"].set_index("sample")
    for column in ("pc1", "umap2"):
        assert np.allclose(pca[column].astype(float), places[column].loc[pca.index], rtol=1e-4)
    areas = read_table(riaz / "comparison" / "response.tsv")
    assert len(tables["volcano"]) == len(areas)
    got = tables["volcano"].set_index(["kind", "name", "view"])["auc"].astype(float)
    want = areas.set_index(["kind", "name", "view"])["auc"].loc[got.index]
    assert np.allclose(got, want, rtol=1e-3, equal_nan=True)
    roc = tables["roc"][["false_positive_share", "sensitivity"]].astype(float).to_numpy()
    assert (roc[0] == 0).all()
    assert (roc[-1] == 1).all()
    assert (np.diff(roc, axis=0) >= 0).all()


def test_tables_can_be_downloaded_as_they_stand(downloading: Any, sheet: pd.DataFrame) -> None:
    page = downloading
    names = page.locator("table[id]").evaluate_all("list => list.map((t) => t.id)")
    assert set(names) == TABLES
    page.locator("details").evaluate_all("list => list.forEach((d) => { d.open = true; })")
    got = {}
    for name in TABLES:
        file, text = saved(page, f"Download the table {name} as TSV")
        assert file == f"riaz-{name}.tsv"
        got[name] = table_of(text)
        assert len(got[name]), name
        assert all(got[name].columns), name
    assert list(got["samples"]["Sample"]) == list(sheet["sample_id"])
    assert list(got["samples"]["patient"]) == list(sheet["patient_id"])
    whole = got["counts"].filter(like="Raw ").astype(int)
    assert (whole.sum(axis=1) == 45).all()


def test_a_narrowed_table_is_downloaded_narrowed(downloading: Any) -> None:
    downloading.fill("#filter", "Pt10")
    expect(downloading.locator("#shown")).not_to_have_text("45 of 45 shown")
    few = table_of(saved(downloading, "Download the table samples as TSV")[1])
    assert list(few["Sample"]) == in_order(downloading)
    assert 0 < len(few) < 45


def test_tables_behind_the_pictures_open(cohort: Any) -> None:
    for name in ("heat", "phenotype", "embedding", "response"):
        part = cohort.locator(f"details[data-lazy={name}]")
        part.locator("summary").click()
        part.locator("tbody tr").first.wait_for()
        said, rows = part.locator("caption").inner_text(), part.locator("tbody tr").count()
        assert said.startswith("Rounded") or f"first {rows} of" in said
        assert rows >= 45
    cohort.reload()


def test_curves_follow_what_is_chosen(cohort: Any) -> None:
    for name, figure in (
        ("response", "roc"),
        ("pairs", "paired-slopes"),
        ("survival", "kaplan-meier"),
    ):
        part = cohort.locator(f"[data-figure={figure}]")
        title = part.locator("svg.fig > title")
        part.get_by_label("Show").select_option(label="Hypoxia")
        for view in ("residual", "raw"):
            part.get_by_label("View").select_option(view)
            cohort.wait_for_function(
                "([at, view]) => { const t = document.querySelector(at + ' svg.fig > title');"
                " return t && t.textContent.startsWith('Hypoxia, ' + view); }",
                arg=[f"[data-figure={figure}]", view],
            )
        assert title.count() == 1, name


def test_all_can_be_reached_by_keyboard(cohort: Any, riaz: Path) -> None:
    cohort.reload()
    reached = set()
    for _ in range(400):
        cohort.keyboard.press("Tab")
        at = cohort.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.tagName, e.id || e.getAttribute('aria-label') || e.textContent.trim()"
            " || e.tagName, s.outlineStyle]; }"
        )
        if at[0] == "BODY":
            break
        assert at[2] != "none", at
        reached.add(at[1])
    names = set(
        cohort.locator("button:visible, .points, .heat-plot").evaluate_all(
            "list => list.map((e) => e.getAttribute('aria-label') || e.textContent.trim())"
        )
    )
    assert len(names) > 35
    assert names <= reached
    assert "filter" in reached
    heat = cohort.locator(".heat-plot").first
    heat.focus()
    line = cohort.locator("#under")
    expect(line).to_contain_text("MHC class I antigen presentation")
    first = line.inner_text()
    cohort.keyboard.press("ArrowRight")
    expect(line).not_to_have_text(first)
    sample = line.inner_text().split(" · ")[0]
    cohort.keyboard.press("Enter")
    cohort.wait_for_url("**/reports/*.html")
    expect(cohort.locator("h1")).to_have_text(sample)
    cohort.goto(cohort.address)
    cohort.asked[:] = [cohort.address]
    points = cohort.locator("[data-figure=umap] .points")
    points.focus()
    cohort.keyboard.press("ArrowRight")
    expect(cohort.locator("[data-figure=umap] .said-line")).to_contain_text(re.compile(r"Pt\d+_"))


def test_pages_of_then_and_now_say_what_the_tables_say(visit: Any, riaz: Path) -> None:
    pairs = read_table(riaz / "pairs.tsv")
    pairs = pairs[pairs["kind"] == "mechanism"]
    outcomes = {"raw": 4, "residual": 5}
    with visit(patients(riaz)[0]) as seen:
        for path in patients(riaz)[:4]:
            seen.page.goto(path.resolve().as_uri())
            own = pairs[pairs["patient"] == seen.page.locator("h1").inner_text()]
            rows = seen.page.locator("table.changes tbody tr").evaluate_all(
                "list => list.map((r) => [...r.cells].map((c) => c.innerText))"
            )
            assert len(rows) == len(own) / 2 > 40
            names = {m.name: m.mechanism for m in catalogue().mechanisms}
            for row in rows:
                for view, at in outcomes.items():
                    known = own[(own["item"] == names[row[0]]) & (own["view"] == view)].iloc[0]
                    said = known["outcome"]
                    if view == "residual" and known["item"] == inflamed_mechanism(catalogue()):
                        assert said == "cannot say"
                        said = "no residual given itself"
                    assert row[at].startswith(said)
                    if not np.isnan(known["delta"]):
                        shown = float(row[at].splitlines()[1].split(" ")[0].replace("−", "-"))
                        assert abs(shown - known["delta"]) <= 0.005 + 1e-9
            up = [r[0] for r in rows[:14] if r[4].startswith("up")]
            short = seen.page.locator("p", has_text="In short.").inner_text()
            assert all(name in short for name in up)
        assert seen.said == []
        assert all(a.startswith(("file:", "data:")) for a in seen.asked)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_on_cohort_and_patient_pages(
    visit: Any, riaz: Path, demo: Path, width: int
) -> None:
    for path in (riaz / "index.html", demo / "index.html", patients(riaz)[0]):
        with visit(path, width) as seen:
            overlaps(seen.page, path.name)
            seen.quiet()


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 375), ("dark", 375), ("light", 1400), ("dark", 1400)]
)
def test_axe_finds_nothing_serious_on_cohort_and_patient_pages(
    visit: Any, riaz: Path, scheme: str, width: int
) -> None:
    for path in (riaz / "index.html", patients(riaz)[0]):
        with visit(path, width, color_scheme=scheme) as seen:
            paper = seen.page.evaluate(
                "() => getComputedStyle(document.documentElement).backgroundColor"
            )
            bright = sum(map(int, re.findall(r"\d+", paper))) > 380
            assert bright == (scheme == "light")
            accessible(seen.page, path.name)


def test_paper_has_the_pictures_and_no_buttons(visit: Any, riaz: Path) -> None:
    for path in (riaz / "index.html", patients(riaz)[0]):
        with visit(path, color_scheme="dark") as seen:
            page = seen.page
            page.emulate_media(media="print", color_scheme="dark")
            assert (
                page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
                == "rgb(255, 255, 255)"
            )
            assert page.locator(":is(button, select, input):visible:not(th button)").count() == 0
            assert page.locator(".contents:visible").count() == 0
            if path.name == "index.html":
                assert page.locator("figure svg:visible").count() > 8
                assert page.locator("#samples thead th:visible").count() == 13
                expect(page.locator("caption .paper")).to_be_visible()
                for figure in ("roc", "paired-slopes", "kaplan-meier"):
                    said = page.locator(f"[data-figure={figure}] .paper")
                    expect(said).to_contain_text("IFN-γ signalling (T-cell-inflamed), raw")
            pdf = page.pdf(prefer_css_page_size=True)
            assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 20


def test_names_of_strangers_do_nothing_in_a_browser(visit: Any, tmp_path: Path) -> None:
    names = [*HOSTILE, "+1", "@SUM(1)", "\u200b=1+1", "-x"]
    record = make_cohort(catalogue(), names)
    record["cohort"] = "../<b>=1"
    path = tmp_path / "index.html"
    path.write_text(render.render_cohort(record), encoding="utf-8")
    with visit(path) as seen:
        page = seen.page
        opened: list[str] = []
        page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
        page.locator("details[data-lazy=heat] summary").click()
        page.locator("details[data-lazy=heat] tbody tr").first.wait_for()
        cells = set()
        for label in ("the data of mechanisms", "the table samples"):
            file, text = saved(page, f"Download {label} as TSV")
            assert re.fullmatch(r"[A-Za-z0-9._-]+\.tsv", file)
            assert not file.startswith(("/", "..-/"))
            cells |= {c for line in text.splitlines()[1:] for c in line.split("\t")}
        assert not [c for c in cells if re.match(r"[\s\u200b]*([=+@]|-(?![\d.]|$))", c)]
        assert {"'=HYPERLINK(1)", "'+1", "'@SUM(1)", "'\u200b=1+1", "'-x"} <= cells
        _, picture = saved(page, "Download mechanisms as SVG")
        ET.fromstring(picture)  # noqa: S314 - made by our own page
        page.locator(".heat-plot").first.focus()
        for _ in names:
            page.keyboard.press("ArrowRight")
        assert page.locator("img, iframe, object, embed").count() == 0
        assert opened == []
        assert seen.said == []


def test_the_page_is_whole_without_javascript(visit: Any, riaz: Path) -> None:
    with visit(riaz / "index.html", java_script_enabled=False) as seen:
        assert seen.page.locator("#samples tbody tr").count() == 45
        assert seen.page.locator("#controls").is_hidden()
        data = seen.page.locator("#heat-data").inner_text()
        assert len(json.loads(data)["samples"]) == 45
