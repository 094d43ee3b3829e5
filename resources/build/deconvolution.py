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
=============  ==================================================================================

The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
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
METHODS = {"quanTIseq": "quantiseq", "MCP-counter": "mcpcounter"}


def names(published: str) -> tuple[str, str]:
    symbol, others = RENAMED.get(published, (published, []))
    return symbol, "|".join(dict.fromkeys([*([published] if published != symbol else []), *others]))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--til10", type=Path, required=True)
    parser.add_argument("--hgnc", type=Path, required=True)
    parser.add_argument("--mcp", type=Path, required=True)
    parser.add_argument("--limits", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "deconvolution")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    til10(args.til10, args.out)
    hgnc(args.hgnc, args.out)
    mcpcounter(args.mcp, args.out)
    limits(args.limits, args.out)


if __name__ == "__main__":
    main()
