"""What the terminal shows: progress, and tables in the words of the report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.doctor.finding import Finding, State
from pipeline.extract.scripted import UNFILLED
from pipeline.models import (
    Cause,
    Coverage,
    CriteriaSet,
    Flag,
    Home,
    Judgement,
    Opinion,
    QueueItem,
    Run,
    Score,
    Verdict,
)
from pipeline.text import printable

if TYPE_CHECKING:  # the model client is slow to load, and tables do not need it
    from pipeline.judge.ask import Asked
    from pipeline.judge.budget import Estimate
    from pipeline.reading import Watch

STAGES = {
    "crawl": "巡回 crawl",
    "measure": "測定 measure",
    "extract": "抽出 extract",
    "accounts": "公式アカウント accounts",
    "judge": "判定 judge",
}
WORDS = {
    Verdict.MET: "[green]● met[/]",
    Verdict.NOT_MET: "[red]✕ not_met[/]",
    Verdict.NO_EVIDENCE: "○ no_evidence",
    Verdict.NOT_JUDGED: "[yellow]△ not_judged[/]",
    Verdict.UNOBSERVED: "[magenta]▧ unobserved[/]",
}
STATES = {
    State.OK: "[green]● ok[/]",
    State.WARN: "[yellow]△ warn[/]",
    State.FAIL: "[red]✕ fail[/]",
    State.UNSET: "[dim]○ not set up[/]",
}
QUOTE_CHARS = 90
_BLIND = ("[dim]blind[/]", "", "", "[dim]two people code it: classify queue code, or classify review[/]")


@contextmanager
def progress() -> Iterator[Watch]:
    """A bar for each stage on standard error; yields the function that moves them."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def watch(stage: str, done: int, total: int, note: str) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES[stage], total=total, note="")
            bars.update(tasks[stage], completed=done, total=total, note=_safe(note[-60:]))

        yield watch
        for task in bars.tasks:
            bars.update(task.id, total=task.completed, note="")


def results(run: Run, items: Sequence[QueueItem], criteria: CriteriaSet, *, city: str) -> None:
    """The judgements of a run, criterion by criterion, and what to do next."""
    console = Console()
    place = run.municipality
    table = Table(title=f"{place.prefecture}{place.name} · {criteria.title_ja} · {run.as_of}", show_lines=True)
    table.add_column("#", justify="right")
    table.add_column("criterion", overflow="fold", ratio=2)
    table.add_column("verdict", no_wrap=True)
    table.add_column("evidence", overflow="fold", ratio=3)
    for item in items:
        judgement = item.judgement
        statement = criteria.criterion(judgement.criterion).statement_ja
        table.add_row(
            str(item.number),
            f"{judgement.criterion}\n{_safe(statement)}",
            WORDS[judgement.verdict],
            _evidence(judgement),
        )
    console.print(table)
    _summary(console, run, items, city)


def _summary(console: Console, run: Run, items: Sequence[QueueItem], city: str) -> None:
    counts = {verdict: sum(item.judgement.verdict is verdict for item in items) for verdict in Verdict}
    console.print("Proposed: " + " · ".join(f"{WORDS[verdict]} {count}" for verdict, count in counts.items()))
    if run.coverage:
        seen = run.coverage
        for line in _where(seen.home, place=run.municipality.name):
            console.print(_safe(line))
        console.print(
            f"Pages: {seen.read} read, {len(seen.unread)} unread, {len(seen.pending)} left. Judge: {run.judge}. "
            "Nothing is scored until a person confirms it."
        )
        _unfilled(console, seen)
    first = items[0].number if items else 1
    console.print("\nNext:")
    of = f"--city {city}"
    for command in ("review", f"queue {of}", f"queue approve {first}", f"score {of}", f"report {of}"):
        console.print(f"  classify {command}", markup=False)


def _where(home: Home | None, *, place: str) -> Iterator[str]:
    """Where the home page was found, if not where it was said to be, and what speaks against it."""
    if home is None:
        return
    why = f" ({home.detail or home.cause})" if home.cause or home.detail else ""
    if home.elsewhere:
        yield f"Home page: {home.given} was given{why}; the site answers at {home.answered}."
    elif not home.answered and home.tried:
        tried = ", ".join(f"{one.url} ({one.detail or one.cause})" for one in home.tried)
        yield f"Home page: {home.given} could not be read{why}. Tried as well: {tried}. Give the right one with --url."
    if home.answered and not home.named:
        yield f"Warning: {home.answered} does not carry the name {place}. If it is not theirs, give theirs with --url."


def _unfilled(console: Console, seen: Coverage) -> None:
    """Says how many pages only a script fills, and what to do about those that no browser has opened."""
    pages = [one for one in seen.unread if one.cause is Cause.SCRIPT]
    if not pages:
        return
    console.print(
        f"Pages filled by scripts and not read: {len(pages)}. What they say is unobserved, not absent. "
        f"The first: {_safe(pages[0].url)} ({_safe(pages[0].detail)})"
    )
    if any(one.detail == UNFILLED for one in pages):
        console.print(
            "  To read them: install Chromium and the extra `browser` (pip install 'akashi[browser]'), and survey "
            "again with --render auto",
            markup=False,
        )


def _evidence(judgement: Judgement) -> str:
    if judgement.quotes:
        best = judgement.quotes[0]
        return f"「{_safe(_short(best.text))}」\n[dim]{_safe(best.url)}[/]"
    if judgement.measurement:
        m = judgement.measurement
        where = _safe(m.urls[0]) if m.urls else ""
        return f"{_safe(m.name)}: {m.value:g} {_safe(m.unit)} (threshold {m.threshold:g})\n[dim]{where}[/]"
    if judgement.unread:
        failed = judgement.unread[0]
        return f"could not be read: {_safe(failed.label or failed.url)} ({failed.cause})\n[dim]{_safe(failed.url)}[/]"
    return f"[dim]{_safe(_short(judgement.rationale))}[/]"


