"""Signature matrices of other tools as files: text, EPIC's tables, R data; and our own."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resistpath.deconvolve.profiles import Signature
from resistpath.errors import UserError
from resistpath.io.r_data import read_r_data
from resistpath.io.signature_matrices import read_signature, write_signature

TYPES = ["Bcells", "CD8_Tcells", "NKcells"]
GENES = ["MS4A1", "CD8A", "NCR1", "FAM46C", "GAPDH", "CD19"]
MARKERS = ["MS4A1", "CD8A", "NCR1", "FAM46C"]
PROFILES = pd.DataFrame(np.random.default_rng(0).lognormal(3, 2, (6, 3)).round(5), GENES, TYPES)
SPREAD = (PROFILES * 0.3).round(5)


def same(found: Signature, profiles: pd.DataFrame = PROFILES) -> None:
    pd.testing.assert_frame_equal(found.profiles, profiles, check_exact=True)


# --- text ---------------------------------------------------------------------------------------


def as_cibersort(path: Path) -> Path:
    PROFILES.rename_axis("Gene symbol").to_csv(path, sep="\t")
    return path


def as_r_writes_it(path: Path) -> Path:
    """ABIS's form: write.table() without col.names=NA, one field short in the header."""
    lines = ["\t".join(TYPES)] + ["\t".join([g, *map(repr, row)]) for g, row in
             zip(GENES, PROFILES.to_numpy().tolist(), strict=True)]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def as_quoted_csv(path: Path) -> Path:
    PROFILES.to_csv(path, quoting=2)
    return path


def as_gzip(path: Path) -> Path:
    path.write_bytes(gzip.compress(PROFILES.to_csv(sep="\t").encode("utf-8-sig")))
    return path


def with_blanks(path: Path) -> Path:
    """R's write.table() as it is by default: quoted, separated by blanks."""
    lines = [" ".join(f'"{t}"' for t in TYPES)]
    for gene, row in zip(GENES, PROFILES.to_numpy().tolist(), strict=True):
        lines.append(" ".join([f'"{gene}"', *map(repr, row)]))
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


