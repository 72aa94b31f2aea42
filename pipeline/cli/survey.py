"""classify --city X, and classify judge: the walk, and judging again what it has archived."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import City, Registry, find, last_run
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.models import CriteriaSet, Municipality
    from pipeline.panel import Panel, Wish
    from pipeline.run import Outcome
    from pipeline.settings import Settings

JAPAN = timezone(timedelta(hours=9))

Criteria = Annotated[str, typer.Option(help="Criteria set: a name in criteria/ or a file.")]
Model = Annotated[str, typer.Option(help="Judge with this model of an OpenAI-compatible server.")]
BaseUrl = Annotated[str, typer.Option(help="Its address, such as http://127.0.0.1:8080/v1.")]
Judges = Annotated[str, typer.Option(help="Several judges, the first one's judgement queued: rules,gpt-5-mini.")]
Votes = Annotated[int, typer.Option(min=1, max=15, help="Ask the model so many times and take the majority.")]
MaxCost = Annotated[float | None, typer.Option(min=0.0, help="US dollars that may be spent, at most.")]
Price = Annotated[str, typer.Option(help="IN/OUT in US dollars per million tokens, for a model without a known price.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what the model would be asked and what it costs; send nothing.")
]


class Render(StrEnum):
    """Whether pages that only a script fills are opened in a browser."""

    NEVER = "never"
    AUTO = "auto"


class Speed(StrEnum):
    """Whether the display of the home page is measured: auto does so where a browser is found."""

    AUTO = "auto"
    NEVER = "never"


def classify(
    context: typer.Context,
    city: Annotated[
        str | None,
        typer.Option(help="Name, kana, romaji or six-digit code, with or without the prefecture; or `demo`."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="Home page, instead of the registry's.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="A press article or other page to add (repeatable).")] = None,
    warc: Annotated[Path | None, typer.Option(help="Judge from this WARC instead of crawling.")] = None,
    site: Annotated[Path | None, typer.Option(help="Judge from this folder of HTML and PDF files instead.")] = None,
    registry: Registry = None,
    criteria: Criteria = "",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the survey speaks about.")] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Page budget.  [default: 400]")] = None,
    delay: Annotated[
        float | None, typer.Option(min=0.0, max=3600.0, help="Seconds between requests to a host.  [default: 1]")
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let the typed addresses be private ones.")
    ] = False,
    render: Annotated[
        Render, typer.Option(help="Open pages that only a script fills in a browser: never or auto.")
    ] = Render.NEVER,
    speed: Annotated[
        Speed | None,
        typer.Option(help="Measure the home page's display in a browser: auto or never.  [default: auto; demo: never]"),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Continue no unfinished run, and ask for every page in full.")
    ] = False,
    model: Model = "",
    base_url: BaseUrl = "",
    judges: Judges = "",
    votes: Votes = 1,
    max_cost: MaxCost = None,
    price: Price = "",
    dry_run: DryRun = False,
) -> None:
    """Survey one municipality: crawl, archive, extract, retrieve, judge, queue."""
    if context.invoked_subcommand is not None:
        return
    if city is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    from pipeline.criteria import load
    from pipeline.panel import Wish
    from pipeline.run import Order, survey
    from pipeline.settings import Settings
    from pipeline.terminal import progress

    settings = Settings()
    panel = _panel(Wish(model, base_url, judges, votes, max_cost, price), settings)
    asked = load(criteria or settings.criteria)
    origin = _origin(site, warc)
    if render is Render.AUTO and origin != "crawl":
        raise InputError("--render auto opens pages of the live site; --site and --warc hold theirs as they are.")
    with ExitStack() as stack:
        place, day = _place(city, url, registry, settings, stack, crawling=origin == "crawl")
        order = Order(
            municipality=place,
            criteria=asked,
            as_of=as_of.date() if as_of else day,
            origin=origin,
            sources=tuple(_http(one, "--source") for one in source or ()),
            max_pages=max_pages or settings.max_pages,
            delay_s=delay if delay is not None else (0.0 if city == "demo" else settings.delay_s),
            allow_private=allow_private or city == "demo",
            fresh=fresh or city == "demo",
            render=render is Render.AUTO,
            speed=(speed or (Speed.NEVER if city == "demo" else Speed.AUTO)) is Speed.AUTO,
        )
        with progress() as watch:
            outcome = survey(order, settings=settings, panel=panel, watch=watch, dry_run=dry_run)
    _show(outcome, asked, city, settings, panel)


def judge(
    city: City,
    registry: Registry = None,
    criteria: Criteria = "",
    model: Model = "",
    base_url: BaseUrl = "",
    judges: Judges = "",
    votes: Votes = 1,
    max_cost: MaxCost = None,
    price: Price = "",
    dry_run: DryRun = False,
) -> None:
    """Judge the archived pages of the last run again, without a crawl: another model, prompt, criteria or budget."""
    from pipeline.criteria import load
    from pipeline.panel import Wish
    from pipeline.run import rejudge
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import progress

    settings = Settings()
    panel = _panel(Wish(model, base_url, judges, votes, max_cost, price), settings)
    asked = load(criteria or settings.criteria)
    with Store(settings.database_url) as store:
        run = last_run(city, registry, settings, store, criteria=asked.id, finished=False)
    with progress() as watch:
        outcome = rejudge(run, asked, settings=settings, panel=panel, watch=watch, dry_run=dry_run)
    _show(outcome, asked, city, settings, panel)


def _panel(wish: Wish, settings: Settings) -> Panel:
    from pipeline.panel import panel

    seated = panel(wish, settings)
    typer.echo(f"Judge: {', '.join(seated.judges)} ({seated.why})", err=True)
    return seated


def _origin(site: Path | None, warc: Path | None) -> str:
    if site and warc:
        raise InputError("--site and --warc were both given; choose one.")
    if site:
        return f"site:{site.resolve()}"
    return f"warc:{warc.resolve()}" if warc else "crawl"


def _place(
    city: str, url: str | None, registry: Path | None, settings: Settings, stack: ExitStack, *, crawling: bool
) -> tuple[Municipality, date]:
    """The municipality meant, and the day its survey speaks about."""
    today = datetime.now(JAPAN).date()
    if city == "demo":
        from pipeline import demo

        home = stack.enter_context(demo.serve()) if crawling else None
        return demo.MUNICIPALITY.model_copy(update={"home_url": home}), demo.AS_OF
    place = find(city, registry, settings, outside_allowed=bool(url) or not crawling)
    if url:
        place = place.model_copy(update={"home_url": _http(url)})
    if crawling and not place.home_url:
        raise InputError(f"{place.name}: the registry names no home page. Give it with --url.")
    return place, today


def _http(url: str, option: str = "--url") -> str:
    from pipeline.urls import canonical

    address = canonical(url)
    if address is None:
        raise InputError(
            f"{option} {url}: no http or https address. Give it whole, as in https://www.city.example.lg.jp/."
        )
    return address


def _show(outcome: Outcome, criteria: CriteriaSet, city: str, settings: Settings, panel: Panel) -> None:
    from pipeline.store.store import Store
    from pipeline.terminal import reckoned, results, spent

    if outcome.estimates:
        reckoned(outcome.estimates, panel.cap)
        return
    with Store(settings.database_url) as store:
        items = store.items(outcome.run.id)
    results(outcome.run, items, criteria, city=city)
    if outcome.reopened:
        typer.echo(
            f"{outcome.reopened} confirmations are open again: the pages they cite have changed or were not read."
        )
    spent(outcome.asked, items, city=city)
