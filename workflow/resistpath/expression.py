"""What an expression matrix is: genes x samples, one unit, one kind of gene identifier."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some


@dataclass(frozen=True)
class Expression:
    """An expression matrix together with what is known about it.

    Attributes
    ----------
    values
        Genes x samples; float; index named ``gene``.
    units
        A unit string such as ``"counts"``, ``"tpm"`` or ``"log2(tpm+1)"`` (see `units`).
    gene_id
        ``"symbol"``, ``"entrez"``, ``"ensembl"`` or ``"symbol|entrez"``.
    report
        How unit and identifiers were decided, and everything dropped, renamed or merged:
        plain values and DataFrames, keyed by topic.
    """

    values: pd.DataFrame
    units: str
    gene_id: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> list[str]:
        """Sample names in column order."""
        return [str(c) for c in self.values.columns]


def check_matrix(values: pd.DataFrame, what: str = "expression matrix") -> None:
    """Refuse a genes x samples matrix that no method can read.

    Raises
    ------
    UserError
        If the matrix is empty, holds text, missing or infinite values, or repeats a gene or
        sample name.
    """
    if values.shape[0] == 0 or values.shape[1] == 0:
        raise UserError(
            f"{what} is empty ({values.shape[0]} genes x {values.shape[1]} samples)",
            do="check that genes are in rows and samples in columns",
        )
    for axis, labels in (("gene", values.index), ("sample", values.columns)):
        if labels.has_duplicates:
            raise UserError(
                f"{what} repeats {axis} names: {some(labels[labels.duplicated()].unique())}",
                do=f"keep one {'row per gene' if axis == 'gene' else 'column per sample'}",
            )
    text = [c for c, t in values.dtypes.items() if t.kind not in "iufb"]
    if text:
        raise UserError(
            f"{what} holds text in {len(text)} of {values.shape[1]} samples: {some(text)}",
            do="every value must be a number",
        )
    # Block by block: a whole copy would cost more memory than the matrix itself.
    bad, broken = 0, np.zeros(len(values), dtype=bool)
    for start in range(0, values.shape[1], 32):
        finite = np.isfinite(values.iloc[:, start : start + 32].to_numpy(dtype=float))
        if not finite.all():
            bad += int((~finite).sum())
            broken |= ~finite.all(axis=1)
    if bad:
        rows = values.index[broken]
        raise UserError(
            f"{what} holds {bad} missing or infinite values in {len(rows)} genes: {some(rows)}",
            do="drop these genes or impute them before scoring",
        )


def samples_by_genes(values: pd.DataFrame) -> np.ndarray:
    """Return the values as a C-contiguous float64 array, samples in rows.

    Sums along the last axis of such an array are taken per sample in a fixed order, so a
    sample's result does not depend on which other samples are in the matrix.
    """
    return np.ascontiguousarray(values.to_numpy(dtype=np.float64).T)


BLOCK_SAMPLES, BLOCK_GENES = 16, 1024
Result = TypeVar("Result")


def over_sample_blocks(
    values: pd.DataFrame, work: Callable[[pd.DataFrame], Result], threads: int = 1
) -> Iterator[Result]:
    """Results of `work` on a few samples at a time, in the order of the samples.

    `work` gets a copy as float64, genes x samples with every sample's values side by side. A
    sample's numbers must not depend on its block. `threads` change no result; besides those in
    work, at most one block waits for the reader.
    """
    array = values.to_numpy()

    def done(start: int) -> Result:
        place = slice(start, start + BLOCK_SAMPLES)
        rows = np.empty((len(values.columns[place]), len(array)), dtype=np.float64)
        for at in range(0, len(array), BLOCK_GENES):  # some genes at a time, to stay in the cache
            genes = slice(at, at + BLOCK_GENES)
            rows[:, genes] = array[genes, place].T
        return work(pd.DataFrame(rows.T, index=values.index, columns=values.columns[place]))

    starts = range(0, array.shape[1], BLOCK_SAMPLES)
    if threads == 1:
        yield from map(done, starts)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        for start in starts:
            waiting.append(pool.submit(done, start))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def count_missing(values: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Missing values of each gene and of each sample, counted a block of genes at a time."""
    array = values.to_numpy()
    of_gene = np.empty(array.shape[0], dtype=np.int64)
    of_sample = np.zeros(array.shape[1], dtype=np.int64)
    for start in range(0, len(array), BLOCK_GENES):
        missing = np.isnan(array[start : start + BLOCK_GENES])
        of_gene[start : start + BLOCK_GENES] = np.count_nonzero(missing, axis=1)
        of_sample += np.count_nonzero(missing, axis=0)
    return of_gene, of_sample
