"""What a model costs is known before, capped to the cent, never paid twice; and what several judges make of it."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from model_scene import CRITERIA, OUTPUT_LIMIT, PAGES, PROMPTS, ROBOT, criteria, matter, panel, question, run
from scripted_server import Asked, Reply, Script, answer, completion, said, serve
from tests_support import page_of

from pipeline import judging
from pipeline.cache import Answers
from pipeline.judge import dialogue
from pipeline.judge.ask import Question
from pipeline.judge.budget import Price
from pipeline.models import CriteriaSet, Flag, Judgement, Page, Verdict

ALL = tuple(one.id for one in CRITERIA.criteria)
ASKED = sum(one.settled_by != "measured" for one in CRITERIA.criteria)
PRICE = Price(input=Decimal("0.5"), output=Decimal(4), cached=Decimal("0.1"))


def paid(asked: Asked, text: str, chance: random.Random) -> Reply:
    """An answer that costs what the worst tokenizer and a talkative model make of it."""
    usage = {"prompt_tokens": asked.bytes_in, "completion_tokens": chance.randint(1, OUTPUT_LIMIT)}
    asked.usd = float((PRICE.input * usage["prompt_tokens"] + PRICE.output * usage["completion_tokens"]) / 1_000_000)
    return Reply(completion(text, usage=usage), delay_s=chance.uniform(0, 0.02))


def talkative(seed: int, *, broken: float = 0.0, lacking: float = 0.0) -> Script:
    """Answers of random sizes; a share of them unusable, a share in want of context."""
    chance = random.Random(seed)

    def script(asked: Asked) -> Reply:
        if chance.random() < broken:
            return paid(asked, "?" * 5000, chance)
        wanted = list(asked.docs) if chance.random() < lacking else []
        return paid(asked, answer("no_evidence", needs_context=wanted), chance)

    return script


def refused_by_budget(judgements: list[Judgement]) -> set[str]:
    return {one.criterion for one in judgements if "budget" in one.rationale}


# --- the cap ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_the_cap_is_never_overshot_and_the_rest_can_be_continued(tmp_path: Path, seed: int) -> None:
    cap = Decimal("0.02") * (seed + 1)
    with serve(talkative(seed, broken=0.3)) as server:
        asked = question(server.base_url, price=PRICE)
        found = run(matter(ids=ALL), panel(asked, lanes=8, cap=cap), tmp_path)
        assert server.usd <= cap
        assert server.usd == pytest.approx(float(found.asked["scripted"].usd))
        assert server.usd == pytest.approx(sum(one.cost_usd for one in found.judgements))
        left_out = refused_by_budget(found.judgements)
        assert all(one.verdict is Verdict.NOT_JUDGED for one in found.judgements if one.criterion in left_out)
        assert left_out
        largest = max(one.bytes_in for one in server.asked) * Decimal("0.5") + OUTPUT_LIMIT * 4
        assert float(cap) - server.usd < float(largest) / 1e6 * 1.6, "stops only where the next call does not fit"
        again = run(matter(ids=ALL), panel(asked, lanes=8), tmp_path)
        assert refused_by_budget(again.judgements) == set()
        assert {one.criterion for one in again.judgements} == set(ALL)
        assert max(Counter(one.digest for one in server.asked).values()) == 1, "no paid call is repeated"


def test_a_cap_of_nothing_sends_nothing(tmp_path: Path) -> None:
    with serve(talkative(1)) as server:
        found = run(matter(ids=ALL), panel(question(server.base_url, price=PRICE), cap=Decimal(0)), tmp_path)
    assert server.asked == []
    assert len(refused_by_budget(found.judgements)) == ASKED


def test_an_answer_lost_on_the_way_counts_as_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has worked for it, and no one can know what it charged."""
    monkeypatch.setattr("pipeline.judge.client.FIRST_WAIT_S", 0.01)
    chance = random.Random(4)
    cap = Decimal("0.02")

    def script(asked: Asked) -> Reply:
        reply = paid(asked, answer("no_evidence"), chance)
        return replace(reply, cut=chance.random() < 0.5)

    with serve(script) as server:
        found = run(matter(ids=ALL), panel(question(server.base_url, price=PRICE), cap=cap), tmp_path)
    assert server.usd <= cap
    assert refused_by_budget(found.judgements)


