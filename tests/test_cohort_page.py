"""The cohort page as a whole: what it says equals its records, and the records the tables."""

from __future__ import annotations

import base64
import csv
import hashlib
import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from resistpath.cohort import roc
from resistpath.errors import UserError
from resistpath.io.files import file_names
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.verdict import Thresholds
from resistpath.report import cohort_panels, render
from resistpath.report.plots import axes, forest, maps, volcano
from resistpath.steps import report as step
from resistpath.steps.cohort_page import cohort_panels as panels_of
from resistpath.steps.reference import choose
from resistpath.steps.results import Results, load_results

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://x")',
    "../../etc/passwd",
    "عينة-٧",
    "n" * 300,
)
VOID = {"meta", "link", "br", "input", "path", "circle"}


class Read(HTMLParser):
    """Elements of a page, each with its attributes, its text and those around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[dict[str, Any]] = []
        self.around: list[dict[str, Any]] = []
        self.feed(html)
        self.close()
        assert not self.around

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "at": dict(attrs), "text": "", "path": [*self.around]}
        self.elements.append(element)
        if tag not in VOID:
            self.around.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append({"tag": tag, "at": dict(attrs), "text": "", "path": [*self.around]})

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.around.pop()["tag"] == tag

    def handle_data(self, data: str) -> None:
        for element in self.around:
            element["text"] += data

    def numbers(self) -> dict[str, str]:
        out = {}
        for e in self.elements:
            if e["tag"] == "data":
                at = next(p["at"]["data-at"] for p in reversed(e["path"]) if "data-at" in p["at"])
                out[f"{at}/{e['at'].get('data-k', 'percentile')}"] = e["at"]["value"]
        return out

    def inside(self, tag: str, **at: str) -> list[dict[str, Any]]:
        """Elements below the one with this tag and attributes."""
        wanted = {k.replace("_", "-"): v for k, v in at.items()}
        (outer,) = (
            e for e in self.elements if e["tag"] == tag and wanted.items() <= e["at"].items()
        )
        return [e for e in self.elements if any(p is outer for p in e["path"])]


def loaded(folder: Path) -> Results:
    pack = choose([folder / "reference.npz"], Thresholds().min_reference)[0]
    return load_results(folder, pack, Thresholds(), None)


@pytest.fixture(scope="module")
def record(finished: Path) -> dict[str, Any]:
    """The record of the page, made again from the folder."""
    results = loaded(finished)
    links = {s: f"reports/{n}.html" for s, n in file_names(results.samples).items()}
    panels = panels_of(finished, results.prepared, results.book)
    return step._cohort_content(results, links, panels)


@pytest.fixture(scope="module")
def html(finished: Path) -> str:
    return (finished / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(html: str) -> Read:
    return Read(html)


@pytest.fixture(scope="module")
def data(read: Read) -> dict[str, Any]:
    """What the page's script draws from."""
    return json.loads(next(e["text"] for e in read.elements if e["at"].get("id") == "heat-data"))


def test_every_number_on_the_page_equals_its_record(record, read):
    record = json.loads(render.to_json(record))
    numbers = read.numbers()
    for pointer, value in numbers.items():
        known: Any = record
        for part in pointer.strip("/").split("/"):
            known = known[int(part)] if isinstance(known, list) else known[part]
        if known is None:
            assert value == "", pointer
        else:
            assert float(value) == float(f"{known:.7g}"), pointer
    shown = ("phenotype", "embedding", "response", "differential", "pairs", "survival")
    for panel in (*shown, "concordance"):
        assert any(p.startswith(f"/panels/{panel}") for p in numbers), panel


def test_the_same_folder_gives_the_same_page(record, html):
    assert render.render_cohort(record) == html


def test_rows_of_the_response_panel_are_those_of_the_table(finished, record):
    table = read_table(finished / "comparison" / "response.tsv")
    table = table.set_index(["kind", "name", "view"])
    rows = record["panels"]["response"]["rows"]
    assert len(rows) == len(table)
    for row in rows:
        known = table.loc[(row["kind"], row["name"], row["view"])]
        for key in cohort_panels.AREA:
            assert row[key] == known[key] or (row[key] is None and np.isnan(known[key])), key
    assert record["panels"]["response"]["n_found"] == (table["q"] < 0.1).sum() > 0


