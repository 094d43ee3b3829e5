"""The cohort page."""

from __future__ import annotations

import re

from report_tools import Page, check_inert, check_numbers, make_cohort

from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import figures, render

# ------------------------------------------------------------------ the cohort page


def test_every_number_on_the_cohort_page_equals_its_record(book: Catalogue) -> None:
    names = [f"S{i}" for i in range(12)]
    record = make_cohort(book, names, failed=(3,))
    numbers = check_numbers(render.render_cohort(record), record)
    for i, s in enumerate(record["samples"]):
        key = f"/samples/{i}/readings/consistent with resistance"
        assert (key in numbers) == (s["readings"] is not None)
        assert f"/samples/{i}/columns/3" in numbers
    assert record["samples"][3]["readings"] is None
    assert (record["n_samples"], record["n_failed"], record["n_poor_fit"]) == (12, 1, 1)


def test_cohort_counts_add_up(book: Catalogue) -> None:
    names = [f"S{i}" for i in range(12)]
    record = make_cohort(book, names, failed=(3,))
    inflamed = book.readout(book.inflammation).mechanism
    for m in record["mechanisms"]:
        assert sum(m["raw"].values()) == 12
        assert sum(m["readings"].values()) == 12
        assert m["raw"]["not assessable"] >= 1
        if m["mechanism"] == inflamed:
            assert m["residual"] is None
        else:
            assert sum(m["residual"].values()) == 12
    genes = next(q for q in record["quality"] if q["metric"] == "genes")
    assert genes["failed"] == ["S3"]
    assert [m["sample"] for m in genes["marked"]] == [s for s in names if s != "S3"]
    assert "unit_step" not in {q["metric"] for q in record["quality"]}
    assert record["confounding"][0]["status"] == "warn"
    total = sum(
        s["readings"]["consistent with resistance"] for s in record["samples"] if s["readings"]
    )
    assert total == sum(m["readings"]["consistent with resistance"] for m in record["mechanisms"])


def test_further_mechanisms_are_counted_but_not_drawn(book: Catalogue) -> None:
    record = make_cohort(book, [f"S{i}" for i in range(6)])
    assert [len(record[k]) for k in ("mechanisms", "further_mechanisms")] == [14, 32]
    assert sorted(record["heat_map"]["mechanisms"]) == list(range(14))
    assert len(record["heat_map"]["raw"]["percentile"]) == 14
    html = render.render_cohort(record)
    read = Page(html)
    (table,) = read.all("table", id="further-counts")
    assert any(e["tag"] == "details" for e in table["path"])
    numbers = read.numbers()
    for i, m in enumerate(record["further_mechanisms"]):
        assert sum(m["raw"].values()) == sum(m["readings"].values()) == 6
        assert f"/further_mechanisms/{i}/readings/consistent with resistance" in numbers
        assert m["name"] in table["text"]
    assert html.count('class="heat-plot"') == 2


def test_heat_map_is_ordered_and_marks_uncertainty(book: Catalogue) -> None:
    names = [f"S{i}" for i in range(12)]
    record = make_cohort(book, names, failed=(3,))
    heat = record["heat_map"]
    key = [m.mechanism for m in book.page("one")].index(book.readout(book.inflammation).mechanism)
    row = heat["raw"]["percentile"][heat["mechanisms"].index(key)]
    known = [v for v in row if v is not None]
    assert known == sorted(known)
    assert row[-1] is None
    assert heat["samples"][-1] == 3
    assert "T-cell-inflamed" in heat["order"]
    for kind in ("raw", "residual"):
        drawn = figures.heat_map("x", heat[kind])
        full = len(re.findall(r"v14h", drawn))
        short = len(re.findall(r"v5h", drawn))
        under = len(re.findall(r"v2h", drawn))
        states = [v for r in heat[kind]["verdict"] for v in r]
        assert full == sum(v in ("high", "typical", "low") for v in states)
        assert short == states.count("inconclusive")
        assert under == sum(v for r in heat[kind]["resistance"] for v in r)
    assert "describe this cohort" in render.render_cohort(record)


def test_a_single_sample_and_a_large_cohort_can_be_drawn(book: Catalogue) -> None:
    check_inert(Page(render.render_cohort(make_cohort(book, ["only"], failed=()))))
    rows = len(book.page("one"))
    panel = {
        "percentile": [[50.0] * 500] * rows,
        "verdict": [["typical"] * 500] * rows,
        "resistance": [[False] * 500] * rows,
    }
    assert len(figures.heat_map("x", panel)) < 250_000


def test_links_stay_inside_the_folder() -> None:
    assert render.page_link("reports/a&b#c?.html") == "./reports/a%26b%23c%3F.html"
    for bad in ("javascript:alert(1)", "../up.html", "//host/x", "/etc/passwd", "a/../../b"):
        link = render.page_link(bad)
        assert link.startswith("./")
        assert "/" not in link[2:]
        assert ":" not in link
