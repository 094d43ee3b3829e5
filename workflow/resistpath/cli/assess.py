"""reference, assess and report: from numbers to verdicts and pages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from resistpath.cli.words import (
    Verbs,
    folder,
    numbers,
    own_sets,
    picked,
    print_json,
    say,
    verb,
)

if TYPE_CHECKING:
    from resistpath.mechanisms.verdict import Thresholds


THRESHOLDS = {
    "high": (75.0, "an interval wholly above this percentile is high"),
    "low": (25.0, "an interval wholly below this percentile is low"),
    "half_width": (25.0, "widest half-width around 50 that is still typical"),
    "level": (0.90, "confidence level of all intervals"),
    "min_coverage": (0.6, "share of a set's genes that must be measured"),
    "min_reference": (20, "fewest reference samples for a verdict"),
}


def add_reference(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``reference``."""
    parser = verb(verbs, "reference", "build, check or show a reference pack")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = verb(actions, "build", "make a pack of a cohort's pre-treatment tumours")
    folder(build)
    build.add_argument("--name", required=True, help="shown beside every percentile")
    build.add_argument("--cancer-type", default="", help="disease, if the sheet does not say")
    build.add_argument("--out", type=Path, help="pack to write (default: FOLDER/reference.npz)")
    build.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only samples whose sheet says so, as response_binary=R; several values parted by"
        " commas; may be repeated",
    )
    build.add_argument("--source", default="", help="where the cohort came from, for readers")
    build.add_argument("--licence", default="", help="licence of its values")
    build.add_argument("--release", default="1", help="which issue of the pack this is")
    build.add_argument(
        "--force", action="store_true", help="replace a pack that has other contents"
    )
    build.set_defaults(run=_reference_build)
    check = verb(actions, "check", "whether a pack is whole and made with the present tables")
    check.set_defaults(run=_reference_check)
    show = verb(actions, "show", "print what a pack holds, as JSON")
    show.set_defaults(run=_reference_show)
    for action in (check, show):
        action.add_argument("pack", help="path, or name of a shipped pack")
    check.add_argument("--json", action="store_true", help="for machines")


def references(parser: argparse.ArgumentParser) -> None:
    """Take reference packs."""
    parser.add_argument(
        "--reference",
        action="append",
        required=True,
        metavar="PACK",
        help="path, or name of a shipped pack; A|B takes B if A has too few samples. May be"
        " repeated: the first decides verdicts, places in the others are shown beside it",
    )


def add_assess(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``assess``."""
    parser = verb(verbs, "assess", "place samples in a reference; write mechanisms.tsv")
    folder(parser)
    references(parser)
    own_sets(parser)
    numbers(parser, THRESHOLDS)
    parser.set_defaults(run=_assess)


def thresholds(args: argparse.Namespace) -> Thresholds:
    """Take the figures verdicts depend on back out of the arguments."""
    from resistpath.mechanisms.verdict import Thresholds

    return Thresholds(**picked(args, THRESHOLDS))  # type: ignore[arg-type]


def _reference_build(args: argparse.Namespace) -> None:
    from resistpath.steps.reference import build, parse_where

    names = ("name", "cancer_type", "source", "licence", "release", "force")
    build(
        args.folder,
        out=args.out or args.folder / "reference.npz",
        where=parse_where(args.where),
        say=say(args),
        **{name: getattr(args, name) for name in names},
    )


def _reference_check(args: argparse.Namespace) -> int:
    from resistpath.io.packs import find_pack
    from resistpath.steps.reference import check

    found = check(find_pack(args.pack))
    if args.json:
        print_json(found)
    else:
        for row in found:
            print(f"{row['outcome']:8}{row['check']:14}{row['detail']}")
    return 2 if any(row["outcome"] == "failed" for row in found) else 0


def _reference_show(args: argparse.Namespace) -> None:
    from resistpath.io.packs import find_pack
    from resistpath.steps.reference import show

    print_json(show(find_pack(args.pack)))


def _assess(args: argparse.Namespace) -> None:
    from resistpath.steps.assess import assess

    assess(
        args.folder,
        args.reference,
        thresholds=thresholds(args),
        signatures=args.signatures,
        say=say(args),
    )
