"""kill -9 at random moments: the continued crawl archives the same pages and repeats at most what was under way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crawling import RUN, plan, run
from hostile import Reply, page, serve

from pipeline.archive import Archive

PAGES = 60
DELAY_S = 0.02
KILLS = int(os.environ.get("AKASHI_KILLS", "6"))


def _site(path: str) -> Reply | str | None:
    """60 pages, each linking to the next ones; every tenth is missing, one answers 500, one is a feed."""
    number = path.strip("/").removesuffix(".html") or "0"
    if path == "/feed.xml":
        return Reply(b"<rss><channel><item><link>/40.html</link></item></channel></rss>", media="application/rss+xml")
    if not number.isdigit() or int(number) >= PAGES or int(number) % 10 == 9:
        return None
    if number == "13":
        return Reply(b"<p>500</p>", status=500)
    links = [(f"/{(int(number) * 3 + step) % (PAGES + 5)}.html", f"記事{step}") for step in range(1, 7)]
    return page(*links, ("/feed.xml", "RSS"), title=f"第{number}号")


def start(url: str, folder: Path, max_pages: int) -> subprocess.Popen[bytes]:
    order = {"url": url, "folder": str(folder), "changes": {"delay_s": DELAY_S, "max_pages": max_pages}}
    return subprocess.Popen([sys.executable, str(Path(__file__).with_name("crawling.py")), json.dumps(order)])


def archived(folder: Path) -> list[tuple[str, int, str]]:
    with Archive(folder / "archive") as archive:
        return [(one.url, one.status, one.sha256) for one in archive.snapshots(RUN)]


@pytest.mark.parametrize(("max_pages", "kills"), [(400, KILLS), (30, 3)])
def test_kill_9_at_random_moments_loses_nothing(max_pages: int, kills: int, tmp_path: Path) -> None:
    """With a budget that is spent too: the same 30 pages of 60, in the same order of worth."""
    moments = random.Random(max_pages)
    with serve(_site) as server:
        whole = run(plan(server.url, delay_s=0.0, max_pages=max_pages), tmp_path / "whole")
        asked_once = sorted(server.paths())
        server.log.clear()
        (tmp_path / "killed").mkdir()
        kept: list[tuple[str, int, str]] = []
        killed_midway = 0
        for _ in range(kills):
            seen = len(server.log)
            child = start(server.url, tmp_path / "killed", max_pages)
            deadline = time.monotonic() + 20
            while len(server.log) == seen and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(moments.uniform(0.02, 0.4))
            child.send_signal(signal.SIGKILL)
            killed_midway += child.wait() == -signal.SIGKILL
            now = archived(tmp_path / "killed")
            assert now[: len(kept)] == kept, "an archived answer was lost or changed"
            kept = now
        last = start(server.url, tmp_path / "killed", max_pages)
        assert last.wait(timeout=30) == 0
        after = sorted(server.paths())
    assert killed_midway >= kills - 1
    assert set(asked_once) == set(after)
    robots = after.count("/robots.txt")
    assert len(after) - len(asked_once) <= (robots - 1) + killed_midway
    assert set(archived(tmp_path / "killed")) == {(one.url, one.status, one.sha256) for one in whole.snapshots}
    resumed = run(plan(server.url, delay_s=DELAY_S, max_pages=max_pages), tmp_path / "killed").coverage
    assert resumed.read == whole.coverage.read
    assert resumed.found == whole.coverage.found
    assert resumed.pending == whole.coverage.pending
    assert [one.url for one in resumed.unread] == [one.url for one in whole.coverage.unread]
