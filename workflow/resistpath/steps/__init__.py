"""One file per verb: a cohort folder in, files out.

Every step reads the files of the steps before it from one folder and writes its own there, so
the command line and the workflow do the same. Files are replaced only when complete.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Report no progress."""
