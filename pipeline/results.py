"""What a survey came to: its judgements, what people decided about them, and the points."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipeline.archive import Archive
from pipeline.models import CriteriaSet, QueueItem, Run, Score, Snapshot
from pipeline.score import score
from pipeline.store.store import Store
from pipeline.workspace import Workspace


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


def newest(
    store: Store, workspace: Workspace, criteria_id: str, *, codes: Collection[str] | None = None
) -> Iterator[Result]:
    """The newest finished run of every municipality (of those codes) that was asked by a criteria set of that id, by
    code; one at a time, so that a nation's need not fit in memory."""
    for one in store.surveys():
        run = store.run(one.run_id) if codes is None or one.code in codes else None
        if run and run.criteria_id == criteria_id:
            yield result_of(run, store, workspace)


def cited(result: Result, archive: Archive) -> list[Snapshot]:
    """The run's archived answers, and the copies that confirmations carried over from an earlier run cite."""
    found = archive.snapshots(result.run.id)
    known = {snapshot.sha256 for snapshot in found}
    earlier = {quote.page_sha256 for one in result.score.confirmed for quote in one.quotes} - known
    return found + [copy for sha256 in sorted(earlier) if (copy := archive.find(sha256))]
