"""classify queue: list what waits, and decide."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.desks import Note, Reviewer, name_of, opened
from pipeline.cli.places import Registry, of_set, runs_of, set_id
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.desk import Desk
    from pipeline.models import Claim, Decision, QueueItem, Verdict

app = typer.Typer(help="List what waits for a person, and decide.", invoke_without_command=True)

Number = Annotated[int, typer.Argument(help="Number as `classify queue` lists it.")]
Numbers = Annotated[list[int], typer.Argument(help="Numbers as `classify queue` lists them.")]
Quotes = Annotated[
    list[str] | None, typer.Option("--quote", help="Sentence that proves it, as it stands on the page (repeatable).")
]
PageOption = Annotated[
    str | None, typer.Option("--page", help="Address of the page that holds it; default: the pages quoted or searched.")
]
VerdictName = Annotated[str, typer.Option("--verdict", help="met, not_met, no_evidence or unobserved.")]


@app.callback()
def queue(
    context: typer.Context,
    city: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 50,
    registry: Registry = None,
    criteria: Annotated[str, typer.Option(help="Only judgements by this criteria set: a name or a file.")] = "",
) -> None:
    """List the judgements that wait for a person, the most doubtful first. What is drawn for blind coding is listed
    without its proposal."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.settings import Settings
    from pipeline.terminal import waiting

    settings = Settings()
    with opened(settings) as desk:
        runs = runs_of(city, registry, settings, desk.store) if city else []
        code = runs[-1].municipality.code if runs else None
        if runs and criteria:
            of_set(runs, criteria, runs[-1].municipality.name)
        items = desk.store.waiting(code, criteria_id=set_id(criteria) if criteria else "", limit=limit)
        hinted = desk.store.hints.of([item.digest for item in items])
        waiting(items, limit, blind={item.number for item in items if _blind(desk, item)}, hinted=hinted)


def _blind(desk: Desk, item: QueueItem) -> bool:
    """Whether its proposal must not be shown here: everybody who codes may look at this terminal."""
    from pipeline.models import Stage
    from pipeline.store.log import stage

    now = stage(item.decisions)[0]
    return now is Stage.CODED or (now is Stage.OPEN and desk.team().drawn(item))


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


@app.command("return")
def send_back(numbers: Numbers, note: Note, reviewer: Reviewer = "") -> None:
    """Return decided items, with a reason, to whoever decided them."""
    _decide("return", numbers, reviewer, note)


@app.command()
def note(
    numbers: Numbers, text: Annotated[str, typer.Option("--note", help="The note.")], reviewer: Reviewer = ""
) -> None:
    """Leave a note in the log that decides nothing."""
    _decide("note", numbers, reviewer, text)


@app.command()
def amend(
    number: Number,
    verdict: VerdictName,
    quote: Quotes = None,
    page: PageOption = None,
    reviewer: Reviewer = "",
    note: Note = "",
) -> None:
    """Change the verdict or the evidence. A quote is checked against the archived pages."""
    _answer("amend", number, verdict, quote, page, reviewer, note)


@app.command()
def code(
    number: Number,
    verdict: VerdictName,
    quote: Quotes = None,
    page: PageOption = None,
    reviewer: Reviewer = "",
    note: Note = "",
) -> None:
    """Code an item blind: what you find yourself, before you see what the judge or another coder says."""
    _answer("code", number, verdict, quote, page, reviewer, note)


