"""Where the shipped tables lie, and how they become objects."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from resistpath.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from resistpath.identifiers import Names
    from resistpath.mechanisms.catalogue import Catalogue

CATALOGUE_TABLES = (
    "mechanisms",
    "readouts",
    "signatures",
    "signature_genes",
    "not_assessed",
    "key_genes",
)
DECONVOLUTION_TABLES = {
    "til10": "til10.tsv",
    "til10_scaling": "til10_scaling.tsv",
    "til10_removed": "til10_removed.tsv",
    "hgnc_2017": "hgnc_2017-04-18.tsv.gz",
    "mcpcounter": "mcpcounter.tsv",
    "limits_of_detection": "limits_of_detection.tsv",
}


def resource(name: str) -> Path:
    """Path of a shipped table, in a source tree or an installed package."""
    package = Path(__file__).resolve().parents[1]
    for root in (package.parents[1] / "resources", package / "_resources"):
        if (root / name).exists():
            return root / name
    raise UserError(
        f"the shipped table {name} is missing", where=str(package), do="reinstall resistpath"
    )


def workflow_root() -> Path:
    """Folder of the Snakefile, in a source tree or an installed package."""
    package = Path(__file__).resolve().parents[1]
    for root in (package.parents[1], package / "_workflow"):
        if (root / "Snakefile").is_file():
            return root
    raise UserError("the workflow is missing", where=str(package), do="reinstall resistpath")


def _table(name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(resource(name), sep="\t", dtype=str, na_values=["NA"], keep_default_na=False)


@cache
def gene_table() -> pd.DataFrame:
    """The gene table: ensembl, symbol, previous, alias, entrez, biotype, length."""
    import pyarrow as pa
    import pyarrow.csv as pc

    path = resource("genes.tsv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        columns = lines.readline().rstrip("\n").split("\t")
    table = pc.read_csv(
        path,
        read_options=pc.ReadOptions(use_threads=False),  # threads take memory
        parse_options=pc.ParseOptions(delimiter="\t"),
        convert_options=pc.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
    )
    frame = table.to_pandas(split_blocks=True, self_destruct=True, use_threads=False)
    del table
    pa.default_memory_pool().release_unused()
    return frame


@cache
def gene_names() -> Names:
    """The gene table turned round, for looking names up; made once per process."""
    from resistpath.identifiers import turn_table

    return turn_table(gene_table())


@cache
def gene_lengths() -> pd.Series:
    """Merged-exon lengths of the gene table in bases, by symbol."""
    from resistpath.genes import lengths

    return lengths(gene_names())


def catalogue_files() -> list[Path]:
    """The tables the catalogue is built from."""
    return [resource(f"catalogue/{name}.tsv") for name in CATALOGUE_TABLES]


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue of mechanisms, readouts and signatures."""
    from resistpath.mechanisms.catalogue import build_catalogue

    return build_catalogue(**{name: _table(f"catalogue/{name}.tsv") for name in CATALOGUE_TABLES})


def deconvolution_files() -> list[Path]:
    """The tables the deconvolution methods use."""
    return [resource(f"deconvolution/{name}") for name in DECONVOLUTION_TABLES.values()]


@cache
def deconvolution_tables() -> dict[str, pd.DataFrame]:
    """Signature matrices and marker lists of the deconvolution methods."""
    return {key: _table(f"deconvolution/{name}") for key, name in DECONVOLUTION_TABLES.items()}
