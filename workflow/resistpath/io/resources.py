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
    from resistpath.mechanisms.hypotheses import Hypothesis
    from resistpath.mechanisms.patterns import Pattern
    from resistpath.mechanisms.rules import Rule
    from resistpath.methods import GeneSet

CATALOGUE_TABLES = (
    "mechanisms",
    "readouts",
    "signatures",
    "signature_genes",
    "not_assessed",
    "key_genes",
    "direction_check",
)
RULE_TABLES = ("rules", "patterns", "hypotheses")
DECONVOLUTION_TABLES = {
    "til10": "til10.tsv",
    "til10_scaling": "til10_scaling.tsv",
    "til10_removed": "til10_removed.tsv",
    "hgnc_2017": "hgnc_2017-04-18.tsv.gz",
    "mcpcounter": "mcpcounter.tsv",
    "estimate": "estimate.tsv",
    "consensus_markers": "consensus_markers.tsv",
    "limits_of_detection": "limits_of_detection.tsv",
}
SCORE_TABLES = {
    "immunophenoscore": "immunophenoscore.tsv",
    "pairs": "pairs.tsv",
    "weights": "weights.tsv",
    "typical_expression": "typical_expression.tsv.gz",
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


def shipped_packs() -> dict[str, Path]:
    """Reference packs that come with the package, by name."""
    return {p.stem: p for p in sorted(resource("references").glob("*.npz"))}


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
    """The tables of the catalogue, and of the rules written on it."""
    return [resource(f"catalogue/{name}.tsv") for name in RULE_TABLES + CATALOGUE_TABLES]


@cache
def _shipped_catalogue() -> Catalogue:
    from resistpath.mechanisms.catalogue import build_catalogue

    return build_catalogue(**{name: _table(f"catalogue/{name}.tsv") for name in CATALOGUE_TABLES})


@cache
def rules() -> tuple[Rule, ...]:
    """The shipped rules on one sample."""
    from resistpath.mechanisms.rules import build_rules

    return build_rules(_table("catalogue/rules.tsv"), catalogue())


@cache
def patterns() -> tuple[Pattern, ...]:
    """The shipped patterns between two time points."""
    from resistpath.mechanisms.patterns import build_patterns

    return build_patterns(_table("catalogue/patterns.tsv"), catalogue())


@cache
def hypotheses() -> tuple[Hypothesis, ...]:
    """The shipped table of what has been tried against each mechanism."""
    from resistpath.mechanisms.hypotheses import build_hypotheses

    return build_hypotheses(_table("catalogue/hypotheses.tsv"), catalogue())


@cache
def leakage_register() -> pd.DataFrame:
    """Which cohorts each score was trained, selected or reported on."""
    return _table("catalogue/leakage.tsv")


def catalogue(user: Path | str | None = None) -> Catalogue:
    """The shipped catalogue of mechanisms, readouts and signatures.

    Parameters
    ----------
    user
        Gene sets of the user's own (GMT, TSV or CSV) to add; see docs/signatures.md.
    """
    if user is None:
        return _shipped_catalogue()
    from resistpath.io.gene_sets import known_genes, read_user_sets
    from resistpath.mechanisms.joining import join
    from resistpath.provenance import file_sha256

    file = read_user_sets(user)
    read_from = f"{Path(user).name}, sha256 {file_sha256(Path(user))[:12]}"
    return join(
        _shipped_catalogue(), file, known_genes(file.names(), gene_names()), read_from=read_from
    )


def deconvolution_files() -> list[Path]:
    """The tables the deconvolution methods use."""
    return [resource(f"deconvolution/{name}") for name in DECONVOLUTION_TABLES.values()]


@cache
def deconvolution_tables() -> dict[str, pd.DataFrame]:
    """Signature matrices and marker lists of the deconvolution methods."""
    return {key: _table(f"deconvolution/{name}") for key, name in DECONVOLUTION_TABLES.items()}


def score_files() -> list[Path]:
    """The tables of the scoring methods."""
    return [resource(f"score/{name}") for name in SCORE_TABLES.values()]


def score_table(name: str) -> pd.DataFrame:
    """One table of the scoring methods, as text."""
    return _table(f"score/{SCORE_TABLES[name]}")


@cache
def typical_expression() -> pd.Series:
    """Bin of typical tumour expression by gene, 1 lowest to 10."""
    return score_table("typical_expression").set_index("gene")["bin"].astype(int)


@cache
def pair_sets() -> tuple[GeneSet, ...]:
    """Shipped sets of gene pairs."""
    from resistpath.methods import GeneSet

    table = score_table("pairs")
    return tuple(
        GeneSet(str(name), pairs=tuple(zip(rows["higher"], rows["lower"], strict=True)))
        for name, rows in table.groupby("set", sort=True)
    )


@cache
def weighted_sets() -> tuple[tuple[GeneSet, tuple[str, ...]], ...]:
    """Shipped weighted sets, each with its housekeeping genes."""
    from resistpath.methods import GeneSet

    out = []
    for name, rows in score_table("weights").groupby("set", sort=True):
        genes = rows[rows["role"] == "predictor"]
        weights = dict(zip(genes["gene"], genes["weight"].astype(float), strict=True))
        keepers = tuple(rows.loc[rows["role"] == "housekeeping", "gene"])
        out.append((GeneSet(str(name), tuple(weights), weights=weights), keepers))
    return tuple(out)
