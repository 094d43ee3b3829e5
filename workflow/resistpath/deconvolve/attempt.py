"""Run a method on a cohort, or say why it cannot be run: a gap in a table, not the end of a run.

A cohort measured with a gene panel lacks the genes of some methods. They then give a missing value
for each of their cell types, with the reason, and the other methods go on. Everything else that is
wrong with a matrix or an option stays a `UserError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from resistpath.deconvolve import METHODS, TAKES_SIGNATURE, epic, estimate, least_squares, run
from resistpath.deconvolve import quantiseq as til10
from resistpath.deconvolve.celltypes import COMBINED, CellType
from resistpath.deconvolve.names import vocabulary
from resistpath.deconvolve.profiles import KEYS, as_signature
from resistpath.deconvolve.result import Result, no_rows
from resistpath.deconvolve.rows import TooFewGenes, need, text
from resistpath.deconvolve.table import fit_table, long_table

# Below this many genes a matrix is a panel. The smallest whole transcriptomes in public cohorts,
# filtered for expression, hold about 11,000 genes; immune panels hold 700 to 2,000.
FEWEST_GENES = 5000
# Means of a few log values: they need their own genes only. All others divide by, or rank among,
# everything that was measured.
ON_A_PANEL = frozenset({"mcpcounter", "consensus_markers"})


@dataclass(frozen=True)
class Attempt:
    """What became of a method on a cohort.

    Attributes
    ----------
    rows
        As `table.long_table`; values are missing where the method could not be run.
    fit
        As `table.fit_table`.
    reason
        Why it could not be run; empty if it was.
    """

    rows: pd.DataFrame
    fit: pd.DataFrame
    reason: str


def attempt(
    tpm: pd.DataFrame,
    method: str,
    tables: Mapping[str, pd.DataFrame],
    *,
    label: str | None = None,
    fewest_genes: int = FEWEST_GENES,
    **options: object,
) -> Attempt:
    """Run one method; where the matrix lacks its genes, return missing values with the reason.

    Parameters
    ----------
    tpm, method, tables, **options
        As for `run`; `tables` also holds ``limits_of_detection``.
    label
        What the tables call the method, if not by its name.
    fewest_genes
        Genes a matrix must have to be more than a panel.

    Raises
    ------
    UserError
        As `run`, except where the matrix has too few genes.
    """
    reason, found, wanted = "", 0, 0
    try:
        result = run(tpm, method, tables, **options)
        if len(tpm) < fewest_genes and method not in ON_A_PANEL:
            reason = (
                f"{len(tpm):,} genes are a panel, whose TPM and ranks are not those of a whole"
                f" transcriptome; {method} needs at least {fewest_genes:,}"
            )
            found, wanted = (int(result.fit[c].iloc[0]) for c in ("n_genes", "n_signature"))
    except TooFewGenes as error:
        reason, found, wanted = error.what, error.found, error.wanted
    if reason:
        why = (found, wanted, f"not assessable: {reason}")
        result = _missing(tpm, method, tables, options, why)
    rows = long_table(result, method, METHODS[method].kind, tables)
    fit = fit_table(result, method)
    if label is not None:
        rows["method"] = fit["method"] = label
    return Attempt(rows, fit, reason)


@dataclass(frozen=True)
class _Columns:
    """What a method returns: its own columns, the sums of them, and what they mean."""

    own: Sequence[str]
    sums: Sequence[str] = ()
    cells: Mapping[str, CellType] = field(default_factory=dict)


def _columns(
    method: str, tables: Mapping[str, pd.DataFrame], options: Mapping[str, object]
) -> _Columns:
    if method in TAKES_SIGNATURE:
        given = as_signature(options.get("signature"), tables)
        total = options.get("total", "auto")
        if total == "auto":
            total = "at_most_one" if given.unit == "tpm" else "free"
        rest = {
            "least_squares": [least_squares.OTHER] * (total == "at_most_one"),
            "epic": [epic.OTHER] * bool(options.get("other_cells", True)),
        }
        own = [*given.types, *rest.get(method, [])]
        words = vocabulary(own)
        return _Columns(own, list(words.sums), words.cells)
    if method == "quantiseq":
        types = [c for c in need(tables, "til10", KEYS).columns if c not in KEYS]
        other = [til10.OTHER] * (options.get("robust", "lsei") == "lsei")
        return _Columns([*types, *other], list(COMBINED[method]))
    if method == "estimate":
        return _Columns([*estimate.SETS.values(), estimate.COMBINED])
    column = {"mcpcounter": "population", "consensus_markers": "cell_type"}[method]
    return _Columns(list(dict.fromkeys(text(need(tables, method, (column,))[column]))))


def _missing(
    tpm: pd.DataFrame,
    method: str,
    tables: Mapping[str, pd.DataFrame],
    options: Mapping[str, object],
    why: tuple[int, int, str],
) -> Result:
    """Make the result of a method that could not be run."""
    columns = _columns(method, tables, options)
    samples = pd.Index([str(c) for c in tpm.columns], name="sample")
    own = pd.DataFrame(np.nan, samples, list(columns.own))
    sums = pd.DataFrame(np.nan, samples, list(columns.sums))
    both = pd.concat([own, sums], axis=1)
    found, wanted, reason = why
    fit = pd.DataFrame(
        {
            "n_genes": found,
            "n_signature": wanted,
            "coverage": found / wanted,
            **dict.fromkeys(("correlation", "residual", "condition"), np.nan),
        },
        index=samples,
    )
    genes = pd.DataFrame(columns=["gene", "row", "used", "fate"])
    limited_as = "" if method in TAKES_SIGNATURE else None
    return Result(
        own, sums, both, both, fit, genes, no_rows(), {"": reason}, columns.cells, {}, limited_as
    )
