"""Addresses of pages beside a page."""

from __future__ import annotations

from urllib.parse import quote


def page_link(name: str) -> str:
    """Address of a page beside or below this one: never a scheme, never a folder above.

    >>> page_link("reports/a b.html")
    './reports/a%20b.html'
    >>> page_link("javascript:alert(1)"), page_link("../x"), page_link("//host/x")
    ('./javascript%3Aalert%281%29', './..%2Fx', './%2F%2Fhost%2Fx')
    """
    inside = not {"", ".", ".."} & set(name.split("/"))
    return "./" + quote(name, safe="/" if inside else "")
