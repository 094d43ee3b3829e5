"""The sample page: every number, word and colour is its record."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from report_tools import (
    FACTS,
    LABEL,
    RESEARCH_USE,
    Page,
    agrees,
    check_numbers,
    make_quality,
    make_sample,
    make_tables,
)

from resistpath.deconvolve.caveats import caveats
from resistpath.errors import UserError
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import content, figures, render, text

# ------------------------------------------------------------------ the sample page


def test_every_number_on_the_sample_page_equals_its_record(
    page: str, record: dict[str, Any]
) -> None:
    numbers = check_numbers(page, record)
    wanted = []
    for i, m in enumerate(record["mechanisms"]):
        wanted += [(f"/mechanisms/{i}/{v}", m[v]) for v in ("raw", "residual")]
        for j, r in enumerate(m["readouts"]):
            at = f"/mechanisms/{i}/readouts/{j}"
            wanted += [(f"{at}/{v}", r[v]) for v in ("raw", "residual")]
            assert f"{at}/score" in numbers
            assert f"{at}/coverage" in numbers
    for i, m in enumerate(record["further_mechanisms"]):
        wanted += [(f"/further_mechanisms/{i}/{v}", m[v]) for v in ("raw", "residual")]
    for place, values in wanted:
        if values["percentile"] is not None:
            assert {f"{place}/{k}" for k in ("percentile", "low", "high")} <= numbers.keys()
    for p, part in enumerate(record["composition"]):
        for j, row in enumerate(part["rows"]):
            for key in ("value", "percentile", "low", "high"):
                shown = f"/composition/{p}/rows/{j}/{key}" in numbers
                assert shown or row[key] is None
    for g, group in enumerate(record["key_genes"]):
        for j in range(len(group["genes"])):
            assert f"/key_genes/{g}/genes/{j}/percentile" in numbers
    assert "/quality/metrics/0/value" in numbers
    assert "/preparation/counts/4/value" in numbers


def test_the_rounding_check_sees_a_wrong_number() -> None:
    assert agrees(83.4, "83")
    assert not agrees(84.0, "83.1")
    assert not agrees(0.2, "<0.1 %")
    assert not agrees(18_432.0, "18,431")


def _everything(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Mechanisms of page one and further ones."""
    return [*record["mechanisms"], *record["further_mechanisms"]]


def test_the_record_is_the_tables(book: Catalogue, record: dict[str, Any]) -> None:
    rows = make_tables(book)["mechanisms"].set_index("mechanism")
    everything = _everything(record)
    for m in everything:
        row = rows.loc[m["mechanism"]]
        for view, prefix in (("raw", ""), ("residual", "residual_")):
            for key in ("percentile", "low", "high"):
                value = row[prefix + key]
                assert m[view][key] == (None if np.isnan(value) else value)
            assert m[view]["verdict"] == row[f"{prefix}verdict"]
    for axes, page in (("axes", "one"), ("further_axes", "more")):
        assert sum(len(a["mechanisms"]) for a in record[axes]) == len(book.page(page))
    shown = [r["readout"] for m in everything for r in m["readouts"]]
    shown += [r["readout"] for r in record["context_readouts"]]
    assert sorted(shown) == sorted(r.readout for r in book.readouts)


def test_strips_stand_where_the_record_says(page: str, record: dict[str, Any]) -> None:
    read = Page(page)
    for i, m in enumerate(record["mechanisms"]):
        row = next(e for e in read.all("tr") if e["at"].get("data-at") == f"/mechanisms/{i}")
        marks = [e for e in read.elements if row in e["path"] and e["tag"] in ("circle", "path")]
        for view, kind in (("raw", "raw"), ("residual", "res")):
            x = m[view]["percentile"]
            mine = [e for e in marks if e["at"]["class"] in (kind, f"{kind} acc")]
            assert len(mine) == (x is not None)
            if x is not None and mine[0]["tag"] == "circle":
                assert float(mine[0]["at"]["cx"]) == pytest.approx(
                    figures.percentile_x(x), abs=0.06
                )
            elif x is not None:
                left = float(re.match(r"M([\d.]+)", mine[0]["at"]["d"])[1])
                assert left + 5.8 == pytest.approx(figures.percentile_x(x), abs=0.06)


