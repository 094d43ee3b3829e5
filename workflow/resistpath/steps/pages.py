"""pages: the reports of some samples, which `report` then takes over; also part of report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from resistpath.errors import UserError, some
from resistpath.io.files import file_names, need_file
from resistpath.mechanisms.verdict import Thresholds
from resistpath.provenance import VERSION, code_digest
from resistpath.steps import Progress, sample_data, silent
from resistpath.steps.reference import choose
from resistpath.steps.results import Results, load_results
from resistpath.steps.sample_pages import Block, write_pages

TOGETHER = 1000
"""Samples whose tables are taken apart at once, to bound memory."""
KINDS = ("html", "json")


def pages(
    folder: Path,
    references: Sequence[str | Path],
    out: Path,
    *,
    part: tuple[int, int] = (1, 1),
    only: Path | None = None,
    thresholds: Thresholds,
    signatures: Path | None = None,
    threads: int = 1,
    say: Progress = silent,
) -> None:
    """Write the reports of part i of n of the samples into the folder `out`.

    Parts hold consecutive samples; a page does not depend on its part. The other arguments are
    those of `report`.
    """
    which, of = part
    if not 1 <= which <= of:
        raise UserError(f"there is no part {which} of {of}", where="pages", do="count from 1")
    need_threads(threads, "pages")
    primary = choose(references[:1], thresholds.min_reference)[0]
    results = load_results(folder, primary, thresholds, signatures)
    chosen = wanted(results.samples, only)
    ends = [len(chosen) * i // of for i in (which - 1, which)]
    fresh = fresh_folder(out)
    write_sample_pages(results, chosen[ends[0] : ends[1]], fresh, threads, say)
    replace_folder(out, fresh)


def write_sample_pages(
    results: Results, chosen: Sequence[str], out: Path, threads: int, say: Progress
) -> None:
    """Write page and document of the chosen samples, `TOGETHER` at a time."""
    names = file_names(results.samples)
    shared = sample_data.common(results, out, software())

    def blocks() -> Iterator[Block]:
        for start in range(0, len(chosen), TOGETHER):
            yield from sample_data.blocks(results.part(chosen[start : start + TOGETHER]), names)

    write_pages(shared, blocks(), len(chosen), threads, say)


def take_over(made: Sequence[Path], names: Sequence[str], out: Path) -> None:
    """Put pages that `pages` wrote into one folder, without writing them anew where possible."""
    there = {path.name: path for folder in made for path in folder.iterdir()}
    files = [f"{name}.{kind}" for name in names for kind in KINDS]
    absent = [file for file in files if file not in there]
    if absent:
        raise UserError(
            f"{len(absent)} pages were not written: {some(absent)}",
            where=str(made[0].parent),
            do="run resistpath pages for every part",
        )
    for file in files:
        try:
            os.link(there[file], out / file)
        except OSError:  # a file system without hard links
            shutil.copyfile(there[file], out / file)


def wanted(samples: Sequence[str], only: Path | None) -> list[str]:
    """Samples that get a page, in the matrix's order: those a file names one per line, or all."""
    if only is None:
        return list(samples)
    lines = need_file(only, "list of samples").read_text(encoding="utf-8-sig").splitlines()
    named = [line.strip() for line in lines if line.strip()]
    unknown = sorted(set(named) - set(samples))
    if unknown:
        raise UserError(
            f"{len(unknown)} of {len(named)} names are no sample of this cohort: {some(unknown)}",
            where=str(only),
            do="write one sample of the matrix per line",
        )
    chosen = set(named)
    return [s for s in samples if s in chosen]


def fresh_folder(path: Path) -> Path:
    """An empty folder beside the one it will replace."""
    fresh = path.with_name(f".{path.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def replace_folder(path: Path, fresh: Path) -> None:
    """Put a folder that is complete in the place of an older one."""
    shutil.rmtree(path, ignore_errors=True)
    fresh.replace(path)


def need_threads(threads: int, where: str) -> None:
    """Refuse numbers of threads below one."""
    if threads < 1:
        raise UserError(f"threads must be 1 or more, not {threads}", where=where)


def software() -> dict[str, str]:
    """Name, version and digest of the code, as every page prints them."""
    return {"name": "resistpath", "version": VERSION, "digest": code_digest("resistpath.cli")}