@pytest.mark.parametrize("seed", range(4))
def test_a_run_never_costs_more_than_its_dry_run_said(tmp_path: Path, seed: int) -> None:
    """Held against a tokenizer that makes a token of every byte, and a model that needs every round there is."""
    with serve(talkative(seed, broken=0.4, lacking=0.5)) as server:
        seated = panel(question(server.base_url, price=PRICE, votes=1 + seed % 2))
        with Answers(tmp_path / "answers") as answers:
            estimate = judging.reckon(matter(ids=ALL), seated, answers)["scripted"]
        assert server.asked == [], "reckoning sends nothing"
        run(matter(ids=ALL), seated, tmp_path)
        assert server.usd <= estimate.usd_bound
        assert sum(one.bytes_in for one in server.asked) <= estimate.input_bound
        assert estimate.requests == ASKED * seated.questions["scripted"].votes < len(server.asked)
        with Answers(tmp_path / "answers") as answers:
            warm = judging.reckon(matter(ids=ALL), seated, answers)["scripted"]
        assert (warm.requests, warm.usd_bound) == (0, 0)


def test_the_worst_model_there_is_stays_within_the_bound_and_near_it(tmp_path: Path) -> None:
    """Every question takes all three rounds, with the longest answers that are shown again."""
    about = [f"手続{number}のオンライン申請について説明します。" + "窓口でも受け付けます。" * 20 for number in range(6)]
    pages = [
        page_of("# 申請", *(f"申請 > {line}" for line in about), url=f"https://city.example/{number}")
        for number in range(4)
    ]

    def script(asked: Asked) -> Reply:
        lacking = answer("no_evidence", needs_context=list(asked.docs), rationale="長" * 4000)
        text = "？" * 5000 if len(asked.messages) == 2 else lacking
        usage = {"prompt_tokens": asked.bytes_in, "completion_tokens": OUTPUT_LIMIT}
        asked.usd = float((PRICE.input * usage["prompt_tokens"] + PRICE.output * OUTPUT_LIMIT) / 1_000_000)
        return Reply(completion(text, usage=usage))

    with serve(script) as server:
        seated = panel(question(server.base_url, price=PRICE))
        with Answers(tmp_path / "answers") as answers:
            estimate = judging.reckon(matter(pages, ALL), seated, answers)["scripted"]
        run(matter(pages, ALL), seated, tmp_path)
    assert len(server.asked) > 2.5 * ASKED
    assert sum(one.bytes_in for one in server.asked) <= estimate.input_bound
    assert 0.6 * float(estimate.usd_bound) < server.usd <= estimate.usd_bound


def test_the_rest_of_a_run_is_bounded_too(tmp_path: Path) -> None:
    with serve(talkative(2, broken=0.4, lacking=0.5)) as server:
        asked = question(server.base_url, price=PRICE)
        run(matter(ids=ALL), panel(asked, cap=Decimal("0.05")), tmp_path)
        before = server.usd
        with Answers(tmp_path / "answers") as answers:
            estimate = judging.reckon(matter(ids=ALL), panel(asked), answers)["scripted"]
        assert 0 < estimate.requests < ASKED
        run(matter(ids=ALL), panel(asked), tmp_path)
    assert server.usd - before <= estimate.usd_bound


# --- the key ----------------------------------------------------------------------------------------------------------

Change = Callable[[Question, dict[str, Any]], tuple[Question, dict[str, Any]]]


def _model(**update: Any) -> Change:
    return lambda asked, of: (replace(asked, model=replace(asked.model, **update)), of)


def _prompts(**update: Any) -> Change:
    return lambda asked, of: (replace(asked, prompts=asked.prompts.model_copy(update=update)), of)


def _criterion(**update: Any) -> CriteriaSet:
    one = criteria("ops-08")
    return one.model_copy(update={"criteria": (one.criteria[0].model_copy(update=update),)})


def _other_page() -> list[Page]:
    return [page_of("# 業務の自動化", ROBOT.replace("三百", "四百"), url=PAGES[0].url), PAGES[1]]


