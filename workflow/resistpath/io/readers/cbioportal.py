"""cBioPortal ``data_mrna_seq_*.txt``: Hugo_Symbol and Entrez_Gene_Id, then one column per sample.

Rows may lack the symbol, so both identifiers are kept, joined as ``SYMBOL|Entrez``. The unit is
not in the file; files of z-scores are refused by their name.
"""

from __future__ import annotations

import re
from dataclasses import replace

from resistpath.errors import UserError
from resistpath.io.readers.delimited import describe, read_header
from resistpath.io.readers.numeric import read_numbers
from resistpath.io.readers.opening import Head
from resistpath.io.readers.samplewise import header_fields
from resistpath.io.readers.source import Format, Options, Source, matrix

_SYMBOL, _ENTREZ = "Hugo_Symbol", "Entrez_Gene_Id"


def _read(head: Head, _options: Options) -> Source:
    where = str(head.path)
    if re.search(r"z-?scores?", head.name, re.I):
        raise UserError(
            "by its name this file holds z-scores, from which abundance cannot be had back",
            where=where,
            do="give the study's file without zscores in its name",
        )
    table = read_header(head)
    layout, _, notes = describe(head, table)
    gene_id = "entrez" if table.names[0] == _ENTREZ else "symbol"
    if {_SYMBOL, _ENTREZ} <= set(table.names):
        layout = replace(layout, ids=tuple(map(table.names.index, (_SYMBOL, _ENTREZ))))
        gene_id = "symbol|entrez"
        notes.append("Hugo symbols and Entrez ids were joined; genes go by Entrez id first.")
    ids, values = read_numbers(head, layout)
    frame = matrix(ids, values, layout.names, where, notes)
    return Source(frame, FORMAT.name, None, gene_id, notes=tuple(notes))


FORMAT = Format(
    name="cbioportal",
    what="cBioPortal mRNA table (data_mrna_seq_*.txt)",
    how="first column Hugo_Symbol or Entrez_Gene_Id",
    fits_file=lambda head: header_fields(head)[0] in (_SYMBOL, _ENTREZ),
    read_file=_read,
)
