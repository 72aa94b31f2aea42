"""Bars of a survey of many municipalities while it is under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pipeline.models import SETTLED, CityState, Wave
from pipeline.store.store import Store
from pipeline.terminal import _safe

_ARCHIVED = {CityState.CRAWLED, CityState.JUDGING, *SETTLED}


@contextmanager
def headway(wave: Wave, store: Store) -> Iterator[Callable[[str, CityState, str], None]]:
    """Bars of a wave on standard error; yields the function that moves them: code, state, why where it failed."""
    cities = store.waves.cities(wave.id)
    names = {one.municipality.code: one.municipality.prefecture + one.municipality.name for one in cities}
    states: dict[str, CityState] = {one.municipality.code: one.state for one in cities}
    states |= dict.fromkeys((code for code in states if states[code] is CityState.FAILED), CityState.WAITING)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        crawl = bars.add_task("巡回 crawl", total=len(cities), note="")
        judge = bars.add_task("判定 judge", total=len(cities), note="")

        def tell(code: str, state: CityState, why: str) -> None:
            states[code] = state
            if state is CityState.FAILED:
                bars.console.print(f"[red]✕[/] {_safe(names[code])} ({code}): {_safe(why)}", soft_wrap=True)
            _draw(bars, crawl, judge, Counter(states.values()), _safe(names[code]))

        yield tell


def _draw(bars: Progress, crawl: TaskID, judge: TaskID, counts: Counter[CityState], name: str) -> None:
    failed = f" · failed {counts[CityState.FAILED]}" if counts[CityState.FAILED] else ""
    archived = sum(counts[state] for state in _ARCHIVED)
    bars.update(crawl, completed=archived, note=f"{counts[CityState.CRAWLING]} at a time · {name}")
    bars.update(
        judge, completed=sum(counts[state] for state in SETTLED), note=f"{counts[CityState.JUDGING]} now{failed}"
    )
