"""Custom content for MultiQC: files it finds by their names, ``*_mqc.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resistpath.errors import UserError
from resistpath.io.files import write_json

PARENT = {
    "parent_id": "resistpath",
    "parent_name": "resistpath",
    "parent_description": "Resistance mechanisms to immune checkpoint inhibitors, read from bulk"
    " tumour RNA. Research use only. Not for diagnosis or treatment decisions.",
}


def number(value: Any) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


_ANGLES = str.maketrans("<>", "‹›")


def row_name(name: str) -> str:
    """Name of a row without angle brackets: MultiQC 1.35 writes it into its page as it stands.

    >>> row_name("<script>")
    '‹script›'
    """
    return name.translate(_ANGLES)


def section(
    path: Path,
    *,
    title: str,
    description: str,
    plot: str,
    data: Mapping[str, Mapping[str, Any]],
    headers: Mapping[str, Mapping[str, Any]] | None = None,
    config: Mapping[str, Any] | None = None,
) -> None:
    """Write one section.

    Parameters
    ----------
    path
        ``resistpath_NAME_mqc.json``; its stem without ``_mqc`` is the section's id.
    plot
        Kind of MultiQC: ``table``, ``heatmap``, ``bargraph`` or ``generalstats``.
    data
        Row (a sample, or a mechanism) to column to value; missing values are left out.
    headers
        Column to MultiQC's words for it, for tables.
    config
        Further keys of ``pconfig``.
    """
    name = path.stem.removesuffix("_mqc")
    kept = {
        row_name(row): {column: v for column, v in values.items() if v is not None}
        for row, values in data.items()
    }
    if len(kept) < len(data):
        raise UserError(
            "two samples have one name but for angle brackets", where=name, do="rename one of them"
        )
    record: dict[str, Any] = {"id": name}
    if plot != "generalstats":
        record |= {**PARENT, "section_name": title, "description": description}
        record["pconfig"] = {
            "id": f"{name}_plot",
            "title": f"resistpath: {title}",
            **(config or {}),
        }
    record["plot_type"] = plot
    if headers:
        record["headers"] = headers
    write_json(path, record | {"data": kept})
