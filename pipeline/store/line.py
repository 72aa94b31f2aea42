"""The line of waiting items, in SQL: which stand in it, for whom, and in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from pipeline.models import Filter, RunState, Stage
from pipeline.store.tables import decisions, judgements, leases, runs, skips

# Where judges or pages contradict each other first, then the least certain.
DOUBT = (judgements.c.urgent.desc(), judgements.c.confidence, judgements.c.code, judgements.c.criterion)

_newest = decisions.alias("newest")
_stage = func.coalesce(_newest.c.stage, Stage.OPEN.value)


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
    query = _with_stage(select(judgements.c.number)).where(*_wanted(wanted))
    return query.where(_stage.in_([one.value for one in stages])) if stages else query


def next_for(turn: Turn, wanted: Filter, now: datetime) -> Select[Any]:
    """Number of the item that the person should see next: returned to them or disputed first, put off last. Neither
    held by another person nor theirs to be blind to."""
    held = exists().where(leases.c.number == judgements.c.number, leases.c.holder != turn.name, leases.c.expires > now)
    mine = (skips.c.number == judgements.c.number) & (skips.c.reviewer == turn.name)
    off = select(skips.c.skipped).where(mine).correlate(judgements).scalar_subquery()
    first = case((_stage.in_([Stage.RETURNED.value, Stage.DISPUTED.value]), 0), else_=1)
    query = _with_stage(select(judgements.c.number)).where(*_wanted(wanted), _theirs(turn, wanted), ~held)
    return query.order_by(case((off.is_(None), 0), else_=1), off, first, *DOUBT).limit(1)


def drawn(share: float) -> ColumnElement[bool]:
    return judgements.c.lot < share


def tally(wanted: Filter, share: float) -> Select[Any]:
    """Rows (stage, drawn, count)."""
    blind = case((drawn(share), 1), else_=0).label("blind")
    query = _with_stage(select(_stage.label("stage"), blind, func.count().label("items")))
    return query.where(*_wanted(wanted)).group_by(_stage, blind)


def by_city() -> Select[Any]:
    """Rows (code, stage, count)."""
    query = _with_stage(select(judgements.c.code, _stage.label("stage"), func.count().label("items")))
    return query.where(*_wanted(Filter())).group_by(judgements.c.code, _stage)


def _with_stage(query: Select[Any]) -> Select[Any]:
    last = select(func.max(decisions.c.number)).where(decisions.c.of == judgements.c.digest).scalar_subquery()
    joined = judgements.outerjoin(_newest, and_(_newest.c.of == judgements.c.digest, _newest.c.number == last))
    return query.select_from(joined)


def _wanted(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [judgements.c.run_id.in_(newest_surveys(wanted.code))]
    if wanted.criteria:
        conditions.append(judgements.c.criterion.in_(wanted.criteria))
    if wanted.verdict:
        conditions.append(judgements.c.verdict == wanted.verdict.value)
    if wanted.judge:
        conditions.append(judgements.c.judge == wanted.judge)
    return conditions


def _theirs(turn: Turn, wanted: Filter) -> ColumnElement[bool]:
    """Whether the item may be served to the person. A filter by verdict or judge would tell a blind coder something."""
    open_, blind = _stage == Stage.OPEN.value, drawn(turn.share)
    returned = and_(_stage == Stage.RETURNED.value, _newest.c.first == turn.name)
    if turn.settles:
        others = and_(_stage == Stage.RETURNED.value, _newest.c.first.not_in(turn.active))
        mine = or_(_newest.c.first == turn.name, _newest.c.second == turn.name)
        disputed = and_(_stage == Stage.DISPUTED.value, ~mine)
        return or_(and_(open_, ~blind), returned, others, disputed)
    if wanted.verdict or wanted.judge:
        return or_(and_(open_, ~blind), returned)
    return or_(open_, returned, and_(_stage == Stage.CODED.value, _newest.c.first != turn.name))
