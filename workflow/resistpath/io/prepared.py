"""The prepared cohort: one h5ad that every later step reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.files import need_file, replacing


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
        Genes x samples raw counts, if the input was counts.
    """

    values: pd.DataFrame
    obs: pd.DataFrame
    preparation: dict[str, Any]
    counts: pd.DataFrame | None = None


def text_obs(obs: pd.DataFrame) -> pd.DataFrame:
    """Sample sheet with missing text as empty text, which h5ad keeps and scanpy shows."""
    return pd.DataFrame(
        {
            str(c): v.map(lambda x: "" if x is None or pd.isna(x) else str(x))
            if v.dtype == object
            else v
            for c, v in obs.items()
        },
        index=obs.index.map(str),
    )


def write_prepared(path: Path, prepared: Prepared) -> None:
    """Write ``prepared.h5ad``: samples x genes, X = log2(TPM+1) in float32."""
    import anndata

    layers = {}
    if prepared.counts is not None:
        layers["counts"] = np.ascontiguousarray(prepared.counts.to_numpy(dtype=np.float64).T)
    data = anndata.AnnData(
        X=np.ascontiguousarray(prepared.values.to_numpy(dtype=np.float32).T),
        obs=text_obs(prepared.obs),
        var=pd.DataFrame(index=prepared.values.index.map(str)),
        layers=layers,
        uns={
            "units": "log2(tpm+1)",
            "preparation": json.dumps(prepared.preparation, ensure_ascii=False),
        },
    )
    data.var_names.name = "gene"
    with replacing(path) as temporary:
        data.write_h5ad(temporary)


def read_prepared(path: Path | str) -> Prepared:
    """Read ``prepared.h5ad``."""
    import anndata

    path = need_file(path, "prepared cohort", do="run resistpath prepare first")
    try:
        data = anndata.read_h5ad(path)
        preparation = json.loads(data.uns["preparation"])
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"this is not a cohort prepared by resistpath ({error})",
            where=str(path),
            do="run resistpath prepare again",
        ) from error
    values = pd.DataFrame(
        np.asarray(data.X).T, index=pd.Index(data.var_names, name="gene"), columns=data.obs_names
    )
    counts = None
    if "counts" in data.layers:
        counts = pd.DataFrame(
            np.asarray(data.layers["counts"]).T, index=values.index, columns=values.columns
        )
    obs = data.obs.copy()
    for name, column in obs.items():
        if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype == object:
            obs[name] = column.astype(object).map(
                lambda x: None if x == "" or pd.isna(x) else str(x)
            )
    return Prepared(values, obs, preparation, counts)
