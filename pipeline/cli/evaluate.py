"""classify eval: how far to trust a judge, measured on labelled sites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.places import City, Registry, Surveyed, last_run
from pipeline.cli.survey import BaseUrl, Criteria, MaxCost, Price, Votes
from pipeline.errors import InputError

if TYPE_CHECKING:
    from evals.gate import Floors
    from evals.kept import Runs
    from evals.nouns import EvalRun, How
    from pipeline.panel import Wish
    from pipeline.settings import Settings

app = typer.Typer(help="Measure how far judges agree with labelled sites.", no_args_is_help=True)
labels_app = typer.Typer(help="Labels of your own, from blind codings.", no_args_is_help=True)
app.add_typer(labels_app, name="labels")

Labels = Annotated[
    Path | None,
    typer.Option(help="Folder of labelled sites, one of them, or a labels.jsonl; default: the shipped ones."),
]
Judge = Annotated[
    list[str] | None, typer.Option("--judge", help="A judge to measure, as often as you like: rules, gpt-5-mini.")
]
HowSeen = Annotated[
    str, typer.Option("--how", help="How pages reach the judge: crawled, files, or archived (in this workspace).")
]
Named = Annotated[
    str, typer.Argument(help="A run: its id, the beginning of it, a judge's name or a file; default: the newest.")
]


@app.command("run")
def run_(
    labels: Labels = None,
    judge: Judge = None,
    how: HowSeen = "crawled",
    criteria: Criteria = "",
    base_url: BaseUrl = "",
    votes: Votes = 1,
    max_cost: MaxCost = None,
    price: Price = "",
) -> None:
    """Run judges over labelled sites and keep what they said. Paid answers are cached: give the command again to go
    on."""
    from evals.measured import measure
    from evals.tables import show
    from pipeline.panel import Wish
    from pipeline.settings import Settings

    settings = Settings()
    wish = Wish(base_url=base_url, votes=votes, max_cost=max_cost, price=price)
    for one in _run(labels, judge or ["rules"], how, criteria, wish, settings):
        path = _runs(settings).save(one)
        show(measure(one))
        typer.echo(f"kept as {path}\n  classify eval report {one.id}   writes it as a page")


@app.command("report")
def report(
    run: Named = "",
    out: Annotated[Path | None, typer.Option(help="File to write; default: beside the run.")] = None,
) -> None:
    """Tables of a run in the terminal, and the same with both quotes of each error as one HTML file."""
    from evals.measured import measure
    from evals.page import html
    from evals.tables import show
    from pipeline.settings import Settings

    runs = _runs(Settings())
    found = measure(runs.find(run))
    path = out or runs.folder / f"{found.run.id}.html"
    try:
        if out is None:
            runs.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(html(found), encoding="utf-8")
    except OSError as error:
        told = f"--out {out}" if out else str(path)
        raise InputError(f"{told}: cannot be written ({error.strerror}).") from error
    show(found)
    typer.echo(str(path))


@app.command("compare")
def compare_(
    a: Annotated[str, typer.Argument(help="A run, as for report.")],
    b: Annotated[str, typer.Argument(help="Another run on the same labels.")],
) -> None:
    """Paired differences of two judges, city by city, and every verdict that flipped, with both quotes."""
    from evals.compare import compare
    from evals.tables import show_comparison
    from pipeline.settings import Settings

    runs = _runs(Settings())
    show_comparison(compare(runs.find(a), runs.find(b)))


@app.command("list")
def list_() -> None:
    """The kept runs, oldest first."""
    from pipeline.settings import Settings

    runs = _runs(Settings())
    for name in runs.ids():
        one = runs.find(name)
        agreed = sum(case.agrees for case in one.cases)
        typer.echo(f"{one.id}  {one.judge}  {len(one.sites)} sites  {agreed}/{len(one.cases)} agree")


@app.command("gate")
def gate(
    labels: Labels = None,
    judge: Annotated[str, typer.Option(help="The judge that must reach its floors.")] = "rules",
    pin: Annotated[
        bool, typer.Option("--pin", help="Take over the labels as they are, and floors at today's figures.")
    ] = False,
    lower: Annotated[bool, typer.Option("--lower", help="With --pin: let a floor sink.")] = False,
    how: HowSeen = "",
    criteria: Criteria = "",
) -> None:
    """Fail where the judge falls below the floors pinned beside the labels, or the labels are not those of the
    floors."""
    from evals import gate as room
    from pipeline.panel import Wish
    from pipeline.settings import Settings

    if lower and not pin:
        raise InputError("--lower goes with --pin.")
    chosen = _folder(labels)
    if not chosen.exists():
        raise InputError(f"{chosen}: no such folder or file. Give a folder of labelled sites or a labels.jsonl.")
    folder = chosen.parent if chosen.is_file() else chosen
    known = room.gate_of(folder)
    before = known.judges.get(judge)
    if before is None and not pin:
        raise InputError(f"{folder / room.FILE}: no floors for {judge}. Pin them with `classify eval gate --pin`.")
    seen = how or (before.how.value if before else "crawled")
    asked = criteria or _set_of(before)
    (found,) = _run(chosen, [judge], seen, asked, Wish(), Settings())
    if pin:
        floors = room.pinned(found, before, lower=lower)
        typer.echo(str(room.write(folder, room.Gate(judges={**known.judges, judge: floors}))))
        return
    wrong = room.failures(found, before) if before else []
    for name, value in room.measured(found).items():
        typer.echo(
            f"{name} {value:.4f}" + (f" (floor {before.floors[name]:.4f})" if before and name in before.floors else "")
        )
    for line in wrong:
        typer.echo(f"Below the gate: {line}", err=True)
    raise typer.Exit(1 if wrong else 0)


def _set_of(floors: Floors | None) -> str:
    """The shipped set that the floors were pinned with, or the usual one."""
    from pipeline.criteria import shipped

    return floors.criteria_id if floors and floors.criteria_id in shipped() else ""


@app.command("schema")
def schema() -> None:
    """JSON Schema of labels.jsonl and manifest.json."""
    from evals.labels import schema as of_labels

    typer.echo(json.dumps(of_labels(), ensure_ascii=False, indent=1))


@labels_app.command("import")
def import_(
    city: City,
    to: Annotated[Path, typer.Option(help="Folder of labels: the city gets one of its own in it.")],
    registry: Registry = None,
    criteria: Surveyed = "",
) -> None:
    """Make labels of a surveyed city from the blind codings of its review queue, and of nothing else."""
    from evals.imported import from_queue, write
    from pipeline.settings import Settings
    from pipeline.store.store import Store

    settings = Settings()
    with Store(settings.database_url) as store:
        run = last_run(city, registry, settings, store, criteria=criteria)
        found = from_queue(store.items(run.id))
    for why, named in found.refused.items():
        typer.echo(f"Not taken, {why}: {', '.join(named)}", err=True)
    path = write(found, run, to)
    typer.echo(f"{path}: {len(found.labels)} labels of {run.municipality.name}")
    typer.echo(f"  classify eval run --labels {path.parent} --how archived")


def _run(
    labels: Path | None, judges: list[str], how: str, criteria: str, wish: Wish, settings: Settings
) -> list[EvalRun]:
    from dataclasses import replace

    from evals.labels import load
    from evals.suite import Job, run
    from pipeline.criteria import load as load_criteria
    from pipeline.panel import panel
    from pipeline.terminal import progress

    names = list(dict.fromkeys(name.strip() for name in judges))
    if not all(names) or any("," in name for name in names):
        raise InputError(
            "--judge: give each judge with a --judge of its own, such as --judge rules --judge gpt-5-mini."
        )
    jobs = [Job(name, panel(replace(wish, judges=name), settings)) for name in names]
    labelled = load(_folder(labels))
    criteria_set = load_criteria(criteria or settings.criteria)
    with progress() as watch:
        return run(labelled, jobs, criteria_set, how=_how(how), settings=settings, watch=watch)


def _how(name: str) -> How:
    from evals.nouns import How

    try:
        return How(name)
    except ValueError:
        raise InputError(f"--how {name}: give {', '.join(How)}.") from None


def _folder(labels: Path | None) -> Path:
    import evals

    return labels or Path(evals.__file__).parent / "labels"


def _runs(settings: Settings) -> Runs:
    from evals.kept import Runs

    return Runs(settings.home / "evals")
