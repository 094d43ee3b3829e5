"""Pages printed to PDF by the Chromium of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resistpath.errors import UserError
from resistpath.io.files import replacing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 120
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-pdf-header-footer",
)
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)[^)]*\)")


def find_browser() -> str:
    """Return the path of an installed Chromium.

    Raises
    ------
    UserError
        If there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise UserError(
            "no Chromium or Chrome is installed, which prints the pages",
            where="--pdf",
            do="install one (Debian and Ubuntu: apt-get install chromium), or print the pages from"
            " any browser: they are laid out for A4",
        )
    return found


def print_pages(pages: Iterable[Path], *, threads: int = 1) -> list[Path]:
    """Print each page to a PDF beside it; return their paths.

    The dates a PDF carries are set to zero, so that the same page and browser give the same bytes.
    """
    browser = find_browser()
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda page: _print(browser, page), pages))


def _print(browser: str, page: Path) -> Path:
    target = page.with_suffix(".pdf")
    # Chromium refuses its sandbox to root; pages ask for nothing and run one script of their own.
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    with replacing(target) as fresh, tempfile.TemporaryDirectory() as profile:
        words = [browser, *_FLAGS, *alone, f"--user-data-dir={profile}", f"--print-to-pdf={fresh}"]
        try:
            done = subprocess.run(  # noqa: S603
                [*words, page.resolve().as_uri()],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(
                f"{Path(browser).name} did not print within {SECONDS} s", where=str(page)
            ) from error
        if done.returncode != 0 or not fresh.is_file():
            said = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
            raise UserError(f"{Path(browser).name} could not print: {said}", where=str(page))
        fresh.write_bytes(_DATE.sub(_without_date, fresh.read_bytes()))
    return target


def _without_date(found: re.Match[bytes]) -> bytes:
    """Put zeros in place of a date, as long as it was: offsets in the file stay right."""
    kept = len(found[0]) - len(found[1]) - 1
    return found[1] + b"19700101000000+00'00'"[:kept].ljust(kept, b"0") + b")"
