"""The commands with a model behind them: what they cost, how they stop, and that kill -9 repeats no paid call."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from commands import classify, start
from model_scene import CRITERIA
from scripted_server import Asked, Reply, Script, Scripted, answer, completion, refused, said, serve

from pipeline.models import Flag, RunState, Verdict
from pipeline.review.queue import digest
from pipeline.store.store import Store

ASKED = sum(one.settled_by != "measured" for one in CRITERIA.criteria)
CITY = ("--city", "汐凪市")
REGISTRY = "pid,pref,cid,city,citykana,lat,lng,url,phrase,lgcode\n1,北海道,1100,札幌市,さっぽろし,43,141,https://sapporo.example/,,011002\n"


def by(server: Scripted, *more: str) -> tuple[str, ...]:
    return ("--model", "scripted", "--base-url", server.base_url, *more)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a city of a few pages, archived and judged by the rules."""
    home = tmp_path_factory.mktemp("prepared")
    site = home / "site"
    site.mkdir()
    for viewpoint in CRITERIA.viewpoints:
        mine = [one for one in CRITERIA.criteria if one.viewpoint == viewpoint.id]
        lines = "".join(f"<p>本市では{term}を実施しています。</p>" for one in mine for term in one.search_terms[:3])
        page = f"<html lang=ja><meta charset=utf-8><title>{viewpoint.name_ja}</title><h1>取組</h1>{lines}</html>"
        (site / f"{viewpoint.id}.html").write_text(page, "utf-8")
    (home / "registry.csv").write_text(REGISTRY, "utf-8")
    classify(home, *CITY, "--site", str(site), "--registry", str(home / "registry.csv"), "--as-of", "2026-11-20")
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path) -> Path:
    """A copy of the prepared workspace."""
    return Path(shutil.copytree(prepared, tmp_path / "home"))


def steady(asked: Asked) -> Reply:
    """The same answer to the same question, whenever it comes: quotes the first line of the first document."""
    kind = int(asked.digest, 16) % 10
    if len(asked.messages) == 2 and kind == 0:
        return Reply(completion("{"))
    line = next(iter(asked.docs.values())).splitlines()[0]
    if kind < 4:
        return said("no_evidence")
    return said("not_met" if kind == 4 else "met", ("D1", line), confidence=50 + kind)


def after(seconds: float, script: Script) -> Script:
    def slow(asked: Asked) -> Reply:
        reply = script(asked)
        return Reply(reply.body, reply.status, reply.headers, seconds)

    return slow


def concluded(home: Path) -> dict[str, str]:
    """The digest of the last run's judgement on every criterion."""
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        run = store.runs()[-1]
        assert run.state is RunState.DONE
        return {item.judgement.criterion: digest(run.municipality.code, item.judgement) for item in store.items(run.id)}


def verdicts(home: Path) -> Counter[Verdict]:
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        return Counter(item.judgement.verdict for item in store.items(store.runs()[-1].id))


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_run_says_what_it_took_and_a_warm_one_sends_nothing(home: Path) -> None:
    with serve(steady) as server:
        told = classify(home, "judge", *CITY, *by(server))
        first, sent = concluded(home), len(server.asked)
        assert f"{sent} requests sent, 0 answers from the cache, {1000 * sent:,} + {100 * sent:,} tokens" in told
        assert "Judge: scripted (as --model says)" in told
        told = classify(home, "judge", *CITY, *by(server), CLASSIFY_CONCURRENCY="1")
        assert f"0 requests sent, {sent} answers from the cache" in told
        other = Path(shutil.copytree(home, home.parent / "elsewhere"))
        classify(other, "judge", *CITY, *by(server))
        assert len(server.asked) == sent
    assert concluded(home) == concluded(other) == first


def test_a_dry_run_sends_nothing_and_keeps_the_queue(home: Path) -> None:
    before = concluded(home)
    with serve(steady) as server:
        told = classify(home, "judge", *CITY, *by(server, "--price", "2/8", "--dry-run"))
        assert server.asked == []
        assert re.search(rf"scripted\D+{ASKED}\D", told)
        most = float(re.findall(r"\d+\.\d{4}", told)[-1])
        spent = re.search(r"\$(\d+\.\d{4})", classify(home, "judge", *CITY, *by(server, "--price", "2/8")))
    assert spent
    assert 0 < float(spent[1]) <= most
    assert concluded(home) != before


