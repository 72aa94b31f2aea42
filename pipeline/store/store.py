"""The store: runs, judgements and people's decisions, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Select, func, insert, select, update

from pipeline.errors import DecisionError, StaleError, StoreError
from pipeline.models import Action, Coverage, Decision, Filter, Flag, Judgement, QueueItem, Run, RunState, Stage
from pipeline.store import line
from pipeline.store.database import Database, restored, stored
from pipeline.store.hints import Hints, hinted
from pipeline.store.log import digest, lot, refusal, stage
from pipeline.store.serving import Serving, release
from pipeline.store.tables import decisions, judgements, runs
from pipeline.store.turns import Turns
from pipeline.store.users import Users
from pipeline.store.waves import Waves

_MAX_NUMBER = 2**31 - 1  # of an item, as PostgreSQL counts them
_BATCH = 500  # values of one IN list, far below the limits of both databases


class Store:
    """The database at a SQLAlchemy URL, created and migrated on opening. A context manager; close() ends it.

    Several processes and threads may use one database at a time. Every method raises StoreError where the database
    cannot be read or written, or holds something that is not a valid noun.
    """

    def __init__(self, database_url: str) -> None:
        self._database = Database(database_url)
        self.users = Users(self._database)
        self.serving = Serving(self._database)
        self.hints = Hints(self._database)
        self.waves = Waves(self._database)
        self.turns = Turns(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    # --- runs ---------------------------------------------------------------------------------------------------------

    def save_run(self, run: Run) -> None:
        """Inserts the run, or updates the one of that id. A run never changes its municipality or its
        criteria set; a reworded set judges it anew.
        """
        values = _run_values(run)
        with self._database.writing(f"save run {run.id}") as connection:
            kept = connection.execute(select(runs).where(runs.c.id == run.id)).one_or_none()
            if kept is None:
                connection.execute(insert(runs).values(values))
            elif (kept.code, kept.criteria_id) != (values["code"], values["criteria_id"]):
                raise StoreError(f"run {run.id} exists for another municipality or criteria set; use a new id")
            else:
                connection.execute(update(runs).where(runs.c.id == run.id).values(values))

    def run(self, run_id: str) -> Run | None:
        """The run of that id, or None."""
        return next(iter(self._runs(select(runs).where(runs.c.id == run_id))), None)

    def latest_run(self, code: str, *, state: RunState | None = None, criteria_id: str = "") -> Run | None:
        """The newest run of the municipality (in that state, asked by that criteria set), or None."""
        query = select(runs).where(runs.c.code == code).order_by(runs.c.id.desc()).limit(1)
        if criteria_id:
            query = query.where(runs.c.criteria_id == criteria_id)
        if state is not None:
            query = query.where(runs.c.state == state.value)
        return next(iter(self._runs(query)), None)

    def runs(self, code: str | None = None) -> list[Run]:
        """All runs (of the municipality), oldest first."""
        query = select(runs).order_by(runs.c.id)
        return self._runs(query if code is None else query.where(runs.c.code == code))

    def _runs(self, query: Select[Any]) -> list[Run]:
        with self._database.reading("read the runs") as connection:
            return [_run(row.body, row.coverage, row.id) for row in connection.execute(query)]

    def surveys(self) -> list[line.Survey]:
        """The newest finished run of each municipality and criteria set, by code."""
        wanted = runs.c.id.in_(line.newest_surveys())
        query = select(runs.c.id, runs.c.body).where(wanted).order_by(runs.c.code, runs.c.id)
        with self._database.reading("read the surveys") as connection:  # a nation's coverage is large, and not needed
            found = [_run(row.body, None, row.id) for row in connection.execute(query)]
        return [line.Survey(run.municipality.code, run.municipality.name, run.id, run.criteria_sha256) for run in found]

    def judges(self) -> list[str]:
        """Names of the judges whose judgements are in the newest surveys."""
        query = select(judgements.c.judge).where(judgements.c.run_id.in_(line.newest_surveys())).distinct()
        with self._database.reading("read the judges") as connection:
            return sorted(connection.execute(query).scalars())

    # --- judgements and the queue -------------------------------------------------------------------------------------

    def save_judgements(self, run: Run, judgements_: Sequence[Judgement]) -> None:
        """Saves the judgements of a saved run, all or none. One already there for a criterion is replaced and keeps its
        number, since people type numbers. Refuses what is not a valid Judgement, such as a `met` without evidence.
        """
        rows = [_judgement_values(run, judgement) for judgement in judgements_]
        with self._database.writing(f"save the judgements of run {run.id}") as connection:
            if connection.execute(select(runs.c.id).where(runs.c.id == run.id)).one_or_none() is None:
                raise StoreError(f"run {run.id} is not saved; save it before its judgements")
            known = hinted(connection, {row["digest"] for row in rows})
            for row in rows:
                row["urgent"] |= row["digest"] in known
                same = (judgements.c.run_id == run.id) & (judgements.c.criterion == row["criterion"])
                if connection.execute(update(judgements).where(same).values(row)).rowcount == 0:
                    connection.execute(insert(judgements).values(row))

    def items(self, run_id: str) -> list[QueueItem]:
        """The judgements of the run with the decisions on them, in the order of their numbers."""
        return self._items(_queue().where(judgements.c.run_id == run_id).order_by(judgements.c.number))

    def item(self, number: int) -> QueueItem:
        """The item of that number. Raises DecisionError where there is none."""
        known = abs(number) <= _MAX_NUMBER
        found = self._items(_queue().where(judgements.c.number == number)) if known else []
        if not found:
            raise DecisionError(f"there is no item {number} in the queue; `classify queue` lists what waits")
        return found[0]

    def waiting(self, code: str | None = None, *, criteria_id: str = "", limit: int | None = None) -> list[QueueItem]:
        """What awaits a decision: of each municipality and criteria set (or the given one), the items of the latest
        finished run on which no decision stands. Where judges or pages disagree first, then lowest confidence, then by
        code and criterion; the first `limit` of them.
        """
        return self.listed(Filter(code=code or "", criteria_id=criteria_id), set(Stage) - {Stage.DECIDED}, limit=limit)

    def listed(
        self, wanted: Filter, stages: Collection[Stage] = (), *, limit: int | None = None, skip: int = 0
    ) -> list[QueueItem]:
        """Items of the newest surveys at one of the stages (or any), in the order of doubt: `limit` of them after the
        first `skip`."""
        # Numbers first, from the index alone: sorting a nation's queue would else carry every body along.
        numbers = line.listed(wanted, stages).order_by(*line.DOUBT).limit(limit).offset(skip).correlate(None)
        return self._items(_queue().where(judgements.c.number.in_(numbers)).order_by(*line.DOUBT))

    def of_digest(self, digest_: str) -> QueueItem | None:
        """The newest item of that content, or None where its judgement was replaced."""
        found = self._items(
            _queue().where(judgements.c.digest == digest_).order_by(judgements.c.number.desc()).limit(1)
        )
        return found[0] if found else None

    def confirmed_before(self, item: QueueItem) -> QueueItem | None:
        """The item of other content whose confirmation of the same criterion is the newest, or None."""
        d = decisions.c
        later = decisions.alias("later")
        last = select(func.max(later.c.number)).where(later.c.of == d.of).scalar_subquery()
        query = select(d.of).where(
            d.code == item.municipality.code, d.criterion == item.judgement.criterion, d.of != item.digest
        )
        query = query.where(d.stage == Stage.DECIDED.value, d.number == last).order_by(d.number.desc()).limit(1)
        with self._database.reading("read the decisions") as connection:
            of = connection.execute(query).scalar()
        return self.of_digest(of) if of else None

    def _items(self, query: Select[Any]) -> list[QueueItem]:
        with self._database.reading("read the queue") as connection:
            rows = connection.execute(query).all()
            logs = _logs(connection, sorted({row.digest for row in rows}))
        owners = {row.run_id: row.run_body for row in rows}
        cities = {run_id: _run(body, None, run_id).municipality for run_id, body in owners.items()}
        return [
            QueueItem(
                number=row.number,
                run_id=row.run_id,
                municipality=cities[row.run_id],
                judgement=restored(Judgement, row.body, f"judgement {row.number}"),
                digest=row.digest,
                decisions=tuple(logs.get(row.digest, ())),
            )
            for row in rows
        ]

    # --- decisions ----------------------------------------------------------------------------------------------------

    def record(self, decision: Decision, *, version: str | None = None) -> None:
        """Appends the decision to the log and ends its person's lease on the item, both or neither; when this returns,
        it survives a crash of the machine.

        version: QueueItem.version as the person saw it. Raises StaleError where another line has come in since, and
        DecisionError where there is no such judgement or the rules of the log refuse the decision (log.refusal), as
        when another person decided the item in the meantime; then nothing is recorded.
        """
        body = stored(decision, f"the decision on {decision.criterion}")
        about = (judgements.c.digest == decision.of) & (judgements.c.code == decision.municipality)
        about &= judgements.c.criterion == decision.criterion
        # Locked in PostgreSQL, so that two decisions on one item follow each other; SQLite has one writer anyway.
        query = select(judgements.c.number, judgements.c.body).where(about).order_by(judgements.c.number)
        with self._database.writing(f"record a decision on {decision.criterion}") as connection:
            found = connection.execute(query.with_for_update(key_share=True)).all()
            if not found:
                raise DecisionError(f"there is no judgement on {decision.criterion} that this decision is about")
            judgement = restored(Judgement, found[-1].body, f"the judgement on {decision.criterion}")
            log = _logs(connection, [decision.of]).get(decision.of, [])
            if version is not None and version != f"{decision.of[:16]}.{len(log)}":
                raise StaleError(f"{decision.municipality} {decision.criterion} has changed since it was shown")
            if reason := refusal(decision, judgement, log):
                raise DecisionError(f"{decision.municipality} {decision.criterion}: {reason}", reason)
            connection.execute(insert(decisions).values(_decision_values(decision, body, [*log, decision])))
            if decision.action is not Action.NOTE:
                release(connection, [one.number for one in found], decision.reviewer)

    def decisions(self, code: str) -> list[Decision]:
        """The whole log of the municipality, oldest first."""
        return [one for _, one in self.log(code)]

    def log(self, code: str = "", *, newest: int | None = None) -> list[tuple[int, Decision]]:
        """(number, line) of the log (of the municipality), oldest first; with `newest`, the last so many lines."""
        query = select(decisions.c.number, decisions.c.body).order_by(decisions.c.number.desc()).limit(newest)
        query = query.where(decisions.c.code == code) if code else query
        with self._database.reading("read the decisions") as connection:
            rows = connection.execute(query).all()
        return [(row.number, restored(Decision, row.body, f"decision {row.number}")) for row in reversed(rows)]


def _queue() -> Select[Any]:
    j = judgements.c
    columns = (j.number, j.run_id, j.digest, j.body, runs.c.body.label("run_body"))
    return select(*columns).join(runs, runs.c.id == j.run_id)


def _logs(connection: Connection, digests: Sequence[str]) -> dict[str, list[Decision]]:
    logs: dict[str, list[Decision]] = {}
    for start in range(0, len(digests), _BATCH):
        batch = digests[start : start + _BATCH]
        query = select(decisions.c.number, decisions.c.of, decisions.c.body).where(decisions.c.of.in_(batch))
        for row in connection.execute(query.order_by(decisions.c.number)):
            logs.setdefault(row.of, []).append(restored(Decision, row.body, f"decision {row.number}"))
    return logs


def _run_values(run: Run) -> dict[str, Any]:
    body = stored(run.model_copy(update={"coverage": None}), f"run {run.id}")
    return {
        "id": run.id,
        "code": run.municipality.code,
        "criteria_id": run.criteria_id,
        "criteria_sha256": run.criteria_sha256,
        "state": run.state.value,
        "started": run.started,
        "body": body,
        "coverage": run.coverage and stored(run.coverage, f"the coverage of run {run.id}"),
    }


def _judgement_values(run: Run, judgement: Judgement) -> dict[str, Any]:
    body = stored(judgement, f"run {run.id}: the judgement on {judgement.criterion}")
    return {
        "run_id": run.id,
        "code": run.municipality.code,
        "criterion": judgement.criterion,
        "verdict": judgement.verdict.value,
        "confidence": judgement.confidence,
        "urgent": Flag.JUDGES_DISAGREE in judgement.flags,
        "judge": judgement.judge,
        "criteria_sha256": judgement.criteria_sha256,
        "prompt_sha256": judgement.prompt_sha256,
        "digest": digest(run.municipality.code, judgement),
        "lot": lot(run.municipality.code, judgement),
        "body": body,
    }


def _decision_values(decision: Decision, body: str, log: Sequence[Decision]) -> dict[str, Any]:
    after, people = stage(log)
    first, second = (*people, None, None)[:2]
    return {
        "code": decision.municipality,
        "criterion": decision.criterion,
        "of": decision.of,
        "action": decision.action.value,
        "verdict": decision.verdict and decision.verdict.value,
        "reviewer": decision.reviewer,
        "decided_at": decision.decided_at,
        "stage": after.value,
        "first": first,
        "second": second,
        "body": body,
    }


def _run(body: str, coverage: str | None, run_id: str) -> Run:
    run = restored(Run, body, f"run {run_id}")
    if coverage is None:
        return run
    return run.model_copy(update={"coverage": restored(Coverage, coverage, f"the coverage of run {run_id}")})
