"""Gene sets of the catalogue where public copies of them go wrong."""

from __future__ import annotations

import pytest
from catalogue_tools import genes_of

from resistpath.mechanisms.catalogue import INFLAMMATION


def test_gep_is_the_clinical_profile_not_the_expanded_immune_list(catalogue):
    genes = genes_of(catalogue, "GEP18_UNWEIGHTED")
    expanded = {
        *("CD3D", "IDO1", "CIITA", "CD3E", "CCL5", "GZMK", "CD2", "HLA-DRA", "CXCL13", "IL2RG"),
        *("NKG7", "HLA-E", "CXCR6", "LAG3", "TAGAP", "CXCL10", "STAT1", "GZMB"),
    }
    assert genes & expanded == {"CCL5", "CXCR6", "HLA-E", "IDO1", "LAG3", "NKG7", "STAT1"}
    assert {"CCL5", "CMKLR1", "TIGIT", "PDCD1LG2", "PSMB10", "HLA-DQA1", "HLA-DRB1"} <= genes
    assert "CD276" not in genes


def test_pan_f_tbrs_has_both_renamed_genes(catalogue):
    assert {"CCN2", "RFLNB"} <= genes_of(catalogue, "PANFTBRS_MARIATHASAN19")


def test_hallmark_sets_kept_the_genes_older_copies_name_by_clone(catalogue):
    assert "OAS1" in genes_of(catalogue, "HALLMARK_IFNA")
    assert {"PGLS", "NOL3", "GFUS"} <= genes_of(catalogue, "HALLMARK_GLYCOLYSIS")


def test_regulatory_t_cell_sets(catalogue):
    for readout in ("TREG_ZHANG9", "TREG_COMBES9"):
        assert {"FOXP3", "CCR8", "TNFRSF18"} <= genes_of(catalogue, readout)
    assert "CD177" in genes_of(catalogue, "TREG_COMBES9")


def test_antigen_presentation_has_tapasin(catalogue):
    assert {"TAPBP", "PSMB8", "PSMB9"} <= genes_of(catalogue, "APM_WANG18")
    assert genes_of(catalogue, "APM_MARIATHASAN6") == {
        *("B2M", "HLA-A", "HLA-B", "HLA-C", "TAP1", "TAP2")
    }
    assert "TAPBP" in {k.gene for k in catalogue.key_genes}


@pytest.mark.parametrize(
    ("readout", "genes"),
    [
        ("CYT_ROONEY2", "GZMA PRF1"),
        ("CTL_JIANG5", "CD8A CD8B GZMA GZMB PRF1"),
        ("IFNG6_AYERS", "CXCL10 CXCL9 HLA-DRA IDO1 IFNG STAT1"),
        ("MPAS10_WAGLE", "CCND1 DUSP4 DUSP6 EPHA2 EPHA4 ETV4 ETV5 PHLDA1 SPRY2 SPRY4"),
        ("ADENOSIG_FONG8", "CXCL1 CXCL2 CXCL3 CXCL5 CXCL6 CXCL8 IL1B PTGS2"),
        ("ANGIO_MCDERMOTT6", "ANGPTL4 CD34 ESM1 KDR PECAM1 VEGFA"),
        ("EXH_DANAHER4", "CD244 EOMES LAG3 PTGER4"),
        ("CHECKPOINT_MARIATHASAN7", "CD274 CTLA4 HAVCR2 LAG3 PDCD1 PDCD1LG2 TIGIT"),
        ("IL8_RODY3", "CXCL1 CXCL2 CXCL8"),
        ("MYELOIDINFL_MCDERMOTT6", "CXCL1 CXCL2 CXCL3 CXCL8 IL6 PTGS2"),
        ("NK_DANAHER3", "NCR1 XCL1 XCL2"),
        ("NEUTRO_DANAHER7", "CEACAM3 CSF3R FCAR FCGR3B FPR1 S100A12 SIGLEC5"),
        ("TEFF_MARIATHASAN8", "CD8A CXCL10 CXCL9 GZMA GZMB IFNG PRF1 TBX21"),
        ("TEFF_FEHRENBACHER8", "CD8A CXCL10 CXCL9 EOMES GZMA GZMB IFNG TBX21"),
        ("EMT2_MARIATHASAN", "AXL FAP LOXL2 ROR2 TAGLN TWIST2 WNT5A"),
        ("CDC1_COMBES5", "BATF3 C1orf54 CLEC9A IDO1 XCR1"),
        ("BCELL_BUDCZIES8", "BLK CD19 FCRL2 MS4A1 PNOC SPIB TCL1A TNFRSF17"),
    ],
)
def test_small_sets_gene_by_gene(catalogue, readout, genes):
    assert genes_of(catalogue, readout) == set(genes.split())


