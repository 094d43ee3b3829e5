"""Pages say what their records say, and nothing a stranger wrote can act in them."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from resistpath.deconvolve.caveats import caveats
from resistpath.errors import UserError
from resistpath.io.resources import catalogue
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import content, figures, render, text, wording
from resistpath.report.genes import GeneNames, SampleGenes, leading, unpacked
from resistpath.report.scorers import by_method

RESEARCH_USE = "Research use only. Not for diagnosis or treatment decisions."
REFERENCE = "Melanoma, metastatic"
LABEL = f"{REFERENCE} (n = 472)"
OURS = {
    *("html", "head", "meta", "link", "title", "style", "script", "body", "main", "header"),
    *("section", "article", "nav", "footer", "div", "span", "p", "a", "b", "br", "small"),
    *("strong", "i", "bdi", "data", "h1", "h2", "h3", "dl", "dt", "dd", "ol", "ul", "li"),
    "details",
    *("summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "label", "input"),
    *("svg", "path", "circle", "text", "defs", "g", "use", "figure", "figcaption"),
}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "../../etc/passwd",
    "javascript:alert(1)",
    "</style><style>body{display:none}",
    "</title><script>alert(1)</script>",
    "]]></svg><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "=HYPERLINK(1)",
    "\u202egnp.exe",
    "nul\x00 and half \ud800",
    "x" * 300,
]


# ------------------------------------------------------------------ what the pages are made of


def _verdict(low: float, high: float) -> str:
    if low >= 75:
        return "high"
    if high <= 25:
        return "low"
    return "typical" if low >= 25 and high <= 75 else "inconclusive"


def _tables(book: Catalogue, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Tables of one sample, with missing values, intervals at the ends and every word used."""
    rng = np.random.default_rng(seed)
    nan = float("nan")

    def place() -> tuple[float, float, float]:
        middle, half = rng.uniform(0, 100), rng.uniform(1, 20)
        return middle, max(middle - half, 0.0), min(middle + half, 100.0)

    inflamed = book.readout(book.inflammation).mechanism
    mechanisms = []
    for i, m in enumerate(book.mechanisms):
        raw = (0.3, 0.0, 2.0) if i == 2 else (99.8, 97.0, 100.0) if i == 3 else place()
        residual = (nan, nan, nan) if m.mechanism == inflamed else place()
        verdicts = [_verdict(*raw[1:]), _verdict(*residual[1:])]
        if i == 5:
            raw = residual = (nan, nan, nan)
            verdicts = ["not assessable", "not assessable"]
        elif m.mechanism == inflamed:
            verdicts[1] = "not assessable"
        decides = verdicts[m.read == "residual"]
        if m.resistance_direction == "context":
            reading = "context only"
        elif decides in ("not assessable", "inconclusive"):
            reading = "cannot say"
        else:
            hit = decides == m.resistance_direction
            reading = "consistent with resistance" if hit else "not seen"
        mechanisms.append(
            {
                "mechanism": m.mechanism,
                "axis": m.axis,
                "verdict": verdicts[0],
                "percentile": raw[0],
                "low": raw[1],
                "high": raw[2],
                "residual_verdict": verdicts[1],
                "residual_percentile": residual[0],
                "residual_low": residual[1],
                "residual_high": residual[2],
                "reading": reading,
                "n_readouts": 2,
                "concordance": nan if i == 5 else 2 / 3,
                "reference": REFERENCE,
                "reference_n": 472,
                "reason": "interval 10–40 is too wide or crosses a limit; readouts disagree",
            }
        )
    readouts = []
    for i, r in enumerate(book.readouts):
        raw, residual = place(), place()
        usable = i % 7 != 3
        size = len(r.genes_up) + len(r.genes_down)
        measured = size if usable else size // 2
        readouts.append(
            {
                "mechanism": r.mechanism,
                "readout": r.readout,
                "name": r.name,
                "method": r.method,
                "sign": r.sign,
                "weight": r.weight,
                "score": rng.normal(),
                "se": 0.1,
                "low": nan if r.method == "fraction" else -1.0,
                "high": nan if r.method == "fraction" else 2.0,
                "coverage": measured / size if size else 1.0,
                "n_genes": measured,
                "percentile": raw[0] if usable else nan,
                "percentile_low": raw[1] if usable else nan,
                "percentile_high": raw[2] if usable else nan,
                "residual_percentile": residual[0] if usable else nan,
                "residual_low": residual[1] if usable else nan,
                "residual_high": residual[2] if usable else nan,
                "assessable": usable,
                "reason": "" if usable else "50% of its genes measured, at least 60% needed",
            }
        )
    cells = [
        ("quantiseq", "t_cd8", "CD8 T cells", 0.0831, "fraction", 0.05, 0.12, "yes", 0.02),
        ("quantiseq", "treg", "Treg", 0.0004, "fraction", 0.0, 0.02, "below limit", 0.06),
        ("quantiseq", "other", "Other", 0.8, "fraction", 0.7, 0.9, "unknown", nan),
        ("mcpcounter", "b_cell", "B lineage", 3.21, "score", 3.0, 3.5, "unknown", nan),
        ("mcpcounter", "t_cd8", "CD8 score", 1.5, "score", 1.0, 2.0, "unknown", nan),
        ("consensus_markers", "b_cell", "B cells", 2.0, "score", 1.0, 3.0, "unknown", nan),
        ("consensus_markers", "treg", "Treg", 1.0, "score", 0.5, 1.5, "unknown", nan),
        ("svr:LM22", "t_cd8", "CD8 T cells", nan, "fraction", nan, nan, "unknown", nan),
    ]
    names = ["method", "cell_type", "label", "value", "kind", "low", "high", "detectable", "limit"]
    genes = [
        {
            "gene": g.gene,
            "group": g.group,
            "why": g.why,
            "log2_tpm": rng.gamma(4.0),
            "percentile": rng.uniform(0, 100),
            "low_count": i % 9 == 4,
        }
        for i, g in enumerate(book.key_genes)
        if g.gene != "B2M"
    ]
    return {
        "quality": _quality(failed=False),
        "mechanisms": pd.DataFrame(mechanisms),
        "readouts": pd.DataFrame(readouts),
        "fractions": pd.DataFrame(cells, columns=names).assign(
            percentile=[81.2, 9.5, 30.0, 55.5, 21.7, 60.0, 40.0, nan],
            note=["", "remark", *[""] * 5, "not assessable: 1 of 547 genes"],
            coverage=[*[0.9] * 3, 1.0, 1.0, 0.8, 0.8, 0.002],
            correlation=[*[0.93] * 3, *[nan] * 5],
            residual=[*[0.38] * 3, *[nan] * 5],
            condition=[*[3.87] * 3, *[nan] * 5],
        ),
        "key_genes": pd.DataFrame(genes),
    }


