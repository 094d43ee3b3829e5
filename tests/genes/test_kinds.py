"""Which kind of identifier a matrix uses, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest
from genes_tools import matrix

from resistpath.errors import UserError
from resistpath.genes import GENE_ID_KINDS, detect_gene_id, harmonise


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["BBB", "AAA", "x", "C-C"], "symbol"),
        (["bbb", "aaa", "c-c"], "symbol"),
        ([10, 20, 30, 99], "entrez"),
        (["10.0", "20.0"], "entrez"),
        (["ENSG00000000010.2", "ENSG00000000040"], "ensembl"),
        (["?|10", "AAA1|20", "C-C|99"], "symbol|entrez"),
        (["BBB_10", "AAA1_20", "C-C_30"], "symbol|entrez"),
        (["BBB (10)", "AAA1 (20)", "C-C (30)"], "symbol|entrez"),
        (["ENSG00000000010.2|BBB", "ENSG00000000020|AAA1"], "ensembl|symbol"),
        (["BBB|ENSG00000000010.2", "AAA1|ENSG00000000020"], "ensembl|symbol"),
        (["ENSG00000000010.2_BBB", "ENSG00000000020_AAA1"], "ensembl|symbol"),
        (["ENSG00000000010.2_PAR_Y", "ENSG00000000020.1_PAR_Y"], "ensembl"),
    ],
)
def test_kind(small: pd.DataFrame, ids: list[object], kind: str) -> None:
    found, evidence = detect_gene_id(pd.Index(ids), small)
    assert found == kind
    assert tuple(evidence) == GENE_ID_KINDS
    assert evidence[kind] > 0.5
    assert all(share == 0 for other, share in evidence.items() if other != kind)


@pytest.mark.parametrize(
    "ids",
    [
        ["BBB", "10", "ENSG00000000010", "AAA1|20"],
        ["BBB_20", "AAA1_30", "C-C_10"],
        ["x1", "x2", "x3"],
    ],
)
def test_unknown_kind_is_explained(small: pd.DataFrame, ids: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        detect_gene_id(pd.Index(ids), small)
    message = str(caught.value)
    assert message.startswith("gene_id: ")
    for part in (*(f"% as {kind}" for kind in GENE_ID_KINDS), *ids[:3]):
        assert part in message


FOREIGN = {
    "ENSMUSG0000000001{}": ("Ensembl ids of mouse or rat", "give human genes"),
    "ENSDARG0000000001{}": ("Ensembl ids of another species", "give human genes"),
    "ENST0000000001{}.2": ("Ensembl ids of transcripts", "sum transcripts to genes first"),
    "ENST0000000001{}.2|ENSG00000000010|BBB": ("Ensembl ids of transcripts", "tx2gene table"),
    "NM_00000{}.3": ("RefSeq ids of transcripts", "tx2gene table"),
    "NR_00000{}": ("RefSeq ids of transcripts", "tx2gene table"),
    "uc001aa{}.1": ("UCSC ids of transcripts", "tx2gene table"),
    "ENSP0000000001{}": ("ids of proteins", "give genes"),
    "20000{}_s_at": ("probes of a microarray", "platform's annotation"),
    "ILMN_165121{}": ("probes of a microarray", "platform's annotation"),
    "cg0000002{}": ("methylation probes", "give gene expression"),
    "hsa-miR-2{}-5p": ("micro-RNAs", "give gene expression"),
}


@pytest.mark.parametrize("form", FOREIGN)
@pytest.mark.parametrize("kind", ["auto", "symbol"])
def test_identifiers_of_another_kind_are_refused_with_a_hint(
    small: pd.DataFrame, form: str, kind: str
) -> None:
    letters = "abc" if "uc" in form else "123"
    ids: list[object] = ["BBB", *(form.format(c) for c in letters)]
    what, do = FOREIGN[form]
    with pytest.raises(UserError) as caught:
        harmonise(matrix(ids), small, gene_id=kind)
    message = str(caught.value)
    assert message.startswith(f"gene_id: the identifiers are {what}, for example ")
    assert do in message


def test_a_whole_mouse_matrix_is_refused(small: pd.DataFrame) -> None:
    """Most mouse genes have no human name at all, so that no kind explains them."""
    ids: list[object] = ["Bbb", "Aaa1", "Gm1234", "Gm5", "0610007P14Rik", "Zfp36", "Trp53", "BBB"]
    for kind in ("auto", "symbol"):
        with pytest.raises(UserError, match=r"look like those of a mouse, .* orthologues"):
            harmonise(matrix(ids), small, gene_id=kind)


def test_errors_for_the_user(small: pd.DataFrame) -> None:
    for arguments in ({"gene_id": "refseq"}, {"merge": "median"}):
        with pytest.raises(UserError, match="is not one of"):
            harmonise(matrix(["BBB"]), small, **arguments)
    with pytest.raises(UserError, match="no row is a known protein-coding gene"):
        harmonise(matrix(["LNC1", "x"]), small, gene_id="symbol")
    with pytest.raises(UserError, match="lacks biotype"):
        harmonise(matrix(["BBB"]), small.drop(columns="biotype"))
    with pytest.raises(UserError, match="repeats symbol BBB"):
        harmonise(matrix(["BBB"]), pd.concat([small, small.head(1)]))
    with pytest.raises(UserError, match="no gene identifiers"):
        detect_gene_id(pd.Index([]), small)
