"""How far a wave has come, in the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.headway import Eta, Failed, Headway, Money, Pace, Unknown
from pipeline.headway.spans import span
from pipeline.models import CityState
from pipeline.report.words import JAPAN
from pipeline.terminal import _safe

STATES = {
    CityState.WAITING: "[dim]○ waiting[/]",
    CityState.CRAWLING: "[cyan]◐ crawling[/]",
    CityState.CRAWLED: "[dim]◑ crawled, awaits a judge[/]",
    CityState.JUDGING: "[cyan]◕ judging[/]",
    CityState.DONE: "[green]● done[/]",
    CityState.FAILED: "[red]✕ failed[/]",
    CityState.CANCELLED: "[yellow]△ cancelled[/]",
}
WHY = {
    Unknown.FEW: "not known yet: too few municipalities are settled",
    Unknown.QUIET: "not known: nothing was settled for long. If a worker is at it, it is known when the next one is",
    Unknown.NOTHING_LEFT: "nothing is left",
}
WORKING_SHOWN = 10
REDRAW_S = 2.0
BAR_WIDTH = 50


def shown(found: Headway) -> None:
    """How far the wave has come."""
    Console().print(_drawn(found))


def watched(look: Callable[[], Headway]) -> None:
    """The same, drawn anew every REDRAW_S until all are settled or somebody presses Ctrl-C."""
    found = look()
    with Live(_drawn(found), auto_refresh=False) as live:
        try:
            while found.ended is None:
                time.sleep(REDRAW_S)
                found = look()
                live.update(_drawn(found), refresh=True)
        except KeyboardInterrupt:  # whoever works on the wave goes on
            return


def troubled(found: Sequence[Failed]) -> None:
    """Every municipality that was given up, and how to try again."""
    table = Table(title=f"{len(found)} failed")
    for name in ("code", "municipality", "cause", "tries", "detail"):
        table.add_column(name, overflow="fold", no_wrap=name == "code", justify="right" if name == "tries" else "left")
    for one in found:
        table.add_row(one.code, _safe(one.name), _cause(one.cause), str(one.tries), _safe(one.detail))
    console = Console()
    console.print(table)
    if found:
        console.print("To try them again: `classify nation` with the options that began the survey. One alone:")
        console.print(f"  classify --city {found[0].code}", markup=False)


def _drawn(found: Headway) -> RenderableType:
    parts: list[RenderableType] = [*_head(found), _states(found), _figures(found)]
    if found.working:
        parts.append(_working(found))
    if found.troubles:
        parts += [_troubles(found), Text(f"  classify status --wave {found.wave} --failed   shows all that failed")]
    if found.slowest:
        slow = (f"{_safe(one.name)} {lasting(one.seconds)}, {one.pages:,} pages" for one in found.slowest)
        parts.append("Slowest: " + " · ".join(slow))
    return Group(*parts)


def _head(found: Headway) -> Iterator[RenderableType]:
    yield f"[bold]Wave {_safe(found.wave)}[/] · {_safe(found.criteria)} · as of {found.as_of}"
    share = found.settled / found.total if found.total else 1.0
    # Rounded down: 100 % means all.
    yield f"{found.settled:,} of {found.total:,} settled ({int(share * 100)} %)"
    bar = Table.grid()
    bar.add_row(ProgressBar(total=found.total or 1, completed=found.settled if found.total else 1, width=BAR_WIDTH))
    yield bar


def _states(found: Headway) -> RenderableType:
    return Columns([f"{STATES[state]} {count:,}" for state, count in found.states.items()], padding=(0, 3))


def _figures(found: Headway) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("begun", f"{_moment(found.began)}, {_elapsed(found)}")
    table.add_row("pace", _pace(found.pace))
    table.add_row("end", f"{_moment(found.ended)}" if found.ended else _end(found.eta, found.at))
    table.add_row("pages", f"{found.pages:,} read")
    table.add_row("money", _money(found.money))
    return table


def _elapsed(found: Headway) -> str:
    said = f"{lasting(found.elapsed_s)} {'in all' if found.ended else 'ago'}"
    idle = found.elapsed_s - found.worked_s
    return f"{said}, {lasting(found.worked_s)} of it at work" if idle >= 60 else said


def _pace(one: Pace) -> str:
    if one.per_hour is None:
        return WHY[one.unknown or Unknown.FEW]
    return f"{one.per_hour:,.1f} an hour ({one.settled:,} settled in the last {lasting(one.over_s)} of work)"


def _end(one: Eta, at: datetime) -> str:
    if one.likely is None or one.earliest is None or one.latest is None:
        return WHY[one.unknown or Unknown.FEW]
    first, last = ((then - at).total_seconds() for then in (one.earliest, one.latest))
    return (
        f"in about {lasting((one.likely - at).total_seconds())}, {_moment(one.likely)} (between {lasting(first)} and "
        f"{lasting(last)}), if as many go on working and the rest are like the recent ones"
    )


def _money(one: Money) -> str:
    most = "no limit" if one.cap is None else f"of ${one.cap:,.2f} at most"
    return f"${one.spent:,.4f} spent in judgements, ${one.set_aside:,.4f} set aside; {most}"


def _working(found: Headway) -> RenderableType:
    more = f", the longest {WORKING_SHOWN} of them" if len(found.working) > WORKING_SHOWN else ""
    table = Table(title=f"{len(found.working)} being worked on{more}", title_justify="left")
    for name in ("municipality", "state", "for", "pages"):
        table.add_column(name, justify="right" if name in ("for", "pages") else "left")
    for one in found.working[:WORKING_SHOWN]:
        since = lasting((found.at - one.since).total_seconds()) if one.since else "?"
        table.add_row(f"{_safe(one.name)} {one.code}", STATES[one.state], since, f"{one.pages:,}")
    return table


def _troubles(found: Headway) -> RenderableType:
    table = Table(title=f"{found.states[CityState.FAILED]:,} failed", title_justify="left")
    table.add_column("cause")
    table.add_column("count", justify="right")
    table.add_column("such as", overflow="fold")
    for one in found.troubles:
        lines = (f"{_safe(city.name)} {city.code}: {_safe(city.detail) or 'no detail'}" for city in one.first)
        table.add_row(_cause(one.cause), f"{one.count:,}", "\n".join(lines))
    return table


def _cause(word: str) -> str:
    return _safe(word) or "[dim]none named[/]"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(JAPAN):%Y-%m-%d %H:%M} JST"


def lasting(seconds: float) -> str:
    """A duration in its two largest units: `5 h 12 min`, `40 s`."""
    return " ".join(f"{count} {unit}" for count, unit in span(seconds))
