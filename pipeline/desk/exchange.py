"""The review queue as files, and back: JSON Lines here, the workbook for people in its own modules.

A queue file begins with its format, holds each survey as one line of its run and one line an item, and ends with a
count, so that a file cut short is known for one. It is read whole before anything of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from pipeline.desk.filled import take_workbook
from pipeline.desk.imported import Imported, opened
from pipeline.desk.lines import HEAD, End, ItemLine, RunLine, Survey, surveys
from pipeline.desk.workbook import workbook
from pipeline.errors import DecisionError
from pipeline.models import Decision, QueueItem, Run, RunState
from pipeline.store.log import digest, refusal
from pipeline.store.store import Store

__all__ = ["Imported", "log_lines", "queue_lines", "take_lines", "take_workbook", "workbook"]

MAX_LINES_BYTES = 2_000_000_000
_TOO_LARGE = "the queue of all 1,741 municipalities takes about a quarter of that"
# Line ends to some readers and plain characters in JSON: escaped, so that a line is one line to everybody.
_LINE_ENDS = {one: f"\\u{ord(one):04x}" for one in "\x85\u2028\u2029"}


@dataclass(frozen=True)
class _Log:
    """The log of one judgement as the file has it. here: how many of its lines the database has already."""

    name: str
    lines: tuple[Decision, ...]
    here: int

    def steps(self) -> Iterator[tuple[_Log, int]]:
        return ((self, at) for at in range(self.here, len(self.lines)))


def queue_lines(store: Store, code: str = "") -> Iterator[str]:
    """The newest finished surveys (of the municipality) with their items and decisions, as JSON Lines."""
    runs = items = 0
    yield HEAD
    for survey in store.surveys():
        run = store.run(survey.run_id)
        if run is None or code not in ("", survey.code):
            continue
        yield _one_line(RunLine(run=run).model_dump_json())
        for item in store.items(run.id):
            yield _one_line(ItemLine(item=item).model_dump_json())
            items += 1
        runs += 1
    yield End(runs=runs, items=items).model_dump_json()


def log_lines(store: Store, code: str = "") -> Iterator[str]:
    """The append-only log (of the municipality) as JSON Lines, oldest first: a decision each, with its number."""
    for number, decision in store.log(code):
        yield _one_line(f'{{"number":{number},{decision.model_dump_json()[1:]}')


def _one_line(text: str) -> str:
    for one, escaped in _LINE_ENDS.items():
        text = text.replace(one, escaped)
    return text


def take_lines(store: Store, path: Path | str) -> Imported:
    """Saves what `queue_lines` wrote and this database lacks: runs, judgements, and the lines that the file's logs have
    beyond ours, oldest first. Taken again after an interruption it goes on; taken twice it adds nothing.

    What contradicts this database is left out and named in `problems`. Raises InputError where the file is not a whole
    and valid queue file; then nothing is changed.
    """
    path = Path(path)
    with opened(path, most_bytes=MAX_LINES_BYTES, because=_TOO_LARGE) as file:
        for _ in surveys(file, path):
            continue
        file.seek(0)
        taken, logs = Imported(), dict[str, _Log]()
        for survey in surveys(file, path):
            taken += _take_survey(store, survey, logs)
    return taken + _record(store, logs)


def _take_survey(store: Store, survey: Survey, logs: dict[str, _Log]) -> Imported:
    run, ours = survey.run, store.run(survey.run.id)
    if ours and not _same(ours, run):
        what = "is another survey here (its place, day, criteria, judge or start differ)"
        advice = "nothing of it was taken; take the file into an empty database"
        return Imported(problems=(f"line {survey.line}: run {run.id} {what}; {advice}",))
    known = {one.judgement.criterion: one for one in store.items(run.id)}
    wrong = {line: _unusable(item, known.get(item.judgement.criterion)) for line, item in survey.items.values()}
    sound = [(line, item) for line, item in survey.items.values() if not wrong[line]]
    fresh = [item for _, item in sound if item.judgement.criterion not in known]
    saved = _save(store, run, ours, fresh)
    problems = tuple(f"{_name(line, item)}: {wrong[line]}" for line, item in survey.items.values() if wrong[line])
    here = {one.judgement.criterion: one for one in store.items(run.id)}
    taken = Imported(runs=saved, items=len(fresh), problems=problems)
    for line, item in sound:
        is_new = item.judgement.criterion not in known
        taken += _plan(logs, here[item.judgement.criterion], item, name=_name(line, item), is_new=is_new)
    return taken


def _same(ours: Run, theirs: Run) -> bool:
    told = [(one.municipality.code, one.criteria_id, one.criteria_sha256, one.as_of) for one in (ours, theirs)]
    return told[0] == told[1] and (ours.judge, ours.started) == (theirs.judge, theirs.started)


def _unusable(item: QueueItem, ours: QueueItem | None) -> str:
    """Why the item cannot be taken, or an empty string."""
    about = {(one.municipality, one.criterion, one.of) for one in item.decisions}
    if item.digest != digest(item.municipality.code, item.judgement):
        return "its digest is not that of its judgement, so the line was changed after the export; export it again"
    if about - {(item.municipality.code, item.judgement.criterion, item.digest)}:
        return "some of its decisions are about another item, so the line was changed after the export; export it again"
    if ours and ours.digest != item.digest:
        return "this database has another judgement in that run; nothing of it was taken; use an empty database"
    return ""


def _save(store: Store, run: Run, ours: Run | None, fresh: Sequence[QueueItem]) -> int:
    """1 if the run was lacking or unfinished here, else 0. It counts as finished only when all of it is saved."""
    finished = ours is not None and ours.state is RunState.DONE
    if not finished:
        store.save_run(run.model_copy(update={"state": RunState.JUDGING}))
    if fresh:
        store.save_judgements(run, [item.judgement for item in fresh])
    if not finished:
        store.save_run(run)
    return int(not finished)


def _plan(logs: dict[str, _Log], ours: QueueItem, theirs: QueueItem, *, name: str, is_new: bool) -> Imported:
    """Puts the file's log down for recording where it goes on where ours ends."""
    planned = logs.get(ours.digest)  # two surveys may hold the same judgement
    log = planned.lines if planned else ours.decisions
    both = min(len(log), len(theirs.decisions))
    if log[:both] != theirs.decisions[:both]:
        return Imported(problems=(f"{name}: {_apart(log, theirs.decisions)}",))
    for at in range(both, len(theirs.decisions)):
        if reason := refusal(theirs.decisions[at], ours.judgement, theirs.decisions[:at]):
            advice = "none of its new decisions were recorded; decide it here"
            return Imported(problems=(f"{name}: decision {at + 1} is refused ({reason}); {advice}",))
    if len(theirs.decisions) == both:
        return Imported(unchanged=0 if is_new else 1)
    logs[ours.digest] = _Log(name, theirs.decisions, planned.here if planned else both)
    return Imported()


