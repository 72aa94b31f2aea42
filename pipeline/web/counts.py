"""Progress, pace and agreement; what takes long to count is counted every few seconds, however many people look."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pipeline.agreement import Coefficient, cohen
from pipeline.desk import Desk
from pipeline.headway import Headway
from pipeline.headway.looking import look
from pipeline.models import Action, Filter, Stage, Tally
from pipeline.report.words import JAPAN
from pipeline.store.line import Survey
from pipeline.store.serving import Coding

FRESH_S = 5.0
CHEAP_S = 0.02
MOST_KEPT = 500
WAVES_SHOWN = 50


@dataclass(frozen=True)
class Pace:
    """Verdicts that a person has reached today (in Japan) and within the last hour."""

    today: int = 0
    hour: int = 0


class Counts:
    """Figures of the whole queue. Threads may share it."""

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._kept: dict[Hashable, _Kept] = {}
        self._guard = threading.Lock()

    def surveys(self) -> list[Survey]:
        """The newest survey of each municipality and criteria set."""
        found: list[Survey] = self._fresh("surveys", self._desk.store.surveys)
        return found

    def tally(self, wanted: Filter) -> Tally:
        found: Tally = self._fresh(
            ("tally", wanted), lambda: self._desk.store.serving.tally(wanted, self._desk.team().doubling)
        )
        return found

    def by_survey(self) -> dict[str, dict[Stage, int]]:
        found: dict[str, dict[Stage, int]] = self._fresh("surveyed", self._desk.store.serving.by_survey)
        return found

    def pace(self, name: str) -> Pace:
        return self.paces().get(name, Pace())

    def paces(self) -> dict[str, Pace]:
        found: dict[str, Pace] = self._fresh("pace", self._paces)
        return found

    def kappas(self) -> dict[str, Coefficient]:
        """Cohen's kappa of the blind codings by criterion, and under "" of all together."""
        found: dict[str, Coefficient] = self._fresh("kappa", lambda: kappas(self._desk.store.serving.codings()))
        return found

    def waves(self) -> list[str]:
        """Ids of the newest surveys of many, newest first."""
        found: list[str] = self._fresh("waves", lambda: self._desk.store.waves.ids(limit=WAVES_SHOWN))
        return found

    def headway(self, wave_id: str) -> Headway:
        """How far that survey of many has come. Raises InputError where there is none of that id."""
        waves = self._desk.store.waves
        found: Headway = self._fresh(("headway", wave_id), lambda: look(waves, wave_id, datetime.now(UTC)))
        return found

    def _paces(self) -> dict[str, Pace]:
        now = datetime.now(UTC)
        midnight = now.astimezone(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)
        today = self._desk.store.serving.pace(midnight.astimezone(UTC))
        hour = self._desk.store.serving.pace(now - timedelta(hours=1))
        return {name: Pace(today.get(name, 0), hour.get(name, 0)) for name in today | hour}

    def _fresh(self, key: Hashable, count: Callable[[], Any]) -> Any:
        """The figure as it is now; one that takes long to count may be FRESH_S old."""
        line, started = self._desk.store.serving.last_line(), self._clock()
        with self._guard:
            kept = self._kept.get(key)
        if kept and started - kept.at <= FRESH_S and (kept.line == line or kept.cost_s > CHEAP_S):
            return kept.value
        value = count()
        with self._guard:
            if len(self._kept) > MOST_KEPT:
                self._kept.clear()
            self._kept[key] = _Kept(started, line, self._clock() - started, value)
        return value


class _Kept(NamedTuple):
    """line: number of the log's last line when it was counted; cost_s: how long that took."""

    at: float
    line: int
    cost_s: float
    value: Any


def kappas(lines: list[Coding]) -> dict[str, Coefficient]:
    """Of all complete pairs of codings that were not taken back; the pair in the order of their names, so that the same
    person is the same coder throughout where two people work together."""
    stacks: dict[str, list[Coding]] = defaultdict(list)
    for line in lines:
        if line.action == Action.UNDO.value:
            stacks[line.of][-1:] = []
        elif line.action != Action.NOTE.value:
            stacks[line.of].append(line)
    pairs: dict[str, list[tuple[str | None, str | None]]] = defaultdict(list)
    for stack in stacks.values():
        coded = sorted((one for one in stack if one.action == Action.CODE.value), key=lambda one: one.reviewer)
        if len(coded) == 2:
            pair = (coded[0].verdict, coded[1].verdict)
            pairs[coded[0].criterion].append(pair)
            pairs[""].append(pair)
    return {criterion: cohen(found) for criterion, found in pairs.items()} or {"": cohen([])}
