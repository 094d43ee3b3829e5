"""Matrices in formats of their own: each by an example made from its documentation."""

from __future__ import annotations

import csv
import gzip
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from reader_tools import ENSEMBL, GENES, SAMPLES, put, refused, same, tsv

from resistpath.io.readers import read_source
from resistpath.units import parse_units

GCT_3 = """\
#1.3
5\t3\t2\t2
id\tsymbol\tlocus\tP1\tP2\tP3
response\tna\tna\tR\tNR\tR
age\tna\tna\t61\t70\t55
"""
# GCT 1.2 and 1.3 as cmapPy's parse_gct documents them and its test files show (one line above
# the table per field that describes samples).


def test_gct(tmp_path, frame):
    rows = [
        f"{g}\tx\ty\t" + "\t".join(map(repr, map(float, v)))
        for g, v in zip(GENES, frame.to_numpy(), strict=True)
    ]
    source = read_source(put(tmp_path, "m.gct", GCT_3 + "\n".join(rows) + "\n"))
    same(source, frame)
    assert source.format == "gct"
    assert source.samples.loc["P2"].to_dict() == {"response": "NR", "age": "70"}
    old = "#1.2\n5\t3\nNAME\tDescription\tP1\tP2\tP3\n" + "\n".join(
        r.replace("\ty\t", "\t", 1) for r in rows
    )
    source = read_source(put(tmp_path, "old.gct.gz", gzip.compress(old.encode())))
    same(source, frame)
    assert source.samples is None
    refused(put(tmp_path, "cut.gct", old[: old.rindex("\n")]), "promises 5 genes, but there are 4")
    refused(put(tmp_path, "wide.gct", old.replace("5\t3", "5\t4")), "promises 4 samples")
    refused(put(tmp_path, "bare.gct", "#1.2\nNAME\tP1\nTP53\t1\n"), "line 2 must hold 2 whole")


GEO = """\
!Series_title\t"Tumours under PD-1 blockade"
!Series_geo_accession\t"GSE1"
!Series_type\t"Expression profiling by array"
!Series_supplementary_file\t"ftp://ftp.example.org/GSE1/suppl/GSE1_counts.txt.gz"

!Sample_title\t"Pt1, baseline"\t"Pt2, baseline"\t"Pt3; on drug"
!Sample_geo_accession\t"GSM1"\t"GSM2"\t"GSM3"
!Sample_organism_ch1\t"Homo sapiens"\t"Homo sapiens"\t"Homo sapiens"
!Sample_characteristics_ch1\t"tissue: melanoma"\t"tissue: melanoma"\t"tissue: melanoma"
!Sample_characteristics_ch1\t"response: PR"\t"response: PD"\t"age: 61"
!Sample_characteristics_ch1\t"age: 70"\t""\t"response: SD: late"
!Sample_data_row_count\t"5"\t"5"\t"5"
!series_matrix_table_begin
"ID_REF"\t"GSM1"\t"GSM2"\t"GSM3"
"""
# As GEO serves it: https://www.ncbi.nlm.nih.gov/geo/info/soft.html (labels) and the files under
# series/GSEnnn/GSE.../matrix/.


def test_geo_series_matrix(tmp_path, frame):
    rows = tsv(frame, header=False, quoting=csv.QUOTE_NONNUMERIC).replace('"NA"', "")
    text = GEO + rows + "!series_matrix_table_end\n"
    source = read_source(put(tmp_path, "GSE1_series_matrix.txt.gz", gzip.compress(text.encode())))
    same(source, frame.set_axis(["GSM1", "GSM2", "GSM3"], axis=1))
    assert source.format == "geo_series_matrix"
    assert list(source.samples.columns) == ["title", "tissue", "response", "age"]
    assert list(source.samples["response"]) == ["PR", "PD", "SD: late"]
    assert list(source.samples["age"]) == ["70", None, "61"]
    assert source.notes[0] == "GEO series matrix GSE1; Expression profiling by array."


def test_a_series_matrix_of_sequencing_points_to_the_supplement(tmp_path):
    path = put(tmp_path, "GSE1_series_matrix.txt", GEO + "!series_matrix_table_end\n")
    refused(path, "is empty, as GEO leaves it for sequencing", "GSE1_counts.txt.gz")
    refused(put(tmp_path, "cut.txt", GEO[: GEO.index("!series_matrix")]), "holds no line !series")


