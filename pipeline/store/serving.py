"""Serving: who holds which item, what comes next for a person, and how far the people are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.models import Action, Decision, Filter, Lease, Stage, Tally
from pipeline.store import line
from pipeline.store.database import Database, restored
from pipeline.store.line import Turn
from pipeline.store.tables import decisions, judgements, leases, skips

LEASE_S = 600
_TRIES = 50  # each lost to another person who took that very item at that moment


class Coding(NamedTuple):
    """One line of the log as agreement needs it."""

    of: str
    criterion: str
    action: str
    verdict: str | None
    reviewer: str


class Serving:
    """Leases and the line. Every method raises StoreError where the database cannot be read or written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next(self, turn: Turn, wanted: Filter, *, now: datetime) -> Lease | None:
        """Leases the next item to the person, or None where nothing is left for them. What they hold already comes
        first, so that a reload gives the same item."""
        with self._database.writing("serve the next item") as connection:
            held = select(leases.c.number).where(leases.c.holder == turn.name, leases.c.expires > now)
            query = line.next_for(turn, wanted, now)
            own = connection.execute(query.where(judgements.c.number.in_(held))).scalar()
            for _ in range(_TRIES):
                number = own or _first(connection, line.steps_for(turn, wanted, now))
                if number is None:
                    return None
                own = None
                if (lease := _take(connection, number, turn.name, now)).holder != turn.name:
                    continue
                # Looked at again: between the look and the lease, the one who held it may have decided and gone on.
                if connection.execute(query.where(judgements.c.number == number)).scalar():
                    return lease
                release(connection, [number], turn.name)
        return None

    def take(self, number: int, holder: str, *, now: datetime) -> Lease:
        """The lease on the item after asking for it: one's own, new or prolonged, or the one another person has."""
        with self._database.writing(f"lease item {number}") as connection:
            return _take(connection, number, holder, now)

    def holder(self, number: int, *, now: datetime) -> Lease | None:
        """The lease on the item that has not expired, or None."""
        query = select(leases).where(leases.c.number == number, leases.c.expires > now)
        with self._database.reading("read the leases") as connection:
            row = connection.execute(query).one_or_none()
        return Lease(number=row.number, holder=row.holder, expires=row.expires) if row else None

    def skip(self, number: int, reviewer: str, *, now: datetime) -> None:
        """Puts the item off for this person: it comes last, after what was put off before. Others are served it as
        before."""
        with self._database.writing(f"put off item {number}") as connection:
            release(connection, [number], reviewer)
            put_off = _insert(connection, skips).values(number=number, reviewer=reviewer, skipped=now)
            again = put_off.on_conflict_do_update(
                index_elements=[skips.c.reviewer, skips.c.number], set_={"skipped": now}
            )
            connection.execute(again)

    def tally(self, wanted: Filter, share: float) -> Tally:
        """How many items stand where."""
        stages: dict[Stage, int] = {}
        blind = 0
        with self._database.reading("count the queue") as connection:
            for row in connection.execute(line.tally(wanted, share)):
                stages[Stage(row.stage)] = stages.get(Stage(row.stage), 0) + row.items
                blind += row.items if row.blind and row.stage == Stage.OPEN.value else 0
        return Tally(stages=stages, blind=blind)

    def by_survey(self) -> dict[str, dict[Stage, int]]:
        """How many items of each newest survey stand where, by its run's id."""
        found: dict[str, dict[Stage, int]] = {}
        with self._database.reading("count the queue") as connection:
            for row in connection.execute(line.by_survey()):
                found.setdefault(row.run_id, {})[Stage(row.stage)] = row.items
        return found

    def pace(self, since: datetime) -> dict[str, int]:
        """Verdicts reached since then, by person."""
        reached = [one.value for one in (Action.APPROVE, Action.AMEND, Action.REJECT, Action.CODE)]
        lately = select(decisions.c.reviewer).where(decisions.c.decided_at >= since, decisions.c.action.in_(reached))
        # Materialised, or SQLite would go through the whole log in the order of names.
        by = lately.cte("lately").prefix_with("MATERIALIZED").c.reviewer
        query = select(by, func.count().label("lines")).group_by(by)
        with self._database.reading("count decisions") as connection:
            return {row.reviewer: row.lines for row in connection.execute(query)}

    def by(self, reviewer: str) -> Iterator[tuple[int, Decision]]:
        """(number in the log, line) of a person's own lines, newest first."""
        query = select(decisions.c.number, decisions.c.body).where(decisions.c.reviewer == reviewer)
        query = query.order_by(decisions.c.number.desc())
        with self._database.reading("read the decisions") as connection:
            for row in connection.execute(query):
                yield row.number, restored(Decision, row.body, f"decision {row.number}")

    def codings(self) -> list[Coding]:
        """The log of every item that somebody coded blind, oldest first."""
        coded = select(decisions.c.of).where(decisions.c.action == Action.CODE.value)
        columns = (decisions.c.of, decisions.c.criterion, decisions.c.action, decisions.c.verdict, decisions.c.reviewer)
        query = select(*columns).where(decisions.c.of.in_(coded)).order_by(decisions.c.number)
        with self._database.reading("read the codings") as connection:
            return [Coding(*row) for row in connection.execute(query)]

    def last_line(self) -> int:
        """Number of the newest line of the log, 0 where it is empty."""
        with self._database.reading("read the decisions") as connection:
            return connection.execute(select(func.max(decisions.c.number))).scalar() or 0


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _first(connection: Connection, steps: Iterable[Select[Any]]) -> int | None:
    """The number that the first of the steps to find any finds."""
    found = (connection.execute(step).scalar() for step in steps)
    return next((number for number in found if number is not None), None)


def release(connection: Connection, numbers: Collection[int], holder: str) -> None:
    """Ends the leases that the person has on the items."""
    connection.execute(delete(leases).where(leases.c.number.in_(numbers), leases.c.holder == holder))


def _take(connection: Connection, number: int, holder: str, now: datetime) -> Lease:
    expires = now + timedelta(seconds=LEASE_S)
    taken = _insert(connection, leases).values(number=number, holder=holder, expires=expires)
    free = (leases.c.holder == holder) | (leases.c.expires <= now)
    taken = taken.on_conflict_do_update(
        index_elements=[leases.c.number], set_={"holder": holder, "expires": expires}, where=free
    )
    connection.execute(taken)
    row = connection.execute(select(leases).where(leases.c.number == number)).one()
    return Lease(number=row.number, holder=row.holder, expires=row.expires)
