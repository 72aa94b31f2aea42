"""classify prompts, batch and cache: what a model is asked, by file where there is no network, and what it answered."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import City, Registry, Surveyed, last_run
from pipeline.errors import InputError, ModelError
from pipeline.text import printable

if TYPE_CHECKING:
    from pipeline.batches import Batch, Taken
    from pipeline.cache import Answers
    from pipeline.judge.remote import Remote
    from pipeline.judging import Matter
    from pipeline.models import Run
    from pipeline.settings import Settings

LINE_FEED = "\n"

prompts_app = typer.Typer(help="Show what a model is asked.", no_args_is_help=True)
batch_app = typer.Typer(help="Ask a model through files, or through a provider's Batch API.", no_args_is_help=True)
cache_app = typer.Typer(help="Look at or clear the cache of model answers.", no_args_is_help=True)

Prompts = Annotated[str, typer.Argument(help="A prompt set: a name in prompts/ or a file.")]
BatchId = Annotated[str, typer.Argument(help="Id of the batch; default: the latest.")]


# --- prompts ----------------------------------------------------------------------------------------------------------


@prompts_app.command("show")
def prompts_show(
    prompts: Prompts = "judge-v1",
    city: Annotated[str, typer.Option(help="Fill it in for this municipality's last run ...")] = "",
    criterion: Annotated[str, typer.Option(help="... and this criterion, by its id.")] = "",
    registry: Registry = None,
    criteria: Surveyed = "",
) -> None:
    """Print a prompt set with its sha256, or the very messages that one criterion of a city makes."""
    from pipeline.judge.prompt import load
    from pipeline.panel import prompt_file

    asked = load(prompt_file(prompts))
    typer.echo(f"{asked.id}  sha256 {asked.sha256}")
    if not city:
        typer.echo(_text(prompts))
        return
    from pipeline.judge.prompt import first_messages

    cases = _archived(city, registry, criteria)[1].cases
    found = [one for one in cases if one.criterion.id == criterion]
    if not found:
        known = ", ".join(one.criterion.id for one in cases)
        raise InputError(f"--criterion {criterion or '(none)'}: no criterion that a model judges. Try one of {known}.")
    for message in first_messages(asked, found[0]):
        typer.echo(f"\n--- {message['role']}\n{printable(message['content'], keep=LINE_FEED)}")


@prompts_app.command("diff")
def prompts_diff(old: Prompts, new: Annotated[str, typer.Argument(help="The other one.")]) -> None:
    """What changed between two prompt sets, line by line."""
    lines = difflib.unified_diff(_text(old).splitlines(), _text(new).splitlines(), old, new, lineterm="")
    typer.echo("\n".join(lines) or "no difference")


def _text(name: str) -> str:
    from pipeline.judge.prompt import load
    from pipeline.panel import prompt_file

    load(prompt_file(name))
    return prompt_file(name).read_text(encoding="utf-8")


# --- batch ------------------------------------------------------------------------------------------------------------


@batch_app.command("export")
def batch_export(
    city: City,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, one request a line.")],
    model: Annotated[str, typer.Option(help="Model that will answer.")] = "",
    base_url: Annotated[str, typer.Option(help="Server that will answer; part of what an answer is filed under.")] = "",
    votes: Annotated[int, typer.Option(min=1, max=15, help="Ask each question so many times.")] = 1,
    price: Annotated[
        str, typer.Option(help="IN/OUT in US dollars per million tokens; default: the known batch price, else 0/0.")
    ] = "",
    registry: Registry = None,
    criteria: Surveyed = "",
) -> None:
    """Write the open questions of a city's last run in the OpenAI Batch format. Nothing is sent."""
    from pipeline.batches import export
    from pipeline.cache import Answers
    from pipeline.panel import question
    from pipeline.settings import Settings

    settings = Settings()
    asked = question(model, base_url, votes, price, settings)
    run, matter = _archived(city, registry, criteria)
    with Answers(settings.cache / "answers") as answers:
        batch, text = export(run.id, matter, asked, answers, settings)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}).") from None
    typer.echo(f"{output}: {len(batch.asked)} requests for {batch.model} (batch {batch.id})")
    typer.echo(
        f"Next: have them answered, then  classify batch import ANSWERS.jsonl  or  classify batch submit {batch.id}"
    )


@batch_app.command("import")
def batch_import(
    answers_file: Annotated[Path, typer.Argument(help="Answers, one a line, in any order.")],
) -> None:
    """Take answers in and judge by them. Lines that cannot be used are named one by one; nothing else is lost.

    Exit code 2 where no line is about a question of this workspace, else 0.
    """
    from pipeline.judge.batch import split
    from pipeline.settings import Settings

    try:
        content = answers_file.read_bytes()
    except OSError as error:
        raise InputError(f"{answers_file}: cannot be read ({error.strerror}).") from None
    if not _taken(split(content), Settings()):
        raise InputError(f"{answers_file}: no line answers a question that this workspace has exported.")


@batch_app.command("submit")
def batch_submit(
    batch_id: BatchId = "", base_url: Annotated[str, typer.Option(help="Server of the API.")] = ""
) -> None:
    """Hand an exported batch in to a provider's Batch API."""
    from pipeline.batches import Ledger, again, submit
    from pipeline.settings import Settings

    settings = Settings()
    batch = Ledger(settings.home).find(batch_id)
    batch = submit(batch, again(batch, settings), _remote(settings, base_url or batch.base_url), settings)
    typer.echo(f"{batch.id}: handed in as {batch.remote_id} ({batch.remote_status})")
    typer.echo(f"Next: classify batch status; then  classify batch collect {batch.id}")


