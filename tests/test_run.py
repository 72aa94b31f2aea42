"""kill -9 at any moment: the next run continues, and concludes what an undisturbed one concludes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import demo
from pipeline.archive import Archive
from pipeline.models import RunState
from pipeline.review.queue import digest
from pipeline.store.store import Store

CLASSIFY = str(Path(sys.executable).with_name("classify"))


def walk(home: Path, url: str) -> subprocess.Popen[bytes]:
    env = os.environ | {"CLASSIFY_HOME": str(home)}
    command = [CLASSIFY, "--city", "汐凪市", "--url", url, "--allow-private", "--delay", "0", "--as-of", "2026-11-20"]
    registry = home / "registry.csv"
    home.mkdir(exist_ok=True)
    registry.write_text(
        "pid,pref,cid,city,citykana,lat,lng,url,phrase,lgcode\n1,北海道,1100,札幌市,さっぽろし,43,141,https://sapporo.example/,,011002\n",
        "utf-8",
    )
    return subprocess.Popen(
        [*command, "--registry", str(registry)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def concluded(home: Path) -> tuple[set[str], set[str], int]:
    """Digests of the last run's judgements, sha256s of its archived bodies, and how many runs there are."""
    with Store(f"sqlite:///{home / 'akashi.db'}") as store, Archive(home / "archive") as archive:
        runs = store.runs()
        last = store.latest_run(runs[0].municipality.code, state=RunState.DONE)
        assert last is not None
        snapshots = archive.snapshots(last.id)
        for snapshot in snapshots:
            assert archive.body(snapshot.sha256) is not None
        digests = {digest(last.municipality.code, item.judgement) for item in store.items(last.id)}
        return digests, {snapshot.sha256 for snapshot in snapshots}, len(runs)


@pytest.mark.timeout(300)
def test_a_walk_killed_at_random_moments_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    with demo.serve() as url:
        assert walk(tmp_path / "calm", url).wait() == 0
        chance = random.Random(20261120)
        for _ in range(5):
            killed = walk(tmp_path / "killed", url)
            time.sleep(chance.uniform(1.5, 5.0))
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        assert walk(tmp_path / "killed", url).wait() == 0
    calm, disturbed = concluded(tmp_path / "calm"), concluded(tmp_path / "killed")
    assert disturbed[0] == calm[0]
    assert disturbed[1] == calm[1]


def test_a_site_that_does_not_answer_is_unobserved_in_all_criteria(tmp_path: Path) -> None:
    with demo.serve() as url:
        pass  # the port is free again
    done = walk(tmp_path / "dead", url)
    assert done.wait() == 0
    with Store(f"sqlite:///{tmp_path / 'dead' / 'akashi.db'}") as store:
        run = store.runs()[0]
        verdicts = {item.judgement.verdict.value for item in store.items(run.id)}
    assert run.coverage is not None
    assert not run.coverage.home_read
    assert verdicts <= {"unobserved", "not_judged"}
