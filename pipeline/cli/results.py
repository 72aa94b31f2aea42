"""classify score and report: what may be said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.places import City, Language, Registry, Surveyed, last_run
from pipeline.errors import InputError

Populations = Annotated[
    Path | None,
    typer.Option(help="CSV of codes and populations, to compare with municipalities of one size; else of one kind."),
]


def score(city: City, registry: Registry = None, criteria: Surveyed = "") -> None:
    """Points from confirmed decisions; what is only proposed is shown apart."""
    from pipeline.results import result_of
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import scored
    from pipeline.workspace import Workspace

    settings = Settings()
    with Store(settings.database_url) as store:
        found = result_of(last_run(city, registry, settings, store, criteria=criteria), store, Workspace(settings.home))
    scored(found.score, found.criteria)


def report(
    city: City,
    registry: Registry = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: reports/ of the workspace.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the report.")] = Language.JA,
    populations: Populations = None,
    criteria: Surveyed = "",
) -> None:
    """Write the report of a municipality as self-contained HTML, as Markdown and as JSON."""
    from pipeline import report as room
    from pipeline.comparable import alike, peers
    from pipeline.editions.shelf import Shelf, issued
    from pipeline.municipality.kinds import Kinds
    from pipeline.results import cited, newest, result_of
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.workspace import Workspace, open_archive

    settings = Settings()
    kinds = Kinds.read(populations or settings.populations)
    with Store(settings.database_url) as store:
        workspace = Workspace(settings.home)
        run = last_run(city, registry, settings, store, criteria=criteria)
        found = result_of(run, store, workspace)
        near = newest(store, workspace, run.criteria_id, among=lambda one: any(alike(run.municipality, one, kinds)))
        compared = peers(run.municipality, (one.score for one in near), kinds)
    with open_archive(settings) as archive:
        snapshots = cited(found, archive)
    built = room.build(
        run,
        found.criteria,
        found.items,
        found.score,
        snapshots=snapshots,
        peers=compared,
        errata=issued(run, Shelf(workspace.editions)),
        language=language.value,
    )
    folder = out or Workspace(settings.home).reports
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: no folder that can be written to ({error.strerror}).") from error
    ending = "" if language is Language.JA else f"-{language.value}"
    stem = folder / f"{run.municipality.code}-{run.criteria_id}-{run.as_of}{ending}"
    for suffix, text in ((".html", room.html(built)), (".md", room.markdown(built)), (".json", room.json(built))):
        path = stem.with_name(stem.name + suffix)
        path.write_text(text, encoding="utf-8")
        typer.echo(str(path))