def test_long_annotation_above_a_series_matrix(tmp_path, frame, monkeypatch):
    monkeypatch.setattr("resistpath.io.readers.opening.HEAD_BYTES", 256)
    monkeypatch.setattr("resistpath.io.readers.numeric.BLOCK_BYTES", 512)
    protocol = '!Sample_extract_protocol_ch1\t"' + "long " * 2000 + '"\t"b"\t"c"\n'
    text = GEO.replace("!Sample_data_row", protocol + "!Sample_data_row") + tsv(frame, header=False)
    source = read_source(put(tmp_path, "m.txt", text + "!series_matrix_table_end\n"))
    same(source, frame.set_axis(["GSM1", "GSM2", "GSM3"], axis=1))


RECOUNT = "##annotation=G026\n##date.generated=2020-08-20\ngene_id\tSRR1\tSRR2\tSRR3\n"
# recount3, compute_read_counts(): round(coverage / recount_qc.star.average_mapped_length).


def test_recount3_coverage_becomes_reads(tmp_path):
    rows = "".join(f"{e}\t{1000 * i}\t{2049 * i}\t5\n" for i, e in enumerate(ENSEMBL))
    path = put(tmp_path, "sra.gene_sums.SRP1.G026.gz", gzip.compress((RECOUNT + rows).encode()))
    refused(path, "recount_qc", "star.average_mapped_length")
    qc = "rail_id\texternal_id\tstar.average_mapped_length\n1\tSRR2\t200.5\n2\tSRR1\t100\n"
    put(tmp_path, "sra.recount_qc.SRP1.MD.gz", gzip.compress(qc.encode()))
    source = read_source(path)
    assert (source.format, source.units, source.gene_id) == ("recount3", "counts", "ensembl")
    assert source.values["SRR1"].tolist() == [0, 10, 20, 30, 40]
    assert source.values["SRR2"].tolist() == [0, 10, 20, 31, 41]
    assert any("SRR3" in n for n in source.notes)
    put(tmp_path, "sra.recount_qc.SRP1.MD.gz", gzip.compress(qc.replace("star.", "x").encode()))
    refused(path, "no column star.average_mapped_length")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        # xena-GDC-ETL, template.rna.meta.json: "unit": log2(x+1) for every GDC dataset.
        ("TCGA-SKCM.htseq_counts.tsv.gz", "log2(counts+1)"),
        ("TCGA-SKCM.star_counts.tsv.gz", "log2(counts+1)"),
        ("TCGA-SKCM.star_tpm.tsv.gz", "log2(tpm+1)"),
        ("TCGA-SKCM.htseq_fpkm-uq.tsv.gz", "log2(fpkm+1)"),
        # Toil hub's dataset pages.
        ("TcgaTargetGtex_rsem_gene_tpm.gz", "log2(tpm+0.001)"),
        ("tcga_RSEM_gene_fpkm.gz", "log2(fpkm+0.001)"),
        ("TcgaTargetGtex_gene_expected_count.gz", "log2(estimated_counts+1)"),
        ("TcgaTargetGtex_RSEM_Hugo_norm_count.gz", "log2(normalised_counts+1)"),
        # TCGA and Pan-Cancer Atlas hubs.
        ("TCGA.SKCM.sampleMap%2FHiSeqV2.gz", "log2(normalised_counts+1)"),
        ("TCGA.SKCM.sampleMap_HiSeqV2.gz", "log2(normalised_counts+1)"),
        ("HiSeqV2.gz", "log2(normalised_counts+1)"),
    ],
)
def test_xena_datasets_say_their_unit(tmp_path, frame, name, unit):
    offset = 0.001 if "0.001" in unit else 1
    text = tsv(np.log2(frame + offset)).encode()
    source = read_source(put(tmp_path, name, gzip.compress(text)))
    assert (source.format, source.units) == ("xena", unit)
    assert str(parse_units(unit)) == unit


def test_xena_names_do_not_overrule_values(tmp_path, frame):
    text = tsv(np.log2(frame + 0.001))
    source = read_source(put(tmp_path, "TCGA-SKCM.star_tpm.tsv", text))
    assert source.units is None
    assert "its smallest value is -9.966" in source.notes[-1]
    refused(put(tmp_path, "HiSeqV2_PANCAN", text), "centred across samples")


