"""What single statements say about a criterion: for it, against it, or set aside and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import prod

from pipeline.judge.accounts import Account
from pipeline.judge.actor import Actor
from pipeline.judge.cues import Hit
from pipeline.judge.dates import first_day, mentions
from pipeline.judge.statements import Prepared, Statement
from pipeline.judge.tense import Mode, Said
from pipeline.models import Page, Region


class Side(StrEnum):
    FOR = "for"
    AGAINST = "against"
    ASIDE = "aside"


@dataclass(frozen=True)
class Finding:
    """One statement (or account) read for one criterion. day: the date that orders it against others, if known."""

    side: Side
    score: float
    page: Page
    said: Said
    actor: Actor
    day: date | None = None
    statement: Statement | None = None
    account: Account | None = None
    direct: bool = True
    elliptic: bool = False
    section: int = -1


_ACTOR_WEIGHT = {Actor.OWN: 1.0, Actor.UNSAID: 0.95}
_BODY_WEIGHT = 0.95  # outside the main text
_LINK_WEIGHT = 0.8  # a title in a list of news: the page behind it says more
_LABEL_WEIGHT = 0.85
_SHORT_WEIGHT = 0.9  # a quote of a few characters convinces nobody
_SHORT_CHARS = 10
_KEPT_WEIGHT = 0.8  # announced, and the day has come
SHORTEST_DENIAL_CHARS = 5  # なし, × and the like say no only within their table
# What was said on another day than that of its page: (令和3年8月の回答)
_SAID_THEN = re.compile(r"^\(?(?:令和|平成)(?:\d+|元)年(?:\d+月)?(?:\d+日)?(?:の)?(?:回答|時点|現在|答弁|当時)")


def finding(
    side: Side, hit: Hit, page: Prepared, statement: Statement, spoken: Said, actor: Actor, *, as_of: date
) -> Finding:
    """The finding of a statement: how sure its wording, its actor and its place make it, and its day."""
    found = Finding(
        side=side,
        score=hit.cue.strength * hit.weight * _ACTOR_WEIGHT.get(actor, 0.3) * _place_weight(statement, spoken),
        page=page.page,
        said=spoken,
        actor=actor,
        day=page.page.dated,
        statement=statement,
        direct=hit.direct,
        elliptic=not hit.direct,
        section=statement.part.section,
    )
    if statement.link:
        return replace(found, day=_listed(page, statement))
    if _SAID_THEN.match(statement.text):
        return replace(found, day=first_day(mentions(statement.text, near=page.page.dated)))
    # An event's own date is newer than the page that first told it only where the page has no date.
    own = found.day is None and spoken.day is not None and spoken.day <= as_of
    return replace(found, day=spoken.day) if own else found


def _place_weight(statement: Statement, spoken: Said) -> float:
    weights = (
        (_BODY_WEIGHT, statement.part.block.region is Region.BODY),
        (_LABEL_WEIGHT, spoken.mode is Mode.LABEL),
        (_SHORT_WEIGHT, statement.end - statement.start < _SHORT_CHARS),
        (_LINK_WEIGHT, statement.link),
        (_KEPT_WEIGHT, spoken.kept),
    )
    return prod(weight for weight, applies in weights if applies)


def _listed(page: Prepared, statement: Statement) -> date | None:
    """The date beside a title in a list of news; the list's own date says nothing of it."""
    beside = f"{statement.part.row}|{statement.part.text}"
    days = [one.day for one in mentions(beside, near=page.page.dated) if one.day and one.day == one.last]
    return min(days, default=None)