def test_signed_sets_keep_their_two_directions_apart(catalogue):
    emt = catalogue.readout("EMT_THOMPSON12")
    assert set(emt.genes_up) == {"VIM", "SNAI2", "ZEB2", "FN1", "MMP2", "AGER"}
    assert set(emt.genes_down) == {"CDH1", "CDH3", "CLDN4", "EPCAM", "ST14", "MAL2"}
    melanoma = catalogue.readout("AXL_MITF_TIROSH")
    assert "AXL" in melanoma.genes_up
    assert {"MITF", "MLANA", "PMEL"} <= set(melanoma.genes_down)
    plasticity = catalogue.readout("MPS_PEREZGUIJARRO45")
    assert (len(plasticity.genes_up), len(plasticity.genes_down)) == (33, 12)
    sting = catalogue.readout("STING_PANEL")
    assert set(sting.genes_down) == {"TREX1", "ENPP1", "SAMHD1"}
    ratio = catalogue.readout("HLA_I_II_RATIO")
    assert set(ratio.genes_up) == {"HLA-A", "HLA-B", "HLA-C", "B2M"}


def test_twelve_chemokines_and_natural_killer_genes_are_complete(catalogue):
    assert {"CCL3", "CCL4", "CCL5", "CCL18"} <= genes_of(catalogue, "TLS_CHEMOKINE12")
    assert "CCL4" in genes_of(catalogue, "NK_CD56DIM_SC7")


def test_senescence_set_is_the_human_one(catalogue):
    genes = genes_of(catalogue, "SENMAYO125")
    assert {"CXCL8", "MMP1", "KITLG", "SERPINB4", "ICAM3"} <= genes
    assert not {"KITL", "SERPINB3C", "ICAM5"} & genes


def test_ambiguous_old_symbol_is_left_out(catalogue):
    assert "HFE" not in genes_of(catalogue, "JERBY_RES")


def test_vista_is_under_its_current_symbol(catalogue):
    assert "VSIR" in genes_of(catalogue, "COINHIB_TCELL_ROONEY")


def test_matrix_signature_keeps_its_two_directions_apart(catalogue):
    matrix = catalogue.readout("CECM_CHAKRAVARTHY58")
    assert (len(matrix.genes_up), len(matrix.genes_down)) == (30, 28)
    assert {"COL11A1", "FAP", "MMP11"} <= set(matrix.genes_up)
    assert {"TNXB", "MYH11", "DPT"} <= set(matrix.genes_down)


def test_old_hypoxia_symbols_became_the_right_genes(catalogue):
    renamed = dict(catalogue.signature("HYPOXIA_BUFFA51").renamed)
    assert renamed["NP"] == "PNP"
    assert renamed["AK3L1"] == "AK4"
    assert renamed["HIG2"] == "HILPDA"


def test_pseudogenes_and_dates_are_not_genes(catalogue):
    assert not {"NCF1B", "NCF1C", "1-Dec", "3-Mar", "C"} & set(catalogue.genes())


def test_exhaustion_and_checkpoints_are_never_read_as_resistance(catalogue):
    assert {m.mechanism for m in catalogue.mechanisms if m.direction_at("pre") == "context"} == {
        *("t_exhaustion_dysfunction", "inhibitory_checkpoints", "mapk", "chronic_type1_ifn"),
        *("arginine", "glutamine", "lipid", "costimulation", "proliferation", "senescence"),
        *("oxphos", "ido_kynurenine"),
        *("ddr_replication_stress_cin", "ferroptosis", "kras", "hla_nonclassical_and_ratio"),
        "soluble_checkpoint_proxies",
    }
    for mechanism in ("t_exhaustion_dysfunction", "inhibitory_checkpoints", "mapk"):
        for timepoint in ("pre", "on", "progression", "post", None):
            assert catalogue.mechanism(mechanism).direction_at(timepoint) == "context"


def test_chronic_interferon_counts_at_progression_only(catalogue):
    chronic = catalogue.mechanism("chronic_type1_ifn")
    assert chronic.direction_at("progression") == "high"
    for timepoint in ("pre", "on", "post", None):
        assert chronic.direction_at(timepoint) == "context"
    assert catalogue.mechanism("treg").direction_at(None) == "high"


def test_residuals_are_taken_on_a_readout_read_raw(catalogue):
    axis = catalogue.readout(catalogue.inflammation)
    assert axis.readout == INFLAMMATION
    assert catalogue.mechanism(axis.mechanism).read == "raw"
