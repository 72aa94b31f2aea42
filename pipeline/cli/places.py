"""Which municipality an option means, and which of its runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError, RegistryError, UnknownCityError

if TYPE_CHECKING:
    from pipeline.models import Municipality, Run
    from pipeline.settings import Settings
    from pipeline.store.store import Store

City = Annotated[
    str,
    typer.Option(
        help="Name, kana, romaji or six-digit code, with or without the prefecture; `demo` for the bundled one."
    ),
]
Registry = Annotated[Path | None, typer.Option(help="Registry CSV (code4fukui/localgovjp) instead of the fetched one.")]


def find(city: str, registry: Path | None, settings: Settings, *, outside_allowed: bool = False) -> Municipality:
    """The municipality of that name. outside_allowed: one that the registry does not know will do, with a note."""
    from pipeline.municipality import Registry as Places
    from pipeline.municipality import unregistered
    from pipeline.workspace import Workspace

    if city == "demo":
        from pipeline import demo

        return demo.MUNICIPALITY
    try:
        kept = Workspace(settings.home).registry
        places = (
            Places.read(registry) if registry else Places.fetch(settings.registry_url, settings.prefecture_url, kept)
        )
        return places.find(city)
    except UnknownCityError:
        if not outside_allowed or city.isdecimal():
            raise
        typer.echo(f"Note: {city} is not in the registry; going on under that name.", err=True)
    except RegistryError as error:
        if registry or not outside_allowed:
            raise
        typer.echo(f"Note: {error} Going on under the name {city}, without its code.", err=True)
    return unregistered(city, None)


def surveyed(city: str, registry: Path | None, settings: Settings, store: Store) -> Municipality:
    """The municipality of that name. Places surveyed under a bare name need no registry."""
    known = {run.municipality.name: run.municipality for run in store.runs() if run.municipality.code.startswith("x")}
    return known.get(city) or find(city, registry, settings)


def last_run(city: str, registry: Path | None, settings: Settings, store: Store, *, finished: bool = True) -> Run:
    """The last run of the municipality."""
    from pipeline.models import RunState

    place = surveyed(city, registry, settings, store)
    run = store.latest_run(place.code, state=RunState.DONE if finished else None)
    if run is None:
        raise InputError(f"{place.name}: no finished survey in {settings.home}. Run `classify --city {city}` first.")
    return run
