"""What a person may do at the desk: be served an item, decide it, take it back. Quotes go through the verifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.desk.pages import Pages
from pipeline.errors import DecisionError, StaleError
from pipeline.judge import orders
from pipeline.judge.grounding import Grounded, verify
from pipeline.models import (
    Action,
    Claim,
    CriteriaSet,
    Decision,
    Filter,
    Lease,
    Page,
    QueueItem,
    Quote,
    Role,
    User,
    Verdict,
)
from pipeline.review import queue
from pipeline.review.team import AKASHI, Team
from pipeline.store.line import Turn
from pipeline.store.log import ALLOWED, Refusal, not_undone
from pipeline.store.store import Store

MAX_NOTE_CHARS = 4000
_CITING = (Verdict.MET, Verdict.NOT_MET)


@dataclass(frozen=True)
class Answer:
    """What a person says of an item. claims: sentences they picked, with the page where each stands."""

    action: Action
    verdict: Verdict | None = None
    claims: tuple[Claim, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Desk:
    """share: of the items to code twice; criteria: the criteria set of a sha256, as it was asked then."""

    store: Store
    pages: Pages
    criteria: Callable[[str], CriteriaSet]
    share: float

    def team(self) -> Team:
        return Team(tuple(self.store.users.all()), self.share)

    def person(self, name: str) -> User:
        """The user of that name; who types in the terminal and is none owns this database and may settle things."""
        return self.store.users.find(name) or User(name=name, role=Role.ADJUDICATOR)

    def next(self, user: User, wanted: Filter) -> Lease | None:
        """Leases the next item to the person; None where nothing that they may decide is free."""
        if user.role is Role.ANALYST:
            return None
        team = self.team()
        turn = Turn(user.name, user.role is Role.ADJUDICATOR, team.deciders, team.doubling)
        return self.store.serving.next(turn, wanted, now=_now())

    def hold(self, user: User, item: QueueItem) -> Lease:
        """The lease on the item after asking for it: the person's own, or the one another person has."""
        return self.store.serving.take(item.number, user.name, now=_now())

    def skip(self, user: User, number: int) -> None:
        """Puts the item off for this person. Raises DecisionError where there is no such item."""
        self.store.serving.skip(self.store.item(number).number, user.name, now=_now())

    def decide(self, user: User, number: int, answer: Answer, *, version: str | None = None) -> Decision:
        """Records what the person says; with `version`, only if nothing has happened to the item since they saw it.

        Raises StaleError, or DecisionError where the rules refuse it or a quote stands on no page, and records nothing.
        """
        item = self.store.item(number)
        if version is not None and version != item.version:
            raise StaleError(_about(item, "it has changed since it was shown"))
        decision = self.prepared(user, item, answer)
        self.store.record(decision, version=version)
        return decision

    def prepared(self, user: User, item: QueueItem, answer: Answer) -> Decision:
        """The line that the answer makes, not yet recorded. Raises DecisionError."""
        if reason := _reserved(user) or self.team().forbidden(user, answer.action, item):
            raise DecisionError(_about(item, reason), reason)
        lease = self.store.serving.holder(item.number, now=_now())
        if lease and lease.holder != user.name and answer.action in (Action.APPROVE, Action.AMEND, Action.REJECT):
            held = Refusal("%(holder)s is deciding it at this moment", holder=lease.holder)
            raise DecisionError(_about(item, held), held)
        if len(answer.note) > MAX_NOTE_CHARS:
            too_long = Refusal("a note has at most %(most)s characters", most=str(MAX_NOTE_CHARS))
            raise DecisionError(_about(item, too_long), too_long)
        return _line(user, item, answer, self.quotes(item, answer.claims))

    def quotes(self, item: QueueItem, claims: Sequence[Claim]) -> tuple[Quote, ...]:
        """The claims as quotes. Raises DecisionError naming the first that stands on no page of the item's survey."""
        found = tuple(self._quote(item, claim) for claim in claims)
        return tuple(dict.fromkeys(found))

    def look_up(self, item: QueueItem, claim: Claim) -> Grounded:
        """What becomes of a sentence that a person picked: its quote, or why it is none."""
        return verify(claim, self._searched(item, claim))

    def _quote(self, item: QueueItem, claim: Claim) -> Quote:
        grounded = self.look_up(item, claim)
        if grounded.quote is None:
            reason = Refusal("%(quote)s stands on none of the pages looked at. %(hint)s", **_named(claim, grounded))
            raise DecisionError(_about(item, reason), reason)
        page = self.pages.page(grounded.quote.page_sha256, grounded.quote.url)
        if page and orders.ordered(page, grounded.quote.start, grounded.quote.end):
            reason = Refusal("a sentence that tells its reader how to judge is no evidence")
            raise DecisionError(_about(item, reason), reason)
        return grounded.quote

    def _searched(self, item: QueueItem, claim: Claim) -> dict[str, Page]:
        """The page that the claim names, if the survey archived it; without one, the pages quoted and searched."""
        snapshots = [one for one in self.pages.snapshots(item.run_id) if one.is_page]
        if claim.page_sha256:
            named = [one for one in snapshots if one.sha256 == claim.page_sha256]
        else:
            cited = {quote.url for quote in item.judgement.quotes} | set(item.judgement.searched)
            named = [one for one in snapshots if cited & {one.url, one.final_url}]
        read = (self.pages.page(one.sha256, one.final_url) for one in named)
        return {page.sha256: page for page in read if page}

    def undo_last(self, user: User) -> tuple[QueueItem, Decision] | None:
        """Takes back the person's latest step that still lies on top of its item's log, or None where there is none.
        Each further call goes one step further back."""
        for _, step in self.store.serving.by(user.name):
            if step.action in (Action.UNDO, Action.NOTE):
                continue
            item = self.store.of_digest(step.of)
            if item is None or not_undone(item.decisions)[-1:] != [step]:
                continue
            if self.team().forbidden(user, Action.UNDO, item):
                continue
            try:
                return item, self.decide(user, item.number, Answer(Action.UNDO), version=item.version)
            except StaleError:
                continue  # at this moment another person has gone on from it, so it lies on top no more
        return None


