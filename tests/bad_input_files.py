"""A matrix that is good, and ways to write it or to spoil it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from resistpath.io.resources import gene_table

READERS = "resistpath.io.readers"
Text = str | bytes


def _genes(n: int = 300) -> pd.DataFrame:
    table = gene_table()
    coding = table[(table["biotype"] == "protein_coding") & table["symbol"].notna()]
    return coding.iloc[:: len(coding) // n].head(n).reset_index(drop=True)


GENES = _genes()
SAMPLES = ["a", "b", "c"]
_rng = np.random.default_rng(11)
COUNTS = pd.DataFrame(
    _rng.negative_binomial(1, 1 / 40000, (len(GENES), 3)),
    index=pd.Index(GENES["symbol"], name="gene"),
    columns=SAMPLES,
)
TPM = COUNTS / COUNTS.sum() * 1e6
LOG = np.log2(TPM + 1)
SHEET = "sample\tpatient\ttimepoint\na\tp1\tpre\nb\tp2\tpre\nc\tp3\tpre\n"


def tsv(frame: pd.DataFrame, **options: object) -> str:
    return frame.to_csv(sep="\t", na_rep="NA", lineterminator="\n", **options)


def changed(frame: pd.DataFrame, value: object, row: int = 7, column: int = 1) -> str:
    """The matrix with one cell replaced."""
    out = frame.astype(object)
    out.iloc[row, column] = value
    return tsv(out)


def named(*names: str, frame: pd.DataFrame = COUNTS) -> str:
    return tsv(frame.set_axis(list(names), axis=1))


def indexed(index: object, frame: pd.DataFrame = COUNTS) -> str:
    return tsv(frame.set_axis(pd.Index(index, name="gene")))


GOOD = tsv(COUNTS)
LINES = GOOD.splitlines(keepends=True)


@dataclass(frozen=True)
class Case:
    """An input that cannot be used.

    Attributes
    ----------
    says
        Words the sentence must hold.
    matrix
        Content of the matrix; None for no file.
    name
        Its file name; ends in ``/`` for a folder.
    sheet
        Content of the sample sheet; None to give none.
    words
        Further words of the command.
    files
        Other files, by name.
    patch
        Limits lowered to keep the case small, by name in `READERS`.
    """

    says: str
    matrix: Text | None = GOOD
    name: str = "m.tsv"
    sheet: Text | None = SHEET
    words: tuple[str, ...] = ()
    files: dict[str, Text] = field(default_factory=dict)
    patch: dict[str, object] = field(default_factory=dict)


def zipped(**members: Text) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


def encrypted() -> bytes:
    """A zip archive whose member claims to be encrypted."""
    data = bytearray(zipped(m_tsv=GOOD))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    return bytes(data)


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("m.tsv")
        member.size = len(GOOD)
        archive.addfile(member, io.BytesIO(GOOD.encode()))
    return out.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def hdf5() -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file["est_counts"] = [1.0, 2.0]
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


BYTES = GOOD.encode()
BOMB = {"opening.BOMB_BYTES": 1 << 20}
ZEROS = b"gene\ta\tb\n" + b"TP53\t0\t0\n" * 400_000
