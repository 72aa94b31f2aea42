"""When one criteria set succeeds another: what becomes of the confirmations under the old one.

Nothing is confirmed here. A confirmation belongs to a criterion's id and rule, so under an equal one it stands by
itself as soon as a survey by the new set finds the same; for a criterion that has another id a note is left for the
person who looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import ValidationError

from pipeline.criteria.difference import Kind, differences
from pipeline.errors import InputError
from pipeline.models import (
    Action,
    CriteriaSet,
    Criterion,
    CriterionId,
    Decision,
    Noun,
    QueueItem,
    Run,
    RunState,
    Verdict,
)
from pipeline.report.words import OUTCOMES
from pipeline.review.team import AKASHI
from pipeline.store.log import standing
from pipeline.store.store import Store
from pipeline.written import parse

URLS_NAMED = 3
MAX_MAP_BYTES = 1_000_000


class Fate(StrEnum):
    """What becomes of a confirmation under the new set."""

    STANDS = "stands"  # surveyed by the new set: the same was found, and it is confirmed
    CARRIES = "carries"  # not surveyed yet: it will stand where the same is found
    LOOK = "look"  # a person must look again
    LOST = "lost"  # no criterion of the new set is mapped to it; it stays in the log and counts for nothing there


class Carried(Noun):
    """A confirmation under the old set. new: the criterion it is about in the new set, None where there is none."""

    code: str
    name: str
    old: CriterionId
    new: CriterionId | None = None
    verdict: Verdict
    reviewer: str
    fate: Fate
    why: str


class Renamed(Noun):
    """A mapping file: which criterion of the old set became which of the new one, by their ids."""

    old: str
    new: str
    renamed: dict[CriterionId, CriterionId] = {}


@dataclass(frozen=True)
class Succession:
    """Two sets and the map between the ids that differ."""

    old: CriteriaSet
    new: CriteriaSet
    renamed: Mapping[str, str]

    def heir(self, criterion: str) -> Criterion | None:
        """The criterion of the new set that the old id is about, or None."""
        wanted = self.renamed.get(criterion, criterion)
        return next((one for one in self.new.criteria if one.id == wanted), None)


# --- the mapping file -------------------------------------------------------------------------------------------------


def write_map(path: Path, old: CriteriaSet, new: CriteriaSet) -> int:
    """Writes a mapping file with the likely renamings filled in; returns how many. Raises InputError where a file is
    there already or cannot be written."""
    changes = differences(old, new)
    likely = [one for one in changes if one.kind is Kind.RENAMED]
    lines = [
        f"# Which criterion of {old.id} became which of {new.id}. Ids that are in both sets need no line.",
        "# Filled in are those that read alike: check each, and add what was rewritten beyond recognition.",
        *(f"# gone:  {one.old}  {one.statement}" for one in changes if one.kind is Kind.REMOVED),
        *(f"# fresh: {one.new}  {one.statement}" for one in changes if one.kind is Kind.ADDED),
        f"old: {old.id}",
        f"new: {new.id}",
        "renamed:" if likely else "renamed: {}",
        *(f"  {one.old}: {one.new}  # likeness {one.likeness:.2f}: {one.statement}" for one in likely),
    ]
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except FileExistsError:
        raise InputError(f"{path} exists and is left as it is. Give another name, or take it with --map.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}). Give a folder that exists.") from error
    return len(likely)


def read_map(path: Path, old: CriteriaSet, new: CriteriaSet) -> dict[str, str]:
    """New id by old id. Raises InputError where the file is not valid, is about other sets or names unknown ids."""
    try:
        told = Renamed.model_validate(parse(_text(path))[0])
    except (ValidationError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path}: no mapping file ({str(error).splitlines()[0]}). --write-map makes one.") from None
    problems = list(_wrong(told, old, new))
    if problems:
        raise InputError(f"{path}: {'; '.join(problems)}. Correct it, or make one with --write-map.")
    return dict(told.renamed)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            body = file.read(MAX_MAP_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). --write-map makes one.") from error
    if len(body) > MAX_MAP_BYTES:
        raise InputError(f"{path}: larger than {MAX_MAP_BYTES} bytes; that is no mapping file.")
    return body.decode("utf-8-sig")


def _wrong(told: Renamed, old: CriteriaSet, new: CriteriaSet) -> Iterator[str]:
    if (told.old, told.new) != (old.id, new.id):
        yield f"it maps {told.old} to {told.new}, not {old.id} to {new.id}"
    known, heirs = ({one.id for one in each.criteria} for each in (old, new))
    for was, now in told.renamed.items():
        if was not in known:
            yield f"{was} is no criterion of {old.id}"
        if now not in heirs:
            yield f"{now} is no criterion of {new.id}"
        if now in known and now in heirs and now != was and now not in told.renamed:
            yield f"{now} is in both sets, so {was} cannot become it"
    twice = {now for now in told.renamed.values() if list(told.renamed.values()).count(now) > 1}
    if twice:
        yield f"{', '.join(sorted(twice))}: mapped from several"


# --- what becomes of confirmations ------------------------------------------------------------------------------------


def carried(sets: Succession, store: Store) -> Iterator[Carried]:
    """Every confirmation of the newest survey by the old set, of each municipality, with what becomes of it."""
    for before, after in _surveys(sets, store):
        there = {item.judgement.criterion: item for item in store.items(after.id)} if after else None
        for item, held in _confirmed(before, store):
            yield _fate(sets, item, held, there)


def notes(sets: Succession, store: Store, *, now: datetime) -> list[tuple[QueueItem, Decision]]:
    """The lines to leave in the log: one beside each undecided item of the new set whose criterion had another id when
    a person confirmed it. A note decides nothing. What was noted before is not noted twice."""
    found = []
    for before, after in _surveys(sets, store):
        there = {item.judgement.criterion: item for item in store.items(after.id)} if after else {}
        for item, held in _confirmed(before, store):
            heir = there.get(sets.renamed.get(item.judgement.criterion, ""))
            if heir is None or standing(heir.decisions):
                continue
            note = _note(item, held, sets)
            if all((one.reviewer, one.note) != (AKASHI, note) for one in heir.decisions):
                found.append((heir, _line(heir, note, now)))
    return found


def _surveys(sets: Succession, store: Store) -> Iterator[tuple[Run, Run | None]]:
    """Of each municipality the newest survey by the old set, and by the new one where there is one."""
    for code in dict.fromkeys(one.code for one in store.surveys()):
        runs = [run for run in store.runs(code) if run.state is RunState.DONE]
        # Two editions under one id are told apart by their files.
        editions = sets.old.id == sets.new.id
        after = [one for one in runs if one.criteria_id == sets.new.id]
        after = [one for one in after if not editions or one.criteria_sha256 == sets.new.sha256]
        before = [one for one in runs if one.criteria_id == sets.old.id]
        before = [one for one in before if not editions or one.criteria_sha256 != sets.new.sha256]
        if before:
            yield before[-1], after[-1] if after else None


def _confirmed(run: Run, store: Store) -> Iterator[tuple[QueueItem, Decision]]:
    for item in store.items(run.id):
        held = standing(item.decisions)
        if held is not None and held.verdict is not None:
            yield item, held


def _fate(sets: Succession, item: QueueItem, held: Decision, there: Mapping[str, QueueItem] | None) -> Carried:
    was = item.judgement.criterion
    heir = sets.heir(was)
    fate, why = _told(item, heir, there) if heir else (Fate.LOST, f"{sets.new.id} has no such criterion")
    return Carried(
        code=item.municipality.code,
        name=item.municipality.name,
        old=was,
        new=heir.id if heir else None,
        verdict=held.verdict or item.judgement.verdict,
        reviewer=held.reviewer,
        fate=fate,
        why=why,
    )


def _told(item: QueueItem, heir: Criterion, there: Mapping[str, QueueItem] | None) -> tuple[Fate, str]:
    judgement = item.judgement
    if heir.id != judgement.criterion:
        return Fate.LOOK, f"its id was {judgement.criterion}"
    if heir.rule_sha256 != judgement.rule_sha256:
        return Fate.LOOK, "its rule has other words"
    measured = judgement.measurement
    if measured is not None and heir.threshold not in (None, measured.threshold):
        return Fate.LOOK, f"its threshold was {measured.threshold:g} and is {heir.threshold:g}"
    if there is None:
        return Fate.CARRIES, "same id and rule; not surveyed by the new set yet"
    new = there.get(heir.id)
    if new is not None and standing(new.decisions):
        return Fate.STANDS, "same id and rule"
    return Fate.LOOK, "same id and rule; the survey by the new set found something else"


def _note(item: QueueItem, held: Decision, sets: Succession) -> str:
    """For the person who looks: in the language of the log's other lines of Akashi."""
    was = item.judgement.criterion
    statement = next((one.statement_ja for one in sets.old.criteria if one.id == was), "")
    urls = list(dict.fromkeys(quote.url for quote in held.quotes))[:URLS_NAMED]
    assert held.verdict is not None
    told = (
        f"前の項目 {sets.old.id} {was}「{statement}」では、{held.reviewer} が {held.decided_at:%Y-%m-%d} に "
        f"「{OUTCOMES[held.verdict].word}」と確認していた。対応づけによる知らせで、この項目については何も決めていない。"
    )
    return "\n".join((told, *urls))


def _line(item: QueueItem, note: str, now: datetime) -> Decision:
    return Decision(
        municipality=item.municipality.code,
        criterion=item.judgement.criterion,
        of=item.digest,
        action=Action.NOTE,
        reviewer=AKASHI,
        note=note,
        decided_at=now,
    )
