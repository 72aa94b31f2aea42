"""The log's rules for blind codings and notes: what two answers come to, who settles them, where an item stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from queue_data import CITY, OTHER_CITY, decided, item, judgement, measurement, quote, told, walked

from pipeline.models import Action, Decision, Flag, Judgement, QueueItem, Stage, Verdict
from pipeline.store.log import ALLOWED, Refusal, codings, digest, lot, not_undone, refusal, stage, standing

MET, NOT_MET, NO_EVIDENCE = Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE
AGREED, DIFFER = "A code, B code", "A code, B code not_met"

# Steps, where they leave the item, whom that concerns, and the verdict that stands with the person who gave it.
STAGES = [
    ("", Stage.OPEN, "", None),
    ("A code", Stage.CODED, "A", None),
    ("A code not_met", Stage.CODED, "A", None),
    ("A code, A undo", Stage.OPEN, "", None),
    ("A code, A undo, A code", Stage.CODED, "A", None),
    ("A code, A undo, B code", Stage.CODED, "B", None),
    ("A code, A undo, B approve", Stage.DECIDED, "", ("B", MET)),
    # two who agree decide
    (AGREED, Stage.DECIDED, "", ("A, B", MET)),
    ("A code not_met, B code not_met", Stage.DECIDED, "", ("A, B", NOT_MET)),
    ("B code no_evidence, A code no_evidence", Stage.DECIDED, "", ("B, A", NO_EVIDENCE)),
    ("A code unobserved, B code unobserved", Stage.DECIDED, "", ("A, B", Verdict.UNOBSERVED)),
    (f"{AGREED}, B undo", Stage.CODED, "A", None),
    (f"{AGREED}, B undo, C code", Stage.DECIDED, "", ("A, C", MET)),
    (f"{AGREED}, B undo, A undo", Stage.OPEN, "", None),
    # two who differ wait for a third
    (DIFFER, Stage.DISPUTED, "A B", None),
    ("B code no_evidence, A code met", Stage.DISPUTED, "B A", None),
    (f"{DIFFER}, B undo", Stage.CODED, "A", None),
    (f"{DIFFER}, B undo, B code", Stage.DECIDED, "", ("A, B", MET)),
    (f"{DIFFER}, C approve", Stage.DECIDED, "", ("C", MET)),
    (f"{DIFFER}, C amend", Stage.DECIDED, "", ("C", NOT_MET)),
    (f"{DIFFER}, C reject", Stage.DECIDED, "", ("C", NO_EVIDENCE)),
    (f"{DIFFER}, C amend unobserved", Stage.DECIDED, "", ("C", Verdict.UNOBSERVED)),
    (f"{DIFFER}, C approve, C undo", Stage.DISPUTED, "A B", None),
    (f"{DIFFER}, C approve, C undo, D amend", Stage.DECIDED, "", ("D", NOT_MET)),
    (f"{DIFFER}, C approve, C undo, B undo", Stage.CODED, "A", None),
    (f"{DIFFER}, C approve, C undo, B undo, A undo", Stage.OPEN, "", None),
    # sent back: to the one person who had decided, or to a third one where two had
    ("A approve, B return", Stage.RETURNED, "A", None),
    ("A approve, B return, C amend, A return", Stage.RETURNED, "C", None),
    ("A approve, B return, B undo", Stage.DECIDED, "", ("A", MET)),
    (f"{DIFFER}, C approve, D return", Stage.RETURNED, "C", None),
    (f"{DIFFER}, C approve, D return, C reject", Stage.DECIDED, "", ("C", NO_EVIDENCE)),
    (f"{DIFFER}, C approve, D return, C reject, C undo", Stage.RETURNED, "C", None),
    (f"{AGREED}, C return", Stage.DISPUTED, "A B", None),
    (f"{AGREED}, C return, D amend", Stage.DECIDED, "", ("D", NOT_MET)),
    (f"{AGREED}, C return, D amend, E return", Stage.RETURNED, "D", None),
    (f"{AGREED}, C return, C undo", Stage.DECIDED, "", ("A, B", MET)),
    (f"{AGREED}, C return, C undo, B undo", Stage.CODED, "A", None),
    # notes lie beside all that
    ("A note", Stage.OPEN, "", None),
    ("A code, B note", Stage.CODED, "A", None),
    ("A note, A code, C note, B code, A note", Stage.DECIDED, "", ("A, B", MET)),
    (f"{DIFFER}, A note, C approve, A note, C undo, A note", Stage.DISPUTED, "A B", None),
    (f"{AGREED}, C return, A note", Stage.DISPUTED, "A B", None),
    ("A approve, A note, A undo", Stage.OPEN, "", None),
    ("A approve, B note, B return, A note", Stage.RETURNED, "A", None),
]


@pytest.mark.parametrize(("steps", "expected", "people", "held"), STAGES, ids=[one[0] for one in STAGES])
def test_where_an_item_stands(steps: str, expected: Stage, people: str, held: tuple[str, Verdict] | None) -> None:
    log = walked(steps).decisions
    assert stage(log) == (expected, tuple(people.split()))
    found = standing(log)
    assert (found and (found.reviewer, found.verdict)) == held


@pytest.mark.parametrize(
    ("steps", "refused", "why"),
    [
        ("A code", "A code", "you have coded it already"),
        ("A code", "A code not_met", "you have coded it already"),
        ("A code, B undo", "B undo", "no decision to undo"),
        *(("A code", f"B {action}", "awaits its second blind coding") for action in ("approve", "amend", "reject")),
        ("A code", "A approve", "awaits its second blind coding"),
        ("A code", "B return", "only a decided item"),
        (AGREED, "C code", r"already decided \(code: met\) by A, B at 2024-05-01 09:00 UTC"),
        (AGREED, "C approve", "by A, B"),
        (DIFFER, "C code", "two people have coded it already"),
        (DIFFER, "A code", "you have coded it already"),
        (DIFFER, "C return", "only a decided item"),
        *((DIFFER, f"{who} {action}", "a third person decides") for who in "AB" for action in ("approve", "amend")),
        (f"{DIFFER}, C approve", "D code", r"\(approve: met\) by C"),
        (f"{DIFFER}, C approve, C undo", "B amend", "a third person decides"),
        (f"{DIFFER}, C approve, D return", "E code", "nobody is blind to it any more"),
        (f"{DIFFER}, C approve, D return", "A reject", "a third person decides"),
        (f"{AGREED}, C return", "C code", "nobody is blind to it any more"),
        (f"{AGREED}, C return", "A approve", "a third person decides"),
        ("A approve", "B code", r"\(approve: met\) by A"),
        ("A approve, B return", "B code", "nobody is blind to it any more"),
        ("A note", "A undo", "no decision to undo"),
        ("A code, A undo, B note", "A undo", "no decision to undo"),
    ],
)
def test_a_step_out_of_turn_is_refused(steps: str, refused: str, why: str) -> None:
    one = walked(steps)
    assert re.search(why, refusal(told(one, refused), one.judgement, one.decisions))


def test_a_space_makes_no_other_person() -> None:
    coded, differ = walked("A code"), walked(DIFFER)
    again, settled = told(coded, "B code", reviewer=" A "), told(differ, "C approve", reviewer="B\u3000")
    assert "you have coded it already" in refusal(again, coded.judgement, coded.decisions)
    assert "a third person decides" in refusal(settled, differ.judgement, differ.decisions)


@pytest.mark.parametrize(
    ("words", "changes", "why"),
    [
        ("A code", {"verdict": None}, "it needs the verdict that a person reached"),
        ("A code", {"verdict": Verdict.NOT_JUDGED, "quotes": ()}, "an item nobody can judge stays open"),
        ("A code met", {"quotes": ()}, "met needs a quote"),
        ("A code not_met", {"quotes": ()}, "not_met needs a quote"),
        ("A code no_evidence", {"quotes": (quote(),)}, "no_evidence takes no quotes"),
        ("A code", {"reviewer": " A"}, "name of the person"),
        ("A code", {"decided_at": datetime(2024, 5, 1)}, "time zone"),
        ("A note", {"note": " \n"}, "a note needs a text"),
        ("A note", {"verdict": MET}, "note confirms nothing"),
        ("A note", {"quotes": (quote(),)}, "note confirms nothing"),
        ("A note", {"reviewer": ""}, "name of the person"),
    ],
)
def test_an_answer_or_a_note_that_says_nothing_is_refused(words: str, changes: dict, why: str) -> None:
    line = told(item(), words)
    assert refusal(line, judgement(), ()) == ALLOWED
    assert why in refusal(line.model_copy(update=changes), judgement(), ())


@pytest.mark.parametrize(("value", "verdict"), [(2.0, MET), (9.0, NOT_MET)])
def test_a_coder_may_rely_on_what_was_measured(value: float, verdict: Verdict) -> None:
    judged = judgement("resident-01", Verdict.NOT_JUDGED, measurement=measurement(value))
    other = NOT_MET if verdict is MET else MET
    bare = told(item(judged), f"A code {verdict}", quotes=())
    assert refusal(bare, judged, ()) == ALLOWED
    assert "measurement that says so" in refusal(bare.model_copy(update={"verdict": other}), judged, ())


def test_two_who_agree_hold_together_with_the_quotes_and_notes_of_both() -> None:
    both, hers, his = quote("共通"), quote("彼女"), quote("彼", url="https://city.example/his")
    later = datetime(2024, 6, 1, tzinfo=UTC)
    one = item()
    one = decided(one, told(one, "A code", quotes=(both, hers), note="一"))
    again = both.model_copy(update={"start": 90, "end": 92})  # the same words once more on that page
    one = decided(one, told(one, "B code", quotes=(again, his), note="二", decided_at=later))
    held = standing(one.decisions)
    assert held == told(one, "A code", reviewer="A, B", quotes=(both, hers, his), note="一\n二", decided_at=later)
    assert codings(one.decisions) == one.decisions


@pytest.mark.parametrize(
    ("notes", "together"), [(("", ""), ""), (("一", " "), "一"), (("", "二"), "二"), (("一", "二"), "一\n二")]
)
def test_empty_notes_leave_no_line(notes: tuple[str, str], together: str) -> None:
    one = item()
    log = [told(one, f"{who} code", note=note) for who, note in zip("AB", notes, strict=True)]
    assert standing(log).note == together


def test_the_codings_stay_under_what_settled_them() -> None:
    log = walked(f"{DIFFER}, C note, C approve, D return, C amend").decisions
    assert [one.reviewer for one in codings(log)] == ["A", "B"]
    assert [one.action.value for one in not_undone(log)] == ["code", "code", "approve", "return", "amend"]
    assert codings(walked(f"{DIFFER}, B undo").decisions) == log[:1]


def test_a_refusal_can_be_said_in_another_language() -> None:
    one = walked("A approve")
    refused = refusal(told(one, "B approve"), one.judgement, one.decisions)
    assert refused.template == "already decided (%(action)s: %(verdict)s) by %(reviewer)s at %(when)s; undo that first"
    assert refused.values == {"action": "approve", "verdict": "met", "reviewer": "A", "when": "2024-05-01 09:00 UTC"}
    assert refused == refused.template % refused.values


def test_a_refusal_without_values_keeps_its_percent_signs() -> None:
    assert (Refusal("100%"), Refusal("100%").template, Refusal("100%").values) == ("100%", "100%", {})
    assert not ALLOWED


# --- the lot ----------------------------------------------------------------------------------------------------------


def lots(count: int, **changes: Any) -> list[float]:
    return [lot(CITY.code, judgement(quotes=(quote(f"文{number}"),), **changes)) for number in range(count)]


def test_lots_are_spread_evenly() -> None:
    """Chi-squared over ten bins: 27.9 is passed by chance once in a thousand, and these lots never change."""
    drawn = lots(5000)
    bins = [sum(low <= 10 * one < low + 1 for one in drawn) for low in range(10)]
    assert sum(bins) == len(drawn)
    assert sum((found - 500) ** 2 / 500 for found in bins) < 27.9


def test_a_lot_is_that_of_the_content() -> None:
    drawn = lot(CITY.code, judgement())
    assert drawn == int(digest(CITY.code, judgement())[-8:], 16) / 2**32
    assert lot(CITY.code, judgement(confidence=0.99, judge="llm", rationale="別")) == drawn
    assert len({drawn, lot(OTHER_CITY.code, judgement()), lot(CITY.code, judgement("ops-02"))}) == 3


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (judgement(flags=(Flag.OLD_PAGE, Flag.LOW_CONFIDENCE)), 0.0),
        (judgement(verdict=Verdict.NOT_JUDGED, confidence=0.0, flags=(Flag.LOW_CONFIDENCE,)), 0.0),
        (judgement(measurement=measurement()), 1.0),
        (judgement(verdict=NO_EVIDENCE, judge="probe"), 1.0),
        (judgement(measurement=measurement(), judge="probe", flags=(Flag.LOW_CONFIDENCE,)), 1.0),
    ],
)
def test_doubt_is_always_drawn_and_what_was_measured_never(judged: Judgement, expected: float) -> None:
    assert lot(CITY.code, judged) == expected


# --- any log ----------------------------------------------------------------------------------------------------------

PEOPLE = "ABC"
WORDS = ["code met", "code not_met", "code no_evidence", "approve", "amend", "reject", "return", "undo", "note"]


class AnyLog(RuleBasedStateMachine):
    """Any steps by three people, against a plainer model: the stages seen, through which undo steps back."""

    @initialize()
    def begin(self) -> None:
        self.item: QueueItem = item()
        self.seen = [stage(())]

    @rule(who=st.sampled_from(PEOPLE), words=st.sampled_from(WORDS))
    def take(self, who: str, words: str) -> None:
        line = told(self.item, f"{who} {words}")
        if refusal(line, self.item.judgement, self.item.decisions):
            return
        self.item = decided(self.item, line)
        if line.action is Action.UNDO:
            self.seen.pop()
        elif line.action is not Action.NOTE:
            self.seen.append(stage(self.item.decisions))

    @invariant()
    def undo_leads_back_through_every_stage(self) -> None:
        if hasattr(self, "item"):
            assert stage(self.item.decisions) == self.seen[-1]

    @invariant()
    def nobody_codes_twice_and_no_coder_settles(self) -> None:
        log: Sequence[Decision] = self.item.decisions if hasattr(self, "item") else ()
        coders = [one.reviewer for one in codings(log)]
        assert len(set(coders)) == len(coders) <= 2
        settled = {
            one.reviewer for one in not_undone(log) if one.action in (Action.APPROVE, Action.AMEND, Action.REJECT)
        }
        assert settled.isdisjoint(coders)

    @invariant()
    def an_item_is_decided_where_a_decision_stands(self) -> None:
        log = self.item.decisions if hasattr(self, "item") else ()
        assert (stage(log)[0] is Stage.DECIDED) == (standing(log) is not None)


TestAnyLog = AnyLog.TestCase


def test_a_log_that_begins_with_undo_reads_as_open() -> None:
    """No door lets it in; reading one that came from elsewhere must not fail."""
    undo = told(item(), "A undo")
    assert stage([undo, undo]) == (Stage.OPEN, ())
    assert stage([undo, *walked(DIFFER).decisions]) == (Stage.DISPUTED, ("A", "B"))
