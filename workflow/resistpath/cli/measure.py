"""score, deconvolve and signature: numbers of each sample."""

from __future__ import annotations

import argparse
from pathlib import Path

from resistpath.cli.words import Verbs, folder, numbers, own_sets, picked, say, verb

RECIPE = {
    "fewest_genes": (200, "genes a cell must express"),
    "most_mitochondrial": (0.2, "largest mitochondrial share of a cell"),
    "fewest_cells": (5, "cells a type must have"),
    "per_type": (75, "most markers per type"),
}


def add_score(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``score``."""
    parser = verb(verbs, "score", "score the catalogue's readouts; write scores.tsv")
    folder(parser)
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["ssgsea", "singscore", "mean"],
        metavar="METHOD",
        help="methods to score every gene set with, besides the readout's own",
    )
    parser.add_argument(
        "--network", default="", help="table of source, target and weight for ulm, mlm, weighted"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads; they change no number")
    own_sets(parser)
    parser.set_defaults(run=_score)


def add_deconvolve(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``deconvolve``."""
    parser = verb(verbs, "deconvolve", "estimate cell types; write fractions.tsv")
    folder(parser)
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["quantiseq", "mcpcounter", "estimate", "consensus_markers"],
        metavar="METHOD",
        help="deconvolution methods with tables of their own",
    )
    parser.add_argument(
        "--signature",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "METHOD", "PATH"),
        help="a signature matrix of yours and the method to fit it with (least_squares, epic,"
        " svr); may be repeated",
    )
    parser.set_defaults(run=_deconvolve)


def add_signature(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``signature``."""
    parser = verb(verbs, "signature", "build or show a signature matrix for deconvolve")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = verb(actions, "build", "make a matrix from annotated single cells")
    build.add_argument("cells", type=Path, help="h5ad, or folder in 10x form")
    build.add_argument("--out", type=Path, required=True, help="matrix to write, .tsv")
    build.add_argument("--label", default="cell_type", help="column with the cell types")
    build.add_argument("--labels", type=Path, help="table of cells: barcode, then their columns")
    build.add_argument("--layer", default="X", help="X, raw, or a layer of the h5ad")
    build.add_argument("--units", default="auto", help="auto, counts, tpm, log1p, log2p1, ...")
    build.add_argument("--donor", help="column with the donors, for the genes' variability")
    build.add_argument(
        "--leave-out", nargs="+", default=[], metavar="LABEL", help="labels that are no cell type"
    )
    build.add_argument("--bulk", type=Path, help="folder of a prepared cohort: keep its genes")
    build.add_argument("--name", help="name of the signature (default: the file's)")
    numbers(build, RECIPE)
    build.set_defaults(run=_signature_build)
    show = verb(actions, "show", "print what a matrix holds, as JSON")
    show.add_argument("path", type=Path, help="table, .rda, or EPIC's tables")
    show.set_defaults(run=_signature_show)


def _score(args: argparse.Namespace) -> None:
    from resistpath.steps.score import score

    network = Path(args.network) if args.network else None
    score(
        args.folder,
        methods=args.methods,
        network=network,
        signatures=args.signatures,
        threads=args.threads,
        say=say(args),
    )


def _deconvolve(args: argparse.Namespace) -> None:
    from resistpath.steps.deconvolve import Own, deconvolve

    own = [Own(name, method, Path(path)) for name, method, path in args.signature]
    deconvolve(args.folder, methods=args.methods, signatures=own, say=say(args))


def _signature_build(args: argparse.Namespace) -> None:
    from resistpath.deconvolve.signature import Recipe
    from resistpath.steps.signature import build

    names = ("label", "labels", "layer", "units", "donor", "leave_out", "bulk", "name")
    recipe = Recipe(**picked(args, RECIPE))  # type: ignore[arg-type]
    options = {name: getattr(args, name) for name in names}
    build(args.cells, args.out, recipe=recipe, say=say(args), **options)


def _signature_show(args: argparse.Namespace) -> None:
    import json

    from resistpath.io.signature_matrices import read_signature
    from resistpath.steps.signature import describe

    print(json.dumps(describe(read_signature(args.path)), indent=1, ensure_ascii=False))
