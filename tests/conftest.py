"""Shared fixtures. Set AKASHI_NO_SKIPS=1 to turn every skip into a failure (CI does)."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from databases import Cluster, running_cluster

SHARED = Path(os.environ.get("AKASHI_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("AKASHI_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where skips are failures: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data beside the checkout (AKASHI_SHARED names another place)."""
    if not SHARED.is_dir():
        pytest.skip(f"development data not found at {SHARED}; set AKASHI_SHARED")
    return SHARED


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of this test process, started when a test first asks for it."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def postgresql_url(cluster: Cluster) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    with cluster.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database: the test runs once on each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'workspace' / 'akashi.db'}"


@pytest.fixture(scope="session")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the demo city is surveyed. Not to be changed: `workspace` is a copy."""
    from reviewing import survey_demo

    base = tmp_path_factory.getbasetemp()
    return survey_demo(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


@pytest.fixture
def workspace(surveyed: Path, tmp_path: Path) -> Path:
    """A workspace of the test's own with the demo city surveyed and nothing decided."""
    from reviewing import copied

    return copied(surveyed, tmp_path / "workspace")
