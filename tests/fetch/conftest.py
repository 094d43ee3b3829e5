"""The server, and what fetches from it."""

from __future__ import annotations

import threading

import pytest
from fetch_tools import SITES, Run, Server


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def run(tmp_path, site):
    mirrors = dict.fromkeys(SITES, site.base) | {"cbioportal_lfs": f"{site.base}/media"}
    return Run(tmp_path / "cohort", mirrors)
