"""Weighted networks of users: sources, their targets and weights."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.files import need_file
from resistpath.methods import GeneSet

COLUMNS = ("source", "target", "weight")


def read_network(path: Path | str) -> list[GeneSet]:
    """Read a table with the columns source, target and weight, tab- or comma-separated.

    This is the form in which decoupler and PROGENy give their networks.

    Returns
    -------
    list of GeneSet
        One per source, ordered by name; the sign of a weight is its direction.

    Raises
    ------
    UserError
        If a column is missing, a weight is not a finite number other than zero, or a source
        names a target twice.
    """
    path = need_file(path, "network")
    separator = "," if path.name.endswith((".csv", ".csv.gz")) else "\t"
    table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    missing = [c for c in COLUMNS if c not in table]
    if missing:
        raise UserError(
            f"the network has no column {some(missing)}",
            where=str(path),
            do=f"name its columns {', '.join(COLUMNS)}",
        )
    table["weight"] = pd.to_numeric(table["weight"], errors="coerce")
    bad = table[~table["weight"].abs().between(0, float("inf"), inclusive="neither")]
    if len(bad):
        raise UserError(
            f"{len(bad)} weights are not numbers other than zero, first for"
            f" {bad['source'].iloc[0]} -> {bad['target'].iloc[0]}",
            where=str(path),
        )
    twice = table[table.duplicated(["source", "target"])]
    if len(twice):
        raise UserError(
            f"the network names {len(twice)} targets twice, first"
            f" {twice['source'].iloc[0]} -> {twice['target'].iloc[0]}",
            where=str(path),
            do="keep one row per source and target",
        )
    return [
        GeneSet(
            str(name),
            tuple(rows["target"]),
            weights=dict(zip(rows["target"], rows["weight"], strict=True)),
        )
        for name, rows in table.groupby("source", sort=True)
    ]
