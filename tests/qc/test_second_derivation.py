"""The catalogue against a second derivation, written without sight of the first.

A list that was typed, copied or turned round wrongly once is caught here; see `README.md`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from resistpath.io.resources import catalogue

HERE = Path(__file__).parent
DERIVED = pd.read_csv(HERE / "second_derivation.tsv", sep="\t")
SAID = pd.read_csv(HERE / "second_directions.tsv", sep="\t").set_index("signature")
BOOK = catalogue()

# Second reader's name -> ours, where the catalogue's id says more about the list it holds.
NAMES = {"GEP18_AYERS": "GEP18_UNWEIGHTED", "TREG_COMBES8": "TREG_COMBES9"}
# Genes of the second derivation that the catalogue leaves out, with the reason.
LEFT_OUT = {
    "GEP18_UNWEIGHTED": {"CD276": "negative published weight, which a rank score cannot give it"},
    "MMDSC_CRISTESCU209": {"NCF1B": "pseudogene", "NCF1C": "pseudogene"},
}
# Derived by the second reader, but not used by the catalogue.
UNUSED = {"TAM_JIANG50", "MACRO_CXCL9_SPP1"}
DIRECTION = {"high": "high = resistance", "low": "high = sensitivity", "context": "context"}


def second(signature: str) -> pd.DataFrame:
    theirs = next((k for k, v in NAMES.items() if v == signature), signature)
    return DERIVED[DERIVED["signature"] == theirs]


@pytest.mark.parametrize("signature", [s.signature for s in BOOK.signatures])
def test_genes_agree(signature):
    ours = BOOK.signature(signature)
    rows = second(signature)
    if rows.empty:
        assert ours.derivation == "single source", f"{signature} has no second derivation"
        return
    expected = set(rows["symbol"]) - set(LEFT_OUT.get(signature, {}))
    assert set(ours.genes) == expected


def test_every_derivation_is_compared():
    known = {s.signature for s in BOOK.signatures}
    for name in set(DERIVED["signature"]) - UNUSED:
        assert NAMES.get(name, name) in known


@pytest.mark.parametrize("signature", [s.signature for s in BOOK.signatures])
def test_stated_directions_agree(signature):
    theirs = next((k for k, v in NAMES.items() if v == signature), signature)
    if theirs not in SAID.index:
        assert BOOK.signature(signature).derivation == "single source"
        return
    assert BOOK.signature(signature).stated_direction == SAID.loc[theirs, "stated_direction"]


@pytest.mark.parametrize("mechanism", [m.mechanism for m in BOOK.mechanisms])
def test_resistance_directions_agree(mechanism):
    said = SAID.loc[f"mechanism:{mechanism}", "stated_direction"]
    assert DIRECTION[BOOK.mechanism(mechanism).resistance_direction] == said


def test_chronic_interferon_is_read_at_progression_only():
    entry = BOOK.mechanism("chronic_type1_ifn")
    for timepoint in ("pre", "on", "progression"):
        said = SAID.loc[f"mechanism:chronic_type1_ifn@{timepoint}", "stated_direction"]
        assert DIRECTION[entry.direction_at(timepoint)] == said


@pytest.mark.parametrize(
    ("readout", "row"),
    [
        ("PTEN_SINGLE", "sign:PTEN in pi3k_akt_mtor"),
        ("MACRO_CXCL9_SPP1_RATIO", "sign:CXCL9:SPP1 in tam_m2"),
        ("QUANTISEQ_TREGS", "sign:quanTIseq Tregs in treg"),
    ],
)
def test_signs_agree(readout, row):
    assert BOOK.readout(readout).sign == int(SAID.loc[row, "sign"])


def test_only_inverted_readouts_carry_a_minus():
    """Every other readout rises with its mechanism."""
    inverted = {r.readout for r in BOOK.readouts if r.sign < 0}
    assert inverted == {"PTEN_SINGLE", "MACRO_CXCL9_SPP1_RATIO"}


def test_the_matrix_of_normal_tissue_lowers_the_cancer_matrix_score():
    genes = second("CECM_CHAKRAVARTHY_DN28")
    assert set(genes["role"]) == {"down"}
    assert set(BOOK.readout("CECM_CHAKRAVARTHY58").genes_down) == set(genes["symbol"])
