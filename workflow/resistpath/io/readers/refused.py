"""What is no table of text, told by its first bytes, and what to do about it.

Pickles and R objects can run code when they are loaded, and are never opened.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from resistpath.errors import UserError

COMPRESSED = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)

_FROM_R = "in R, write it with write.table(x, 'x.tsv', sep = '\\t', quote = FALSE, col.names = NA)"
AS_TEXT = "export the matrix as tab-separated text"
_REFUSED = (
    (rb"RD[AX][23]\n", "this is an R workspace (.RData), which can run code when loaded", _FROM_R),
    (rb"[XAB]\n\x00\x00\x00[\x02\x03]", "this is an R object (.rds)", _FROM_R),
    (rb"\x80[\x02-\x05]", "this is a Python pickle, which can run code when loaded", AS_TEXT),
    (rb"\x93NUMPY", "this is a NumPy array, which has no gene names", AS_TEXT),
    (rb"\xd0\xcf\x11\xe0", "this is an old Excel workbook (.xls)", "save it as .xlsx or text"),
    (rb"7z\xbc\xaf|Rar!|\x1f\x9d", "this archive format is not read", "unpack it first"),
    (rb"(?s:.{257})ustar", "this is a tar archive", "unpack it and give the table or the folder"),
    (rb"BAM\x01|CRAM|@HD\t", "these are aligned reads", "count them per gene first"),
    (rb"@[^\n]*\n[ACGTN.]+\r?\n\+", "these are sequencing reads (FASTQ)", "quantify them first"),
    (rb"##fileformat=VCF", "these are variants (VCF)", "give a gene expression matrix"),
    (rb"%PDF", "this is a PDF", AS_TEXT),
    (rb"%%MatrixMarket", "this is a sparse matrix without its names", "give .h5ad or text"),
    (rb"(?i:\s*<(!doctype html|html|head))", "this is a web page", "download the file itself"),
    (rb"\s*<\?xml", "this is XML", AS_TEXT),
    (rb"\s*[{\[]", "this is JSON", AS_TEXT),
    (rb"version https://git-lfs", "this is a Git LFS pointer", "fetch the file by git lfs pull"),
    (rb"\^(DATABASE|SERIES|SAMPLE|PLATFORM)", "this is a GEO SOFT file", "give the series matrix"),
)
_BY_NAME = {
    ".rds": _FROM_R,
    ".rda": _FROM_R,
    ".rdata": _FROM_R,
    ".pkl": AS_TEXT,
    ".pickle": AS_TEXT,
}


def refuse(data: bytes, compression: str, path: Path) -> None:
    """Stop at content that is never read, naming it."""
    if not data:
        raise UserError(
            f"there is nothing in this {compression or 'file'}",
            where=str(path),
            do="check the download",
        )
    for pattern, what, do in _REFUSED:
        if re.match(pattern, data):
            raise UserError(what, where=str(path), do=do)
    suffix = next((s for s in map(str.lower, path.suffixes[::-1]) if s in _BY_NAME), "")
    if suffix:
        raise UserError(f"a {suffix} file is not read", where=str(path), do=_BY_NAME[suffix])
    if data.startswith((b"PAR1", b"\x89HDF")) and compression:
        raise UserError(
            f"a Parquet or HDF5 file inside {compression}", where=str(path), do="unpack it first"
        )
    if any(data.startswith(magic) for magic, _ in COMPRESSED):
        raise UserError("the file is compressed twice", where=str(path), do="unpack it once")


def text_encoding(data: bytes, path: Path) -> str:
    """``utf-8`` or ``utf-16``; anything else is refused."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise UserError("this is UTF-32 text", where=str(path), do="save it as UTF-8")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in data:
        raise UserError(
            "the file holds zero bytes: it is binary, or UTF-16 text without its mark",
            where=str(path),
            do="save it as UTF-8 text",
        )
    return "utf-8"
