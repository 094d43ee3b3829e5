"""The shipped catalogue keeps its promises, and the builder refuses each kind of damage."""

from __future__ import annotations

import pandas as pd
import pytest
from catalogue_tools import RESOURCES

from resistpath.errors import UserError
from resistpath.mechanisms.catalogue import build_catalogue
from resistpath.mechanisms.diseases import disease_name
from resistpath.mechanisms.overlap import likeness, overlap

DIRECTIONS = {
    "mhc1_antigen_presentation": ("low", "residual", "any"),
    "ifng_signalling": ("low", "raw", "any"),
    "chronic_type1_ifn": ("high", "residual", "progression"),
    "wnt_beta_catenin": ("high", "residual", "any"),
    "pi3k_akt_mtor": ("high", "residual", "any"),
    "mapk": ("context", "residual", "any"),
    "tgf_beta": ("high", "residual", "any"),
    "caf_ecm_barrier": ("high", "residual", "any"),
    "angiogenesis_vegf": ("high", "residual", "any"),
    "hypoxia": ("high", "residual", "any"),
    "glycolysis_lactate": ("high", "residual", "any"),
    "adenosine": ("high", "residual", "any"),
    "treg": ("high", "residual", "any"),
    "mdsc": ("high", "residual", "any"),
    "tam_m2": ("high", "residual", "any"),
    "cytolytic_activity": ("low", "raw", "any"),
    "t_exhaustion_dysfunction": ("context", "residual", "any"),
    "inhibitory_checkpoints": ("context", "residual", "any"),
    "mhc2_antigen_presentation": ("low", "raw", "any"),
    "ifn_pathway_integrity": ("low", "residual", "any"),
    "emt": ("high", "residual", "any"),
    "ipres": ("high", "residual", "any"),
    "oxphos": ("context", "residual", "any"),
    "ido_kynurenine": ("high", "residual", "on,progression"),
    "arginine": ("context", "residual", "any"),
    "glutamine": ("context", "residual", "any"),
    "lipid": ("context", "residual", "any"),
    "neutrophil_il8": ("high", "residual", "any"),
    "t_cell_exclusion": ("high", "residual", "any"),
    "cd8_t_effector": ("low", "raw", "any"),
    "tls_b_cell": ("low", "raw", "any"),
    "nk_cells": ("low", "raw", "any"),
    "dendritic_cdc1": ("low", "raw", "any"),
    "costimulation": ("context", "residual", "any"),
    "proliferation": ("context", "residual", "any"),
    "dedifferentiation_plasticity": ("high", "residual", "any"),
    "ddr_replication_stress_cin": ("context", "residual", "any"),
    "senescence": ("context", "residual", "any"),
    "ferroptosis": ("context", "residual", "any"),
    "cgas_sting": ("low", "residual", "any"),
    "nrf2_keap1": ("high", "residual", "any"),
    "stk11_lkb1_loss": ("high", "residual", "any"),
    "myc": ("high", "residual", "any"),
    "kras": ("context", "residual", "any"),
    "hla_nonclassical_and_ratio": ("context", "residual", "any"),
    "soluble_checkpoint_proxies": ("context", "residual", "any"),
}
SIZES = {
    "APM_MARIATHASAN6": 6,
    "APM_WANG18": 18,
    "GEP18_UNWEIGHTED": 17,
    "IFNG6_AYERS": 6,
    "HALLMARK_IFNA": 97,
    "ISGRS_BENCI38": 38,
    "WNT_PIRL8": 8,
    "WNT_CRISTESCU13": 13,
    "HALLMARK_PI3K": 105,
    "PTEN_SINGLE": 1,
    "HALLMARK_MTORC1": 200,
    "MPAS10_WAGLE": 10,
    "RAS_CRISTESCU11": 11,
    "PANFTBRS_MARIATHASAN19": 19,
    "HALLMARK_TGFB": 54,
    "STROMA_CRISTESCU51": 51,
    "CECM_CHAKRAVARTHY58": 58,
    "CAF_MCP8": 8,
    "ANGIO_CRISTESCU16": 16,
    "ANGIO_MCDERMOTT6": 6,
    "HYPOXIA_BUFFA51": 51,
    "HALLMARK_HYPOXIA": 200,
    "HALLMARK_GLYCOLYSIS": 200,
    "GLYCOLYSIS_CRISTESCU30": 30,
    "ADENOSIG_FONG8": 8,
    "ADO_SIDDERS14": 14,
    "TREG_ZHANG9": 9,
    "TREG_COMBES9": 9,
    "MMDSC_CRISTESCU209": 207,
    "GMDSC_CRISTESCU43": 43,
    "MACRO_CXCL9_SPP1_RATIO": 2,
    "MACRO_COMBES5": 5,
    "CYT_ROONEY2": 2,
    "CYTOTOX_DAVOLI7": 7,
    "CTL_JIANG5": 5,
    "EXH_LI12": 12,
    "EXH_DANAHER4": 4,
    "CHECKPOINT_MARIATHASAN7": 7,
    "COINHIB_TCELL_ROONEY": 10,
    "MHC2_LIU13": 13,
    "MHC2_RODY15": 13,
    "IFNG_PATHWAY_GENES": 9,
    "JAK1_SINGLE": 1,
    "EMT_THOMPSON12": 12,
    "EMT2_MARIATHASAN": 7,
    "IPRES_MAPKI_INDUCED_EMT": 32,
    "IPRES_MAPKI_INDUCED_ANGIOGENESIS": 25,
    "HALLMARK_OXPHOS": 200,
    "REACTOME_RET": 100,
    "REACTOME_TRP_CATABOLISM": 14,
    "IDO_PANEL": 9,
    "ARGININE_PANEL": 8,
    "GLUTAMINE_PANEL": 11,
    "REACTOME_GLUTAMINE": 14,
    "HALLMARK_FAM": 157,
    "LIPID_PANEL": 14,
    "IL8_RODY3": 3,
    "MYELOIDINFL_MCDERMOTT6": 6,
    "NEUTRO_DANAHER7": 7,
    "JERBY_RES": 495,
    "JERBY_EXC_SEED_UP": 20,
    "TEFF_MARIATHASAN8": 8,
    "TEFF_FEHRENBACHER8": 8,
    "TLS_CHEMOKINE12": 12,
    "BCELL_BUDCZIES8": 8,
    "PLASMA_SC6": 6,
    "NK_DANAHER3": 3,
    "NK_CD56DIM_SC7": 7,
    "CDC1_COMBES5": 5,
    "CD103_DC_BROZ10": 10,
    "COSTIM_T_ROONEY": 13,
    "COSTIM_APC_ROONEY": 11,
    "PROLIF_PABLA10": 10,
    "HALLMARK_E2F": 200,
    "AXL_MITF_TIROSH": 199,
    "MPS_PEREZGUIJARRO45": 45,
    "CIN25_CARTER": 25,
    "HALLMARK_DNA_REPAIR": 150,
    "SENMAYO125": 125,
    "FRIDMAN_SEN_UP77": 77,
    "FERROPTOSIS_GUARD": 9,
    "FERROPTOSIS_DRIVER": 7,
    "STING_PANEL": 10,
    "ISHIKAWA_STING9": 9,
    "NRF2_SINGH14": 14,
    "NRF2_CORE": 17,
    "LKB1LOSS_KAUFMAN16": 16,
    "STK11_SINGLE": 1,
    "HALLMARK_MYC_V2": 58,
    "MYC_CRISTESCU32": 31,
    "HALLMARK_KRAS_UP": 200,
    "IRF2_SINGLE": 1,
    "HLA_NONCLASSICAL": 7,
    "HLA_I_II_RATIO": 9,
    "SOLUBLE_CHECKPOINT_GENES": 25,
    "STROMAL_ESTIMATE141": 141,
    "IMMUNE_ESTIMATE141": 141,
    "IFNG_SINGLE": 1,
    "IFNG_TARGETS13": 13,
}
PAGE_ONE = [
    *("mhc1_antigen_presentation", "ifng_signalling", "chronic_type1_ifn", "wnt_beta_catenin"),
    *("pi3k_akt_mtor", "mapk", "tgf_beta", "caf_ecm_barrier", "hypoxia", "glycolysis_lactate"),
    *("adenosine", "treg", "mdsc", "tam_m2"),
]
CLUSTERS = {
    "antigen_presentation": {
        *("mhc1_antigen_presentation", "mhc2_antigen_presentation", "chronic_type1_ifn"),
        *("t_cell_exclusion", "hla_nonclassical_and_ratio"),
    },
    "t_cells": {
        *("ifng_signalling", "cytolytic_activity", "cd8_t_effector", "t_exhaustion_dysfunction"),
        *("inhibitory_checkpoints", "costimulation", "soluble_checkpoint_proxies"),
    },
    "myeloid_inflammation": {
        *("angiogenesis_vegf", "adenosine", "mdsc", "tam_m2", "neutrophil_il8", "senescence"),
    },
    "hypoxia_glycolysis": {"hypoxia", "glycolysis_lactate"},
    "proliferation": {"proliferation", "ddr_replication_stress_cin"},
}
BOUND = {
    "t_cell_exclusion": ("melanoma",),
    "dedifferentiation_plasticity": ("melanoma",),
    "nrf2_keap1": (
        *("lung adenocarcinoma", "lung squamous cell carcinoma"),
        "non-small cell lung cancer",
    ),
    "stk11_lkb1_loss": ("lung adenocarcinoma",),
}
RETIRED = {
    *("CTGF", "FAM101B", "C10orf54", "TMEM173", "MB21D1", "LMP2", "LMP7", "CYR61", "SHFM1"),
    *("MRE11A", "H2AFX", "DDX58", "WARS", "IL8", "TSTA3", "PDL2", "TABBP", "TN-C", "TIGTT'"),
}


