"""fetch and prepare: from a source to one h5ad."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resistpath.cli.words import Verbs, folder, numbers, picked, say, verb
from resistpath.errors import UserError

if TYPE_CHECKING:
    from resistpath.quality import Gates


FETCH = {
    "timeout": (60.0, "longest silence of a server, seconds"),
    "tries": (5, "attempts without progress before giving up"),
    "connections": (4, "files downloaded at the same time"),
    "max_gb": (20.0, "most that may be downloaded, 10^9 bytes"),
}


def add_fetch(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``fetch``."""
    parser = verb(verbs, "fetch", "download a public accession or address into FOLDER/raw")
    folder(parser)
    parser.add_argument("source", help="geo:GSE…, gdc:PROJECT, xena:HUB_DATASET, https://…")
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="SITE=URL",
        help="base address to use for a site, as geo=https://… or xena.toil=https://…",
    )
    numbers(parser, FETCH)
    parser.set_defaults(run=_fetch)


def add_prepare(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``prepare``."""
    parser = verb(verbs, "prepare", "read a matrix; write prepared.h5ad, quality.tsv, genes.tsv")
    folder(parser)
    parser.add_argument(
        "--expression", type=Path, required=True, help="matrix, or folder with a file per sample"
    )
    parser.add_argument("--samples", type=Path, help="sample sheet with a column 'sample'")
    parser.add_argument("--cohort", help="name shown on pages (default: the folder's name)")
    parser.add_argument("--cancer-type", default="", help="disease, if the sheet does not say")
    parser.add_argument("--units", default="auto", help="auto, counts, tpm, log2(tpm+1), ...")
    parser.add_argument("--gene-id", default="auto", help="auto, symbol, entrez, ensembl, ...")
    parser.add_argument("--format", default="auto", help="auto, or a format of docs/formats.md")
    parser.add_argument("--layer", help="which of several values, where a format holds several")
    parser.add_argument("--tx2gene", type=Path, help="table of transcript and gene")
    parser.add_argument("--threads", type=int, default=1, help="threads; they change no byte")
    parser.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="quality threshold other than the default, as min_reads=2e6; names in"
        " config/README.md",
    )
    parser.set_defaults(run=_prepare)


def _fetch(args: argparse.Namespace) -> None:
    from resistpath.io.fetch.source import parse_mirrors
    from resistpath.steps.fetch import fetch

    terminal = sys.stderr if sys.stderr.isatty() and not args.quiet else None
    fetch(
        args.folder,
        args.source,
        mirrors=parse_mirrors(args.mirror),
        say=say(args),
        live=terminal,
        **picked(args, FETCH),  # type: ignore[arg-type]
    )


def _gates(words: Sequence[str]) -> Gates:
    """Quality thresholds from words such as ``min_reads=2e6``."""
    from dataclasses import fields

    from resistpath.quality import Gates

    known = [f.name for f in fields(Gates)]
    chosen = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in known:
            raise UserError(
                f"there is no quality gate {name!r}", where="--gate", do=f"use {', '.join(known)}"
            )
        try:
            chosen[name] = float(number)
        except ValueError:
            raise UserError(
                f"{number!r} is not a number", where=f"--gate {name}", do=f"write {name}=0.5"
            ) from None
    return Gates(**chosen)


def _prepare(args: argparse.Namespace) -> None:
    from resistpath.steps.prepare import prepare

    prepare(
        args.folder,
        args.expression,
        cohort=args.cohort or args.folder.resolve().name,
        gates=_gates(args.gate),
        samples=args.samples,
        units=args.units,
        gene_id=args.gene_id,
        cancer_type=args.cancer_type,
        format=args.format,
        layer=args.layer,
        tx2gene=args.tx2gene,
        threads=args.threads,
        say=say(args),
    )
