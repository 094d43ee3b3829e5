"""Salmon ``quant.sf`` and kallisto ``abundance.tsv``: transcripts, summed to genes.

A gene's TPM is the sum of the TPM of its transcripts, its reads the sum of theirs (tximport,
doi:10.12688/f1000research.7563.2, without length scaling). TPM is the default, because it uses
the effective lengths of each sample.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.opening import Head
from resistpath.io.readers.samplewise import (
    Columns,
    assemble,
    by_name,
    header_fields,
    read_columns,
    read_frame,
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

UNMAPPED = 0.1
"""Largest share of expression whose transcripts may be missing from the table."""


@dataclass(frozen=True)
class _Tool:
    """How a quantifier calls its files and columns."""

    name: str
    ending: str
    label: str
    header: tuple[str, ...]
    columns: Mapping[str, str]


_SALMON = _Tool(
    "salmon",
    r"quant(\.genes)?\.sf(\.gz)?",
    "Name",
    ("Name", "Length", "EffectiveLength", "TPM", "NumReads"),
    {"tpm": "TPM", "counts": "NumReads"},
)
_KALLISTO = _Tool(
    "kallisto",
    r"abundance\.tsv(\.gz)?",
    "target_id",
    ("target_id", "length", "eff_length", "est_counts", "tpm"),
    {"tpm": "tpm", "counts": "est_counts"},
)
_LAYERS = {"tpm": "tpm", "counts": ESTIMATED}


def _data_files(folder: Folder, tool: _Tool) -> list[Path]:
    """Transcript files, or the tool's own sums over genes where there are only these."""
    files = folder.matching(tool.ending)
    transcripts = [f for f in files if ".genes." not in f.name]
    return transcripts or files


def read_tx2gene(path: Path) -> dict[str, str]:
    """Read a table of transcripts and genes: first two columns, with or without a header.

    Raises
    ------
    UserError
        If it has fewer than two columns, or gives a transcript two genes.
    """
    table = read_frame(path, "table of transcripts", "\t", None)
    if table.shape[1] < 2:
        table = read_frame(path, "table of transcripts", ",", None)
    if table.shape[1] < 2:
        raise UserError(
            "the table of transcripts has one column",
            where=str(path),
            do="give two columns, transcript and gene, separated by tab or comma",
        )
    table = table[[0, 1]]
    table = table.drop_duplicates()
    twice = table[0][table[0].duplicated()]
    if len(twice):
        raise UserError(
            f"{len(twice)} transcripts have two genes, for example {some(twice, 3)}",
            where=str(path),
            do="give each transcript one gene",
        )
    return dict(zip(table[0], table[1], strict=True))


def _genes(ids: list[str], tx2gene: Mapping[str, str] | None, where: str) -> pd.Series:
    """Gene of each transcript, missing where unknown."""
    names = pd.Series(ids, dtype=object)
    if tx2gene is None:
        # GENCODE's FASTA names: ENST...|ENSG...|...
        inside = names.str.extract(r"^[^|]+\|(ENSG[^|]+)\|")[0]
        if inside.isna().any():
            raise UserError(
                f"transcripts such as {some(ids, 2)} need a table that gives their genes",
                where=where,
                do="give tx2gene, a table of transcript and gene",
            )
        return inside
    names = names.str.split("|").str[0]
    found = names.map(tx2gene)
    if found.isna().mean() > 0.5:  # one side without versions
        plain = {re.sub(r"\.\d+$", "", t): g for t, g in tx2gene.items()}
        found = names.str.replace(r"\.\d+$", "", regex=True).map(plain)
    return found


def _read(tool: _Tool, files: dict[str, Path], options: Options, where: str) -> Source:
    layer = choose_layer(list(_LAYERS), options.layer)
    notes = [f"{tool.name} {layer}, {len(files)} files."]
    genes_given = all(".genes." in f.name for f in files.values())
    tx2gene = read_tx2gene(options.tx2gene) if options.tx2gene else None
    lost: list[float] = []

    def read_one(path: Path) -> tuple[list[str], Columns]:
        ids, values = read_columns(path, tool.label, [tool.columns[layer]])
        if genes_given:
            return ids, values
        genes = _genes(ids, tx2gene, str(path))
        known = genes.notna().to_numpy()
        lost.append(float(values[~known].sum() / max(values.sum(), 1e-300)))
        codes, names = pd.factorize(genes[known])
        sums = np.bincount(codes, values[known, 0], len(names)).astype(np.float64)
        return list(names), sums[:, None]

    frame = assemble(files, read_one, where, notes)
    if lost and max(lost) > UNMAPPED:
        worst = list(files)[int(np.argmax(lost))]
        raise UserError(
            f"{max(lost):.0%} of the expression of sample {worst} is of transcripts that tx2gene"
            " does not list",
            where=str(options.tx2gene),
            do="use the table of the annotation the transcripts were quantified with",
        )
    if genes_given:
        notes.append("The tool's own sums over genes were read.")
    else:
        notes.append(
            f"Transcripts were summed to {len(frame):,} genes; those without a gene hold at most"
            f" {max(lost):.2%} of a sample's expression and were left out."
        )
    return Source(frame, tool.name, _LAYERS[layer], notes=tuple(notes))


def _format(tool: _Tool, what: str) -> Format:
    def fits_file(head: Head) -> bool:
        return tuple(header_fields(head)) == tool.header

    def read_file(head: Head, options: Options) -> Source:
        name = sample_name(head.path, tool.ending)
        return _read(tool, {name: head.path}, options, str(head.path))

    def read_folder(folder: Folder, options: Options) -> Source:
        files = by_name(_data_files(folder, tool), tool.ending)
        return _read(tool, files, options, str(folder.path))

    return Format(
        name=tool.name,
        what=what,
        how=f"columns {', '.join(tool.header)}",
        fits_file=fits_file,
        read_file=read_file,
        fits_folder=lambda folder: bool(_data_files(folder, tool)),
        read_folder=read_folder,
        layers=tuple(_LAYERS),
        takes=("layer", "tx2gene"),
    )


FORMATS: tuple[Format, ...] = (
    _format(_SALMON, "Salmon quant.sf (or quant.genes.sf), single or a folder of sample folders"),
    _format(_KALLISTO, "kallisto abundance.tsv, single or a folder of sample folders"),
)
