"""What a survey came to: its judgements, what people decided about them, and the points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.archive import Archive
from pipeline.models import CriteriaSet, Municipality, QueueItem, Run, Score, Snapshot
from pipeline.score import score
from pipeline.store.store import Store
from pipeline.workspace import Workspace

Among = Callable[[Municipality], bool]


@dataclass(frozen=True)
class Result:
    """A finished run with all that people have decided about it. criteria: as they were asked then."""

    run: Run
    criteria: CriteriaSet
    items: tuple[QueueItem, ...]
    score: Score


def result_of(run: Run, store: Store, workspace: Workspace) -> Result:
    """Raises ArchiveError where the criteria that were asked are gone."""
    criteria, items = workspace.criteria(run.criteria_sha256), tuple(store.items(run.id))
    return Result(run, criteria, items, score(run, items, criteria))


def newest_runs(store: Store, criteria_id: str, among: Among = lambda _: True) -> Iterator[Run]:
    """The newest finished run of every municipality (among those wanted) that was asked by a criteria set of that id,
    by code."""
    for one in store.surveys():
        run = store.run(one.run_id)
        if run and run.criteria_id == criteria_id and among(run.municipality):
            yield run


def newest(
    store: Store,
    workspace: Workspace,
    criteria_id: str,
    *,
    among: Among = lambda _: True,
) -> Iterator[Result]:
    """What the newest runs came to; one at a time, so that a nation's need not fit in memory."""
    return (result_of(run, store, workspace) for run in newest_runs(store, criteria_id, among))


def cited(result: Result, archive: Archive) -> list[Snapshot]:
    """The run's archived answers, and the copies that confirmations carried over from an earlier run cite."""
    found = archive.snapshots(result.run.id)
    known = {snapshot.sha256 for snapshot in found}
    earlier = {quote.page_sha256 for one in result.score.confirmed for quote in one.quotes} - known
    return found + [copy for sha256 in sorted(earlier) if (copy := archive.find(sha256))]
