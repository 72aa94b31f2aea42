"""What the append-only log of decisions means: pure rules, kept at the store's door, used by the queue and the score.

A log is the decisions about one judgement (one digest), oldest first. Its meaning is a stack: every action lies on the
ones before it, undo takes the topmost away, and what lies on top then holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC

from pipeline.models import Action, Decision, Judgement, Measurement, Verdict

_NEEDS_EVIDENCE = (Verdict.MET, Verdict.NOT_MET)


def digest(code: str, judgement: Judgement) -> str:
    """sha256 (hex) over what a reviewer confirms: municipality, criterion and its rule, verdict, quotes as (url, text)
    in any order, and what was measured. Equal content in a later run has the same digest, so its confirmation stands;
    offsets, dates of fetching, judge, rationale and confidence do not count.
    """
    measured = judgement.measurement
    content = {
        "code": code,
        "criterion": judgement.criterion,
        "rule": judgement.rule_sha256,
        "verdict": judgement.verdict.value,
        "quotes": sorted((quote.url, quote.text) for quote in judgement.quotes),
        "measurement": measured and [measured.name, measured.value, measured.unit, measured.threshold],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def standing(log: Sequence[Decision]) -> Decision | None:
    """The decision that holds after the whole log, or None where the item is open.

    An undo cancels the latest decision not yet undone, a return included; a return that holds leaves the item open.
    """
    stack = _not_undone(log)
    return stack[-1] if stack and stack[-1].action is not Action.RETURN else None


def refusal(decision: Decision, judgement: Judgement, log: Sequence[Decision]) -> str:
    """Why this decision may not be the next line of the log about this judgement; empty where it may."""
    return _wrong_turn(decision, log) or _wrong_content(decision, judgement)


def carries(measurement: Measurement | None, verdict: Verdict) -> bool:
    """Whether the measurement alone is evidence for the verdict: `met` up to the threshold, `not_met` above it."""
    if measurement is None or verdict not in _NEEDS_EVIDENCE:
        return False
    return (measurement.value <= measurement.threshold) == (verdict is Verdict.MET)


def _not_undone(log: Sequence[Decision]) -> list[Decision]:
    stack: list[Decision] = []
    for decision in log:
        if decision.action is not Action.UNDO:
            stack.append(decision)
        elif stack:
            stack.pop()
    return stack


def _wrong_turn(decision: Decision, log: Sequence[Decision]) -> str:
    held = standing(log)
    match decision.action:
        case Action.UNDO:
            return "" if _not_undone(log) else "there is no decision to undo"
        case Action.RETURN:
            return "" if held else "it is open: only a decided item can be returned"
        case _ if held:
            when = f"{held.decided_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            return f"already decided ({held.action}: {held.verdict}) by {held.reviewer} at {when}; undo that first"
    return ""


def _wrong_content(decision: Decision, judgement: Judgement) -> str:
    if not decision.reviewer.strip() or not decision.reviewer.isprintable():
        return "a decision needs the name of the person who takes it"
    if decision.decided_at.tzinfo is None:
        return "the time of a decision needs its time zone"
    match decision.action:
        case Action.UNDO | Action.RETURN:
            return _wrong_reopening(decision)
        case Action.APPROVE:
            return _wrong_approval(decision, judgement)
        case Action.REJECT:
            return _wrong_rejection(decision, judgement)
        case Action.AMEND:
            return _wrong_amendment(decision, judgement)


def _wrong_reopening(decision: Decision) -> str:
    if decision.verdict or decision.quotes:
        return f"{decision.action} confirms nothing, so it has neither verdict nor quotes"
    if decision.action is Action.RETURN and not decision.note.strip():
        return "returning an item needs a reason"
    return ""


def _wrong_approval(decision: Decision, judgement: Judgement) -> str:
    if decision.verdict is not judgement.verdict or _content(decision) != _content(judgement):
        return "an approval confirms exactly the verdict and quotes proposed; amend changes them"
    return _unfounded(decision, judgement)


def _wrong_rejection(decision: Decision, judgement: Judgement) -> str:
    if judgement.verdict not in _NEEDS_EVIDENCE:
        return f"{judgement.verdict} cites no evidence to reject: amend it with a verdict and a quote"
    if decision.verdict is not Verdict.NO_EVIDENCE or decision.quotes:
        return "a rejection confirms no_evidence, without quotes"
    return ""


def _wrong_amendment(decision: Decision, judgement: Judgement) -> str:
    if decision.verdict is None or decision.verdict is Verdict.NOT_JUDGED:
        return "an amendment needs the verdict that a person reached; an item nobody can judge stays open"
    if decision.verdict not in _NEEDS_EVIDENCE and decision.quotes:
        return f"{decision.verdict} takes no quotes"
    if decision.verdict is judgement.verdict and _content(decision) == _content(judgement):
        return "an amendment changes the verdict or the quotes; approve confirms them as they are"
    return _unfounded(decision, judgement)


def _unfounded(decision: Decision, judgement: Judgement) -> str:
    if decision.verdict not in _NEEDS_EVIDENCE or decision.quotes or carries(judgement.measurement, decision.verdict):
        return ""
    return f"{decision.verdict} needs a quote, or a measurement that says so"


def _content(cited: Decision | Judgement) -> list[tuple[str, str]]:
    return sorted((quote.url, quote.text) for quote in cited.quotes)