def test_a_cap_leaves_the_rest_for_a_higher_one(home: Path) -> None:
    """The cap of the second command is its own: what the first paid for comes from the cache."""
    with serve(steady) as server:
        told = classify(home, "judge", *CITY, *by(server, "--price", "2/8", "--max-cost", "0.1"))
        assert "have no usable answer" in told
        assert "budget" in told
        sent = len(server.asked)
        assert sent * (1000 * 2 + 100 * 8) / 1e6 <= 0.1
        assert 0 < sent < ASKED
        assert verdicts(home)[Verdict.NOT_JUDGED] > 0
        classify(home, "judge", *CITY, *by(server, "--price", "2/8", "--max-cost", "5"))
        assert max(Counter(one.digest for one in server.asked).values()) == 1
        once = concluded(home)
        shutil.rmtree(home / "cache")
        classify(home, "judge", *CITY, *by(server))
    assert concluded(home) == once, "in two goes as in one"


def test_a_model_without_a_price_is_refused_before_anything_is_sent(home: Path, tmp_path: Path) -> None:
    far = ("judge", *CITY, "--model", "mystery", "--base-url", "https://models.example/v1")
    assert "--price" in classify(home, *far, code=2)
    assert "--price" in classify(home, "judge", *CITY, "--model", "mystery", code=2, OPENAI_API_KEY="sk-test")
    classify(home, *far, "--price", "1/2", "--dry-run")
    table = tmp_path / "models.yaml"
    table.write_text('mystery: {input: "3", output: "4"}\n', "utf-8")
    classify(home, *far, "--dry-run", CLASSIFY_MODELS=str(table))
    for price in ("1", "a/b", "-1/2", "1/2/3"):
        assert "--price" in classify(home, *far, "--price", price, code=2)


@pytest.mark.parametrize("cap", ["nan", "inf", "-1"])
def test_a_cap_that_is_no_sum_of_money_is_refused(home: Path, cap: str) -> None:
    far = ("--model", "m", "--base-url", "https://models.example/v1", "--price", "1/2")
    assert "--max-cost" in classify(home, "judge", *CITY, *far, "--max-cost", cap, code=2)


def test_a_model_without_key_or_server_is_refused(home: Path) -> None:
    assert "OPENAI_API_KEY" in classify(home, "judge", *CITY, "--model", "gpt-5-mini", code=2)


# --- how it stops -----------------------------------------------------------------------------------------------------


def test_no_quota_left_is_one_plain_sentence(home: Path) -> None:
    before = concluded(home)
    with serve([refused(429, "insufficient_quota", "You exceeded your current quota")]) as server:
        told = classify(home, "judge", *CITY, *by(server), code=1, CLASSIFY_CONCURRENCY="1")
        assert len(server.asked) == 1
    assert "Error:" in told
    assert "no quota left (insufficient_quota)" in told
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        run = store.runs()[-1]
        assert {item.judgement.criterion: item.digest for item in store.items(run.id)} == before


def test_ctrl_c_lets_what_is_under_way_finish(home: Path) -> None:
    with serve(after(0.6, steady)) as server:
        running = start(home, "judge", *CITY, *by(server), CLASSIFY_CONCURRENCY="4")
        while len(server.asked) < 6:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        told = "".join(running.communicate(timeout=30))
        assert running.returncode == 130, told
        assert "Nothing is lost" in told
        assert "Traceback" not in told
        sent = len(server.asked)
        assert sent <= 8
        assert all(one.done is not None for one in server.asked), "those under way were waited for"


def test_ctrl_c_keeps_every_answer_that_was_paid_for(home: Path) -> None:
    pace = [0.3]

    def script(asked: Asked) -> Reply:
        return after(pace[0], steady)(asked)

    with serve(script) as server:
        running = start(home, "judge", *CITY, *by(server), CLASSIFY_CONCURRENCY="4")
        while len(server.asked) < 10:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
        assert running.returncode == 130
        pace[0] = 0
        classify(home, "judge", *CITY, *by(server))
        assert max(Counter(one.digest for one in server.asked).values()) == 1


