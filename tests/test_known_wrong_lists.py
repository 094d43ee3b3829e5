"""Lists that leading packages ship wrongly: the catalogue must not hold their mistakes.

Each case carries the tell-tale fact itself: what the wrong copy has, and what is right.
"""

from __future__ import annotations

import re

import pandas as pd
import pytest

from resistpath.genes import current_symbols
from resistpath.identifiers.dates import possible_days
from resistpath.io.resources import catalogue, gene_names, gene_table, resource

BOOK = catalogue()


def genes(name: str) -> set[str]:
    """Genes of a readout, or of a signature where no readout has that name."""
    if any(r.readout == name for r in BOOK.readouts):
        entry = BOOK.readout(name)
        return {*entry.genes_up, *entry.genes_down}
    return set(BOOK.signature(name).genes)


def everywhere() -> dict[str, set[str]]:
    """Every list of genes that is shipped and scored, by where it stands."""
    lists = {f"signature {s.signature}": set(s.genes) for s in BOOK.signatures}
    lists |= {f"readout {r.readout}": genes(r.readout) for r in BOOK.readouts if r.gene_set}
    lists["key genes"] = {k.gene for k in BOOK.key_genes}
    return lists


# What the wrong copy lacks, and what it has instead: source, readout, right genes, wrong ones.
CASES = [
    ("IOBR: GEP is the expanded immune list", "GEP18_UNWEIGHTED", "CMKLR1 CD8A TIGIT", "CD3D GZMK"),
    ("COMPASS: PDCD1LG2 and its alias in one list", "GEP18_UNWEIGHTED", "PDCD1LG2", "PDL2"),
    ("COMPASS: a stray quote", "GEP18_UNWEIGHTED", "TIGIT", "TIGIT'"),
    ("COMPASS: CCL5 lost", "GEP18_UNWEIGHTED", "CCL5 LAG3", ""),
    ("hmftools: tapasin misspelt", "APM_WANG18", "TAPBP", "TABBP"),
    ("IOBR: LMP names and pseudogenes", "APM_WANG18", "PSMB8 PSMB9", "LMP2 LMP7 HLA-H HLA-J"),
    ("COMPASS: CTGF and FAM101B lost", "PANFTBRS_MARIATHASAN19", "CCN2 RFLNB", "CTGF FAM101B"),
    ("public script: RFLNA for RFLNB", "PANFTBRS_MARIATHASAN19", "RFLNB", "RFLNA"),
    ("COMPASS: four chemokines lost", "TLS_CHEMOKINE12", "CCL3 CCL4 CCL5 CCL18", ""),
    ("COMPASS: CCL4 lost", "NK_CD56DIM_SC7", "CCL4", ""),
    ("COMPASS: CD177 lost", "TREG_COMBES9", "CD177", ""),
    ("COMPASS: XRC1 for XCR1", "CDC1_COMBES5", "XCR1", "XRC1"),
    ("IOBR: VISTA under an old name", "COINHIB_TCELL_ROONEY", "VSIR", "C10orf54"),
    ("public script: EGFA for VEGFA", "ANGIO_MCDERMOTT6", "VEGFA", "EGFA"),
    ("signifinder: two renamed genes lost", "HYPOXIA_BUFFA51", "PNP AK4", "NP AK3L1"),
    ("public script: ZNF384 in the place of PNP", "HYPOXIA_BUFFA51", "PNP", "ZNF384"),
    ("IOBR: protein names", "HYPOXIA_BUFFA51", "SLC2A1 VEGFA ENO1", "GLUT1 VEGF EN01 PDK-1"),
    ("IMvigor CSV: SNAI2 from another list", "EMT2_MARIATHASAN", "TWIST2 AXL", "SNAI2"),
    ("MSigDB 7.0: clone names", "HALLMARK_IFNA", "OAS1", "AC004551.1"),
    ("MSigDB 7.0: clone names", "HALLMARK_GLYCOLYSIS", "PGLS NOL3 GFUS", "AC010618.1 TSTA3"),
    ("public copy: the mouse list", "SENMAYO125", "CXCL8 KITLG", "KITL SERPINB3C"),
    ("IOBR: enzyme families as one name", "FERROPTOSIS_GUARD", "GCLC GCLM", "GCLC/GCLM AKR1C1-3"),
    ("public copies: Excel dates", "JERBY_RES_DOWN", "", "1-Dec 3-Mar 6-Mar"),
    ("public copy: an old symbol of another gene", "JERBY_RES_DOWN", "", "HFE HLA-H"),
    ("public script: HLA-DRA lost", "MHC2_LIU13", "HLA-DRA", "HLA-DRB3 HLA-DRB4"),
]