def _record(store: Store, logs: dict[str, _Log]) -> Imported:
    """Records what is planned in the order in which it was decided, as the log of one database would have it."""
    taken, stopped = Imported(), set[str]()
    for log, at in merge(*(one.steps() for one in logs.values()), key=lambda step: step[0].lines[step[1]].decided_at):
        decision = log.lines[at]
        if decision.of in stopped:
            continue
        try:
            store.record(decision, version=f"{decision.of[:16]}.{at}")
            taken += Imported(recorded=1)
        except DecisionError as error:  # somebody decided it here in the meantime
            stopped.add(decision.of)
            taken += Imported(problems=(f"{log.name}: {error}; take the file again",))
    return taken


def _apart(ours: Sequence[Decision], theirs: Sequence[Decision]) -> str:
    at, (one, other) = next((at, pair) for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1])
    here, there = (f"{it.action} by {it.reviewer} at {it.decided_at:%Y-%m-%d %H:%M}" for it in (one, other))
    advice = "none of its decisions were recorded; settle it here, or use an empty database"
    return f"the logs part at decision {at + 1} (here: {here}; in the file: {there}); {advice}"


def _name(line: int, item: QueueItem) -> str:
    return f"line {line} ({item.municipality.name} {item.judgement.criterion}, item {item.number} there)"
