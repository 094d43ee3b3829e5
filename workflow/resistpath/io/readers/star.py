"""STAR's ``ReadsPerGene.out.tab``: counts for three readings of the strand, without a header.

Column 2 counts unstranded, 3 reads on the gene's strand, 4 reads opposite to it (STAR manual,
``--quantMode GeneCounts``). Which is right depends on the library kit, so the format's name says
it: ``star_reads`` takes column 2.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resistpath.io.readers.numeric import Layout, read_numbers
from resistpath.io.readers.opening import Head, look
from resistpath.io.readers.samplewise import Columns, assemble, by_name, sample_name
from resistpath.io.readers.source import Folder, Format, Options, Source

_ENDING = r"ReadsPerGene\.out\.tab(\.gz)?"
_STRANDS = ("unstranded", "the gene's strand", "opposite to the gene's strand")


def _fits_file(head: Head) -> bool:
    return bool(head.lines) and re.match(r"N_unmapped(\t\d+){3}$", head.lines[0]) is not None


def _data_files(folder: Folder) -> list[Path]:
    return folder.matching(rf".*{_ENDING}")


def _three(path: Path) -> tuple[list[str], Columns]:
    layout = Layout(
        skip=0,
        separator="\t",
        n_fields=4,
        ids=(0,),
        columns=(1, 2, 3),
        names=_STRANDS,
    )
    return read_numbers(look(path), layout)


def _read(files: dict[str, Path], strand: int, where: str, name: str) -> Source:
    totals: list[npt.NDArray[np.float64]] = []

    def read_one(path: Path) -> tuple[list[str], Columns]:
        ids, values = _three(path)
        genes = np.array([not i.startswith("N_") for i in ids])
        totals.append(values[genes].sum(axis=0))
        return ids, values[:, [strand]]

    notes = [f"STAR gene counts, column {strand + 2} ({_STRANDS[strand]}), {len(files)} files."]
    frame = assemble(files, read_one, where, notes)
    both = np.array(totals)[:, 1:]
    share = both / np.maximum(both.sum(axis=1, keepdims=True), 1)
    for k, word in ((0, "stranded"), (1, "reverse")):
        fits = share[:, k] > 0.85
        if fits.mean() > 0.5 and strand != k + 1:
            notes.append(
                f"In {fits.sum()} of {len(files)} samples more than 85 % of the stranded counts"
                f" are in column {k + 3}: these libraries look stranded, for which format ="
                f" star_reads_{word} is right."
            )
    return Source(frame, name, "counts", notes=tuple(notes))


def _format(name: str, strand: int) -> Format:
    def read_file(head: Head, _: Options) -> Source:
        files = {sample_name(head.path, _ENDING): head.path}
        return _read(files, strand, str(head.path), name)

    def read_folder(folder: Folder, _: Options) -> Source:
        return _read(by_name(_data_files(folder), _ENDING), strand, str(folder.path), name)

    return Format(
        name=name,
        what=f"STAR ReadsPerGene.out.tab, single or a folder; column {strand + 2}"
        f" ({_STRANDS[strand]})",
        how="first line N_unmapped and three numbers" if strand == 0 else "only when named",
        fits_file=_fits_file,
        read_file=read_file,
        fits_folder=lambda folder: bool(_data_files(folder)),
        read_folder=read_folder,
        automatic=strand == 0,
    )


FORMATS: tuple[Format, ...] = (
    _format("star_reads", 0),
    _format("star_reads_stranded", 1),
    _format("star_reads_reverse", 2),
)
