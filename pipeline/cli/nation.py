"""Surveys of many municipalities: classify nation, worker, cancel, status."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import Registry
from pipeline.cli.survey import BaseUrl, Criteria, Judges, Model, Price, Render, Speed, Votes
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.headway import Headway
    from pipeline.models import Municipality, Wave
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.store.waves import Waves


def nation(
    cities: Annotated[
        Path | None, typer.Option(help="File with one name or code a line; the first column of a CSV will do.")
    ] = None,
    prefecture: Annotated[list[str] | None, typer.Option(help="All of this prefecture (repeatable).")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All municipalities of the registry.")] = False,
    registry: Registry = None,
    criteria: Criteria = "",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the surveys speak about.")] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Page budget of each.  [default: 400]")] = None,
    delay: Annotated[
        float | None, typer.Option(min=0.0, max=3600.0, help="Seconds between requests to a host.  [default: 1]")
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let the home pages of the registry be at private addresses.")
    ] = False,
    render: Annotated[
        Render, typer.Option(help="Open pages that only a script fills in a browser: never or auto.")
    ] = Render.NEVER,
    speed: Annotated[
        Speed,
        typer.Option(help="Measure home pages' display in a browser, one at a time, on a machine that is not busy."),
    ] = Speed.NEVER,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask for every page in full, whatever is archived.")] = False,
    no_crawl: Annotated[
        bool, typer.Option("--no-crawl", help="Judge again what is archived: another model, prompt or criteria text.")
    ] = False,
    model: Model = "",
    base_url: BaseUrl = "",
    judges: Judges = "",
    votes: Votes = 1,
    max_cost: Annotated[
        float | None, typer.Option(min=0.0, help="US dollars that all of it together may cost, at most.")
    ] = None,
    price: Price = "",
    side_by_side: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Municipalities crawled at a time.  [default: 48]")
    ] = None,
    priority: Annotated[int, typer.Option(help="Of several surveys that workers do, the highest goes first.")] = 0,
    new: Annotated[bool, typer.Option("--new", help="Begin anew, though the same survey stands unfinished.")] = False,
) -> None:
    """Survey many municipalities; the same command continues an unfinished survey and tries failed ones again."""
    from pipeline.criteria import load
    from pipeline.models import Crawling
    from pipeline.nation import Wanted, begin
    from pipeline.panel import Wish
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    settings = Settings()
    crawling = Crawling(
        max_pages=max_pages or settings.max_pages,
        delay_s=delay if delay is not None else settings.delay_s,
        allow_private=allow_private,
        fresh=fresh,
        render=render is Render.AUTO,
        speed=speed is Speed.AUTO,
    )
    wanted = Wanted(
        criteria=load(criteria or settings.criteria),
        cities=tuple(_chosen(cities, prefecture or [], everybody, registry, settings)),
        crawl=None if no_crawl else crawling,
        wish=Wish(model, base_url, judges, votes, max_cost, price),
        as_of=as_of.date() if as_of else None,
        priority=priority,
    )
    with Store(settings.database_url) as store:
        wave, continued = begin(wanted, store, settings, new=new)
        typer.echo(f"Wave {wave.id}: {'continued' if continued else 'begun'}, as of {wave.as_of}.", err=True)
        if _has_workers(settings):
            _queued(wave, store, settings)
        else:
            _here(wave, store, settings, side_by_side)
            _told(wave, store)


def _chosen(
    cities: Path | None, prefectures: list[str], everybody: bool, registry: Path | None, settings: Settings
) -> list[Municipality]:
    from pipeline.cli.places import places
    from pipeline.nation import chosen

    if sum((cities is not None, bool(prefectures), everybody)) != 1:
        raise InputError("classify nation: give one of --cities FILE, --prefecture NAME (repeatable) or --all.")
    return chosen(places(registry, settings), file=cities, prefectures=prefectures, everybody=everybody)


def _has_workers(settings: Settings) -> bool:
    """Whether the work is done by `classify worker`, on this machine or many: whoever shares a PostgreSQL."""
    return settings.database_url.startswith("postgresql")


def _queued(wave: Wave, store: Store, settings: Settings) -> None:
    import asyncio

    from pipeline.nation.worker import queue

    count = asyncio.run(queue(wave, store, settings))
    typer.echo(f"{count} municipalities queued for the workers of this database.")
    typer.echo("\nNext:\n  classify worker     on every machine that is to work on it\n  classify status --watch")


def _here(wave: Wave, store: Store, settings: Settings, side_by_side: int | None) -> None:
    import asyncio

    from pipeline.nation.here import SIDE_BY_SIDE, here
    from pipeline.terminal.bars import headway

    with headway(wave, store) as tell:
        asyncio.run(here(wave, store, settings, side_by_side=side_by_side or SIDE_BY_SIDE, tell=tell))


def _told(wave: Wave, store: Store) -> None:
    """What came of the wave, and whether all of it is done: exit code 1 where a municipality failed."""
    from pipeline.models import CityState
    from pipeline.terminal.waves import shown

    shown(_look(store.waves, wave.id))
    if store.waves.counts(wave.id)[CityState.FAILED]:
        raise typer.Exit(1)


# --- classify worker, classify cancel ---------------------------------------------------------------------------------


def worker(
    crawls: Annotated[int, typer.Option(min=0, max=1000, help="Municipalities crawled at a time, 0 for none.")] = 32,
    judges: Annotated[
        int | None, typer.Option(min=0, max=1000, help="Municipalities judged at a time, 0 for none.  [default: cores]")
    ] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing is left to do.")] = False,
) -> None:
    """Work on the surveys that `classify nation` queued in PostgreSQL, together with other workers; Ctrl-C ends it."""
    import asyncio
    import os

    from pipeline.nation.worker import work
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    settings = Settings()
    if not _has_workers(settings):
        raise InputError(
            "classify worker: workers share a PostgreSQL, and CLASSIFY_DB names none. Set it as in "
            "postgresql+psycopg://user@host/akashi, or let `classify nation` do the work on this machine."
        )
    if not (crawls or judges is None or judges):
        raise InputError("classify worker: --crawls 0 and --judges 0 leave nothing to do.")
    at_once = os.cpu_count() or 1 if judges is None else judges
    if not settings.archive:
        _say("CLASSIFY_ARCHIVE is not set: pages are archived on this machine, and only its workers can judge them.")
    with Store(settings.database_url) as store:
        asyncio.run(work(store, settings, crawls=crawls, judges=at_once, until_idle=until_idle, tell=_say))


def _say(line: str) -> None:
    """What an operator must know, with the time."""
    from pipeline.text import printable

    typer.echo(f"{datetime.now().astimezone():%Y-%m-%dT%H:%M:%S%z} {printable(line)}", err=True)


def cancel(
    wave: Annotated[str, typer.Option(help="Id of the survey.  [default: the newest]")] = "",
    city: Annotated[list[str] | None, typer.Option(help="Only this municipality, by its code (repeatable).")] = None,
) -> None:
    """Take back what is not done of a survey of many; what is archived and judged stays."""
    import asyncio

    from pipeline.nation import take_back
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    settings = Settings()
    with Store(settings.database_url) as store:
        meant = store.waves.find(wave)
        for code in city or ():
            store.waves.city(meant.id, code)
        concerned = take_back(meant, city or [], store)
        if _has_workers(settings):
            from pipeline.nation.worker import stop

            asyncio.run(stop(meant, concerned, settings))
    typer.echo(f"Wave {meant.id}: {len(concerned)} municipalities cancelled. `classify nation` with --new begins anew.")


# --- classify status --------------------------------------------------------------------------------------------------


def status(
    wave: Annotated[str, typer.Option(help="Id of the survey.  [default: the newest]")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Draw it anew every 2 seconds until all are settled.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Every municipality that failed, and why.")] = False,
) -> None:
    """Say how far a survey of many municipalities has come: done, failed, at work, pace, expected end, money."""
    if watch and (as_json or failed):
        raise InputError("--watch draws how far it has come; --json and --failed are one look. Choose one.")
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    with Store(Settings().database_url) as store:
        known = store.waves.find(wave).id
        if failed:
            _failed(store.waves, known, as_json)
        elif as_json:
            typer.echo(_look(store.waves, known).model_dump_json(indent=1))
        elif watch:
            from pipeline.terminal.waves import watched

            watched(lambda: _look(store.waves, known))
        else:
            from pipeline.terminal.waves import shown

            shown(_look(store.waves, known))


def _look(waves: Waves, wave_id: str) -> Headway:
    from datetime import UTC, datetime

    from pipeline.headway.looking import look

    return look(waves, wave_id, datetime.now(UTC))


def _failed(waves: Waves, wave_id: str, as_json: bool) -> None:
    from pipeline.headway import failed
    from pipeline.models import CityState

    found = failed(waves.cities(wave_id, [CityState.FAILED]))
    if as_json:
        import json

        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False, indent=1))
    else:
        from pipeline.terminal.waves import troubled

        troubled(found)
