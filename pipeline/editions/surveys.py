"""The surveys that an edition is made of, with the decisions that count for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pipeline.archive import Archive
from pipeline.editions.nouns import CHAIN_FORMULA, LogState
from pipeline.errors import AkashiError
from pipeline.models import Decision, QueueItem, Run, Snapshot
from pipeline.results import Result
from pipeline.score import score
from pipeline.store.store import Store
from pipeline.workspace import Workspace

Line = tuple[int, Decision]


@dataclass(frozen=True)
class Sources:
    """What editions are made from."""

    store: Store
    workspace: Workspace
    archive: Archive


@dataclass(frozen=True)
class Survey:
    """A finished run as it counts for an edition. archived: the run's answers; lines: of the log, about its judgements,
    by number."""

    result: Result
    archived: tuple[Snapshot, ...]
    lines: tuple[Line, ...]


def lines_about(store: Store, code: str, digests: Collection[str]) -> list[Line]:
    """The lines of the log about these judgements of the municipality, by number."""
    return [(number, line) for number, line in store.log(code) if line.of in digests]


def survey(run: Run, items: Iterable[QueueItem], lines: Iterable[Line], sources: Sources) -> Survey:
    """The run with these judgements, decided by these lines alone. Raises ArchiveError where the criteria that were
    asked are gone."""
    bare = [one.model_copy(update={"judgement": one.judgement.model_copy(update={"passages": ()})}) for one in items]
    mine = {one.digest for one in bare}
    counted = tuple((number, line) for number, line in lines if line.of in mine)
    decided = [
        one.model_copy(update={"decisions": tuple(line for _, line in counted if line.of == one.digest)})
        for one in bare
    ]
    result = counted_result(run, decided, sources.workspace)
    return Survey(result, tuple(sources.archive.snapshots(run.id)), counted)


def counted_result(run: Run, items: Sequence[QueueItem], workspace: Workspace) -> Result:
    criteria = workspace.criteria(run.criteria_sha256)
    try:
        return Result(run, criteria, tuple(items), score(run, items, criteria))
    except ValueError as error:
        raise AkashiError(f"{run.municipality.name}: {error}; survey it again") from error


def log_state(lines: Sequence[Line], last: int) -> LogState:
    """The hash chain over the lines, by CHAIN_FORMULA."""
    head = "0" * 64
    for number, decision in sorted(lines, key=lambda line: line[0]):
        content = {"number": number, **decision.model_dump(mode="json")}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(f"{head}\n{text}".encode()).hexdigest()
    newest = max((decision.decided_at for _, decision in lines), default=None)
    return LogState(last=last, lines=len(lines), newest=newest, digest=head, formula=CHAIN_FORMULA)


def snapshots_digest(archived: Iterable[Snapshot]) -> str:
    """By nouns.SNAPSHOTS_FORMULA."""
    told = sorted(f"{one.sha256} {one.fetched_at.isoformat()} {one.final_url}\n" for one in archived)
    return hashlib.sha256("".join(told).encode()).hexdigest()
