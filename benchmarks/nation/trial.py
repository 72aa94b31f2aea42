"""One survey of a served nation, measured, and its log checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nation import checks, measure
from benchmarks.nation.command import environment
from benchmarks.nation.outcome import Outcome, outcome
from benchmarks.nation.server import Serving
from benchmarks.nation.site import settled
from pipeline.settings import Settings

_LAST_CHARS = 600


@dataclass(frozen=True)
class Trial:
    """violations: host or address with the seconds by which it was asked too soon; refetched: requests for what had
    been answered before; memory: as measure.course says; last_words: of the command."""

    cities: int
    delay_s: float
    code: int
    wall_s: float
    cpu_s: float
    server_cpu_s: float
    peak_rss_mib: float
    peak_tree_mib: float
    growth_mib: float | None
    growth_tree_mib: float | None
    requests: int
    violations: Mapping[str, float]
    refetched: int
    outcome: Outcome
    memory: Sequence[tuple[float, int, float, float]]
    last_words: str


def trial(command: Sequence[str], serving: Serving, folder: Path, delay_s: float, settings: Mapping[str, str]) -> Trial:
    """Runs the command on the nation. folder: for its workspace and its words; settings: the caller's environment."""
    found = environment(serving, folder)
    idle_s = measure.cpu_s(serving.pid) or 0.0
    took = measure.run(command, found, folder / "output.txt")
    server_cpu_s = (measure.cpu_s(serving.pid) or 0.0) - idle_s
    serving.flush()
    requests = checks.read(serving.log)
    crawled = list(checks.last_asked(requests).values())
    home = Path(found["CLASSIFY_HOME"])
    own = Settings(home=home, cache=Path(found["CLASSIFY_CACHE"]), db=settings.get("CLASSIFY_DB", ""))
    return Trial(
        cities=serving.nation.cities,
        delay_s=delay_s,
        code=took.code,
        wall_s=took.wall_s,
        cpu_s=took.cpu_s,
        server_cpu_s=server_cpu_s,
        peak_rss_mib=took.peak_rss_mib,
        peak_tree_mib=took.peak_tree_mib,
        growth_mib=measure.growth(took.samples, crawled, tree=False),
        growth_tree_mib=measure.growth(took.samples, crawled, tree=True),
        requests=len(requests),
        violations=checks.violations(requests, delay_s),
        refetched=checks.refetches(requests).total(),
        outcome=outcome(
            own.database_url,
            settings.get("CLASSIFY_ARCHIVE") or str(home / "archive"),
            settled(serving.nation),
            serving.nation.cities,
        ),
        memory=measure.course(took, crawled),
        last_words=(folder / "output.txt").read_text("utf-8", "replace")[-_LAST_CHARS:].strip(),
    )
