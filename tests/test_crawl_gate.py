"""Many crawls, one pace: in one loop, in many threads, in processes that are stopped, and the servers' log tells."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from browsing import needs_chromium
from crawling import CODE, LATE_LOG_S, RUN, hurry_s, plan, run
from gating import FileGate, gated
from hostile import Reply, Server, page, redirect, serve

from pipeline.archive import Archive
from pipeline.crawl import Pace, Plan, Web, crawl, display_speed, social, speed
from pipeline.crawl.guard import Target
from pipeline.errors import LostError
from pipeline.models import SocialAccount
from pipeline.services import Service

DELAY_S = 0.1
PAGES = {
    "/": page(*((f"/{n}.html", f"記事{n}") for n in range(6)), title="市"),
    **{f"/{n}.html": page(title=str(n)) for n in range(6)},
}


@contextmanager
def sites(count: int) -> Iterator[list[Server]]:
    """Sites of one machine under ports of their own."""
    with ExitStack() as stack:
        yield [stack.enter_context(serve(PAGES)) for _ in range(count)]


def named(server: Server, host: str) -> Plan:
    """A plan for the site under another of its machine's names."""
    return plan(server.url.replace("127.0.0.1", host), allow_private=("*",), delay_s=DELAY_S)


def times(servers: list[Server]) -> list[float]:
    return [request.at for server in servers for request in server.log]


# --- one process ------------------------------------------------------------------------------------------------------


def test_crawls_of_one_loop_share_a_pace(tmp_path: Path) -> None:
    async def both(pace: Pace, archive: Archive, *plans: Plan) -> None:
        await asyncio.gather(
            *(
                crawl(
                    one, archive=archive, code=CODE, run_id=f"run-{number}", frontier_path=tmp_path / f"{number}.db",
                    progress=lambda _: None, web=Web(pace),
                )
                for number, one in enumerate(plans)
            )
        )  # fmt: skip

    with sites(2) as servers, Archive(tmp_path / "archive") as archive:
        pace = Pace(0.0)
        asyncio.run(both(pace, archive, named(servers[0], "127.0.0.1"), named(servers[1], "localhost")))
        assert [len(one.log) for one in servers] == [9, 9]
        assert hurry_s(times(servers), DELAY_S) < LATE_LOG_S
        time.sleep(DELAY_S)
        pace.part(())
        assert len(pace) == 0


def test_a_crawl_delay_is_its_hosts_alone(tmp_path: Path) -> None:
    """On a vendor's machine one city's wish for a second between two requests holds up no other city."""

    async def asked() -> list[float]:
        pace = Pace(DELAY_S)
        slow, other = Target("slow.example", 80, ("192.0.2.1",)), Target("b.example", 80, ("192.0.2.1",))
        pace.slow("slow.example", 1.0)
        begun = time.monotonic()
        async with pace.turn(other):
            pass
        await asyncio.sleep(max(0.0, pace.ready_at("slow.example") - time.monotonic()))
        async with pace.turn(slow) as turn:
            await turn.left()
        async with pace.turn(other):
            return [pace.ready_at("slow.example") - time.monotonic(), time.monotonic() - begun]

    left_s, spent_s = asyncio.run(asked())
    assert 0.5 < left_s <= 1.0
    assert spent_s < 1.0 + 4 * DELAY_S


def test_a_pace_remembers_nothing_of_a_thousand_cities_that_are_done() -> None:
    async def many() -> int:
        pace = Pace(0.0)
        for number in range(1000):
            host = f"www.city-{number}.example"
            pace.meet(host)
            pace.slow(host, 0.001)
            async with pace.turn(Target(host, 80, (f"192.0.2.{number % 250}", f"2001:db8::{number}"))) as turn:
                await turn.left()
            pace.part({host})
        await asyncio.sleep(0.01)
        pace.part(())
        return len(pace)

    assert asyncio.run(many()) == 0


