"""The rules of the review queue, without files and without HTTP: an item and a person's answer in, a decision out.

What a log of decisions means, and which decision may follow which, is in store/log.py, because the store keeps the same
rules at its door: two people who decide one item at the same moment both pass here, and only the first is recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.errors import DecisionError
from pipeline.models import Action, Decision, QueueItem, Quote, Verdict
from pipeline.store.log import digest, refusal, standing

__all__ = ["amend", "approve", "code", "digest", "reject", "remark", "send_back", "standing", "undo"]


def approve(item: QueueItem, *, reviewer: str, now: datetime, note: str = "") -> Decision:
    """Confirms the proposed verdict with its quotes. Raises DecisionError if it is decided or lacks its evidence."""
    proposed = item.judgement
    return _decision(item, Action.APPROVE, proposed.verdict, proposed.quotes, reviewer=reviewer, now=now, note=note)


def reject(item: QueueItem, *, reviewer: str, now: datetime, note: str = "") -> Decision:
    """The evidence does not carry the proposed `met` or `not_met`: confirms `no_evidence`, 0 points.

    Raises DecisionError if it is decided, or if the proposal cites nothing that could be rejected: amend it then.
    """
    return _decision(item, Action.REJECT, Verdict.NO_EVIDENCE, (), reviewer=reviewer, now=now, note=note)


def amend(
    item: QueueItem, *, verdict: Verdict, quotes: Sequence[Quote] = (), reviewer: str, now: datetime, note: str = ""
) -> Decision:
    """Confirms another verdict, other quotes, or both. `met` and `not_met` keep the proposed quotes if none are given.

    Raises DecisionError if it is decided, if nothing changes, or if `met` or `not_met` is left with neither a quote nor
    a measurement that says so.
    """
    kept = item.judgement.quotes if verdict in (Verdict.MET, Verdict.NOT_MET) else ()
    return _decision(item, Action.AMEND, verdict, tuple(quotes) or kept, reviewer=reviewer, now=now, note=note)


def code(
    item: QueueItem, *, verdict: Verdict, quotes: Sequence[Quote] = (), reviewer: str, now: datetime, note: str = ""
) -> Decision:
    """A blind coding: what the person found without seeing the proposal. Two that agree confirm their verdict.

    Raises DecisionError if it is decided, if the person has coded it or two others have, or if `met` or `not_met` comes
    without a quote.
    """
    return _decision(item, Action.CODE, verdict, tuple(quotes), reviewer=reviewer, now=now, note=note)


def remark(item: QueueItem, *, reviewer: str, now: datetime, note: str) -> Decision:
    """A note in the log that changes nothing else. Raises DecisionError if it is empty."""
    return _decision(item, Action.NOTE, None, (), reviewer=reviewer, now=now, note=note)


def send_back(item: QueueItem, *, reviewer: str, now: datetime, note: str) -> Decision:
    """Returns a decided item to the queue; the note gives the reason. Raises DecisionError if open or without one."""
    return _decision(item, Action.RETURN, None, (), reviewer=reviewer, now=now, note=note)


def undo(item: QueueItem, *, reviewer: str, now: datetime, note: str = "") -> Decision:
    """Takes back the latest decision not yet undone; the log keeps both. Raises DecisionError if there is none."""
    return _decision(item, Action.UNDO, None, (), reviewer=reviewer, now=now, note=note)


def _decision(
    item: QueueItem,
    action: Action,
    verdict: Verdict | None,
    quotes: tuple[Quote, ...],
    *,
    reviewer: str,
    now: datetime,
    note: str,
) -> Decision:
    decision = Decision(
        municipality=item.municipality.code,
        criterion=item.judgement.criterion,
        of=item.digest,
        action=action,
        verdict=verdict,
        quotes=quotes,
        reviewer=reviewer.strip(),
        note=note,
        decided_at=now,
    )
    if reason := refusal(decision, item.judgement, item.decisions):
        raise DecisionError(f"item {item.number} ({item.municipality.name} {decision.criterion}): {reason}", reason)
    return decision