@batch_app.command("status")
def batch_status(base_url: Annotated[str, typer.Option(help="Server of the API.")] = "") -> None:
    """How the batches of this workspace stand."""
    from pipeline.batches import Ledger
    from pipeline.settings import Settings

    settings = Settings()
    for batch in Ledger(settings.home).all():
        typer.echo(f"{batch.id}  {batch.model}  {len(batch.asked)} requests  {_stands(batch, settings, base_url)}")


@batch_app.command("collect")
def batch_collect(
    batch_id: BatchId = "", base_url: Annotated[str, typer.Option(help="Server of the API.")] = ""
) -> None:
    """Fetch what a provider has answered, and judge by it."""
    from pipeline.batches import Ledger, noted
    from pipeline.settings import Settings

    settings = Settings()
    batch = Ledger(settings.home).find(batch_id)
    if not batch.remote_id:
        raise InputError(f"{batch.id}: not handed in yet. `classify batch submit {batch.id}` does so.")
    remote = _remote(settings, base_url or batch.base_url)
    standing = remote.standing(batch.remote_id)
    noted(batch, standing, settings)
    for problem in standing.errors:
        typer.echo(f"  {printable(problem)}", err=True)
    if not standing.ended:
        typer.echo(
            f"{batch.remote_id}: {standing.status}, {standing.completed} of {standing.total} answered. Ask again later."
        )
    elif not standing.files:
        raise ModelError(f"{batch.remote_id}: {standing.status}; nothing was answered. Hand it in again when mended.")
    else:
        _taken(remote.lines(standing), settings)


def _remote(settings: Settings, base_url: str) -> Remote:
    from pipeline.judge.client import Endpoint
    from pipeline.judge.remote import Remote

    key = settings.openai_api_key.get_secret_value()
    address = base_url or settings.openai_base_url
    if not (key or address):
        raise InputError("the Batch API needs OPENAI_API_KEY, or --base-url of a server of your own.")
    return Remote(Endpoint(address, key))


def _stands(batch: Batch, settings: Settings, base_url: str) -> str:
    """How a batch stands; what was last known of it where nobody can be asked."""
    from pipeline.batches import noted
    from pipeline.judge.remote import ENDED

    if not batch.remote_id:
        return "exported"
    known = f"{batch.remote_id} {batch.remote_status}"
    if batch.remote_status in ENDED:
        return known
    try:
        standing = _remote(settings, base_url or batch.base_url).standing(batch.remote_id)
    except (InputError, ModelError) as error:
        return f"{known} when last asked ({printable(str(error))})"
    noted(batch, standing, settings)
    return f"{batch.remote_id} {standing.status} {standing.completed}/{standing.total}"


def _taken(text: Iterable[bytes], settings: Settings) -> bool:
    """Take answers in, tell of each line, judge by them. False where no line was about a question of ours."""
    from pipeline.batches import conclude, take
    from pipeline.cache import Answers
    from pipeline.terminal import progress

    with Answers(settings.cache / "answers") as answers:
        taken = take(text, answers, settings)
    _tell(taken)
    for batch in taken.batches:
        with progress() as watch:
            run = conclude(batch, settings, watch).run
        name = run.municipality.name
        typer.echo(f"{name}: judged with the answers at hand. Next: classify queue --city {name}")
        typer.echo("Questions still open, and second rounds, are written by the next  classify batch export")
    return taken.useful


def _tell(taken: Taken) -> None:
    """Every line that was not taken, every question without an answer, and how many lines were taken."""
    for line in taken.lines:
        if line.fate != "taken":
            told = printable(f"{line.fate} {line.custom_id[:12]} {line.detail}").rstrip()
            typer.echo(f"  line {line.number}: {told}", err=True)
    for one in taken.missing:
        typer.echo(f"  missing: {one.key[:12]} {one.criterion}", err=True)
    typer.echo(f"{sum(line.fate == 'taken' for line in taken.lines)} of {len(taken.lines)} lines taken")


def _archived(city: str, registry: Path | None, criteria: str) -> tuple[Run, Matter]:
    """The last run of a city, and what is judged of it."""
    from pipeline.run import matter_of
    from pipeline.settings import Settings
    from pipeline.store.store import Store
    from pipeline.terminal import progress

    settings = Settings()
    with Store(settings.database_url) as store:
        run = last_run(city, registry, settings, store, criteria=criteria, finished=False)
    with progress() as watch:
        return run, matter_of(run, settings, watch)


# --- cache ------------------------------------------------------------------------------------------------------------


@cache_app.command("stats")
def cache_stats() -> None:
    """How many answers are kept, by model, and what they have cost."""
    with _answers() as answers:
        entries = [one for _, one in answers.entries()]
    for model in sorted({one.model for one in entries}):
        mine = [one for one in entries if one.model == model]
        typer.echo(f"{printable(model)}: {len(mine)} answers, ${sum(one.cost_usd for one in mine):.4f}")
    typer.echo(f"{len(entries)} answers in all")


@cache_app.command("clear")
def cache_clear(
    model: Annotated[str, typer.Option(help="Only this model's answers.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete kept answers: they would have to be paid for again. Evidence and decisions are elsewhere."""
    with _answers() as answers:
        keys = [key for key, one in answers.entries() if not model or one.model == model]
        if not yes:
            typer.confirm(f"Delete {len(keys)} answers?", abort=True)
        dropped = answers.drop(keys) if model else answers.clear()
    typer.echo(f"{dropped} answers deleted")


def _answers() -> Answers:
    from pipeline.cache import Answers as Kept
    from pipeline.settings import Settings

    return Kept(Settings().cache / "answers")
