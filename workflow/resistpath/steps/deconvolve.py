"""deconvolve: cell fractions and cell scores by each method."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from resistpath.api import linear_tpm
from resistpath.deconvolve import METHODS, NEEDS_SIGNATURE, TAKES_SIGNATURE
from resistpath.deconvolve.attempt import attempt
from resistpath.deconvolve.concordance import cohort_concordance
from resistpath.errors import UserError, some
from resistpath.io.prepared import read_prepared
from resistpath.io.resources import deconvolution_tables
from resistpath.io.signature_matrices import read_signature
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.measure import CellTables
from resistpath.methods import find_method
from resistpath.steps import Progress, silent

# The cohort's genes carry today's symbols, so signatures printed earlier are brought to them.
CURRENT = {"quantiseq": {"symbols": "current"}, "epic": {"symbols": "current"}}
BLOCK = 512  # samples at a time: it bounds memory and changes no bit


class Own(NamedTuple):
    """A signature matrix the user brings, and the method that fits it."""

    name: str
    method: str
    path: Path


def deconvolve(
    folder: Path, *, methods: Sequence[str], signatures: Sequence[Own] = (), say: Progress = silent
) -> None:
    """Estimate cell types by each method.

    Parameters
    ----------
    folder
        Of the cohort; ``prepared.h5ad`` is read, and ``fractions.tsv`` (the values),
        ``fractions.fit.tsv`` (how well each fit explains its sample) and
        ``fractions.cohort_concordance.tsv`` (how far methods agree over these samples) written.
    methods
        Names of `resistpath.deconvolve.METHODS`, with their shipped tables.
    signatures
        Matrices to fit besides; in the tables their method is called ``METHOD:NAME``.
    """
    tables = deconvolution_tables()
    tasks = _tasks(methods, signatures)
    values = read_prepared(folder / "prepared.h5ad").values
    rows: dict[str, list[pd.DataFrame]] = {label: [] for label, _, _ in tasks}
    fits: dict[str, list[pd.DataFrame]] = {label: [] for label in rows}
    for first in range(0, values.shape[1], BLOCK):
        tpm = linear_tpm(values.iloc[:, first : first + BLOCK])
        for label, method, options in tasks:
            done = attempt(tpm, method, tables, label=label, **options)
            rows[label].append(done.rows)
            fits[label].append(done.fit)
            if first == 0:
                types = done.rows["cell_type"][done.rows["value"].notna()].nunique()
                say(f"{label}: {done.reason or f'{types} cell types'}")
        if values.shape[1] > BLOCK:
            say(f"{first + tpm.shape[1]} of {values.shape[1]} samples")
    cells = pd.concat([frame for frames in rows.values() for frame in frames], ignore_index=True)
    fit = pd.concat([frame for frames in fits.values() for frame in frames], ignore_index=True)
    write_table(folder / "fractions.fit.tsv", fit)
    write_table(folder / "fractions.cohort_concordance.tsv", cohort_concordance(cells))
    write_table(folder / "fractions.tsv", cells)


def _tasks(
    methods: Sequence[str], signatures: Sequence[Own]
) -> list[tuple[str, str, dict[str, Any]]]:
    """Label, method and options of every run; all that can be refused is, before any work."""
    tasks: list[tuple[str, str, dict[str, Any]]] = []
    for method in methods:
        find_method(METHODS, method)
        if method in NEEDS_SIGNATURE:
            raise UserError(
                f"{method} has no signature matrix of its own",
                do="list it with your matrix under deconvolve.signatures"
                f" (--signature NAME {method} PATH), not among the methods",
            )
        tasks.append((method, method, CURRENT.get(method, {})))
    for own in signatures:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", own.name):
            raise UserError(
                f"signature name {own.name!r}",
                do="use letters, digits, dots, hyphens and underscores",
            )
        if own.method not in TAKES_SIGNATURE:
            raise UserError(
                f"{own.method!r} takes no signature matrix",
                where=own.name,
                do=f"use one of {', '.join(sorted(TAKES_SIGNATURE))}",
            )
        options = {"signature": read_signature(own.path, name=own.name)}
        tasks.append(
            (f"{own.method}:{own.name}", own.method, CURRENT.get(own.method, {}) | options)
        )
    labels = pd.Index([label for label, _, _ in tasks])
    if labels.has_duplicates:
        raise UserError(
            f"listed twice: {some(labels[labels.duplicated()].unique())}",
            do="name each method once, and each signature differently",
        )
    return tasks


def read_cells(folder: Path) -> CellTables:
    """``fractions.tsv`` as wide tables."""
    return wide_cells(read_table(folder / "fractions.tsv", "table of cell fractions"))


def wide_cells(table: pd.DataFrame) -> CellTables:
    """Turn the long table of cell types into samples x ``method:cell_type``.

    A column without any value, of a method that could not be run on the cohort, is left out.
    """
    samples = table["sample"].unique()
    name = table["method"] + ":" + table["cell_type"]
    long = table.assign(
        name=name,
        half=(table["high"] - table["low"]) / 2,
        below=table["detectable"] == "below limit",
    )
    known = name[table["value"].notna()].unique()
    long = long[name.isin(known)]

    def wide(column: str) -> pd.DataFrame:
        out = long.pivot(index="sample", columns="name", values=column)
        return out.reindex(index=samples, columns=known)

    return CellTables(wide("value"), wide("half"), wide("below").fillna(False).astype(bool))