def test_distribution_counts_every_reference_sample(record: dict[str, Any]) -> None:
    for m in record["mechanisms"]:
        for r in m["readouts"]:
            assert sum(r["reference"]["counts"]) == r["reference"]["n"] == 472
    few = content.summarise_values([1.0, 1.0, float("nan")])
    assert few is not None
    assert (few["n"], few["counts"], few["bin_width"]) == (2, [2], 0.0)
    assert content.summarise_values([]) is None
    row = {"score": 1.0, "low": 0.5, "high": 1.5}
    assert "reference tumours" in figures.distribution("x", few, row, False)
    assert "above every reference value" in figures.distribution(
        "x", few, row | {"score": 9.0}, False
    )


def test_colour_only_where_a_reading_is_resistance(page: str, record: dict[str, Any]) -> None:
    read = Page(page)
    found = [i for i, m in enumerate(record["mechanisms"]) if m["highlight"]]
    further = [i for i, m in enumerate(record["further_mechanisms"]) if m["highlight"]]
    assert found
    assert further
    for e in read.all():
        kinds = (e["at"].get("class") or "").split()
        if "acc" in kinds or "found" in kinds:
            places = {p["at"].get("data-at", "").split("/readouts")[0] for p in e["path"]}
            legend = any(p["at"].get("class") == "legend" for p in e["path"])
            coloured = {f"/mechanisms/{i}" for i in found}
            coloured |= {f"/further_mechanisms/{i}" for i in further}
            assert legend or places & coloured
    words = [e["text"] for e in read.all("span", class_="found")]
    assert words == ["◆ consistent with resistance"] * (2 * len(found) + len(further))


def test_exhaustion_is_never_coloured(book: Catalogue, spread: dict[str, Any]) -> None:
    """Even where a table calls a level resistance, a mechanism without direction stays grey."""
    tables = make_tables(book)
    tables["mechanisms"]["reading"] = "consistent with resistance"
    record = make_sample(book, spread, **tables)
    context = {m.mechanism for m in book.mechanisms if m.resistance_direction == "context"}
    assert any("exhaustion" in name for name in context)
    assert any("checkpoint" in name for name in context)
    for m in _everything(record):
        if m["mechanism"] in context:
            assert (m["highlight"], m["reading"]) == ([], "context only")
        else:
            assert m["highlight"] == [m["read"]]
    read = Page(render.render_sample(record))
    rows = {
        f"/{key}/{i}": m["mechanism"]
        for key in ("mechanisms", "further_mechanisms")
        for i, m in enumerate(record[key])
    }
    for e in read.all():
        if {"acc", "found"} & set((e["at"].get("class") or "").split()):
            at = [rows[p["at"]["data-at"]] for p in e["path"] if p["at"].get("data-at") in rows]
            assert not set(at) & context


def test_percentiles_always_name_their_reference(page: str) -> None:
    read = Page(page)
    heads = [
        e
        for tag in ("th", "dt", "h2", "h3", "caption")
        for e in read.all(tag)
        if re.search("percentile", e["text"], re.IGNORECASE)
    ]
    assert len(heads) > 35
    for e in heads:
        assert LABEL in e["text"], e["text"]
    for e in read.all("data"):
        if e["at"].get("data-k", "percentile") == "percentile":
            frame = [p for p in e["path"] if p["tag"] in ("table", "dl")][-1]
            assert LABEL in frame["text"]