# ------------------------------------------------------------------ the shipped tables


def test_mechanisms_have_their_direction_view_and_time_points(catalogue):
    found = {
        m.mechanism: (m.resistance_direction, m.read, m.resistance_timepoints)
        for m in catalogue.mechanisms
    }
    assert found == DIRECTIONS
    assert list(found) == list(DIRECTIONS)  # page order


def test_every_readout_has_its_number_of_genes(catalogue):
    assert {s.name: len(s.genes) for s in catalogue.gene_sets()} == SIZES
    assert catalogue.fractions() == (("quantiseq", "treg"),)


def test_every_mechanism_has_two_readouts_where_two_exist(catalogue):
    single = {
        m.mechanism for m in catalogue.mechanisms if len(catalogue.readouts_of(m.mechanism)) < 2
    }
    assert single == {"arginine", "soluble_checkpoint_proxies"}


def test_page_one_shows_fourteen_mechanisms(catalogue):
    assert [m.mechanism for m in catalogue.page("one")] == PAGE_ONE
    assert len(catalogue.page("more")) == len(catalogue.mechanisms) - len(PAGE_ONE)


def test_mechanisms_bound_to_a_disease(catalogue):
    assert {m.mechanism: m.diseases for m in catalogue.mechanisms if m.diseases} == BOUND
    lung = catalogue.mechanism("stk11_lkb1_loss")
    assert lung.unreadable_in("LUAD") is None
    assert lung.unreadable_in("Lung adenocarcinoma") is None
    assert lung.unreadable_in("NSCLC") == (
        "read in lung adenocarcinoma only; this sample is non-small cell lung cancer"
    )
    assert lung.unreadable_in(None) == (
        "read in lung adenocarcinoma only; the disease is not stated"
    )
    assert catalogue.mechanism("treg").unreadable_in(None) is None


