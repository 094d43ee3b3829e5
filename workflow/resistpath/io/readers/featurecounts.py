"""featureCounts (Subread): Geneid, Chr, Start, End, Strand, Length, then one column per BAM."""

from __future__ import annotations

import re

from resistpath.io.readers.delimited import read_header
from resistpath.io.readers.opening import Head
from resistpath.io.readers.samplewise import header_fields, pick
from resistpath.io.readers.source import Format, Options, Source, matrix

_FIXED = ["Geneid", "Chr", "Start", "End", "Strand", "Length"]


def _names(columns: list[str]) -> list[str]:
    """Sample names: the BAM files' own names, or their paths where these clash."""
    short = [re.sub(r"\.(bam|sam|cram)$", "", c.replace("\\", "/").split("/")[-1]) for c in columns]
    return short if len(set(short)) == len(columns) else columns


def _read(head: Head, _: Options) -> Source:
    table = read_header(head)
    columns = [c for c in table.names[len(_FIXED) :] if c]
    names = _names(columns)
    ids, values = pick(head, table, "Geneid", columns)
    notes = ["featureCounts table; positions and lengths of genes were left out."]
    if names != columns:
        notes.append("Samples are named by their BAM files, without folder and suffix.")
    frame = matrix(ids, values, names, str(head.path), notes)
    return Source(frame, FORMAT.name, "counts", notes=tuple(notes))


FORMAT = Format(
    name="featurecounts",
    what="featureCounts table",
    how="columns Geneid, Chr, Start, End, Strand, Length",
    fits_file=lambda head: header_fields(head)[: len(_FIXED)] == _FIXED,
    read_file=_read,
)
