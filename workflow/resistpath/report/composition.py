"""What the page says of a sample's cell types: each method's values, and where methods disagree."""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd

from resistpath.deconvolve.caveats import BY_METHOD, GENERAL
from resistpath.deconvolve.celltypes import CELL_TYPES
from resistpath.report.parts import Record, records
from resistpath.report.text import words

_REMAINDER = ("other", "uncharacterized", "uncharacterised")
_FIT = ("coverage", "correlation", "residual", "condition")
# Percentiles of one cell type by two methods: how far apart they may lie.
AGREE, DISAGREE = 25.0, 50.0


def composition(frame: pd.DataFrame) -> list[Record]:
    """One record per method and kind, in the frame's order; fractions and scores apart.

    A method without any value, because the matrix lacks its genes, keeps its reason instead of
    rows.

    Parameters
    ----------
    frame
        The sample's rows of ``fractions.tsv`` with ``percentile`` and, where known, ``coverage``,
        ``correlation``, ``residual`` and ``condition`` of the method's fit.
    """
    out: dict[tuple[str, str], Record] = {}
    for row in records(frame):
        key = (words(row["method"]), words(row["kind"]))
        part = out.setdefault(
            key,
            {
                "method": key[0],
                "kind": key[1],
                "unavailable": "",
                "fit": {name: row.get(name) for name in _FIT},
                "caveats": list(BY_METHOD.get(key[0].partition(":")[0], ())),
                "rows": [],
            },
        )
        part["rows"].append(
            {
                "cell_type": words(row["cell_type"]),
                "label": words(row["label"], words(row["cell_type"])),
                "value": row["value"],
                "low": row["low"],
                "high": row["high"],
                "detectable": words(row["detectable"], "unknown"),
                "limit": row["limit"],
                "percentile": row["percentile"],
                "note": words(row["note"]),
            }
        )
    parts = sorted(out.values(), key=lambda part: bool(part["kind"] != "fraction"))
    for part in parts:
        _say_once(part)
        part["full_scale"] = _full_scale(part)
        if all(row["value"] is None for row in part["rows"]):
            part["unavailable"] = part["rows"][0]["note"] or "no value could be given"
            part["rows"] = []
    return parts


_LIMIT_OF_CELLS = "the limit is a share of cells, the score is not"


def _say_once(part: Record) -> None:
    """Move the remark that nearly every score carries to the head of the table."""
    found = [row for row in part["rows"] if _LIMIT_OF_CELLS in row["note"].split("; ")]
    for row in found:
        row["note"] = "; ".join(n for n in row["note"].split("; ") if n != _LIMIT_OF_CELLS)
    if found:
        part["caveats"].append(
            "Limits of detection are known as shares of cells, so none is given for these scores."
        )


def _full_scale(part: Record) -> float | None:
    """Fraction at which the bars of a table end."""
    if part["kind"] != "fraction":
        return None
    named = [r for r in part["rows"] if r["cell_type"].lower() not in _REMAINDER]
    ends = [row[key] for row, key in product(named, ("value", "high")) if row[key] is not None]
    top = max(ends, default=0.0)
    return next((s for s in (0.05, 0.1, 0.2, 0.4, 0.6) if top <= s), 1.0)


def agreement(parts: list[Record]) -> Record:
    """Compare the methods on each cell type of the vocabulary that two or more of them offer.

    Percentiles in the reference are compared, because fractions and scores share no scale. One of
    a value below its limit of detection is shown and left out of the comparison.

    Parameters
    ----------
    parts
        What `composition` returned.

    Returns
    -------
    dict
        ``methods``; ``agree`` and ``disagree``, the differences in percentile that count as such;
        and ``rows`` with ``cell_type``, ``label``, ``places`` (one per method, null where it has
        no such type), ``difference`` (largest less smallest percentile, null below two) and
        ``reading``: agree, differ, disagree or cannot compare.
    """
    found: dict[str, Record] = {}
    for part in parts:
        for row in part["rows"]:
            if row["cell_type"] in _REMAINDER:
                continue
            entry = found.setdefault(row["cell_type"], {"label": row["label"], "by": {}})
            entry["by"][part["method"]] = {
                "percentile": row["percentile"],
                "detectable": row["detectable"],
            }
    order = [cell for cell in CELL_TYPES if cell in found]
    shared = {cell: found[cell] for cell in order if len(found[cell]["by"]) > 1}
    methods = [
        name
        for name in dict.fromkeys(part["method"] for part in parts)
        if any(name in entry["by"] for entry in shared.values())
    ]
    rows = [
        {
            "cell_type": cell,
            "label": entry["label"],
            "places": [entry["by"].get(name) for name in methods],
            **_compared([*entry["by"].values()]),
        }
        for cell, entry in shared.items()
    ]
    return {"methods": methods, "agree": AGREE, "disagree": DISAGREE, "rows": rows}


def _compared(places: list[dict[str, Any]]) -> Record:
    values = [
        place["percentile"]
        for place in places
        if place["percentile"] is not None and place["detectable"] != "below limit"
    ]
    if len(values) < 2:
        return {"difference": None, "reading": "cannot compare"}
    difference = max(values) - min(values)
    reading = "agree" if difference <= AGREE else "disagree" if difference > DISAGREE else "differ"
    return {"difference": difference, "reading": reading}


def general_caveats() -> list[str]:
    """What no method can see in bulk RNA."""
    return list(GENERAL)