def test_cbioportal(tmp_path, frame):
    # docs.cbioportal.org, File Formats, expression data: Hugo_Symbol and/or Entrez_Gene_Id.
    wide = frame.reset_index().rename(columns={"gene": "Hugo_Symbol"})
    wide.insert(1, "Entrez_Gene_Id", [7157, 925, 5133, 567, 2597])
    wide.loc[1, "Hugo_Symbol"] = ""
    text = wide.to_csv(sep="\t", index=False, na_rep="NA")
    source = read_source(put(tmp_path, "data_mrna_seq_v2_rsem.txt", text))
    same(source, frame.set_axis(["TP53|7157", "|925", "PDCD1|5133", "B2M|567", "GAPDH|2597"]))
    assert (source.format, source.units, source.gene_id) == ("cbioportal", None, "symbol|entrez")
    refused(put(tmp_path, "data_mrna_seq_v2_rsem_zscores_ref_all_samples.txt", text), "z-scores")
    alone = wide.drop(columns="Hugo_Symbol").to_csv(sep="\t", index=False, na_rep="NA")
    source = read_source(put(tmp_path, "data_mrna_seq_tpm.txt", alone))
    same(source, frame.set_axis(["7157", "925", "5133", "567", "2597"]))
    assert source.gene_id == "entrez"


@pytest.mark.parametrize("form", ["index", "column", "turned", "float32"])
def test_parquet(tmp_path, frame, form):
    path = tmp_path / "m.parquet"
    if form == "index":
        frame.to_parquet(path)
    elif form == "column":
        frame.reset_index().to_parquet(path, index=False)
    elif form == "turned":
        frame.T.to_parquet(path)
    else:
        frame.astype(np.float32).to_parquet(path)
        frame = frame.astype(np.float32).astype(np.float64)
    same(read_source(path), frame)


def test_parquet_without_genes_is_refused(tmp_path, frame):
    frame.reset_index(drop=True).to_parquet(tmp_path / "m.parquet")
    refused(tmp_path / "m.parquet", "gene")
    refused(
        put(tmp_path, "cut.parquet", (tmp_path / "m.parquet").read_bytes()[:300]),
        "damaged or truncated",
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_h5ad(tmp_path, frame, sparse):
    import anndata
    from scipy.sparse import csr_matrix

    x = frame.fillna(0).to_numpy().T
    data = anndata.AnnData(
        csr_matrix(x) if sparse else x,
        obs=pd.DataFrame({"response": ["R", None, "NR"]}, index=SAMPLES),
        var=pd.DataFrame(index=GENES),
        layers={"counts": x * 2},
        uns={"units": "log2(tpm+1)"},
    )
    data.write_h5ad(tmp_path / "m.h5ad")
    source = read_source(tmp_path / "m.h5ad")
    same(source, frame.fillna(0))
    assert source.units == "log2(tpm+1)"
    assert list(source.samples["response"]) == ["R", None, "NR"]
    counts = read_source(tmp_path / "m.h5ad", layer="counts")
    same(counts, frame.fillna(0) * 2)
    assert counts.units is None
    refused(tmp_path / "m.h5ad", "'raw' is not among", "X, counts", layer="raw")


def test_other_hdf5_is_refused(tmp_path):
    import h5py

    with h5py.File(tmp_path / "abundance.h5", "w") as file:
        file["est_counts"] = [1.0, 2.0]
    refused(tmp_path / "abundance.h5", "no h5ad")


def test_excel_without_openpyxl_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    path = tmp_path / "m.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    refused(path, "needs openpyxl", "tab-separated text")


def test_excel(tmp_path, frame):
    openpyxl = pytest.importorskip("openpyxl")
    import datetime

    book = openpyxl.Workbook()
    page = book.active
    page.append(["gene", "Description", *SAMPLES])
    for gene, row in zip(GENES, frame.to_numpy().tolist(), strict=True):
        page.append([gene, "text", *[None if np.isnan(v) else v for v in row]])
    page.append([datetime.datetime(2024, 3, 1), "membrane", 1, 2, "NA"])
    book.create_sheet("notes").append(["made by hand"])
    book.save(tmp_path / "m.xlsx")
    source = read_source(tmp_path / "m.xlsx")
    frame.loc["2024-03-01"] = [1, 2, np.nan]
    same(source, frame)
    assert "1 identifiers are dates (2024-03-01)" in source.notes[-1]
    book.create_sheet("other").append(["gene", "a"])
    book["other"].append(["TP53", 1])
    book["other"].append(["B2M", "#REF!"])
    book.save(tmp_path / "two.xlsx")
    refused(tmp_path / "two.xlsx", "2 sheets with a table", "name one as layer")
    refused(tmp_path / "two.xlsx", "holds '#REF!' for gene 'B2M'", layer="other")
    refused(tmp_path / "two.xlsx", "there is no sheet 'x'", layer="x")
