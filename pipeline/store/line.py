"""The line of waiting items, in SQL: which stand in it, for whom, and in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, exists, func, literal, or_, select, true

from pipeline.models import Filter, RunState, Stage
from pipeline.store.tables import decisions, judgements, leases, runs, skips

# Where judges or pages contradict each other first, then the least certain.
DOUBT = (judgements.c.urgent.desc(), judgements.c.confidence, judgements.c.code, judgements.c.criterion)

_newest = decisions.alias("newest")


def _after_newest_line(what: ColumnElement[Any], untouched: ColumnElement[Any]) -> ColumnElement[Any]:
    """`what` the newest line of the item says, or what holds of an item without a line. One probe of one index."""
    last = select(what).where(_newest.c.of == judgements.c.digest).order_by(_newest.c.number.desc()).limit(1)
    return func.coalesce(last.correlate(judgements).scalar_subquery(), untouched)


_stage = _after_newest_line(_newest.c.stage, literal(Stage.OPEN.value))
# Served before everything else. Few items, so they are found from the log and not by a look at every item.
_FIRST = (Stage.RETURNED.value, Stage.DISPUTED.value)


@dataclass(frozen=True)
class Turn:
    """For whom the next item is looked up. settles: decides what two coders see differently, and gets back what was
    returned to people who are not in `active` any more; share: of double coding, 0 where it is off."""

    name: str
    settles: bool
    active: frozenset[str]
    share: float


class Survey(NamedTuple):
    """The newest finished run of a municipality, as a list of them needs it."""

    code: str
    name: str
    run_id: str
    criteria_sha256: str


def newest_surveys(code: str = "") -> Select[Any]:
    """Ids of the latest finished run of each municipality (or the one) and criteria set."""
    latest = select(func.max(runs.c.id)).where(runs.c.state == RunState.DONE.value)
    latest = latest.where(runs.c.code == code) if code else latest
    return latest.group_by(runs.c.code, runs.c.criteria_id)


def listed(wanted: Filter, stages: Collection[Stage] = ()) -> Select[Any]:
    """Numbers of the items that the filter lets through, at one of the stages (or any), unordered."""
    at = (_stage.in_([one.value for one in stages]),) if stages else ()
    return select(judgements.c.number).where(*at, *_wanted(wanted))


def next_for(turn: Turn, wanted: Filter, now: datetime) -> Select[Any]:
    """Number of the item that the person should see next: returned to them or disputed first, put off last. Neither
    held by another person nor theirs to be blind to."""
    off = _put_off(turn)
    first = case((_stage.in_(_FIRST), 0), else_=1)
    query = select(judgements.c.number).where(*_free(turn, wanted, now))
    return query.order_by(case((off.is_(None), 0), else_=1), off, first, *DOUBT).limit(1)


def steps_for(turn: Turn, wanted: Filter, now: datetime) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """next_for in three steps that need not look at every item: the first to find one has found the next."""
    touched = select(decisions.c.of).where(decisions.c.stage.in_(_FIRST))
    put_off = select(skips.c.number).where(skips.c.reviewer == turn.name)
    doubtful = select(judgements.c.number).where(*_free(turn, wanted, now), judgements.c.number.not_in(put_off))
    doubtful = doubtful.order_by(*DOUBT).limit(1)
    return (
        doubtful.where(judgements.c.digest.in_(touched), _stage.in_(_FIRST)),
        doubtful,
        next_for(turn, wanted, now).where(judgements.c.number.in_(put_off)),
    )


def drawn(share: float) -> ColumnElement[bool]:
    return judgements.c.lot < share


def tally(wanted: Filter, share: float) -> Select[Any]:
    """Rows (stage, drawn, count)."""
    blind = case((drawn(share), 1), else_=0).label("blind")
    return _counted(blind, judgements.c.run_id.in_(newest_surveys(wanted.code)), *_filtered(wanted))


def by_survey() -> Select[Any]:
    """Rows (run_id, stage, count)."""
    return _counted(judgements.c.run_id, judgements.c.run_id.in_(newest_surveys()))


def _counted(part: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    # Materialised, or SQLite would look the stage of every item up twice.
    each = select(part, _stage.label("stage")).where(*conditions).cte("each").prefix_with("MATERIALIZED")
    return select(*each.c, func.count().label("items")).group_by(*each.c)


def _wanted(wanted: Filter) -> tuple[ColumnElement[bool], ...]:
    """One municipality's items are few and found by their run; the others are met in the order of doubt."""
    survey = judgements.c.run_id.in_(newest_surveys(wanted.code)) if wanted.code else _of_newest_survey()
    return survey, *_filtered(wanted)


def _filtered(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.criteria_id:
        asked = select(runs.c.id).where(runs.c.criteria_id == wanted.criteria_id)
        conditions.append(judgements.c.run_id.in_(asked))
    if wanted.criteria:
        conditions.append(judgements.c.criterion.in_(wanted.criteria))
    if wanted.verdict:
        conditions.append(judgements.c.verdict == wanted.verdict.value)
    if wanted.judge:
        conditions.append(judgements.c.judge == wanted.judge)
    return conditions


def _of_newest_survey() -> ColumnElement[bool]:
    """newest_surveys, asked of one item."""
    own, later = runs.alias("own"), runs.alias("later")
    same = (later.c.code == own.c.code) & (later.c.criteria_id == own.c.criteria_id)
    replaced = exists().where(same, later.c.state == RunState.DONE.value, later.c.id > own.c.id)
    return exists().where(own.c.id == judgements.c.run_id, own.c.state == RunState.DONE.value, ~replaced)


def _free(turn: Turn, wanted: Filter, now: datetime) -> tuple[ColumnElement[bool], ...]:
    held = exists().where(leases.c.number == judgements.c.number, leases.c.holder != turn.name, leases.c.expires > now)
    return _theirs(turn, wanted), ~held, *_wanted(wanted)


def _put_off(turn: Turn) -> ScalarSelect[Any]:
    """When the person put the item off, or NULL."""
    mine = (skips.c.number == judgements.c.number) & (skips.c.reviewer == turn.name)
    return select(skips.c.skipped).where(mine).correlate(judgements).scalar_subquery()


def _theirs(turn: Turn, wanted: Filter) -> ColumnElement[bool]:
    """Whether the item may be served to the person."""
    fresh, line = _whose(turn, wanted)
    untouched = case((fresh, 1), else_=0)
    # Not `== 1`: PostgreSQL takes any comparison with <> to hold nearly always, and then walks in the order of doubt.
    return _after_newest_line(case((line, 1), else_=0), untouched) != 0


def _whose(turn: Turn, wanted: Filter) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether an item without a line is for the person, and whether one with this newest line is. A filter by verdict
    or judge would tell a blind coder something."""
    open_, blind = _newest.c.stage == Stage.OPEN.value, drawn(turn.share)
    returned = and_(_newest.c.stage == Stage.RETURNED.value, _newest.c.first == turn.name)
    if turn.settles:
        others = and_(_newest.c.stage == Stage.RETURNED.value, _newest.c.first.not_in(turn.active))
        mine = or_(_newest.c.first == turn.name, _newest.c.second == turn.name)
        disputed = and_(_newest.c.stage == Stage.DISPUTED.value, ~mine)
        return ~blind, or_(and_(open_, ~blind), returned, others, disputed)
    if wanted.verdict or wanted.judge:
        return ~blind, or_(and_(open_, ~blind), returned)
    coded = and_(_newest.c.stage == Stage.CODED.value, _newest.c.first != turn.name)
    return true(), or_(open_, returned, coded)
