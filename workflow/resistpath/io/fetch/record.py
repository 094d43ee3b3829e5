"""The record of a fetch, as later steps read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from resistpath.errors import UserError
from resistpath.io.fetch.source import relative_inside

RAW = "raw"
RECORD = "fetch.json"


def read_record(folder: Path) -> dict[str, Any]:
    """Read ``fetch.json`` of a cohort folder, of its raw folder, or by its own path."""
    path = _record_path(folder)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            "nothing was fetched here", where=str(path), do="run resistpath fetch first"
        ) from error
    except ValueError as error:
        raise UserError(
            "the file is damaged", where=str(path), do="run resistpath fetch"
        ) from error
    if not isinstance(record, dict) or not isinstance(record.get("expression"), str):
        raise UserError("this is no record of a fetch", where=str(path), do="run resistpath fetch")
    return record


def _record_path(folder: Path) -> Path:
    folder = Path(folder)
    if folder.name == RECORD:
        return folder
    return folder / RECORD if folder.name == RAW else folder / RAW / RECORD


def expression_path(folder: Path) -> Path:
    """Return the file, or for the GDC the folder, that holds the fetched expression values.

    Parameters
    ----------
    folder
        Cohort folder, its raw folder, or the path of ``fetch.json``.
    """
    record = read_record(folder)
    raw = _record_path(folder).parent
    path = relative_inside(raw, record["expression"])
    for entry in record.get("files", []):
        file = relative_inside(raw, entry["file"])
        if not file.is_file() or file.stat().st_size != entry["bytes"]:
            raise UserError(
                "a fetched file is missing or has changed",
                where=str(file),
                do="run resistpath fetch again",
            )
    return path
