"""GDC gene expression: ``*.rna_seq.augmented_star_gene_counts.tsv``, one file per aliquot.

Columns as the GDC's mRNA pipeline writes them: gene_id, gene_name, gene_type, unstranded,
stranded_first, stranded_second, tpm_unstranded, fpkm_unstranded, fpkm_uq_unstranded; the first
four rows count unassigned reads. The download tool puts each file into a folder named by its
file id; the portal's sample sheet (``gdc_sample_sheet*.tsv``) and manifest name and list them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.readers.opening import Head
from resistpath.io.readers.samplewise import (
    assemble,
    by_name,
    header_fields,
    read_columns,
    read_frame,
    sample_name,
)
from resistpath.io.readers.source import Folder, Format, Options, Source, choose_layer

_ENDING = r"rna_seq\.augmented_star_gene_counts\.tsv(\.gz)?"
_UNITS = {
    "unstranded": "counts",
    "stranded_first": "counts",
    "stranded_second": "counts",
    "tpm_unstranded": "tpm",
    "fpkm_unstranded": "fpkm",
    "fpkm_uq_unstranded": "fpkm",
}


def _fits_file(head: Head) -> bool:
    return header_fields(head)[:4] == ["gene_id", "gene_name", "gene_type", "unstranded"]


def _data_files(folder: Folder) -> list[Path]:
    return folder.matching(rf".*{_ENDING}")


def _read_file(head: Head, options: Options) -> Source:
    layer = choose_layer(FORMAT.layers, options.layer)
    files = {sample_name(head.path, _ENDING): head.path}
    return _source(files, layer, str(head.path), [], None)


def _read_folder(folder: Folder, options: Options) -> Source:
    layer = choose_layer(FORMAT.layers, options.layer)
    files = _data_files(folder)
    notes: list[str] = []
    _check_manifest(folder, files, notes)
    sheet = _sample_sheet(folder)
    if sheet is None:
        notes.append(
            "No GDC sample sheet in the folder: samples are named by their files. Put"
            " gdc_sample_sheet.*.tsv beside them to have the GDC's sample names."
        )
        return _source(by_name(files, _ENDING), layer, str(folder.path), notes, None)
    named, samples = _named(folder, files, sheet, notes)
    return _source(named, layer, str(folder.path), notes, samples)


def _source(
    files: dict[str, Path],
    layer: str,
    where: str,
    notes: list[str],
    samples: pd.DataFrame | None,
) -> Source:
    frame = assemble(files, lambda path: read_columns(path, "gene_id", [layer]), where, notes)
    notes.insert(0, f"GDC gene expression, column {layer}, {len(files)} files.")
    return Source(frame, FORMAT.name, _UNITS[layer], "ensembl", samples, tuple(notes))


def _check_manifest(folder: Folder, files: list[Path], notes: list[str]) -> None:
    """Compare the folder with the manifest it was downloaded by: missing or cut-off files."""
    sheets = folder.matching(r"(gdc_)?manifest.*\.(txt|tsv)|MANIFEST\.txt")
    if not sheets:
        return
    manifest = read_frame(sheets[0], "manifest")
    if not {"id", "filename", "size"} <= set(manifest.columns):
        raise UserError(
            f"no columns id, filename and size among {some(manifest.columns, 6)}",
            where=str(sheets[0]),
            do="download the manifest from the GDC portal again",
        )
    wanted = {
        str(name).rsplit("/", 1)[-1]: str(size)
        for name, size in zip(manifest["filename"], manifest["size"], strict=True)
        if re.search(_ENDING, str(name))
    }
    there = {f.name: str(f.stat().st_size) for f in files}
    absent = [name for name in wanted if name not in there]
    if absent:
        raise UserError(
            f"{len(absent)} of {len(wanted)} files of the manifest are not in the folder:"
            f" {some(absent, 2)}",
            where=str(sheets[0]),
            do="finish the download",
        )
    short = [name for name, size in wanted.items() if there[name] != size]
    if short:
        raise UserError(
            f"{len(short)} files have another size than the manifest says: {some(short, 2)}",
            where=str(sheets[0]),
            do="download these files again",
        )
    notes.append(f"All {len(wanted)} files of the manifest are there, at their stated size.")


def _sample_sheet(folder: Folder) -> pd.DataFrame | None:
    sheets = folder.matching(r"gdc_sample_sheet.*\.tsv")
    if not sheets:
        return None
    sheet = read_frame(sheets[0], "GDC sample sheet")
    if not {"File ID", "File Name", "Sample ID"} <= set(sheet.columns):
        raise UserError(
            f"no columns File ID, File Name and Sample ID among {some(sheet.columns, 9)}",
            where=str(sheets[0]),
            do="download the sample sheet from the GDC portal again",
        )
    return sheet


def _named(
    folder: Folder, files: list[Path], sheet: pd.DataFrame, notes: list[str]
) -> tuple[dict[str, Path], pd.DataFrame]:
    """Name files by the sample sheet; several files of one sample carry their file id too."""
    by_file = {f.name: f for f in files}
    rows = sheet[sheet["File Name"].isin(list(by_file))].drop_duplicates("File Name")
    unlisted = sorted(set(by_file) - set(rows["File Name"]))
    if unlisted:
        raise UserError(
            f"{len(unlisted)} of {len(files)} files are not in the GDC sample sheet:"
            f" {some(unlisted, 2)}",
            where=str(folder.path),
            do="give the sample sheet these files were downloaded with",
        )
    name = rows["Sample ID"].astype(str)
    shared = name.duplicated(keep=False)
    name = name.where(~shared, name + "_" + rows["File ID"].str[:8])
    if shared.any():
        notes.append(
            f"{shared.sum()} files share a sample with another one; their names carry the"
            f" beginning of the file id: {some(name[shared], 4)}."
        )
    samples = rows.set_index(pd.Index(name, name="sample")).rename(columns={"Case ID": "patient"})
    paths = [by_file[f] for f in rows["File Name"]]
    return dict(zip(name, paths, strict=True)), samples


FORMAT = Format(
    name="gdc",
    what="GDC STAR counts, one file per sample or a folder of them",
    how="columns gene_id, gene_name, gene_type, unstranded; *.augmented_star_gene_counts.tsv",
    fits_file=_fits_file,
    read_file=_read_file,
    fits_folder=lambda folder: bool(_data_files(folder)),
    read_folder=_read_folder,
    layers=tuple(_UNITS),
    takes=("layer",),
)
