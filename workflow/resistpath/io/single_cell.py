"""Annotated single cells from files, and the signature made of them.

An ``.h5ad`` holds cells, genes and the cell types in a column of ``obs``. A folder in 10x form
holds ``matrix.mtx``, ``features.tsv`` (or ``genes.tsv``) and ``barcodes.tsv``, plain or gzip; the
cell types come in a table of their own, whose first column is the barcode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.deconvolve.signature import (
    UNITS,
    Built,
    Recipe,
    build_signature,
    linear_values,
)
from resistpath.errors import UserError, some
from resistpath.identifiers import detect, texts, turn_table
from resistpath.io.files import need_file
from resistpath.io.resources import gene_table

LOG_CEILING = 25.0  # no logged count or TPM is larger


def signature_from_cells(
    path: Path | str,
    *,
    label: str = "cell_type",
    labels: Path | str | None = None,
    layer: str = "X",
    units: str = "auto",
    donor: str | None = None,
    bulk_genes: Iterable[str] | None = None,
    leave_out: Sequence[str] = (),
    recipe: Recipe | None = None,
    name: str | None = None,
) -> Built:
    """Read annotated single cells and make a signature of them.

    Parameters
    ----------
    path, label, labels, layer, units
        See `read_cells`.
    donor, bulk_genes, leave_out, recipe
        See `signature.build_signature`.
    name
        Of the signature; the file's name if left out.
    """
    path = Path(path)
    cells = read_cells(path, label=label, labels=labels, layer=layer, units=units)
    return build_signature(
        cells,
        label,
        units="counts" if cells.uns["units"] == "counts" else "tpm",
        donor=donor,
        bulk_genes=bulk_genes,
        leave_out=leave_out,
        recipe=recipe,
        name=name or path.name,
        provenance={
            "files": path.name,
            "sha256": _digest(path),
            "label": label,
            "layer": layer,
            "units": UNITS[cells.uns["units"]],
        },
    )


def read_cells(
    path: Path | str,
    *,
    label: str = "cell_type",
    labels: Path | str | None = None,
    layer: str = "X",
    units: str = "auto",
) -> Any:
    """Read annotated single cells: AnnData, cells x genes, linear, genes by current symbols.

    Genes that mean one symbol are summed; names the gene table does not know stay as they are.

    Parameters
    ----------
    path
        An ``.h5ad`` or a folder in 10x form.
    label
        Column with the cell types, in ``obs`` or in `labels`.
    labels
        Table with a row per cell: barcode first, then `label` and whatever else is known of it.
    layer
        ``"X"``, ``"raw"`` or a layer of the h5ad.
    units
        What the values are, a key of `signature.UNITS`, or ``"auto"`` (see `detect_units`); it is
        kept in ``uns["units"]``.

    Raises
    ------
    UserError
        If the cells cannot be read, or have no such layer or labels.
    """
    path = Path(path)
    found = _read_10x(path) if path.is_dir() else _read_h5ad(path, layer)
    if labels is not None:
        found = _labelled(found, Path(labels), label)
    if label not in found.obs:
        raise UserError(
            f"the cells have no column {label!r}",
            where=str(path),
            do=f"name one of {some(found.obs.columns)}" if found.obs.shape[1] else "give labels",
        )
    if units == "auto":
        units = detect_units(found.values)
    out = _current_symbols(found, linear_values(found.values, units))
    out.uns["units"] = units
    return out


@dataclass(frozen=True)
class _Cells:
    """Cells x genes as read: values, gene names (perhaps repeated), what is known of the cells."""

    values: Any
    genes: pd.Index
    obs: pd.DataFrame


def detect_units(values: Any) -> str:
    """Tell UMI counts (whole numbers) and log1p of one total per cell from everything else.

    Raises
    ------
    UserError
        If the values are neither.
    """
    values = _sparse(values)
    positive = values.nnz and values.data.min() >= 0
    if positive and (values.data == np.round(values.data)).all():
        return "counts"
    if positive and values.data.max() < LOG_CEILING:
        linear = values.copy()
        linear.data = np.expm1(linear.data)
        totals = np.asarray(linear.sum(axis=1)).ravel()
        if totals.std() < 1e-3 * totals.mean():
            return "log1p"
    raise UserError(
        "the cells hold neither counts nor log1p of cells scaled to one total",
        do="say what they are: units",
    )


def _sparse(values: Any) -> Any:
    from scipy import sparse

    return sparse.csr_matrix(values, dtype=np.float64)


def _read_h5ad(path: Path, layer: str) -> _Cells:
    import anndata

    try:
        found = anndata.read_h5ad(need_file(path, "h5ad of single cells"))
    except UserError:
        raise
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise UserError(
            f"this is not an h5ad that anndata reads ({said})",
            where=str(path),
            do="write it with AnnData.write_h5ad, or give a folder in 10x form",
        ) from error
    if layer == "raw":
        if found.raw is None:
            raise UserError("the h5ad has no raw", where=str(path), do="choose X or a layer")
        values, names = found.raw.X, found.raw.var_names
    elif layer == "X":
        values, names = found.X, found.var_names
    elif layer in found.layers:
        values, names = found.layers[layer], found.var_names
    else:
        raise UserError(
            f"the h5ad has no layer {layer!r}",
            where=str(path),
            do=f"choose one of {some(['X', 'raw', *found.layers])}",
        )
    return _Cells(_sparse(values), names, found.obs)


def _read_10x(path: Path) -> _Cells:
    """Read a folder in 10x form."""
    from scipy.io import mmread

    matrix = _one_of(path, ("matrix.mtx", "matrix.mtx.gz"))
    genes = _one_of(path, ("features.tsv", "features.tsv.gz", "genes.tsv", "genes.tsv.gz"))
    barcodes = _one_of(path, ("barcodes.tsv", "barcodes.tsv.gz"))
    table = pd.read_csv(genes, sep="\t", header=None, dtype=str, keep_default_na=False)
    if table.shape[1] > 2:
        keep = (table[2] == "Gene Expression").to_numpy()
        keep = keep if keep.any() else np.ones(len(table), dtype=bool)
    else:
        keep = np.ones(len(table), dtype=bool)
    names = table[1 if table.shape[1] > 1 else 0]
    cells = pd.read_csv(barcodes, sep="\t", header=None, dtype=str, keep_default_na=False)[0]
    try:
        values = _sparse(mmread(str(matrix))).T.tocsr()
    except (ValueError, OSError) as error:
        raise UserError(f"the matrix cannot be read ({error})", where=str(matrix)) from error
    if values.shape != (len(cells), len(table)):
        raise UserError(
            f"the matrix is {values.shape[1]} x {values.shape[0]}, but there are {len(table)} genes"
            f" and {len(cells)} barcodes",
            where=str(path),
            do="check that the three files belong together",
        )
    obs = pd.DataFrame(index=pd.Index(cells))
    return _Cells(values[:, np.flatnonzero(keep)], pd.Index(names[keep]), obs)


def _one_of(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UserError(
        f"the folder has no {names[0]}", where=str(folder), do="give a folder in 10x form"
    )


def _labelled(cells: _Cells, path: Path, label: str) -> _Cells:
    """Keep the cells that have a row in a table of labels, and join it."""
    separator = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
    table = pd.read_csv(need_file(path, "table of cell types"), sep=separator, dtype=str)
    table = table.set_index(table.columns[0])
    if label not in table:
        raise UserError(
            f"the table has no column {label!r}",
            where=str(path),
            do=f"name one of {some(table.columns)}",
        )
    if table.index.has_duplicates:
        repeated = table.index[table.index.duplicated()].unique()
        raise UserError(f"barcodes occur twice: {some(repeated)}", where=str(path))
    known = np.flatnonzero(cells.obs.index.isin(table.index))
    if not len(known):
        raise UserError(
            f"no cell has a row in it; cells are called {some(cells.obs.index, 2)}",
            where=str(path),
            do="write the barcodes as the matrix has them",
        )
    obs = cells.obs.iloc[known].copy()
    for column in table.columns:
        obs[column] = table[column].reindex(obs.index).to_numpy()
    return _Cells(cells.values[known], cells.genes, obs)


def _current_symbols(cells: _Cells, linear: Any) -> Any:
    """Bring genes to current symbols; sum those that become one."""
    import anndata
    from scipy import sparse

    names = turn_table(gene_table())
    given = texts(cells.genes)
    _, found = detect(given, names)
    symbol = names.table["symbol"].to_numpy(dtype=object)
    new = np.where(found.row >= 0, symbol[found.row], given.to_numpy(dtype=object))
    distinct, which = np.unique(new.astype(str), return_inverse=True)
    join = sparse.csr_matrix(
        (np.ones(len(which)), (np.arange(len(which)), which)), shape=(len(which), len(distinct))
    )
    return anndata.AnnData(
        sparse.csr_matrix(linear @ join), obs=cells.obs, var=pd.DataFrame(index=distinct)
    )


def _digest(path: Path) -> str:
    files = sorted(f for f in path.iterdir() if f.is_file()) if path.is_dir() else [path]
    out = hashlib.sha256()
    for file in files:
        with file.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                out.update(chunk)
    return out.hexdigest()