def test_the_differential_panel_has_the_strongest_sets_of_the_table(finished, record, read):
    table = read_table(finished / "comparison" / "prerank.tsv").dropna(subset="nes")
    panel = record["panels"]["differential"]
    assert len(panel["rows"]) == cohort_panels.MOST_SETS < len(table) == panel["sets"]
    assert panel["sets_found"] == (table["q_correlated"] < 0.1).sum()
    assert panel["method"].startswith("a linear model")
    both = set(table.loc[table["side"] == "down", "readout"])
    for row, (_, known) in zip(panel["rows"], table.iterrows(), strict=False):
        assert row["name"] == known["readout"]
        assert row["side"] == (known["side"] if known["readout"] in both else "")
        for key in cohort_panels.SET:
            assert row[key] == known[key], key
        assert ", ".join(row["leading"]) == known["leading_genes"][: len(", ".join(row["leading"]))]
    links = [e["at"]["href"] for e in read.elements if e["at"].get("href", "").endswith(".tsv")]
    assert {"./comparison/prerank.tsv", "./comparison/differential.tsv"} <= set(links)
    assert all((finished / link).is_file() for link in links)


def test_the_differential_panel_says_why_nothing_was_compared(finished, record):
    nothing = pd.DataFrame()
    facts = {"absent": "response cannot be told from batch"}
    assert cohort_panels.differential_record(nothing, facts, {}) is None
    known = {"responders_known": 5, "non_responders_known": 6}
    panel = cohort_panels.differential_record(nothing, facts | known, {})
    told = {**record, "panels": {**record["panels"], "differential": panel}}
    assert "No differential view: response cannot be told from batch." in render.render_cohort(told)
    one_arm = known | {"responders_known": 0}
    assert cohort_panels.differential_record(nothing, facts | one_arm, {}) is None


def test_mechanisms_stand_first_and_their_views_side_by_side(record):
    rows = record["panels"]["response"]["rows"]
    kinds = [r["kind"] for r in rows]
    assert kinds == sorted(kinds)
    for a, b in itertools.pairwise(rows):
        if b["view"] == "residual":
            assert (a["kind"], a["name"], a["view"]) == (b["kind"], b["name"], "raw")


def test_roc_curves_have_the_areas_of_the_table(finished, data):
    table = read_table(finished / "comparison" / "response.tsv")
    table = table.set_index(["kind", "name", "view"])
    drawn = [r for r in data["response"]["rows"] if "curve" in r]
    assert {r["view"] for r in drawn} == {"raw", "residual"}
    assert sum(r["kind"] == "mechanism" for r in drawn) == 27
    for r in drawn:
        known = table.loc[(r["kind"], r["name"], r["view"])]
        if known["n"]:
            assert roc.area(r["curve"]) == pytest.approx(known["auc"], abs=1e-12)
            up, right = r["curve"].count("u"), r["curve"].count("r")
            assert (up, up + right) == (known["n_responders"], known["n"])
            assert len(data["response"]["bands"][str(up)]) == up + 1
            assert len(data["response"]["bands"][str(right)]) == right + 1


def test_a_table_of_other_scores_is_refused(finished, tmp_path, record):
    folder = tmp_path / "stale"
    shutil.copytree(finished, folder)
    path = folder / "comparison" / "response.tsv"
    table = read_table(path)
    write_table(path, table.assign(auc=table["auc"] + 0.01))
    results = loaded(folder)
    with pytest.raises(UserError, match="does not belong to these scores"):
        panels_of(folder, results.prepared, results.book)