def test_another_reference_is_said_in_the_row(book: Catalogue, spread: dict[str, Any]) -> None:
    tables = make_tables(book)
    tables["mechanisms"].loc[0, ["reference", "reference_n"]] = ["All tumours", 9000]
    html = render.render_sample(make_sample(book, spread, **tables))
    row = Page(html).all("tr", **{"data-at": "/mechanisms/0"})[0]
    assert "against All tumours (n = 9,000)" in row["text"]
    assert "Raw percentile in All tumours (n = 9,000)" in re.sub("</?bdi>", "", html).replace(
        "\u00a0", " "
    )


def test_page_one_says_what_was_not_assessed_and_what_it_is_for(page: str, book: Catalogue) -> None:
    read = Page(page)
    first = read.all("section", id="page-one")[0]
    listed = read.all("ul", id="not-assessed")[0]
    assert first in listed["path"]
    for item in book.not_assessed:
        assert item.item in listed["text"]
    assert first["text"].count(RESEARCH_USE) == 2
    for part in ("S1", "P1", "before treatment", "melanoma", "nivolumab", "0.1.0", "3f9a1c77be02"):
        assert part in first["text"]
    assert LABEL in first["text"]


def test_research_use_is_printed_on_every_sheet_of_paper(page: str) -> None:
    style = re.search(r"@page \{(.*?)\n?</style>", page, re.DOTALL)[1]
    assert text.css_string(RESEARCH_USE) in style


def test_summary_is_three_sentences_that_do_not_predict(record: dict[str, Any]) -> None:
    assert len(record["summary"]) == 3
    said = " ".join(record["summary"]).lower()
    assert LABEL.lower() in said
    assert "not a forecast of response" in said
    assert not re.search(r"responder|will respond|likely|benefit", said)
    found = [m for m in record["mechanisms"] if m["highlight"]]
    for m in found[:6]:
        value = m[m["highlight"][0]]
        assert m["name"] in record["summary"][0]
        assert f"percentile {text.percentile_text(value['percentile'])}" in record["summary"][0]
        assert f"evidence {m['evidence_grade']})" in record["summary"][0]
    grades = re.findall(r"evidence ([A-C])", record["summary"][0])
    assert grades == sorted(grades)
    for m in (*record["mechanisms"], *record["further_mechanisms"]):
        if m[m["deciding"] or "raw"]["verdict"] == "not assessable":
            assert m["name"] in record["summary"][2]
    assert str(sum(m["reading"] == "not seen" for m in record["mechanisms"])) in said


def test_nothing_found_is_not_called_absence(book: Catalogue, spread: dict[str, Any]) -> None:
    tables = make_tables(book)
    tables["mechanisms"]["reading"] = "not seen"
    first = make_sample(book, spread, **tables)["summary"][0]
    assert first.startswith(f"Compared with {LABEL}, none of the 14 mechanisms of page one")
    assert "of 32 further ones none does" in first
    assert "does not show that none is at work" in first


def test_a_failed_gate_replaces_the_content(book: Catalogue, spread: dict[str, Any]) -> None:
    record = make_sample(book, spread, quality=make_quality(failed=True))
    for key in (
        *("mechanisms", "context_readouts", "composition", "key_genes", "axes"),
        "cell_caveats",
        *("further_mechanisms", "further_axes"),
    ):
        assert record[key] == []
    assert record["genes"] is None
    reason = "Genes at 1 TPM: 3,120 genes, required ≥ 5,000; shallow library"
    assert record["withheld"] == {"reasons": [reason]}
    html = render.render_sample(record)
    read = Page(html)
    assert reason in read.all("section", id="withheld")[0]["text"]
    assert RESEARCH_USE in html
    assert "Not assessed by this assay" in html
    assert not any("mechanisms" in e["at"].get("data-at", "") for e in read.all())
    assert not read.all("svg", class_="strip")
    assert not read.all("script")
    for m in book.mechanisms:
        assert f">{m.name}<" not in html


