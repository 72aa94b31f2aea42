"""What the append-only log of decisions means: pure rules, kept at the store's door, used by the queue and the score.

A log is the decisions about one judgement (one digest), oldest first. Its meaning is a stack: every action lies on the
ones before it, undo takes the topmost away, and what lies on top then holds. Notes lie beside the stack.

Blind codings lie at the bottom: two of them that agree in their verdict hold like a decision; two that differ wait for
a third person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Self

from pipeline.models import Action, Decision, Flag, Judgement, Measurement, Quote, Stage, Verdict

CODERS = 2

_NEEDS_EVIDENCE = (Verdict.MET, Verdict.NOT_MET)
_SIXTEEN_POW_8 = 16**8


class Refusal(str):
    """Why a decision may not be: the sentence, and the template and values that say it in another language."""

    template: str
    values: dict[str, str]

    def __new__(cls, template: str, **values: str) -> Self:
        made = super().__new__(cls, template % values if values else template)
        made.template, made.values = template, values
        return made


ALLOWED = Refusal("")


def digest(code: str, judgement: Judgement) -> str:
    """sha256 (hex) over what a reviewer confirms: municipality, criterion and its rule, verdict, quotes as (url, text)
    in any order, and of a measurement what was measured, its threshold and on which side of that it lies. Equal content
    in a later run has the same digest, so its confirmation stands; a measured value, which is hardly ever the same
    twice, offsets, dates of fetching, judge, rationale and confidence do not count.
    """
    measured = judgement.measurement
    content = {
        "code": code,
        "criterion": judgement.criterion,
        "rule": judgement.rule_sha256,
        "verdict": judgement.verdict.value,
        "quotes": sorted((quote.url, quote.text) for quote in judgement.quotes),
        "measurement": measured and [measured.name, _within(measured), measured.unit, measured.threshold],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def lot(code: str, judgement: Judgement) -> float:
    """The item's lot in [0, 1) for double coding: drawn where it is below the share. 0 where the judge itself is in
    doubt, so that any share draws it; 1 where a probe measures: there is nothing to read.

    Otherwise taken from the digest, which is uniform and the same on every machine: nobody picks what is checked.
    """
    if judgement.judge == "probe" or judgement.measurement is not None:
        return 1.0
    if Flag.LOW_CONFIDENCE in judgement.flags:
        return 0.0
    return int(digest(code, judgement)[-8:], 16) / _SIXTEEN_POW_8


def standing(log: Sequence[Decision]) -> Decision | None:
    """The decision that holds after the whole log, or None where the item is open.

    An undo cancels the latest decision not yet undone, a return included; a return that holds leaves the item open.
    Two codings that agree hold as one decision of both coders, with the quotes of both.
    """
    stack = not_undone(log)
    if not stack or stack[-1].action is Action.RETURN:
        return None
    return stack[-1] if stack[-1].action is not Action.CODE else _agreed(codings(log))


def codings(log: Sequence[Decision]) -> tuple[Decision, ...]:
    """The blind codings that were not taken back, at most two, by different people."""
    return tuple(one for one in not_undone(log) if one.action is Action.CODE)


def stage(log: Sequence[Decision]) -> tuple[Stage, tuple[str, ...]]:
    """Where the item stands, and the people whom that concerns: the first coder, the two coders who differ, or the
    person to whom it is returned (none where two people had decided together)."""
    if standing(log):
        return Stage.DECIDED, ()
    stack = not_undone(log)
    coders = tuple(one.reviewer for one in codings(log))
    if stack and stack[-1].action is Action.RETURN:
        before = stack[-2]
        return (Stage.DISPUTED, coders) if before.action is Action.CODE else (Stage.RETURNED, (before.reviewer,))
    if coders:
        return (Stage.CODED, coders) if len(coders) < CODERS else (Stage.DISPUTED, coders)
    return Stage.OPEN, ()


def refusal(decision: Decision, judgement: Judgement, log: Sequence[Decision]) -> Refusal:
    """Why this decision may not be the next line of the log about this judgement; empty where it may."""
    return _wrong_turn(decision, log) or _wrong_content(decision, judgement)


def carries(measurement: Measurement | None, verdict: Verdict) -> bool:
    """Whether the measurement alone is evidence for the verdict: `met` up to the threshold, `not_met` above it."""
    if measurement is None or verdict not in _NEEDS_EVIDENCE:
        return False
    return _within(measurement) == (verdict is Verdict.MET)


def _within(measurement: Measurement) -> bool:
    return measurement.value <= measurement.threshold


def not_undone(log: Sequence[Decision]) -> list[Decision]:
    """The stack that the log leaves: what was decided and not taken back, oldest first."""
    stack: list[Decision] = []
    for decision in log:
        if decision.action is Action.NOTE:
            continue
        if decision.action is not Action.UNDO:
            stack.append(decision)
        elif stack:
            stack.pop()
    return stack


def _agreed(pair: Sequence[Decision]) -> Decision | None:
    if len(pair) < CODERS or len({one.verdict for one in pair}) > 1:
        return None
    quotes: dict[tuple[str, str], Quote] = {}
    for quote in (quote for one in pair for quote in one.quotes):
        quotes.setdefault((quote.url, quote.text), quote)
    together: dict[str, Any] = {
        "reviewer": ", ".join(one.reviewer for one in pair),
        "quotes": tuple(quotes.values()),
        "note": "\n".join(one.note for one in pair if one.note.strip()),
    }
    return pair[-1].model_copy(update=together)


def _wrong_turn(decision: Decision, log: Sequence[Decision]) -> Refusal:
    held = standing(log)
    match decision.action:
        case Action.NOTE:
            return ALLOWED
        case Action.UNDO:
            return ALLOWED if not_undone(log) else Refusal("there is no decision to undo")
        case Action.RETURN:
            return ALLOWED if held else Refusal("it is open: only a decided item can be returned")
        case _ if held:
            return Refusal(
                "already decided (%(action)s: %(verdict)s) by %(reviewer)s at %(when)s; undo that first",
                action=held.action,
                verdict=str(held.verdict),
                reviewer=held.reviewer,
                when=f"{held.decided_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            )
        case Action.CODE:
            return _wrong_coding(decision, log)
    return _wrong_settling(decision, log)


def _wrong_coding(decision: Decision, log: Sequence[Decision]) -> Refusal:
    stack, coders = not_undone(log), [one.reviewer for one in codings(log)]
    if len(stack) > len(coders):
        return Refusal("it has been decided and returned, so nobody is blind to it any more")
    if decision.reviewer.strip() in coders:
        return Refusal("you have coded it already; the second coding is another person's")
    return Refusal("two people have coded it already") if len(coders) >= CODERS else ALLOWED


def _wrong_settling(decision: Decision, log: Sequence[Decision]) -> Refusal:
    coders = [one.reviewer for one in codings(log)]
    if len(coders) == 1:
        return Refusal("it awaits its second blind coding; until then nobody decides it")
    if decision.reviewer.strip() in coders:
        return Refusal("you are one of the two coders who differ; a third person decides")
    return ALLOWED


def _wrong_content(decision: Decision, judgement: Judgement) -> Refusal:
    name = decision.reviewer
    if not name or name != name.strip() or not name.isprintable():
        return Refusal("a decision needs the name of the person who takes it")
    if decision.decided_at.tzinfo is None:
        return Refusal("the time of a decision needs its time zone")
    match decision.action:
        case Action.UNDO | Action.RETURN | Action.NOTE:
            return _wrong_reopening(decision)
        case Action.APPROVE:
            return _wrong_approval(decision, judgement)
        case Action.REJECT:
            return _wrong_rejection(decision, judgement)
        case Action.AMEND:
            return _wrong_amendment(decision, judgement)
        case Action.CODE:
            return _wrong_answer(decision, judgement)


def _wrong_reopening(decision: Decision) -> Refusal:
    if decision.verdict or decision.quotes:
        return Refusal(
            "%(action)s confirms nothing, so it has neither verdict nor quotes", action=decision.action.value
        )
    if decision.action is Action.RETURN and not decision.note.strip():
        return Refusal("returning an item needs a reason")
    if decision.action is Action.NOTE and not decision.note.strip():
        return Refusal("a note needs a text")
    return ALLOWED


def _wrong_approval(decision: Decision, judgement: Judgement) -> Refusal:
    if decision.verdict is not judgement.verdict or _content(decision) != _content(judgement):
        return Refusal("an approval confirms exactly the verdict and quotes proposed; amend changes them")
    return _unfounded(decision, judgement)


def _wrong_rejection(decision: Decision, judgement: Judgement) -> Refusal:
    if judgement.verdict not in _NEEDS_EVIDENCE:
        return Refusal(
            "%(verdict)s cites no evidence to reject: amend it with a verdict and a quote",
            verdict=judgement.verdict.value,
        )
    if decision.verdict is not Verdict.NO_EVIDENCE or decision.quotes:
        return Refusal("a rejection confirms no_evidence, without quotes")
    return ALLOWED


def _wrong_amendment(decision: Decision, judgement: Judgement) -> Refusal:
    if decision.verdict is judgement.verdict and _content(decision) == _content(judgement):
        return Refusal("an amendment changes the verdict or the quotes; approve confirms them as they are")
    return _wrong_answer(decision, judgement)


def _wrong_answer(decision: Decision, judgement: Judgement) -> Refusal:
    if decision.verdict is None or decision.verdict is Verdict.NOT_JUDGED:
        return Refusal("it needs the verdict that a person reached; an item nobody can judge stays open")
    if decision.verdict not in _NEEDS_EVIDENCE and decision.quotes:
        return Refusal("%(verdict)s takes no quotes", verdict=decision.verdict.value)
    return _unfounded(decision, judgement)


def _unfounded(decision: Decision, judgement: Judgement) -> Refusal:
    if decision.verdict not in _NEEDS_EVIDENCE or decision.quotes or carries(judgement.measurement, decision.verdict):
        return ALLOWED
    return Refusal("%(verdict)s needs a quote, or a measurement that says so", verdict=decision.verdict.value)


def _content(cited: Decision | Judgement) -> list[tuple[str, str]]:
    return sorted((quote.url, quote.text) for quote in cited.quotes)