def test_the_forest_is_drawn_where_the_record_says(record, read):
    rows = [
        r
        for r in record["panels"]["response"]["rows"]
        if r["kind"] == "mechanism" and r["page"] == "one"
    ]
    found = read.inside("figure", data_figure="response-forest")
    for view, kind in (("raw", "raw"), ("residual", "res")):
        drawn = [float(e["at"]["cx"]) for e in found if e["at"].get("class") == kind]
        wanted = [forest.X(r["auc"]) for r in rows if r["view"] == view and r["auc"] is not None]
        assert drawn == pytest.approx(wanted, abs=0.051)
    texts = {e["text"] for e in found if e["tag"] == "text"}
    for r in rows:
        assert forest.area_text(r) in texts
        assert r["label"] in texts
    lines = [e["at"]["d"] for e in found if e["at"].get("class") == "iv"]
    assert len(lines) == sum(r["low"] is not None for r in rows)


def test_the_volcano_has_every_row_and_fills_those_found(record, read):
    rows = record["panels"]["response"]["rows"]
    points = [e for e in read.inside("figure", data_figure="volcano") if "data-i" in e["at"]]
    places = volcano.places(rows)
    assert [int(e["at"]["data-i"]) for e in points] == [
        i for i, p in enumerate(places) if p is not None
    ]
    for e in points:
        row, place = rows[int(e["at"]["data-i"])], places[int(e["at"]["data-i"])]
        x, y = map(float, re.match(r"M([-\d.]+) ([-\d.]+)", e["at"]["d"]).groups())
        assert (x, y) == pytest.approx(place, abs=0.051)
        assert (e["at"]["class"] == "found-row") == (row["q"] < 0.1)


def test_the_phenotype_map_is_drawn_where_the_table_says(finished, read, data):
    table = read_table(finished / "phenotype.tsv").set_index("sample")
    found = read.inside("figure", data_figure="phenotype-map")
    points = [e for e in found if "data-i" in e["at"]]
    placed = table.dropna(subset=["x", "y"])
    assert len(points) == len(placed) > 20
    for e in points:
        row = table.iloc[int(e["at"]["data-i"])]
        x, y = map(float, re.match(r"M([-\d.]+) ([-\d.]+)", e["at"]["d"]).groups())
        assert (x, y) == pytest.approx((maps.MAP_X(row["x"]), maps.MAP_Y(row["y"])), abs=0.051)
        assert e["at"]["class"] == f"p{maps.SHAPES.get(row['phenotype'], maps.OTHER)}"
    assert data["phenotype"]["label"] == list(table["phenotype"])
    assert data["phenotype"]["x"] == [None if np.isnan(v) else round(v, 1) for v in table["x"]]


def test_the_embedding_is_that_of_the_table(finished, read, data):
    table = read_table(finished / "comparison" / "embedding.tsv")
    assert len(table) == 30
    assert data["embedding"]["umap1"] == [float(f"{v:.5g}") for v in table["umap1"]]
    for figure in ("pca", "umap"):
        drawn = [e for e in read.inside("figure", data_figure=figure) if "data-i" in e["at"]]
        assert len(drawn) == 30
        assert {e["at"]["class"] for e in drawn} == {"cx"}


def test_survival_curves_start_whole_and_count_those_at_risk(finished, record):
    sheet = read_table(finished.parents[1] / "s.tsv")
    first = sheet[sheet["timepoint"] == "pre"]
    rows = [r for r in record["panels"]["survival"]["rows"] if r["curve"]]
    assert rows
    for row in rows:
        groups = row["curve"]["groups"]
        assert [g["group"] for g in groups] == ["above", "at or below"]
        assert sum(g["n"] for g in groups) == row["n"]
        for g in groups:
            assert (g["time"][0], g["survival"][0]) == (0.0, 1.0)
            assert g["survival"] == sorted(g["survival"], reverse=True)
            assert g["at_risk"][0] == g["n"]
        for k, at in enumerate(groups[0]["risk_time"]):
            assert sum(g["at_risk"][k] for g in groups) == (first["survival_time"] >= at).sum()