def _reserved(user: User) -> Refusal:
    taken = user.name.strip().casefold() == AKASHI.casefold()
    return Refusal("Akashi writes in the log under this name itself; choose another") if taken else ALLOWED


def fitting(item: QueueItem, answer: Answer, quotes: Sequence[Quote]) -> Action:
    """approve where an answer says just what was proposed, and amend where it does not."""
    if answer.action is not Action.AMEND:
        return answer.action
    same = answer.verdict is item.judgement.verdict
    kept = {(one.url, one.text) for one in quotes} in (set(), {(one.url, one.text) for one in item.judgement.quotes})
    return Action.APPROVE if same and kept else Action.AMEND


def _line(user: User, item: QueueItem, answer: Answer, quotes: tuple[Quote, ...]) -> Decision:
    said: dict[str, Any] = {"reviewer": user.name, "now": _now(), "note": answer.note.strip()}
    match fitting(item, answer, quotes):
        case Action.APPROVE:
            return queue.approve(item, **said)
        case Action.REJECT:
            return queue.reject(item, **said)
        case Action.RETURN:
            return queue.send_back(item, **said)
        case Action.UNDO:
            return queue.undo(item, **said)
        case Action.NOTE:
            return queue.remark(item, **said)
    if answer.verdict is None:
        reason = Refusal("it needs the verdict that a person reached; an item nobody can judge stays open")
        raise DecisionError(_about(item, reason), reason)
    cited = quotes if answer.verdict in _CITING else ()
    if answer.action is Action.CODE:
        return queue.code(item, verdict=answer.verdict, quotes=cited, **said)
    return queue.amend(item, verdict=answer.verdict, quotes=cited, **said)


def _about(item: QueueItem, reason: str) -> str:
    return f"item {item.number} ({item.municipality.name} {item.judgement.criterion}): {reason}"


def _named(claim: Claim, grounded: Grounded) -> dict[str, str]:
    return {"quote": f"「{claim.text[:200]}」", "hint": grounded.hint or f"({grounded.outcome})"}


def _now() -> datetime:
    return datetime.now(UTC)
