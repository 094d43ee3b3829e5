"""HTTP by the standard library: time limits, bounded retries, redirects, honest messages."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from resistpath.errors import UserError
from resistpath.provenance import VERSION

T = TypeVar("T")

BLOCK = 1 << 18
ENOUGH_PROGRESS = 1 << 20  # bytes after which earlier failures are forgotten
BY_HAND = "download the file by hand and give its path as `expression`"
_REDIRECTS = {301, 302, 303, 307, 308}
_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
_REFUSED = {401, 403, 404, 410, 451}


@dataclass(frozen=True)
class Policy:
    """How patient a download is.

    Parameters
    ----------
    timeout
        Longest silence of a server, seconds.
    tries
        Attempts without progress before giving up.
    pause
        Seconds before the second attempt, doubled before each further one.
    longest_pause
        Longest wait a server may ask for by ``Retry-After``, seconds.
    redirects
        Most redirects of one request.
    max_bytes
        Most bytes of one source.
    connections
        Files downloaded at the same time.
    sleep
        Called with the seconds to wait; None to wait indeed.
    """

    timeout: float = 60.0
    tries: int = 5
    pause: float = 1.0
    longest_pause: float = 300.0
    redirects: int = 5
    max_bytes: int = 20 * 10**9
    connections: int = 4
    sleep: Callable[[float], None] | None = None


class Temporary(Exception):
    """A failure that may pass; never leaves this package."""

    def __init__(self, what: str, *, wait: float | None = None, reached: bool = True) -> None:
        super().__init__(what)
        self.wait, self.reached = wait, reached


class Refused(UserError):
    """The site says that it has no such file, or that it is not for everyone."""


class Stopped(UserError):
    """Work given up because something else failed first."""


class Answer:
    """A response whose body is read in blocks."""

    def __init__(self, raw: Any, url: str) -> None:
        self.status: int = raw.status
        self.headers: Message = raw.headers
        self.url = url
        self._raw = raw

    def read(self) -> bytes:
        """Return the next bytes, or none at the end of the body."""
        try:
            block: bytes = self._raw.read1(BLOCK)
        except (OSError, HTTPException) as error:
            raise Temporary(f"the connection broke ({reason(error)})") from error
        return block

    def length(self) -> int | None:
        """Return the length the server announced, in bytes."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


