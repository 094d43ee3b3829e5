"""compare, differential and meta: associations within and across cohorts."""

from __future__ import annotations

import argparse
from pathlib import Path

from resistpath.cli.words import Verbs, folder, own_sets, say, verb

COMPARE = {
    "timepoint": "pre",
    "covariates": ["batch", "site", "prior_treatment", "purity"],
    "replicates": "mean",
    "level": 0.95,
}


DIFFERENTIAL = {"method": "limma", "permutations": 1000, "min_size": 5, "seed": 1}

META = {"estimator": "reml"}


def _comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timepoint", default=COMPARE["timepoint"], help="which samples to take")
    parser.add_argument(
        "--covariates",
        nargs="*",
        default=COMPARE["covariates"],
        metavar="COLUMN",
        help="columns of the sample sheet to adjust for; those it has not are passed over",
    )
    parser.add_argument(
        "--replicates",
        choices=("mean", "first"),
        default=COMPARE["replicates"],
        help="several samples of one patient and time point: their mean, or the first by name",
    )
    parser.add_argument(
        "--level", type=float, default=COMPARE["level"], help="confidence level of intervals"
    )


def add_compare(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``compare``."""
    parser = verb(verbs, "compare", "associate with response, survival and time; see comparison/")
    folder(parser)
    _comparison(parser)
    parser.add_argument(
        "--no-embedding", action="store_true", help="no PCA and UMAP for the cohort page"
    )
    parser.set_defaults(run=_compare)


def add_differential(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``differential``."""
    parser = verb(verbs, "differential", "rank genes and gene sets by response; see comparison/")
    folder(parser)
    _comparison(parser)
    parser.add_argument(
        "--method",
        choices=("auto", "pydeseq2", "limma", "none"),
        default=DIFFERENTIAL["method"],
        help="auto: PyDESeq2 for whole reads, else limma's moderated t; none: empty tables",
    )
    for name, help_ in (
        ("permutations", "random gene sets behind a set's p"),
        ("min_size", "fewest ranked genes of a set"),
        ("seed", "of the random gene sets"),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=DIFFERENTIAL[name], help=help_
        )
    own_sets(parser)
    parser.set_defaults(run=_differential)


def add_meta(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``meta``."""
    parser = verb(verbs, "meta", "pool the associations of several cohorts")
    parser.add_argument("folders", type=Path, nargs="+", help="folders of the cohorts")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--estimator",
        choices=("reml", "dl", "fixed"),
        default=META["estimator"],
        help="variance between cohorts",
    )
    _comparison(parser)
    parser.set_defaults(run=_meta)


def _compare(args: argparse.Namespace) -> None:
    from resistpath.steps.compare import compare
    from resistpath.steps.embed import write_embedding

    compare(args.folder, say=say(args), **{name: getattr(args, name) for name in COMPARE})
    write_embedding(args.folder, wanted=not args.no_embedding, say=say(args))


def _differential(args: argparse.Namespace) -> None:
    from resistpath.steps.differential import differential

    options = {name: getattr(args, name) for name in COMPARE | DIFFERENTIAL}
    differential(args.folder, signatures=args.signatures, say=say(args), **options)


def _meta(args: argparse.Namespace) -> None:
    from resistpath.steps.meta import pool

    options = {name: getattr(args, name) for name in COMPARE | META}
    pool(args.folders, args.out, say=say(args), **options)
