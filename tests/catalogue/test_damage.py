"""The builder of the catalogue refuses damaged tables, and says where."""

from __future__ import annotations

import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.mechanisms.catalogue import build_catalogue


def at(table, key, column, value):
    """Damage that sets one cell of the row whose first column is `key`."""

    def damage(tables):
        frame = tables[table]
        rows = frame.index[frame.iloc[:, 0] == key]
        assert len(rows)
        frame.loc[rows[0], column] = value

    return damage


def repeat(table, **changes):
    """Damage that appends the first row again, changed."""

    def damage(tables):
        frame = tables[table]
        tables[table] = pd.concat([frame, frame.head(1).assign(**changes)], ignore_index=True)

    return damage


def drop(table, key):
    """Damage that removes the rows whose first column is `key`."""

    def damage(tables):
        frame = tables[table]
        tables[table] = frame[frame.iloc[:, 0] != key]
        assert len(tables[table]) < len(frame)

    return damage


def without_column(table, column):
    """Damage that removes a column."""

    def damage(tables):
        tables[table] = tables[table].drop(columns=column)

    return damage


def extra_column(table):
    """Damage that adds a column nobody knows."""

    def damage(tables):
        tables[table] = tables[table].assign(surprise="x")

    return damage


def emptied(table):
    """Damage that leaves a header without rows."""

    def damage(tables):
        tables[table] = tables[table].head(0)

    return damage


