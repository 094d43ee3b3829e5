"""Real pages in a real browser: the demo cohort and, where it is here, Riaz 2017."""

from __future__ import annotations

import gzip
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from resistpath.cli import main

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def _steps(out: Path, cohort: str, matrix: Path, samples: Path, *between: list[str | Path]) -> None:
    for words in (
        ["prepare", out, "--cohort", cohort, "--expression", matrix, "--samples", samples],
        ["score", out],
        ["deconvolve", out],
        ["reference", "build", out, "--name", cohort],
        ["assess", out, "--reference", out / "reference.npz"],
        *between,
        ["report", out, "--reference", out / "reference.npz", "--threads", "2"],
    ):
        assert main(["--quiet", *map(str, words)]) == 0


def _once(folder: Path, build: Callable[[Path], None]) -> Path:
    """Build a folder once for all workers of a test run."""
    done = folder / "done"
    try:
        folder.mkdir()
    except FileExistsError:
        for _ in range(1200):
            if done.exists():
                return folder
            time.sleep(0.5)
        pytest.fail(f"another worker did not finish {folder.name}")
    build(folder)
    done.touch()
    return folder


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory, worker_id: str = "") -> Path:
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session")
def demo(common: Path, repository: Path) -> Path:
    """Results of the whole demo cohort."""
    data = repository / "resources" / "demo"

    def build(folder: Path) -> None:
        matrix, samples = data / "expression.tsv.gz", data / "samples.tsv"
        _steps(folder / "results", "demo", matrix, samples)

    return _once(common / "pages-demo", build) / "results"


@pytest.fixture(scope="session")
def riaz(common: Path, shared: Path) -> Path:
    """Results of forty-five melanomas before and on nivolumab, named by Entrez, with survival."""
    data = shared / "data" / "riaz_gse91061_counts"

    def build(folder: Path) -> None:
        with (
            gzip.open(data / "matrix.tsv.gz", "rt") as rows,
            gzip.open(folder / "x.tsv.gz", "wt") as cut,
        ):
            for row in rows:
                cut.write("\t".join(row.rstrip("\n").split("\t")[:46]) + "\n")
        sheet = pd.read_csv(data / "samples.tsv", sep="\t", dtype=str).iloc[:45]
        sheet = sheet.rename(columns={"os_time": "survival_time"})
        sheet["survival_event"] = sheet.pop("os_event").str.removesuffix(".0")
        sheet.to_csv(folder / "s.tsv", sep="\t", index=False)
        out = folder / "results"
        _steps(out, "riaz", folder / "x.tsv.gz", folder / "s.tsv", ["compare", out])

    return _once(common / "pages-riaz", build) / "results"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


class Visit:
    """A page opened from disk, with everything it said and asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = path.resolve().as_uri()
        self.page.goto(self.address)

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def quiet(self) -> None:
        """Nothing was said on the console, nothing asked for but the page itself."""
        assert self.said == []
        assert {a for a in self.asked if not a.startswith("data:")} == {self.address}


@pytest.fixture
def visit(browser: Any) -> Callable[..., Visit]:
    def opened(path: Path, width: int = 1200, **options: Any) -> Visit:
        return Visit(browser, path, viewport={"width": width, "height": 900}, **options)

    return opened
