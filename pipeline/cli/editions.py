"""classify publish, editions and errata: what is frozen for readers, and what is corrected of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import Registry
from pipeline.cli.results import Populations
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.editions import Change, Shelf, Sources
    from pipeline.settings import Settings

editions_app = typer.Typer(help="List what is published, and check it.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="Name of the edition: a-z, 0-9 and hyphens.")]
At = Annotated[str, typer.Option(help="Time that it bears, with its zone: 2026-11-26T10:00:00+09:00. Default: now.")]


def publish(
    name: Name,
    title: Annotated[str, typer.Option(help="Title that readers see, such as 2026年版.")] = "",
    criteria: Annotated[str, typer.Option(help="Id of the criteria set; default: that of CLASSIFY_CRITERIA.")] = "",
    city: Annotated[list[str] | None, typer.Option(help="Only this municipality (repeatable); default: all.")] = None,
    language: Annotated[str, typer.Option(help="Languages of the reports, of ja,en; default: both.")] = "",
    at: At = "",
    with_unconfirmed: Annotated[
        bool, typer.Option("--with-unconfirmed", help="Publish what no person has confirmed too, marked as such.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Publish nothing: check an edition, as `classify editions verify` does.")
    ] = False,
    registry: Registry = None,
    populations: Populations = None,
) -> None:
    """Freeze the newest surveys and what people confirmed of them as an edition that never changes again."""
    if check:
        _verify(name)
        return
    from pipeline.editions import Wish
    from pipeline.editions import publish as freeze
    from pipeline.editions.parts import LANGUAGES
    from pipeline.settings import Settings

    if not title:
        raise InputError("--title: give the title that readers see, such as --title 2026年版.")
    settings = Settings()
    with _opened(settings) as (sources, shelf):
        shelf.free(name)
        wish = Wish(
            name=name,
            title=title,
            at=_moment(at),
            criteria_id=criteria or Path(settings.criteria).stem,
            codes=_codes(city or [], registry, settings, sources),
            languages=tuple(language.split(",")) if language else LANGUAGES,
            with_unconfirmed=with_unconfirmed,
            populations=populations or settings.populations,
        )
        edition = freeze(wish, sources, shelf)
    waiting = sum(one.awaiting for one in edition.municipalities)
    typer.echo(str(shelf.path(name)))
    typer.echo(
        f"{len(edition.municipalities)} municipalities, {edition.log.lines} decisions up to line {edition.log.last}, "
        f"{len(edition.files)} files" + (f"; {waiting} criteria marked as unconfirmed" if waiting else "")
    )
    typer.echo(f"edition.json sha256 {shelf.sha256(name)}")
    if edition.log.newest and edition.log.newest > edition.at:
        newest = edition.log.newest.astimezone(edition.at.tzinfo).isoformat(timespec="seconds")
        typer.echo(f"Note: it bears a time before its newest decision ({newest}).", err=True)


@editions_app.callback()
def editions(context: typer.Context) -> None:
    """List the editions of this workspace."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.editions import Shelf
    from pipeline.settings import Settings
    from pipeline.text import printable
    from pipeline.workspace import Workspace

    shelf = Shelf(Workspace(Settings().home).editions)
    if not shelf.names():
        typer.echo("No edition yet: classify publish NAME --title TITLE")
    for name in shelf.names():
        one, errata = shelf.edition(name), len(shelf.errata(name))
        count = f"{len(one.municipalities)} municipalities, {errata} errata"
        typer.echo(f"{name}  {one.at.isoformat()}  {one.criteria.id} {one.criteria.version}  {count}  "
                   f"{printable(one.title)}")  # fmt: skip


@editions_app.command()
def verify(name: Name) -> None:
    """Make the edition again from database and archive, as of the decisions that counted then, and compare."""
    _verify(name)


def errata(
    name: Name,
    issue: Annotated[bool, typer.Option("--issue", help="Write the errata beside the edition, for good.")] = False,
    at: At = "",
    reason: Annotated[str, typer.Option(help="Said of corrections whose decision has no note.")] = "",
) -> None:
    """Say where what people have decided since is not what the edition says, and issue it as dated errata."""
    from pipeline.editions import changes
    from pipeline.editions import issue as issue_them
    from pipeline.settings import Settings

    with _opened(Settings()) as (sources, shelf):
        edition = shelf.edition(name)
        found = changes(edition, shelf.errata(name), sources)
        _tell(found)
        if not any(one.corrections for one in found):
            typer.echo(f"{name}: nothing to correct")
        elif issue:
            for one in issue_them(name, sources, shelf, at=_moment(at), reason=reason):
                path = shelf.path(name) / "errata" / f"{one.erratum.number:04}.json"
                typer.echo(f"{path}\n  sha256 {_sha256(path)}")
        else:
            typer.echo(f"Issue it with: classify errata {name} --issue")


def _verify(name: str) -> None:
    from pipeline.editions import verify as compare
    from pipeline.settings import Settings
    from pipeline.text import printable

    with _opened(Settings()) as (sources, shelf):
        found = compare(name, sources, shelf)
    for note in found.notes:
        typer.echo(f"Note: {printable(note)}", err=True)
    for problem in found.problems:
        typer.echo(printable(problem))
    if found.problems:
        typer.echo(f"{name}: NOT as published")
        raise typer.Exit(1)
    typer.echo(f"{name}: as published, {found.files} files made again byte for byte")
    typer.echo(f"edition.json sha256 {found.sha256}")


def _tell(found: Sequence[Change]) -> None:
    from pipeline.text import printable

    for one in found:
        if one.corrections:
            typer.echo(f"{one.municipality.code} {printable(one.municipality.name)}: "
                       f"{one.points_before} -> {one.points_after} points")  # fmt: skip
        for correction in one.corrections:
            before, after = correction.before or "unconfirmed", correction.after or "unconfirmed"
            same = " (evidence replaced)" if before == after else ""
            why = printable(correction.note) or "(no note: give --reason)"
            typer.echo(f"  {correction.criterion}  {before} -> {after}{same}  {correction.decided_at:%Y-%m-%d}  {why}")
        if one.reopened:
            typer.echo(
                f"  Note: {one.municipality.code} {', '.join(one.reopened)}: sent back since the page changed in a "
                "later survey; what was decided after that is about the new page and corrects nothing here",
                err=True,
            )


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Sources, Shelf]]:
    from pipeline.editions import Shelf, Sources
    from pipeline.store.store import Store
    from pipeline.workspace import Workspace, open_archive

    workspace = Workspace(settings.home)
    with Store(settings.database_url) as store, open_archive(settings) as archive:
        yield Sources(store, workspace, archive), Shelf(workspace.editions)


def _codes(cities: list[str], registry: Path | None, settings: Settings, sources: Sources) -> tuple[str, ...]:
    from pipeline.cli.places import surveyed

    return tuple(dict.fromkeys(surveyed(city, registry, settings, sources.store).code for city in cities))


def _moment(given: str) -> datetime:
    """The time that was typed, or now to the second in Japan's zone."""
    from pipeline.cli.survey import JAPAN

    if not given:
        return datetime.now(JAPAN).replace(microsecond=0)
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(f"--at {given}: give date and time with the zone, such as 2026-11-26T10:00:00+09:00.")
    return at


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
