"""Questions that leave as files come back as the judgements that a live run would have made; nothing is lost."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from batch_server import FENCE, Provider, answered, criterion, documents, judged, said, serve

from pipeline import cli
from pipeline.models import Flag, Verdict
from pipeline.review.queue import digest
from pipeline.settings import bundled
from pipeline.store.store import Store

CLASSIFY = str(Path(sys.executable).with_name("classify"))
PAGES = {
    "index.html": "<h1>架空の町</h1><p>町の公式ホームページです。</p><a href='dx.html'>デジタル</a>",
    "dx.html": (
        "<h1>デジタル化の取組</h1><p>総務課ではRPAを導入し、入力作業を自動化しています。</p>"
        "<p>デジタル推進室を設置しました。</p><p>窓口でキャッシュレス決済を利用できます。</p>"
        "<p>住民票の写しはコンビニで交付しています。</p>"
    ),
    "yoyaku.html": "<h1>施設予約</h1><p>体育館は予約システムから申し込めます。</p><p>防災メールを配信しています。</p>",
    "sumaho.html": "<h1>スマホ教室</h1><p>高齢者向けの教室を開きました。</p><p>オンライン相談を始めました。</p>",
}
WINDOWS = Callable[[list[str]], bytes]


def model(body: dict[str, Any]) -> dict[str, Any]:
    """A model that answers by a rule: most questions at once, some only after a repair, some after a wider look."""
    docs, turn = documents(body), len(body["messages"])
    kind = zlib.crc32(criterion(body).encode()) % 5
    first = next(iter(docs.items()), None)
    if first is None:
        return said(judged("no_evidence"))
    quote = (first[0], first[1].split("\n")[0])
    if turn == 2 and kind == 0:
        return said("met だと思います。")
    if turn == 2 and kind == 1:
        return said(judged("no_evidence", needs=(first[0],)))
    if kind == 2:
        return said(judged("met", (first[0], "存在しない文をここに書きます。")))
    return said(judged("met" if kind == 3 else "not_met", quote))


@dataclass(frozen=True)
class Office:
    """A workspace, and what its commands print."""

    home: Path
    capture: pytest.CaptureFixture[str]

    def classify(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command, run in this process."""
        sys.argv = ["classify", *arguments]
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = self.capture.readouterr()
        return int(code) if isinstance(code, int) else 0, out, err

    def export(self, *arguments: str) -> list[dict[str, Any]]:
        file = self.home / "requests.jsonl"
        code, _, err = self.classify("batch", "export", "--city", "demo", "-o", str(file), "--model", "m", *arguments)
        assert code == 0, err
        return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]

    def take(self, lines: Sequence[str | dict[str, Any]] | bytes) -> tuple[int, str, str]:
        file = self.home / "answers.jsonl"
        if not isinstance(lines, bytes):
            texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
            lines = "\n".join(texts).encode()
        file.write_bytes(lines)
        return self.classify("batch", "import", str(file))

    def digests(self) -> dict[str, str]:
        with Store(f"sqlite:///{self.home / 'akashi.db'}") as store:
            run = store.runs()[-1]
            return {one.judgement.criterion: digest("x", one.judgement) for one in store.items(run.id)}

    def judgements(self) -> dict[str, Any]:
        with Store(f"sqlite:///{self.home / 'akashi.db'}") as store:
            return {one.judgement.criterion: one.judgement for one in store.items(store.runs()[-1].id)}


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose one run was judged by the rules, made by the command itself."""
    home = tmp_path_factory.mktemp("surveyed")
    site = home / "site"
    site.mkdir()
    for name, text in PAGES.items():
        (site / name).write_text(f"<html lang=ja><head><title>町</title></head><body><main>{text}</main></body></html>")
    env = os.environ | {"CLASSIFY_HOME": str(home), "CLASSIFY_CACHE": str(home / "cache")}
    subprocess.run([CLASSIFY, "--city", "demo", "--site", str(site)], env=env, check=True, capture_output=True)
    return home


@pytest.fixture
def office(
    surveyed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Office]:
    home = tmp_path / "home"
    shutil.copytree(surveyed, home)
    monkeypatch.setenv("CLASSIFY_HOME", str(home))
    monkeypatch.setenv("CLASSIFY_CACHE", str(home / "cache"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CLASSIFY_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["classify"])
    yield Office(home, capsys)


def answers(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [answered(one["custom_id"], model(one["body"])) for one in requests]


def until_settled(office: Office) -> int:
    """Export and import until nothing is open; returns how many rounds that took."""
    for rounds in range(1, 6):
        code, _, err = office.take(answers(office.export()))
        assert code == 0, err
        code, _, err = office.classify("batch", "export", "--city", "demo", "-o", "/dev/null", "--model", "m")
        if code == 2:
            assert "every question has its answer" in err
            return rounds
    raise AssertionError("never settled")


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_what_is_sent_can_be_read_before_it_is_sent(office: Office) -> None:
    code, out, _ = office.classify("prompts", "show")
    assert code == 0
    assert re.match(r"judge-v1  sha256 [0-9a-f]{64}\n", out)
    code, out, _ = office.classify("prompts", "show", "--city", "demo", "--criterion", "ops-08")
    assert code == 0
    assert "総務課ではRPAを導入し" in out
    (sent,) = (one["body"] for one in office.export() if criterion(one["body"]) == "ops-08")
    for message in sent["messages"]:
        assert FENCE.sub("", message["content"]) in FENCE.sub("", out)
    code, _, err = office.classify("prompts", "show", "--city", "demo", "--criterion", "resident-01")
    assert (code, "no criterion that a model judges" in err) == (2, True)


def test_two_prompt_sets_can_be_told_apart(office: Office) -> None:
    shipped = bundled("prompts") / "judge-v1.yaml"
    own = office.home / "own.yaml"
    own.write_text(shipped.read_text(encoding="utf-8").replace("id: judge-v1", "id: judge-v2"), encoding="utf-8")
    code, out, _ = office.classify("prompts", "diff", "judge-v1", str(own))
    assert code == 0
    assert "-id: judge-v1\n+id: judge-v2" in out
    assert office.classify("prompts", "diff", "judge-v1", "judge-v1")[1] == "no difference\n"
    own.write_text("id: [", encoding="utf-8")
    assert office.classify("prompts", "show", str(own))[0] == 2
    assert office.classify("prompts", "show", "nosuch")[0] == 2


# --- the file that leaves ---------------------------------------------------------------------------------------------


def test_the_exported_file_is_in_the_batch_format_with_a_random_fence_in_each_line(office: Office) -> None:
    requests = office.export()
    assert len(requests) == 28
    assert len({one["custom_id"] for one in requests}) == 28
    marks = set()
    for one in requests:
        assert one.keys() == {"custom_id", "method", "url", "body"}
        assert (one["method"], one["url"]) == ("POST", "/v1/chat/completions")
        assert len(one["custom_id"]) == 64
        body = one["body"]
        assert body["model"] == "m"
        assert body["response_format"]["type"] == "json_schema"
        assert body["response_format"]["json_schema"]["strict"] is True
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        marks |= set(FENCE.findall(body["messages"][1]["content"]))
    assert len(marks) == 28
    assert not any("FENCE" in mark for mark in marks)


def test_what_stays_the_same_keeps_its_id_over_exports(office: Office) -> None:
    first, second = office.export(), office.export()
    assert [one["custom_id"] for one in first] == [one["custom_id"] for one in second]
    assert first[0]["body"] != second[0]["body"]  # another fence


def test_votes_are_asked_as_questions_of_their_own(office: Office) -> None:
    requests = office.export("--votes", "3")
    assert len({one["custom_id"] for one in requests}) == 3 * 28


def test_a_place_that_cannot_be_written_is_a_plain_error(office: Office) -> None:
    code, _, err = office.classify("batch", "export", "--city", "demo", "-o", str(office.home / "no" / "file"))
    assert code == 2
    assert "cannot be written" in err


# --- the file that comes back -----------------------------------------------------------------------------------------


def test_files_live_calls_and_the_batch_api_give_the_same_judgements(office: Office, tmp_path: Path) -> None:
    assert until_settled(office) == 2
    by_file = office.digests()
    live = Office(tmp_path / "live", office.capture)
    shutil.copytree(office.home, live.home)
    for kept in ("cache", "asked"):
        shutil.rmtree(live.home / kept)
    provider = Provider(model)
    with serve(provider) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLASSIFY_HOME", str(live.home))
        patch.setenv("CLASSIFY_CACHE", str(live.home / "cache"))
        code, _, err = live.classify("judge", "--city", "demo", "--model", "m", "--base-url", url)
    assert code == 0, err
    assert len(provider.bodies) > 28
    assert live.digests() == by_file
    asked = {one.prompt_sha256 for one in live.judgements().values() if one.prompt_sha256}
    assert asked
    assert all((live.home / "asked" / f"{sha256}.json").is_file() for sha256 in asked)
    verdicts = {one.verdict for one in live.judgements().values()}
    assert {Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE, Verdict.NOT_JUDGED} <= verdicts


def test_answers_of_a_file_serve_a_second_opinion_without_a_call(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_settled(office)
    monkeypatch.setenv("OPENAI_API_KEY", "nobody is called")
    code, out, err = office.classify("judge", "--city", "demo", "--judges", "rules,m", "--price", "0/0")
    assert code == 0, err
    assert "m: 0 requests sent" in out
    found = office.judgements()
    assert any(Flag.JUDGES_DISAGREE in one.flags for one in found.values())
    assert all(one.judge == "rules" for one in found.values() if one.others and one.others[0].judge == "model")


def test_every_line_that_cannot_be_used_is_named_and_nothing_else_is_lost(office: Office) -> None:
    requests = office.export()
    good = answers(requests)
    ids = [one["custom_id"] for one in requests]
    lost = {ids[0], ids[1], ids[2], ids[3], ids[4], ids[5]}
    bad: list[str | dict[str, Any]] = [
        {"custom_id": ids[1], "response": None, "error": {"code": "batch_expired", "message": "not in time"}},
        answered(ids[2], {"error": {"message": "bad request"}}, 400),
        answered(ids[3], {"error": {"message": "overloaded"}}, 500),
        json.dumps(good[4])[: len(json.dumps(good[4])) // 2],
        answered(ids[5], {"hello": "world"}),
        answered("f" * 64, model(requests[0]["body"])),
        {"custom_id": ids[1], "error": "a bare word"},
        "[]",
        '"text"',
        "{}",
        "[" * 100_000,
        good[7],
    ]
    lines: list[str | dict[str, Any]] = [one for one in good if one["custom_id"] not in lost]
    random.Random(3).shuffle(lines)
    code, out, err = office.take([*lines, "", "   ", *bad])
    assert code == 0
    assert f"{len(lines)} of {len(lines) + len(bad)} lines taken" in out
    at = len(lines) + 2
    told = {int(line.split()[1][:-1]): line.split()[2] for line in err.splitlines() if line.startswith("  line")}
    fates = ["expired", "failed", "failed", "unreadable", "unreadable", "foreign", "failed", *["unreadable"] * 4]
    assert told == dict(enumerate([*fates, "duplicate"], start=at + 1))
    missing = {line.split()[1] for line in err.splitlines() if line.startswith("  missing")}
    assert missing == {one[:12] for one in lost}
    again = {one["custom_id"] for one in office.export()}
    assert lost <= again, "what was lost is asked again"
    assert again.isdisjoint({one["custom_id"] for one in good} - lost)


def test_a_second_import_adds_nothing(office: Office) -> None:
    lines = answers(office.export())
    office.take(lines)
    first = office.digests()
    changed = [{**one, "response": answered("x", said(judged("no_evidence")))["response"]} for one in lines]
    code, out, err = office.take(changed)
    assert code == 0
    assert "0 of 28 lines taken" in out
    assert err.count("known") == 28
    assert office.digests() == first


@pytest.mark.parametrize(
    "written",
    [
        lambda lines: b"\xef\xbb\xbf" + "\r\n".join(lines).encode(),
        lambda lines: ("\ufeff" + "\r\n".join(lines)).encode("utf-16-le"),
        lambda lines: "\n\n\n".join(lines).encode() + b"\n\n",
        lambda lines: "\n".join(line.replace("引用", "引\u2028\u0085用") for line in lines).encode(),
    ],
    ids=["BOM and CRLF", "UTF-16", "blank lines", "line separators in text"],
)
def test_files_of_any_editor_are_read(office: Office, written: WINDOWS) -> None:
    lines = [json.dumps(one, ensure_ascii=False) for one in answers(office.export())]
    _, out, _ = office.take(written(lines))
    assert "28 of 28 lines taken" in out


def test_lines_that_are_no_utf8_or_hold_half_characters_are_told_or_taken(office: Office) -> None:
    requests = office.export()
    lines = [json.dumps(one, ensure_ascii=False).encode() for one in answers(requests)]
    lines[0] = lines[0].replace("引用".encode(), "引用".encode("shift_jis")) + b"\x81"
    lines[1] = json.dumps(answered(requests[1]["custom_id"], said("\ud800"))).encode()
    lines[2] = lines[2].replace(b'"prompt_tokens": 1000', b'"prompt_tokens": 1e999')
    code, out, err = office.take(b"\n".join(lines))
    assert code == 0
    assert "27 of 28 lines taken" in out
    assert "line 1: unreadable" in err


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe" * 100, b"no json at all\nnor here", b"{}\n[]"])
def test_a_file_without_any_answer_of_ours_is_refused(office: Office, content: bytes) -> None:
    office.export()
    before = office.digests()
    code, _, err = office.take(content)
    assert code == 2
    assert "no line answers a question" in err
    assert office.digests() == before


def test_what_answers_say_cannot_steer_the_terminal(office: Office) -> None:
    requests = office.export()
    escape, turn = "\x1b]0;title\x07", "\u202e"
    lines = [
        {"custom_id": requests[0]["custom_id"], "error": {"code": "x", "message": f"{escape}{turn}"}},
        {"custom_id": f"{escape}{turn}", "error": {"code": "x", "message": "x"}},
        answered(requests[1]["custom_id"], {"error": {"message": escape}}, 400),
        *(
            answered(one["custom_id"], said(judged("no_evidence").replace("引用の", json.dumps(escape + turn)[1:-1])))
            for one in requests[2:]
        ),
    ]
    _, out, err = office.take(lines)
    assert "?]0;title?" in err
    _, more, noise = office.classify("queue", "--city", "demo")
    assert "title" in more
    for text in (out, err, more, noise):
        assert not {"\x1b]", "\x07", turn} & {part for part in ("\x1b]", "\x07", turn) if part in text}


def test_answers_carry_the_batch_price_and_the_statistics_tell_it(office: Office) -> None:
    file = office.home / "r.jsonl"
    office.classify("batch", "export", "--city", "demo", "-o", str(file), "--model", "gpt-4.1")
    requests = [json.loads(line) for line in file.read_text().splitlines()]
    office.take(answers(requests))
    _, out, _ = office.classify("cache", "stats")
    # 28 answers of 1000 tokens in at $2 and 100 out at $8 a million, at half the price
    assert "gpt-4.1: 28 answers, $0.0392" in out
    code, out, _ = office.classify("cache", "clear", "--yes", "--model", "other")
    assert (code, out.strip()) == (0, "0 answers deleted")
    assert office.classify("cache", "clear", "--yes")[1].strip() == "28 answers deleted"


def test_a_damaged_ledger_is_a_plain_error(office: Office) -> None:
    office.export()
    ledger = next((office.home / "batches").glob("*.json"))
    for content in ("{", "[]", "{}", '{"asked": 1}'):
        ledger.write_text(content)
        code, _, err = office.take([])
        assert code == 2
        assert "not a batch of this program" in err


# --- the Batch API ----------------------------------------------------------------------------------------------------


def hand_in(office: Office, url: str) -> tuple[int, str, str]:
    office.export("--base-url", url)
    return office.classify("batch", "submit")


def test_a_batch_is_handed_in_once_watched_and_collected(office: Office) -> None:
    provider = Provider(model)
    with serve(provider) as url:
        code, out, err = hand_in(office, url)
        assert code == 0, err
        assert office.classify("batch", "submit")[0] == 0
        (batch,) = provider.batches.values()
        assert batch["endpoint"] == "/v1/chat/completions"
        assert len(provider.requests(batch)) == 28
        assert f"{batch['id']} validating 0/0" in office.classify("batch", "status")[1]
        nobody = ("batch", "status", "--base-url", "http://127.0.0.1:9/v1")
        assert f"{batch['id']} validating when last asked" in office.classify(*nobody)[1]
        batch |= {"status": "in_progress", "request_counts": {"total": 28, "completed": 3, "failed": 0}}
        assert "in_progress, 3 of 28" in office.classify("batch", "collect")[1]
        provider.finish(batch, "completed", expired=2)
        code, out, err = office.classify("batch", "collect")
        assert code == 0
        assert "26 of 28 lines taken" in out
        assert err.count(": expired") == err.count("missing: ") == 2
        code, out, err = office.classify("batch", "collect")
        assert "0 of 28 lines taken" in out
        left = office.export("--base-url", url)
        assert {one["custom_id"] for one in provider.requests(batch)[-2:]} <= {one["custom_id"] for one in left}
    assert "completed" in office.classify("batch", "status")[1], "an ended batch needs no server to tell"


def test_questions_that_wait_in_one_batch_are_not_paid_for_in_another(office: Office) -> None:
    provider = Provider(model)
    with serve(provider) as url:
        hand_in(office, url)
        code, _, err = hand_in(office, url)
        assert (code, "28 of its questions wait in" in err) == (2, True)
        assert len(provider.batches) == 1
        (batch,) = provider.batches.values()
        provider.finish(batch, "expired", expired=3)
        first = err.split("collect ")[1].split()[0]
        assert "25 of 28 lines taken" in office.classify("batch", "collect", first)[1]
        assert hand_in(office, url)[0] == 0
        assert len(provider.batches) == 2


def test_an_expired_batch_gives_what_was_answered_in_time(office: Office) -> None:
    provider = Provider(model)
    with serve(provider) as url:
        hand_in(office, url)
        (batch,) = provider.batches.values()
        provider.finish(batch, "expired", expired=20)
        code, out, _ = office.classify("batch", "collect")
    assert code == 0
    assert "8 of 28 lines taken" in out


def test_a_batch_that_the_provider_refused_is_told_and_can_be_handed_in_again(office: Office) -> None:
    provider = Provider(model)
    with serve(provider) as url:
        hand_in(office, url)
        (batch,) = provider.batches.values()
        errors = [{"code": "token_limit_exceeded", "message": "queue \x1b[2Jfull", "line": 1, "param": None}]
        batch |= {"status": "failed", "errors": {"object": "list", "data": errors}}
        code, _, err = office.classify("batch", "collect")
        assert code == 1
        assert "line 1: queue ?[2Jfull" in err
        assert "nothing was answered" in err
        assert office.classify("batch", "submit")[0] == 0
        assert len(provider.batches) == 2


@pytest.mark.parametrize("seen", ["batch made", "file uploaded"])
def test_a_process_killed_while_handing_in_never_makes_a_second_batch(office: Office, seen: str) -> None:
    provider = Provider(model)
    with serve(provider) as url:
        office.export("--base-url", url)
        provider.hang = 30 if seen == "batch made" else 0
        process = subprocess.Popen(
            [CLASSIFY, "batch", "submit"], env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if seen == "batch made":
            assert provider.created.wait(30)
        else:
            while not provider.files and process.poll() is None:
                time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        provider.hang = 0
        code, out, err = office.classify("batch", "submit")
        assert code == 0, err
        (batch,) = provider.batches.values()
        assert batch["id"] in out


def test_a_server_without_a_batch_api_is_a_plain_error(office: Office) -> None:
    provider = Provider(model)
    with serve(provider) as url:
        office.export("--base-url", f"{url}/elsewhere")
        code, _, err = office.classify("batch", "submit")
    assert code == 1
    assert "404" in err
    code, _, err = office.classify("batch", "submit")
    assert code == 1
    assert "no answer" in err


def test_collecting_what_was_never_handed_in_is_a_plain_error(office: Office) -> None:
    office.export()
    code, _, err = office.classify("batch", "collect")
    assert (code, "not handed in yet" in err) == (2, True)
    code, _, err = office.classify("batch", "submit")
    assert (code, "OPENAI_API_KEY" in err) == (2, True)
    code, _, err = office.classify("batch", "submit", "nosuch")
    assert (code, "not in this workspace" in err) == (2, True)


def test_unanswered_questions_are_not_judged_and_flagged(office: Office) -> None:
    requests = office.export()
    office.take(answers(requests)[:1])
    found = office.judgements()
    asked = {criterion(one["body"]) for one in requests[1:]}
    assert all(found[one].verdict is Verdict.NOT_JUDGED for one in asked)
    assert all(Flag.MODEL_FAILED in found[one].flags for one in asked)


def test_a_dry_run_changes_nothing(office: Office) -> None:
    before = office.digests()
    code, out, err = office.classify("judge", "--city", "demo", "--dry-run", "--model", "gpt-4.1", "--price", "1/1")
    assert (code, "OPENAI_API_KEY" in err) == (2, True)
    nobody = "http://127.0.0.1:9/v1"
    code, out, err = office.classify("judge", "--city", "demo", "--dry-run", "--model", "m", "--base-url", nobody)
    assert code == 0, err
    assert "nothing was sent" in out
    with Store(f"sqlite:///{office.home / 'akashi.db'}") as store:
        assert store.runs()[-1].judge == "rules"
    assert office.digests() == before
