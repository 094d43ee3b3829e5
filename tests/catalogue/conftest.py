"""Fixtures that the tests of this folder share."""

from __future__ import annotations

import pytest
from catalogue_tools import read_tables

from resistpath.mechanisms.catalogue import build_catalogue


@pytest.fixture
def tables():
    return read_tables()


@pytest.fixture(scope="module")
def catalogue():
    return build_catalogue(**read_tables())