def _safe(text: str) -> str:
    """Text of pages and models: neither markup nor control characters reach the terminal."""
    return escape(printable(text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTE_CHARS else line[: QUOTE_CHARS - 1] + "…"


def surveys(runs: Sequence[Run]) -> None:
    """The runs of a municipality, a line each, with the ids by which other commands know them."""
    for run in runs:
        seen = run.coverage
        pages = f"{seen.read} read, {len(seen.unread)} unread, {len(seen.pending)} left" if seen else "no pages yet"
        what = f"{run.id}  as of {run.as_of}  {run.criteria_id}  {run.state}"
        line = f"{what}  {pages}  {run.judge or 'not judged'}  {run.origin}"
        Console(soft_wrap=True).print(printable(line), markup=False, highlight=False)


def waiting(
    items: Sequence[QueueItem], limit: int, *, blind: Collection[int] = (), hinted: Collection[str] = ()
) -> None:
    """What waits for a person, the most doubtful first. blind: numbers of items that are coded without the proposal;
    hinted: digests of proposals that a self-reported survey contradicts."""
    more = ", the first of them" if len(items) == limit else ""
    table = Table(title=f"{len(items)} waiting{more}")
    for name in ("#", "city", "criterion", "verdict", "conf.", "flags", "evidence"):
        table.add_column(name, overflow="fold")
    for item in items:
        j = item.judgement
        if item.number in blind:
            table.add_row(str(item.number), _safe(item.municipality.name), j.criterion, *_BLIND)
            continue
        table.add_row(
            str(item.number),
            _safe(item.municipality.name),
            j.criterion,
            WORDS[j.verdict],
            f"{j.confidence:.2f}",
            ", ".join([*j.flags, *(["survey_says_otherwise"] if item.digest in hinted else [])]),
            "\n".join((_evidence(j), *map(_opinion, j.others))),
        )
    Console().print(table)


def _opinion(one: Opinion) -> str:
    """What another judge says of it, in a line or two."""
    said = f"「{_safe(_short(one.quotes[0].text))}」" if one.quotes else _safe(_short(one.rationale))
    return f"[dim]{_safe(one.model or one.judge)}:[/] {WORDS[one.verdict]} {said}"


def scored(score: Score, criteria: CriteriaSet) -> None:
    """Confirmed points by viewpoint, with what is only proposed in a column of its own."""
    table = Table(title=f"{score.municipality.name} · {criteria.title_ja}")
    for name in ("viewpoint", "confirmed", "possible", "awaiting", "proposed met (provisional, not counted)"):
        table.add_column(name, justify="left" if name == "viewpoint" else "right")
    names = {viewpoint.id: viewpoint.name_ja for viewpoint in criteria.viewpoints}
    for row in score.viewpoints:
        table.add_row(
            names[row.viewpoint], str(row.confirmed), str(row.possible), str(row.awaiting), str(row.provisional)
        )
    table.add_section()
    table.add_row("total", str(score.points), str(score.possible), str(score.awaiting), "")
    Console().print(table)


def examined(found: Sequence[Finding]) -> None:
    """What `classify doctor` found, and what to do."""
    table = Table()
    for name in ("check", "state", "found, and what to do"):
        table.add_column(name, overflow="fold", no_wrap=name in ("check", "state"))
    for one in found:
        advice = f"\n[dim]→ {_safe(one.advice)}[/]" if one.advice else ""
        table.add_row(one.check, STATES[one.state], _safe(one.found) + advice)
    console = Console()
    console.print(table)
    counts = {state: sum(one.state is state for one in found) for state in State}
    console.print(" · ".join(f"{STATES[state]} {count}" for state, count in counts.items() if count))


def reckoned(estimates: Mapping[str, Estimate], cap: Decimal | None) -> None:
    """What a dry run found: nothing was sent."""
    table = Table(title="Dry run: nothing was sent. Bounds include a repair and a wider look for each request")
    columns = ("model", "requests", "input tokens (bound)", "output bound", "expected $", "cannot exceed $")
    for name in columns:
        table.add_column(name, justify="left" if name == "model" else "right")
    for model, one in estimates.items():
        table.add_row(
            model,
            f"{one.requests:,}",
            f"{one.input_expected:,} ({one.input_bound:,})",
            f"{one.output_bound:,}",
            f"{one.usd_expected:.4f}",
            f"{one.usd_bound:.4f}",
        )
    console = Console()
    console.print(table)
    if cap is not None:
        console.print(f"--max-cost {cap}: no call is made whose bound does not fit beside what is spent.")


def spent(asked: Mapping[str, Asked], items: Sequence[QueueItem], *, city: str) -> None:
    """What asking the models took, and what is left to ask."""
    for model, one in asked.items():
        Console().print(
            f"{model}: {one.sent} requests sent, {one.cached} answers from the cache, "
            f"{one.prompt_tokens:,} + {one.completion_tokens:,} tokens, ${one.usd:.4f}",
            markup=False,
        )
    left = [item.judgement for item in items if Flag.MODEL_FAILED in item.judgement.flags]
    if asked and left:
        console = Console()
        console.print(f"{len(left)} criteria have no usable answer. The first: {_safe(left[0].rationale)}")
        console.print(f"  classify judge --city {_safe(city)} ...   asks for what is missing; paid answers are kept")