def test_ctrl_c_ends_a_long_wait_and_a_second_one_a_long_answer(home: Path) -> None:
    with serve([refused(503, retry_after="200")]) as server:
        running = start(home, "judge", *CITY, *by(server))
        while not server.asked:
            time.sleep(0.01)
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=10)
        assert running.returncode == 130
    with serve(after(20, steady)) as server:
        running = start(home, "judge", *CITY, *by(server))
        while not server.asked:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        told = "".join(running.communicate(timeout=10))
        assert running.returncode == 130
        assert "Traceback" not in told


KILLS = int(os.environ.get("AKASHI_KILLS", "6"))  # eight in CI
LANES = 2
# From the server's last byte to the answer on disk, on a machine with other work to do.
STORED_WITHIN_S = 0.5


@pytest.mark.timeout(240)
def test_kill_9_at_random_moments_repeats_only_what_was_under_way(home: Path) -> None:
    calm = Path(shutil.copytree(home, home.parent / "calm"))
    ask = ("--votes", "5")
    pace = [0.0]

    def script(asked: Asked) -> Reply:
        return after(pace[0], steady)(asked)

    chance = random.Random(20261123)
    with serve(script) as server:
        classify(calm, "judge", *CITY, *by(server, *ask))
        needed = Counter(one.digest for one in server.asked)
        server.asked.clear()
        pace[0] = 0.25
        under_way: Counter[str] = Counter()
        alive = 0
        for number in range(KILLS):
            before = len(server.asked)
            running = start(home, "judge", *CITY, *by(server, *ask), CLASSIFY_CONCURRENCY=str(LANES))
            while number % 4 and len(server.asked) == before and running.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 1))
            alive += running.poll() is None
            running.kill()
            at = time.monotonic()
            running.communicate()
            mine = list(server.asked[before:])
            lost = [one for one in mine if one.done is None or one.done > at - STORED_WITHIN_S]
            under_way.update(one.digest for one in lost)
        pace[0] = 0.0
        classify(home, "judge", *CITY, *by(server, *ask))
    assert concluded(home) == concluded(calm)
    assert alive >= KILLS // 2, "most of them died in the middle of their work"
    asked = Counter(one.digest for one in server.asked)
    assert set(asked) == set(needed)
    assert not asked - needed - under_way, "only calls that were under way at a kill are repeated"
    assert (asked - needed).total() <= KILLS * LANES
    assert not needed - asked


# --- the queue --------------------------------------------------------------------------------------------------------


def test_what_judges_disagree_on_heads_the_queue(home: Path) -> None:
    """Even where the first judge is sure of itself, and others are less so."""

    def script(asked: Asked) -> Reply:
        return said("no_evidence", confidence=5)

    with serve(script) as server:
        classify(home, "judge", *CITY, "--judges", "rules,scripted", "--base-url", server.base_url)
        listed = classify(home, "queue", *CITY)
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        waiting = [item.judgement for item in store.waiting()]
    disputed = [Flag.JUDGES_DISAGREE in one.flags for one in waiting]
    assert any(disputed)
    assert not all(disputed)
    assert disputed == sorted(disputed, reverse=True)
    assert all(one.others[0].model == "scripted" for one in waiting if one.others)
    first = re.search(r"(?:policy|ops|resident)-\d\d", listed)
    assert first
    assert first[0] == waiting[0].criterion
    assert "scripted:" in listed


def test_a_split_vote_is_told(home: Path) -> None:
    turn = iter(range(10_000))

    def script(asked: Asked) -> Reply:
        line = next(iter(asked.docs.values())).splitlines()[0]
        return Reply(completion(answer("met", ("D1", line)) if next(turn) % 3 else answer("no_evidence")))

    with serve(script) as server:
        classify(home, "judge", *CITY, *by(server, "--votes", "3"), CLASSIFY_CONCURRENCY="1")
        assert "votes_split" in classify(home, "queue", *CITY)
