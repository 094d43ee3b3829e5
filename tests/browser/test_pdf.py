"""Pages on paper: `report --pdf` through the Chromium of this machine."""

from __future__ import annotations

import re
import shutil
import zlib
from pathlib import Path

import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.errors import UserError
from resistpath.io import pdf


@pytest.fixture(scope="module")
def printed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One demo tumour alone, against the shipped pack, through every verb to its PDF."""
    if not any(map(shutil.which, pdf.BROWSERS)):
        pytest.skip("no Chromium is installed")
    folder = tmp_path_factory.mktemp("paper")
    matrix = repository / "resources" / "demo" / "expression.tsv.gz"
    pd.read_csv(matrix, sep="\t", index_col=0)[["S050"]].to_csv(folder / "x.tsv", sep="\t")
    out, pack = folder / "results", "cptac_ucec"
    for words in (
        ["prepare", out, "--expression", folder / "x.tsv", "--cancer-type", "endometrial"],
        ["score", out],
        ["deconvolve", out],
        ["assess", out, "--reference", pack],
        ["report", out, "--reference", pack, "--pdf"],
    ):
        assert main(["--quiet", *map(str, words)]) == 0
    return out


def body(data: bytes, number: bytes) -> bytes:
    """One object of a PDF whose objects stand in the open, as Chromium writes them."""
    return re.search(rb"\n" + number + rb" 0 obj\n(.*?)\nendobj\n", data, re.DOTALL)[1]


def stream(data: bytes, number: bytes) -> bytes:
    head, _, rest = body(data, number).partition(b"stream\n")
    assert b"/FlateDecode" in head
    return zlib.decompressobj().decompress(rest)


def letters(cmap: bytes) -> dict[int, str]:
    """Glyph to text, from a font's map to Unicode."""
    out = {}
    for kind, block in re.findall(rb"beginbf(char|range)\n(.*?)endbf", cmap, re.DOTALL):
        for line in block.splitlines():
            numbers = [h.decode() for h in re.findall(rb"<([0-9A-Fa-f]+)>", line)]
            start, end = int(numbers[0], 16), int(numbers[-2 if kind == b"range" else 0], 16)
            first = bytes.fromhex(numbers[-1]).decode("utf-16-be")
            for k in range(end - start + 1):
                out[start + k] = first[:-1] + chr(ord(first[-1]) + k)
    return out


def text_of(data: bytes, page: bytes) -> str:
    """What a page says, in the order it is drawn, without spaces."""
    fonts = dict(re.findall(rb"/(F\d+) (\d+) 0 R", page))
    maps = {
        name: letters(stream(data, re.search(rb"/ToUnicode (\d+) 0 R", body(data, number))[1]))
        for name, number in fonts.items()
    }
    drawn = stream(data, re.search(rb"/Contents (\d+) 0 R", page)[1])
    said, own = [], {}
    for font, glyphs in re.findall(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>", drawn):
        own = maps[font] if font else own
        said += [own.get(int(glyphs[i : i + 4], 16), "") for i in range(0, len(glyphs), 4)]
    return re.sub(r"\s", "", "".join(said))


def test_the_verb_prints_a4_sheets_with_page_one_on_the_first(printed: Path) -> None:
    (made,) = (printed / "reports").glob("*.pdf")
    assert made.name == "S050.pdf"
    data = made.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    pages = re.findall(rb"\n\d+ 0 obj\n(<</Type /Page\n.*?)\nendobj", data, re.DOTALL)
    assert 8 < len(pages) < 30
    for page in pages:
        box = re.search(rb"/MediaBox \[([^\]]+)\]", page)[1]
        x, y, width, height = map(float, box.split())
        assert (x, y) == (0, 0)
        assert abs(width - 595.3) < 1
        assert abs(height - 841.9) < 1
    one, two = (text_of(data, page) for page in pages[:2])
    for words in (
        *("S050", "Summary", "Can this sample be read?", "TGF-β exclusion", "IFN-γ signalling"),
        *("Not assessed by this assay", "Research use only.", f"page 1 of {len(pages)}"),
    ):
        assert words.replace(" ", "") in one, words
    assert "Howtoreadthecards" not in one
    assert "Howtoreadthecards" in two


def test_the_same_page_gives_the_same_bytes(printed: Path) -> None:
    page = printed / "reports" / "S050.html"
    before = page.with_suffix(".pdf").read_bytes()
    assert pdf.print_pages([page]) == [page.with_suffix(".pdf")]
    assert page.with_suffix(".pdf").read_bytes() == before
    assert b"(D:19700101000000" in before


def test_without_a_browser_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    out = tmp_path / "results"
    assert main(["--quiet", "report", str(out), "--reference", "cptac_ucec", "--pdf"]) == 2
    assert "apt-get install chromium" in capsys.readouterr().err
    assert not out.exists()


def test_a_page_that_cannot_be_printed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\necho 'it broke' >&2\nexit 3\n", encoding="utf-8")
    browser.chmod(0o755)
    monkeypatch.setattr(pdf, "find_browser", lambda: str(browser))
    page = tmp_path / "p.html"
    page.write_text("<p>x</p>", encoding="utf-8")
    with pytest.raises(UserError, match="chromium could not print: it broke"):
        pdf.print_pages([page])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chromium", "p.html"]
