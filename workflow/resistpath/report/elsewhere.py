"""Records of a sample's places in references beside the one its verdicts come from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from resistpath.report.parts import interval, records, truth
from resistpath.report.text import words

Record = dict[str, Any]


def other_references(table: pd.DataFrame | None) -> list[Record]:
    """Each further reference once: name, size, disease, whether the sample fits it."""
    if table is None:
        return []
    seen: dict[str, Record] = {}
    for row in records(table):
        name = words(row["reference"])
        seen.setdefault(
            name,
            {
                "name": name,
                "n": row["reference_n"],
                "cancer_type": words(row["reference_cancer_type"], "not stated"),
                "fits": truth(row["fits"]),
                "note": words(row["stands_in"]),
            },
        )
    return list(seen.values())


def places_elsewhere(table: pd.DataFrame | None) -> dict[str, list[Record]]:
    """Places in further references by mechanism, in the order the references were named."""
    out: dict[str, list[Record]] = {}
    for row in records(table) if table is not None else ():
        out.setdefault(str(row["mechanism"]), []).append(
            {
                "reference": words(row["reference"]),
                "n": row["reference_n"],
                "raw": interval(row),
                "residual": interval(row, "residual_"),
                "note": words(row["reason"]),
            }
        )
    return out
