"""What a user may name as the origin of a matrix, and what may follow it after ``#``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resistpath.errors import UserError

# Options that may follow the source after "#".
OPTIONS: dict[str, tuple[str, ...]] = {
    "url": ("sha256", "md5", "name"),
    "file": ("sha256", "md5"),
    "geo": ("file", "sha256"),
    "gdc": ("sample_type", "tissue_type", "tumor_descriptor"),
    "recount3": ("annotation", "sha256"),
    "xena": ("sha256",),
    "cbioportal": ("file", "sha256"),
}
_ACCESSION = re.compile(r"(geo|gdc|recount3|xena|cbioportal):(.*)", re.IGNORECASE | re.DOTALL)
_DIGESTS = {"sha256": 64, "md5": 32}


@dataclass(frozen=True)
class Checksum:
    """A digest somebody else states for a file; `by` says who, for people to read."""

    algorithm: str
    digest: str
    by: str


@dataclass(frozen=True)
class Source:
    """A parsed source.

    Parameters
    ----------
    text
        As the user wrote it.
    site
        Key of `OPTIONS`.
    name
        URL or accession, without the options.
    options
        What followed ``#``, by key.
    """

    text: str
    site: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def checksum(self) -> Checksum | None:
        """The digest the user gave for the expression file."""
        for algorithm in _DIGESTS:
            if algorithm in self.options:
                return Checksum(algorithm, self.options[algorithm].lower(), "given in the source")
        return None


def is_remote(text: str) -> bool:
    """Whether `text` is an accession or a web address, so that it has to be fetched.

    Examples
    --------
    >>> is_remote("geo:GSE91061"), is_remote("https://example.org/x.tsv")
    (True, True)
    >>> is_remote("data/geo/x.tsv"), is_remote("file:///data/x.tsv")
    (False, False)
    """
    return bool(_ACCESSION.match(text)) or text.lower().startswith(("http://", "https://"))


def local_path(text: str) -> str:
    """Return the path a plain path or a ``file://`` address stands for.

    Examples
    --------
    >>> local_path("file:///data/my%20matrix.tsv"), local_path("../x.tsv")
    ('/data/my matrix.tsv', '../x.tsv')
    """
    if not text.lower().startswith("file:"):
        return text
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise UserError(
            f"{parts.netloc} is another computer",
            where=text,
            do="write file:/// and the path on this one",
        )
    return unquote(parts.path)


def parse_source(text: str) -> Source:
    """Take a source apart, or say what is wrong with it.

    Examples
    --------
    >>> s = parse_source("geo:GSE91061#file=GSE91061_counts.csv.gz")
    >>> s.site, s.name, dict(s.options)
    ('geo', 'GSE91061', {'file': 'GSE91061_counts.csv.gz'})
    """
    name, _, fragment = text.strip().partition("#")
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise UserError("a source holds no line breaks or control characters", where=repr(text))
    accession = _ACCESSION.fullmatch(name)
    scheme = name.partition(":")[0].lower()
    if accession:
        site, name = accession[1].lower(), accession[2].strip()
    elif scheme in ("http", "https"):
        site = "url"
        _check_url(name)
    elif scheme == "file":
        site = "file"
    else:
        raise UserError(
            "this is neither an accession nor a web address",
            where=text,
            do="write geo:GSE..., gdc:PROJECT, recount3:PROJECT, xena:HUB_DATASET,"
            " cbioportal:STUDY, https://... or a file:// address",
        )
    if not name:
        raise UserError(f"nothing follows {site}:", where=text, do="add the accession")
    return Source(text.strip(), site, name, _options(fragment, site, text))


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UserError(f"this is not a web address ({error})", where=url) from error
    if not host or re.search(r"\s", url):
        raise UserError("this is not a web address", where=url, do="write spaces as %20")
    if parts.username or parts.password:
        raise UserError(
            "a web address must not hold a name or a password",
            where=f"{parts.scheme}://{host}",
            do="download the file by hand and give its path",
        )


def _options(fragment: str, site: str, text: str) -> dict[str, str]:
    allowed = OPTIONS[site]
    options: dict[str, str] = {}
    for pair in filter(None, fragment.split("&")):
        key, sign, value = (unquote(part).strip() for part in pair.partition("="))
        if key not in allowed or not sign or not value or key in options:
            raise UserError(
                f"{pair!r} is not understood after #",
                where=text,
                do=f"write {' or '.join(f'{k}=...' for k in allowed)}, each once, joined by &",
            )
        options[key] = value
    for key, length in _DIGESTS.items():
        if key in options and not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", options[key]):
            raise UserError(f"{key} needs {length} hexadecimal digits", where=text)
    return options


_UNSAFE = re.compile(r"[^A-Za-z0-9._+=()-]+")


def safe_name(text: str) -> str:
    r"""Turn a name given by a server into a plain file name; names are data, never paths.

    Examples
    --------
    >>> safe_name("GSE1_counts.txt.gz")
    'GSE1_counts.txt.gz'
    >>> safe_name("../../etc/passwd"), safe_name("..\\x.tsv"), safe_name(".hidden"), safe_name("")
    ('passwd', 'x.tsv', 'hidden', 'download')
    >>> safe_name("a b;$(c).tsv")
    'a-b-(c).tsv'
    """
    name = _UNSAFE.sub("-", re.split(r"[/\\]", text)[-1]).strip(".-")
    if len(name) > 150:
        name = name[:100] + name[-50:]
    if name.lower() in ("fetch.json", "con", "nul", "aux", "prn") or ".part" in name.lower():
        name = f"file-{name.replace('.', '-')}"
    return name or "download"


def parse_mirrors(words: Iterable[str]) -> dict[str, str]:
    """Read ``SITE=URL`` or ``xena.HUB=URL`` into base addresses by site.

    Examples
    --------
    >>> parse_mirrors(["geo=https://mirror.example/", "xena.toil=http://127.0.0.1:8000"])
    {'geo': 'https://mirror.example', 'xena.toil': 'http://127.0.0.1:8000'}
    """
    mirrors = {}
    for word in words:
        site, sign, base = word.partition("=")
        if not sign or not re.fullmatch(r"[a-z0-9_]+(\.[A-Za-z0-9_-]+)?", site):
            raise UserError(
                "a mirror is written SITE=URL", where=word, do="for example geo=https://..."
            )
        if not base.startswith(("http://", "https://")):
            raise UserError("a mirror starts with http:// or https://", where=word)
        _check_url(base)
        mirrors[site] = base.rstrip("/")
    return mirrors


def relative_inside(raw: Path, name: str) -> Path:
    """Return `name` below `raw`, or refuse a name that leads out of it."""
    path = raw / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UserError(f"{name!r} leads out of the folder", where=str(raw), do="fetch it again")
    return path
