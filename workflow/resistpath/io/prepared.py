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
    """Sample sheet with missing text as empty text, which h5ad keeps and scanpy shows.

    A slash in a column's name would make a folder in the file; the sign of division stands for it.
    """

    def text(column: pd.Series) -> pd.Series:
        if column.dtype != object:
            return column
        return column.map(lambda x: "" if x is None or pd.isna(x) else str(x))

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
        dataset.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
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

    Yields a `PreparedFile`, to which samples are added in the order of `obs`; the file appears
    only when the block is left without an error.
    """
    import anndata
    import h5py

    frame = anndata.AnnData(
        obs=text_obs(obs),
        var=pd.DataFrame(index=genes.map(str).rename("gene")),
        uns={"units": UNITS, "preparation": json.dumps(preparation, ensure_ascii=False)},
    )
    with replacing(path, sealed=True) as temporary:
        frame.write_h5ad(temporary)
        with h5py.File(temporary, "r+") as file:
            if "X" in file:
                del file["X"]
            yield PreparedFile(file, (len(obs), len(genes)), counts=counts)


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
    except (OSError, KeyError, ValueError) as error:
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
    except (OSError, KeyError, ValueError) as error:
        raise _not_prepared(path, error) from error


def _read_frame(group: Any) -> pd.DataFrame:
    """A data frame as anndata writes it; text as objects.

    Kinds of columns that are rare are left to anndata, whose import alone takes a job 0.3 s.
    """
    names = list(group.attrs["column-order"])
    kinds = {str(group[name].attrs["encoding-type"]) for name in names}
    if not kinds <= {"array", "string-array", "categorical"}:
        import anndata

        return anndata.io.read_elem(group)
    index = str(group.attrs["_index"])
    labels = pd.Index(_read_column(group[index]), name=None if index == "_index" else index)
    return pd.DataFrame({name: _read_column(group[name]) for name in names}, index=labels)


def _read_column(column: Any) -> npt.NDArray[Any]:
    """One column; of a categorical one the values, None where it has none (code -1)."""
    kind = column.attrs["encoding-type"]
    if kind == "categorical":
        values = np.array([*_read_column(column["categories"]), None], dtype=object)
        return values[column["codes"][()]]
    return np.asarray(column.asstr()[()] if kind == "string-array" else column[()])


def _sheet(frame: pd.DataFrame) -> pd.DataFrame:
    obs = frame.copy()
    for name, column in obs.items():
        if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype == object:
            obs[name] = column.astype(object).map(
                lambda x: None if x == "" or pd.isna(x) else str(x)
            )
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
