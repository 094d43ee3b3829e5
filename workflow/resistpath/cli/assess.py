"""reference, assess and report: from numbers to verdicts and pages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from resistpath.cli.words import Verbs, folder, numbers, own_sets, picked, say, verb

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
    parser = verb(verbs, "reference", "build or show a reference pack")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = verb(actions, "build", "make a pack of a cohort's pre-treatment tumours")
    folder(build)
    build.add_argument("--name", required=True, help="shown beside every percentile")
    build.add_argument("--cancer-type", default="", help="disease, if the sheet does not say")
    build.add_argument("--out", type=Path, help="pack to write (default: FOLDER/reference.npz)")
    build.set_defaults(run=_reference_build)
    show = verb(actions, "show", "print what a pack holds, as JSON")
    show.add_argument("pack", type=Path)
    show.set_defaults(run=_reference_show)


def add_assess(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``assess``."""
    parser = verb(verbs, "assess", "place samples in a reference; write mechanisms.tsv")
    folder(parser)
    parser.add_argument("--reference", type=Path, required=True, help="reference pack")
    own_sets(parser)
    numbers(parser, THRESHOLDS)
    parser.set_defaults(run=_assess)


def add_report(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``report``."""
    parser = verb(verbs, "report", "write sample reports, cohort page, h5ad and manifest")
    folder(parser)
    parser.add_argument("--reference", type=Path, required=True, help="reference pack")
    own_sets(parser)
    parser.add_argument(
        "--threads", type=int, default=1, help="processes that write pages; they change no byte"
    )
    numbers(parser, THRESHOLDS)
    parser.add_argument(
        "--by-workflow",
        action="store_true",
        help="this is a step of the workflow: keep a copy of it and describe the run as its",
    )
    parser.set_defaults(run=_report)


def _thresholds(args: argparse.Namespace) -> Thresholds:
    from resistpath.mechanisms.verdict import Thresholds

    return Thresholds(**picked(args, THRESHOLDS))  # type: ignore[arg-type]


def _reference_build(args: argparse.Namespace) -> None:
    from resistpath.steps.reference import build

    out = args.out or args.folder / "reference.npz"
    build(args.folder, name=args.name, cancer_type=args.cancer_type, out=out, say=say(args))


def _reference_show(args: argparse.Namespace) -> None:
    import json

    from resistpath.io.packs import read_reference
    from resistpath.steps.reference import describe

    print(json.dumps(describe(read_reference(args.pack)), indent=1, ensure_ascii=False))


def _assess(args: argparse.Namespace) -> None:
    from resistpath.steps.assess import assess

    assess(
        args.folder,
        args.reference,
        thresholds=_thresholds(args),
        signatures=args.signatures,
        say=say(args),
    )


def _report(args: argparse.Namespace) -> None:
    from resistpath.steps.report import report

    report(
        args.folder,
        args.reference,
        thresholds=_thresholds(args),
        signatures=args.signatures,
        threads=args.threads,
        by_workflow=args.by_workflow,
        say=say(args),
    )
