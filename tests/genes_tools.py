"""Small matrices by identifier, and what became of each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.genes import harmonise

ACTIONS = {"kept", "renamed", "merged", "dropped"}


def matrix(ids: list[object], samples: int = 2) -> pd.DataFrame:
    """Row i holds i + 1 in the first sample, 10 times that in the next ..."""
    values = np.arange(1, len(ids) + 1)[:, None] * 10.0 ** np.arange(samples)
    return pd.DataFrame(values, index=ids, columns=[f"s{j}" for j in range(samples)])


def fate(table: pd.DataFrame, ids: list[object], kind: str = "symbol") -> pd.DataFrame:
    return harmonise(matrix(ids), table, gene_id=kind)[1]
