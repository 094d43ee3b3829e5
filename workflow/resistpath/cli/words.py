"""What every verb's options and answers are made of."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

Verbs = "argparse._SubParsersAction[argparse.ArgumentParser]"


def verb(verbs: Verbs, name: str, help_: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    """Add a verb or an action with its help."""
    parser: argparse.ArgumentParser = verbs.add_parser(  # type: ignore[attr-defined]
        name,
        help=help_,
        description=help_[0].upper() + help_[1:] + ".",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    return parser


def folder(parser: argparse.ArgumentParser) -> None:
    """Take the cohort's folder."""
    parser.add_argument("folder", type=Path, help="folder of the cohort, such as results/mine")


def own_sets(parser: argparse.ArgumentParser) -> None:
    """Take gene sets of the user."""
    parser.add_argument(
        "--signatures",
        type=Path,
        metavar="FILE",
        help="gene sets of your own (GMT, TSV, CSV) beside the catalogue's; docs/signatures.md",
    )


def numbers(parser: argparse.ArgumentParser, options: dict[str, tuple[float, str]]) -> None:
    """Take numbers by name, each with its default and help."""
    for name, (default, help_) in options.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default, help=help_
        )


def picked(args: argparse.Namespace, options: dict[str, tuple[float, str]]) -> dict[str, float]:
    """Take the numbers back out of the arguments."""
    return {name: getattr(args, name) for name in options}


def say(args: argparse.Namespace) -> Callable[[str], None]:
    """How a step reports progress: on standard error, under the verb's name."""
    name = args.verb if not getattr(args, "action", None) else f"{args.verb} {args.action}"

    def speak(text: str) -> None:
        if not args.quiet:
            print(f"{name}: {text}", file=sys.stderr)

    return speak


def print_json(record: object) -> None:
    """Print a record for machines."""
    print(json.dumps(record, indent=1, ensure_ascii=False))
