"""The prepared cohort: one h5ad that every later step reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.files import need_file, replacing

UNITS = "log2(tpm+1)"
BLOCK = 64


@dataclass(frozen=True)
class Prepared:
    """A cohort on one scale.

    Attributes
    ----------
    values
        Genes x samples, log2(TPM+1), float32.
    obs
        Sample sheet by sample.
    preparation
        What was done to the matrix: plain JSON values.
    counts
        Genes x samples reads, if the input was reads and they were asked for.
    """

    values: pd.DataFrame
    obs: pd.DataFrame
    preparation: dict[str, Any]
    counts: pd.DataFrame | None = None


def text_obs(obs: pd.DataFrame) -> pd.DataFrame:
    """Sample sheet of numbers, truth values and text; missing text is empty, as scanpy shows it.

    A slash in a column's name would make a folder in the file; the sign of division stands for it.
    """

    def text(column: pd.Series) -> pd.Series:
        if column.dtype.kind in "iufb":
            return column.astype(np.float64) if column.hasnans else column
        cells = ["" if x is None or pd.isna(x) else str(x) for x in column]
        return pd.Series(cells, index=column.index, dtype=object)

    return pd.DataFrame(
        {str(name).replace("/", "\u2215"): text(column) for name, column in obs.items()},
        index=obs.index.map(str),
    )


class PreparedFile:
    """``prepared.h5ad`` as it is written, a block of samples at a time; see `preparing`."""

    def __init__(self, group: Any, shape: tuple[int, int], *, counts: bool) -> None:
        self._at, self._group, self._shape = 0, group, shape
        self._values = self._matrix("X", np.float32)
        self._counts = self._matrix("layers/counts", np.float32) if counts else None

    def _matrix(self, name: str, dtype: type) -> Any:
        dataset = self._group.create_dataset(name, shape=self._shape, dtype=dtype)
        dataset.attrs.update(_encoding("array"))
        return dataset

    def add(self, values: pd.DataFrame, counts: pd.DataFrame | None) -> None:
        """Append samples: genes x samples, log2(TPM+1), and their reads if there are any."""
        place = slice(self._at, self._at + values.shape[1])
        self._values[place] = np.ascontiguousarray(values.to_numpy(dtype=np.float32).T)
        if self._counts is not None and counts is not None:
            reads = np.ascontiguousarray(counts.to_numpy(dtype=np.float64).T)
            small = reads.astype(np.float32)
            if self._counts.dtype == np.float32 and not np.array_equal(small, reads):
                self._widen()
            self._counts[place] = small if self._counts.dtype == np.float32 else reads
        self._at = place.stop

    def levels(self, genes: pd.Index, samples: pd.Index) -> pd.DataFrame:
        """What was added so far, genes x samples, log2(TPM+1), as any later reader gets it."""
        return pd.DataFrame(self._values[: self._at].T, index=genes, columns=samples)

    def _widen(self) -> None:
        """Go on in float64, because float32 does not hold every number of reads exactly."""
        self._group.move("layers/counts", "layers/narrow")
        narrow = self._group["layers/narrow"]
        self._counts = self._matrix("layers/counts", np.float64)
        for start in range(0, self._at, BLOCK):
            place = slice(start, min(start + BLOCK, self._at))
            self._counts[place] = narrow[place]
        del self._group["layers/narrow"]


@contextmanager
def preparing(
    path: Path, genes: pd.Index, obs: pd.DataFrame, preparation: dict[str, Any], *, counts: bool
) -> Iterator[PreparedFile]:
    """Write ``prepared.h5ad``: samples x genes, X = log2(TPM+1) in float32.

    The layout is that of anndata 0.1.0 [1]_; every job would pay a third of a second for the
    import of its library. Yields a `PreparedFile`, to which samples are added in the order of
    `obs`; the file appears only when the block is left without an error.

    References
    ----------
    .. [1] anndata.readthedocs.io, "On-disk format"
    """
    import h5py

    about = {"units": UNITS, "preparation": json.dumps(preparation, ensure_ascii=False)}
    with replacing(path, sealed=True) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(_encoding("anndata", "0.1.0"))
        for name in ("layers", "obsm", "obsp", "uns", "varm", "varp"):
            file.create_group(name).attrs.update(_encoding("dict", "0.1.0"))
        _write_frame(file.create_group("obs"), text_obs(obs))
        _write_frame(file.create_group("var"), pd.DataFrame(index=genes.map(str).rename("gene")))
        for name, text in about.items():
            cell = file["uns"].create_dataset(name, data=text, dtype=h5py.string_dtype())
            cell.attrs.update(_encoding("string"))
        yield PreparedFile(file, (len(obs), len(genes)), counts=counts)


def _encoding(kind: str, version: str = "0.2.0") -> dict[str, str]:
    return {"encoding-type": kind, "encoding-version": version}


def _write_frame(group: Any, frame: pd.DataFrame) -> None:
    """Write numbers, truth values and texts by row, as anndata lays out a data frame."""
    import h5py

    index = str(frame.index.name or "_index")
    names = np.array(list(frame.columns), dtype=h5py.string_dtype())
    group.attrs.update(_encoding("dataframe") | {"_index": index, "column-order": names})
    for name, values in (*frame.items(), (index, frame.index)):
        cells = values.to_numpy()
        plain = cells.dtype.kind in "iufb"
        column = group.create_dataset(
            str(name), data=cells, dtype=None if plain else h5py.string_dtype()
        )
        column.attrs.update(_encoding("array" if plain else "string-array"))


def read_prepared(path: Path | str, *, counts: bool | Collection[str] = False) -> Prepared:
    """Read ``prepared.h5ad``, with the `counts` of all genes or of some only if asked for."""
    import h5py

    path = need_file(path, "prepared cohort", do="run resistpath prepare first")
    try:
        with h5py.File(path) as file:
            genes, obs = _read_frame(file["var"]).index.rename("gene"), _read_frame(file["obs"])
            chosen = genes if counts is True else genes[genes.isin(list(counts or ()))]
            reads = _read_counts(file, genes.get_indexer(chosen)) if counts else None
            preparation = json.loads(file["uns/preparation"].asstr()[()])
            values = pd.DataFrame(file["X"][()].T, index=genes, columns=obs.index)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _not_prepared(path, error) from error
    table = None if reads is None else pd.DataFrame(reads, index=chosen, columns=obs.index)
    return Prepared(values, _sheet(obs), preparation, table)


def read_sheet(path: Path | str) -> pd.DataFrame:
    """Read the sample sheet of a prepared cohort alone, without its matrix."""
    import h5py

    path = need_file(path, "prepared cohort", do="run resistpath prepare first")
    try:
        with h5py.File(path) as file:
            return _sheet(_read_frame(file["obs"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _not_prepared(path, error) from error


def _read_frame(group: Any) -> pd.DataFrame:
    """A data frame that `_write_frame` wrote, or anndata with its categories."""
    index = str(group.attrs["_index"])
    labels = pd.Index(_read_column(group[index]), name=None if index == "_index" else index)
    names = list(group.attrs["column-order"])
    return pd.DataFrame({name: _read_column(group[name]) for name in names}, index=labels)


def _read_column(column: Any) -> npt.NDArray[Any]:
    kind = column.attrs["encoding-type"]
    if kind == "categorical":  # a missing one has the code -1
        values = np.array([*_read_column(column["categories"]), None], dtype=object)
        return values[column["codes"][()]]
    return np.asarray(column.asstr()[()] if kind == "string-array" else column[()])


def _sheet(frame: pd.DataFrame) -> pd.DataFrame:
    obs = frame.copy()
    for name, column in obs.items():
        if column.dtype == object:
            obs[name] = column.map(lambda x: None if x == "" else x)
    return obs


def _not_prepared(path: Path, error: Exception) -> UserError:
    return UserError(
        f"this is not a cohort prepared by resistpath ({error})",
        where=str(path),
        do="run resistpath prepare again",
    )


def _read_counts(file: Any, genes: npt.NDArray[np.intp]) -> npt.NDArray[np.float64] | None:
    """Reads of some genes, genes x samples, a block of samples at a time; None without reads."""
    if "layers/counts" not in file:
        return None
    layer = file["layers/counts"]
    out = np.empty((len(genes), layer.shape[0]))
    for start in range(0, layer.shape[0], BLOCK):
        out[:, start : start + BLOCK] = layer[start : start + BLOCK][:, genes].T
    return out
