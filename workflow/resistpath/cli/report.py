"""pages and report: what people read, and files for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from resistpath.cli.assess import THRESHOLDS, references, thresholds
from resistpath.cli.words import Verbs, folder, numbers, own_sets, say, verb


def _common(parser: argparse.ArgumentParser) -> None:
    folder(parser)
    references(parser)
    own_sets(parser)
    parser.add_argument(
        "--only", type=Path, metavar="FILE", help="samples that get a page, one per line"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="processes that write pages; they change no byte"
    )
    numbers(parser, THRESHOLDS)


def add_pages(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``pages``."""
    parser = verb(verbs, "pages", "write the reports of a part of the samples, for report --made")
    _common(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder to write them into")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="I-of-N", help="part I of N of the samples"
    )
    parser.set_defaults(run=_pages)


def add_report(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``report``."""
    parser = verb(verbs, "report", "write sample reports, cohort page, h5ad and manifest")
    _common(parser)
    parser.add_argument(
        "--made",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="folders in which the verb pages has written all sample reports",
    )
    parser.add_argument(
        "--pdf", action="store_true", help="print each sample page by the installed Chromium too"
    )
    parser.add_argument(
        "--by-workflow",
        action="store_true",
        help="this is a step of the workflow: keep a copy of it and describe the run as its",
    )
    parser.set_defaults(run=_report)


def _part(text: str) -> tuple[int, int]:
    which, between, of = text.partition("-of-")
    if not (between and which.isdigit() and of.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 2-of-11")
    return int(which), int(of)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """What both verbs take."""
    return {
        "thresholds": thresholds(args),
        "signatures": args.signatures,
        "only": args.only,
        "threads": args.threads,
        "say": say(args),
    }


def _pages(args: argparse.Namespace) -> None:
    from resistpath.steps.pages import pages

    pages(args.folder, args.reference, args.out, part=args.part, **_options(args))


def _report(args: argparse.Namespace) -> None:
    from resistpath.steps.report import report

    report(
        args.folder,
        args.reference,
        made=args.made,
        pdf=args.pdf,
        by_workflow=args.by_workflow,
        **_options(args),
    )
