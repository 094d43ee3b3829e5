"""The pages of the samples, written in blocks of samples by one or several processes.

What is the same for every page is made once (`Common`); a block carries what its samples need.
A page is made from these two alone, so neither the number of processes nor the size of a block
changes a byte of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.io.files import write_text
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.hypotheses import Hypothesis
from resistpath.mechanisms.rules import Rule
from resistpath.report import content, render
from resistpath.report.genes import GeneNames, SampleGenes
from resistpath.steps import Progress

BLOCK = 25

Frames = Mapping[str, Mapping[str, pd.DataFrame]]


@dataclass(frozen=True)
class Common:
    """What every page of a cohort shares.

    Attributes
    ----------
    folder
        Where pages are written.
    catalogue, preparation, reference, reference_readouts, software, thresholds
        As `sample_content` takes them.
    names
        Names of the genes, packed.
    rules, hypotheses
        The tables behind the answers, and what has been tried against mechanisms.
    """

    folder: Path
    catalogue: Catalogue
    preparation: Mapping[str, Any]
    reference: Mapping[str, Any]
    reference_readouts: Mapping[str, Any]
    software: Mapping[str, Any]
    thresholds: Mapping[str, Any]
    names: GeneNames
    rules: Sequence[Rule]
    hypotheses: Sequence[Hypothesis]


@dataclass(frozen=True)
class Block:
    """Some samples with everything their pages need.

    Attributes
    ----------
    files
        Sample to file name, without suffix; the order of the pages.
    obs
        Their rows of the sample sheet.
    tables
        Long tables by name and sample.
    fits
        How each fits the reference.
    remarks
        Sample to what its page adds to the description of the reference.
    methods
        Per sample and scoring method, the percentile of each set readout.
    level, percentile
        Samples x genes, see `SampleGenes`.
    """

    files: Mapping[str, str]
    obs: Mapping[str, Mapping[str, Any]]
    tables: Frames
    fits: Mapping[str, Mapping[str, Any]]
    remarks: Mapping[str, str]
    methods: Mapping[str, Mapping[str, Mapping[str, float]]]
    level: np.ndarray
    percentile: np.ndarray


def _record(common: Common, block: Block, row: int, sample: str) -> dict[str, Any]:
    remark = block.remarks.get(sample, "")
    reference = dict(common.reference) | {"fit": block.fits.get(sample, {})}
    reference["description"] += remark
    return content.sample_content(
        sample,
        obs=block.obs[sample],
        preparation=common.preparation,
        reference=reference,
        reference_readouts=common.reference_readouts,
        catalogue=common.catalogue,
        software=common.software,
        thresholds=common.thresholds,
        genes=SampleGenes(common.names, block.level[row], block.percentile[row]),
        methods=block.methods[sample],
        rule_book=common.rules,
        hypotheses=common.hypotheses,
        **{name: frames[sample] for name, frames in block.tables.items()},
    )


def write_block(common: Common, block: Block) -> int:
    """Write page and JSON document of each sample of a block; return how many."""
    for row, (sample, name) in enumerate(block.files.items()):
        record = _record(common, block, row, sample)
        write_text(common.folder / f"{name}.html", render.render_sample(record))
        write_text(common.folder / f"{name}.json", render.to_json(record))
    return len(block.files)


@dataclass
class _Worker:
    """What one process keeps between blocks."""

    common: list[Common] = field(default_factory=list)

    def start(self, common: Common) -> None:
        self.common[:] = [common]

    def write(self, block: Block) -> int:
        return write_block(self.common[0], block)


_WORKER = _Worker()


def _start(common: Common) -> None:
    _WORKER.start(common)


def _write(block: Block) -> int:
    return _WORKER.write(block)


def write_pages(
    common: Common, blocks: Iterator[Block], total: int, threads: int, say: Progress
) -> None:
    """Write all pages; `threads` processes share the blocks where there are enough of them."""
    done = 0

    def tell(written: int) -> None:
        nonlocal done
        before, done = done, done + written
        if done == total or done // 100 > before // 100:
            say(f"{done} of {total} sample reports")

    if threads == 1 or total <= BLOCK:
        for block in blocks:
            tell(write_block(common, block))
        return
    # Fresh processes: a fork of one that holds threads of numpy's may hang.
    with ProcessPoolExecutor(
        threads, mp_context=get_context("spawn"), initializer=_start, initargs=(common,)
    ) as pool:
        waiting: set[Future[int]] = set()
        for block in blocks:
            waiting.add(pool.submit(_write, block))
            if len(waiting) > 2 * threads:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in ready:
                    tell(future.result())
        for future in waiting:
            tell(future.result())