def test_a_poor_fit_is_said_on_page_one(book: Catalogue, spread: dict[str, Any]) -> None:
    fit = {"correlation": 0.7, "lowest_typical": 0.84, "verdict": "fits poorly", "reason": "odd"}
    record = make_sample(book, spread, reference=FACTS["reference"] | {"fit": fit})
    first = Page(render.render_sample(record)).all("section", id="page-one")[0]["text"]
    assert "This sample fits the reference poorly" in first
    assert record["summary"][0].startswith("The sample fits the reference poorly")


def test_below_the_limit_of_detection_is_said_in_words(page: str) -> None:
    read = Page(page)
    row = read.all("tr", **{"data-at": "/composition/0/rows/1"})[0]
    assert "below the limit of detection" in row["text"]
    tables = [e for e in read.all("table") if read.all("section", id="composition")[0] in e["path"]]
    assert "B lineage" not in tables[1]["text"]  # the first compares the methods
    assert "CD8 T cells" not in tables[2]["text"]


def test_methods_are_compared_by_percentile_and_never_averaged(
    page: str, record: dict[str, Any]
) -> None:
    found = record["cell_agreement"]
    assert found["methods"] == ["quantiseq", "mcpcounter", "consensus_markers"]
    rows = {row["cell_type"]: row for row in found["rows"]}
    assert list(rows) == ["b_cell", "treg", "t_cd8"]  # in the order of the vocabulary
    assert rows["t_cd8"]["difference"] == pytest.approx(81.2 - 21.7)
    assert rows["t_cd8"]["reading"] == "disagree"
    assert rows["t_cd8"]["places"][2] is None  # no such type
    assert rows["b_cell"]["difference"] == 4.5
    assert rows["b_cell"]["reading"] == "agree"
    # Below its limit of detection: shown, not compared.
    assert rows["treg"]["places"][0] == {"percentile": 9.5, "detectable": "below limit"}
    assert (rows["treg"]["difference"], rows["treg"]["reading"]) == (None, "cannot compare")
    text = Page(page).all("table", id="cell-agreement")[0]["text"]
    assert "(9.5)" in text or "(10)" in text
    assert "disagree" in text
    numbers = Page(page).numbers()
    assert "/cell_agreement/rows/2/places/0/percentile" in numbers
    assert "/cell_agreement/rows/2/difference" in numbers
    assert "/composition/0/fit/residual" in numbers


def test_a_method_that_could_not_be_run_says_why(page: str, record: dict[str, Any]) -> None:
    part = next(p for p in record["composition"] if p["method"] == "svr:LM22")
    assert part["rows"] == []
    assert part["unavailable"] == "not assessable: 1 of 547 genes"
    section = Page(page).all("section", id="composition")[0]["text"]
    assert "No values for this sample: not assessable: 1 of 547 genes." in section
    said = [m["text"] for m in record["methods"]["methods"] if m["method"] == "svr:LM22"]
    assert said[0].startswith("ν-SVR")
    assert said[0].endswith("; matrix LM22")


def test_caveats_of_each_method_and_of_all_are_on_the_page(
    page: str, record: dict[str, Any]
) -> None:
    section = Page(page).all("section", id="composition")[0]["text"]
    assert caveats("quantiseq")[0] in section
    for part in record["composition"]:
        known = caveats(part["method"].partition(":")[0])
        assert part["caveats"] == known[: -len(record["cell_caveats"])]
        assert record["cell_caveats"] == known[len(part["caveats"]) :]
    assert all(text in section for text in record["cell_caveats"])


def test_a_gene_without_a_row_is_called_not_measured(page: str, record: dict[str, Any]) -> None:
    gene = next(g for p in record["key_genes"] for g in p["genes"] if g["gene"] == "B2M")
    assert (gene["measured"], gene["log2_tpm"]) == (False, None)
    assert "B2M not measured" in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
    assert "low count" in page


