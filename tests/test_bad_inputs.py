"""Bad inputs, each through the real command: one sentence, exit status 2, nothing written.

``python tests/test_bad_inputs.py`` writes the table of docs/bad-inputs.md, which each test
compares with what it sees.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from bad_input_files import (
    BOMB,
    BYTES,
    COUNTS,
    GENES,
    GOOD,
    LINES,
    LOG,
    READERS,
    SAMPLES,
    SHEET,
    TPM,
    ZEROS,
    Case,
    changed,
    encrypted,
    half,
    hdf5,
    indexed,
    named,
    parquet,
    tarred,
    tsv,
    zipped,
    zstd,
)

from resistpath.cli import main
from resistpath.io.resources import gene_table

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "bad-inputs.md"


FILES = {
    "no such file": Case("no such expression matrix", None),
    "empty file": Case("the expression matrix is empty", ""),
    "only blank lines": Case("the file holds no table", "\n\n  \n"),
    "only comments": Case("the file holds no table", "# a\n# b\n"),
    "only a byte order mark": Case("the file holds no table", b"\xef\xbb\xbf"),
    "header without rows": Case("0 genes and 3 samples", LINES[0]),
    "empty folder": Case("no files of a format", None, "run/"),
    "folder of other files": Case("no files of a format", None, "run/", files={"run/a.txt": "x"}),
    "truncated gzip": Case("damaged or truncated", half(gzip.compress(BYTES)), "m.tsv.gz"),
    "gzip with flipped bits": Case(
        "damaged or truncated",
        (lambda z: z[:2000] + bytes(255 - b for b in z[2000:2100]) + z[2100:])(
            gzip.compress(BYTES)
        ),
        "m.tsv.gz",
    ),
    "truncated bzip2": Case("damaged or truncated", half(bz2.compress(BYTES)), "m.tsv.bz2"),
    "truncated xz": Case("damaged or truncated", half(lzma.compress(BYTES)), "m.tsv.xz"),
    "truncated zstd": Case("damaged or truncated", half(zstd(BYTES)), "m.tsv.zst"),
    "gzip of nothing": Case("there is nothing in this gzip", gzip.compress(b""), "m.tsv.gz"),
    "decompression bomb, gzip": Case(
        "a decompression bomb", gzip.compress(ZEROS), "m.tsv.gz", patch=BOMB
    ),
    "decompression bomb, xz": Case(
        "a decompression bomb", lzma.compress(ZEROS), "m.tsv.xz", patch=BOMB
    ),
    "decompression bomb, zip": Case(
        "a decompression bomb", zipped(m_tsv=ZEROS), "m.zip", patch=BOMB
    ),
    "gzip of zero bytes": Case("zero bytes", gzip.compress(bytes(1 << 22)), "m.tsv.gz"),
    "compressed twice": Case("compressed twice", gzip.compress(gzip.compress(BYTES)), "m.tsv.gz"),
    "zip of two tables": Case("holds 2 files", zipped(a_tsv=GOOD, b_tsv=GOOD), "m.zip"),
    "empty zip": Case("holds 0 files", zipped(), "m.zip"),
    "truncated zip": Case("damaged or truncated", half(zipped(m_tsv=GOOD)), "m.zip"),
    "encrypted zip": Case("encrypted", encrypted(), "m.zip"),
    "tar archive": Case("a tar archive", tarred(), "m.tar"),
    "tar archive, gzip": Case("a tar archive", gzip.compress(tarred()), "m.tar.gz"),
    "7-Zip archive": Case("not read", b"7z\xbc\xaf\x27\x1c\0\4", "m.7z"),
}
FOREIGN = {
    "R object": Case("R object (.rds)", gzip.compress(b"X\n\0\0\0\3\0\4\3\1"), "m.rds"),
    "R workspace": Case("R workspace", gzip.compress(b"RDX3\nX\n\0\0"), "m.RData"),
    "Python pickle": Case("Python pickle", b"\x80\x04\x95\x00.", "m.pkl"),
    "Python pickle of protocol 0": Case(
        "a .pkl file is not read", "cos\nsystem\n(S'x'\ntR.", "m.pkl"
    ),
    "NumPy array": Case("NumPy array", b"\x93NUMPY\1\0v\0", "m.npy"),
    "old Excel workbook": Case("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "m.xls"),
    "PDF": Case("a PDF", b"%PDF-1.7\n", "m.tsv"),
    "web page": Case("a web page", "<!DOCTYPE html>\n<html><body>Log in</body></html>\n"),
    "XML": Case("XML", '<?xml version="1.0"?>\n<MINiML/>\n', "m.xml"),
    "JSON": Case("JSON", json.dumps({"TP53": [1, 2]}), "m.json"),
    "sequencing reads": Case("FASTQ", "@r1\nACGT\n+\nIIII\n", "m.fastq"),
    "aligned reads": Case("aligned reads", gzip.compress(b"BAM\1\0\0\0\0"), "m.bam"),
    "variants": Case("VCF", "##fileformat=VCFv4.2\n#CHROM\tPOS\n", "m.vcf"),
    "sparse matrix": Case("sparse matrix", "%%MatrixMarket matrix\n2 2 1\n1 1 3\n", "matrix.mtx"),
    "GEO SOFT file": Case("GEO SOFT", "^DATABASE = GeoMiame\n!Database_name = GEO\n", "GSE1.soft"),
    "Git LFS pointer": Case("Git LFS", "version https://git-lfs.github.com/spec/v1\noid x\n"),
    "HDF5 of another tool": Case("no h5ad", hdf5(), "abundance.h5"),
    "truncated h5ad": Case("no h5ad", b"\x89HDF\r\n\x1a\n" + bytes(80), "m.h5ad"),
    "truncated Parquet": Case("Parquet file is damaged", half(parquet(TPM)), "m.parquet"),
    "Parquet without genes": Case(
        "no column of gene names", parquet(TPM.reset_index(drop=True)), "m.parquet"
    ),
}
ENCODING = {
    "Latin-1": Case("is not UTF-8 text", GOOD.replace("\ta\t", "\tpatiént\t").encode("latin-1")),
    "Latin-1 far down": Case("not UTF-8 text", (GOOD + "ß\t1\t2\t3\n").encode("latin-1")),
    "UTF-16 without its mark": Case("zero bytes", GOOD.encode("utf-16-le")),
    "UTF-16 cut in a character": Case("the text is damaged", GOOD.encode("utf-16")[:-1]),
    "UTF-32": Case("UTF-32", GOOD.encode("utf-32")),
    "zero bytes in the table": Case("zero bytes", GOOD.replace("\t", "\t\0", 5)),
}
SHAPE = {
    "one column": Case("no tab, comma or semicolon", "gene\nTP53\nB2M\n"),
    "prose": Case("no tab, comma or semicolon", "The file you asked for is gone\n"),
    "no header": Case("the first line holds values", "".join(LINES[1:])),
    "header longer than the rows": Case(
        "the header has 5 fields and the first row 4", GOOD.replace("\tc\n", "\tc\td\n", 1)
    ),
    "short row": Case(
        "row 100 of the table has 3 fields",
        GOOD.replace(LINES[100], LINES[100].rsplit("\t", 1)[0] + "\n"),
    ),
    "long row": Case(
        "row 100 of the table has 5 fields", GOOD.replace(LINES[100], LINES[100][:-1] + "\t9\n")
    ),
    "cut off in the last row": Case("row 300 of the table has 3 fields", GOOD[: GOOD.rindex("\t")]),
    "one gene": Case("1 genes and 3 samples", "".join(LINES[:2])),
    "no sample": Case("no column of numbers", tsv(GENES[["symbol", "biotype"]], index=False)),
    "sample twice": Case("sample names occur twice: a", named("a", "b", "a")),
    "sample twice but for a blank": Case("sample names occur twice: a", named("a", "b", "a ")),
    "sample without name": Case("has no name", named("a", "", "c")),
    "sample name of 200,000 characters": Case(
        "has 200,000 characters", named("a", "b" * 200_000, "c")
    ),
    "sample name with a control character": Case("control characters", named("a", "b\x07", "c")),
    "identifier of 200,000 characters": Case(
        "has 200,000 characters", indexed(["G" * 200_000, *GENES["symbol"][1:]])
    ),
    "cell of 200,000 characters": Case("not numbers", changed(COUNTS, "x" * 200_000)),
    "no line end": Case(
        "no line ends", "gene\ta" * 100, patch={"opening.HEAD_BYTES": 64, "opening.HEAD_LIMIT": 256}
    ),
    "text among the samples": Case(
        "columns among the samples hold text: note",
        tsv(
            pd.concat(
                [COUNTS[["a"]], pd.Series("ok", COUNTS.index, name="note"), COUNTS[["b"]]], axis=1
            )
        ),
    ),
    "stray quotation mark": Case(
        "a quotation mark that is not closed", GOOD.replace(LINES[50], '"' + LINES[50])
    ),
}
VALUES = {
    "text cell": Case("first 'low' for gene", changed(COUNTS, "low")),
    "spreadsheet error": Case("error value of a spreadsheet", changed(COUNTS, "#REF!")),
    "truth value": Case("first 'True'", changed(COUNTS, True)),
    "date in a cell": Case("first '3-Mar'", changed(COUNTS, "3-Mar")),
    "decimal commas and points": Case("both commas and points", changed(TPM.round(2), "12,5")),
    "decimal comma far down": Case("write all decimals with a point", changed(TPM, "12,5", 250)),
    "thousands separators": Case(
        "decimal comma or a thousands separator",
        tsv(COUNTS.map("{:,}".format).map(lambda x: x[-7:])),
    ),
    "decimal commas between commas": Case(
        "decimal commas need another separator", TPM.round(2).to_csv(decimal=",").replace('"', "")
    ),
    "infinite value": Case("1 values are infinite, first in sample 'b'", changed(COUNTS, "Inf")),
    "logarithm of zero": Case("log2(0)", changed(LOG, -np.inf)),
    "overflowing number": Case("infinite", changed(COUNTS, "1e999")),
    "sample without values": Case("hold no value: b", tsv(COUNTS.assign(b=np.nan))),
    "no values at all": Case("hold no value", tsv(COUNTS * np.nan)),
    "one sample all zeros": Case("every value of b is zero", tsv(COUNTS.assign(b=0))),
    "all zeros": Case("all values are zero", tsv(COUNTS * 0)),
    "negative counts": Case("cannot be negative", changed(COUNTS, -5), words=("--units", "counts")),
    "negative linear value": Case("it holds negative values (lowest -5)", changed(TPM, -5)),
    "z-scores": Case(
        "centred or z-scored", tsv(((LOG.T - LOG.T.mean()) / LOG.T.std()).T.fillna(0) * 1.37)
    ),
    "centred logarithms": Case("centred", tsv((LOG.T - LOG.T.mean()).T)),
    "one logarithmic sample": Case("the fewer are b", tsv(TPM.assign(b=LOG["b"]))),
    "one linear sample": Case("1 as tpm; the fewer are b", tsv(LOG.assign(b=TPM["b"]))),
    "neither TPM nor counts": Case("normalised_counts or fpkm", tsv(TPM * 1.5)),
    "one value throughout": Case("all its values are 3", tsv(COUNTS * 0 + 3)),
    "shares between 0 and 1": Case("too small for a linear scale", tsv(TPM / 1e6)),
    "methylation": Case(
        "too small for a linear scale",
        tsv(pd.DataFrame(np.random.default_rng(1).beta(0.5, 0.5, LOG.shape), LOG.index, SAMPLES)),
    ),
    "sums of base coverage": Case("sums of base coverage", tsv(COUNTS * 1000)),
    "counts called TPM": Case("add up to a million", tsv(COUNTS), words=("--units", "tpm")),
    "TPM called counts": Case("counts are whole numbers", tsv(TPM), words=("--units", "counts")),
    "enormous numbers": Case(
        "too large for counts", tsv(COUNTS * 1e12), words=("--units", "counts")
    ),
    "z-scores called logarithms": Case(
        "below the logarithm of 1", tsv(LOG - 5), words=("--units", "log2(tpm+1)")
    ),
    "array intensities": Case(
        "probes differ in affinity", tsv(LOG / 2 + 4), words=("--units", "log2(intensity)")
    ),
    "half of a sample missing": Case(
        "1 of 3 samples lack more than 30%",
        tsv(COUNTS.assign(b=COUNTS["b"].where(COUNTS["b"] % 2 > 0))),
    ),
    "unit too small for the values": Case(
        "too large for log2", tsv(TPM), words=("--units", "log2(tpm+1)")
    ),
    "unknown unit": Case("'furlongs' is not a unit", words=("--units", "furlongs")),
}
MOUSE = ["Cd8a", "Trp53", "Gzmb", "Ifng", "Pdcd1", "Foxp3", "Cd274", "Ptprc", "Actb", "Gapdh"]
IDENTIFIERS = {
    "mouse symbols": Case(
        "look like those of a mouse", indexed([g.capitalize() for g in GENES["symbol"]])
    ),
    "mouse symbols, short list": Case("mouse", tsv(COUNTS.head(10).set_axis(MOUSE))),
    "mouse Ensembl ids": Case(
        "Ensembl ids of mouse or rat", indexed([f"ENSMUSG{i:011d}" for i in range(300)])
    ),
    "array probes": Case("probes of a microarray", indexed([f"{i}_at" for i in range(300)])),
    "transcripts": Case(
        "Ensembl ids of transcripts", indexed([f"ENST{i:011d}.2" for i in range(300)])
    ),
    "RefSeq transcripts": Case(
        "RefSeq ids of transcripts", indexed([f"NM_{i:06d}" for i in range(300)])
    ),
    "numbered names": Case("gene_id", indexed([f"gene_{i}" for i in range(300)])),
    "proteins": Case("of no known kind", indexed([f"P{i:05d}" for i in range(300)])),
    "genes without names": Case("300 of 300 rows have no identifier", indexed([""] * 300)),
    "half the genes without names": Case(
        "200 of 300 rows have no identifier", indexed([*GENES["symbol"][:100], *[""] * 200])
    ),
    "Excel dates for all genes": Case(
        "gene_id", indexed([f"{i % 28 + 1}-Mar" for i in range(300)])
    ),
    "genes of another kind than stated": Case(
        "no row is a known protein-coding gene when read as ensembl", words=("--gene-id", "ensembl")
    ),
    "unknown kind of identifier": Case("'uniprot' is not one of", words=("--gene-id", "uniprot")),
    "unknown genes in columns": Case(
        "are no known genes", tsv(COUNTS.set_axis([f"x{i}" for i in range(300)]).T)
    ),
    "no protein-coding gene": Case(
        "no row is a known protein-coding gene",
        indexed(gene_table().query("biotype == 'miRNA' and ensembl != ''")["ensembl"].iloc[:300]),
    ),
}
_KNOWN = ("--units", "counts", "--gene-id", "symbol")
SHEETS = {
    "no such sheet": Case("no such sample sheet", words=("--samples", "nowhere.tsv"), sheet=None),
    "empty sheet": Case("the sample sheet is empty", sheet=""),
    "sheet without samples": Case("no column 'sample'", sheet="name\tage\na\t3\n"),
    "sheet with a header alone": Case("no sample of the sheet", sheet="sample\tage\n"),
    "sample twice in the sheet": Case("listed twice: a", sheet="sample\tage\na\t1\na\t2\n"),
    "sheet row without sample": Case("missing or listed twice", sheet="sample\tage\na\t1\n\t2\n"),
    "unknown time point": Case(
        "column timepoint holds before", sheet="sample\ttimepoint\na\tbefore\n"
    ),
    "unknown response": Case("holds Responder", sheet="sample\tresponse_binary\na\tResponder\n"),
    "sheet of another cohort": Case("no sample of the sheet", sheet="sample\tage\nx\t1\ny\t2\n"),
    "sheet with other letter case": Case(
        "no sample of the sheet", sheet="sample\tage\nA\t1\nB\t2\n"
    ),
    "sheet with a long row": Case("cannot be parsed", sheet="sample\tage\na\t1\nb\t2\t3\n"),
    "UTF-16 sheet": Case("not UTF-8 text", sheet=SHEET.encode("utf-16")),
    "Latin-1 sheet": Case("not UTF-8 text", sheet=SHEET.replace("p2", "é").encode("latin-1")),
    "sheet of zero bytes": Case("no tab, comma or semicolon", sheet=bytes(64)),
    "sheet that is a workbook": Case("not UTF-8 text", sheet=zipped(**{"xl/workbook_xml": "x"})),
    "sheet with a column twice": Case(
        "columns occur twice: age", sheet="sample\tage\tage\na\t1\t2\n"
    ),
}
SHEETS = {name: replace(case, words=(*_KNOWN, *case.words)) for name, case in SHEETS.items()}
GEO = (
    '!Series_geo_accession\t"GSE1"\n'
    '!Series_supplementary_file\t"ftp://ftp.example.org/GSE1_counts.txt.gz"\n'
    '!Sample_geo_accession\t"a"\t"b"\t"c"\n!series_matrix_table_begin\n"ID_REF"\t"a"\t"b"\t"c"\n'
)
GCT = "#1.2\n300\t3\nNAME\tDescription\ta\tb\tc\n" + "".join(
    line.replace("\t", "\tx\t", 1) for line in LINES[1:]
)
GDC = (
    "# gene-model: GENCODE v36\ngene_id\tgene_name\tgene_type\tunstranded\n"
    "N_unmapped\t\t\t9\nENSG00000141510.18\tTP53\tprotein_coding\t5\n"
    "ENSG00000166710.20\tB2M\tprotein_coding\t7\n"
)
STAR = "N_unmapped\t9\t9\t9\nENSG00000141510\t5\t2\t3\nENSG00000166710\t7\t3\t4\n"
_gdc = "rna_seq.augmented_star_gene_counts.tsv"
_manifest = f"id\tfilename\tsize\n1\ta.{_gdc}\t{len(GDC)}\n"
FORMATS = {
    "series matrix without values": Case("GSE1_counts.txt.gz", GEO + "!series_matrix_table_end\n"),
    "series matrix cut off": Case("the file is cut off", GEO + "".join(LINES[1:])),
    "series matrix without table": Case("holds no line", GEO[: GEO.index("!series_matrix")]),
    "GCT with too few rows": Case(
        "promises 300 genes, but there are 299", GCT[: GCT.rindex("\n", 0, -1)]
    ),
    "GCT with another number of samples": Case(
        "promises 4 samples", GCT.replace("300\t3", "300\t4")
    ),
    "GCT without its sizes": Case("line 2 must hold", GCT.replace("300\t3\n", "")),
    "GDC folder of two annotations": Case(
        "they differ in",
        None,
        "run/",
        files={f"run/a.{_gdc}": GDC, f"run/b.{_gdc}": GDC + "ENSG00000111640.15\tGAPDH\tp\t1\n"},
    ),
    "GDC folder with a file missing": Case(
        "1 of 2 files of the manifest are not in the folder",
        None,
        "run/",
        files={
            f"run/a.{_gdc}": GDC,
            "run/gdc_manifest.txt": f"{_manifest}2\tb.{_gdc}\t9\n",
        },
    ),
    "GDC folder with a file cut off": Case(
        "another size than the manifest says",
        None,
        "run/",
        files={
            f"run/a.{_gdc}": GDC[:-9],
            "run/gdc_manifest.txt": _manifest,
        },
    ),
    "folder of two formats": Case(
        "several formats: gdc, star_reads",
        None,
        "run/",
        files={f"run/a.{_gdc}": GDC, "run/b.ReadsPerGene.out.tab": STAR},
    ),
    "STAR counts cut off": Case(
        "has 2 fields", STAR[: STAR.rindex("\t3")], "a.ReadsPerGene.out.tab"
    ),
    "two files of one sample": Case(
        "sample names occur twice: a",
        None,
        "run/",
        files={"run/a.ReadsPerGene.out.tab": STAR, "run/a_ReadsPerGene.out.tab": STAR},
    ),
    "coverage without read length": Case(
        "star.average_mapped_length",
        "##annotation=G026\n##date.generated=x\n" + GOOD.replace("gene\t", "gene_id\t", 1),
        "sra.gene_sums.SRP1.G026.gz",
    ),
    "transcripts without their genes": Case(
        "give tx2gene",
        "Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST01\t1000\t800\t1.5\t20\n",
        "quant.sf",
    ),
    "Xena's centred dataset": Case("centred across samples", tsv(LOG), "HiSeqV2_PANCAN"),
    "cBioPortal's z-scores": Case(
        "z-scores", GOOD.replace("gene", "Hugo_Symbol", 1), "data_mrna_seq_zscores.txt"
    ),
}
COMMAND = {
    "unknown format": Case("'guess' is not a format", words=("--format", "guess")),
    "format that it is not": Case("this is not GCT", words=("--format", "gct")),
    "layer of a table without layers": Case("has no use for it", words=("--layer", "tpm")),
    "unknown layer": Case(
        "'TPM' is not among the values", GDC, f"a.{_gdc}", words=("--layer", "TPM")
    ),
    "no such table of transcripts": Case(
        "t.tsv: no such",
        "Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST01\t1000\t800\t1.5\t20\n",
        "quant.sf",
        words=("--tx2gene", "t.tsv"),
    ),
}
GROUPS = {
    "Files and archives": FILES,
    "Other kinds of file": FOREIGN,
    "Encoding": ENCODING,
    "Shape": SHAPE,
    "Values and units": VALUES,
    "Gene identifiers": IDENTIFIERS,
    "Sample sheet": SHEETS,
    "Formats of their own": FORMATS,
    "Command": COMMAND,
}
BATTERY = {name: case for group in GROUPS.values() for name, case in group.items()}


def run(case: Case, folder: Path) -> tuple[int, str, list[str]]:
    """Run ``prepare`` on a case: exit status, standard output, lines of standard error."""
    for name, content in {**case.files, case.name: case.matrix, "s.tsv": case.sheet}.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        elif content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    words = ["prepare", str(folder / "out"), "--expression", str(folder / case.name)]
    if case.sheet is not None:
        words += ["--samples", str(folder / "s.tsv")]
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        for name, value in case.patch.items():
            stack.enter_context(mock.patch(f"{READERS}.{name}", value))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        status = main([*words, *case.words])
    if status:
        assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == before
    lines = err.getvalue().replace(f"{folder}/", "").splitlines()
    return status, out.getvalue(), [x for x in lines if not x.startswith("prepare: ")]


def row(name: str, message: str) -> str:
    """A row of the document's table."""
    message = message.removeprefix("resistpath prepare: ").replace("|", "\\|")
    return f"| {name} | {message} |"


