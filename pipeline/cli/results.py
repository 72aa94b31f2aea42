"""classify score, report and criteria: what may be said, and by what it was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.places import City, Registry, last_run
from pipeline.errors import InputError

criteria_app = typer.Typer(help="Check criteria files.", no_args_is_help=True)


def score(city: City, registry: Registry = None) -> None:
    """Points from confirmed decisions; what is only proposed is shown apart."""
    from pipeline.score import score as points
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import scored
    from pipeline.workspace import Workspace

    settings = Settings()
    with Store(settings.database_url) as store:
        run = last_run(city, registry, settings, store)
        criteria = Workspace(settings.home).criteria(run.criteria_sha256)
        scored(points(run, store.items(run.id), criteria), criteria)


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
        run = last_run(city, registry, settings, store)
        criteria, items = Workspace(settings.home).criteria(run.criteria_sha256), store.items(run.id)
    scored = points(run, items, criteria)
    with Archive(Workspace(settings.home).archive) as archive:
        snapshots = archive.snapshots(run.id)
        # A confirmation that carries over from an earlier survey cites the copy that its reviewer saw.
        cited = {quote.page_sha256 for one in scored.confirmed for quote in one.quotes}
        earlier = cited - {snapshot.sha256 for snapshot in snapshots}
        snapshots += [found for sha256 in sorted(earlier) if (found := archive.find(sha256))]
    built = room.build(run, criteria, items, scored, snapshots=snapshots)
    folder = out or Workspace(settings.home).reports
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: no folder that can be written to ({error.strerror}).") from error
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