def _quality(failed: bool) -> pd.DataFrame:
    outcome = "fail" if failed else "warn"
    rows = [
        ("reads", "Reads", 32_123_456.0, "reads", "≥ 1e+06", True, "pass", ""),
        (
            "genes",
            "Genes at 1 TPM",
            3120.0,
            "genes",
            "≥ 5000",
            not failed,
            outcome,
            "shallow library",
        ),
        ("zeros", "Genes at zero", 0.157, "share", "", None, "info", ""),
        (
            "unit_step",
            "Step of one read",
            1.0,
            "as in the file",
            "",
            None,
            "info",
            "read as counts",
        ),
    ]
    columns = ["metric", "label", "value", "unit", "threshold", "passed", "status", "note"]
    return pd.DataFrame(rows, columns=columns).astype({"passed": object})


def _reference_readouts(book: Catalogue, n: int = 472) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    names = [r.readout for r in book.readouts]
    return pd.DataFrame(rng.normal(size=(n, len(names))), columns=names)


def _genes(book: Catalogue, names: tuple[str, ...] = ()) -> SampleGenes:
    """All genes of the catalogue but one, and a few of other kinds."""
    known = [*names, *(g for g in book.genes() if g != "B2M"), "A1BG", "A1BG-AS1"]
    rng = np.random.default_rng(5)
    percentile = rng.uniform(0, 100, len(known))
    percentile[::50] = np.nan
    return SampleGenes(GeneNames.of(known), rng.gamma(4.0, size=len(known)), percentile)