def test_uveal_melanoma_is_not_melanoma(catalogue):
    assert catalogue.mechanism("dedifferentiation_plasticity").unreadable_in("uveal melanoma")
    assert disease_name("Skin_Cutaneous Melanoma") == "melanoma"
    assert disease_name("") is None


def test_clusters_are_those_of_the_genes(catalogue):
    found = {}
    for mechanism in catalogue.mechanisms:
        if mechanism.cluster is not None:
            found.setdefault(mechanism.cluster, set()).add(mechanism.mechanism)
    assert found == CLUSTERS
    assert {m.mechanism for m in catalogue.cluster_of("hypoxia")} == {"glycolysis_lactate"}
    assert catalogue.cluster_of("treg") == ()


def test_overlap_is_measured_against_the_smaller_set(catalogue):
    teff, cyt = catalogue.readout("TEFF_MARIATHASAN8"), catalogue.readout("CYT_ROONEY2")
    assert overlap(teff, cyt) == overlap(cyt, teff) == 1
    # One shared gene is chance, not overlap: GZMA of the pair.
    assert overlap(catalogue.readout("TEFF_FEHRENBACHER8"), cyt) == 0
    hypoxia, sugar = (catalogue.readouts_of(m) for m in ("hypoxia", "glycolysis_lactate"))
    assert likeness(hypoxia, sugar) == likeness(sugar, hypoxia) > 0.3
    assert likeness(hypoxia, ()) == 0


