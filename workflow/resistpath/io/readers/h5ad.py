"""h5ad (AnnData): samples x genes, X or one of its layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.opening import Head
from resistpath.io.readers.source import Format, Options, Source, choose_layer, matrix


def _open(head: Head) -> Any:
    import anndata

    try:
        return anndata.read_h5ad(head.path)
    except Exception as error:
        raise UserError(
            "this HDF5 file is damaged or no h5ad",
            where=str(head.path),
            do="write it with AnnData.write_h5ad, or export the matrix as text",
        ) from error


def _read(head: Head, options: Options) -> Source:
    where = str(head.path)
    data = _open(head)
    layers = ["X", *map(str, data.layers)]
    layer = choose_layer(layers, options.layer)
    values = data.X if layer == "X" else data.layers[layer]
    if values is None:
        raise UserError(
            "the h5ad has no X",
            where=where,
            do=f"choose a layer: {some(layers[1:])}" if len(layers) > 1 else "write it with X",
        )
    dense = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    if dense.dtype.kind not in "iufb":
        raise UserError(f"{layer} does not hold numbers", where=where, do="write it as float32")
    notes = [f"h5ad, {layer}" + (f"; also there: {some(layers)}." if len(layers) > 1 else ".")]
    values = np.asarray(dense, dtype=np.float64).T
    frame = matrix(data.var_names, values, list(map(str, data.obs_names)), where, notes)
    obs = data.obs.astype(object)
    obs = obs.where(obs.notna(), None).map(lambda x: None if x is None else str(x))
    obs.index = pd.Index(frame.columns, name="sample")
    units = data.uns.get("units") if layer == "X" else None
    return Source(
        frame,
        FORMAT.name,
        units if isinstance(units, str) else None,
        samples=obs if obs.shape[1] else None,
        notes=tuple(notes),
    )


FORMAT = Format(
    name="h5ad",
    what="AnnData, samples x genes; X or a layer",
    how="HDF5 file",
    fits_file=lambda head: head.data.startswith(b"\x89HDF"),
    read_file=_read,
    takes=("layer",),
)
