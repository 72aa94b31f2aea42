"""classify site build: all reports as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make a static site of what is published.", no_args_is_help=True)


@app.callback()
def site() -> None:
    """Make a static site of what is published."""


@app.command("build")
def build_(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write: new, empty, or an earlier build.")],
    edition: Annotated[
        list[str] | None,
        typer.Option(help="Only this edition (repeatable); default: the newest one of each municipality."),
    ] = None,
    base_url: Annotated[str, typer.Option(help="Address it will be served at: adds sitemap.xml.")] = "",
) -> None:
    """Write the site. It needs no server: open index.html."""
    from pipeline.editions import Shelf
    from pipeline.settings import Settings
    from pipeline.site import build
    from pipeline.workspace import Workspace

    built = build(Shelf(Workspace(Settings().home).editions), out, names=edition or (), base_url=base_url)
    typer.echo(str(out / "index.html"))
    typer.echo(f"{', '.join(built.editions)}: {built.municipalities} municipalities, {built.files} files")