@app.command("export")
def export_(
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .jsonl for everything, .xlsx for people.")],
    city: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    registry: Registry = None,
) -> None:
    """Write the whole queue with its decisions to a file that `classify queue import` takes back."""
    from pipeline.desk.exchange import queue_lines, workbook
    from pipeline.settings import Settings

    settings = Settings()
    if out.suffix not in (".jsonl", ".xlsx"):
        raise InputError(f"--out {out}: end the name in .jsonl or .xlsx.")
    with opened(settings) as desk:
        code = runs_of(city, registry, settings, desk.store)[-1].municipality.code if city else ""
        if out.suffix == ".xlsx":
            written(out, [workbook(desk.store, code)])
        else:
            written(out, (f"{line}\n".encode() for line in queue_lines(desk.store, code)))
    typer.echo(str(out))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .jsonl or .xlsx file that `classify queue export` has written.")],
    reviewer: Reviewer = "",
) -> None:
    """Take decisions back from a file. What is there already is left alone; what contradicts it is told, not taken."""
    from pipeline.desk.exchange import take_lines, take_workbook
    from pipeline.settings import Settings

    with opened(Settings()) as desk:
        user = desk.person(name_of(reviewer))
        if file.suffix == ".xlsx":
            taken = take_workbook(
                desk.store, file, lambda number, answer, version: desk.decide(user, number, answer, version=version)
            )
        else:
            taken = take_lines(desk.store, file)
    typer.echo(f"{taken.items} items, {taken.recorded} decisions recorded, {taken.unchanged} unchanged")
    for problem in taken.problems:
        typer.echo(f"  {problem}", err=True)
    if taken.problems:
        raise typer.Exit(2)


@app.command("log")
def log_(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default: standard output.")] = None,
    city: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    registry: Registry = None,
) -> None:
    """Export the append-only log of decisions as JSON Lines, oldest first."""
    from pipeline.desk.exchange import log_lines
    from pipeline.settings import Settings

    settings = Settings()
    with opened(settings) as desk:
        code = runs_of(city, registry, settings, desk.store)[-1].municipality.code if city else ""
        lines = log_lines(desk.store, code)
        if out is None:
            for line in lines:
                typer.echo(line)
        else:
            written(out, (f"{line}\n".encode() for line in lines))
            typer.echo(str(out))


def written(out: Path, parts: Iterable[bytes]) -> None:
    """The file of these parts, whole or not at all."""
    from pipeline.writing import beside

    with beside(out) as fresh, fresh.open("wb") as file:
        file.writelines(parts)


def _decide(action: str, numbers: list[int], reviewer: str, note: str) -> None:
    """All of them, or none where one is refused."""
    from pipeline.desk import Answer
    from pipeline.models import Action
    from pipeline.settings import Settings

    answer = Answer(Action(action), note=note)
    with opened(Settings()) as desk:
        user = desk.person(name_of(reviewer))
        items = [desk.store.item(number) for number in dict.fromkeys(numbers)]
        for item in items:
            desk.prepared(user, item, answer)
        for item in items:
            _tell(item.number, desk.decide(user, item.number, answer, version=item.version))


def _answer(
    action: str, number: int, verdict: str, quotes: list[str] | None, page: str | None, reviewer: str, note: str
) -> None:
    from pipeline.desk import Answer
    from pipeline.models import Action
    from pipeline.settings import Settings

    with opened(Settings()) as desk:
        item = desk.store.item(number)
        claims = tuple(_claim(desk, item, text, page) for text in quotes or ())
        answer = Answer(Action(action), _verdict(verdict), claims, note)
        _tell(number, desk.decide(desk.person(name_of(reviewer)), number, answer, version=item.version))


def _claim(desk: Desk, item: QueueItem, text: str, page: str | None) -> Claim:
    from pipeline.models import Claim

    if page is None:
        return Claim(text=text)
    found = desk.pages.at(item.run_id, page)
    if found is None:
        raise InputError(f"--page {page}: not archived in run {item.run_id}. Give an address that the run has read.")
    return Claim(text=text, page_sha256=found.sha256)


def _verdict(word: str) -> Verdict:
    from pipeline.models import Verdict

    try:
        return Verdict(word)
    except ValueError:
        raise InputError(f"--verdict {word}: choose one of {', '.join(Verdict)}.") from None


def _tell(number: int, decision: Decision) -> None:
    outcome = f": {decision.verdict}" if decision.verdict else ""
    typer.echo(f"#{number} {decision.criterion}: {decision.action}{outcome}")