@pytest.mark.parametrize(
    "write", [as_cibersort, as_r_writes_it, as_quoted_csv, as_gzip, with_blanks]
)
def test_tables_are_read_as_they_are(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    found = read_signature(write(tmp_path / "matrix.txt"))
    same(found)
    assert found.unit == "tpm"
    assert found.name == "matrix.txt"
    assert len(found.provenance["sha256"]) == 64


def test_lm22_is_known_to_be_relative(tmp_path: Path) -> None:
    types = ["Plasma cells", "T cells follicular helper", "Mast cells activated", "Macrophages M0"]
    for written in (types, [t.replace(" ", ".") for t in types]):
        table = PROFILES.iloc[:, [0, 1, 2, 0]].set_axis(written, axis=1)
        table.to_csv(tmp_path / "LM22.txt", sep="\t")
        assert read_signature(tmp_path / "LM22.txt").unit == "relative"
    assert read_signature(tmp_path / "LM22.txt", unit="tpm").unit == "tpm"


def test_current_and_former_symbols_are_known(tmp_path: Path) -> None:
    table = read_signature(as_cibersort(tmp_path / "m.txt")).symbols
    assert table is not None
    row = table.set_index("gene").loc["FAM46C"]
    assert row["symbol"] == "TENT5C"
    assert "FAM46C" in row["other_symbols"].split("|")
    assert table["gene"].to_list() == GENES


def test_genes_that_occur_twice_count_by_their_median(tmp_path: Path) -> None:
    twice = pd.concat(
        [PROFILES, PROFILES.iloc[[0]] * 3, pd.DataFrame([[np.nan] * 3], ["GAP"], TYPES)]
    )
    twice.to_csv(tmp_path / "m.tsv", sep="\t", na_rep="NA")
    found = read_signature(tmp_path / "m.tsv").profiles
    np.testing.assert_allclose(found.loc["MS4A1"], PROFILES.loc["MS4A1"] * 2)
    assert "GAP" not in found.index


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene\ta\tb\nX\t1\n", "not all as long as the header"),
        ("gene\ta\tb\nX\t1\tmuch\n", "a cell is no number"),
        ("gene\ta\tb\nX\t-1\t2\nY\t1\t1\n", "negative values"),
        ("gene\n", "not all as long as the header"),
        ("\n\n", "not all as long as the header"),
        ("", "is empty"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "m.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_signature(path)
    assert "m.txt" in str(caught.value)
    path.write_bytes(b"\x00\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8 text"):
        read_signature(path)
    with pytest.raises(UserError, match="unit is 'fpkm'"):
        read_signature(path, unit="fpkm")


# --- EPIC's tables ------------------------------------------------------------------------------


def epic_tables(folder: Path, start: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    PROFILES.to_csv(folder / f"{start}refProfiles.tsv", sep="\t")
    SPREAD.to_csv(folder / f"{start}refProfiles.var.tsv", sep="\t")
    (folder / f"{start}sigGenes.txt").write_text('"x"\n' + "".join(f'"{g}"\n' for g in MARKERS))
    return folder


def test_epic_tables_of_a_folder(tmp_path: Path) -> None:
    folder = epic_tables(tmp_path / "TRef")
    (folder / "mRNA_cell.csv").write_text("type,value\nBcells,0.4\notherCells,0.5\n")
    (folder / "README").write_text("not a table")
    found = read_signature(folder)
    same(found)
    pd.testing.assert_frame_equal(found.variability, SPREAD, check_exact=True)
    assert found.markers == tuple(MARKERS)
    assert found.mrna == {"Bcells": 0.4, "otherCells": 0.5}
    assert found.name == "TRef"


def test_epic_tables_by_the_beginning_of_their_names(tmp_path: Path) -> None:
    epic_tables(tmp_path, "TRef_")
    epic_tables(tmp_path, "BRef_")
    same(read_signature(tmp_path / "TRef"))
    with pytest.raises(UserError, match="several files have one role"):
        read_signature(tmp_path)
    with pytest.raises(UserError, match="no files called refProfiles"):
        read_signature(tmp_path / "XRef")
    with pytest.raises(UserError, match="no such signature matrix"):
        read_signature(tmp_path / "no" / "where")


def test_marker_genes_may_be_a_column_of_a_table(tmp_path: Path) -> None:
    folder = epic_tables(tmp_path)
    rows = "".join(f'"{i}","{g}"\n' for i, g in enumerate(MARKERS, 1))
    (folder / "sigGenes.txt").write_text(f'"","x"\n{rows}')
    assert read_signature(folder).markers == tuple(MARKERS)
    (folder / "sigGenes.txt").write_text("MS4A1\nNOT_THERE\n")
    with pytest.raises(UserError, match="lack the marker genes NOT_THERE"):
        read_signature(folder)


# --- R data -------------------------------------------------------------------------------------


class RWriter:
    """Writes R's serialization format (R Internals, 1.8), as far as tables need it."""

    @staticmethod
    def text(value: str | None) -> bytes:
        if value is None:
            return struct.pack(">ii", 9, -1)
        data = value.encode()
        return struct.pack(">ii", 9 | 64 << 12, len(data)) + data

    @staticmethod
    def symbol(name: str) -> bytes:
        return struct.pack(">i", 1) + RWriter.text(name)

    @staticmethod
    def pairs(items: dict[str, bytes]) -> bytes:
        out = b"".join(
            struct.pack(">i", 2 | 0x400) + RWriter.symbol(name) + value
            for name, value in items.items()
        )
        return out + struct.pack(">i", 254)

    @staticmethod
    def vector(kind: int, body: bytes, n: int, attributes: dict[str, bytes] | None = None) -> bytes:
        flags = kind | (0x200 if attributes else 0)
        return (
            struct.pack(">ii", flags, n) + body + (RWriter.pairs(attributes) if attributes else b"")
        )

    @staticmethod
    def texts(values: list[str], attributes: dict[str, bytes] | None = None) -> bytes:
        return RWriter.vector(16, b"".join(map(RWriter.text, values)), len(values), attributes)

    @staticmethod
    def reals(values: np.ndarray, attributes: dict[str, bytes] | None = None) -> bytes:
        return RWriter.vector(14, values.astype(">f8").tobytes(), values.size, attributes)

    @staticmethod
    def integers(values: list[int]) -> bytes:
        return RWriter.vector(13, np.array(values, ">i4").tobytes(), len(values))

    @staticmethod
    def items(values: dict[str, bytes]) -> bytes:
        names = {"names": RWriter.texts(list(values))}
        return RWriter.vector(19, b"".join(values.values()), len(values), names)

    @staticmethod
    def matrix(table: pd.DataFrame) -> bytes:
        labels = RWriter.texts(list(table.index)) + RWriter.texts(list(table.columns))
        attributes = {
            "dim": RWriter.integers(list(table.shape)),
            "dimnames": RWriter.vector(19, labels, 2),
        }
        return RWriter.reals(table.to_numpy().ravel(order="F"), attributes)

    @staticmethod
    def file(objects: dict[str, bytes], version: int = 3) -> bytes:
        head = f"RDX{version}\nX\n".encode() + struct.pack(">iii", version, 0x40202, 0x30500)
        if version == 3:
            head += struct.pack(">i", 5) + b"UTF-8"
        return head + RWriter.pairs(objects)


def reference() -> bytes:
    return RWriter.items(
        {
            "refProfiles": RWriter.matrix(PROFILES),
            "sigGenes": RWriter.texts(MARKERS),
            "refProfiles.var": RWriter.matrix(SPREAD),
        }
    )


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_epic_reference_as_the_package_has_it(
    tmp_path: Path, version: int, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "TRef.rda"
    path.write_bytes(pack(RWriter.file({"TRef": reference()}, version)))
    found = read_signature(path)
    same(found)
    pd.testing.assert_frame_equal(found.variability, SPREAD, check_exact=True)
    assert found.markers == tuple(MARKERS)
    assert found.name == "TRef"


def test_a_matrix_in_r_data(tmp_path: Path) -> None:
    path = tmp_path / "sig.rds"
    path.write_bytes(RWriter.file({"x": b""})[5 : 5 + 2 + 12 + 9] + RWriter.matrix(PROFILES))
    same(read_signature(path))
    named = RWriter.reals(np.array([0.4, 0.2]), {"names": RWriter.texts(["a", "b"])})
    (tmp_path / "mrna.rda").write_bytes(RWriter.file({"m": named}))
    assert read_r_data(tmp_path / "mrna.rda")["m"].to_dict() == {"a": 0.4, "b": 0.2}
    with pytest.raises(UserError, match="not one matrix or one EPIC reference"):
        read_signature(tmp_path / "mrna.rda")


def test_a_data_frame_and_a_factor_in_r_data(tmp_path: Path) -> None:
    names, levels = RWriter.texts(["a", "f"]), RWriter.texts(["u", "v"])
    factor = RWriter.vector(13, np.array([2, 1], ">i4").tobytes(), 2, {"levels": levels})
    body = RWriter.reals(np.array([1.0, np.nan])) + factor
    frame = RWriter.vector(19, body, 2, {"names": names, "row.names": RWriter.texts(["g1", "g2"])})
    (tmp_path / "x.rda").write_bytes(RWriter.file({"d": frame}))
    found = read_r_data(tmp_path / "x.rda")["d"]
    assert found.index.to_list() == ["g1", "g2"]
    assert found["f"].to_list() == ["v", "u"]
    assert np.isnan(found.loc["g2", "a"])


def test_code_in_r_data_is_refused(tmp_path: Path) -> None:
    closure = struct.pack(">i", 3)
    (tmp_path / "x.rda").write_bytes(RWriter.file({"f": closure}))
    with pytest.raises(UserError, match="an object of R's type 3, which is not data"):
        read_r_data(tmp_path / "x.rda")


@pytest.mark.parametrize("cut", [3, 20, 60, -7])
def test_damaged_r_data_are_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "x.rda").write_bytes(RWriter.file({"TRef": reference()})[:cut])
    with pytest.raises(UserError, match=r"damaged or no R data|no binary R data"):
        read_r_data(tmp_path / "x.rda")
    (tmp_path / "y.rda").write_bytes(gzip.compress(RWriter.file({"TRef": reference()}))[:-30])
    with pytest.raises(UserError, match="damaged"):
        read_r_data(tmp_path / "y.rda")


# --- our own ------------------------------------------------------------------------------------


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    given = Signature(
        PROFILES / 3,
        name="mine",
        variability=SPREAD / 7,
        markers=tuple(MARKERS),
        mrna={"Bcells": 0.4, "default": 0.3},
        scale="noise",
        provenance={"cells": "ten"},
    )
    write_signature(tmp_path / "mine.tsv", given)
    found = read_signature(tmp_path / "mine.tsv")
    same(found, PROFILES / 3)
    pd.testing.assert_frame_equal(found.variability, SPREAD / 7, check_exact=True)
    assert (found.name, found.markers, found.mrna) == ("mine", tuple(MARKERS), dict(given.mrna))
    assert (found.scale, found.unit) == ("noise", "tpm")
    assert found.provenance["cells"] == "ten"
    assert found.provenance["files"] == "mine.tsv"
    first = (tmp_path / "mine.tsv").read_bytes()
    write_signature(tmp_path / "mine.tsv", given)
    assert (tmp_path / "mine.tsv").read_bytes() == first
    (tmp_path / "mine.json").write_text("{}")
    with pytest.raises(UserError, match="description of the signature cannot be read"):
        read_signature(tmp_path / "mine.tsv")
