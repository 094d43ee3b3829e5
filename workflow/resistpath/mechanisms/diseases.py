"""Names of diseases: what a sample sheet writes, and what the catalogue asks for."""

from __future__ import annotations

import re
from typing import Final

from resistpath.mechanisms.rows import is_missing

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