@pytest.mark.parametrize(("copy", "name", "right", "wrong"), CASES)
def test_the_mistake_of_a_public_copy_is_not_here(copy, name, right, wrong):
    assert set(right.split()) <= genes(name), copy
    assert not set(wrong.split()) & genes(name), copy


def test_signed_lists_are_not_shipped_as_one_direction():
    # bhklab SignatureSets: C-ECM as 58 genes of one sign, T-cell exclusion likewise.
    for readout, up, down in (
        ("CECM_CHAKRAVARTHY58", 30, 28),
        ("JERBY_RES", 261, 234),
        ("EMT_THOMPSON12", 6, 6),
        ("MPS_PEREZGUIJARRO45", 33, 12),
    ):
        entry = BOOK.readout(readout)
        assert (len(entry.genes_up), len(entry.genes_down)) == (up, down)
        assert entry.method == "singscore"


def test_no_list_holds_an_alias_or_an_ambiguous_name():
    for where, listed in everywhere().items():
        found = current_symbols(sorted(listed), gene_names())
        odd = found[found["how"] != "approved symbol"]
        assert odd.empty, f"{where}: {odd.to_dict('records')}"


def test_no_list_is_empty_after_harmonisation():
    coding = set(gene_table().query("biotype == 'protein_coding'")["symbol"])
    for where, listed in everywhere().items():
        assert listed, where
        assert listed <= coding, f"{where}: {listed - coding}"


def test_no_list_holds_a_date_or_a_single_letter():
    for where, listed in everywhere().items():
        assert not [g for g in listed if possible_days(g) or len(g) == 1], where


def test_published_names_hold_no_dates():
    for signature in BOOK.signatures:
        for published, _ in signature.renamed:
            assert not possible_days(published), (signature.signature, published)


def test_no_gene_occurs_twice_in_a_list():
    # bhklab SignatureSets lists SIGLEC5 four times among the neutrophil genes.
    for readout in BOOK.readouts:
        both = (*readout.genes_up, *readout.genes_down)
        assert len(both) == len(set(both)), readout.readout
    assert "SIGLEC5" in genes("NEUTRO_DANAHER7")


def test_mcpcounter_has_cavin2_where_the_file_has_a_letter():
    table = pd.read_csv(resource("deconvolution/mcpcounter.tsv"), sep="\t", dtype=str)
    assert list(table.loc[table["gene"] == "C", "symbol"]) == ["CAVIN2"]
    assert table.loc[table["symbol"] == "CAVIN2", "entrez"].tolist() == ["8436"]
    assert "C" not in set(table["symbol"])


def test_papers_are_named_rightly():
    # IOBR and SignatureSets call Jiang P 2018 "Peng"; tmesig's DOIs are drag-filled after -3329.
    assert BOOK.signature("CTL_JIANG5").paper == "Jiang 2018 Nat Med"
    drawn = [s.doi for s in BOOK.signatures if "CCR-21-33" in s.doi]
    assert drawn
    assert set(drawn) == {"10.1158/1078-0432.CCR-21-3329"}
    for signature in BOOK.signatures:
        assert not re.search(r"\bPeng\b", signature.paper)


def test_sets_known_to_mislead_are_not_scored():
    # PROGENy VEGF is mostly microRNA loci and PI3K 92 % negative weights; IMPRES is 15 pairs, not
    # 28 genes; COX-IS holds T-effector sets whole; ESTIMATE's purity is Affymetrix-calibrated.
    names = " ".join([r.readout for r in BOOK.readouts] + [s.signature for s in BOOK.signatures])
    for wrong in ("PROGENY", "IMPRES", "COXIS", "TIDE", "PURITY"):
        assert wrong not in names.upper()


def test_genes_that_many_people_lack_are_named_in_the_caveats():
    lacking = {"HLA-DRB5", "HLA-DRB3", "HLA-DRB4", "GSTM1", "GSTT1", "ERAP2"}
    for signature in BOOK.signatures:
        if len(signature.genes) <= 60 and (held := lacking & set(signature.genes)):
            assert "haplotype" in signature.caveats, (signature.signature, held)


def test_no_small_list_rests_on_sex():
    # TLS of Cabrita 2020 holds Y-linked EIF1AY.
    linked = {"EIF1AY", "DDX3Y", "KDM5D", "RPS4Y1", "UTY", "USP9Y", "ZFY", "NLGN4Y", "XIST"}
    for readout in BOOK.readouts:
        if len(genes(readout.readout)) <= 60:
            assert not linked & genes(readout.readout), readout.readout
