"""RSEM ``*.genes.results``: gene_id, transcript_id(s), lengths, expected_count, TPM, FPKM.

TPM is the default: it uses the effective length RSEM found in each sample, which expected counts
would need and do not carry.
"""

from __future__ import annotations

from pathlib import Path

from resistpath.io.readers.samplewise import (
    assemble,
    by_name,
    header_fields,
    read_columns,
    sample_name,
)
from resistpath.io.readers.source import (
    ESTIMATED,
    Folder,
    Format,
    Options,
    Source,
    choose_layer,
)

_ENDING = r"genes\.results(\.gz)?"
_UNITS = {"TPM": "tpm", "expected_count": ESTIMATED, "FPKM": "fpkm"}


def _data_files(folder: Folder) -> list[Path]:
    return folder.matching(rf".*{_ENDING}")


def _read(files: dict[str, Path], options: Options, where: str) -> Source:
    layer = choose_layer(FORMAT.layers, options.layer)
    notes = [f"RSEM gene results, column {layer}, {len(files)} files."]
    frame = assemble(files, lambda path: read_columns(path, "gene_id", [layer]), where, notes)
    return Source(frame, FORMAT.name, _UNITS[layer], notes=tuple(notes))


FORMAT = Format(
    name="rsem",
    what="RSEM genes.results, single or a folder",
    how="columns gene_id, transcript_id(s), expected_count, TPM",
    fits_file=lambda head: (
        {"gene_id", "transcript_id(s)", "expected_count", "TPM"} <= set(header_fields(head))
    ),
    read_file=lambda head, options: _read(
        {sample_name(head.path, _ENDING): head.path}, options, str(head.path)
    ),
    fits_folder=lambda folder: bool(_data_files(folder)),
    read_folder=lambda folder, options: _read(
        by_name(_data_files(folder), _ENDING), options, str(folder.path)
    ),
    layers=tuple(_UNITS),
    takes=("layer",),
)
