"""The catalogue against a second derivation, written without sight of the first.

A list that was typed, copied or turned round wrongly once is caught here; see `README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from resistpath.genes import current_symbols
from resistpath.io.resources import catalogue, gene_table

HERE = Path(__file__).parent


def both_parts(stem: str) -> pd.DataFrame:
    return pd.concat(
        [pd.read_csv(HERE / f"{stem}{part}.tsv", sep="\t") for part in ("", "_2", "_3")],
        ignore_index=True,
    )


DERIVED = both_parts("second_derivation")
SAID = both_parts("second_directions").set_index("signature", verify_integrity=True)
BOOK = catalogue()
PANELS = set(DERIVED.loc[DERIVED["confidence"] == "panel", "signature"])

# Second reader's name -> ours, where the catalogue's id says more about the list it holds.
NAMES = {
    "GEP18_AYERS": "GEP18_UNWEIGHTED",
    "TREG_COMBES8": "TREG_COMBES9",
    "NK_CD56DIM_SC6": "NK_CD56DIM_SC7",
}
# Genes of the second derivation that the catalogue leaves out, with the reason.
NEGATIVE = "negative published weight, which a rank score cannot give it"
NO_GENE = "not protein-coding, or withdrawn: not in the universe that is scored"
LEFT_OUT = {
    "GEP18_UNWEIGHTED": {"CD276": NEGATIVE},
    "MMDSC_CRISTESCU209": dict.fromkeys(("NCF1B", "NCF1C"), NO_GENE),
    "MHC2_RODY15": dict.fromkeys(("LOC100509457", "LOC101060835"), NO_GENE),
    "HALLMARK_FAM": {"XIST": NO_GENE},
    "IPRES_MAPKI_INDUCED_EMT": {"IGHM": NO_GENE},
    "JERBY_RES_UP": dict.fromkeys(
        (
            *("C19orf48P", "GAS5", "H3P6", "HNRNPA1P10", "MIR4461", "RPL13AP5", "SNHG15"),
            *("SNHG29", "SNHG32", "SNHG6", "XIST", "ZFAS1"),
        ),
        NO_GENE,
    ),
    "JERBY_RES_DOWN": dict.fromkeys(
        (
            *("HLA-H", "LEF1-AS1", "LINC-PINT", "LOC100126784", "LOC100506190", "MALAT1"),
            *("NEAT1", "MTRNR2L1", *(f"MTRNR2L{i}" for i in (2, 3, 4, 5, 6, 7, 8, 10))),
        ),
        NO_GENE,
    ),
    "MITF_TIROSH100": {"LINC00473": NO_GENE},
    "MYC_CRISTESCU32": {"C19orf48P": NO_GENE},
}
# Derived by the second reader, but not used by the catalogue.
UNUSED = {"TAM_JIANG50", "MACRO_CXCL9_SPP1", "EXCL_ARNON_SS", "MMR_PANEL"}
# Stated directions that the second reader gives and the catalogue, more cautious, does not.
UNSTATED = {
    "MYELOIDINFL_MCDERMOTT6": "differs between treatments; the direction was not read in the paper",
    "JERBY_RES_DOWN": "lowers the score of the pair and is never read alone",
}
# Mechanisms the second reader gives a direction and the catalogue, more cautious, does not.
UNDIRECTED = {
    "arginine": "arginase 1 did not go with response; enzymes of making and use are mixed",
    "glutamine": "preclinical; the residuals point the other way",
    "lipid": "preclinical; uptake, synthesis and oxidation do not share a sign",
    "costimulation": "no cohort with the readouts; follows T cells",
    "senescence": "a review finds the effect specific to its context",
    "hla_nonclassical_and_ratio": "not tested as a mark of resistance; HLA-E follows class I",
}
DIRECTION = {"high": "high = resistance", "low": "high = sensitivity", "context": "context"}


def theirs(signature: str) -> str:
    return next((k for k, v in NAMES.items() if v == signature), signature)


def second(signature: str) -> pd.DataFrame:
    return DERIVED[DERIVED["signature"] == theirs(signature)]


def _todays() -> dict[str, str]:
    names = sorted(
        {*DERIVED["symbol"], *(g for s in BOOK.signatures for g in s.genes)}
        | {g for r in BOOK.readouts for g in (*r.genes_up, *r.genes_down)}
    )
    known = current_symbols(names, gene_table())["symbol"]
    return {s: now for s, now in zip(names, known, strict=True) if isinstance(now, str)}


TODAYS = _todays()


def current(symbols: Iterable[str]) -> set[str]:
    """Symbols as the gene table has them today; what it does not have stays as it is."""
    return {TODAYS.get(s, s) for s in symbols}


def ours(signature: str) -> set[str]:
    """Genes of a signature, or of the readout of that name where the second reader gave one."""
    if any(s.signature == signature for s in BOOK.signatures):
        return set(BOOK.signature(signature).genes)
    return {*BOOK.readout(signature).genes_up, *BOOK.readout(signature).genes_down}


@pytest.mark.parametrize("signature", [s.signature for s in BOOK.signatures])
def test_genes_agree(signature):
    entry = BOOK.signature(signature)
    rows = second(signature)
    if rows.empty:
        assert entry.derivation == "single source", f"{signature} has no second derivation"
        return
    if theirs(signature) in PANELS:
        return
    expected = current(set(rows["symbol"]) - set(LEFT_OUT.get(signature, {})))
    assert current(entry.genes) == expected


@pytest.mark.parametrize("panel", sorted(PANELS - UNUSED))
def test_panels_overlap_and_are_exploratory(panel):
    """A panel is an opinion: a second one need not be the same, but it must not be another."""
    mine, other = current(ours(panel)), current(second(panel)["symbol"])
    assert 2 * len(mine & other) >= min(len(mine), len(other))
    readouts = [r for r in BOOK.readouts if panel in {r.readout, *r.signatures}]
    assert readouts
    for signature in {s for r in readouts for s in r.signatures}:
        entry = BOOK.signature(signature)
        assert entry.tier == "O"
        assert "xploratory" in entry.name + entry.caveats + readouts[0].name
    if not any(r.signatures for r in readouts):
        assert all("xploratory" in r.name + r.note for r in readouts)


@pytest.mark.parametrize("signature", sorted(LEFT_OUT))
def test_what_is_left_out_is_no_gene_that_could_be_scored(signature):
    table = gene_table()
    coding = set(table.loc[table["biotype"] == "protein_coding", "symbol"])
    for gene, reason in LEFT_OUT[signature].items():
        assert gene in set(second(signature)["symbol"])
        assert (gene in coding) == (reason == NEGATIVE)
    assert (
        "exclu" in BOOK.signature(signature).caveats
        or "left out" in BOOK.signature(signature).caveats
    )


@pytest.mark.parametrize("readout", ["EMT_THOMPSON12", "MPS_PEREZGUIJARRO45", "MACRO_CXCL9_SPP1"])
def test_genes_that_lower_a_score_agree(readout):
    rows = second(readout)
    name = {"MACRO_CXCL9_SPP1": "MACRO_CXCL9_SPP1_RATIO"}.get(readout, readout)
    entry = BOOK.readout(name)
    for role, genes in (("up", entry.genes_up), ("down", entry.genes_down)):
        assert current(genes) == current(rows.loc[rows["role"] == role, "symbol"])


def test_panels_of_two_halves_are_the_right_way_round():
    entry, rows = BOOK.readout("HLA_I_II_RATIO"), second("HLA_I_II_RATIO")
    for role, genes in (("up", entry.genes_up), ("down", entry.genes_down)):
        mine, other = current(genes), current(rows.loc[rows["role"] == role, "symbol"])
        assert 2 * len(mine & other) >= min(len(mine), len(other))
        assert not mine & current(rows.loc[rows["role"] != role, "symbol"])


@pytest.mark.parametrize(
    ("readout", "up", "down"),
    [
        ("JERBY_RES", "JERBY_RES_UP", "JERBY_RES_DOWN"),
        ("AXL_MITF_TIROSH", "AXL_TIROSH100", "MITF_TIROSH100"),
    ],
)
def test_pairs_are_the_right_way_round(readout, up, down):
    entry = BOOK.readout(readout)
    assert (set(entry.genes_up), set(entry.genes_down)) == (ours(up), ours(down))
    for signature, sign in ((up, 1), (down, -1)):
        row = f"sign:{signature} in {entry.mechanism}"
        assert int(SAID.loc[row, "sign"]) == sign * entry.sign


def test_every_derivation_is_compared():
    known = {s.signature for s in BOOK.signatures} | {r.readout for r in BOOK.readouts}
    for name in set(DERIVED["signature"]) - UNUSED:
        assert NAMES.get(name, name) in known
    for name in set(NAMES) | UNUSED:
        assert name in set(DERIVED["signature"]), f"{name} is not derived"


@pytest.mark.parametrize("signature", [s.signature for s in BOOK.signatures])
def test_stated_directions_agree(signature):
    """Or the catalogue, more cautious, states none."""
    stated = BOOK.signature(signature).stated_direction
    if theirs(signature) not in SAID.index:
        assert BOOK.signature(signature).derivation == "single source"
        return
    said = SAID.loc[theirs(signature), "stated_direction"]
    if signature in UNSTATED:
        assert (stated, said != "context") == ("context", True)
    else:
        assert stated == said


@pytest.mark.parametrize("mechanism", [m.mechanism for m in BOOK.mechanisms])
def test_resistance_directions_agree(mechanism):
    """Or the catalogue, more cautious, reads none."""
    said = SAID.loc[f"mechanism:{mechanism}", "stated_direction"]
    mine = DIRECTION[BOOK.mechanism(mechanism).resistance_direction]
    if mechanism in UNDIRECTED:
        assert (mine, said != "context") == ("context", True)
    else:
        assert mine == said


TIMED = [row for row in SAID.index if row.startswith("mechanism:") and "@" in row]


@pytest.mark.parametrize("row", TIMED)
def test_directions_at_a_time_point_agree(row):
    mechanism, timepoint = row.removeprefix("mechanism:").split("@")
    said = SAID.loc[row, "stated_direction"]
    assert DIRECTION[BOOK.mechanism(mechanism).direction_at(timepoint)] == said


def test_chronic_interferon_is_read_at_progression_only():
    assert {f"mechanism:chronic_type1_ifn@{t}" for t in ("pre", "on", "progression")} <= set(TIMED)


@pytest.mark.parametrize(
    ("readout", "row"),
    [
        ("PTEN_SINGLE", "sign:PTEN in pi3k_akt_mtor"),
        ("MACRO_CXCL9_SPP1_RATIO", "sign:CXCL9:SPP1 in tam_m2"),
        ("QUANTISEQ_TREGS", "sign:quanTIseq Tregs in treg"),
        ("LKB1LOSS_KAUFMAN16", "sign:LKB1LOSS_KAUFMAN16 in stk11_lkb1_loss"),
    ],
)
def test_signs_agree(readout, row):
    assert BOOK.readout(readout).sign == int(SAID.loc[row, "sign"])


@pytest.mark.parametrize("readout", ["FERROPTOSIS_GUARD", "FERROPTOSIS_DRIVER"])
def test_signs_of_ferroptosis_are_those_of_the_defence(readout):
    """The second reader signs ferroptosis itself, the catalogue the defence against it."""
    assert "efence" in BOOK.mechanism("ferroptosis").name
    assert BOOK.readout(readout).sign == -int(SAID.loc[f"sign:{readout} in ferroptosis", "sign"])


def test_only_inverted_readouts_carry_a_minus():
    """Every other readout rises with its mechanism."""
    inverted = {r.readout for r in BOOK.readouts if r.sign < 0}
    assert inverted == {
        *("PTEN_SINGLE", "MACRO_CXCL9_SPP1_RATIO", "STK11_SINGLE", "IRF2_SINGLE"),
        *("FERROPTOSIS_DRIVER", "HLA_I_II_RATIO"),
    }


def test_the_matrix_of_normal_tissue_lowers_the_cancer_matrix_score():
    genes = second("CECM_CHAKRAVARTHY_DN28")
    assert set(genes["role"]) == {"down"}
    assert set(BOOK.readout("CECM_CHAKRAVARTHY58").genes_down) == set(genes["symbol"])
