"""The catalogue, and one sample with its page."""

from __future__ import annotations

from typing import Any

import pytest
from report_tools import make_reference_readouts, make_sample

from resistpath.io.resources import catalogue
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import content, render


@pytest.fixture(scope="module")
def book() -> Catalogue:
    return catalogue()


@pytest.fixture(scope="module")
def spread(book: Catalogue) -> dict[str, Any]:
    return content.summarise_reference(make_reference_readouts(book))


@pytest.fixture(scope="module")
def record(book: Catalogue, spread: dict[str, Any]) -> dict[str, Any]:
    return make_sample(book, spread)


@pytest.fixture(scope="module")
def page(record: dict[str, Any]) -> str:
    return render.render_sample(record)
