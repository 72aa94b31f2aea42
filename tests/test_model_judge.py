"""Every way a model or its server can answer has its path, and none of them leads to an ungrounded `met`."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from model_scene import PAGES, ROBOT, SEAT, matter, panel, question, run
from scripted_server import Asked, Reply, Script, Scripted, answer, completion, refused, said, serve
from tests_support import page_of

from pipeline.cache import Answers
from pipeline.errors import ModelError
from pipeline.judge import client
from pipeline.models import Flag, Judgement, Verdict

MANY = ("ops-01", "ops-02", "ops-03", "ops-04", "ops-05", "ops-08", "ops-09", "policy-01", "policy-02", "policy-03")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off in hundredths of a second instead of seconds."""
    monkeypatch.setattr(client, "FIRST_WAIT_S", 0.02)


def number_of(asked: Asked, words: str) -> str:
    """The document that holds those words, as the request numbers it."""
    return next(number for number, text in asked.docs.items() if words in text)


def met(asked: Asked) -> Reply:
    return said("met", (number_of(asked, ROBOT), ROBOT))


def judged(script: Script | Sequence[Reply], folder: Path) -> tuple[Judgement, Scripted]:
    """What becomes of one criterion, and the server that was asked."""
    with serve(script) as server:
        found = run(matter(), panel(question(server.base_url)), folder)
    return found.judgements[0], server


def grounded(judgement: Judgement) -> bool:
    pages = {page.sha256: page for page in PAGES}
    return all(pages[quote.page_sha256].text[quote.start : quote.end] == quote.text for quote in judgement.quotes)


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_good_answer_is_judged_by_its_verified_quote(tmp_path: Path) -> None:
    found, server = judged(met, tmp_path)
    assert (found.verdict, found.confidence, found.flags) == (Verdict.MET, 0.8, ())
    assert [quote.text for quote in found.quotes] == [ROBOT]
    assert grounded(found)
    assert (found.judge, found.model) == ("model", "scripted")
    assert len(server.asked) == 1


def test_the_request_is_what_the_key_was_made_of(tmp_path: Path) -> None:
    """Strict schema, parameters as given, the key in its header and nowhere else, one random fence a dialogue."""
    with serve(met) as server:
        for folder in ("a", "b"):
            run(matter(), panel(question(server.base_url, top_k=5)), tmp_path / folder)
    body = server.asked[0].body
    assert set(body) == {"model", "messages", "response_format", "temperature", "max_tokens", "top_k"}
    assert (body["model"], body["temperature"], body["max_tokens"], body["top_k"]) == ("scripted", 0, 500, 5)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert server.asked[0].headers["authorization"] == "Bearer sk-test"
    assert "sk-test" not in json.dumps(body)
    assert ROBOT in "".join(server.asked[0].docs.values())
    assert server.asked[0].user != server.asked[1].user
    assert server.asked[0].digest == server.asked[1].digest


