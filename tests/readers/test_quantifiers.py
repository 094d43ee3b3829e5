"""Files of one sample, alone and in folders: each by an example made from its documentation."""

from __future__ import annotations

import pytest
from reader_tools import ENSEMBL, GENES, put, refused

from resistpath.io.readers import read_source

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


def test_a_folder_of_two_formats_is_refused(tmp_path):
    put(tmp_path, "a/quant.sf", salmon_file(1))
    put(tmp_path, "b/abundance.tsv", kallisto_file(1))
    refused(tmp_path, "several formats: salmon, kallisto")
    table = put(tmp_path, "t.tsv", TX2GENE)
    assert list(read_source(tmp_path, format="salmon", tx2gene=table).values.columns) == ["a"]