def _methods(book: Catalogue) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(6)
    return {
        method: {r.readout: rng.uniform(0, 100) for r in book.readouts}
        for method in ("ssgsea", "singscore", "mean")
    }


FACTS: dict[str, Any] = {
    "preparation": {
        "units": "counts",
        "units_how": "whole numbers",
        "gene_id": "ensembl",
        "n_input_rows": 58_395,
        "n_genes": 19_112,
        "n_renamed": 412,
        "n_merged": 37,
        "n_dropped": 39_246,
        "to": "log2(TPM+1)",
        "notes": ["rows that code for no protein were left out"],
        "cohort_notes": ["2 columns are not in the sample sheet"],
    },
    "reference": {
        "name": REFERENCE,
        "n": 472,
        "cancer_type": "SKCM",
        "description": "One tumour per patient.",
        "fit": {"correlation": 0.93, "lowest_typical": 0.84, "verdict": "fits", "reason": ""},
    },
    "software": {"name": "resistpath", "version": "0.1.0", "digest": "3f9a1c77be02"},
    "thresholds": {"high": 75.0, "low": 25.0, "min_coverage": 0.6, "min_reference": 20},
}
OBS = {
    "patient": "P1",
    "timepoint": "pre",
    "cancer_type": "melanoma",
    "cohort": "one",
    "treatment": "nivolumab",
    "age": 61.5,
    "response": "PD",
    "stage": None,
}


@pytest.fixture(scope="module")
def book() -> Catalogue:
    return catalogue()


@pytest.fixture(scope="module")
def spread(book: Catalogue) -> dict[str, Any]:
    return content.summarise_reference(_reference_readouts(book))


def _sample(book: Catalogue, spread: Any, name: str = "S1", **changed: Any) -> dict[str, Any]:
    known = {"genes": _genes(book), "methods": _methods(book)}
    given = {**FACTS, "obs": OBS, **_tables(book), **known, **changed}
    return content.sample_content(name, reference_readouts=spread, catalogue=book, **given)


@pytest.fixture(scope="module")
def record(book: Catalogue, spread: dict[str, Any]) -> dict[str, Any]:
    return _sample(book, spread)


@pytest.fixture(scope="module")
def page(record: dict[str, Any]) -> str:
    return render.render_sample(record)


def _confounding(name: str) -> pd.DataFrame:
    note = f"{name} and response_binary are aligned (p 0.01)"
    row = (name, f"{name}: 2 R, 3 NR", 12, 0.01, 0.5, "", "warn", note)
    columns = ["variable", "levels", "n", "p", "cramers_v", "one_sided", "status", "note"]
    return pd.DataFrame([row], columns=columns)


def _cohort(book: Catalogue, names: list[str], failed: tuple[int, ...] = (1,)) -> dict[str, Any]:
    quality, mechanisms = [], []
    for i, name in enumerate(names):
        quality.append(_quality(failed=i in failed).assign(sample=name))
        mechanisms.append(_tables(book, seed=i)["mechanisms"].assign(sample=name))
    obs = pd.DataFrame(
        {
            "patient": names,
            "timepoint": "pre",
            "cancer_type": "melanoma",
            "age": np.arange(len(names)) + 0.5,
            "note": names,
        },
        index=pd.Index(names, name="sample"),
    )
    fits = dict.fromkeys(names, FACTS["reference"]["fit"])
    fits[names[-1]] = fits[names[-1]] | {"verdict": "fits poorly"}
    facts = {**FACTS, "reference": FACTS["reference"] | {"fit": fits}}
    return content.cohort_content(
        cohort="one",
        obs=obs,
        quality=pd.concat(quality),
        confounding=_confounding(names[0]),
        mechanisms=pd.concat(mechanisms),
        catalogue=book,
        links={n: f"reports/s{i}.html" for i, n in enumerate(names)},
        **facts,
    )