def test_what_is_to_be_left_alone_is_remembered_after_its_city_is_done() -> None:
    pace = Pace(0.0)
    pace.meet("a.example")
    pace.hold("a.example", 30.0)
    pace.part({"a.example"})
    assert pace.ready_at("a.example") - time.monotonic() > 29


# --- through a gate ---------------------------------------------------------------------------------------------------


def test_every_request_has_its_own_turn_at_the_gate(tmp_path: Path) -> None:
    """Redirects, second tries, robots.txt, and the pause that a server asks for."""
    asked: Counter[str] = Counter()

    def site(path: str) -> Reply | str | None:
        asked[path] += 1
        if path == "/busy.html" and asked[path] == 1:
            return Reply(status=503, headers=(("Retry-After", "1"),))
        known = {"/": page(("/moved.html", "m"), ("/busy.html", "b")), "/moved.html": redirect("/new.html")}
        known |= {"/new.html": page(title="n"), "/busy.html": page(title="b")}
        known |= {"/robots.txt": Reply(b"User-agent: *\nCrawl-delay: 0.2\n", media="text/plain")}
        return known.get(path)

    with serve(site) as server:
        gate = FileGate(tmp_path / "gate.json")
        gated(plan(server.url, delay_s=0.05), tmp_path / "a", gate)
        assert len(server.log) == 7
        assert len(gate.slots) >= gate.entered >= len(server.log)
        assert {places for places, _ in gate.slots} == {("127.0.0.1", "ip 127.0.0.1")}
        assert all(delay_s > 0.05 for _, delay_s in gate.slots)
        assert (("127.0.0.1",), 1.0) in gate.holds
        assert (("127.0.0.1",), 0.2) in gate.holds
        assert hurry_s([one.at for one in server.log[1:]], 0.2) < LATE_LOG_S


def test_threads_that_share_an_address_keep_one_pace(tmp_path: Path) -> None:
    with sites(3) as servers, ThreadPoolExecutor() as pool:
        plans = [named(one, host) for one, host in zip(servers, ("127.0.0.1", "localhost", "127.0.0.1"), strict=True)]
        gates = [FileGate(tmp_path / "gate.json") for _ in plans]
        list(pool.map(gated, plans, [tmp_path / str(number) for number in range(3)], gates))
        assert [len(one.log) for one in servers] == [9, 9, 9]
        assert hurry_s(times(servers), DELAY_S) < LATE_LOG_S