def reason(error: BaseException) -> str:
    """Say in a few words what went wrong on the network."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return reason(inner)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in text)[:200]


def shown(url: str) -> str:
    """Return an address fit for messages and records: printable, without its query if long."""
    text = quote(url, safe="%/:=&?~#+!$,;'@()*[]._-")
    return text if len(text) <= 200 else text.partition("?")[0][:200]


def _retry_after(text: str | None) -> float | None:
    if not text:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


class Client:
    """Opens addresses; proxies come from the environment, credentials from nowhere."""

    def __init__(self, policy: Policy, say: Callable[[str], None]) -> None:
        self.policy, self.say = policy, say
        self.stop = threading.Event()
        self._opener = OpenerDirector()
        for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
            self._opener.add_handler(handler)

    @contextmanager
    def open(
        self, url: str, headers: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> Iterator[Answer]:
        """Yield the answer to one request, after redirects; other answers than 2xx and 416 raise.

        Raises
        ------
        Temporary
            If another try may help.
        UserError
            If not.
        """
        answer = self._follow(url, dict(headers or {}), data)
        try:
            yield answer
        finally:
            answer.close()

    def _follow(self, url: str, headers: dict[str, str], data: bytes | None) -> Answer:
        first = url
        for _ in range(self.policy.redirects + 1):
            answer = self._request(url, headers, data)
            if answer.status not in _REDIRECTS:
                return answer
            answer.close()
            if answer.status in (301, 302, 303):
                data = None
            url = self._redirected(url, answer.headers.get("Location", ""))
        raise UserError(
            f"the server redirects in a circle or more than {self.policy.redirects} times",
            where=shown(first),
            do=BY_HAND,
        )

    @staticmethod
    def _redirected(url: str, location: str) -> str:
        try:
            target = urljoin(url, quote(location, safe="%/:=&?~#+!$,;'@()*[]._-"))
            old, new = urlsplit(url), urlsplit(target)
        except ValueError:
            new = old = urlsplit("")
        if not location or new.scheme not in ("http", "https") or not new.hostname:
            raise UserError("the server redirects to no usable address", where=shown(url))
        if old.scheme == "https" and new.scheme == "http":
            raise UserError(
                f"the server redirects to the unprotected {shown(target)}", where=shown(url)
            )
        return target

    def _request(self, url: str, headers: dict[str, str], data: bytes | None) -> Answer:
        headers = {"User-Agent": f"resistpath/{VERSION}", "Accept-Encoding": "identity"} | headers
        request = Request(url, data=data, headers=headers)  # noqa: S310 - http and https only
        try:
            raw = self._opener.open(request, timeout=self.policy.timeout)
        except (OSError, HTTPException) as error:
            raise self._failure(url, error) from error
        if raw is None:
            raise UserError("this is no web address", where=shown(url))
        answer = Answer(raw, url)
        if answer.status < 400 or answer.status == 416:
            return answer
        answer.close()
        raise self._bad_status(url, answer)

    def _failure(self, url: str, error: OSError | HTTPException) -> Exception:
        inner = getattr(error, "reason", error)
        if isinstance(inner, ssl.SSLCertVerificationError):
            return UserError(
                f"the server's certificate cannot be verified ({inner.verify_message})",
                where=shown(url),
                do="set SSL_CERT_FILE to your organisation's certificates, or " + BY_HAND,
            )
        return Temporary(reason(error), reached=not isinstance(error, URLError))

    @staticmethod
    def _bad_status(url: str, answer: Answer) -> Exception:
        status = answer.status
        known = status in set(HTTPStatus)
        words = f"HTTP {status} {HTTPStatus(status).phrase}" if known else f"HTTP {status}"
        if status in _TEMPORARY:
            wait = _retry_after(answer.headers.get("Retry-After"))
            return Temporary(f"the server answers {words}", wait=wait)
        if status in _REFUSED:
            return Refused(
                f"the server has no such file for everyone ({words})",
                where=shown(url),
                do="check the accession or address; data under controlled access are not fetched",
            )
        return UserError(f"the server answers {words}", where=shown(url), do=BY_HAND)

    def retrying(
        self, attempt: Callable[[], T], url: str, progress: Callable[[], int] = lambda: 0
    ) -> T:
        """Repeat `attempt` while it fails for a while; forget failures when `progress` grows."""
        failures, mark = 0, progress()
        while True:
            try:
                return attempt()
            except Temporary as problem:
                if progress() - mark >= ENOUGH_PROGRESS:
                    failures, mark = 0, progress()
                failures += 1
                self._give_up_or_wait(problem, failures, url)

    def _give_up_or_wait(self, problem: Temporary, failures: int, url: str) -> None:
        policy, host = self.policy, urlsplit(url).netloc
        tries = policy.tries if problem.reached else min(policy.tries, 3)
        wait = problem.wait
        if wait is None:
            wait = min(policy.pause * 2 ** (failures - 1), policy.longest_pause)
        if failures >= tries and not problem.reached:
            raise UserError(
                f"{host} cannot be reached ({problem})",
                where=shown(url),
                do=f"check the network and the proxy, set a mirror, or {BY_HAND}",
            ) from problem
        if failures >= tries or wait > policy.longest_pause:
            tried = f"{failures} tries" if failures > 1 else "one try"
            asked = f", wait {wait:.0f} s" if wait > policy.longest_pause else ""
            raise UserError(
                f"gave up after {tried} ({problem}{asked})",
                where=shown(url),
                do="the same command goes on from there later",
            ) from problem
        self.say(f"{shown(url)}: {problem}; trying again in {wait:.0f} s")
        self.wait(wait)

    def wait(self, seconds: float) -> None:
        """Wait, unless the whole fetch is being stopped."""
        if self.policy.sleep:
            self.policy.sleep(seconds)
        else:
            self.stop.wait(seconds)
        self.check_stop()

    def check_stop(self) -> None:
        """Leave a worker whose fetch has failed or was interrupted elsewhere."""
        if self.stop.is_set():
            raise Stopped("stopped")

    def read_all(self, url: str, data: bytes | None = None, limit: int = 1 << 28) -> bytes:
        """Return a small document whole; `data` makes it a JSON request by POST."""
        headers = {"Content-Type": "application/json"} if data is not None else {}

        def attempt() -> bytes:
            body = bytearray()
            with self.open(url, headers, data) as answer:
                expected = answer.length()
                while block := answer.read():
                    body += block
                    if len(body) > limit:
                        raise UserError(f"more than {limit:,} bytes of listing", where=shown(url))
            if expected is not None and len(body) != expected:
                raise Temporary(f"{len(body):,} of {expected:,} bytes arrived")
            return bytes(body)

        return self.retrying(attempt, url)

    def peek(self, url: str, size: int = 1024) -> bytes:
        """Return the beginning of a document."""

        def attempt() -> bytes:
            head = bytearray()
            with self.open(url) as answer:
                while len(head) < size and (block := answer.read()):
                    head += block
            return bytes(head[:size])

        return self.retrying(attempt, url)

    def json(self, url: str, question: Any) -> Any:
        """Return the JSON answer to a JSON question."""
        text = self.read_all(url, json.dumps(question, sort_keys=True).encode())
        try:
            return json.loads(text)
        except ValueError as error:
            raise UserError("the answer is not JSON", where=shown(url), do="try later") from error


def utc_now() -> str:
    """Return the time in UTC to the second, as written in records."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