def test_slopes_join_the_percentiles_of_each_patient(finished, record):
    table = read_table(finished / "mechanisms.tsv").set_index(["sample", "mechanism"])
    sheet = read_table(finished.parents[1] / "s.tsv").set_index(["patient", "timepoint"])
    rows = [r for r in record["panels"]["pairs"]["rows"] if r["lines"]]
    assert {r["view"] for r in rows} == {"raw", "residual"}
    row = next(r for r in rows if r["view"] == "raw")
    assert sorted(row["lines"]["patients"]) == sorted(HOSTILE)
    for i, patient in enumerate(row["lines"]["patients"]):
        for key, when in (("before", "pre"), ("after", "on")):
            sample = sheet.loc[(patient, when), "sample"]
            assert row["lines"][key][i] == table.loc[(sample, row["name"]), "percentile"]
        assert row["lines"]["responder"][i] == (
            sheet.loc[(patient, "pre"), "response_binary"] == "R"
        )
    pages = [p["link"] for p in record["panels"]["pairs"]["patients"]]
    assert len(pages) == 6
    assert all((finished / p).is_file() for p in pages)


def test_accent_means_resistance_and_nothing_in_the_new_pictures(read):
    for e in read.elements:
        if "acc" in (e["at"].get("class") or "").split():
            assert any(p["at"].get("class") == "share" for p in e["path"]), e
        if e["at"].get("class") == "hr":
            assert any(p["at"].get("class") in ("heat", "key") for p in e["path"]), e


def test_few_patients_and_aligned_columns_are_said(html, record):
    response = record["panels"]["response"]
    assert "Few patients" not in html  # eleven and twelve
    few = {**record, "panels": {**record["panels"], "response": {**response, "small": "Few."}}}
    assert "Few." in render.render_cohort(few)
    assert cohort_panels._small(9, 30).startswith("Few patients: 9 responders and 30")
    assert cohort_panels._small(10, 10) == ""
    batch = {"batch": "batch & response are aligned"}
    told = {**record, "panels": {**record["panels"], "response": {**response, "confounded": batch}}}
    assert "batch &amp; response are aligned" in render.render_cohort(told)


def test_what_was_not_run_is_not_on_the_page(record):
    bare = {**record, "panels": dict(cohort_panels.EMPTY)}
    page = Read(render.render_cohort(bare))
    figures = [e["at"]["data-figure"] for e in page.elements if e["tag"] == "figure"]
    assert figures == ["mechanisms"]
    absent = {"absent": "9 samples passed quality, at least 10 are embedded"}
    told = {**bare, "panels": {**bare["panels"], "embedding": absent}}
    assert "9 samples passed quality" in render.render_cohort(told)


def test_hostile_names_and_levels_are_inert(html, read, data):
    tags = {e["tag"] for e in read.elements}
    assert "img" not in tags
    scripts = [e for e in read.elements if e["tag"] == "script"]
    assert [s["at"].get("type") for s in scripts] == ["application/json", None]
    digest = base64.b64encode(hashlib.sha256(scripts[1]["text"].encode()).digest()).decode()
    assert f"sha256-{digest}" in html
    for e in read.elements:
        assert not [a for a in e["at"] if a.startswith("on")]
        link = e["at"].get("href") or "#"
        assert link.startswith(("#", "./", "data:,", "https://doi.org/10."))
    centre = next(a for a in data["annotations"] if a["label"] == "centre")
    assert sorted(centre["levels"])[0] == '"><img src=x onerror=alert(1)>'
    assert data["table"][0] == "<script>alert(1)</script>"


def test_hostile_patients_land_inside_and_are_inert(finished, record, read):
    """Names of patients are names of files, of links and of headings."""
    pages = sorted((finished / "patients").iterdir())
    assert len(pages) == 6
    assert all(p.is_file() and len(p.name.encode()) < 255 for p in pages)
    names = sorted(p["patient"] for p in record["panels"]["pairs"]["patients"])
    assert names == sorted(HOSTILE)
    said = []
    for path in pages:
        page = Read(path.read_text(encoding="utf-8"))
        assert {e["tag"] for e in page.elements}.isdisjoint({"script", "img"})
        for e in page.elements:
            assert not [a for a in e["at"] if a.startswith("on")]
            link = e["at"].get("href") or "#"
            assert link.startswith(("#", ".././reports/", "data:,", "https://doi.org/10."))
            if link.startswith("../"):
                assert (path.parent / unquote(link)).resolve().is_relative_to(finished.resolve())
                assert (path.parent / unquote(link)).is_file()
        said += [e["text"] for e in page.elements if e["tag"] == "h1"]
    assert sorted(said) == names
    linked = {unquote(e["at"].get("href", "")) for e in read.elements}
    assert {f"./patients/{p.name}" for p in pages} <= linked


