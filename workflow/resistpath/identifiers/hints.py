"""Identifiers that are not those of human genes, and what to do about them."""

from __future__ import annotations

import re

import pandas as pd

from resistpath.errors import UserError, some

SUM_TRANSCRIPTS = "sum transcripts to genes first, by the tx2gene table of the annotation"

# What identifiers look like, what they are, what to do about a matrix of them.
_KINDS = (
    (r"ENS(?:MUS|RNO)[GTP]\d+(?:\.\d+)?", "Ensembl ids of mouse or rat", "give human genes"),
    (r"ENS[A-Z]{3,4}[GTP]\d+(?:\.\d+)?", "Ensembl ids of another species", "give human genes"),
    (r"ENST\d+.*", "Ensembl ids of transcripts", SUM_TRANSCRIPTS),
    (r"(?:NM|NR|XM|XR)_\d+(?:\.\d+)?", "RefSeq ids of transcripts", SUM_TRANSCRIPTS),
    (r"uc\d{3}[a-z]{3}\.\d+", "UCSC ids of transcripts", SUM_TRANSCRIPTS),
    (r"ENSP\d+.*|(?:NP|XP)_\d+(?:\.\d+)?", "ids of proteins", "give genes"),
    (r"ENSE\d+.*", "Ensembl ids of exons", "count reads per gene"),
    (
        r"\d+(?:_[a-z]{1,2})?_at|ILMN_\d+|A_\d{2}_P\d+|\d{7,8}_st",
        "probes of a microarray",
        "replace probes by gene symbols, by the platform's annotation",
    ),
    (r"c[gh]\d{8}(?:_.*)?", "methylation probes", "give gene expression"),
    (r"hsa-(?:mir|miR|let)-.*", "micro-RNAs", "give gene expression"),
)
_MOUSE = r"[A-Z][a-z][A-Za-z0-9.-]*|\d.*Rik|Gm\d+"
_HUMAN_LIKE = r"Y_RNA|[A-Z]orf\d.*"


def hint(ids: pd.Series) -> pd.Series:
    """Reason for each identifier of a kind that cannot be used; "" for others.

    Examples
    --------
    >>> hint(pd.Series(["NM_000546.6", "TP53"])).tolist()
    ['RefSeq ids of transcripts: sum transcripts to genes first, by ...', '']
    """
    kinds = [(re.compile(pattern), f"{what}: {do}") for pattern, what, do in _KINDS]
    found = [next((why for form, why in kinds if form.fullmatch(text)), "") for text in ids]
    return pd.Series(found, index=ids.index, dtype=object)


def refuse_foreign(ids: pd.Series) -> None:
    """Stop if most identifiers are of a kind that cannot be used."""
    for pattern, what, do in _KINDS:
        fitting = ids.str.fullmatch(pattern)
        if fitting.mean() > 0.5:
            raise UserError(
                f"the identifiers are {what}, for example {some(ids[fitting][:3], 3)}",
                where="gene_id",
                do=do,
            )


def refuse_mouse(ids: pd.Series, human: pd.Series) -> None:
    """Stop if most symbols are written as those of a mouse: Cd8a, Trp53, Gm1234.

    Parameters
    ----------
    ids
        Symbols.
    human
        Whether each is a human gene's name as it is written.
    """
    if human.mean() > 0.5:
        return
    mouse = ids.str.fullmatch(_MOUSE) & ~ids.str.fullmatch(_HUMAN_LIKE) & ~human
    if mouse.mean() > 0.5:
        raise UserError(
            f"the gene symbols look like those of a mouse, for example {some(ids[mouse][:3], 3)}",
            where="gene_id",
            do="give human genes: convert by a table of orthologues, not by letter case",
        )
