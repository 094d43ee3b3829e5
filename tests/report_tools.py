"""What the pages are made of in tests, and how a page is read back."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd

from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import content, render
from resistpath.report.genes import GeneNames, SampleGenes

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


def make_tables(book: Catalogue, seed: int = 0) -> dict[str, pd.DataFrame]:
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
                "reason": "interval 10–40 crosses 25; readouts disagree",
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
        "quality": make_quality(failed=False),
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


def make_quality(failed: bool) -> pd.DataFrame:
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


def make_reference_readouts(book: Catalogue, n: int = 472) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    names = [r.readout for r in book.readouts]
    return pd.DataFrame(rng.normal(size=(n, len(names))), columns=names)


def make_genes(book: Catalogue, names: tuple[str, ...] = ()) -> SampleGenes:
    """All genes of the catalogue but one, and a few of other kinds."""
    known = [*names, *(g for g in book.genes() if g != "B2M"), "A1BG", "A1BG-AS1"]
    rng = np.random.default_rng(5)
    percentile = rng.uniform(0, 100, len(known))
    percentile[::50] = np.nan
    return SampleGenes(GeneNames.of(known), rng.gamma(4.0, size=len(known)), percentile)


def make_methods(book: Catalogue) -> dict[str, dict[str, float]]:
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


def make_sample(book: Catalogue, spread: Any, name: str = "S1", **changed: Any) -> dict[str, Any]:
    known = {"genes": make_genes(book), "methods": make_methods(book)}
    given = {**FACTS, "obs": OBS, **make_tables(book), **known, **changed}
    return content.sample_content(name, reference_readouts=spread, catalogue=book, **given)


def _confounding(name: str) -> pd.DataFrame:
    note = f"{name} and response_binary are aligned (p 0.01)"
    row = (name, f"{name}: 2 R, 3 NR", 12, 0.01, 0.5, "", "warn", note)
    columns = ["variable", "levels", "n", "p", "cramers_v", "one_sided", "status", "note"]
    return pd.DataFrame([row], columns=columns)


def make_cohort(
    book: Catalogue, names: list[str], failed: tuple[int, ...] = (1,)
) -> dict[str, Any]:
    quality, mechanisms = [], []
    for i, name in enumerate(names):
        quality.append(make_quality(failed=i in failed).assign(sample=name))
        mechanisms.append(make_tables(book, seed=i)["mechanisms"].assign(sample=name))
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
            element["text"] += data.replace("\u00a0", " ")

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


def resolve(record: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        record = record[int(part)] if isinstance(record, list) else record[part]
    return record


def agrees(value: float, shown: str) -> bool:
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


def check_numbers(html: str, record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    record = json.loads(render.to_json(record))
    numbers = Page(html).numbers()
    for pointer, (value, shown) in numbers.items():
        known = resolve(record, pointer)
        if known is None:
            assert (value, shown) == ("", "–"), pointer
        else:
            assert float(value) == float(f"{known:.7g}"), pointer
            assert agrees(known, shown), (pointer, known, shown)
    return numbers


def check_inert(read: Page) -> None:
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
