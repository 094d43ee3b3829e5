"""Writing that never leaves half a file behind."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resistpath.errors import UserError, some


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`, moved onto it only if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text through a temporary name."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, content: Any) -> None:
    """Write JSON with a fixed key order as given; missing numbers must already be None."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def need_file(path: Path | str, what: str, do: str = "") -> Path:
    """Return the path of an existing, non-empty file or say what is missing."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no such {what}", where=str(path), do=do or "check the path")
    if path.stat().st_size == 0:
        raise UserError(f"the {what} is empty", where=str(path), do=do or "check the download")
    return path


_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def file_names(samples: Iterable[str]) -> dict[str, str]:
    """Give each sample a file name that is safe on any system and never clashes.

    Sample names are data: characters that could leave the folder or break a link are replaced,
    and a name that had to change carries a short digest of the original.

    Examples
    --------
    >>> file_names(["S001"])
    {'S001': 'S001'}
    >>> file_names(["a/b"])["a/b"].startswith("a-b-")
    True
    """
    names: dict[str, str] = {}
    for sample in samples:
        safe = _UNSAFE.sub("-", sample).strip(".-")[:80]
        if safe != sample or not safe or safe.lower() in {"index", "con", "nul"}:
            safe = f"{safe or 'sample'}-{hashlib.sha256(sample.encode()).hexdigest()[:8]}"
        names[sample] = safe
    lower = [n.lower() for n in names.values()]
    for sample, name in names.items():
        if lower.count(name.lower()) > 1:
            names[sample] = f"{name}-{hashlib.sha256(sample.encode()).hexdigest()[:8]}"
    if len(set(names.values())) != len(names):
        raise UserError(f"sample names clash: {some(names)}", do="rename the samples")
    return names
