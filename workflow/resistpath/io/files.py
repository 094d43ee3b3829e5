"""Writing that never leaves half a file behind."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resistpath.errors import UserError, some
from resistpath.provenance import file_sha256

SEALS = ".sha256"  # folder beside sealed files


def _temporary(path: Path) -> Path:
    """A name beside `path` that no other process, here or on another machine, has too."""
    return path.with_name(f".{path.name}.{platform.node()}-{os.getpid()}.part{path.suffix}")


def _clear_dead(path: Path) -> None:
    """Remove what killed processes of this machine left of `path`."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.{platform.node()}-*.part*"):
        pid = left.name.rsplit(".part", 1)[0].rsplit("-", 1)[-1]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (PermissionError, ValueError):  # alive, of another user; or not ours
            continue


@contextmanager
def replacing(path: Path, *, sealed: bool = False) -> Iterator[Path]:
    """Yield a temporary name beside `path`, moved onto it only if the block succeeds.

    A `sealed` file gets a record of its SHA-256, which `need_file` holds it to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_dead(path)
    temporary = _temporary(path)
    try:
        yield temporary
        digest = file_sha256(temporary) if sealed else ""
        # Killed between the next steps, the file is there without a record, never with a wrong one.
        seal(path).unlink(missing_ok=True)
        os.replace(temporary, path)
        if sealed:
            seal(path).parent.mkdir(exist_ok=True)
            write_text(seal(path), f"{digest}  {path.name}\n")
    finally:
        temporary.unlink(missing_ok=True)


def seal(path: Path) -> Path:
    """Where the SHA-256 of a sealed file stands; ``sha256sum -c`` reads it too."""
    return path.parent / SEALS / path.name


def is_damaged(path: Path) -> bool:
    """Whether a sealed file has other bytes than were written; False for a file without a seal."""
    try:
        recorded = seal(path).read_text(encoding="utf-8").split()[:1]
    except (FileNotFoundError, NotADirectoryError):
        return False
    return recorded != [file_sha256(path)]


def set_aside(path: Path) -> Path:
    """Give a damaged file another name, so that it is made again instead of read."""
    aside = path.with_name(f"{path.name}.damaged")
    os.replace(path, aside)
    seal(path).unlink(missing_ok=True)
    return aside


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text through a temporary name."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, content: Any) -> None:
    """Write JSON with a fixed key order as given; missing numbers must already be None."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def need_file(path: Path | str, what: str, do: str = "") -> Path:
    """Return the path of an existing, non-empty, undamaged file or say what is wrong."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no such {what}", where=str(path), do=do or "check the path")
    if path.stat().st_size == 0:
        raise UserError(f"the {what} is empty", where=str(path), do=do or "check the download")
    if is_damaged(path):
        aside = set_aside(path)
        raise UserError(
            f"the {what} was changed or damaged after resistpath wrote it, and was not read",
            where=str(path),
            do=f"it is now {aside.name}; the workflow, or the step that wrote it, makes it again",
        )
    return path


def file_states(*paths: Path | None) -> dict[Path, tuple[int, int]]:
    """Time and size of files, and of the files in folders; for `need_unchanged`."""
    given = [path for path in paths if path is not None]
    inside = (f for path in given if path.is_dir() for f in path.rglob("*"))
    states = {path: path.stat() for path in (*given, *inside)}
    return {path: (state.st_mtime_ns, state.st_size) for path, state in states.items()}


def need_unchanged(before: Mapping[Path, tuple[int, int]]) -> None:
    """Refuse what was made from files that changed meanwhile: it would pass for up to date."""
    for path, state in before.items():
        if not path.exists() or file_states(path)[path] != state:
            raise UserError(
                "this changed while it was read", where=str(path), do="run the same command again"
            )


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
