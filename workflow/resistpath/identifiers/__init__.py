"""What an identifier stands for: symbols past and present, Ensembl and Entrez ids.

The gene table (``resources/genes.tsv.gz``) is an argument of every function: one row per gene
with columns `ensembl`, `symbol`, `previous`, `alias`, `entrez`, `biotype`, `length` and,
optionally, `ensembl_other` and `entrez_other`; lists are joined by ``|``.
"""

from __future__ import annotations

from resistpath.identifiers.hints import refuse_foreign, refuse_mouse
from resistpath.identifiers.kinds import (
    GENE_ID_KINDS,
    detect,
    detect_gene_id,
    resolve,
    use_ensembl,
)
from resistpath.identifiers.names import Answers, Names, as_names, clean_table, texts, turn_table

__all__ = [
    "GENE_ID_KINDS",
    "Answers",
    "Names",
    "as_names",
    "clean_table",
    "detect",
    "detect_gene_id",
    "refuse_foreign",
    "refuse_mouse",
    "resolve",
    "texts",
    "turn_table",
    "use_ensembl",
]