def test_nothing_from_kegg_is_shipped(catalogue):
    for signature in catalogue.signatures:
        assert "KEGG" not in signature.read_from, signature.signature
        assert "KEGG" not in signature.signature


def test_panels_are_labelled_exploratory(catalogue):
    for signature in catalogue.signatures:
        if signature.tier == "O":
            note = catalogue.readout(signature.signature).name + signature.caveats
            assert "xploratory" in note or "not exact gene set" in note, signature.signature


def test_context_readouts_belong_to_no_mechanism(catalogue):
    names = [r.readout for r in catalogue.context_readouts()]
    assert names == [
        "STROMAL_ESTIMATE141",
        "IMMUNE_ESTIMATE141",
        "IFNG_SINGLE",
        "IFNG_TARGETS13",
    ]


def test_method_follows_the_size_of_the_set(catalogue):
    for readout in catalogue.readouts:
        n = len(readout.genes_up + readout.genes_down)
        if readout.method == "mean":
            assert n < 5, readout.readout
        if readout.method == "ssgsea":
            assert n >= 5, readout.readout
            assert not readout.genes_down, readout.readout
        if readout.method == "singscore":
            assert readout.genes_up, readout.readout
            assert readout.genes_down, readout.readout


def test_inverted_readouts_say_so(catalogue):
    inverted = {r.readout for r in catalogue.readouts if r.sign == -1}
    assert inverted == {
        *("PTEN_SINGLE", "MACRO_CXCL9_SPP1_RATIO", "STK11_SINGLE", "IRF2_SINGLE"),
        *("FERROPTOSIS_DRIVER", "HLA_I_II_RATIO"),
    }
    assert all("inverted" in catalogue.readout(r).name for r in inverted)
    ratio = catalogue.readout("MACRO_CXCL9_SPP1_RATIO")
    assert (ratio.genes_up, ratio.genes_down) == (("CXCL9",), ("SPP1",))


def test_half_weights_say_why(catalogue):
    light = {r.readout: r.note for r in catalogue.readouts if r.weight != 1}
    assert set(light) == {
        *("HALLMARK_MTORC1", "ADENOSIG_FONG8", "NEUTRO_DANAHER7", "ISHIKAWA_STING9"),
        "REACTOME_RET",
    }
    assert all("Half weight" in note for note in light.values())


def test_every_signature_is_used(catalogue):
    used = {s for r in catalogue.readouts for s in r.signatures}
    assert used == {s.signature for s in catalogue.signatures}


def test_every_symbol_is_an_approved_protein_coding_gene(catalogue):
    genes = pd.read_csv(RESOURCES / "genes.tsv.gz", sep="\t", dtype=str)
    approved = set(genes.loc[genes["biotype"] == "protein_coding", "symbol"])
    assert set(catalogue.genes()) <= approved


def test_every_renaming_agrees_with_the_gene_table(catalogue):
    genes = pd.read_csv(RESOURCES / "genes.tsv.gz", sep="\t", dtype=str, keep_default_na=False)
    genes = genes[genes["biotype"] == "protein_coding"]
    former = {
        symbol: {*previous.split("|"), *alias.split("|")}
        for symbol, previous, alias in genes[["symbol", "previous", "alias"]].itertuples(
            index=False
        )
    }
    for signature in catalogue.signatures:
        for published, symbol in signature.renamed:
            assert published in former[symbol], (signature.signature, published)


