"""Hints: what speaks against a proposal without being on any page. They order the queue and change nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from pipeline.models import Flag, Hint, Judgement
from pipeline.store.database import Database, restored, stored
from pipeline.store.tables import hints, judgements

_BATCH = 500  # values of one IN list, far below the limits of both databases


class Told(NamedTuple):
    """raised: items that have a hint now and had none; withdrawn: items that have none any more."""

    raised: int
    withdrawn: int


class Hints:
    """Every method raises StoreError where the database cannot be read or written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, found: Sequence[Hint], about: Collection[tuple[str, str]]) -> Told:
        """Of the pairs (digest, source) in `about`, exactly those of `found` have a hint afterwards, and items with a
        hint are urgent; all of it or nothing. Bodies, digests and lots stay as they are."""
        bodies = {(one.of, one.source): stored(one, f"the hint {one.source}") for one in found}
        about = {*about, *bodies}
        digests = {of for of, _ in about}
        with self._database.writing("put hints to the queue") as connection:
            before = _bodies(connection, digests)
            outdated = {key for key, body in before.items() if key in about and bodies.get(key) != body}
            for of, source in sorted(outdated):
                connection.execute(delete(hints).where(hints.c.of == of, hints.c.source == source))
            fresh = [key for key in bodies if before.get(key) != bodies[key]]
            rows = [{"of": of, "source": source, "body": bodies[of, source]} for of, source in fresh]
            if rows:
                connection.execute(insert(hints), rows)
            after = hinted(connection, digests)
            raised, withdrawn = after - {of for of, _ in before}, {of for of, _ in before} - after
            _set_urgency(connection, after, withdrawn)
        return Told(len(raised), len(withdrawn))

    def of(self, digests: Collection[str]) -> dict[str, tuple[Hint, ...]]:
        """The hints of these proposals, by digest, in the order of their sources; those without one are left out."""
        with self._database.reading("read the hints") as connection:
            found = sorted(_bodies(connection, digests).items())
        told: dict[str, tuple[Hint, ...]] = {}
        for (of, source), body in found:
            told[of] = (*told.get(of, ()), restored(Hint, body, f"the hint {source}"))
        return told


def hinted(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of the digests that have a hint."""
    return {of for of, _ in _bodies(connection, digests)}


def _bodies(connection: Connection, digests: Collection[str]) -> dict[tuple[str, str], str]:
    """Hints as stored, by digest and source."""
    found: dict[tuple[str, str], str] = {}
    for batch in _batches(digests):
        for row in connection.execute(select(hints).where(hints.c.of.in_(batch))):
            found[row.of, row.source] = row.body
    return found


def _set_urgency(connection: Connection, urgent: Collection[str], no_more: Collection[str]) -> None:
    for batch in _batches(urgent):
        calm = judgements.c.digest.in_(batch) & judgements.c.urgent.is_(False)
        connection.execute(update(judgements).where(calm).values(urgent=True))
    for batch in _batches(no_more):
        query = select(judgements.c.number, judgements.c.body).where(judgements.c.digest.in_(batch))
        for row in connection.execute(query).all():
            judgement = restored(Judgement, row.body, f"judgement {row.number}")
            still = Flag.JUDGES_DISAGREE in judgement.flags
            connection.execute(update(judgements).where(judgements.c.number == row.number).values(urgent=still))


def _batches(digests: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(digests)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
