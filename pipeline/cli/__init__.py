"""The command line: parse, call, print. Rooms are imported when a command needs them, so that --help stays quick."""

from __future__ import annotations

import sqlite3
import sys

import typer

from pipeline.cli import (
    criteria,
    crosscheck,
    doctor,
    editions,
    evaluate,
    exports,
    history,
    models,
    nation,
    queue,
    ranks,
    results,
    review,
    site,
    survey,
)
from pipeline.errors import AkashiError, AmbiguousCityError, CriteriaError, InputError, UnknownCityError

# What the command line library makes of Ctrl-C, wherever it was raised (128 + SIGINT).
INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help comes up in half the time
    help="Find out what a Japanese municipality really does about DX, from its own pages, and prove every point.",
)
app.callback(invoke_without_command=True)(survey.classify)
app.command()(survey.judge)
app.command()(nation.nation)
app.command()(nation.worker)
app.command()(nation.status)
app.command()(nation.cancel)
app.add_typer(queue.app, name="queue")
app.command()(review.review)
app.add_typer(review.users_app, name="users")
app.command()(history.runs)
app.command()(history.diff)
app.command()(results.score)
app.command()(results.report)
app.command()(exports.export)
app.command()(ranks.rank)
app.command()(crosscheck.crosscheck)
app.command()(editions.publish)
app.add_typer(editions.editions_app, name="editions")
app.command()(editions.errata)
app.add_typer(site.app, name="site")
app.add_typer(criteria.app, name="criteria")
app.add_typer(evaluate.app, name="eval")
app.add_typer(models.prompts_app, name="prompts")
app.add_typer(models.batch_app, name="batch")
app.add_typer(models.cache_app, name="cache")
app.command()(doctor.doctor)


def main() -> None:
    """Entry point: errors made on purpose become one sentence and an exit code."""
    try:
        _legible(sys.argv[1:])
        app()
    except AkashiError as error:
        _explain(error)
        sys.exit(error.exit_code)
    except (OSError, sqlite3.Error) as error:  # a full disk, a folder that may not be written
        typer.echo(
            f"Error: {error}. Nothing recorded before is lost; mend it and give the same command again.", err=True
        )
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo("Interrupted. Nothing is lost: the same command continues where it stopped.", err=True)
        raise


def _legible(arguments: list[str]) -> None:
    """Raises InputError for an argument that is no UTF-8: nothing could keep it, neither database nor report."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{argument!r} is not UTF-8 text. Rename the file, or set the terminal to UTF-8."
            ) from None


def _explain(error: AkashiError) -> None:
    from pipeline.text import printable  # a server's own words may stand in the error

    typer.echo(f"Error: {printable(str(error), keep=chr(10))}", err=True)
    lines: tuple[str, ...] = ()
    if isinstance(error, AmbiguousCityError):
        lines = error.candidates
    elif isinstance(error, UnknownCityError):
        lines = error.near
    elif isinstance(error, CriteriaError):
        lines = error.problems
    for line in lines:
        typer.echo(f"  {line}", err=True)
