"""classify rank: all surveyed municipalities by their confirmed points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.ranking import Ranking
    from pipeline.settings import Settings

_SUFFIXES = (".html", ".csv", ".json")


def rank(
    criteria: Annotated[str, typer.Option(help="Criteria set, as surveys were asked: a name, or a file.")] = "",
    prefecture: Annotated[str, typer.Option(help="Only this prefecture, such as 神奈川県.")] = "",
    population_class: Annotated[
        str, typer.Option("--class", help="Only this class, such as core-city or town-2.")
    ] = "",
    viewpoint: Annotated[str, typer.Option(help="By the points of this viewpoint alone, such as policy.")] = "",
    populations: Annotated[Path | None, typer.Option(help="CSV of code and population, for the classes.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of a table: .html, .csv or .json.")] = None,
    language: Annotated[str, typer.Option(help="Of the HTML and CSV: ja or en.")] = "ja",
) -> None:
    """Rank all surveyed municipalities by confirmed points; ties share a rank, and what is open is told."""
    from pipeline.municipality import Kinds
    from pipeline.ranking import rank as ranked
    from pipeline.ranking import words
    from pipeline.results import newest
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.workspace import Workspace

    settings = Settings()
    words.say(language)
    if out and out.suffix not in _SUFFIXES:
        raise InputError(f"--out {out}: the name must end in {', '.join(_SUFFIXES)}")
    kinds = Kinds.read(populations or settings.populations)
    with Store(settings.database_url) as store:
        surveys = newest(store, Workspace(settings.home), _criteria_id(criteria, settings))
        found = ranked(surveys, kinds, prefecture=prefecture, population_class=population_class, viewpoint=viewpoint)
    _tell(found, out, language)


def _criteria_id(given: str, settings: Settings) -> str:
    """Of a file its id; a name is the id."""
    from pipeline.criteria import load

    given = given or settings.criteria
    return load(given).id if Path(given).suffix in (".yaml", ".yml") else given


def _tell(found: Ranking, out: Path | None, language: str) -> None:
    from rich.console import Console

    from pipeline import ranking as room
    from pipeline.ranking import tables
    from pipeline.writing import beside

    if out is None:
        Console().print(tables.terminal(found))
        for line in tables.apart(found):
            typer.echo(line)
        return
    forms = {
        ".html": lambda: room.html(found, language).encode(),
        ".csv": lambda: room.csv_bytes(found, language),
        ".json": lambda: room.json_text(found).encode(),
    }
    with beside(out) as fresh:
        fresh.write_bytes(forms[out.suffix]())
    typer.echo(str(out))
