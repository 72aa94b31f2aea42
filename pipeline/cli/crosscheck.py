"""classify crosscheck: what municipalities say of themselves in a survey, beside what their pages prove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import Registry, surveyed
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.crosscheck import Crosscheck
    from pipeline.results import Result
    from pipeline.settings import Settings
    from pipeline.store.store import Store

_FORMS = (".html", ".csv", ".json")


def crosscheck(
    survey: Annotated[list[Path], typer.Option(help="The survey's CSV, one row a municipality (repeatable).")],
    mapping: Annotated[
        str, typer.Option(help="Which column corresponds to which criterion: a shipped name, or a file.")
    ] = "digital-agency-2024",
    city: Annotated[list[str] | None, typer.Option(help="Only this municipality (repeatable).")] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Put open items that disagree first in the queue.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write: .html, .csv or .json.")] = None,
    language: Annotated[str, typer.Option(help="Language of the HTML: ja or en.")] = "ja",
    registry: Registry = None,
) -> None:
    """Hold a self-reported survey beside our verdicts. It changes no verdict and no score."""
    from pipeline import crosscheck as room
    from pipeline.crosscheck.shown import show
    from pipeline.language import LANGUAGES
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    if out and out.suffix not in _FORMS:
        raise InputError(f"--out {out}: end the name in {', '.join(_FORMS)}.")
    if language not in LANGUAGES:
        raise InputError(f"--language {language}: choose one of {', '.join(LANGUAGES)}.")
    settings, asked = Settings(), room.load(mapping)
    files = room.read(survey, asked)
    with Store(settings.database_url) as store:
        results = _results(asked.criteria, city or [], registry, settings, store)
        found = room.crosscheck(results, files, asked)
        if not (found.rows or found.absent):
            what = f"no finished survey by the criteria {asked.criteria} in {settings.home}"
            raise InputError(f"{what}. Run `classify --city ...` first.")
        told = store.hints.put(room.hints(found), room.open_pairs(found)) if queue else None
    show(found, told)
    if out:
        _write(out, found, language)


def _results(
    criteria_id: str, cities: list[str], registry: Path | None, settings: Settings, store: Store
) -> Iterator[Result]:
    """The newest results by that criteria set: of all municipalities, or of those named."""
    from pipeline.results import newest
    from pipeline.workspace import Workspace

    codes = {surveyed(city, registry, settings, store).code for city in cities}
    return newest(store, Workspace(settings.home), criteria_id, among=lambda one: not codes or one.code in codes)


def _write(out: Path, found: Crosscheck, language: str) -> None:
    from pipeline.cli.queue import written
    from pipeline.crosscheck.html import html
    from pipeline.crosscheck.table import table

    if out.suffix == ".html":
        text = html(found, language)
    else:
        text = table(found) if out.suffix == ".csv" else found.model_dump_json(indent=1) + "\n"
    written(out, [text.encode()])
    typer.echo(str(out))
