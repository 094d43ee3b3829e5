"""Formats with a layout of their own: each by an example made from its documentation."""

from __future__ import annotations

import csv
import gzip
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.io.readers import read_source
from resistpath.units import parse_units

GENES = ["TP53", "CD8A", "PDCD1", "B2M", "GAPDH"]
ENSEMBL = [
    "ENSG00000141510.18",
    "ENSG00000153563.16",
    "ENSG00000188389.11",
    "ENSG00000166710.20",
    "ENSG00000111640.15",
]
SAMPLES = ["P1", "P2", "P3"]


@pytest.fixture
def frame():
    """Five genes x three samples, as every reader must return them."""
    values = np.array(
        [
            [10.5, 0.25, 1e-3],
            [0.0, 3.0, 4.125],
            [np.nan, 2.5, 7.0],
            [100.125, 200.5, 300.75],
            [1.0, 2.0, 1234567.891],
        ]
    )
    return pd.DataFrame(values, index=pd.Index(GENES, name="gene"), columns=SAMPLES)


def same(source, frame):
    pd.testing.assert_frame_equal(
        source.values, frame, check_exact=True, check_names=False, check_index_type=False
    )
    assert source.values.to_numpy().dtype == np.float64


def put(folder, name, text):
    """Write text and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def tsv(frame, **options):
    """The frame as tab-separated text."""
    return frame.to_csv(sep="\t", index_label="gene", na_rep="NA", **options)


def refused(path, *words, **options):
    """The sentence a path is refused with, which must hold the words."""
    with pytest.raises(UserError) as stop:
        read_source(path, **options)
    message = str(stop.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    return message


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


GDC_HEADER = (
    "# gene-model: GENCODE v36\n"
    "gene_id\tgene_name\tgene_type\tunstranded\tstranded_first\tstranded_second\t"
    "tpm_unstranded\tfpkm_unstranded\tfpkm_uq_unstranded\n"
    "N_unmapped\t\t\t11\t11\t11\t\t\t\n"
    "N_multimapping\t\t\t12\t12\t12\t\t\t\n"
    "N_noFeature\t\t\t13\t14\t15\t\t\t\n"
    "N_ambiguous\t\t\t16\t17\t18\t\t\t\n"
)
# docs.gdc.cancer.gov, Expression_mRNA_Pipeline: columns of the augmented STAR gene counts.


def gdc_file(k):
    rows = (
        f"{e}\t{g}\tprotein_coding\t{10 * i + k}\t{5 * i}\t{5 * i + k}\t{i / 4 + k}\t0.5\t0.25\n"
        for i, (e, g) in enumerate(zip(ENSEMBL, GENES, strict=True))
    )
    return GDC_HEADER + "".join(rows)


UUIDS = [f"{c * 8}-{c * 4}-4{c * 3}-8{c * 3}-{c * 12}" for c in "abc"]


@pytest.fixture
def gdc(tmp_path):
    """A folder as the GDC's download tool leaves it: file id / file, and its logs."""
    for k, uuid in enumerate(UUIDS):
        put(tmp_path, f"gdc/{uuid}/{k}.rna_seq.augmented_star_gene_counts.tsv", gdc_file(k))
        put(tmp_path, f"gdc/{uuid}/logs/{k}.parcel", "x")
    return tmp_path / "gdc"


def test_gdc_single_file(gdc):
    path = gdc / UUIDS[2] / "2.rna_seq.augmented_star_gene_counts.tsv"
    source = read_source(path)
    assert (source.format, source.units, source.gene_id) == ("gdc", "counts", "ensembl")
    assert list(source.values.index) == ENSEMBL
    assert list(source.values["2"]) == [2, 12, 22, 32, 42]
    assert "4 rows that sum up unassigned reads were left out." in source.notes
    tpm = read_source(path, layer="tpm_unstranded")
    assert (tpm.units, list(tpm.values["2"])) == ("tpm", [2, 2.25, 2.5, 2.75, 3])
    refused(path, "is not among the values", "tpm_unstranded", layer="TPM")


SHEET = "File ID\tFile Name\tData Category\tProject ID\tCase ID\tSample ID\tSample Type\n"


