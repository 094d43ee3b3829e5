"""How far a download is: one live line on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TextIO

_UNITS = ("B", "kB", "MB", "GB", "TB")


def in_words(size: float) -> str:
    """Write a number of bytes with a decimal unit.

    Examples
    --------
    >>> in_words(17), in_words(1234), in_words(5.25e9)
    ('17 B', '1.2 kB', '5.2 GB')
    """
    power = 0
    while size >= 999.5 and power < len(_UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{size:.0f} {_UNITS[power]}" if power == 0 else f"{size:.1f} {_UNITS[power]}"


def duration(seconds: float) -> str:
    """Write a time roughly.

    Examples
    --------
    >>> duration(7.2), duration(150), duration(8000)
    ('7 s', '2 min 30 s', '2 h 13 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Meter:
    """Progress over all files of one source.

    Parameters
    ----------
    say
        Takes plain lines.
    live
        Terminal to draw one changing line on; None elsewhere.
    every
        Seconds between plain lines.
    clock
        Seconds, for tests.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        live: TextIO | None = None,
        every: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say, self._live, self._every, self._clock = say, live, every, clock
        self._lock = threading.Lock()
        self._start = self._shown = clock()
        self._here = self._arrived = 0
        self._files_done = self._files = 0
        self._total: int | None = None
        self._announced = self._sizes = 0
        self._width = 0

    def expect(self, files: int, total: int | None) -> None:
        """Set what the files now being fetched amount to; the total is in bytes, if known."""
        with self._lock:
            self._files, self._total, self._files_done = files, total, 0
            self._here = self._arrived = self._announced = self._sizes = 0
            self._start = self._shown = self._clock()

    def announce(self, size: int) -> None:
        """Learn the size of one more file; the total is known when all are."""
        with self._lock:
            self._announced += size
            self._sizes += 1
            if self._total is None and self._sizes == self._files:
                self._total = self._announced

    def count(self, change: int, arrived: bool = True) -> None:
        """Count bytes; those of an earlier run count towards the total, not towards the rate."""
        with self._lock:
            self._here += change
            self._arrived += change if arrived else 0
            self._draw()

    def file_done(self) -> None:
        """Count a file."""
        with self._lock:
            self._files_done += 1

    def say(self, text: str) -> None:
        """Say a plain line; the live line makes way for it."""
        with self._lock:
            self._clear()
            self._say(text)

    def close(self) -> None:
        """Remove the live line."""
        with self._lock:
            self._clear()

    def line(self) -> str:
        """Say where the download stands."""
        took = max(self._clock() - self._start, 1e-9)
        rate = self._arrived / took
        parts = [in_words(self._here)]
        if self._total:
            parts[0] += f" of {in_words(self._total)} ({100 * self._here // self._total} %)"
        if self._files > 1:
            parts.insert(0, f"file {min(self._files_done + 1, self._files)} of {self._files}")
        if rate > 0:
            parts.append(f"{in_words(rate)}/s")
            if self._total and self._total > self._here:
                parts.append(f"{duration((self._total - self._here) / rate)} left")
        return ", ".join(parts)

    def _draw(self) -> None:
        now = self._clock()
        if now - self._shown < (0.2 if self._live else self._every):
            return
        self._shown = now
        if self._live is None:
            self._say(self.line())
            return
        text = self.line()[:100]
        self._live.write(f"\r{text:<{self._width}}")
        self._live.flush()
        self._width = len(text)

    def _clear(self) -> None:
        if self._live is not None and self._width:
            self._live.write(f"\r{'':<{self._width}}\r")
            self._live.flush()
            self._width = 0