MISSES: Mapping[str, Change] = {
    "model": _model(name="another"),
    "base_url": _model(base_url="http://127.0.0.1:1/v1"),
    "parameter": _model(parameters=(("max_tokens", OUTPUT_LIMIT), ("temperature", 0.1))),
    "one more parameter": _model(parameters=(("max_tokens", OUTPUT_LIMIT), ("seed", 7), ("temperature", 0))),
    "prompt text": _prompts(system=PROMPTS.system + "\n"),
    "passage template": _prompts(passage=PROMPTS.passage.replace("題名", "表題")),
    "page text": lambda asked, of: (asked, of | {"pages": _other_page()}),
    "statement": lambda asked, of: (asked, of | {"criteria": _criterion(statement_ja="RPAを使っている")}),
    "what counts": lambda asked, of: (asked, of | {"criteria": _criterion(counts_ja="何でも")}),
    "as of": lambda asked, of: (asked, of | {"as_of": date(2025, 1, 1)}),
    "another sample": lambda asked, of: (replace(asked, votes=2), of),
}
HITS: Mapping[str, Change] = {
    "nothing": lambda asked, of: (asked, of),
    "price": lambda asked, of: (replace(asked, price=PRICE), of),
    "English wording": lambda asked, of: (asked, of | {"criteria": _criterion(statement_en="Robots", cues=())}),
    "comment in the prompt file": _prompts(sha256="0" * 64),
    "a round never reached": _prompts(repair="もう一度 $error"),
    "version of the criteria": lambda asked, of: (
        asked,
        of | {"criteria": criteria("ops-08").model_copy(update={"version": "9", "sha256": "1" * 64})},
    ),
}


def changed(change: Change, folder: Path) -> int:
    """How many answers are missing after that change."""
    with serve([said("no_evidence")]) as server:
        asked, of = question(server.base_url), {"pages": PAGES}
        run(matter(), panel(asked), folder)
        later, of = change(asked, of)
        with Answers(folder / "answers") as answers:
            return judging.reckon(matter(**of), panel(later), answers)[later.model.name].requests


@pytest.mark.parametrize("change", MISSES.values(), ids=MISSES.keys())
def test_what_can_change_the_answer_is_asked_anew(tmp_path: Path, change: Change) -> None:
    assert changed(change, tmp_path) == 1


@pytest.mark.parametrize("change", HITS.values(), ids=HITS.keys())
def test_what_cannot_change_the_answer_costs_nothing(tmp_path: Path, change: Change) -> None:
    assert changed(change, tmp_path) == 0


def test_another_schema_is_asked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(asked: Question, of: dict[str, Any]) -> tuple[Question, dict[str, Any]]:
        format_ = json.loads(json.dumps(dialogue.RESPONSE_FORMAT))
        format_["json_schema"]["schema"]["properties"]["rationale"]["description"] = "なぜか"
        monkeypatch.setattr(dialogue, "RESPONSE_FORMAT", format_)
        return asked, of

    assert changed(other, tmp_path) == 1


def test_a_warm_run_sends_nothing_and_concludes_the_same(tmp_path: Path) -> None:
    with serve(talkative(3, broken=0.3, lacking=0.3)) as server:
        asked = question(server.base_url, price=PRICE, votes=2)
        first = run(matter(ids=ALL), panel(asked), tmp_path)
        sent = len(server.asked)
        second = run(matter(ids=ALL), panel(asked), tmp_path)
    assert len(server.asked) == sent == first.asked["scripted"].sent
    assert (second.asked["scripted"].sent, second.asked["scripted"].cached) == (0, sent)
    assert first.asked["scripted"].cached == 0
    assert second.asked["scripted"].usd == 0
    assert sum(one.cost_usd for one in second.judgements) == pytest.approx(server.usd), (
        "what a judgement has cost stays"
    )
    when = {"judged_at": first.judgements[0].judged_at}
    assert [one.model_copy(update=when) for one in first.judgements] == [
        one.model_copy(update=when) for one in second.judgements
    ]


# --- several opinions -------------------------------------------------------------------------------------------------

MET, NOT_MET, NOTHING = "met", "not_met", "no_evidence"