def test_gdc_folder_with_sample_sheet_and_manifest(gdc):
    named = ["TCGA-A1-0001-01A", "TCGA-A1-0001-01A", "TCGA-A1-0002-06A"]
    lines = [
        f"{u}\t{k}.rna_seq.augmented_star_gene_counts.tsv\tTranscriptome Profiling\tTCGA-SKCM\t"
        f"{n[:12]}\t{n}\tPrimary Tumor\n"
        for k, (u, n) in enumerate(zip(UUIDS, named, strict=True))
    ]
    put(gdc, "gdc_sample_sheet.2026-01-01.tsv", SHEET + "".join(lines))
    size = len(gdc_file(0).encode())
    manifest = "id\tfilename\tmd5\tsize\tstate\n" + "".join(
        f"{u}\t{k}.rna_seq.augmented_star_gene_counts.tsv\tx\t{size}\tvalidated\n"
        for k, u in enumerate(UUIDS)
    )
    put(gdc, "gdc_manifest.2026-01-01.txt", manifest)
    source = read_source(gdc)
    assert list(source.values.columns) == [
        "TCGA-A1-0001-01A_aaaaaaaa",
        "TCGA-A1-0001-01A_bbbbbbbb",
        "TCGA-A1-0002-06A",
    ]
    assert list(source.values.loc[ENSEMBL[1]]) == [10, 11, 12]
    assert list(source.samples["patient"]) == ["TCGA-A1-0001", "TCGA-A1-0001", "TCGA-A1-0002"]
    assert "All 3 files of the manifest are there, at their stated size." in source.notes
    assert any("2 files share a sample" in n for n in source.notes)
    put(gdc, "gdc_manifest.2026-01-01.txt", manifest.replace(f"x\t{size}", "x\t99999", 1))
    refused(gdc, "1 files have another size than the manifest says")
    put(
        gdc,
        "gdc_manifest.2026-01-01.txt",
        manifest + "d\tz.rna_seq.augmented_star_gene_counts.tsv\tx\t1\tv\n",
    )
    refused(gdc, "1 of 4 files of the manifest are not in the folder")
    put(gdc, "gdc_manifest.2026-01-01.txt", manifest)
    put(gdc, "gdc_sample_sheet.2026-01-01.tsv", SHEET + lines[0])
    refused(gdc, "2 of 3 files are not in the GDC sample sheet")


def test_gdc_folder_alone_is_named_by_its_files(gdc):
    source = read_source(gdc)
    assert list(source.values.columns) == ["0", "1", "2"]
    assert "No GDC sample sheet" in source.notes[1]
    put(
        gdc,
        f"{UUIDS[0]}/0.rna_seq.augmented_star_gene_counts.tsv",
        gdc_file(0).replace(ENSEMBL[3], "ENSG0"),
    )
    refused(gdc, "they differ in ENSG0", "one annotation")


def star_file(counts):
    """STAR manual, section 'Counting number of reads per gene': four columns, no header."""
    head = "".join(
        f"{n}\t1\t2\t3\n" for n in ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous")
    )
    return head + "".join(
        "\t".join(map(str, [e, *c])) + "\n" for e, c in zip(ENSEMBL, counts, strict=True)
    )


def test_star_reads_per_gene(tmp_path):
    counts = [(100, 4, 96), (50, 2, 48), (10, 0, 10), (0, 0, 0), (7, 1, 6)]
    put(tmp_path, "run/S1_ReadsPerGene.out.tab", star_file(counts))
    put(tmp_path, "run/S2/ReadsPerGene.out.tab", star_file(counts[::-1]))
    source = read_source(tmp_path / "run")
    assert (source.format, source.units) == ("star_reads", "counts")
    assert list(source.values.columns) == ["S2", "S1"] or list(source.values.columns) == [
        "S1",
        "S2",
    ]
    assert list(source.values["S1"]) == [100, 50, 10, 0, 7]
    assert "star_reads_reverse is right" in source.notes[-1]
    reverse = read_source(tmp_path / "run", format="star_reads_reverse")
    assert list(reverse.values["S2"]) == [6, 0, 10, 48, 96]
    assert not any("look stranded" in n for n in reverse.notes)
    single = read_source(tmp_path / "run" / "S1_ReadsPerGene.out.tab", format="star_reads_stranded")
    assert list(single.values["S1"]) == [4, 2, 0, 0, 1]
    assert "column 3 (the gene's strand)" in single.notes[0]


RSEM_HEADER = "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\n"
# rsem-calculate-expression --help, section OUTPUT, sample_name.genes.results.


def test_rsem_genes(tmp_path):
    for k in (1, 2):
        rows = (
            f"{e}\tt1,t2\t1000.5\t900.25\t{10.5 * k}\t{i + k / 4}\t1\n"
            for i, e in enumerate(ENSEMBL)
        )
        put(tmp_path, f"r/S{k}.genes.results", RSEM_HEADER + "".join(rows))
    source = read_source(tmp_path / "r")
    assert (source.format, source.units) == ("rsem", "tpm")
    assert list(source.values["S2"]) == [0.5, 1.5, 2.5, 3.5, 4.5]
    counts = read_source(tmp_path / "r" / "S1.genes.results", layer="expected_count")
    assert (counts.units, set(counts.values["S1"])) == ("estimated_counts", {10.5})


TRANSCRIPTS = ["ENST01.1", "ENST02.1", "ENST03.2", "ENST04.1"]
TX2GENE = "transcript\tgene\nENST01.1\tTP53\nENST02.1\tTP53\nENST03.2\tB2M\n"