def test_the_matrix_the_cases_spoil_is_good(tmp_path):
    status, out, errors = run(Case(""), tmp_path)
    assert (status, out, errors) == (0, "", [])


@pytest.mark.parametrize("name", BATTERY)
def test_bad_input_ends_in_one_sentence(name, tmp_path):
    case = BATTERY[name]
    status, out, errors = run(case, tmp_path)
    assert (status, out) == (2, ""), errors
    assert len(errors) == 1, errors
    assert case.says
    assert case.says in errors[0]
    assert len(errors[0]) < 500
    assert str(tmp_path) not in errors[0]
    known = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert row(name, errors[0]) in known, f"run python {Path(__file__).name} to write the document"


def test_the_document_holds_the_battery_and_nothing_else():
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    names = [x.split(" | ")[0].removeprefix("| ") for x in lines if x.startswith("| ")]
    assert [n for n in names if n != "input"] == list(BATTERY)
    assert f"{len(BATTERY)} inputs" in lines[2]


def document() -> str:
    """Run the battery and write what it says."""
    lines = [
        "# Inputs that are refused",
        "",
        f"What `resistpath prepare` says to {len(BATTERY)} inputs that cannot be used. Each ends in"
        " one sentence,",
        "exit status 2 and no output. `tests/test_bad_inputs.py` runs them and compares this page.",
    ]
    for group, cases in GROUPS.items():
        lines += ["", f"## {group}", "", "| input | sentence |", "|---|---|"]
        for name, case in cases.items():
            with tempfile.TemporaryDirectory() as folder:
                lines.append(row(name, " ".join(run(case, Path(folder))[2])))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
