"""The command line: parse, call, print. Rooms are imported when a command needs them, so that --help stays quick."""

from __future__ import annotations

import getpass
import sys
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import AkashiError, AmbiguousCityError, CriteriaError, InputError, UnknownCityError

if TYPE_CHECKING:
    from pipeline.models import Municipality, Run
    from pipeline.run import Order
    from pipeline.settings import Settings
    from pipeline.store.store import Store

JAPAN = timezone(timedelta(hours=9))

app = typer.Typer(
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find out what a Japanese municipality really does about DX, from its own pages, and prove every point.",
)
queue_app = typer.Typer(help="List what waits for a person, and decide.", invoke_without_command=True)
criteria_app = typer.Typer(help="Check criteria files.", no_args_is_help=True)
app.add_typer(queue_app, name="queue")
app.add_typer(criteria_app, name="criteria")

City = Annotated[
    str, typer.Option(help="Name, six-digit code, kana, or prefecture and name; `demo` for the bundled one.")
]
Registry = Annotated[Path | None, typer.Option(help="Registry CSV (code4fukui/localgovjp) instead of the fetched one.")]
Criteria = Annotated[str, typer.Option(help="Criteria set: a name in criteria/ or a file.")]
Reviewer = Annotated[str, typer.Option(envvar="CLASSIFY_REVIEWER", help="Who decides; default: your login name.")]
Note = Annotated[str, typer.Option(help="Why, for whoever reads the log.")]
Numbers = Annotated[list[int], typer.Argument(help="Numbers as `classify queue` lists them.")]


def main() -> None:
    """Entry point: errors made on purpose become one sentence and an exit code."""
    try:
        app()
    except AkashiError as error:
        _explain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _err("Interrupted. Nothing is lost: the same command continues where it stopped.")
        sys.exit(130)


def _err(line: str) -> None:
    typer.echo(line, err=True)


def _explain(error: AkashiError) -> None:
    _err(f"Error: {error}")
    lines: tuple[str, ...] = ()
    if isinstance(error, AmbiguousCityError):
        lines = error.candidates
    elif isinstance(error, UnknownCityError):
        lines = error.near
    elif isinstance(error, CriteriaError):
        lines = error.problems
    for line in lines:
        _err(f"  {line}")


# --- classify --city X ------------------------------------------------------------------------------------------------


