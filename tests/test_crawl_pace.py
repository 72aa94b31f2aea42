"""The pace as a server sees it: from one request that has left to the next, whatever the connection took."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from crawling import LATE_LOG_S, hurry_s, plan, run
from hostile import Reply, page, redirect, serve

from pipeline.crawl.guard import Target
from pipeline.crawl.pace import Pace
from pipeline.crawl.visit import Visitor

DELAY_S = 0.2


def _target(host: str, *addresses: str) -> Target:
    return Target(host, 80, addresses)


async def _ask(pace: Pace, target: Target, *, opening_s: float = 0.0, answer_s: float = 0.0) -> float:
    """When a request left that took so long to open its connection, and so long to be answered."""
    async with pace.turn(target) as turn:
        await asyncio.sleep(opening_s)
        at = time.monotonic()
        await turn.left()
        await asyncio.sleep(answer_s)
    return at


def _times(*asked: tuple[Target, float, float]) -> list[float]:
    """When requests left that were all wanted at once."""

    async def ask() -> list[float]:
        pace = Pace(DELAY_S)
        return await asyncio.gather(
            *(_ask(pace, target, opening_s=opening_s, answer_s=answer_s) for target, opening_s, answer_s in asked)
        )

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("192.0.2.1",), ("192.0.2.1",)),
        (("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")),
        (("2001:db8::1", "192.0.2.1"), ("192.0.2.1",)),
    ],
    ids=["the same", "in another order", "one of two"],
)
@pytest.mark.parametrize("opening_s", [0.0, 0.3], ids=["soon", "after a slow connection"])
def test_two_hosts_that_share_an_address_never_start_together(
    one: tuple[str, ...], two: tuple[str, ...], opening_s: float
) -> None:
    a, b = _target("a.example", *one), _target("b.example", *two)
    times = _times((a, opening_s, 0.0), (b, 0.0, 0.0), (a, 0.0, 0.0))
    assert hurry_s(times, DELAY_S) <= 0


def test_a_slow_answer_of_one_host_holds_up_no_other() -> None:
    """Of one address: its own next request waits for the answer, another host's for the delay only."""
    a, b = _target("a.example", "192.0.2.1"), _target("b.example", "192.0.2.1")
    first, other, second = _times((a, 0.0, 1.0), (b, 0.0, 0.0), (a, 0.0, 0.0))
    assert DELAY_S <= other - first < 0.8
    assert second - first >= 1.0


def test_an_address_that_a_host_had_before_keeps_its_pace() -> None:
    """A connection may still be open to it."""

    async def ask() -> list[float]:
        pace = Pace(DELAY_S)
        moved = ("192.0.2.1",), ("192.0.2.2",)
        times = [await _ask(pace, _target("a.example", *addresses)) for addresses in moved]
        return [*times, await _ask(pace, _target("b.example", "192.0.2.1"))]

    assert hurry_s(asyncio.run(ask()), DELAY_S) <= 0


def test_a_connection_that_opens_late_brings_no_request_nearer_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = httpcore2.AnyIOBackend.connect_tcp
    opened = 0

    async def every_other_late(self: httpcore2.AnyIOBackend, *args: Any, **more: Any) -> Any:
        nonlocal opened
        opened += 1
        await asyncio.sleep(0.3 * (opened % 2))
        return await connect(self, *args, **more)

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", every_other_late)
    closing = Reply(page(("/a", "a"), ("/b", "b")).encode(), headers=(("Connection", "close"),))
    with serve({"/": closing, "/a": closing}) as one, serve({"/": closing}) as two:
        name = two.url.replace("127.0.0.1", "localhost")
        run(plan("", extra=(one.url, name, one.url + "a"), allow_private=("*",), delay_s=DELAY_S), tmp_path)
        times = [request.at for request in one.log + two.log]
    assert len(times) == 5
    assert hurry_s(times, DELAY_S) < LATE_LOG_S


def test_rules_are_asked_once_even_where_a_redirect_and_a_link_meet() -> None:
    async def visit(*urls: str) -> None:
        visitor = Visitor(plan(urls[0], allow_private=("*",)))
        try:
            await asyncio.gather(*(visitor.visit(url, wanted=lambda _: True, enter=lambda _: None) for url in urls))
        finally:
            await visitor.close()

    with serve({"/": page()}, slowness_s=0.1) as there, serve({"/": redirect(there.url)}, host="127.0.0.2") as here:
        asyncio.run(visit(here.url, there.url))
        assert there.paths().count("/robots.txt") == 1
        assert there.paths().count("/") == 2
