"""The finished cohort as one h5ad, for work in scanpy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.io.files import replacing
from resistpath.io.prepared import Prepared, text_obs


def write_cohort(
    path: Path,
    prepared: Prepared,
    tables: Mapping[str, pd.DataFrame],
    obs: pd.DataFrame,
    provenance: Mapping[str, Any],
) -> None:
    """Write ``cohort.h5ad``: X = log2(TPM+1), one obsm table per kind of result.

    Parameters
    ----------
    tables
        Samples x columns by obsm key, for example ``scores``, ``fractions``, ``percentiles``.
        Those named ``X_...`` become plain arrays, as scanpy's plots want them.
    obs
        Sample sheet with quality and verdict columns.
    provenance
        Plain JSON values, kept as text in ``uns["provenance"]``.
    """
    import anndata

    data = anndata.AnnData(
        X=np.ascontiguousarray(prepared.values.to_numpy(dtype=np.float32).T),
        obs=text_obs(obs),
        var=pd.DataFrame(index=prepared.values.index.map(str)),
        obsm={key: _table(key, table, prepared.values.columns) for key, table in tables.items()},
        uns={
            "units": "log2(tpm+1)",
            "provenance": json.dumps(provenance, ensure_ascii=False, sort_keys=True),
        },
    )
    data.var_names.name = "gene"
    with replacing(path) as temporary:
        data.write_h5ad(temporary)


def _table(key: str, table: pd.DataFrame, samples: pd.Index) -> pd.DataFrame | np.ndarray:
    named = table.set_axis([c.replace("/", "-") for c in table.columns], axis=1)
    numbers = named.reindex(samples).astype(np.float64)
    return numbers.to_numpy() if key.startswith("X_") else numbers