def test_fenced_json_is_read(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return Reply(completion(f"```json\n{answer('met', (number_of(asked, ROBOT), ROBOT))}\n```"))

    found, server = judged(script, tmp_path)
    assert (found.verdict, len(server.asked)) == (Verdict.MET, 1)


BROKEN = {
    "broken json": completion('{"verdict": "met", "quotes": ['),
    "prose": completion("この自治体はRPAを導入しています。"),
    "wrong schema": completion('{"answer": "yes"}'),
    "wrong verdict": completion(answer("perhaps")),
    "confidence out of range": completion(answer("no_evidence", confidence=200)),
    "confidence in words": completion(answer("no_evidence", confidence="high")),
    "extra field": completion(answer("no_evidence", mood="good")),
    "field missing": completion(json.dumps({"verdict": "no_evidence"})),
    "met without a quote": completion(answer("met")),
    "not_met without a quote": completion(answer("not_met")),
    "very long answer": completion(answer("no_evidence", rationale="長い" * 40_000)),
    "too many quotes": completion(answer("met", *[("D1", ROBOT)] * 100)),
    "length stop": completion('{"verdict": "met", "quo', finish="length"),
    "empty text": completion(""),
    "null content": completion(None),
    "blank content": completion(" \n "),
    "content in parts": completion([{"type": "text", "text": "x"}]),  # type: ignore[arg-type]
    "no choices": json.dumps({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 0}}),
    "choices missing": json.dumps({"id": "x", "object": "chat.completion"}),
    "choices null": json.dumps({"choices": None}),
    "choices of another kind": json.dumps({"choices": {"0": "x"}}),
    "choice null": json.dumps({"choices": [None]}),
    "message null": json.dumps({"choices": [{"message": None, "finish_reason": "stop"}]}),
    "not json": "<html>504 Gateway Time-out</html>",
    "a number": "42",
    "nothing": "",
    "nested without end": completion("[" * 200_000),
    "body nested without end": "[" * 200_000,
    "half a character": completion("\ud800 is no text").replace("\ud800", "\\ud800"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_an_unusable_answer_is_repaired_once(tmp_path: Path, body: str) -> None:
    """The second round shows the model its own answer and the error."""

    def script(asked: Asked) -> Reply:
        return Reply(body) if len(asked.messages) == 2 else met(asked)

    found, server = judged(script, tmp_path)
    assert (found.verdict, len(server.asked)) == (Verdict.MET, 2)
    roles = [message["role"] for message in server.asked[1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert "理由: " in server.asked[1].messages[3]["content"]
    assert len(server.asked[1].messages[2]["content"].encode()) <= 6000
    first, second = (json.dumps(one.messages[:2]) for one in server.asked)
    assert first == second, "the same beginning, fence included: the provider's prompt cache knows it again"


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_twice_unusable_is_not_judged_with_the_reason(tmp_path: Path, body: str) -> None:
    found, server = judged([Reply(body)], tmp_path)
    assert (found.verdict, len(server.asked)) == (Verdict.NOT_JUDGED, 2)
    assert Flag.MODEL_FAILED in found.flags
    assert "モデルの答えを使えませんでした" in found.rationale
    assert found.searched
    with Answers(tmp_path / "answers") as answers:
        kept = [entry.raw for _, entry in answers.entries()]
    assert kept == [body, body], "raw answers are kept before anyone reads them"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (completion(None, refusal="お答えできません"), "refused"),
        (completion("", finish="content_filter"), "content_filter"),
        (completion(answer("met", ("D1", ROBOT)), finish="content_filter"), "content_filter"),
    ],
)
def test_a_refusal_is_not_asked_again(tmp_path: Path, body: str, reason: str) -> None:
    found, server = judged([Reply(body)], tmp_path)
    assert (found.verdict, len(server.asked)) == (Verdict.NOT_JUDGED, 1)
    assert reason in found.rationale


def test_usage_that_is_missing_counts_with_its_bound(tmp_path: Path) -> None:
    from decimal import Decimal

    from pipeline.judge.budget import Price

    price = Price(input=Decimal(1), output=Decimal(1))
    spent = []
    for usage in ({}, {"prompt_tokens": -5, "completion_tokens": 3}, {"prompt_tokens": "many"}):
        with serve([Reply(completion(answer("no_evidence"), usage=usage))]) as server:  # type: ignore[arg-type]
            found = run(matter(), panel(question(server.base_url, price=price)), tmp_path / str(len(spent)))
            spent.append(found.asked["scripted"].usd)
            bytes_in = server.asked[0].bytes_in
        assert found.judgements[0].verdict is Verdict.NO_EVIDENCE
    assert min(spent) * 1_000_000 >= bytes_in + 500


# --- quotes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quote",
    [
        "本市は全庁でRPAを導入し、作業を半分に減らしました。",
        ROBOT.replace("導入し", "導入せず"),
        ROBOT.replace("三百", "九百"),
        "RPA",
        "該当なし",
    ],
)
def test_an_invented_quote_is_never_met(tmp_path: Path, quote: str) -> None:
    found, _ = judged([said("met", ("D1", quote))], tmp_path)
    assert found.verdict is Verdict.NOT_JUDGED
    assert Flag.QUOTE_NOT_FOUND in found.flags
    assert found.quotes == ()


def test_one_good_quote_carries_the_verdict_and_the_invented_one_is_flagged(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return said("met", ("D1", "全庁でRPAを百業務に導入しました。"), (number_of(asked, ROBOT), ROBOT))

    found, _ = judged(script, tmp_path)
    assert found.verdict is Verdict.MET
    assert [quote.text for quote in found.quotes] == [ROBOT]
    assert Flag.QUOTE_NOT_FOUND in found.flags


def test_a_wrong_document_number_is_repaired(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return said("met", ("D99", ROBOT)) if len(asked.messages) == 2 else met(asked)

    found, server = judged(script, tmp_path)
    assert (found.verdict, len(server.asked)) == (Verdict.MET, 2)
    assert "D99" in server.asked[1].messages[3]["content"]
    assert Flag.OTHER_PAGE not in found.flags


def test_a_document_that_was_never_offered_costs_its_number_only(tmp_path: Path) -> None:
    found, _ = judged([said("met", ("D99", ROBOT))], tmp_path)
    assert found.verdict is Verdict.MET
    assert found.quotes[0].url == PAGES[0].url
    assert Flag.OTHER_PAGE in found.flags


def test_a_quote_on_another_offered_page_is_re_attributed(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return said("met", (number_of(asked, SEAT), ROBOT))

    found, server = judged(script, tmp_path)
    assert (found.verdict, len(server.asked)) == (Verdict.MET, 1)
    assert found.quotes[0].url == PAGES[0].url
    assert Flag.OTHER_PAGE in found.flags


def test_a_quote_on_a_page_that_was_not_offered_is_invented(tmp_path: Path) -> None:
    """The page is in the archive, but no passage of it was shown: the model cannot have read it there."""
    unseen = "当院の面会時間は午後三時から午後五時までです。"
    about = ["RPAを導入する研修を開きました。", "粗大ごみは清掃事務所で受け付けます。", "市民プールは七月に開きます。"]
    pages = [page_of(f"{about[n % 3]}第{n}回。", url=f"https://city.example/{n}") for n in range(60)]
    other = page_of(unseen, url="https://city.example/hospital")
    with serve([said("met", ("D1", unseen))]) as server:
        found = run(matter([*pages, other]), panel(question(server.base_url)), tmp_path)
    assert unseen not in server.asked[0].user
    assert found.judgements[0].verdict is Verdict.NOT_JUDGED
    assert Flag.QUOTE_NOT_FOUND in found.judgements[0].flags


def test_silence_names_the_pages_that_were_searched(tmp_path: Path) -> None:
    found, _ = judged([said("no_evidence")], tmp_path)
    assert found.verdict is Verdict.NO_EVIDENCE
    assert set(found.searched) == {page.url for page in PAGES}


# --- the wider look ---------------------------------------------------------------------------------------------------

SECTION = [f"還付の手続の{number}番目について説明します。" + "書類を窓口にお持ちください。" * 12 for number in range(6)]
LONG = page_of("# 業務の自動化", *(f"業務の自動化 > {line}" for line in [*SECTION[:3], ROBOT, *SECTION[3:]]))


def test_a_model_that_lacks_context_gets_one_wider_look_and_only_one(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return said("met", (number_of(asked, ROBOT), ROBOT), needs_context=list(asked.docs))

    with serve(script) as server:
        found = run(matter([LONG]), panel(question(server.base_url)), tmp_path)
    assert found.judgements[0].verdict is Verdict.MET
    first, second = server.asked
    number = number_of(first, ROBOT)
    assert first.docs[number] in second.docs[number], "documents keep their numbers"
    assert len(second.docs[number]) > len(first.docs[number])


def test_repair_and_wider_look_are_three_rounds_at_most(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        if len(asked.messages) == 2:
            return Reply(completion("?"))
        return said("met", (number_of(asked, ROBOT), ROBOT), needs_context=list(asked.docs))

    with serve(script) as server:
        found = run(matter([LONG]), panel(question(server.base_url)), tmp_path)
    assert (found.judgements[0].verdict, len(server.asked)) == (Verdict.MET, 3)


# --- the server -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_kept_by_every_lane(tmp_path: Path, form: str) -> None:
    def script(asked: Asked) -> Reply:
        if len(server.asked) > 1:
            return said("no_evidence")
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
        return refused(429, "rate_limit_exceeded", retry_after="2" if form == "seconds" else until)

    with serve(script) as server:
        found = run(matter(ids=MANY[:4]), panel(question(server.base_url), lanes=1), tmp_path)
    assert [one.verdict for one in found.judgements] == [Verdict.NO_EVIDENCE] * 4
    assert server.asked[0].done is not None
    waited = server.asked[1].at - server.asked[0].done
    assert waited >= (2.0 if form == "seconds" else 1.9), "an HTTP date has no fractions of a second"
    assert waited < 4


def test_a_retry_after_beyond_reason_stops_the_run(tmp_path: Path) -> None:
    with serve([refused(429, retry_after="86400")]) as server, pytest.raises(ModelError, match="86400 s"):
        run(matter(), panel(question(server.base_url)), tmp_path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_a_passing_fault_is_tried_again_with_growing_waits(tmp_path: Path, status: int) -> None:
    def script(asked: Asked) -> Reply:
        return refused(status) if len(server.asked) < 5 else met(asked)

    with serve(script) as server:
        found = run(matter(), panel(question(server.base_url)), tmp_path)
    assert (found.judgements[0].verdict, len(server.asked)) == (Verdict.MET, 5)
    waits = [later.at - earlier.at for earlier, later in zip(server.asked, server.asked[1:], strict=False)]
    assert all(wait >= 0.5 * 0.02 * 2**number for number, wait in enumerate(waits))


def test_lanes_are_halved_once_for_a_wave_and_grow_again(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        time.sleep(0.1)
        first_wave = server.asked.index(asked) < 8
        return refused(429) if first_wave else said("no_evidence")

    with serve(script) as server:
        found = run(matter(ids=MANY), panel(question(server.base_url), lanes=8), tmp_path)
    assert [one.verdict for one in found.judgements] == [Verdict.NO_EVIDENCE] * len(MANY)
    assert max(one.busy for one in server.asked[:8]) == 8
    assert max(one.busy for one in server.asked[8:]) in (4, 5), "8 halved, and one more after eight good answers"


@pytest.mark.parametrize(
    ("status", "code", "said_so"),
    [
        (429, "insufficient_quota", "no quota left"),
        (401, "invalid_api_key", "HTTP 401"),
        (402, "", "HTTP 402"),
        (403, "", "HTTP 403"),
        (404, "model_not_found", "HTTP 404"),
        (400, "unsupported_parameter", "HTTP 400"),
    ],
)
def test_what_no_request_can_pass_stops_the_run_at_once(tmp_path: Path, status: int, code: str, said_so: str) -> None:
    with serve([refused(status, code)]) as server, pytest.raises(ModelError, match=said_so) as raised:
        run(matter(ids=MANY), panel(question(server.base_url), lanes=2), tmp_path)
    assert raised.value.fatal
    assert len(server.asked) <= 2, "those under way, and none after"
    assert "sk-test" not in str(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        refused(400, "context_length_exceeded"),
        refused(400, "exceed_context_size_error"),
        refused(400, "", "This model's maximum context length is 4096 tokens."),
        refused(400, "content_filter"),
        refused(413),
    ],
)
def test_a_request_at_fault_itself_costs_its_criterion_only(tmp_path: Path, reply: Reply) -> None:
    def script(asked: Asked) -> Reply:
        return reply if asked.criterion == "ops-01" else said("no_evidence")

    with serve(script) as server:
        found = run(matter(ids=MANY), panel(question(server.base_url), lanes=1), tmp_path)
    verdicts = {one.criterion: one.verdict for one in found.judgements}
    assert verdicts.pop("ops-01") is Verdict.NOT_JUDGED
    assert set(verdicts.values()) == {Verdict.NO_EVIDENCE}
    assert len(server.asked) == len(MANY)


def test_a_server_that_never_answers_is_no_judgement(tmp_path: Path) -> None:
    """Thirty `not_judged` would replace the judgements of an earlier run: better to stop and say why."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelError, match="no answer .ConnectError"):
        run(matter(ids=MANY), panel(question(nobody)), tmp_path)


def test_a_connection_dropped_in_mid_answer_is_tried_again(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        whole = met(asked)
        return Reply(whole.body, cut=len(server.asked) < 3)

    with serve(script) as server:
        found = run(matter(), panel(question(server.base_url)), tmp_path)
    assert (found.judgements[0].verdict, len(server.asked)) == (Verdict.MET, 3)


def test_a_slow_answer_is_given_up_and_asked_again(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return Reply(met(asked).body, delay_s=1.0 if len(server.asked) < 2 else 0)

    with serve(script) as server:
        found = run(matter(), panel(question(server.base_url), timeout_s=0.4), tmp_path)
    assert (found.judgements[0].verdict, len(server.asked)) == (Verdict.MET, 2)


def test_a_criterion_that_is_never_answered_is_not_judged_and_the_others_are(tmp_path: Path) -> None:
    def script(asked: Asked) -> Reply:
        return refused(500) if asked.criterion == "ops-01" else said("no_evidence")

    with serve(script) as server:
        found = run(matter(ids=MANY), panel(question(server.base_url)), tmp_path)
        verdicts = {one.criterion: one for one in found.judgements}
        assert verdicts["ops-01"].verdict is Verdict.NOT_JUDGED
        assert "HTTP 500" in verdicts["ops-01"].rationale
        assert verdicts["ops-02"].verdict is Verdict.NO_EVIDENCE
        before = len(server.asked)
        run(matter(ids=MANY), panel(question(server.base_url)), tmp_path)
        assert {one.criterion for one in server.asked[before:]} == {"ops-01"}, "the answered ones are not asked again"