def test_inverted_and_exploratory_readouts_say_so(
    page: str, book: Catalogue, record: dict[str, Any]
) -> None:
    first = {m.mechanism for m in book.page("one")} | {None}
    shown = [r for r in book.readouts if r.mechanism in first]
    inverted = sum(r.sign < 0 for r in shown)
    assert page.count("counts inverted: low means more of the mechanism") == inverted > 0
    open_tier = {s.signature for s in book.signatures if s.tier == "O"}
    flags = [e for e in Page(page).all("span", class_="flag") if e["text"] == "exploratory"]
    assert len(flags) == sum(s in open_tier for r in shown for s in r.signatures)
    short = [r for m in record["further_mechanisms"] for r in m["readouts"]]
    for r in short:
        assert r["inverted"] == (book.readout(r["readout"]).sign < 0)
        assert r["exploratory"] == bool(open_tier & set(r["signatures"]))
    assert any(r["exploratory"] for r in short)


def test_further_mechanisms_stand_in_one_table_after_the_cards(
    page: str, record: dict[str, Any], book: Catalogue
) -> None:
    assert [m["mechanism"] for m in record["mechanisms"]] == [m.mechanism for m in book.page("one")]
    assert len(record["further_mechanisms"]) == 32
    read = Page(page)
    section = read.all("section", id="further")[0]
    inside = [e for e in read.elements if section in e["path"]]
    assert sum(e["tag"] == "table" for e in inside) == 1
    assert not [e for e in inside if e["tag"] == "svg"]
    assert LABEL in next(e["text"] for e in inside if e["tag"] == "caption")
    first = read.all("section", id="page-one")[0]
    order = [read.elements.index(e) for e in (first, read.all("article")[-1], section)]
    assert order == sorted(order)
    for i, m in enumerate(record["further_mechanisms"]):
        (row,) = [e for e in inside if e["at"].get("data-at") == f"/further_mechanisms/{i}"]
        for said in (m["name"], m["reading"], m["evidence_grade"], m["reason_short"]):
            assert said in row["text"]
        assert m["name"] not in first["text"] or m["name"] in str(record["summary"])
        assert not any("reference" in r for r in m["readouts"])
    assert len(read.all("article")) == 14


def test_the_summary_counts_further_mechanisms_apart(
    book: Catalogue, spread: dict[str, Any], record: dict[str, Any]
) -> None:
    first = record["summary"][0]
    found = [
        sum(bool(m["highlight"]) for m in record[k]) for k in ("mechanisms", "further_mechanisms")
    ]
    assert first.startswith(f"Compared with {LABEL}, {found[0]} of the 14 mechanisms")
    names = [m["name"] for m in record["further_mechanisms"] if m["highlight"]]
    assert f"; of 32 further ones {found[1]} do ({names[0]}" in first
    tables = make_tables(book)
    rows = tables["mechanisms"]
    rows["reading"] = "not seen"
    rows.loc[rows["mechanism"] == "emt", "reading"] = "consistent with resistance"
    first = make_sample(book, spread, **tables)["summary"][0]
    assert "; of 32 further ones 1 does (" in first
    assert book.mechanism("emt").name in first


def test_missing_and_unknown_rows(book: Catalogue, spread: dict[str, Any]) -> None:
    tables = make_tables(book)
    tables["mechanisms"] = tables["mechanisms"].iloc[1:]
    record = make_sample(book, spread, **tables)
    assert record["mechanisms"][0]["raw"]["verdict"] == "not assessable"
    assert record["mechanisms"][0]["reason"] == "no record for this sample"
    Page(render.render_sample(record))
    tables["mechanisms"] = tables["mechanisms"].assign(mechanism="made_up")
    with pytest.raises(UserError, match="made_up"):
        make_sample(book, spread, **tables)


def test_empty_tables_and_no_reference_values(book: Catalogue) -> None:
    tables = {k: v.iloc[:0] for k, v in make_tables(book).items()}
    record = content.sample_content(
        "S1", obs={}, reference_readouts={}, catalogue=book, **FACTS, **tables
    )
    html = render.render_sample(record)
    assert record["quality"]["verdict"] == "not tested"
    assert "not stated" in html
    check_numbers(html, record)
