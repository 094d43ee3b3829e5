"""Which columns of a table are samples, which hold the genes, and which only describe them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from resistpath.errors import UserError, some
from resistpath.io.resources import gene_table

_GENE = re.compile(
    r"genes?|gene_?(ids?|names?|symbols?|short_name)|symbols?|hugo(_symbol)?|hgnc_symbol"
    r"|ensg(_id)?|ensembl(_gene)?(_id)?|entrez_?(gene)?_?(id)?|ncbi_gene_id|id_ref"
    r"|external_gene_name|official_symbol|tracking_id"
)
"""What the column of identifiers is called, when it is not the first."""
_POSITION = re.compile(r"chr|chrom|chromosome(_name)?|seqnames?")
_TEXT = re.compile(
    _GENE.pattern + "|" + _POSITION.pattern + r"|(gene_?)?(description|title|(bio)?type|class)"
    r"|names?|definition|start|end|strand|locus|(map_)?location|(cyto)?band|transcripts?(_ids?)?"
    r"|transcript_id_s|hgnc_id|refseq(_id|_mrna)?|(uniprot|unigene|tss)(_id)?|source|full_name"
    r"|alias(es)?|synonyms|nearest_ref_id|class_code|annotation_divergence|tag"
)
_NUMBER = re.compile(
    r"entrez_?(gene)?_?(id)?|(ncbi_gene|hgnc)_id|strand|copies|(percentage_gene_)?gc(_content)?|"
    + _POSITION.pattern
    + r"|((gene|transcript|feature|(union_)?exon|eff(ective)?)_?)?length"
    r"|(gene_)?(start|end|stop)(_position)?"
)
_STATISTIC = re.compile(
    r"basemean|lfcse|log2?_?(fc|fold_?change)|fold_?change|[pq]_?val(ue)?|p_?adj|adj_p_val|fdr"
    r"|logcpm"
)
"""Columns of a differential expression analysis, which supplementary tables often carry."""
_COUNTER = re.compile(r"x?|index|rows?|row_?names?|unnamed_0")

_ENSEMBL = re.compile(r"ENS[A-Z]{0,4}G\d{11}(\.\d+)?(_PAR_Y)?")


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are, by position.

    Attributes
    ----------
    labels
        The column of identifiers; of sample names if `turned`.
    values
        Columns of numbers.
    turned
        Whether genes are in columns and samples in rows.
    notes
        What was left out, and why.
    """

    labels: int
    values: tuple[int, ...]
    turned: bool
    notes: tuple[str, ...]


@cache
def _symbols() -> frozenset[str]:
    """Approved symbols, in capitals."""
    return frozenset("\n".join(gene_table()["symbol"].dropna()).upper().split("\n"))


def is_gene(label: str) -> bool:
    """Whether a label is a gene for certain: Ensembl, ``SYMBOL|Entrez`` or a known symbol.

    >>> is_gene("ENSG00000141510.18"), is_gene("cd8a"), is_gene("Patient 1"), is_gene("7157")
    (True, True, False, False)
    """
    label = label.strip().upper()
    symbol = label.split("|")[0]
    return bool(_ENSEMBL.fullmatch(symbol)) or symbol in _symbols()


def _share(labels: Sequence[str]) -> float:
    few = list(labels[:: max(1, len(labels) // 300)])
    return sum(map(is_gene, few)) / max(1, len(few))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def choose_columns(
    names: Sequence[str], text: Sequence[bool | None], labels: Sequence[str], where: str
) -> Columns:
    """Tell samples from identifiers and annotation.

    Parameters
    ----------
    names
        Header of each column.
    text
        Whether the cells of each column seen so far are text (True), numbers (False), or all
        missing (None).
    labels
        Cells of the first column seen so far.
    where
        File, for messages.

    Raises
    ------
    UserError
        If a column of text stands among the samples.
    """
    if _is_turned(names, labels):
        return _turned(names, text)
    plain = [_plain(name) for name in names]
    label, notes = _label_column(names, plain, text, labels)
    rest = [i for i in range(len(names)) if i != label]
    first = next(
        (i for i in rest if text[i] is False and not _NUMBER.fullmatch(plain[i])), len(names)
    )
    left_out, values = list(range(label)), []
    for i in rest[label:]:
        known = (_TEXT,) if text[i] else (_NUMBER, _STATISTIC)
        if any(k.fullmatch(plain[i]) for k in known) or (text[i] and i < first):
            left_out.append(i)
        elif text[i] is None and not names[i].strip():
            notes.append(f"Column {i + 1}, which has neither name nor value, was left out.")
        else:
            values.append(i)
    among = [names[i] for i in values if text[i]]
    if among:
        raise UserError(
            f"{len(among)} columns among the samples hold text: {some([n[:40] for n in among])}",
            where=where,
            do="remove them, or move them before the first sample",
        )
    if left_out:
        words = "column that describes" if len(left_out) == 1 else "columns that describe"
        found = some([names[i][:40] for i in left_out], 8)
        notes.append(f"{len(left_out)} {words} genes, not samples, left out: {found}.")
    return Columns(label, tuple(values), False, tuple(notes))


def _label_column(
    names: Sequence[str], plain: Sequence[str], text: Sequence[bool | None], labels: Sequence[str]
) -> tuple[int, list[str]]:
    """Find the column of identifiers: the first, unless it counts rows or gives positions."""
    counts = bool(_COUNTER.fullmatch(plain[0])) and _counts_rows(labels)
    if not counts and not _POSITION.fullmatch(plain[0]):
        return 0, []
    candidates = [i for i in range(1, len(names)) if _GENE.fullmatch(plain[i])]
    if counts and not candidates:
        candidates = [1] if len(names) > 1 and text[1] else []
    if not candidates:
        return 0, []
    what = "numbers the rows" if counts else "gives positions"
    name = names[candidates[0]][:40]
    return candidates[0], [f"The first column {what}; genes were read from column {name!r}."]


def _counts_rows(labels: Sequence[str]) -> bool:
    return len(labels) > 1 and any(
        list(labels) == [str(i) for i in range(start, start + len(labels))] for start in (0, 1)
    )


def _is_turned(names: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether the header holds genes and the first column does not."""
    header = [name for name in names[1:] if name.strip()]
    if len(header) < 2 or _share(labels) >= 0.1:
        return False
    if _share(header) > 0.5:
        return True
    # Entrez ids: thousands of whole numbers across, and something else down the side.
    return (
        len(header) > 2000
        and all(name.strip().isdigit() for name in header)
        and not all(label.strip().isdigit() for label in labels)
    )


def _turned(names: Sequence[str], text: Sequence[bool | None]) -> Columns:
    values = [i for i in range(1, len(names)) if not text[i] and names[i].strip()]
    described = [names[i][:40] for i in range(1, len(names)) if text[i]]
    notes = ["Genes were in columns and samples in rows; the table was turned."]
    if described:
        notes.append(f"{len(described)} columns of text were left out: {some(described, 8)}.")
    return Columns(0, tuple(values), True, tuple(notes))
