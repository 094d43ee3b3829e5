"""Every method on every set, block by block: the samples of a block are ranked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from resistpath.errors import UserError
from resistpath.methods import Method
from resistpath.score.data import BLOCK, Background, Block, ScoreData, SetIndex
from resistpath.score.result import Scored

Options = Mapping[str, Mapping[str, Any]]
"""Keyword arguments by method."""


def over_blocks(
    data: ScoreData, work: Callable[[Block, slice], None], *, threads: int, block_size: int
) -> None:
    """Do `work` for each block of samples; the kernels let go of the interpreter's lock."""
    for name, number in {"threads": threads, "block_size": block_size}.items():
        if number < 1:
            raise UserError(f"{name} must be 1 or more, not {number}", where="score")

    def one(part: slice) -> None:
        work(data.block(part), part)

    parts = list(data.parts(block_size))
    if threads == 1 or len(parts) == 1:
        for part in parts:
            one(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        # Reading the results raises what a worker raised.
        for _ in pool.map(one, parts):
            pass


def scores_of(
    data: ScoreData,
    sets: SetIndex,
    methods: Mapping[str, Method],
    options: Options | None = None,
    *,
    threads: int = 1,
    block_size: int = BLOCK,
) -> dict[str, np.ndarray]:
    """Plain scores by method, samples x sets."""
    options = options or {}
    shape = (len(data.samples), len(sets.sets))
    single = {k: m for k, m in methods.items() if not m.cohort_dependent}
    out = {name: np.empty(shape) for name in methods}

    def work(block: Block, part: slice) -> None:
        for name, method in single.items():
            out[name][part] = method.func(block, sets, **options.get(name, {}))

    if single:
        over_blocks(data, work, threads=threads, block_size=block_size)
    for name, method in methods.items():
        if method.cohort_dependent:
            out[name][:] = method.func(data, sets, threads=threads, **options.get(name, {}))
    return out


def details_of(
    data: ScoreData,
    sets: Mapping[str, SetIndex],
    methods: Mapping[str, Method],
    background: Background | None,
    options: Options | None = None,
    *,
    threads: int = 1,
    block_size: int = BLOCK,
) -> dict[str, Scored]:
    """Scores of single-sample methods with variances and null; each method has its own sets."""
    options = options or {}
    out = {}
    for name in methods:
        arrays = [np.empty((len(data.samples), len(sets[name].sets))) for _ in range(4)]
        out[name] = Scored(*arrays)

    def work(block: Block, part: slice) -> None:
        for name, method in methods.items():
            if method.detail is None:
                raise TypeError(f"{name} has no interval: it depends on the cohort")
            found = method.detail(block, sets[name], background, **options.get(name, {}))
            for field in ("score", "variance", "df", "null_z"):
                getattr(out[name], field)[part] = getattr(found, field)

    over_blocks(data, work, threads=threads, block_size=block_size)
    return out


def scores_without(
    data: ScoreData,
    sets: SetIndex,
    method: Method,
    *,
    threads: int = 1,
    block_size: int = BLOCK,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Scores, samples x sets, and scores without each gene, samples x genes of all sets.

    The second is None for methods that cannot leave out a gene.
    """
    leave_one_out = method.leave_one_out
    score = np.empty((len(data.samples), len(sets.sets)))
    without = np.empty((len(data.samples), len(sets.genes) if leave_one_out else 0))

    def work(block: Block, part: slice) -> None:
        score[part] = method.func(block, sets)
        if leave_one_out is not None:
            without[part] = leave_one_out(block, sets)

    over_blocks(data, work, threads=threads, block_size=block_size)
    return score, None if leave_one_out is None else without
