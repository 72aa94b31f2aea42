"""Which municipality an option means, and which of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError, RegistryError, UnknownCityError

if TYPE_CHECKING:
    from pipeline.models import Municipality, Run
    from pipeline.municipality import Registry as Places
    from pipeline.settings import Settings
    from pipeline.store.store import Store


class Language(StrEnum):
    """In which language something is written."""

    JA = "ja"
    EN = "en"


City = Annotated[
    str,
    typer.Option(
        help="Name, kana, romaji or six-digit code, with or without the prefecture; `demo` for the bundled one."
    ),
]
Surveyed = Annotated[
    str, typer.Option("--criteria", help="The survey by this criteria set, a name or a file; default: the newest.")
]
Registry = Annotated[Path | None, typer.Option(help="Registry CSV (code4fukui/localgovjp) instead of the fetched one.")]


def find(city: str, registry: Path | None, settings: Settings, *, outside_allowed: bool = False) -> Municipality:
    """The municipality of that name. outside_allowed: one that the registry does not know will do, with a note."""
    from pipeline.municipality import unregistered

    if city == "demo":
        from pipeline import demo

        return demo.MUNICIPALITY
    try:
        return places(registry, settings).find(city)
    except UnknownCityError:
        if not outside_allowed or city.isdecimal():
            raise
        typer.echo(f"Note: {city} is not in the registry; going on under that name.", err=True)
    except RegistryError as error:
        if registry or not outside_allowed:
            raise
        typer.echo(f"Note: {error} Going on under the name {city}, without its code.", err=True)
    return unregistered(city, None)


def places(registry: Path | None, settings: Settings) -> Places:
    """The registry of that file, or the fetched one. Raises RegistryError."""
    from pipeline.municipality import Registry as Places
    from pipeline.workspace import Workspace

    if registry:
        return Places.read(registry)
    return Places.fetch(settings.registry_url, settings.prefecture_url, Workspace(settings.home).registry)


def surveyed(city: str, registry: Path | None, settings: Settings, store: Store) -> Municipality:
    """The municipality of that name. Places surveyed under a bare name need no registry."""
    known = {run.municipality.name: run.municipality for run in store.runs() if run.municipality.code.startswith("x")}
    return known.get(city) or find(city, registry, settings)


def last_run(
    city: str, registry: Path | None, settings: Settings, store: Store, *, criteria: str = "", finished: bool = True
) -> Run:
    """The last run of the municipality, by the criteria set of that name or file, or by any: a note then says by which,
    where there are several."""
    runs = runs_of(city, registry, settings, store, finished=finished)
    return of_set(runs, criteria, runs[-1].municipality.name)[-1]


def runs_of(city: str, registry: Path | None, settings: Settings, store: Store, *, finished: bool = True) -> list[Run]:
    """The runs of the municipality, at least one, oldest first."""
    from pipeline.models import RunState

    place = surveyed(city, registry, settings, store)
    runs = [run for run in store.runs(place.code) if run.state is RunState.DONE or not finished]
    if not runs:
        raise InputError(f"{place.name}: no finished survey in {settings.home}. Run `classify --city {city}` first.")
    return runs


def of_set(runs: Sequence[Run], criteria: str, name: str) -> list[Run]:
    """Those of the runs, at least one, that were asked by the criteria set of that name or file, or by the set of the
    newest; a note says which, where there are several."""
    sets = list(dict.fromkeys(run.criteria_id for run in runs))
    wanted = set_id(criteria) if criteria else runs[-1].criteria_id
    if wanted not in sets:
        raise InputError(
            f"{name}: no survey by {wanted} here, but by {', '.join(sets)}: name one with --criteria, or survey it "
            f"with `classify --city` and --criteria {criteria}."
        )
    if len(sets) > 1 and not criteria:
        others = ", ".join(one for one in sets if one != wanted)
        typer.echo(f"Note: {name} by {wanted}, the newest survey; also surveyed by {others} (--criteria).", err=True)
    return [run for run in runs if run.criteria_id == wanted]


def set_id(criteria: str) -> str:
    """Id of the criteria set of that name or file. A name need not be a shipped one: runs keep their own copy."""
    from pipeline.criteria import is_path, load

    return load(criteria).id if is_path(criteria) else criteria
