"""The commands that survey a simulated nation, and what their processes find in their environment."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nation.server import Serving

CLASSIFY = str(Path(sys.executable).with_name("classify"))
# Settings of the caller that hold in a trial too; no other reaches it.
_PASSED = ("CLASSIFY_DB", "CLASSIFY_ARCHIVE", "CLASSIFY_DEADLINE_S")


@dataclass(frozen=True)
class Wanted:
    """How to survey. max_pages: of a city; delay_s: between requests to a host; side_by_side: cities at a time, None
    for as many as the command takes by itself."""

    max_pages: int = 50
    delay_s: float = 0.0
    side_by_side: int | None = None

    @property
    def options(self) -> list[str]:
        """Options that `classify --city` and `classify nation` share."""
        return [
            "--allow-private",
            "--delay",
            f"{self.delay_s:g}",
            "--max-pages",
            f"{self.max_pages}",
            "--speed",
            "never",
        ]


def nation(registry: Path, wanted: Wanted, database_url: str = "") -> list[str]:
    """All cities of a registry in one survey; over PostgreSQL queued, and done by one worker."""
    count = [] if wanted.side_by_side is None else [str(wanted.side_by_side)]
    begin = [CLASSIFY, "nation", "--all", "--registry", str(registry), *wanted.options]
    if not database_url.startswith("postgresql"):
        return [*begin, *(part for one in count for part in ("--side-by-side", one))]
    work = [CLASSIFY, "worker", "--until-idle", *(part for one in count for part in ("--crawls", one))]
    return ["sh", "-c", f"{shlex.join(begin)} && exec {shlex.join(work)}"]


def one_by_one(registry: Path, codes: Path, wanted: Wanted) -> list[str]:
    """A process for each code in a file, one after the other or so many at a time."""
    each = [CLASSIFY, "--registry", str(registry), *wanted.options, "--city"]
    return ["xargs", "-a", str(codes), "-n", "1", "-P", str(wanted.side_by_side or 1), *each]


def environment(serving: Serving, home: Path) -> dict[str, str]:
    """The caller's environment without settings of Akashi, but with those that are passed through."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED or not name.startswith(("CLASSIFY_", "OPENAI_"))
    }
    own = {"CLASSIFY_HOME": str(home / "workspace"), "CLASSIFY_CACHE": str(home / "cache"), "COLUMNS": "120"}
    return kept | own | serving.environment()