def test_a_hostile_cohort_is_inert_everywhere(finished, html, read):
    assert next(e["text"] for e in read.elements if e["tag"] == "h1") == '</script><b>"=1'
    assert html.count("</script>") == 2
    with open(finished / "lims.csv", encoding="utf-8", newline="") as rows:
        patients = {row["patient"] for row in csv.DictReader(rows)}
    assert set(HOSTILE) - patients == {'=HYPERLINK("http://x")'}
    assert '\'=HYPERLINK("http://x")' in patients


def test_columns_that_can_colour_a_sample():
    sheet = pd.DataFrame(
        {
            "few": ["b", "a", "b", None, "", "c"] * 2,
            "age": [str(v) for v in (*range(11), "3.5")],
            "mixed": [*map(str, range(11)), "old"],
            "one": ["x"] * 12,
            "endless": [*map(str, range(11)), "inf"],
        }
    )
    few, age = cohort_panels.colouring_columns(sheet, list(sheet.columns))
    assert (few["levels"], few["counts"], few["n"]) == (["b", "a", "c"], [4, 2, 2], 8)
    assert few["values"][:6] == [0, 1, 0, None, None, 2]
    assert (age["kind"], age["minimum"], age["maximum"]) == ("numbers", 0.0, 10.0)
    assert age["values"][-1] == 3.5


def test_a_page_of_many_samples_stays_small(html):
    assert len(html.encode()) < 700_000
    n = 1000
    record = {
        "n_placed": n,
        "points": [
            {
                "x": i / 10,
                "y": 50.0,
                "x_low": 0.0,
                "x_high": 1.0,
                "y_low": 0.0,
                "phenotype": "desert",
            }
            for i in range(n)
        ],
    }
    assert len(maps.phenotype_map("x", record, "x", "y")) < 80_000


def test_marks_differ_in_outline():
    assert len(set(axes.MARKS)) == len(axes.MARKS) >= cohort_panels.MOST_LEVELS


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_the_script_draws_what_is_chosen_first(finished, tmp_path, record):
    """The page as Chromium leaves it after its script has run, opened from disk."""
    done = subprocess.run(  # noqa: S603
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", f"--user-data-dir={tmp_path}"),
            *("--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"),
            (finished / "index.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr
    page = Read(done.stdout)
    assert [e for e in page.elements if e["at"].get("class") == "track"]
    drawn = {
        f: page.inside("figure", data_figure=f) for f in ("roc", "kaplan-meier", "paired-slopes")
    }
    curve = next(e["at"]["d"] for e in drawn["roc"] if e["at"].get("class") == "here")
    rows = record["panels"]["response"]["rows"]
    label = next(e["text"] for e in drawn["roc"] if e["tag"] == "title").split(", raw")[0]
    row = next(r for r in rows if r["label"] == label and r["view"] == "raw")
    thresholds = len(re.sub(r"\([ur]+\)", "x", row["curve"]))
    assert curve.count("L") == thresholds
    lines = [e for e in drawn["paired-slopes"] if (e["at"].get("class") or "").startswith("line")]
    assert sum("M0 7" not in e["at"]["d"] for e in lines) == 6
    areas = [e for e in drawn["kaplan-meier"] if re.match(r"area\d", e["at"].get("class") or "")]
    assert len(areas) == 2
    points = [e for e in page.inside("figure", data_figure="umap") if "data-i" in e["at"]]
    assert {e["at"]["class"] for e in points} == {"c0", "c1", "cx"}
    tools = [e["text"] for e in page.elements if e["tag"] == "button"]
    assert tools.count("SVG") == 9