def voted(verdicts: list[str], folder: Path) -> Judgement:
    """One criterion, asked as often as there are verdicts, each sample giving one of them."""
    replies = iter(verdicts)

    def script(asked: Asked) -> Reply:
        verdict = next(replies)
        if verdict == "refusal":
            return Reply(completion(None, refusal="いいえ"))
        if verdict == "invented":
            return said("met", ("D1", "全庁でRPAを百業務に導入しました。"), confidence=99)
        quotes = [("D1", ROBOT)] if verdict != NOTHING else []
        return said(verdict, *quotes)

    with serve(script) as server:
        found = run(matter(), panel(question(server.base_url, votes=len(verdicts)), lanes=1), folder)
        assert len(server.asked) == len(verdicts)
    return found.judgements[0]


@pytest.mark.parametrize(
    ("verdicts", "verdict", "confidence"),
    [
        ([MET, MET, MET], Verdict.MET, 0.8),
        ([MET, NOTHING, MET], Verdict.MET, 0.8 * 2 / 3),
        ([NOTHING, MET, NOTHING], Verdict.NO_EVIDENCE, 0.8 * 2 / 3),
        ([MET, NOTHING], Verdict.NO_EVIDENCE, 0.4),
        ([MET, NOT_MET], Verdict.NOT_MET, 0.4),
        ([MET, NOT_MET, NOTHING], Verdict.NO_EVIDENCE, 0.8 / 3),
        ([MET, "refusal", MET], Verdict.MET, 0.8 * 2 / 3),
        ([MET, "refusal"], Verdict.NOT_JUDGED, 0.0),
        (["invented", NOTHING, "invented"], Verdict.NOT_JUDGED, 0.99 * 2 / 3),
        ([MET, "invented", MET], Verdict.MET, 0.8 * 2 / 3),
        ([MET, "invented", NOTHING, NOTHING], Verdict.NO_EVIDENCE, 0.4),
    ],
)
def test_the_majority_decides_and_a_split_lowers_confidence(
    tmp_path: Path, verdicts: list[str], verdict: Verdict, confidence: float
) -> None:
    found = voted(verdicts, tmp_path)
    assert found.verdict is verdict
    assert found.confidence == pytest.approx(confidence)
    assert (Flag.VOTES_SPLIT in found.flags) == (len(set(verdicts)) > 1)


def test_two_judges_that_differ_are_flagged_and_both_are_kept(tmp_path: Path) -> None:
    """`rules` finds the robot; the model sees nothing, and elsewhere agrees or cannot be asked."""

    def script(asked: Asked) -> Reply:
        return Reply(completion(None, refusal="いいえ")) if asked.criterion == "ops-01" else said("no_evidence")

    ids = ("ops-01", "ops-08", "ops-09", "policy-02", "resident-01")
    with serve(script) as server:
        both = panel(question(server.base_url), judges=("rules", "scripted"))
        found = {one.criterion: one for one in run(matter(PAGES[:1], ids), both, tmp_path).judgements}
    disputed = found["ops-08"]
    assert (disputed.judge, disputed.verdict) == ("rules", Verdict.MET)
    assert Flag.JUDGES_DISAGREE in disputed.flags
    assert [(one.judge, one.model, one.verdict) for one in disputed.others] == [
        ("model", "scripted", Verdict.NO_EVIDENCE)
    ]
    assert Flag.JUDGES_DISAGREE not in found["policy-02"].flags
    assert Flag.JUDGES_DISAGREE not in found["ops-01"].flags, "who could not be asked does not disagree"
    assert found["ops-01"].others[0].verdict is Verdict.NOT_JUDGED
    assert found["resident-01"].others == (), "what is measured has one judge"


def test_the_first_judge_is_queued_whichever_it_is(tmp_path: Path) -> None:
    with serve([said("no_evidence")]) as server:
        both = panel(question(server.base_url), judges=("scripted", "rules"))
        found = run(matter(PAGES[:1]), both, tmp_path).judgements[0]
    assert (found.judge, found.verdict) == ("model", Verdict.NO_EVIDENCE)
    assert [(one.judge, one.verdict, len(one.quotes)) for one in found.others] == [("rules", Verdict.MET, 1)]
