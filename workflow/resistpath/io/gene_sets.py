"""Gene-set files of users."""

from __future__ import annotations

from pathlib import Path

from resistpath.errors import UserError
from resistpath.io.files import need_file
from resistpath.methods import GeneSet, as_gene_sets


def read_gmt(path: Path | str) -> list[GeneSet]:
    """Read a GMT file: name, description, then genes, separated by tabs. Read by gseapy."""
    import gseapy

    path = need_file(path, "gene-set file")
    sets = gseapy.read_gmt(str(path))
    if not sets:
        raise UserError(
            "no gene sets", where=str(path), do="each line needs name, description and genes"
        )
    return as_gene_sets(
        {name: [g.strip() for g in genes if g.strip()] for name, genes in sets.items()}
    )
