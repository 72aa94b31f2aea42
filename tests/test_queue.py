"""The rules of the queue: what a person may decide, what undo takes back, and which decision stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from queue_data import CITY, NOW, decided, item, judgement, measurement, quote

from pipeline.errors import DecisionError
from pipeline.models import Action, Decision, Flag, Judgement, QueueItem, Verdict
from pipeline.review import queue
from pipeline.store.log import refusal

MET, NOT_MET, NO_EVIDENCE = Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE
OTHER_QUOTE = quote("RPAは使っていません", url="https://city.example/faq")

STEPS: dict[str, Callable[[QueueItem], Decision]] = {
    "approve": lambda one: queue.approve(one, reviewer="佐藤", now=NOW),
    "reject": lambda one: queue.reject(one, reviewer="鈴木", now=NOW),
    "amend": lambda one: queue.amend(one, verdict=NOT_MET, quotes=[OTHER_QUOTE], reviewer="高橋", now=NOW),
    "return": lambda one: queue.send_back(one, reviewer="田中", now=NOW, note="別のページを見てください"),
    "undo": lambda one: queue.undo(one, reviewer="伊藤", now=NOW),
}


def walk(steps: str, judged: Judgement | None = None) -> QueueItem:
    one = item(judged)
    for step in steps.split():
        one = decided(one, STEPS[step](one))
    return one


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ("", None),
        ("approve", MET),
        ("reject", NO_EVIDENCE),
        ("amend", NOT_MET),
        ("approve undo", None),
        ("approve undo reject", NO_EVIDENCE),
        ("approve undo reject undo amend", NOT_MET),
        ("approve return", None),
        ("approve return reject", NO_EVIDENCE),
        ("approve return undo", MET),  # the return is taken back, so the approval stands again
        ("approve return undo undo", None),
        ("approve return amend undo", None),  # back to returned
        ("approve return amend undo undo", MET),
        ("approve return amend undo undo undo", None),
        ("approve return reject return amend", NOT_MET),
        ("approve return reject return amend undo undo", NO_EVIDENCE),
        ("approve return reject return amend undo undo undo undo", MET),
    ],
)
def test_what_stands_after(steps: str, verdict: Verdict | None) -> None:
    standing = queue.standing(walk(steps).decisions)
    assert (standing and standing.verdict) == verdict


@pytest.mark.parametrize(
    ("steps", "refused", "why"),
    [
        ("", "undo", "no decision to undo"),
        ("", "return", "only a decided item"),
        ("approve", "approve", r"already decided \(approve: met\) by 佐藤 at 2024-05-01 09:00 UTC; undo that first"),
        ("approve", "reject", "by 佐藤"),
        ("reject", "amend", r"reject: no_evidence\) by 鈴木"),
        ("amend", "approve", r"amend: not_met\) by 高橋"),
        ("approve undo", "undo", "no decision to undo"),
        ("approve undo", "return", "only a decided item"),
        ("approve return", "return", "only a decided item"),
        ("approve return undo", "approve", "by 佐藤"),
        ("approve return undo undo", "undo", "no decision to undo"),
    ],
)
def test_a_decision_out_of_turn_is_refused(steps: str, refused: str, why: str) -> None:
    with pytest.raises(DecisionError, match=why):
        STEPS[refused](walk(steps))


def test_a_refusal_names_the_item() -> None:
    with pytest.raises(DecisionError, match=r"item 1 \(千代田区 ops-01\)"):
        STEPS["undo"](item())


@pytest.mark.parametrize("verdict", list(Verdict))
def test_approving_confirms_what_was_proposed(verdict: Verdict) -> None:
    judged = judgement(verdict=verdict)
    decision = queue.approve(item(judged), reviewer=" 佐藤 ", now=NOW, note="見ました")
    assert (decision.verdict, decision.quotes, decision.action) == (verdict, judged.quotes, Action.APPROVE)
    assert (decision.reviewer, decision.note, decision.decided_at) == ("佐藤", "見ました", NOW)
    assert (decision.municipality, decision.criterion) == (CITY.code, "ops-01")
    assert decision.of == queue.digest(CITY.code, judged)


@pytest.mark.parametrize("verdict", [MET, NOT_MET])
def test_approving_needs_the_evidence(verdict: Verdict) -> None:
    bare = judgement().model_copy(update={"quotes": (), "verdict": verdict})
    with pytest.raises(DecisionError, match="needs a quote"):
        queue.approve(item().model_copy(update={"judgement": bare}), reviewer="佐藤", now=NOW)


@pytest.mark.parametrize(
    ("verdict", "value", "allowed"),
    [(MET, 2.9, True), (MET, 3.0, True), (MET, 3.1, False), (NOT_MET, 3.1, True), (NOT_MET, 3.0, False)],
)
def test_a_measurement_is_evidence_only_for_what_it_says(verdict: Verdict, value: float, allowed: bool) -> None:
    judged = judgement("resident-01", verdict, measurement=measurement(value))
    if allowed:
        assert queue.approve(item(judged), reviewer="佐藤", now=NOW).verdict is verdict
    else:
        with pytest.raises(DecisionError, match="measurement that says so"):
            queue.approve(item(judged), reviewer="佐藤", now=NOW)


@pytest.mark.parametrize("verdict", [MET, NOT_MET])
def test_rejecting_leaves_no_point_and_no_quote(verdict: Verdict) -> None:
    decision = queue.reject(item(judgement(verdict=verdict)), reviewer="鈴木", now=NOW)
    assert (decision.verdict, decision.quotes) == (NO_EVIDENCE, ())


@pytest.mark.parametrize("verdict", [NO_EVIDENCE, Verdict.NOT_JUDGED, Verdict.UNOBSERVED])
def test_a_proposal_without_evidence_is_amended_not_rejected(verdict: Verdict) -> None:
    with pytest.raises(DecisionError, match="amend it with a verdict and a quote"):
        queue.reject(item(judgement(verdict=verdict)), reviewer="鈴木", now=NOW)


@pytest.mark.parametrize(
    ("judged", "verdict", "quotes", "expected"),
    [
        (judgement(), NOT_MET, [], (quote(),)),  # the same passage, read the other way
        (judgement(), NOT_MET, [OTHER_QUOTE], (OTHER_QUOTE,)),
        (judgement(), MET, [OTHER_QUOTE], (OTHER_QUOTE,)),
        (judgement(), MET, [quote(), OTHER_QUOTE], (quote(), OTHER_QUOTE)),
        (judgement(), NO_EVIDENCE, [], ()),
        (judgement(), Verdict.UNOBSERVED, [], ()),
        (judgement(verdict=NO_EVIDENCE), MET, [OTHER_QUOTE], (OTHER_QUOTE,)),
        (judgement(verdict=Verdict.NOT_JUDGED), NO_EVIDENCE, [], ()),
        (judgement(verdict=Verdict.NOT_JUDGED, measurement=measurement(2.0)), MET, [], ()),
        (judgement(verdict=Verdict.NOT_JUDGED, measurement=measurement(9.0)), NOT_MET, [], ()),
        (judgement(verdict=NOT_MET, measurement=measurement(9.0)), MET, [OTHER_QUOTE], (OTHER_QUOTE,)),
    ],
)
def test_amending(judged: Judgement, verdict: Verdict, quotes: list, expected: tuple) -> None:
    decision = queue.amend(item(judged), verdict=verdict, quotes=quotes, reviewer="高橋", now=NOW)
    assert (decision.verdict, decision.quotes) == (verdict, expected)


@pytest.mark.parametrize(
    ("judged", "verdict", "quotes", "why"),
    [
        (judgement(), MET, [], "approve confirms them"),
        (judgement(), MET, [quote()], "approve confirms them"),
        (judgement(verdict=NO_EVIDENCE), NO_EVIDENCE, [], "approve confirms them"),
        (judgement(verdict=NO_EVIDENCE), MET, [], "met needs a quote"),
        (judgement(verdict=Verdict.UNOBSERVED), NOT_MET, [], "not_met needs a quote"),
        (judgement(), NO_EVIDENCE, [OTHER_QUOTE], "takes no quotes"),
        (judgement(), Verdict.NOT_JUDGED, [], "stays open"),
        (judgement(verdict=NOT_MET, measurement=measurement(9.0)), MET, [], "measurement that says so"),
        (judgement(verdict=MET, measurement=measurement(1.0)), NOT_MET, [], "measurement that says so"),
    ],
)
def test_amendments_refused(judged: Judgement, verdict: Verdict, quotes: list, why: str) -> None:
    with pytest.raises(DecisionError, match=why):
        queue.amend(item(judged), verdict=verdict, quotes=quotes, reviewer="高橋", now=NOW)


@pytest.mark.parametrize("step", ["approve", "reject", "amend", "send_back", "undo"])
@pytest.mark.parametrize("reviewer", ["", "  ", "\u3000", "a\nb", "a\0b", "\udcff", "\u202e"])
def test_every_decision_needs_a_name(step: str, reviewer: str) -> None:
    open_steps = {"approve": "", "reject": "", "amend": "", "send_back": "approve", "undo": "approve"}
    extra = {"amend": {"verdict": NO_EVIDENCE}, "send_back": {"note": "理由"}}.get(step, {})
    one = walk(open_steps[step])
    with pytest.raises(DecisionError, match="name of the person"):
        getattr(queue, step)(one, reviewer=reviewer, now=NOW, **extra)
    assert getattr(queue, step)(one, reviewer="佐藤 𠮷子", now=NOW, **extra).reviewer == "佐藤 𠮷子"


def test_returning_needs_a_reason() -> None:
    with pytest.raises(DecisionError, match="needs a reason"):
        queue.send_back(walk("approve"), reviewer="田中", now=NOW, note=" ")


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(DecisionError, match="time zone"):
        queue.approve(item(), reviewer="佐藤", now=datetime(2024, 5, 1, 9, 0))


def test_the_refusal_tells_the_time_in_utc() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    one = item()
    one = decided(one, queue.approve(one, reviewer="佐藤", now=tokyo))
    with pytest.raises(DecisionError, match="09:00 UTC"):
        queue.approve(one, reviewer="鈴木", now=NOW)


@pytest.mark.parametrize(
    "forged",
    [
        {"verdict": None},
        {"verdict": NOT_MET},
        {"quotes": ()},
        {"quotes": (OTHER_QUOTE,)},
        {"action": Action.REJECT},
        {"action": Action.REJECT, "verdict": NO_EVIDENCE},
        {"action": Action.REJECT, "verdict": NOT_MET, "quotes": ()},
        {"action": Action.AMEND},
        {"action": Action.AMEND, "verdict": None},
        {"action": Action.UNDO},
        {"action": Action.RETURN},
        {"reviewer": ""},
    ],
    ids=str,
)
def test_a_forged_decision_is_not_let_into_the_log(forged: dict) -> None:
    honest = STEPS["approve"](item())
    assert refusal(honest, judgement(), ()) == ""
    assert refusal(honest.model_copy(update=forged), judgement(), ()) != ""


@pytest.mark.parametrize("action", [Action.UNDO, Action.RETURN])
def test_a_reopening_confirms_nothing(action: Action) -> None:
    log = walk("approve").decisions
    forged = log[0].model_copy(update={"action": action, "note": "理由"})
    assert "confirms nothing" in refusal(forged, judgement(), log)


# --- the digest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": 0.9},
        {"rationale": "別の説明"},
        {"judge": "llm", "model": "m", "prompt_sha256": "d" * 64, "cost_usd": 0.1},
        {"judged_at": NOW + timedelta(days=30)},
        {"criteria_sha256": "e" * 64},
        {"flags": (Flag.OLD_PAGE,)},
        {"searched": ("f" * 64,)},
        {"quotes": (OTHER_QUOTE, quote(start=900, page_sha256="f" * 64, title="題", context="前後"))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_equal_content_keeps_its_digest(changes: dict) -> None:
    before = judgement(quotes=(quote(), OTHER_QUOTE))
    assert queue.digest(CITY.code, before.model_copy(update=changes)) == queue.digest(CITY.code, before)


def test_what_was_measured_counts_and_neither_how_nor_its_exact_value() -> None:
    def of(**changes: object) -> str:
        return queue.digest(CITY.code, judgement("resident-01", measurement=measurement(**changes)))

    assert of(values=(1.0, 2.0), readings=("x",), urls=("https://city.example/",), sha256s=("b" * 64,)) == of()
    assert of(value=2.5) == of(value=0.1) == of()
    assert len({of(), of(value=3.01), of(threshold=2.5), of(unit="s"), of(name="lcp")}) == 5


def test_changed_content_changes_the_digest() -> None:
    variants = [
        judgement(),
        judgement("ops-02"),
        judgement(verdict=NOT_MET),
        judgement(verdict=NO_EVIDENCE),
        judgement(quotes=(quote("RPAを導入しました。"),)),
        judgement(quotes=(quote(url="https://city.example/other"),)),
        judgement(quotes=(quote(), OTHER_QUOTE)),
        judgement(measurement=measurement(), quotes=(quote(),)),
    ]
    digests = [queue.digest(CITY.code, one) for one in variants] + [queue.digest("142093", judgement())]
    assert len(set(digests)) == len(variants) + 1


def test_a_digest_cannot_be_forged_by_moving_text_between_fields() -> None:
    one = judgement(quotes=(quote("い", url="https://a.example/あ"),))
    two = judgement(quotes=(quote("あい", url="https://a.example/"),))
    assert queue.digest(CITY.code, one) != queue.digest(CITY.code, two)


@pytest.mark.parametrize("text", ["\ud800", "\0", "𠮷", '"],["'])
def test_any_text_has_a_digest(text: str) -> None:
    assert len(queue.digest(CITY.code, judgement(quotes=(quote(text),)))) == 64


def test_the_digest_is_the_same_in_every_version() -> None:
    """Changing it would reopen every confirmation ever given: then migrate the log, or do not."""
    quotes = (quote("更新"), quote("a", url="https://a.example/"))
    judged = judgement("resident-01", quotes=quotes, measurement=measurement(), rule_sha256="e" * 64)
    canonical = (
        '{"code":"131016","criterion":"resident-01","measurement":["gap",true,"days",3.0],'
        '"quotes":[["https://a.example/","a"],["https://city.example/rpa","\\u66f4\\u65b0"]],'
        '"rule":"' + "e" * 64 + '","verdict":"met"}'
    )
    assert queue.digest(CITY.code, judged) == hashlib.sha256(canonical.encode("ascii")).hexdigest()


# --- any log ----------------------------------------------------------------------------------------------------------

JUDGEMENTS = st.sampled_from(
    [
        judgement(),
        judgement(verdict=NOT_MET),
        judgement(verdict=NO_EVIDENCE),
        judgement(verdict=Verdict.NOT_JUDGED),
        judgement("resident-01", MET, measurement=measurement(2.0)),
    ]
)


class AnyLog(RuleBasedStateMachine):
    """Any steps on one item, against a plainer model: the list of states seen, through which undo steps back."""

    @initialize(judged=JUDGEMENTS)
    def begin(self, judged: Judgement) -> None:
        self.item = item(judged)
        self.states: list[Decision | None] = [None]

    @rule(step=st.sampled_from(sorted(STEPS)))
    def take(self, step: str) -> None:
        before = self.states[-1]
        try:
            decision = STEPS[step](self.item)
        except DecisionError:
            assert self._refusal_is_due(step, before)
            return
        assert not self._refusal_is_due(step, before)
        self.item = decided(self.item, decision)
        if step == "undo":
            self.states.pop()
        else:
            self.states.append(None if step == "return" else decision)

    def _refusal_is_due(self, step: str, before: Decision | None) -> bool:
        if step == "undo":
            return len(self.states) == 1
        if step == "return":
            return before is None
        rejectable = self.item.judgement.verdict in (MET, NOT_MET)
        return before is not None or (step == "reject" and not rejectable)

    @invariant()
    def replay_agrees(self) -> None:
        if hasattr(self, "item"):
            assert queue.standing(self.item.decisions) == self.states[-1]
            again = QueueItem.model_validate_json(self.item.model_dump_json())
            assert queue.standing(again.decisions) == self.states[-1]
            # Whatever was let in alternates between open and decided, so the length alone tells which.
            assert (self.states[-1] is not None) == (len(self.item.decisions) % 2 == 1)


TestAnyLog = AnyLog.TestCase


def test_a_log_that_begins_with_undo_reads_as_open() -> None:
    """No door lets it in; reading one that came from elsewhere must not fail."""
    undo = STEPS["undo"](walk("approve"))
    assert queue.standing([undo, undo]) is None
    assert queue.standing([undo, *walk("approve").decisions]) == walk("approve").decisions[0]


def test_a_confirmation_does_not_outlive_a_change_of_the_rule() -> None:
    before = judgement(rule_sha256="a" * 64)
    assert queue.digest(CITY.code, before) != queue.digest(
        CITY.code, before.model_copy(update={"rule_sha256": "b" * 64})
    )