DAMAGE = {
    "unknown axis": (
        at("mechanisms", "treg", "axis", "outer"),
        r"mechanisms\.tsv, line 14 \(treg\)",
    ),
    "unknown direction": (
        at("mechanisms", "treg", "resistance_direction", "up"),
        "'up'.*high, low",
    ),
    "unknown view": (at("mechanisms", "treg", "read", "both"), "'both'.*raw, residual"),
    "unknown grade": (at("mechanisms", "treg", "evidence_grade", "D"), "'D'"),
    "unknown time point": (at("mechanisms", "treg", "resistance_timepoints", "pre,later"), "later"),
    "any beside a time point": (
        at("mechanisms", "treg", "resistance_timepoints", "any,pre"),
        "any",
    ),
    "time point twice": (
        at("mechanisms", "treg", "resistance_timepoints", "pre,pre"),
        "repeats pre",
    ),
    "empty text": (
        at("mechanisms", "treg", "evidence_against", None),
        "'evidence_against' is empty",
    ),
    "text that is NA": (at("mechanisms", "treg", "definition", "NA"), "'definition' is empty"),
    "empty source": (at("mechanisms", "treg", "sources", "10.1/a;;10.1/b"), "empty entry"),
    "mechanism twice": (repeat("mechanisms", name="Again", page="more"), "occur twice: mhc1"),
    "name twice": (at("mechanisms", "treg", "name", "Hypoxia"), "names occur twice: Hypoxia"),
    "id with a space": (
        repeat("mechanisms", mechanism="a b", name="c", page="more"),
        "'a b' is not an id",
    ),
    "unknown mechanism": (
        at("readouts", "CAF_MCP8", "mechanism", "caf"),
        r"CAF_MCP8\): mechanism 'caf'",
    ),
    "unknown signature": (at("readouts", "CAF_MCP8", "up", "CAF_MCP9"), "CAF_MCP9"),
    "unknown method": (at("readouts", "CAF_MCP8", "method", "gsva"), "'gsva'"),
    "sign of zero": (at("readouts", "CAF_MCP8", "sign", "0"), "sign is 0"),
    "sign of two": (at("readouts", "CAF_MCP8", "sign", "+2"), "sign is 2"),
    "sign in words": (at("readouts", "CAF_MCP8", "sign", "up"), "not a number"),
    "weight of zero": (at("readouts", "CAF_MCP8", "weight", "0"), "weight is 0"),
    "negative weight": (at("readouts", "CAF_MCP8", "weight", "-1"), "weight is -1"),
    "endless weight": (at("readouts", "CAF_MCP8", "weight", "inf"), "not a number"),
    "readout twice": (repeat("readouts"), "occur twice: APM_MARIATHASAN6"),
    "gene method with two genes": (at("readouts", "PTEN_SINGLE", "up", "PTEN|AKT1"), "2 genes"),
    "gene method with a down side": (
        at("readouts", "PTEN_SINGLE", "down", "AKT1"),
        "'down' is filled",
    ),
    "ratio without a down side": (
        at("readouts", "MACRO_CXCL9_SPP1_RATIO", "down", None),
        "is empty",
    ),
    "gene on both sides": (
        at("readouts", "MACRO_CXCL9_SPP1_RATIO", "down", "CXCL9"),
        "both up and down",
    ),
    "gene twice in a list": (
        at("readouts", "MACRO_CXCL9_SPP1_RATIO", "up", "CXCL9|CXCL9"),
        "repeats",
    ),
    "fraction without a method": (
        at("readouts", "QUANTISEQ_TREGS", "up", "Tregs"),
        "method:cell_type",
    ),
    "small set by rank": (at("readouts", "CYT_ROONEY2", "method", "ssgsea"), "2 genes, too few"),
    "down set scored alone": (
        at("readouts", "CAF_MCP8", "up", "CECM_CHAKRAVARTHY_DN28"),
        "role 'up'",
    ),
    "pair of two up sets": (at("readouts", "CECM_CHAKRAVARTHY58", "down", "CAF_MCP8"), "pair"),
    "mechanism without readout": (
        repeat("mechanisms", mechanism="new", name="New", page="more"),
        "no readout: new",
    ),
    "no inflamed readout": (drop("readouts", "GEP18_UNWEIGHTED"), "T-cell-inflamed readout"),
    "inverted inflamed readout": (at("readouts", "GEP18_UNWEIGHTED", "sign", "-1"), "inverted"),
    "residual of itself": (
        at("mechanisms", "ifng_signalling", "read", "residual"),
        "residual of its own",
    ),
    "signature without genes": (drop("signature_genes", "CAF_MCP8"), "no genes"),
    "genes without signature": (drop("signatures", "CAF_MCP8"), "not in signatures.tsv: CAF_MCP8"),
    "signature twice": (repeat("signatures"), "occur twice: APM_WANG18"),
    "wrong count": (at("signatures", "CAF_MCP8", "n_current", "9"), "n_current is 9.*8 genes"),
    "fewer published than current": (
        at("signatures", "CAF_MCP8", "n_published", "7"),
        "more than the 7",
    ),
    "count that is none": (at("signatures", "CAF_MCP8", "n_published", "8.5"), "not a count"),
    "unknown tier": (at("signatures", "CAF_MCP8", "tier", "C"), "'C'.*A, B, O"),
    "unknown derivation": (at("signatures", "CAF_MCP8", "derivation", "three"), "'three'"),
    "unknown stated direction": (
        at("signatures", "CAF_MCP8", "stated_direction", "high"),
        "'high'",
    ),
    "unknown role": (at("signature_genes", "CAF_MCP8", "role", "both"), "'both'.*up, down"),
    "gene twice in a signature": (repeat("signature_genes"), "'PSMB5' occurs twice"),
    "item twice": (repeat("not_assessed"), "occur twice: HLA"),
    "key gene twice": (repeat("key_genes"), "occur twice: HLA-A"),
    "missing column": (
        without_column("readouts", "sign"),
        r"readouts\.tsv: lacks the columns sign",
    ),
    "unknown column": (extra_column("key_genes"), r"key_genes\.tsv: has unknown columns surprise"),
    "unknown page": (at("mechanisms", "treg", "page", "two"), "'two'.*one, more"),
    "page one too full": (at("mechanisms", "emt", "page", "one"), "15 mechanisms.*at most 14"),
    "unknown disease": (
        at("mechanisms", "nrf2_keap1", "diseases", "lung adenocarcinoma,lung"),
        r"\(nrf2_keap1\): column 'diseases' holds lung",
    ),
    "any beside a disease": (at("mechanisms", "treg", "diseases", "any,melanoma"), "holds any"),
    "disease twice": (at("mechanisms", "treg", "diseases", "melanoma,melanoma"), "repeats"),
    "cluster left out": (
        at("mechanisms", "hypoxia", "cluster", "none"),
        "'hypoxia' shares genes with glycolysis_lactate, but its cluster is 'none'",
    ),
    "cluster of a lone mechanism": (
        at("mechanisms", "treg", "cluster", "t_cells"),
        "shares genes with .*'t_cells' and holds 8",
    ),
    "cluster of one": (
        at("mechanisms", "treg", "cluster", "alone"),
        "'treg' shares genes with no other mechanism",
    ),
    "no rows": (emptied("not_assessed"), r"not_assessed\.tsv: has no rows"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_builder_refuses(tables, kind):
    damage, message = DAMAGE[kind]
    damage(tables)
    with pytest.raises(UserError, match=message):
        build_catalogue(**tables)


def test_message_names_table_line_and_id(tables):
    tables["readouts"].loc[0, "sign"] = "3"
    with pytest.raises(UserError) as caught:
        build_catalogue(**tables)
    assert caught.value.where == "readouts.tsv, line 2 (APM_MARIATHASAN6)"
