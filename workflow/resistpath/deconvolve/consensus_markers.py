r"""Consensus markers: a second opinion on cell populations from three published marker panels.

========== ==========================================================================
danaher    Danaher 2017: genes that rise and fall together over 9,986 TCGA tumours
combes     Combes 2022: genes of cells sorted from tumours, and of tumour single cells
cells      data-derived from tumour single cells, as collected by COMPASS
========== ==========================================================================

A population's score is the mean over panels of the mean :math:`\log_2(\mathrm{TPM}+1)` of their
markers; see `markers`. Scores compare samples for one population, never populations with one
another. The panels were derived independently of TIL10 and of MCP-counter, although all share
landmark genes such as CD8A and MS4A1.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from resistpath.deconvolve.markers import score_markers
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.rows import need, text
from resistpath.errors import UserError

PANELS = {"danaher": "Danaher 2017", "combes": "Combes 2022", "cells": "single cells"}


def consensus_markers(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    panel: str = "all",
    interval: bool = True,
) -> Result:
    """Score cell populations by published marker panels.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM; gene symbols.
    tables
        ``consensus_markers``.
    panel
        ``"all"``, or one of ``"danaher"``, ``"combes"``, ``"cells"``.
    interval
        Also give 90 % intervals.

    Returns
    -------
    Result
        Scores by the ids of `celltypes`; missing for a population without a measured marker.
    """
    if panel not in ("all", *PANELS):
        raise UserError(
            f"consensus_markers knows no panel {panel!r}",
            do=f"use one of all, {', '.join(PANELS)}",
        )
    table = need(
        tables, "consensus_markers", ("cell_type", "panel", "gene", "symbol", "other_symbols")
    )
    if panel != "all":
        table = table[table["panel"] == panel].reset_index(drop=True)
    table = table.assign(population=table["cell_type"])
    result = score_markers(tpm, table, "consensus_markers", interval=interval)
    used = table[result.genes["used"].to_numpy()]
    for cell in result.estimate.columns:
        named = [
            PANELS.get(name, name)
            for name in dict.fromkeys(text(used["panel"][used["cell_type"] == cell]))
        ]
        notes = [result.notes.get(cell, ""), f"markers of {' and '.join(named)}" if named else ""]
        result.notes[cell] = "; ".join(n for n in notes if n)
    return result
