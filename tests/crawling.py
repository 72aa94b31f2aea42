"""A crawl in one call for the tests, and as a program of its own that may be killed: python tests/crawling.py JSON."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hostile import path_of

from pipeline.archive import Archive
from pipeline.crawl import Plan, Progress, crawl
from pipeline.models import Cause, Coverage, Snapshot

CODE, RUN = "990101", "20260101T000000Z-990101"


@dataclass(frozen=True)
class Crawled:
    coverage: Coverage
    snapshots: tuple[Snapshot, ...]

    def paths(self, status: int = 200) -> set[str]:
        """Paths of the archived answers of that status."""
        return {path_of(snapshot.url) for snapshot in self.snapshots if snapshot.status == status}

    def causes(self) -> dict[str, Cause]:
        return {path_of(one.url): one.cause for one in self.coverage.unread}


def plan(url: str, **changes: object) -> Plan:
    """A plan without pauses for a loopback site, whose own host and port alone are open."""
    base = Plan(url, delay_s=0.0, deadline_s=5.0, allow_private=(url.split("/")[2],) if url else ())
    return replace(base, **changes)  # type: ignore[arg-type]


# A request may reach a busy server's log late by so much, in seconds; the next then seems early.
LATE_LOG_S = 0.1


def hurry_s(times: Iterable[float], pace_s: float) -> float:
    """By how many seconds requests come sooner than a pace allows, the worst of all pairs: of requests i < j,
    (j - i) * pace_s - (t_j - t_i). One late line of a log counts once; a pace that is too fast adds up."""
    pairs = itertools.combinations(enumerate(sorted(times)), 2)
    return max((j - i) * pace_s - (later - earlier) for (i, earlier), (j, later) in pairs)


def run(
    plan: Plan,
    folder: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    run_id: str = RUN,
    earlier: Sequence[str] = (),
) -> Crawled:
    folder.mkdir(exist_ok=True)
    with Archive(folder / "archive") as archive:
        coverage = asyncio.run(
            crawl(
                plan,
                archive=archive,
                code=CODE,
                run_id=run_id,
                frontier_path=folder / ("frontier.db" if run_id == RUN else f"{run_id}.db"),
                progress=progress,
                earlier=earlier,
            )
        )
        return Crawled(coverage, tuple(archive.snapshots(run_id)))


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    run(plan(order["url"], **order.get("changes", {})), Path(order["folder"]), **order.get("more", {}))
