"""classify queue: list what waits, and decide."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from pipeline.cli.places import Registry, last_run

app = typer.Typer(help="List what waits for a person, and decide.", invoke_without_command=True)

Reviewer = Annotated[str, typer.Option(envvar="CLASSIFY_REVIEWER", help="Who decides; default: your login name.")]
Note = Annotated[str, typer.Option(help="Why, for whoever reads the log.")]
Numbers = Annotated[list[int], typer.Argument(help="Numbers as `classify queue` lists them.")]


@app.callback()
def queue(
    context: typer.Context,
    city: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 50,
    registry: Registry = None,
) -> None:
    """List the judgements that wait for a person, the most doubtful first."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import waiting

    settings = Settings()
    with Store(settings.database_url) as store:
        code = last_run(city, registry, settings, store).municipality.code if city else None
        waiting(store.waiting(code, limit=limit), limit)


@app.command()
def approve(numbers: Numbers, reviewer: Reviewer = "", note: Note = "") -> None:
    """Confirm judgements as proposed."""
    _decide("approve", numbers, reviewer, note)


@app.command()
def reject(numbers: Numbers, reviewer: Reviewer = "", note: Note = "") -> None:
    """Say that the evidence does not carry the proposed verdict."""
    _decide("reject", numbers, reviewer, note)


@app.command()
def undo(numbers: Numbers, reviewer: Reviewer = "", note: Note = "") -> None:
    """Take back the standing decision; the log keeps both."""
    _decide("undo", numbers, reviewer, note)


@app.command()
def amend(
    number: Annotated[int, typer.Argument(help="Number as `classify queue` lists it.")],
    verdict: Annotated[str, typer.Option(help="met, not_met, no_evidence, not_judged or unobserved.")],
    quote: Annotated[
        list[str] | None, typer.Option(help="Sentence that proves it, as it stands on the page (repeatable).")
    ] = None,
    page: Annotated[
        str | None, typer.Option(help="Address of the page that holds it; default: the pages quoted or searched.")
    ] = None,
    reviewer: Reviewer = "",
    note: Note = "",
) -> None:
    """Change the verdict or the evidence. A quote is checked against the archived pages."""
    from pipeline.deciding import amended
    from pipeline.settings import Settings

    quotes = tuple(quote or ())
    decided = amended(
        Settings(), number, verdict=verdict, quotes=quotes, page=page, reviewer=_name(reviewer), note=note
    )
    typer.echo(f"#{number} {decided.criterion}: amended to {decided.verdict}")


def _decide(action: str, numbers: list[int], reviewer: str, note: str) -> None:
    from pipeline.deciding import decide
    from pipeline.settings import Settings

    for number, decision in decide(Settings(), action, numbers, reviewer=_name(reviewer), note=note):
        outcome = f": {decision.verdict}" if decision.verdict else ""
        typer.echo(f"#{number} {decision.criterion}: {decision.action}{outcome}")


def _name(reviewer: str) -> str:
    return reviewer or getpass.getuser()
