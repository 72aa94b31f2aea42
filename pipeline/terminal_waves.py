"""What the terminal shows of a survey of many municipalities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pipeline.models import SETTLED, CityState, Wave
from pipeline.store.store import Store
from pipeline.text import printable

_SHOWN = 20
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


def outcome(wave: Wave, store: Store) -> None:
    """What came of a wave: how many of each state, failures by cause, and what to do next."""
    console = Console()
    cities = store.waves.cities(wave.id)
    counts = Counter(one.state for one in cities)
    told = " · ".join(f"{state.value} {counts[state]}" for state in CityState if counts[state])
    console.print(
        f"Wave {wave.id}: {len(cities)} municipalities: {told}. Pages read: {sum(one.pages for one in cities)}."
    )
    failed = [one for one in cities if one.state is CityState.FAILED]
    for cause, count in Counter(one.cause for one in failed).most_common(_SHOWN):
        first = next(one for one in failed if one.cause == cause)
        console.print(
            f"  {cause} {count}: {_safe(first.municipality.name)} ({_safe(first.detail[:200])})", soft_wrap=True
        )
    if failed:
        console.print("The same command tries these again. `classify status --failed` lists them.", markup=False)
    console.print("\nNext:\n  classify review\n  classify status\n  classify rank", markup=False)


def _safe(text: str) -> str:
    return escape(printable(text))