def test_what_was_excluded_is_named_in_the_caveats(catalogue):
    short = {s.signature: s for s in catalogue.signatures if s.n_current < s.n_published}
    named = {
        "GEP18_UNWEIGHTED": ["CD276"],
        "ISGRS_BENCI38": ["DDX58", "IFIH1"],
        "MMDSC_CRISTESCU209": ["NCF1B", "NCF1C"],
        "MHC2_RODY15": ["LOC100509457", "LOC101060835"],
        "IPRES_MAPKI_INDUCED_EMT": ["IGHM"],
        "HALLMARK_FAM": ["XIST"],
        "JERBY_RES_UP": [
            *("C17orf76-AS1", "C19orf48", "C6orf48", "GAS5", "H3F3AP4", "HNRNPA1P10", "MIR4461"),
            *("RPL13AP5", "RPS17L", "SNHG15", "SNHG6", "XIST", "ZFAS1"),
        ],
        "JERBY_RES_DOWN": [
            *("FLJ43663", "HLA-H", "LEF1-AS1", "LOC100126784", "LOC100506190", "MALAT1", "NEAT1"),
            *(f"MTRNR2L{i}" for i in (1, 10, 2, 3, 4, 5, 6, 7, 8)),
        ],
        "MITF_TIROSH100": ["LINC00473"],
        "NRF2_CORE": ["TRIM16L"],
        "MYC_CRISTESCU32": ["C19orf48"],
    }
    assert set(short) == set(named)
    for signature, excluded in named.items():
        entry = short[signature]
        assert entry.n_published - entry.n_current == len(excluded)
        assert "excluded" in entry.caveats
        assert all(gene in entry.caveats and gene not in entry.genes for gene in excluded)


def test_no_retired_or_misspelt_symbol(catalogue):
    assert not RETIRED & set(catalogue.genes())


MAY_BE_MISSING = {
    ("readouts", "down"),
    ("readouts", "mechanism"),
    ("not_assessed", "mechanism"),
    *(("direction_check", f"residual_{end}") for end in ("auc", "low", "high", "above")),
}


def test_no_cell_is_blank_or_padded(tables):
    for name, table in tables.items():
        for column in table:
            cells = table[column].dropna()
            assert (cells.str.strip() == cells).all(), (name, column)
            assert (cells != "").all(), (name, column)
            if (name, column) not in MAY_BE_MISSING:
                assert table[column].notna().all(), (name, column)


def test_definitions_are_two_sentences_at_most(catalogue):
    for mechanism in catalogue.mechanisms:
        assert mechanism.definition.count(". ") <= 1, mechanism.mechanism


def test_unseen_gene_list_is_said_to_be_unseen(catalogue):
    assert "NOT SEEN" in catalogue.signature("ADENOSIG_FONG8").caveats
    unseen = [s.signature for s in catalogue.signatures if "recalled" in s.read_from]
    assert unseen == ["ADENOSIG_FONG8"]


# ------------------------------------------------------------------ lookups


def test_gene_sets_can_be_asked_for_by_method(catalogue):
    means = {"CYT_ROONEY2", "EXH_DANAHER4", "IL8_RODY3", "NK_DANAHER3"}
    assert {s.name for s in catalogue.gene_sets("mean")} == means
    assert catalogue.gene_sets("fraction") == []
    with pytest.raises(UserError, match="gsva"):
        catalogue.gene_sets("gsva")


@pytest.mark.parametrize("kind", ["mechanism", "readout", "signature"])
def test_unknown_id_names_the_known_ones(catalogue, kind):
    with pytest.raises(UserError, match=f"no {kind} 'nothing'; choose among"):
        getattr(catalogue, kind)("nothing")


def test_readouts_of_an_unknown_mechanism_are_refused(catalogue):
    with pytest.raises(UserError, match="no mechanism"):
        catalogue.readouts_of("nothing")


def test_fraction_names_its_method_and_cell_type(catalogue):
    assert catalogue.readout("QUANTISEQ_TREGS").fraction == ("quantiseq", "treg")
    assert catalogue.readout("QUANTISEQ_TREGS").gene_set is None
    assert catalogue.readout("PTEN_SINGLE").fraction is None
    assert catalogue.readout("PTEN_SINGLE").signatures == ()


def test_numbers_may_come_as_numbers(tables):
    for name, columns in (("readouts", ["sign", "weight"]), ("signatures", ["n_published"])):
        for column in columns:
            tables[name][column] = pd.to_numeric(tables[name][column])
    assert build_catalogue(**tables).readout("PTEN_SINGLE").sign == -1
