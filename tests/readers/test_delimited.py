"""Readers of expression matrices: recognition, and delimited text in all its ways."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_tools import ENSEMBL, GENES, SAMPLES, put, refused

from resistpath.errors import UserError
from resistpath.io.readers import FORMATS, numeric, read_source
from resistpath.io.readers.columns import choose_columns


def same(source, frame):
    """The same numbers, in single precision only if that holds all of them exactly."""
    pd.testing.assert_frame_equal(
        source.values.astype(np.float64),
        frame,
        check_exact=True,
        check_names=False,
        check_index_type=False,
    )
    with np.errstate(over="ignore"):
        exact = np.array_equal(frame, frame.astype(np.float32), equal_nan=True)
    allowed = (np.float64, np.float32) if exact else (np.float64,)
    assert source.values.to_numpy().dtype in allowed


# Delimited text


def tsv(frame, **options):
    return frame.to_csv(sep="\t", index_label="gene", na_rep="NA", **options)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("tsv", bytes),
        ("txt", bytes),
        ("tsv.gz", gzip.compress),
        ("tsv.bz2", bz2.compress),
        ("tsv.xz", lzma.compress),
        ("tsv.zst", lambda data: pa.compress(data, codec="zstd", asbytes=True)),
        ("misnamed.txt", gzip.compress),
    ],
)
def test_each_compression_is_known_by_content(tmp_path, frame, suffix, compress):
    same(read_source(put(tmp_path, f"m.{suffix}", compress(tsv(frame).encode()))), frame)


def test_a_zip_of_one_table_is_read_and_of_several_refused(tmp_path, frame):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.tsv", tsv(frame))
        archive.writestr("__MACOSX/._m.tsv", "x")
    same(read_source(path), frame)
    assert [p.name for p in tmp_path.iterdir()] == ["m.zip"]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.tsv", "x")
    refused(path, "holds 2 files", "b.tsv")


def test_concatenated_gzip_members_are_one_file(tmp_path, frame):
    data = tsv(frame).encode()
    half = len(data) // 2
    joined = gzip.compress(data[:half]) + gzip.compress(data[half:])
    same(read_source(put(tmp_path, "m.tsv.gz", joined)), frame)


WAYS = {
    "bom": lambda text: text.encode("utf-8-sig"),
    "utf16": lambda text: text.encode("utf-16"),
    "utf16be": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "cr": lambda text: text.replace("\n", "\r").encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "blank lines": lambda text: text.replace("\n", "\n\n").encode(),
    "comma": lambda text: text.replace("\t", ",").encode(),
    "semicolon": lambda text: text.replace("\t", ";").encode(),
    "decimal comma": lambda text: text.replace("\t", ";").replace(".", ",").encode(),
    "decimal comma tab": lambda text: text.replace(".", ",").encode(),
    "sep line": lambda text: ("sep=;\n" + text.replace("\t", ";")).encode(),
    "empty cells": lambda text: text.replace("NA", "").encode(),
    "trailing tabs": lambda text: text.replace("\n", "\t\n").encode(),
    "trailing tabs below": lambda text: re.sub(r"(?<!P3)\n", "\t\n", text).encode(),
    "comments": lambda text: ("# made by hand\n#\n" + text).encode(),
    "hash header": lambda text: ("#" + text).encode(),
    "quoted": lambda text: re.sub(r"[^\t\n]+", lambda m: f'"{m[0]}"', text).encode(),
    "blanks": lambda text: text.replace("\t", " \t ").encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_writing_one_table(tmp_path, frame, way):
    text = tsv(frame).replace("1e-03", "0.001")
    read = read_source(put(tmp_path, "m.tsv", WAYS[way](text)))
    read.values.index = read.values.index.str.strip()
    same(read, frame)


def test_tables_as_r_writes_them(tmp_path, frame):
    body = "\n".join(
        "\t".join(map(str, [g, *row])) for g, row in zip(GENES, frame.to_numpy(), strict=True)
    )
    source = read_source(
        put(tmp_path, "m.tsv", "\t".join(SAMPLES) + "\n" + body.replace("nan", "NA"))
    )
    same(source, frame)
    assert source.notes == (
        "The header is one field short of the rows, as R writes it; the first column was read as"
        " gene identifiers.",
    )
    quoted = io.StringIO()
    rows = [[g, *row] for g, row in zip(GENES, frame.to_numpy().tolist(), strict=True)]
    writer = csv.writer(quoted, delimiter=" ", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(SAMPLES)
    writer.writerows(rows)
    same(read_source(put(tmp_path, "m.txt", quoted.getvalue())), frame)


def test_columns_that_describe_genes_are_left_out_and_noted(tmp_path, frame):
    wide = frame.reset_index()
    wide.insert(1, "Description", ["tumor protein p53", "T-cell, a", "x", "y", "z"])
    wide.insert(2, "Entrez_Gene_Id", [7157, 925, 5133, 567, 2597])
    wide.insert(3, "Length", [2591, 3000, 2000, 987, 1421])
    wide["padj"] = 0.5
    wide["gene_biotype"] = "protein_coding"
    source = read_source(put(tmp_path, "m.csv", wide.to_csv(index=False)))
    same(source, frame)
    assert source.notes == (
        "5 columns that describe genes, not samples, left out: Description, Entrez_Gene_Id,"
        " Length, padj, gene_biotype.",
    )


def test_numbered_rows_and_positions_are_not_genes(tmp_path, frame):
    numbered = frame.reset_index()
    source = read_source(put(tmp_path, "n.csv", numbered.to_csv()))
    same(source, frame)
    assert "The first column numbers the rows" in source.notes[0]
    placed = frame.reset_index()
    placed.insert(0, "chr", "chr1")
    placed.insert(1, "start", range(5))
    source = read_source(put(tmp_path, "p.csv", placed.to_csv(index=False)))
    same(source, frame)
    assert "The first column gives positions; genes were read from column 'gene'." in source.notes


def test_entrez_ids_are_no_row_numbers(tmp_path, frame):
    frame.index = ["1", "2", "9", "10", "12"]
    same(read_source(put(tmp_path, "m.tsv", tsv(frame))), frame)


@pytest.mark.parametrize("names", [GENES, ENSEMBL, [f"{g}|{i}" for i, g in enumerate(GENES)]])
def test_genes_in_columns_are_turned(tmp_path, frame, names):
    frame.index = names
    turned = frame.T
    turned.insert(0, "response", ["R", "NR", "R"])
    source = read_source(put(tmp_path, "m.tsv", tsv(turned)))
    same(source, frame)
    assert source.notes == (
        "Genes were in columns and samples in rows; the table was turned.",
        "1 columns of text were left out: response.",
    )


def test_entrez_ids_in_columns_are_turned(tmp_path):
    ids = [str(i) for i in range(1, 4002, 2)]
    frame = pd.DataFrame(np.arange(4002.0).reshape(2001, 2), index=ids, columns=["a", "b"])
    same(read_source(put(tmp_path, "m.tsv", tsv(frame.T))), frame)


def test_sample_names_may_hold_the_other_separators(tmp_path, frame):
    frame.columns = ["CD8, donor 1, a", "CD8, donor 2, b", "B; naive, c"]
    same(read_source(put(tmp_path, "m.tsv", tsv(frame))), frame)


def test_rows_of_unassigned_reads_and_empty_rows_are_left_out(tmp_path, frame):
    text = tsv(frame) + "__no_feature\t1\t2\t3\n__ambiguous\t1\t2\t3\n\t\t\t\n"
    source = read_source(put(tmp_path, "m.tsv", text))
    same(source, frame)
    assert source.notes == (
        "2 rows that sum up unassigned reads were left out.",
        "1 empty rows were left out.",
    )


def test_repeated_genes_and_missing_identifiers_are_kept(tmp_path):
    source = read_source(put(tmp_path, "m.tsv", "g\ta\nTP53\t1\nTP53\t2\n\t3\nNA\t4\n"))
    assert list(source.values.index) == ["TP53", "TP53", "", "NA"]


def test_short_names_of_missing_values_among_genes(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=["NA", "nan"])
    same(read_source(put(tmp_path, "m.tsv", tsv(frame))), frame)


@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=2,
        max_size=6,
    )
)
@settings(max_examples=50, deadline=None)
def test_numbers_are_read_to_the_last_bit(tmp_path_factory, rows):
    frame = pd.DataFrame(rows, index=[f"g{i}" for i in range(len(rows))], columns=SAMPLES)
    path = put(tmp_path_factory.getbasetemp(), "exact.tsv", tsv(frame))
    same(read_source(path), frame)


def test_blocks_do_not_change_what_is_read(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        rng.gamma(1, 10, (3000, 5)), index=[f"g{i}" for i in range(3000)], columns=list("abcde")
    )
    path = put(tmp_path, "m.tsv.gz", gzip.compress(tsv(frame).encode()))
    same(read_source(path), frame)
    monkeypatch.setattr("resistpath.io.readers.numeric.BLOCK_BYTES", 1 << 12)
    same(read_source(path), frame)

    def refuse(*_):
        raise numeric._OneByOne

    monkeypatch.setattr(numeric, "_whole_lines", refuse)  # in order
    same(read_source(path), frame)


def test_damage_far_behind_the_head_is_found(tmp_path):
    rng = np.random.default_rng(2)
    rows = [f"G{i}\t" + "\t".join(map(str, rng.integers(0, 9999, 40))) for i in range(20_000)]
    data = gzip.compress("\n".join(["gene\t" + "\t".join(map(str, range(40))), *rows]).encode())
    assert len(data) > 1_500_000
    cut, flipped = data[: len(data) - 100_000], bytearray(data)
    flipped[-8] ^= 1  # the checksum
    for name, content in (("cut.tsv.gz", cut), ("flipped.tsv.gz", bytes(flipped))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="damaged or truncated"):
            read_source(tmp_path / name)


def test_refusals_name_line_sample_and_gene(tmp_path):
    rows = "".join(f"G{i}\t{i}\t{i}\n" for i in range(3000))
    refused(
        put(tmp_path, "a.tsv", "gene\ta\tb\n" + rows + "TP53\t1\n"),
        "row 3001 of the table has 2 fields, the first row 3; it begins 'TP53\\t1'",
    )
    refused(
        put(tmp_path, "b.tsv", "gene\ta\tb\n" + rows + "TP53\t1\tx\nB2M\t1\ty\n"),
        "sample 'b' holds 2 values that are not numbers, first 'x' for gene 'TP53'",
    )
    refused(
        put(tmp_path, "c.csv", "gene;a;b\n" + rows.replace("\t", ";") + "TP53;1,5;2.5\n"),
        "first '1,5' for gene 'TP53'",
        "write all decimals with a point",
    )


@pytest.mark.parametrize(
    ("text", "decided"),
    [("1,234", "decimal comma or a thousands separator"), ("1.234,5", "both commas and points")],
)
def test_ambiguous_decimals_are_refused(tmp_path, text, decided):
    refused(put(tmp_path, "m.tsv", f"gene\ta\nTP53\t{text}\nB2M\t{text}\n"), decided)


def test_a_turned_table_is_refused_by_its_own_names(tmp_path):
    text = "sample\t" + "\t".join(GENES) + "\nP1\t1\t2\t3\t4\t5\nP2\t1\t2\tx\t4\t5\n"
    refused(put(tmp_path, "m.tsv", text), "sample 'P2' holds 1 values", "'x' for gene 'PDCD1'")


def test_rows_far_longer_than_the_first_are_refused(tmp_path, monkeypatch):
    for name in ("BLOCK_BYTES", "WIDE_BLOCK"):
        monkeypatch.setattr(f"resistpath.io.readers.numeric.{name}", 1 << 10)
    text = "gene\ta\nTP53\t1\nB2M\t1\n" + "x" * 5000 + "\t1\n"
    monkeypatch.setattr("resistpath.io.readers.opening.HEAD_BYTES", 20)
    refused(put(tmp_path, "m.tsv", text), "one row is many times longer than the first ones")


def test_text_among_samples_is_refused():
    with pytest.raises(UserError, match="1 columns among the samples hold text: note"):
        choose_columns(["gene", "a", "note", "b"], [True, False, True, False], ["TP53"], "x")


# The registry


def test_every_format_is_documented(repository):
    text = (repository / "docs" / "formats.md").read_text()
    missing = [name for name in FORMATS if f"`{name}`" not in text]
    assert not missing
    for f in FORMATS.values():
        for layer in f.layers:
            assert f"`{layer}`" in text, f"{f.name}: {layer}"


def test_a_stated_format_is_honoured_or_refused(tmp_path, frame):
    path = put(tmp_path, "TCGA-SKCM.star_tpm.tsv", tsv(frame))
    assert read_source(path).format == "xena"
    assert read_source(path, format="delimited").format == "delimited"
    refused(path, "this is not GCT 1.2 or 1.3", format="gct")
    refused(path, "'guess' is not a format", format="guess")
    refused(path, "the format delimited has no use for it", format="delimited", layer="x")
    refused(path, "tx2gene", tx2gene=path)
    refused(tmp_path, "holds no files of a format with one file per sample")
    refused(tmp_path, "this is not text table", format="delimited")


def test_real_cohorts_are_read_as_pandas_reads_them(shared):
    for path in sorted((shared / "data").glob("*/matrix.tsv.gz"))[::4]:
        expected = pd.read_csv(
            path,
            sep="\t",
            index_col=0,
            dtype={0: str},
            float_precision="round_trip",
            na_values=[""],
            keep_default_na=False,
        )
        expected.index = expected.index.map(str)
        expected = expected.astype(np.float64)
        source = read_source(path)
        assert source.format == "delimited"
        assert not source.notes
        same(source, expected)


LATER = {
    "a fraction": ("0.25", 0.25),
    "an exponent": ("1e3", 1000.0),
    "a plus sign": ("+7", 7.0),
    "beyond 32 bits": ("4294967296", 4294967296.0),
    "beyond float32": ("16777217", 16777217.0),
    "missing": ("NA", np.nan),
    "missing in other words": ("NaN", np.nan),
    "missing in a spreadsheet": (" N/A ", np.nan),
    "no digits": ("", np.nan),
    "zero below zero": ("-0", -0.0),
}


@pytest.mark.parametrize("case", LATER)
def test_whole_numbers_give_way_in_any_block(case, tmp_path, monkeypatch):
    """Blocks of text are parsed as integers until one holds more; no value may depend on it."""
    monkeypatch.setattr("resistpath.io.readers.numeric.BLOCK_BYTES", 64)
    cell, value = LATER[case]
    rows = [f"G{i}\t{i}\t{10 * i}" for i in range(400)]
    rows[300] = f"XIST-0X\t{cell}\t3000"
    (tmp_path / "m.tsv").write_text("gene\ta\tb\n" + "\n".join(rows) + "\n")
    found = read_source(tmp_path / "m.tsv").values.to_numpy(dtype=np.float64)
    expected = np.array([[i, 10 * i] for i in range(400)], dtype=np.float64)
    expected[300, 0] = value
    np.testing.assert_array_equal(found, expected)
    assert np.signbit(found[300, 0]) == np.signbit(expected[300, 0])


@pytest.mark.parametrize("cell", ["0x1F", "0X1f", "-0x1F", "1_000", "5x"])
def test_hexadecimal_and_its_like_are_no_numbers(cell, tmp_path, monkeypatch):
    monkeypatch.setattr("resistpath.io.readers.numeric.BLOCK_BYTES", 64)
    rows = [f"G{i}\t{i}\t{10 * i}" for i in range(400)]
    rows[300] = f"G300\t{cell}\t3000"
    (tmp_path / "m.tsv").write_text("gene\ta\tb\n" + "\n".join(rows) + "\n")
    with pytest.raises(UserError, match=f"'a' holds 1 values .* first '{cell}' for gene 'G300'"):
        read_source(tmp_path / "m.tsv")