# ------------------------------------------------------------------ reading a page back


class Page(HTMLParser):
    """Elements of a page with their attributes, ancestors and text."""

    VOID = ("meta", "link", "br", "input", "circle", "path", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[dict[str, Any]] = []
        self.open: list[dict[str, Any]] = []
        self.feed(html)
        self.close()
        assert not self.open, [e["tag"] for e in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        assert len(at) == len(attrs), f"attribute twice in {tag} {attrs}"
        if "data-at" in at and not at["data-at"].startswith("/"):
            around = [e["at"]["data-at"] for e in self.open if "data-at" in e["at"]]
            at["data-at"] = "/".join(filter(None, [(around or [""])[-1], at["data-at"]]))
        element = {"tag": tag, "at": at, "text": "", "path": [*self.open]}
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append({"tag": tag, "at": dict(attrs), "text": "", "path": [*self.open]})

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1]["tag"] == tag, (self.open[-1]["tag"], tag)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element["text"] += data

    def all(self, tag: str | None = None, **attributes: str) -> list[dict[str, Any]]:
        return [
            e
            for e in self.elements
            if tag in (None, e["tag"])
            and all(e["at"].get(k.rstrip("_")) == v for k, v in attributes.items())
        ]

    def numbers(self) -> dict[str, tuple[str, str]]:
        """JSON pointer of every number on the page, with its value and its text."""
        out = {}
        for e in self.all("data"):
            at = next(p["at"]["data-at"] for p in reversed(e["path"]) if "data-at" in p["at"])
            out[f"{at}/{e['at'].get('data-k', 'percentile')}"] = e["at"]["value"], e["text"]
        return out


def _resolve(record: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        record = record[int(part)] if isinstance(record, list) else record[part]
    return record


def _agrees(value: float, shown: str) -> bool:
    """Whether a text is a rounding of a value, to the digits it shows."""
    plain = shown.replace(",", "").replace("−", "-")
    scale = 1.0
    if plain.endswith(" %"):
        plain, scale = plain.removesuffix(" %"), 100.0
    if plain.startswith("<"):
        return 0 < value * scale < float(plain[1:]) or value == 0
    if plain.startswith(">"):
        return float(plain[1:]) < value * scale <= 100
    digits, _, power = plain.partition("e")
    half = 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    if "." not in digits and not power and scale == 1 and abs(value) < 1000:
        half = max(half, 0.005 * abs(value))  # three significant digits may end at the point
    return abs(value * scale - float(plain)) <= half * (1 + 1e-9)


def _check_numbers(html: str, record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    record = json.loads(render.to_json(record))
    numbers = Page(html).numbers()
    for pointer, (value, shown) in numbers.items():
        known = _resolve(record, pointer)
        if known is None:
            assert (value, shown) == ("", "–"), pointer
        else:
            assert float(value) == float(f"{known:.7g}"), pointer
            assert _agrees(known, shown), (pointer, known, shown)
    return numbers


# ------------------------------------------------------------------ the sample page


def test_every_number_on_the_sample_page_equals_its_record(
    page: str, record: dict[str, Any]
) -> None:
    numbers = _check_numbers(page, record)
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
    assert _agrees(83.4, "83")
    assert not _agrees(84.0, "83.1")
    assert not _agrees(0.2, "<0.1 %")
    assert not _agrees(18_432.0, "18,431")


def _everything(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Mechanisms of page one and further ones."""
    return [*record["mechanisms"], *record["further_mechanisms"]]


def test_the_record_is_the_tables(book: Catalogue, record: dict[str, Any]) -> None:
    rows = _tables(book)["mechanisms"].set_index("mechanism")
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
    tables = _tables(book)
    tables["mechanisms"]["reading"] = "consistent with resistance"
    record = _sample(book, spread, **tables)
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
    tables = _tables(book)
    tables["mechanisms"].loc[0, ["reference", "reference_n"]] = ["All tumours", 9000]
    html = render.render_sample(_sample(book, spread, **tables))
    row = Page(html).all("tr", **{"data-at": "/mechanisms/0"})[0]
    assert "against All tumours (n = 9,000)" in row["text"]
    assert "Raw percentile in All tumours (n = 9,000)" in html.replace("<bdi>", "").replace(
        "</bdi>", ""
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
    assert str(sum(m["reading"] == "not seen" for m in record["mechanisms"])) in said


def test_nothing_found_is_not_called_absence(book: Catalogue, spread: dict[str, Any]) -> None:
    tables = _tables(book)
    tables["mechanisms"]["reading"] = "not seen"
    first = _sample(book, spread, **tables)["summary"][0]
    assert first.startswith("None of 14 mechanisms on page one")
    assert "of 32 further mechanisms none does" in first
    assert "does not show that none is at work" in first


def test_a_failed_gate_replaces_the_content(book: Catalogue, spread: dict[str, Any]) -> None:
    record = _sample(book, spread, quality=_quality(failed=True))
    for key in (
        *("mechanisms", "context_readouts", "composition", "key_genes", "axes"),
        "cell_caveats",
        *("further_mechanisms", "further_axes"),
    ):
        assert record[key] == []
    assert record["genes"] is None
    reason = "Genes at 1 TPM: 3,120 genes, required ≥ 5000; shallow library"
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
    record = _sample(book, spread, reference=FACTS["reference"] | {"fit": fit})
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
    assert first.startswith(f"{found[0]} of 14 mechanisms")
    names = [m["name"] for m in record["further_mechanisms"] if m["highlight"]]
    assert f"; of 32 further mechanisms {found[1]} do so too ({names[0]}" in first
    tables = _tables(book)
    rows = tables["mechanisms"]
    rows["reading"] = "not seen"
    rows.loc[rows["mechanism"] == "emt", "reading"] = "consistent with resistance"
    first = _sample(book, spread, **tables)["summary"][0]
    assert "and of 32 further mechanisms 1 does (" in first
    assert book.mechanism("emt").name in first


def test_missing_and_unknown_rows(book: Catalogue, spread: dict[str, Any]) -> None:
    tables = _tables(book)
    tables["mechanisms"] = tables["mechanisms"].iloc[1:]
    record = _sample(book, spread, **tables)
    assert record["mechanisms"][0]["raw"]["verdict"] == "not assessable"
    assert record["mechanisms"][0]["reason"] == "no record for this sample"
    Page(render.render_sample(record))
    tables["mechanisms"] = tables["mechanisms"].assign(mechanism="made_up")
    with pytest.raises(UserError, match="made_up"):
        _sample(book, spread, **tables)


def test_empty_tables_and_no_reference_values(book: Catalogue) -> None:
    tables = {k: v.iloc[:0] for k, v in _tables(book).items()}
    record = content.sample_content(
        "S1", obs={}, reference_readouts={}, catalogue=book, **FACTS, **tables
    )
    html = render.render_sample(record)
    assert record["quality"]["verdict"] == "not tested"
    assert "not stated" in html
    _check_numbers(html, record)


# ------------------------------------------------------------------ strangers' text


@pytest.mark.parametrize("name", HOSTILE, ids=[f"text{i}" for i in range(len(HOSTILE))])
def test_hostile_text_is_inert_on_the_sample_page(
    book: Catalogue, spread: dict[str, Any], name: str
) -> None:
    tables = _tables(book)
    tables["mechanisms"]["reason"] = name
    tables["mechanisms"]["reference"] = name
    tables["fractions"]["label"] = name
    tables["fractions"]["note"] = name
    tables["readouts"]["reason"] = name
    tables["quality"]["note"] = name
    record = _sample(
        book,
        spread,
        name,
        obs={**dict.fromkeys(OBS, name), name: name},
        reference=FACTS["reference"] | {"name": name, "description": name},
        preparation=FACTS["preparation"] | {"notes": [name], "units_how": name},
        thresholds={name: name},
        genes=_genes(book, names=(name,)),
        software=FACTS["software"] | {"version": name},
        **tables,
    )
    html = render.render_sample(record)
    html.encode("utf-8")
    read = Page(html)
    _check_inert(read)
    assert [s["at"].get("type") for s in read.all("script")] == ["application/json", None]
    assert read.all("script")[1]["text"] == (render.TEMPLATES / "sample.js").read_text("utf-8")
    assert read.all("h1")[0]["text"] == record["sample"]
    assert json.loads(render.to_json(record)) == json.loads(json.dumps(record))
    assert "<" not in render.to_json(record)


def _check_inert(read: Page) -> None:
    assert {e["tag"] for e in read.elements} <= OURS
    for e in read.elements:
        assert not [a for a in e["at"] if a.startswith("on")], e["at"]
        for key in ("href", "src", "action", "xlink:href"):
            address = e["at"].get(key)
            if address is None:
                continue
            doi = e["tag"] == "a" and address.startswith("https://doi.org/10.")
            inside = address.startswith(("#", "./")) or address == "data:,"
            assert doi or inside, (e["tag"], address)
    for style in read.all("style"):
        assert not re.search(r"url\(|@import|expression\(", style["text"])


def test_no_page_asks_for_anything(page: str, book: Catalogue) -> None:
    for html in (page, render.render_cohort(_cohort(book, ["A", "B"]))):
        _check_inert(Page(html))
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
        assert policy.startswith("default-src &#39;none&#39;;")


# ------------------------------------------------------------------ documents


def test_same_input_same_bytes(book: Catalogue, spread: dict[str, Any], page: str) -> None:
    again = _sample(book, content.summarise_reference(_reference_readouts(book)))
    assert render.render_sample(again) == page
    direct = _sample(book, _reference_readouts(book))
    assert render.to_json(direct) == render.to_json(again)
    names = ["b", "a", "c"]
    assert render.render_cohort(_cohort(book, names)) == render.render_cohort(_cohort(book, names))


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
        _sample(book, spread),
        _sample(book, spread, quality=_quality(failed=True)),
        _sample(book, spread, HOSTILE[0], obs={"flag": True, "n": 3, "when": pd.NaT}),
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
    record = _sample(book, spread, genes=many)
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
    for html in (page, render.render_cohort(_cohort(book, ["A", "B"]))):
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


# ------------------------------------------------------------------ the cohort page


def test_every_number_on_the_cohort_page_equals_its_record(book: Catalogue) -> None:
    names = [f"S{i}" for i in range(12)]
    record = _cohort(book, names, failed=(3,))
    numbers = _check_numbers(render.render_cohort(record), record)
    for i, s in enumerate(record["samples"]):
        key = f"/samples/{i}/readings/consistent with resistance"
        assert (key in numbers) == (s["readings"] is not None)
        assert f"/samples/{i}/columns/3" in numbers
    assert record["samples"][3]["readings"] is None
    assert (record["n_samples"], record["n_failed"], record["n_poor_fit"]) == (12, 1, 1)


def test_cohort_counts_add_up(book: Catalogue) -> None:
    names = [f"S{i}" for i in range(12)]
    record = _cohort(book, names, failed=(3,))
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
    record = _cohort(book, [f"S{i}" for i in range(6)])
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
    record = _cohort(book, names, failed=(3,))
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
    _check_inert(Page(render.render_cohort(_cohort(book, ["only"], failed=()))))
    rows = len(book.page("one"))
    panel = {
        "percentile": [[50.0] * 500] * rows,
        "verdict": [["typical"] * 500] * rows,
        "resistance": [[False] * 500] * rows,
    }
    assert len(figures.heat_map("x", panel)) < 250_000


def test_hostile_names_are_inert_on_the_cohort_page(book: Catalogue) -> None:
    record = _cohort(book, HOSTILE)
    html = render.render_cohort(record)
    html.encode("utf-8")
    read = Page(html)
    _check_inert(read)
    scripts = read.all("script")
    assert [s["at"].get("type") for s in scripts] == ["application/json", None]
    data = json.loads(scripts[0]["text"])
    assert sorted(data["samples"]) == sorted(s["sample"] for s in record["samples"])
    digest = base64.b64encode(hashlib.sha256(scripts[1]["text"].encode()).digest()).decode()
    assert f"sha256-{digest}" in html


def test_links_stay_inside_the_folder() -> None:
    assert render.page_link("reports/a&b#c?.html") == "./reports/a%26b%23c%3F.html"
    for bad in ("javascript:alert(1)", "../up.html", "//host/x", "/etc/passwd", "a/../../b"):
        link = render.page_link(bad)
        assert link.startswith("./")
        assert "/" not in link[2:]
        assert ":" not in link


# ------------------------------------------------------------------ genes and methods


def test_every_gene_can_be_read_back_from_page_and_document(
    page: str, book: Catalogue, record: dict[str, Any]
) -> None:
    given = _genes(book)
    found = unpacked(record["genes"])
    assert len(found) == record["genes"]["n"] == len(given.level)
    for i, name in enumerate(given.names.rows):
        assert abs(found[name]["log2_tpm"] - given.level[i]) <= 0.05 + 1e-9
        place = given.percentile[i]
        if np.isnan(place):
            assert found[name]["percentile"] is None
        else:
            shown = {0: "<1", 100: ">99"}.get(p := found[name]["percentile"], str(p))
            assert shown == text.percentile_text(place)
    held = json.loads(Page(page).all("script", id="gene-data")[0]["text"])
    assert held == {k: record["genes"][k] for k in ("n", "symbols", "values")}
    assert "/genes/n" in Page(page).numbers()


@pytest.mark.parametrize("names", [[], ["Ä", "Äb", "\U0001f9ec1", "\U0001f9ec2"], ["x" * 90] * 1])
def test_any_names_can_be_packed(names: list[str]) -> None:
    known = ["AB", "ABC", "x" * 89, *names]
    genes = SampleGenes(GeneNames.of(known), np.zeros(len(known)), np.full(len(known), np.nan))
    assert set(unpacked(genes.record())) == set(known)


def test_leading_genes_pull_the_readout_where_it_lies(
    page: str, book: Catalogue, record: dict[str, Any]
) -> None:
    genes = _genes(book)
    where = dict(zip(genes.names.rows, genes.percentile, strict=True))
    seen = 0
    for m in record["mechanisms"]:
        for r in m["readouts"]:
            entry, led = book.readout(r["readout"]), r["leading"]
            known = [g for g in entry.genes_up + entry.genes_down if where.get(g, np.nan) >= 0]
            if r["raw"]["percentile"] is None or not known:
                assert led is None
                continue
            seen += 1
            towards = 1 if r["raw"]["percentile"] >= 50 else -1
            pull = {
                g: (where[g] - 50) * towards * (1 if g in entry.genes_up else -1) for g in known
            }
            assert led["placed"] == len(known)
            assert led["agreeing"] == sum(v > 0 for v in pull.values())
            named = [g["gene"] for g in led["genes"]]
            best = sorted((v for v in pull.values() if v > 0), reverse=True)[:5]
            assert [pull[g] for g in named] == best
            assert all(pull[g["gene"]] <= -25 for g in led["against"])
            for g in led["genes"] + led["against"]:
                assert g["percentile"] == where[g["gene"]]
                assert g["inverted"] == (g["gene"] in entry.genes_down)
    assert seen > 20
    numbers = Page(page).numbers()
    assert "/mechanisms/0/readouts/0/leading/genes/0/percentile" in numbers
    assert "/mechanisms/0/readouts/0/by_method/places/0/percentile" in numbers
    assert leading(book.readouts[0], None, genes) is None
    assert leading(book.readouts[0], 60.0, None) is None


def test_methods_are_compared_on_the_same_set() -> None:
    found = {"mean": {"X": 10.0}, "ssgsea": {"X": 62.0}, "singscore": {"X": float("nan")}}
    assert by_method("X", "ssgsea", found) == {
        "places": [
            {"method": "ssgsea", "percentile": 62.0},
            {"method": "mean", "percentile": 10.0},
        ],
        "difference": 52.0,
        "reading": "disagree",
    }
    assert by_method("X", "gene", found) is None
    assert by_method("X", "ssgsea", {"mean": {"X": 10.0}}) is None
