"""A gate for the tests, kept in a file that threads and processes share, and as a program a crawl that goes through it:
python tests/gating.py JSON."""

from __future__ import annotations

import asyncio
import fcntl
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crawling import plan

from pipeline.archive import Archive
from pipeline.crawl import Pace, Plan, Web, crawl
from pipeline.errors import LostError
from pipeline.models import Coverage


@dataclass
class FileGate:
    """Next moments of all places in one JSON file. slots, holds, entered: what was asked of this gate; entries: after
    so many requests the city is lost."""

    path: Path
    entries: int = sys.maxsize
    slots: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    holds: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    entered: int = 0

    async def slot(self, places: Sequence[str], delay_s: float) -> float:
        self.slots.append((tuple(places), delay_s))
        return self._moved(places, delay_s, after=True)

    async def hold(self, places: Sequence[str], seconds: float) -> None:
        self.holds.append((tuple(places), seconds))
        self._moved(places, seconds, after=False)

    async def enter(self) -> None:
        if self.entered >= self.entries:
            raise LostError("another crawls this city now")
        self.entered += 1

    def _moved(self, places: Sequence[str], by_s: float, *, after: bool) -> float:
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            known = json.loads(file.read() or "{}")
            now = time.monotonic()
            turn = max([now, *(known.get(place, now) for place in places)]) if after else now
            known |= {place: max(known.get(place, now), turn + by_s) for place in places}
            file.truncate(0)
            file.write(json.dumps(known))
        return turn - now


def gated(plan: Plan, folder: Path, gate: FileGate, run_id: str = "20260101T000000Z-990101") -> Coverage:
    """A crawl through a gate, with a pace of its own."""

    async def go() -> Coverage:
        return await crawl(
            plan, archive=archive, code="990101", run_id=run_id, frontier_path=folder / "frontier.db",
            progress=lambda _: None, web=Web(Pace(plan.delay_s), gate),
        )  # fmt: skip

    folder.mkdir(exist_ok=True)
    with Archive(folder / "archive") as archive:
        return asyncio.run(go())


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    asked = plan(order["url"], allow_private=("*",), **order.get("changes", {}))
    gated(asked, Path(order["folder"]), FileGate(Path(order["gate"])))
