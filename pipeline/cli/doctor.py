"""classify doctor: whether everything that a survey needs is in place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import Registry, find
from pipeline.cli.survey import BaseUrl, Model, Price
from pipeline.errors import RegistryError

if TYPE_CHECKING:
    from pipeline.doctor.finding import Finding
    from pipeline.models import Municipality
    from pipeline.settings import Settings


def doctor(
    city: Annotated[str, typer.Option(help="Ask this city's robots.txt too, and how long a survey takes.")] = "",
    url: Annotated[str, typer.Option(help="Reach this address instead of the registry's.")] = "",
    registry: Registry = None,
    model: Model = "",
    base_url: BaseUrl = "",
    price: Price = "",
    offline: Annotated[bool, typer.Option("--offline", help="Leave out network and model.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Let --url and the city's home page be private addresses.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check this machine, the workspace, the network and the model; exit code 1 where something fails."""
    from pipeline.doctor.examine import examine
    from pipeline.doctor.finding import State
    from pipeline.doctor.patient import Patient
    from pipeline.settings import Settings

    settings = Settings()
    place = _place(city, registry, settings) if city and not offline else None
    patient = Patient(
        settings=settings,
        url=url or settings.registry_url,
        city=place,
        registry=registry,
        model=model,
        base_url=base_url,
        price=price,
        offline=offline,
        allow_private=allow_private,
    )
    found = examine(patient)
    _show(found, as_json=as_json)
    if any(one.state is State.FAIL for one in found):
        raise typer.Exit(1)


def _place(city: str, registry: Path | None, settings: Settings) -> Municipality | None:
    """None where the registry is what is ill: that has a row of its own."""
    try:
        return find(city, registry, settings)
    except RegistryError as error:
        typer.echo(f"Note: {error}", err=True)
        return None


def _show(found: list[Finding], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False, indent=1))
        return
    from pipeline.terminal import examined

    examined(found)