def test_a_connection_that_opens_late_misses_its_slot_and_takes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does so once: then slots are taken so far apart that a connection has time to open."""
    connect = httpcore2.AnyIOBackend.connect_tcp

    async def late(self: httpcore2.AnyIOBackend, *args: Any, **more: Any) -> Any:
        await asyncio.sleep(0.15)
        return await connect(self, *args, **more)

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", late)
    closing = {path: Reply(str(body).encode(), headers=(("Connection", "close"),)) for path, body in PAGES.items()}
    with serve(closing) as one, serve(closing) as two, ThreadPoolExecutor() as pool:
        gates = [FileGate(tmp_path / "gate.json") for _ in range(2)]
        plans = [replace(named(*at), max_pages=4) for at in ((one, "127.0.0.1"), (two, "localhost"))]
        list(pool.map(gated, plans, [tmp_path / "one", tmp_path / "two"], gates))
        assert [len(one.log), len(two.log)] == [6, 6]
        assert hurry_s(times([one, two]), DELAY_S) < LATE_LOG_S
    for gate in gates:
        assert 6 < len(gate.slots) <= 9


def test_a_request_that_waits_for_another_slot_does_not_lose_its_own_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crowded(FileGate):
        async def slot(self, places: Any, delay_s: float) -> float:
            await super().slot(places, delay_s)
            return 1.0 if len(self.slots) % 2 == 0 else 0.0

    connect = httpcore2.AnyIOBackend.connect_tcp

    async def late(self: httpcore2.AnyIOBackend, *args: Any, **more: Any) -> Any:
        await asyncio.sleep(0.1)
        return await connect(self, *args, **more)

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", late)
    with serve({"/": page(title="市")}) as server:
        asked = plan(server.url, delay_s=0.05, deadline_s=0.5, max_pages=1)
        found = gated(asked, tmp_path / "a", Crowded(tmp_path / "gate.json"))
    assert found.read == 1


def start(server: Server, host: str, folder: Path, gate: Path, **changes: object) -> subprocess.Popen[bytes]:
    order = {"url": server.url.replace("127.0.0.1", host), "folder": str(folder), "gate": str(gate), "changes": changes}
    return subprocess.Popen([sys.executable, str(Path(__file__).with_name("gating.py")), json.dumps(order)])


def test_a_process_that_was_stopped_does_not_ask_in_a_turn_that_has_passed(tmp_path: Path) -> None:
    """One is stopped again and again, about as long as two turns, mostly between a slot and its moment."""
    moments, delay_s = random.Random(3), 3 * LATE_LOG_S
    with sites(2) as servers:
        children = [
            start(server, host, tmp_path / host, tmp_path / "gate.json", delay_s=delay_s, max_pages=2)
            for server, host in zip(servers, ("127.0.0.1", "localhost"), strict=True)
        ]
        while any(child.poll() is None for child in children):
            if children[0].poll() is None and all(one.log for one in servers):
                children[0].send_signal(signal.SIGSTOP)
                time.sleep(moments.uniform(1.5, 2.0) * delay_s)
                children[0].send_signal(signal.SIGCONT)
            time.sleep(moments.uniform(0.5, 1.5) * delay_s)
        assert [child.wait() for child in children] == [0, 0]
        assert [len(one.log) for one in servers] == [4, 4]
        assert hurry_s(times(servers), delay_s) < LATE_LOG_S


def test_a_city_that_is_lost_is_left_at_once_and_can_be_gone_on_with(tmp_path: Path) -> None:
    with serve(PAGES) as server:
        whole = run(plan(server.url), tmp_path / "whole")
        asked_once = sorted(server.paths())
        server.log.clear()
        with pytest.raises(LostError):
            gated(plan(server.url), tmp_path / "lost", FileGate(tmp_path / "gate.json", entries=4))
        assert len(server.log) == 4
        resumed = run(plan(server.url), tmp_path / "lost")
        assert sorted(server.paths()) == asked_once
    kept = {"started", "finished"}
    assert resumed.coverage.model_dump(exclude=kept) == whole.coverage.model_dump(exclude=kept)


def test_accounts_are_asked_through_the_gate(tmp_path: Path) -> None:
    service = Service("Fictional", ("127.0.0.1",), feed=(r"(@\w+)", r"/\1.rss"))
    account = SocialAccount(url="", service="Fictional")
    with serve({"/@aozora": page(title="青空市")}) as server, Archive(tmp_path / "archive") as archive:
        gate = FileGate(tmp_path / "gate.json")
        asking = social.follow(
            [account.model_copy(update={"url": server.url + "@aozora"})], plan(server.url), archive=archive, code=CODE,
            run_id=RUN, done=(), progress=lambda *_: None, services=(service,), web=Web(Pace(0.0), gate),
        )  # fmt: skip
        asyncio.run(asking)
        assert len(server.log) == gate.entered == 3


@needs_chromium
def test_page_views_go_through_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "LOADS", 2)
    monkeypatch.setattr(speed, "QUIET_S", 0.3)
    with serve({"/": page(title="市")}) as server:
        gate = FileGate(tmp_path / "gate.json")
        measured = asyncio.run(display_speed(plan(server.url), progress=lambda *_: None, web=Web(Pace(0.0), gate)))
        assert [load.status for load in measured.loads] == [200, 200]
        assert len(gate.slots) == gate.entered == 3  # robots.txt and two page views
