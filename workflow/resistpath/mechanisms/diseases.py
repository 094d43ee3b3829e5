"""Names of diseases: what a sample sheet writes, and what the catalogue asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from resistpath.errors import UserError, some
from resistpath.mechanisms.rows import Row, is_missing

DISEASES: Final[dict[str, tuple[str, ...]]] = {
    "melanoma": ("cutaneous melanoma", "skin cutaneous melanoma", "metastatic melanoma", "skcm"),
    "lung adenocarcinoma": ("adenocarcinoma of the lung", "luad"),
    "lung squamous cell carcinoma": ("squamous cell lung cancer", "lscc", "lusc"),
    "non-small cell lung cancer": ("non-small cell lung carcinoma", "nsclc"),
}
"""Diseases a mechanism may be bound to, with other names for each."""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


_NAMES: Final = {
    _plain(name): disease for disease, names in DISEASES.items() for name in (disease, *names)
}


def disease_name(written: object) -> str | None:
    """Return the catalogue's name of a disease, as written if it has none, None if missing.

    Examples
    --------
    >>> disease_name("NSCLC"), disease_name("Uveal melanoma"), disease_name("NA")
    ('non-small cell lung cancer', 'Uveal melanoma', None)
    """
    if is_missing(written):
        return None
    name = str(written).strip()
    return _NAMES.get(_plain(name), name)


def diseases_of(row: Row) -> tuple[str, ...]:
    """Diseases that a line of the catalogue is bound to; empty for any."""
    words = row.parts("diseases", ",")
    if words == ("any",):
        return ()
    unknown = [w for w in words if w not in DISEASES]
    if unknown:
        raise UserError(
            f"column 'diseases' holds {some(unknown)}",
            where=row.where,
            do=f"use 'any' alone, or a list out of {some(DISEASES, 9)}",
        )
    return words


def unreadable(bound: Sequence[str], written: object, here: str = "this sample is") -> str:
    """Why something bound to diseases may not be read in one of them; empty if it may.

    Parameters
    ----------
    bound
        Diseases it is bound to; empty for any.
    written
        As a sample sheet writes it; missing counts as unknown, and an unknown disease is not one
        of those anything is bound to.
    here
        What comes before the disease's name.
    """
    name = disease_name(written)
    if not bound or name in bound:
        return ""
    found = "the disease is not stated" if name is None else f"{here} {name}"
    return f"read in {some(bound)} only; {found}"
