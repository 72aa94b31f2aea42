"""Shared fixtures. Set AKASHI_NO_SKIPS=1 to turn every skip into a failure (CI does)."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

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
