"""UCSC Xena: plain tables whose dataset name says the unit.

GDC hub: log2(x+1) throughout (xena-GDC-ETL, template.rna.meta.json). Toil hub: log2(TPM+0.001),
log2(FPKM+0.001), log2(expected_count+1), log2(norm_count+1). TCGA hub: HiSeqV2 is
log2(norm_count+1); HiSeqV2_PANCAN is centred and HiSeqV2_percentile ranked, which cannot be
undone.
"""

from __future__ import annotations

import re

import numpy as np

from resistpath.errors import UserError
from resistpath.io.readers.delimited import FORMAT as DELIMITED
from resistpath.io.readers.delimited import read_header, read_table
from resistpath.io.readers.opening import Head
from resistpath.io.readers.source import Format, Options, Source, matrix

_DATASETS = (
    (r".+\.(star|htseq)_counts", "log2(counts+1)"),
    (r".+\.star_tpm", "log2(tpm+1)"),
    (r".+\.(star|htseq)_fpkm(-uq)?", "log2(fpkm+1)"),
    (r"\w*rsem_gene_tpm", "log2(tpm+0.001)"),
    (r"\w*rsem_gene_fpkm", "log2(fpkm+0.001)"),
    (r"\w*gene_expected_count", "log2(estimated_counts+1)"),
    (r"\w*rsem_hugo_norm_count", "log2(normalised_counts+1)"),
    (r"(tcga\.\w+\.samplemap_)?hiseqv2", "log2(normalised_counts+1)"),
    (r"eb\+\+adjustpancan_illuminahiseq_rnaseqv2\.geneexp", "log2(normalised_counts+1)"),
    (r".*hiseqv2_pancan", "centred"),
    (r".*hiseqv2_percentile", "ranked"),
)


def _unit(head: Head) -> str | None:
    name = re.sub(r"\.(tsv|txt|xena)$", "", head.name.lower().replace("%2f", "_"))
    return next((unit for pattern, unit in _DATASETS if re.fullmatch(pattern, name)), None)


def _read(head: Head, _: Options) -> Source:
    where = str(head.path)
    unit = _unit(head)
    if unit in ("centred", "ranked"):
        raise UserError(
            f"this Xena dataset is {unit} across samples, from which abundance cannot be had back",
            where=where,
            do="give the dataset HiSeqV2 of the same cohort",
        )
    notes: list[str] = []
    ids, values, names = read_table(head, read_header(head), notes)
    frame = matrix(ids, values, names, where, notes)
    smallest, offset = float(np.nanmin(values)), float(str(unit).rstrip(")").split("+")[1])
    if smallest < np.log2(offset) - 1e-3:
        notes.append(
            f"By its name this would be {unit}, but its smallest value is {smallest:.4g}; the unit"
            " is left to be read from the values."
        )
        unit = None
    else:
        notes.append(f"Xena's dataset of this name is in {unit}.")
    return Source(frame, FORMAT.name, unit, notes=tuple(notes))


FORMAT = Format(
    name="xena",
    what="UCSC Xena dataset (GDC, Toil and TCGA hubs)",
    how="file name, such as TCGA-SKCM.star_tpm.tsv.gz or TcgaTargetGtex_rsem_gene_tpm.gz",
    fits_file=lambda head: DELIMITED.fits_file(head) and _unit(head) is not None,
    read_file=_read,
)
