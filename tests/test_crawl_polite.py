"""Politeness over a whole run, judged from the servers' own log: no request that robots.txt forbids, none too soon."""

from __future__ import annotations

import itertools
import re
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crawling import LATE_LOG_S, Crawled, hurry_s, plan, run
from hostile import Reply, Request, Server, page, redirect, serve

PAGES = 40
DELAY_S, SLOW_S = 0.06, 0.15
# Three names of one city: two on one machine, as with a CMS vendor; the third elsewhere, with a pace of its own.
HOSTS = {"www.city.test": "127.0.0.11", "kids.www.city.test": "127.0.0.11", "lib.www.city.test": "127.0.0.12"}
MAIN, KIDS, LIBRARY = HOSTS
ROBOTS = {
    MAIN: ("User-agent: *", "Disallow: /cgi-bin/", "Disallow: /*?print=", "Disallow: /a/*.pdf$", "Allow: /cgi-bin/op"),
    KIDS: ("User-agent: Other", "Disallow: /", "User-agent: Akashi", "Disallow: /no", "User-agent: *", "Disallow: /"),
    LIBRARY: ("User-agent: *", f"Crawl-delay: {SLOW_S}", "Disallow: /9"),
}  # fmt: skip
# What those files forbid, written anew by hand: the survey's own reader of robots.txt must not judge itself.
FORBIDDEN = {
    MAIN: re.compile(r"/cgi-bin/(?!open)|\?print=|^/a/.*\.pdf$"),
    KIDS: re.compile(r"^/no"),
    LIBRARY: re.compile(r"^/9"),
}


@contextmanager
def _city(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Server]]:
    """The city's servers by address, their names resolved to them."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real(HOSTS.get(name, name), port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with serve({}, host="127.0.0.11") as free:
        port = int(free.place.rpartition(":")[2])
    with (
        serve(_answers(port), host="127.0.0.11", port=port, by_name=True) as one,
        serve(_answers(port), host="127.0.0.12", port=port, by_name=True) as two,
    ):
        yield {"127.0.0.11": one, "127.0.0.12": two}


def _answers(port: int) -> Callable[[str], Reply | str | None]:
    traps = ["/cgi-bin/x", "/cgi-bin/open", "/a/b.pdf", "/a/b.pdf?x", "/no/1", "/9/1", "/hop"]

    def answer(asked: str) -> Reply | str | None:
        host, _, path = asked.partition("/")
        if path in ("robots.txt", "sitemap.xml", "hop"):
            fixed = {
                "robots.txt": Reply("\n".join(ROBOTS[host]).encode(), media="text/plain"),
                "hop": redirect("/cgi-bin/hopped"),
            }
            return fixed.get(path)
        number = sum(map(ord, path)) % PAGES
        links = [f"http://{name}:{port}/{(number + step) % PAGES}" for name in HOSTS for step in range(4)]
        return page(*((link, "施設予約") for link in (*links, *traps, f"/{number}?print=1")), title=asked)

    return answer


def test_a_whole_run_breaks_no_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _city(monkeypatch) as servers:
        port = next(iter(servers.values())).place.rpartition(":")[2]
        places = tuple(f"{name}:{port}" for name in HOSTS)
        order = plan(
            f"http://{MAIN}:{port}/",
            delay_s=DELAY_S,
            allow_private=places,
            max_pages=70,
            terms=(("ops-01", ("施設予約",)),),
            user_agent="Akashi/0.1 (+survey of municipal web pages)",
        )
        crawled = run(order, tmp_path)
        log = {address: list(server.log) for address, server in servers.items()}
    _rules_are_kept(log, crawled)
    times = {address: [request.at for request in requests] for address, requests in log.items()}
    assert hurry_s(times["127.0.0.11"], DELAY_S) < LATE_LOG_S, "hosts of one machine share its pace"
    assert hurry_s(times["127.0.0.12"], SLOW_S) < LATE_LOG_S, "Crawl-delay"


def _rules_are_kept(log: dict[str, list[Request]], crawled: Crawled) -> None:
    asked: dict[str, list[str]] = defaultdict(list)
    for request in itertools.chain(*log.values()):
        asked[request.headers["Host"].partition(":")[0]].append(request.path)
    for host, paths in asked.items():
        assert paths[0] == "/robots.txt", "nothing before the rules are known"
        assert paths.count("/robots.txt") == 1
        assert not [path for path in paths[1:] if FORBIDDEN[host].search(path)]
    assert set(asked) == set(HOSTS)
    assert sum(map(len, asked.values())) > 60, "the run was long enough to break a rule"
    assert {"robots"} == {
        str(one.cause) for one in crawled.coverage.unread if "/cgi-bin/x" in one.url or "/hop" in one.url
    }
