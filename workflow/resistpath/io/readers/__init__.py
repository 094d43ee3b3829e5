"""Readers of expression matrices: one file per public format, one result for all.

`read_source` recognises a format by its content, then by its name; `FORMATS` lists them in that
order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from resistpath.errors import UserError, some
from resistpath.io.readers import (
    cbioportal,
    delimited,
    excel,
    featurecounts,
    gct,
    gdc,
    geo,
    h5ad,
    parquet,
    quant,
    recount3,
    rsem,
    star,
    xena,
)
from resistpath.io.readers.opening import Head, look
from resistpath.io.readers.samplewise import list_folder
from resistpath.io.readers.source import Folder, Format, Options, Source

__all__ = ["FORMATS", "Format", "Source", "read_source"]

FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        parquet.FORMAT,
        h5ad.FORMAT,
        excel.FORMAT,
        gct.FORMAT,
        geo.FORMAT,
        recount3.FORMAT,
        gdc.FORMAT,
        *star.FORMATS,
        rsem.FORMAT,
        *quant.FORMATS,
        featurecounts.FORMAT,
        cbioportal.FORMAT,
        xena.FORMAT,
        delimited.FORMAT,
    )
}


def read_source(
    path: Path | str,
    *,
    format: str = "auto",
    layer: str | None = None,
    tx2gene: Path | str | None = None,
) -> Source:
    """Read an expression matrix from a file, or from a folder with one file per sample.

    Parameters
    ----------
    path
        File or folder.
    format
        ``"auto"`` or a key of `FORMATS`.
    layer
        Which of several values to read, where a format holds several: a layer of an h5ad, a
        column such as ``tpm_unstranded``, a sheet of a workbook.
    tx2gene
        Table of transcript and gene, for Salmon and kallisto.

    Returns
    -------
    Source
        Values as they stand in the file; unit and identifiers are decided later.

    Raises
    ------
    UserError
        If the input is in no known or not in the stated format, is damaged, or an option does
        not belong to its format.
    """
    path = Path(path)
    place = list_folder(path) if path.is_dir() else look(path)
    chosen, read = _choose(place, format)
    for word, given in (("layer", layer), ("tx2gene", tx2gene)):
        if given is not None and word not in chosen.takes:
            takers = some([f.name for f in FORMATS.values() if word in f.takes], 9)
            raise UserError(
                f"the format {chosen.name} has no use for it ({takers} have)",
                where=word,
                do="leave it out, or name another format",
            )
    return read(Options(layer, Path(tx2gene) if tx2gene is not None else None))


Reader = Callable[[Options], Source]


def _reader(place: Head | Folder, candidate: Format) -> Reader | None:
    """Reader of this file or folder, if it is in this format."""
    if isinstance(place, Folder):
        if candidate.read_folder is not None and candidate.fits_folder(place):
            return partial(candidate.read_folder, place)
    elif candidate.read_file is not None and candidate.fits_file(place):
        return partial(candidate.read_file, place)
    return None


def _choose(place: Head | Folder, name: str) -> tuple[Format, Reader]:
    """Find the format and its reader, or say why the one named is not it."""
    where = str(place.path)
    if name != "auto":
        if name not in FORMATS:
            raise UserError(
                f"{name!r} is not a format", where="format", do=f"use auto, {', '.join(FORMATS)}"
            )
        named = FORMATS[name]
        read = _reader(place, named)
        if read is None:
            raise UserError(
                f"this is not {named.what}, which is recognised by: {named.how}",
                where=where,
                do="use format = auto, or the right one",
            )
        return named, read
    found = [
        (f, read)
        for f in FORMATS.values()
        if f.automatic and (read := _reader(place, f)) is not None
    ]
    if isinstance(place, Folder) and len(found) != 1:
        kinds = [f.name for f, _ in found]
        raise UserError(
            f"the folder holds files of several formats: {', '.join(kinds)}"
            if kinds
            else "the folder holds no files of a format with one file per sample",
            where=where,
            do="name one as format, or separate the files"
            if kinds
            else "give the file with the matrix",
        )
    if not found:
        raise UserError("this is in no known format", where=where, do="export it as text")
    return found[0]
