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
from pipeline.criteria import load
from pipeline.models import Flag, Judgement, RunState, Verdict
from pipeline.panel import Wish, panel
from pipeline.review.queue import digest
from pipeline.run import Order, survey
from pipeline.settings import Settings
from pipeline.store.store import Store

CLASSIFY = str(Path(sys.executable).with_name("classify"))


def walk(home: Path, url: str) -> subprocess.Popen[bytes]:
    env = os.environ | {"CLASSIFY_HOME": str(home)}
    command = [CLASSIFY, "--city", "汐凪市", "--url", url, "--allow-private", "--delay", "0", "--as-of", "2026-11-20"]
    command += ["--speed", "never"]  # a measured time is never the same twice
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
        for _ in range(3):
            killed = walk(tmp_path / "killed", url)
            time.sleep(chance.uniform(1.0, 4.0))
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


def surveyed(home: Path, order: Order) -> dict[str, Judgement]:
    settings = Settings(home=home, cache=home / "cache", db="")
    run = survey(order, settings=settings, panel=panel(Wish(judges="rules"), settings), watch=lambda *_: None).run
    with Store(settings.database_url) as store:
        return {item.judgement.criterion: item.judgement for item in store.items(run.id)}


def demo_order(origin: str, url: str | None) -> Order:
    place = demo.MUNICIPALITY.model_copy(update={"home_url": url})
    crawling = {"delay_s": 0.0, "allow_private": True} if origin == "crawl" else {}
    return Order(municipality=place, criteria=load("dx-2024"), as_of=demo.AS_OF, origin=origin, **crawling)


def test_a_warc_is_judged_as_the_crawl_that_made_it(tmp_path: Path) -> None:
    """A page that answered 500 when the WARC was made stays unobserved: nobody has seen it since."""
    with demo.serve() as url:
        live = surveyed(tmp_path / "live", demo_order("crawl", url))
    warc = next((tmp_path / "live" / "archive").rglob("*.warc.gz"))
    again = surveyed(tmp_path / "again", demo_order(f"warc:{warc}", url))
    assert {key: one.verdict for key, one in again.items()} == {key: one.verdict for key, one in live.items()}
    assert {key: [q.text for q in one.quotes] for key, one in again.items()} == {
        key: [q.text for q in one.quotes] for key, one in live.items()
    }
    assert Verdict.UNOBSERVED in {one.verdict for one in again.values()}


def test_what_a_folder_links_to_and_does_not_hold_is_flagged(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    label = "RPAによる業務の自動化について"
    site.joinpath("index.html").write_text(f'<p>ようこそ、汐凪市へ。</p><a href="/rpa.html">{label}</a>', "utf-8")
    missing = surveyed(tmp_path / "a", demo_order(f"site:{site}", "http://city.example/"))["ops-08"]
    site.joinpath("rpa.html").write_text("<p>このページは準備をしています。</p>", "utf-8")
    present = surveyed(tmp_path / "b", demo_order(f"site:{site}", "http://city.example/"))["ops-08"]
    assert (missing.verdict, present.verdict) == (Verdict.NO_EVIDENCE, Verdict.NO_EVIDENCE)
    assert Flag.BUDGET_SPENT in missing.flags
    assert Flag.BUDGET_SPENT not in present.flags
