"""signatures: the catalogue, and sets of the user."""

from __future__ import annotations

import argparse
from pathlib import Path

from resistpath.cli.words import Verbs, own_sets, print_json, verb


def add_signatures(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``signatures``."""
    parser = verb(verbs, "signatures", "browse the catalogue of signatures; check your own sets")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = verb(actions, "list", "one line per readout")
    listing.add_argument("--mechanism", help="readouts of one mechanism")
    listing.add_argument("--axis", help="tumour-intrinsic, tumour-extrinsic or host")
    own_sets(listing)
    listing.set_defaults(run=_signatures_list)
    show = verb(actions, "show", "everything known about a signature, readout or mechanism")
    show.add_argument("signature", help="an id of `resistpath signatures list`")
    own_sets(show)
    show.set_defaults(run=_signatures_show)
    check = verb(actions, "check", "check gene sets of your own: names, overlaps, direction")
    check.add_argument("file", type=Path, help="GMT, TSV or CSV; see docs/signatures.md")
    check.set_defaults(run=_signatures_check)
    for action in (listing, show, check):
        action.add_argument("--json", action="store_true", help="for machines")


def _signatures_list(args: argparse.Namespace) -> None:
    from resistpath.io.resources import catalogue
    from resistpath.steps.signatures import listing, listing_text

    records = listing(catalogue(args.signatures), args.mechanism, args.axis)
    print_json(records) if args.json else print(listing_text(records))


def _signatures_show(args: argparse.Namespace) -> None:
    from resistpath.io.resources import catalogue
    from resistpath.steps.signatures import shown, shown_text

    record = shown(catalogue(args.signatures), args.signature)
    print_json(record) if args.json else print(shown_text(record))


def _signatures_check(args: argparse.Namespace) -> None:
    from resistpath.steps.signatures import check, check_record, check_text

    reports, unknown = check(args.file)
    record = check_record(args.file, reports, unknown)
    print_json(record) if args.json else print(check_text(reports, unknown))
