"""classify runs and diff: the surveys of one municipality, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import City, Registry, Surveyed, of_set, surveyed
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.compare import Survey
    from pipeline.models import Run
    from pipeline.settings import Settings
    from pipeline.store.store import Store


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


def runs(city: City, registry: Registry = None) -> None:
    """List the surveys of a municipality, oldest first, with the ids that other commands take."""
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import surveys

    settings = Settings()
    with Store(settings.database_url) as store:
        place = surveyed(city, registry, settings, store)
        found = store.runs(place.code)
    if not found:
        raise InputError(f"{place.name}: no survey in {settings.home}. Run `classify --city {city}` first.")
    surveys(found)


def diff(
    city: City,
    registry: Registry = None,
    earlier: Annotated[str, typer.Option("--from", help="Earlier run: its id or a unique beginning.")] = "",
    later: Annotated[str, typer.Option("--to", help="Later run; both left out: the last two finished ones.")] = "",
    form: Annotated[Form, typer.Option("--format", help="For people, or for programs.")] = Form.TEXT,
    criteria: Surveyed = "",
) -> None:
    """Say what differs between two surveys: pages, judgements, and what a person must look at again."""
    from pipeline.compare import compare, text
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    settings = Settings()
    with Store(settings.database_url) as store:
        place = surveyed(city, registry, settings, store)
        then, now = _two(place.name, store.runs(place.code), earlier, later, criteria)
        found = compare(_survey(then, settings, store), _survey(now, settings, store))
    typer.echo(text(found) if form is Form.TEXT else found.model_dump_json(indent=1), nl=form is Form.JSON)


def _two(name: str, known: Sequence[Run], earlier: str, later: str, criteria: str) -> tuple[Run, Run]:
    """The runs meant. Raises InputError, which lists those there are."""
    from pipeline.models import RunState

    done = [run for run in known if run.state is RunState.DONE]
    if done and (criteria or not (earlier and later)):
        given = [_named(name, done, one) for one in (earlier, later) if one]
        done = of_set(done, criteria or (given[0].criteria_id if given else ""), name)
    now = _named(name, done, later) if later else None
    before = [run for run in done if now is None or run.id < now.id]
    then = _named(name, done, earlier) if earlier else None
    if now is None:
        now = next((run for run in reversed(done) if then is None or run.id > then.id), None)
        before = [run for run in done if now is not None and run.id < now.id]
    then = then or (before[-1] if before else None)
    if then is None or now is None:
        raise InputError(f"{name}: two finished surveys are needed for a comparison.{_listed(done)}")
    if then.id == now.id:
        raise InputError(f"{name}: --from and --to name the same run, {now.id}. Give two.{_listed(done)}")
    return then, now


def _named(name: str, done: Sequence[Run], given: str) -> Run:
    found = [run for run in done if run.id.startswith(given)]
    if len(found) != 1:
        what = "several finished runs begin" if found else "no finished run begins"
        raise InputError(f"{name}: {what} with {given}.{_listed(done)}")
    return found[0]


def _listed(done: Sequence[Run]) -> str:
    lines = [f"\n  {run.id}  as of {run.as_of}" for run in done]
    return " Finished runs:" + "".join(lines) if lines else " There is none yet."


def _survey(run: Run, settings: Settings, store: Store) -> Survey:
    from pipeline.compare import Survey
    from pipeline.reading import pages_of
    from pipeline.run import seen_by
    from pipeline.terminal import progress
    from pipeline.workspace import open_archive

    with progress() as watch:
        pages = seen_by(run, settings, watch).pages
    items = store.items(run.id)
    cited = {quote.page_sha256 for item in items for line in item.decisions for quote in line.quotes}
    with open_archive(settings) as archive:
        return Survey(run, archive.snapshots(run.id), pages, items, pages_of(cited - pages.keys(), archive))
