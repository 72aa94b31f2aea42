"""What the log of a nation's server proves of a crawl: its pace, and what was asked more than once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

# A request may reach a busy server so much late, in seconds; the next then seems early.
LATE_LOG_S = 0.1
_NS = 1e9


class Request(NamedTuple):
    """at_s: of the monotonic clock; address: local one that it came in on; status: 0 where nothing was answered."""

    at_s: float
    address: str
    host: str
    status: int
    path: str


def read(log: Path) -> list[Request]:
    """The requests in the order of their arrival. A last line that is still being written is left out."""
    found = []
    for line in log.read_text("utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            at_ns, address, host, status, path = line[:-1].split("\t", 4)
            found.append(Request(int(at_ns) / _NS, address, host, int(status), path))
    return sorted(found)


def by_host(request: Request) -> str:
    return request.host


def by_address(request: Request) -> str:
    return request.address


def hurries(requests: Iterable[Request], pace_s: float, place: Callable[[Request], str]) -> dict[str, float]:
    """Of each host or address (`place`), by how many seconds its requests come sooner than the pace allows."""
    times: dict[str, list[float]] = defaultdict(list)
    for one in requests:
        times[place(one)].append(one.at_s)
    return {key: hurry_s(found, pace_s) for key, found in times.items()}


def hurry_s(times: Iterable[float], pace_s: float) -> float:
    """The worst of all pairs of requests i < j: (j - i) * pace_s - (t_j - t_i). One late line of a log counts once, a
    pace that is too fast adds up. Minus infinity where there are no two requests."""
    worst, earliest = float("-inf"), float("inf")
    for number, at in enumerate(sorted(times)):
        ahead = number * pace_s - at
        worst = max(worst, ahead - earliest)
        earliest = min(earliest, ahead)
    return worst


def violations(requests: Sequence[Request], pace_s: float) -> dict[str, float]:
    """Hosts and addresses that were asked too soon, with the seconds."""
    worst = {**hurries(requests, pace_s, by_host), **hurries(requests, pace_s, by_address)}
    return {place: seconds for place, seconds in worst.items() if seconds > LATE_LOG_S}


def refetches(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Addresses (host and path) that were asked again although they had been answered, and how often. Second tries
    after no answer, 429 or 5xx are not among them."""
    answered: set[tuple[str, str]] = set()
    again: Counter[tuple[str, str]] = Counter()
    for one in requests:
        asked = (one.host, one.path)
        again[asked] += asked in answered
        if 0 < one.status < 500 and one.status != 429:
            answered.add(asked)
    return +again


def per_host(requests: Iterable[Request]) -> Counter[str]:
    return Counter(one.host for one in requests)


def last_asked(requests: Iterable[Request]) -> dict[str, float]:
    """When each host was asked last, in seconds."""
    return {one.host: one.at_s for one in requests}
