"""A matrix from any source with its unit; in reach of jobs that need nothing of the methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from resistpath.expression import Expression
from resistpath.io.readers import read_source
from resistpath.units import check_units, parse_units, read_units


def read_matrix(
    path: Path | str,
    units: str = "auto",
    gene_id: str = "auto",
    *,
    format: str = "auto",
    layer: str | None = None,
    tx2gene: Path | str | None = None,
    threads: int = 1,
) -> Expression:
    """Read as `api.read_expression` does, in less memory and without a look at the identifiers.

    Those that nobody named stay ``"auto"``; values may be float32, where that is exact.
    """
    source = read_source(path, format=format, layer=layer, tx2gene=tx2gene)
    values, evidence = source.values, None
    if units == "auto" and source.units is None:
        unit, evidence = read_units(values, threads)
    else:
        unit = parse_units(units if units != "auto" else str(source.units))
        if units == "auto":
            unit = replace(unit, how=f"by the format {source.format}")
        check_units(values, unit)
    report: dict[str, Any] = {
        "path": str(path),
        "format": source.format,
        "units_how": unit.how,
        "units_evidence": evidence,
        "samples": source.samples,
        "notes": source.notes,
    }
    kind = (source.gene_id or gene_id) if gene_id == "auto" else gene_id
    return Expression(values, str(unit), kind, report)
