"""What a reader gives back, and what every matrix is held to whatever its format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.opening import Head

LONGEST_NAME = 500
"""Gene and sample names are shorter; a longer one is a cell of text in the wrong place."""
ESTIMATED = "estimated_counts"
"""Unit of read counts that a model has shared out among genes: not whole numbers."""

_SUMMARY = re.compile(
    r"N_(unmapped|multimapping|noFeature|ambiguous)"  # STAR, GDC
    r"|__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"  # htseq-count
)


@dataclass(frozen=True)
class Source:
    """An expression matrix as a file holds it, before its unit and identifiers are decided.

    Attributes
    ----------
    values
        Genes x samples; float64, or float32 where a reader found that it holds every value
        exactly; identifiers as text, possibly repeated; cells may be missing.
    format
        A key of `FORMATS`.
    units
        The unit if the format itself says it, for example ``counts``.
    gene_id
        The kind of identifier if the format itself says it, for example ``ensembl``.
    samples
        Annotation that came with the file: one row per sample, indexed by sample name; text.
    notes
        What was done to the file, as sentences for the report.
    """

    values: pd.DataFrame
    format: str
    units: str | None = None
    gene_id: str | None = None
    samples: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """What the user may say besides the path.

    Attributes
    ----------
    layer
        Which of several values a file holds: a layer of an h5ad, a column of a quantifier's
        table, a sheet of a workbook.
    tx2gene
        Table that gives the gene of each transcript.
    """

    layer: str | None = None
    tx2gene: Path | None = None


@dataclass(frozen=True)
class Folder:
    """A folder of per-sample files: its files, and those of its sub-folders."""

    path: Path
    files: tuple[Path, ...]

    def matching(self, pattern: str) -> list[Path]:
        """Files whose name matches a regular expression wholly, in order of path."""
        return [f for f in self.files if re.fullmatch(pattern, f.name)]


@dataclass(frozen=True)
class Format:
    """One format: how it is recognised and read, as a file, as a folder, or as either.

    Attributes
    ----------
    name
        The word for ``format=``.
    what
        What it is.
    how
        By what it is recognised.
    fits_file, fits_folder
        Whether a file or a folder is in this format.
    read_file, read_folder
        Reads it; None if the format has no such form.
    layers
        What `layer` may be; the first is the default. Empty if it is not fixed.
    takes
        Which of ``layer`` and ``tx2gene`` are of use.
    automatic
        Whether ``format="auto"`` may choose it.
    """

    name: str
    what: str
    how: str
    fits_file: Callable[[Head], bool] = lambda _: False
    read_file: Callable[[Head, Options], Source] | None = None
    fits_folder: Callable[[Folder], bool] = lambda _: False
    read_folder: Callable[[Folder, Options], Source] | None = None
    layers: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    automatic: bool = True


def choose_layer(layers: Sequence[str], layer: str | None) -> str:
    """Return the layer asked for, or the first."""
    if layer is not None and layer not in layers:
        raise UserError(
            f"{layer!r} is not among the values this format holds",
            where="layer",
            do=f"use one of {some(layers, 10)}",
        )
    return layer or layers[0]


def check_names(names: Sequence[str], where: str) -> list[str]:
    """Return sample names without blanks around them, or say which cannot be used."""
    names = [str(name).strip() for name in names]
    long = [name for name in names if len(name) > LONGEST_NAME]
    if long:
        raise UserError(
            f"a sample name has {len(long[0]):,} characters, beginning {long[0][:40]!r}",
            where=where,
            do="name each sample in the first line",
        )
    if "" in names:
        raise UserError(
            f"column {names.index('') + 1} of the {len(names)} samples has no name",
            where=where,
            do="name every sample",
        )
    unprintable = [name for name in names if not name.isprintable()]
    if unprintable:
        raise UserError(
            f"sample names hold control characters: {some([repr(n) for n in unprintable], 3)}",
            where=where,
            do="rename the samples",
        )
    seen = pd.Index(names)
    if seen.has_duplicates:
        raise UserError(
            f"sample names occur twice: {some(seen[seen.duplicated()].unique())}",
            where=where,
            do="give each column its own name",
        )
    return names


def matrix(
    ids: Iterable[object],
    values: npt.NDArray[np.floating],
    names: Sequence[str],
    where: str,
    notes: list[str],
) -> pd.DataFrame:
    """Build the genes x samples frame of a `Source` and hold it to what all must keep.

    Rows that count unassigned reads, and rows without identifier and value, are left out and
    noted.

    Raises
    ------
    UserError
        If there are fewer than two genes or no sample, a name or identifier cannot be used, a
        value is infinite, or a sample has no value.
    """
    names = check_names(names, where)
    index = pd.Index(["" if i is None else str(i) for i in ids], dtype=object, name="gene")
    drop = np.fromiter((bool(_SUMMARY.fullmatch(i)) for i in index), bool, len(index))
    if drop.any():
        notes.append(f"{drop.sum()} rows that sum up unassigned reads were left out.")
    blank = np.fromiter((not i.strip() for i in index), bool, len(index))
    blank[blank] = np.isnan(values[blank]).all(axis=1)
    if blank.any():
        notes.append(f"{blank.sum()} empty rows were left out.")
    if (drop | blank).any():
        values, index = values[~(drop | blank)], index[~(drop | blank)]
    if values.shape[0] < 2 or values.shape[1] < 1:
        raise UserError(
            f"the matrix has {values.shape[0]} genes and {values.shape[1]} samples",
            where=where,
            do="check the separator, and that genes are in rows and samples in columns",
        )
    _check_ids(index, where)
    _check_values(values, names, where)
    return pd.DataFrame(values, index=index, columns=pd.Index(names), copy=False)


def _check_ids(index: pd.Index, where: str) -> None:
    longest = max(index, key=len)
    if len(longest) > LONGEST_NAME:
        raise UserError(
            f"a gene identifier has {len(longest):,} characters, beginning {longest[:40]!r}",
            where=where,
            do="the first column must hold one gene identifier per row",
        )


def _check_values(values: npt.NDArray[np.floating], names: Sequence[str], where: str) -> None:
    """Refuse infinite values and samples without any; by blocks, to keep memory flat."""
    infinite = np.zeros(values.shape[1], dtype=np.int64)
    present = np.zeros(values.shape[1], dtype=np.int64)
    for start in range(0, len(values), 1024):
        block = values[start : start + 1024]
        infinite += np.isinf(block).sum(axis=0)
        present += (~np.isnan(block)).sum(axis=0)
    if infinite.any():
        first = int(np.flatnonzero(infinite)[0])
        raise UserError(
            f"{infinite.sum()} values are infinite, first in sample {names[first]!r}",
            where=where,
            do="log2(0) is a usual cause: add an offset before taking the logarithm",
        )
    if not present.all():
        empty = [name for name, n in zip(names, present, strict=True) if n == 0]
        raise UserError(
            f"{len(empty)} samples hold no value: {some(empty)}",
            where=where,
            do="remove these columns",
        )
