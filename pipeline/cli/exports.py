"""classify export: what people confirmed, as base data for analysts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import Language, Registry, surveyed
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.results import Result
    from pipeline.settings import Settings
    from pipeline.store.store import Store


class Encoding(StrEnum):
    """Of a CSV file."""

    UTF_8 = "utf-8"
    CP932 = "cp932"


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .xlsx, or .csv for the base data alone.")],
    city: Annotated[
        list[str] | None, typer.Option(help="Only this municipality (repeatable); default: all that were surveyed.")
    ] = None,
    criteria: Annotated[str, typer.Option(help="Id of the criteria set.")] = "dx-2024",
    language: Annotated[Language, typer.Option(help="Language of headings, statements and verdicts.")] = Language.JA,
    encoding: Annotated[
        Encoding, typer.Option(help="Of a .csv: utf-8, or cp932 for programs that read nothing else.")
    ] = Encoding.UTF_8,
    registry: Registry = None,
) -> None:
    """Write what the newest surveys came to, and what people confirmed of it, as a workbook or as CSV."""
    from pipeline.exports import write_csv, write_workbook
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    _writable(out, encoding)
    settings = Settings()
    with Store(settings.database_url) as store:
        results = _results(city, criteria, registry, settings, store)
        if out.suffix == ".csv":
            write_csv(results, out, language=language, encoding=encoding)
        else:
            write_workbook(results, out, language=language)
    typer.echo(str(out))


def _writable(out: Path, encoding: Encoding) -> None:
    if out.suffix not in (".xlsx", ".csv"):
        raise InputError(f"--out {out}: end the name in .xlsx or .csv.")
    if out.suffix == ".xlsx" and encoding is not Encoding.UTF_8:
        raise InputError(f"--encoding {encoding.value} is for .csv; a workbook holds every character. Leave it out.")


def _results(
    cities: Sequence[str] | None, criteria: str, registry: Path | None, settings: Settings, store: Store
) -> Iterator[Result]:
    """The results to write. Raises InputError where there is none, or none of a municipality that was named."""
    from pipeline.results import newest
    from pipeline.workspace import Workspace

    codes = {_code(city, criteria, registry, settings, store) for city in cities} if cities else None
    found = newest(store, Workspace(settings.home), criteria, among=lambda one: codes is None or one.code in codes)
    first = next(found, None)
    if first is None:
        raise InputError(
            f"no finished survey by the criteria {criteria} in {settings.home}. Run `classify --city NAME` first, or "
            "give --criteria the id of another set."
        )
    return chain([first], found)


def _code(city: str, criteria: str, registry: Path | None, settings: Settings, store: Store) -> str:
    from pipeline.models import RunState

    place = surveyed(city, registry, settings, store)
    done = (one.criteria_id for one in store.runs(place.code) if one.state is RunState.DONE)
    if criteria not in done:
        raise InputError(
            f"{place.name}: no finished survey by the criteria {criteria} in {settings.home}. "
            f"Run `classify --city {city}` first."
        )
    return place.code