@app.callback(invoke_without_command=True)
def classify(
    context: typer.Context,
    city: Annotated[
        str | None, typer.Option(help="Name, six-digit code, kana, or prefecture and name; or `demo`.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Home page, instead of the registry's.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="A press article or other page to add (repeatable).")] = None,
    warc: Annotated[Path | None, typer.Option(help="Judge from this WARC instead of crawling.")] = None,
    site: Annotated[
        Path | None, typer.Option(help="Judge from this folder of HTML and PDF files instead of crawling.")
    ] = None,
    registry: Registry = None,
    criteria: Criteria = "",
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the survey speaks about.")] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, help="Page budget.  [default: 400]")] = None,
    delay: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds between requests to a host.  [default: 1]")
    ] = None,
    allow_private: Annotated[bool, typer.Option(help="Let the typed addresses be private or loopback ones.")] = False,
    fresh: Annotated[bool, typer.Option(help="Start anew instead of continuing an unfinished run.")] = False,
) -> None:
    """Survey one municipality: crawl, archive, extract, retrieve, judge, queue."""
    if context.invoked_subcommand is not None:
        return
    if city is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    from pipeline.criteria import load
    from pipeline.run import Order
    from pipeline.settings import Settings

    settings = Settings()
    origin = _origin(site, warc)
    with ExitStack() as stack:
        place, day = _place(city, url, registry, settings, stack, crawling=origin == "crawl")
        order = Order(
            municipality=place,
            criteria=load(criteria or settings.criteria),
            as_of=as_of.date() if as_of else day,
            origin=origin,
            sources=tuple(source or ()),
            max_pages=max_pages or settings.max_pages,
            delay_s=delay if delay is not None else (0.0 if city == "demo" else settings.delay_s),
            allow_private=allow_private or city == "demo",
            fresh=fresh or city == "demo",
        )
        _survey(order, city, settings)


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
    place = _find(city, registry, settings, outside_allowed=bool(url) or not crawling)
    if url:
        place = place.model_copy(update={"home_url": _http(url)})
    if crawling and not place.home_url:
        raise InputError(f"{place.name}: the registry names no home page. Give it with --url.")
    return place, today


def _http(url: str) -> str:
    from pipeline.urls import canonical

    address = canonical(url)
    if address is None:
        raise InputError(
            f"--url {url}: not an http or https address. Give the whole address, such as https://www.city.example.lg.jp/."
        )
    return address


def _find(city: str, registry: Path | None, settings: Settings, *, outside_allowed: bool = False) -> Municipality:
    """The municipality of that name. With a home page, a folder or a WARC given, one outside the registry will do."""
    from pipeline.errors import RegistryError
    from pipeline.municipality import Registry as Places
    from pipeline.municipality import unregistered
    from pipeline.workspace import Workspace

    if city == "demo":
        from pipeline import demo

        return demo.MUNICIPALITY
    try:
        places = (
            Places.read(registry)
            if registry
            else Places.fetch(settings.registry_url, settings.prefecture_url, Workspace(settings.home).registry)
        )
        return places.find(city)
    except UnknownCityError:
        if not outside_allowed:
            raise
        _err(f"Note: {city} is not in the registry; going on under that name.")
    except RegistryError as error:
        if registry or not outside_allowed:
            raise
        _err(f"Note: {error} Going on under the name {city}, without its code.")
    return unregistered(city, None)


def _survey(order: Order, city: str, settings: Settings) -> None:
    from pipeline.run import survey
    from pipeline.store.store import Store
    from pipeline.terminal import progress, results

    with progress() as watch:
        run = survey(order, settings=settings, watch=watch)
    with Store(settings.database_url) as store:
        results(run, store.items(run.id), order.criteria, city=city)


# --- classify queue ---------------------------------------------------------------------------------------------------


@queue_app.callback()
def queue(
    context: typer.Context,
    city: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    registry: Registry = None,
) -> None:
    """List the judgements that wait for a person, the most doubtful first."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import waiting

    settings = Settings()
    with Store(settings.database_url) as store:
        code = _surveyed(city, registry, settings, store).municipality.code if city else None
        waiting(store.waiting(code))


@queue_app.command()
def approve(numbers: Numbers, reviewer: Reviewer = "", note: Note = "") -> None:
    """Confirm judgements as proposed."""
    _decide("approve", numbers, reviewer, note)


@queue_app.command()
def reject(numbers: Numbers, reviewer: Reviewer = "", note: Note = "") -> None:
    """Say that the evidence does not carry the proposed verdict."""
    _decide("reject", numbers, reviewer, note)


@queue_app.command()
def undo(numbers: Numbers, reviewer: Reviewer = "", note: Note = "") -> None:
    """Take back the standing decision; the log keeps both."""
    _decide("undo", numbers, reviewer, note)


@queue_app.command()
def amend(
    number: Annotated[int, typer.Argument(help="Number as `classify queue` lists it.")],
    verdict: Annotated[str, typer.Option(help="met, not_met, no_evidence, not_judged or unobserved.")],
    quote: Annotated[
        list[str] | None, typer.Option(help="Sentence that proves it, as it stands on the page (repeatable).")
    ] = None,
    page: Annotated[
        str | None, typer.Option(help="Address of the page that holds it; default: the pages of the run.")
    ] = None,
    reviewer: Reviewer = "",
    note: Note = "",
) -> None:
    """Change the verdict or the evidence. A quote is checked against the archived pages."""
    from pipeline.deciding import amended
    from pipeline.settings import Settings

    decided = amended(
        Settings(), number, verdict=verdict, quotes=tuple(quote or ()), page=page, reviewer=_name(reviewer), note=note
    )
    typer.echo(f"#{number} {decided.criterion}: amended to {decided.verdict}")


def _decide(action: str, numbers: list[int], reviewer: str, note: str) -> None:
    from pipeline.deciding import decide
    from pipeline.settings import Settings

    for number, decision in decide(Settings(), action, numbers, reviewer=_name(reviewer), note=note):
        outcome = f": {decision.verdict}" if decision.verdict else ""
        typer.echo(f"#{number} {decision.criterion}: {decision.action}{outcome}")


def _name(reviewer: str) -> str:
    return reviewer or getpass.getuser()


# --- classify score, report, criteria ---------------------------------------------------------------------------------


@app.command()
def score(city: City, registry: Registry = None) -> None:
    """Points from confirmed decisions; what is only proposed is shown apart."""
    from pipeline.score import score as points
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import scored
    from pipeline.workspace import Workspace

    settings = Settings()
    with Store(settings.database_url) as store:
        run = _surveyed(city, registry, settings, store)
        criteria = Workspace(settings.home).criteria_of(run)
        scored(points(run, store.items(run.id), criteria), criteria)


@app.command()
def report(
    city: City,
    registry: Registry = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: reports/ of the workspace.")] = None,
) -> None:
    """Write the report of a municipality as self-contained HTML and as Markdown."""
    from pipeline import report as room
    from pipeline.archive import Archive
    from pipeline.score import score as points
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.workspace import Workspace

    settings = Settings()
    with Store(settings.database_url) as store:
        run = _surveyed(city, registry, settings, store)
        criteria, items = Workspace(settings.home).criteria_of(run), store.items(run.id)
        with Archive(Workspace(settings.home).archive) as archive:
            snapshots = archive.snapshots(run.id)
    built = room.build(run, criteria, items, points(run, items, criteria), snapshots=snapshots)
    folder = out or Workspace(settings.home).reports
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = folder / f"{run.municipality.code}-{run.criteria_id}-{run.as_of}"
    for suffix, text in ((".html", room.html(built)), (".md", room.markdown(built))):
        path = stem.with_name(stem.name + suffix)
        path.write_text(text, encoding="utf-8")
        typer.echo(str(path))


@criteria_app.command("check")
def criteria_check(file: Annotated[str, typer.Argument(help="A criteria file, or the name of a shipped set.")]) -> None:
    """Say what is wrong with a criteria file, line by line."""
    from pipeline.criteria import load

    found = load(file)
    typer.echo(f"{file}: {len(found.criteria)} criteria in {len(found.viewpoints)} viewpoints, no problem found")


def _surveyed(city: str, registry: Path | None, settings: Settings, store: Store) -> Run:
    """The last finished run of the municipality. Places surveyed under a bare name need no registry."""
    from pipeline.models import RunState

    known = {run.municipality.name: run.municipality for run in store.runs() if run.municipality.code.startswith("x")}
    place = known.get(city) or _find(city, registry, settings)
    run = store.latest_run(place.code, state=RunState.DONE)
    if run is None:
        raise InputError(f"{place.name}: no finished survey in {settings.home}. Run `classify --city {city}` first.")
    return run
