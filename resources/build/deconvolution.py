"""Build the tables in ``resources/deconvolution`` from the files their authors publish.

Inputs, each a plain file on disk (no network is used here):

=============  ==================================================================================
``--til10``    folder with ``TIL10_signature.txt``, ``TIL10_mRNA_scaling.txt``,
               ``TIL10_rmgenes.txt`` and ``TIL10_TCGA_aberrant_immune_genes.txt``: repository
               icbi-lab/quanTIseq at 039eb16, ``quantiseq/deconvolution`` (BSD-3-Clause)
``--hgnc``     HGNC download of 2017-04-18 (nomenclature: CC0) in the form quanTIseq's R package
               reads it: repository federicomarini/quantiseqr at 595ad14,
               ``inst/extdata/HGNC_genenames_20170418.txt.gz``
``--mcp``      ``genes.txt``: repository ebecht/MCPcounter at b6eac73, ``Signatures`` (CC0)
``--limits``   ``binned-score-lod.tsv``: repository Sage-Bionetworks/Tumor-Deconvolution-Challenge
               at 62d3029, ``analysis/summary-table/figs`` (MIT): the DREAM challenge's summary
               (White 2024, doi:10.1038/s41467-024-50618-0)
``--compass``  ``conception.tsv``: package immuno-compass 2.5.3, ``compass/tokenizer`` (MIT): sets
               of Danaher 2017, Combes 2022 and of its own derivation from single cells
``--danaher``  folder with ``*_Danaher_et_al.csv``: repository bhklab/SignatureSets at ed57eb0,
               ``data-raw/TME`` (MIT)
``--estimate`` ``hacksig_signatures.csv``: repository Acare/hacksig at 59e8c58, ``data-raw`` (MIT):
               the gene lists of Yoshihara 2013
=============  ==================================================================================

Current and former symbols of marker genes come from ``resources/genes.tsv.gz``. The same inputs
give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
from collections import Counter
from pathlib import Path

# Genes approved under another symbol since the list was printed (HGNC of 2026-06-25), and further
# names under which they are found in matrices of the years between.
RENAMED = {
    "FAM160B1": ("FHIP2A", ["KIAA1600"]),
    "FAM46C": ("TENT5C", []),
    "GUCY1A3": ("GUCY1A1", ["GUC1A3"]),
    "RNF165": ("ARK2C", []),
    "AKAP2": ("AKAP2", ["PALM2AKAP2", "PALM2-AKAP2"]),  # one locus with PALM2 in annotations now
    "VNN3": ("VNN3P", []),
}
# MCP-counter's row 98 prints "C" for the gene with Entrez 8436, Ensembl ENSG00000168497.
REPAIRED = {("C", "8436"): ("CAVIN2", ["SDPR"])}

# Names in the DREAM table -> names in ours (see resistpath.deconvolve.celltypes).
POPULATIONS = {
    "B": "b_cell",
    "CD4 T": "t_cd4",
    "CD8 T": "t_cd8",
    "NK": "nk",
    "Tregs": "treg",
    "neutrophils": "neutrophil",
    "monocytic lineage": "monocytic_lineage",
    "monocytes": "monocyte",
    "macrophages": "macrophage",
    "myeloid DCs": "myeloid_dc",
    "endothelial": "endothelial",
    "fibroblasts": "fibroblast",
}
METHODS = {"quanTIseq": "quantiseq", "MCP-counter": "mcpcounter", "EPIC": "epic"}

# Marker panels: set of the source -> cell type. Left out of COMPASS's: subsets that bulk RNA does
# not tell apart, functional programmes, organ-specific cells, and ``Neutrophil_sc`` and
# ``Granulocyte_sc``, whose genes (ELANE, MPO, CTSG ...) are those of precursors in the marrow.
COMPASS = {
    "combes": {
        "CD4Tcell_Combes22": "t_cd4",
        "CD8Tcell_Combes22": "t_cd8",
        "Tcell_Combes22": "t_cell",
        "RegTcell_Combes22": "treg",
        "cDC1_Combes22": "cdc1",
        "cDC2_Combes22": "cdc2",
        "ClassMonocyte_Combes22": "monocyte",
        "Macrophage_Combes22": "macrophage",
        "Myeloid_Combes22": "myeloid",
        "Stroma_Combes22": "stroma",
    },
    "cells": {
        "Bcell_sc": "b_cell",
        "Plasma_sc": "plasma_cell",
        "CD4Tcell_sc": "t_cd4",
        "CD8Tcell_sc": "t_cd8",
        "ExhCD8Tcell_sc": "t_cd8_exhausted",
        "RegTcell_sc": "treg",
        "CytotoxTcell_sc": "cytotoxic_lymphocyte",
        "NKcell_sc": "nk",
        "CD56dimNK_sc": "nk_cd56dim",
        "cDC_sc": "myeloid_dc",
        "cDC1_sc": "cdc1",
        "cDC2_sc": "cdc2",
        "pDC_sc": "plasmacytoid_dc",
        "Monocyte_sc": "monocyte",
        "Macrophage_sc": "macrophage",
        "Myeloid_sc": "myeloid",
        "Mast_sc": "mast_cell",
        "Basophil_sc": "basophil",
        "Eosinophil_sc": "eosinophil",
        "Fibroblast_sc": "fibroblast",
        "Pericyte_sc": "pericyte",
        "Endothelial_sc": "endothelial",
        "Epithelial_sc": "epithelial",
    },
}
# Danaher 2017 by the stem of SignatureSets' file; those it lacks come from COMPASS's copy.
DANAHER = {
    "B_cells": "b_cell",
    "CD8_T_cells": "t_cd8",
    "Cytotoxic_cells": "cytotoxic_lymphocyte",
    "DC": "myeloid_dc",
    "Exhausted_CD8": "t_cd8_exhausted",
    "Mast_cells": "mast_cell",
    "NK_CD56dim_cells": "nk_cd56dim",
    "NK_cells": "nk",
    "Neutrophils": "neutrophil",
    "T_cells": "t_cell",
}
DANAHER_COMPASS = {"Macrophage_l_Danaher17": "macrophage"}
DANAHER_SINGLE = {
    "leukocyte": "PTPRC",
    "treg": "FOXP3",
    "th1": "TBX21",
}  # the paper's one-gene sets

# ESTIMATE's genes as Yoshihara 2013 prints them, where hacksig has a newer symbol.
PRINTED = {
    "ADGRA2": "GPR124",
    "CCN4": "WISP1",
    "FYB1": "FYB",
    "NME8": "TXNDC3",
    "PLPPR4": "LPPR4",
    "TENM4": "ODZ4",
}


def names(published: str) -> tuple[str, str]:
    symbol, others = RENAMED.get(published, (published, []))
    return symbol, "|".join(dict.fromkeys([*([published] if published != symbol else []), *others]))


def gene_names() -> dict[str, tuple[str, str]]:
    """Map every name that means one gene to its current symbol and its former ones."""
    with gzip.open(Path(__file__).parents[1] / "genes.tsv.gz", "rt", encoding="utf-8") as stream:
        genes = [g for g in csv.DictReader(stream, delimiter="\t") if g["symbol"]]
    current = {g["symbol"] for g in genes}
    claims = Counter(name for g in genes for name in g["previous"].split("|"))
    found = {}
    for gene in genes:
        former = [n for n in gene["previous"].split("|") if n and n not in current]
        former = sorted(n for n in former if claims[n] == 1)
        for name in (gene["symbol"], *former):
            found[name] = (gene["symbol"], "|".join(former))
    return found


def read(path: Path, *, header: bool = True) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.reader(stream, delimiter="\t") if row]
    return rows[1:] if header else rows


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([header, *rows])
    data = text.getvalue().encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=9, mtime=0)
    path.write_bytes(data)
    print(f"{path.name}: {len(rows)} rows, {len(data)} bytes")


def til10(folder: Path, out: Path) -> None:
    with (folder / "TIL10_signature.txt").open(encoding="utf-8", newline="") as stream:
        header = next(csv.reader(stream, delimiter="\t"))
    rows = read(folder / "TIL10_signature.txt")
    write(
        out / "til10.tsv",
        ["gene", "symbol", "other_symbols", *header[1:]],
        [[row[0], *names(row[0]), *row[1:]] for row in rows],
    )
    write(
        out / "til10_scaling.tsv",
        ["cell_type", "mrna"],
        read(folder / "TIL10_mRNA_scaling.txt", header=False),
    )
    lists = {
        "noisy": "TIL10_rmgenes.txt",
        "tumour": "TIL10_TCGA_aberrant_immune_genes.txt",
    }
    write(
        out / "til10_removed.tsv",
        ["gene", "list"],
        [
            [row[0], name]
            for name, file in lists.items()
            for row in read(folder / file, header=False)
        ],
    )


def hgnc(source: Path, out: Path) -> None:
    """Write what every symbol of that day becomes; empty where it is an approved symbol itself.

    Approved and withdrawn symbols stand for themselves (the first row counts where a symbol has
    two). A previous symbol leads to the approved one only where it is the single previous symbol
    of a gene, because the R package splits the column at commas and the file has bars; where two
    genes share it the later row counts. A withdrawn symbol leads to the words "entry withdrawn".
    """
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    becomes: dict[str, str] = {}
    for row in rows:
        withdrawn = row["Status"] != "Approved"
        becomes.setdefault(row["ApprovedSymbol"], row["ApprovedName"] if withdrawn else "")
    own = set(becomes)
    for row in rows:
        previous = row["PreviousSymbols"]
        if previous and "|" not in previous and previous not in own:
            becomes[previous] = row["ApprovedSymbol"]
    write(out / "hgnc_2017-04-18.tsv.gz", ["symbol", "becomes"], sorted(map(list, becomes.items())))


def mcpcounter(source: Path, out: Path) -> None:
    rows = []
    for published, population, entrez, ensembl in read(source):
        symbol, others = names(published)
        if (published, entrez) in REPAIRED:
            symbol, others = (
                REPAIRED[published, entrez][0],
                "|".join(REPAIRED[published, entrez][1]),
            )
        rows.append(
            [population, published, symbol, others, entrez, "" if ensembl == "NA" else ensembl]
        )
    header = ["population", "gene", "symbol", "other_symbols", "entrez", "ensembl"]
    write(out / "mcpcounter.tsv", header, rows)


def limits(source: Path, out: Path) -> None:
    rows = [
        [METHODS[method], POPULATIONS[cell], cell, percent]
        for cell, method, percent, *_ in read(source)
        if method in METHODS and cell in POPULATIONS and percent != "NA"
    ]
    order = list(METHODS.values())
    rows.sort(key=lambda row: (order.index(row[0]), list(POPULATIONS).index(row[2])))
    write(
        out / "limits_of_detection.tsv",
        ["method", "cell_type", "published_as", "percent_of_cells"],
        rows,
    )


def consensus_markers(compass: Path, danaher: Path, out: Path) -> None:
    with compass.open(encoding="utf-8", newline="") as stream:
        sets = {row["GeneSet"]: row for row in csv.DictReader(stream, delimiter="\t")}
    rows = []
    known = gene_names()

    def add(panel: str, published_as: str, cell: str, genes: list[str], reference: str) -> None:
        rows.extend(
            [panel, published_as, cell, gene, *known[gene], reference]
            for gene in dict.fromkeys(genes)
        )

    paper = "PMID:28239471"
    for stem, cell in DANAHER.items():
        with (danaher / f"{stem}_Danaher_et_al.csv").open(encoding="utf-8", newline="") as stream:
            add("danaher", stem, cell, [r["gene_name"] for r in csv.DictReader(stream)], paper)
    for name, cell in DANAHER_COMPASS.items():
        add("danaher", name, cell, sets[name]["Genes"].split(":"), paper)
    for cell, gene in DANAHER_SINGLE.items():
        add("danaher", gene, cell, [gene], paper)
    for panel, chosen in COMPASS.items():
        for name, cell in chosen.items():
            row = sets[name]
            papers = [p.strip().replace(" ", "") for p in row["Reference"].split(";")]
            add(panel, name, cell, row["Genes"].split(":"), ";".join(papers))
    order = list(dict.fromkeys(row[2] for row in rows))
    rows.sort(key=lambda row: order.index(row[2]))
    header = ["panel", "set", "cell_type", "gene", "symbol", "other_symbols", "reference"]
    write(out / "consensus_markers.tsv", header, rows)


def estimate(source: Path, out: Path) -> None:
    with source.open(encoding="utf-8", newline="") as stream:
        listed = [(row["signature_id"], row["gene_symbol"]) for row in csv.DictReader(stream)]
    known = gene_names()
    rows = []
    for name in ("stromal", "immune"):
        for symbol in (s for signature, s in listed if signature == f"estimate_{name}"):
            printed = PRINTED.get(symbol, symbol)
            current, former = known[symbol]
            others = {*former.split("|"), printed} - {"", current}
            rows.append([name, printed, current, "|".join(sorted(others))])
    write(out / "estimate.tsv", ["set", "gene", "symbol", "other_symbols"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--til10", type=Path, required=True)
    parser.add_argument("--hgnc", type=Path, required=True)
    parser.add_argument("--mcp", type=Path, required=True)
    parser.add_argument("--limits", type=Path, required=True)
    parser.add_argument("--compass", type=Path, required=True)
    parser.add_argument("--danaher", type=Path, required=True)
    parser.add_argument("--estimate", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "deconvolution")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    til10(args.til10, args.out)
    hgnc(args.hgnc, args.out)
    mcpcounter(args.mcp, args.out)
    limits(args.limits, args.out)
    consensus_markers(args.compass, args.danaher, args.out)
    estimate(args.estimate, args.out)


if __name__ == "__main__":
    main()