def salmon_file(k, names=TRANSCRIPTS):
    """Salmon documentation, 'Salmon Output File Formats': quant.sf."""
    rows = (
        f"{t}\t1000\t800.5\t{v}\t{10 * v * k}\n"
        for t, v in zip(names, (1.5, 2.5, 4, 0.01), strict=True)
    )
    return "Name\tLength\tEffectiveLength\tTPM\tNumReads\n" + "".join(rows)


def kallisto_file(k):
    """kallisto manual, 'quant': abundance.tsv."""
    rows = (
        f"{t}\t1000\t800.5\t{10 * v * k}\t{v}\n"
        for t, v in zip(TRANSCRIPTS, (1.5, 2.5, 4, 0.01), strict=True)
    )
    return "target_id\tlength\teff_length\test_counts\ttpm\n" + "".join(rows)


@pytest.mark.parametrize(
    ("tool", "name", "text"),
    [("salmon", "quant.sf", salmon_file), ("kallisto", "abundance.tsv", kallisto_file)],
)
def test_transcripts_are_summed_to_genes(tmp_path, tool, name, text):
    table = put(tmp_path, "tx2gene.tsv", TX2GENE)
    for k in (1, 2):
        put(tmp_path, f"q/S{k}/{name}", text(k))
    refused(tmp_path / "q", "ENST01.1", "give tx2gene")
    source = read_source(tmp_path / "q", tx2gene=table)
    assert (source.format, source.units) == (tool, "tpm")
    assert source.values.to_dict() == {s: {"TP53": 4.0, "B2M": 4.0} for s in ("S1", "S2")}
    assert "hold at most 0.12% of a sample's expression" in source.notes[1]
    counts = read_source(tmp_path / "q", tx2gene=table, layer="counts")
    assert counts.values.loc["TP53"].to_dict() == {"S1": 40.0, "S2": 80.0}
    single = read_source(tmp_path / "q" / "S2" / name, tx2gene=table, layer="counts")
    assert single.values.loc["B2M", "S2"] == 80
    other = put(
        tmp_path, "versionless.csv", TX2GENE.replace("\t", ",").replace(".1", "").replace(".2", "")
    )
    assert read_source(tmp_path / "q", tx2gene=other).values.loc["TP53", "S1"] == 4
    few = put(tmp_path, "few.tsv", "ENST01.1\tTP53\nENST04.1\tB2M\n")
    refused(tmp_path / "q", "81% of the expression of sample S1", tx2gene=few)
    twice = put(tmp_path, "twice.tsv", TX2GENE + "ENST01.1\tB2M\n")
    refused(tmp_path / "q", "1 transcripts have two genes", tx2gene=twice)


def test_gencode_names_carry_their_gene(tmp_path):
    names = [
        f"{t}|{e}|-|-|x|y|1|lncRNA|"
        for t, e in zip(TRANSCRIPTS, [*ENSEMBL[:1] * 2, *ENSEMBL[1:3]], strict=True)
    ]
    source = read_source(put(tmp_path, "S1/quant.sf", salmon_file(1, names)))
    assert source.values["S1"].to_dict() == {ENSEMBL[0]: 4.0, ENSEMBL[1]: 4.0, ENSEMBL[2]: 0.01}


def test_salmon_sums_over_genes(tmp_path):
    source = read_source(put(tmp_path, "S1/quant.genes.sf", salmon_file(1, GENES[:4])))
    assert source.values["S1"].to_dict() == dict(zip(GENES, (1.5, 2.5, 4, 0.01), strict=False))


def test_featurecounts(tmp_path):
    # Subread users' guide, 'featureCounts output': a comment, six columns, one per BAM file.
    rows = "".join(
        f"{e}\tchr1;chr1\t1;9\t5;20\t+;+\t17\t{i}\t{2 * i}\n" for i, e in enumerate(ENSEMBL)
    )
    text = '# Program:featureCounts v2.0.3; Command:"featureCounts" "-p"\n'
    text += "Geneid\tChr\tStart\tEnd\tStrand\tLength\tout/S1.bam\tout/S2.bam\n" + rows
    source = read_source(put(tmp_path, "counts.txt", text))
    assert (source.format, source.units) == ("featurecounts", "counts")
    assert list(source.values["S2"]) == [0, 2, 4, 6, 8]
    source = read_source(put(tmp_path, "counts.txt", text.replace("out/S2", "b/S1")))
    assert list(source.values.columns) == ["out/S1.bam", "b/S1.bam"]


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


def test_a_folder_of_two_formats_is_refused(tmp_path):
    put(tmp_path, "a/quant.sf", salmon_file(1))
    put(tmp_path, "b/abundance.tsv", kallisto_file(1))
    refused(tmp_path, "several formats: salmon, kallisto")
    table = put(tmp_path, "t.tsv", TX2GENE)
    assert list(read_source(tmp_path, format="salmon", tx2gene=table).values.columns) == ["a"]
