"""Who may do what with an item, and who must not see its proposal: pure rules over people, their roles and the log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.models import Action, QueueItem, Role, Stage, User
from pipeline.store.log import ALLOWED, CODERS, Refusal, codings, lot, not_undone, stage

# The name under which Akashi itself writes in the log; no person can have it.
AKASHI = "Akashi"
_JUDGING = (Action.APPROVE, Action.AMEND, Action.REJECT)


class Sight(StrEnum):
    """How much of an item a person may see."""

    ALL = "all"
    PARTIAL = "partial"  # the proposal, but not the one blind coding that is in: votes stay hidden until all are in
    BLIND = "blind"  # neither the proposal nor another's answer: this person codes it
    OWN = "own"  # coded by this person and not yet by the second one: their own answer, and still no proposal


@dataclass(frozen=True)
class Team:
    """The people of one database. share: of the items to code twice, 0 to 1, as the operator chose it."""

    users: tuple[User, ...]
    share: float

    @property
    def coders(self) -> frozenset[str]:
        return self._active(Role.REVIEWER)

    @property
    def adjudicators(self) -> frozenset[str]:
        return self._active(Role.ADJUDICATOR)

    @property
    def deciders(self) -> frozenset[str]:
        return self.coders | self.adjudicators

    @property
    def doubling(self) -> float:
        """The share that is really drawn: 0 until there are two reviewers to code and an adjudicator to settle."""
        return self.share if len(self.coders) >= CODERS and self.adjudicators else 0.0

    def drawn(self, item: QueueItem) -> bool:
        """Whether the item is to be coded blind by two people: by its lot, unless somebody has decided it before, who
        then knows the proposal."""
        known = any(line.action in _JUDGING for line in item.decisions)
        return not known and lot(item.municipality.code, item.judgement) < self.doubling

    def sight(self, user: User, item: QueueItem) -> Sight:
        """What the person may see of the item."""
        now, people = stage(item.decisions)
        if now is Stage.CODED and user.name in people:
            return Sight.OWN
        if now is Stage.CODED:
            return Sight.BLIND if user.role is Role.REVIEWER else Sight.PARTIAL
        fresh = now is Stage.OPEN and self.drawn(item)
        return Sight.BLIND if fresh and user.role is Role.REVIEWER else Sight.ALL

    def forbidden(self, user: User, action: Action, item: QueueItem) -> Refusal:
        """Why this person may not take this action on the item as it stands; empty where they may try."""
        if user.role is Role.ANALYST or not user.active:
            return Refusal("an analyst reads and exports; reviewers and adjudicators decide")
        if action is Action.UNDO:
            return _undoing(user, item)
        if action is Action.CODE:
            return self._coding(user, item)
        return self._judging(user, item) if action in _JUDGING else ALLOWED

    def _coding(self, user: User, item: QueueItem) -> Refusal:
        if user.role is not Role.REVIEWER:
            return Refusal("adjudicators settle what two coders see differently, so they do not code themselves")
        now = stage(item.decisions)[0]
        if now not in (Stage.OPEN, Stage.CODED):
            return Refusal("both codings are in, or it was decided: nobody is blind to it any more")
        if now is Stage.OPEN and not self.drawn(item):
            return Refusal("it is not drawn for double coding: approve, amend or reject it")
        return ALLOWED

    def _judging(self, user: User, item: QueueItem) -> Refusal:
        now, people = stage(item.decisions)
        if now is Stage.CODED:
            return Refusal("it awaits its second blind coding; until then nobody decides it")
        if now is Stage.OPEN and self.drawn(item):
            return Refusal("it is drawn for double coding: two reviewers code it without seeing the proposal")
        if now is Stage.DISPUTED and user.role is not Role.ADJUDICATOR:
            return Refusal("two coders differ: an adjudicator decides")
        if now is Stage.RETURNED and user.role is not Role.ADJUDICATOR and user.name not in people:
            return Refusal("it is returned to %(reviewer)s, who decides it anew", reviewer=", ".join(people))
        return ALLOWED

    def _active(self, role: Role) -> frozenset[str]:
        return frozenset(one.name for one in self.users if one.active and one.role is role)


def _undoing(user: User, item: QueueItem) -> Refusal:
    stack = not_undone(item.decisions)
    if user.role is Role.ADJUDICATOR or not stack:
        return ALLOWED
    if stack[-1].reviewer != user.name:
        return Refusal("only the person who took the last step, or an adjudicator, takes it back")
    if stack[-1].action is Action.CODE and len(codings(item.decisions)) >= CODERS:
        return Refusal("both codings are in and shown: an adjudicator decides")
    return ALLOWED
