"""The pace at a model's server, kept together by processes that know of each other only through the database."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from commands import classify, start
from crawling import LATE_LOG_S, hurry_s
from nation_scene import registry, towns
from scripted_server import Asked, Reply, refused, said, serve

from pipeline.judge.client import Endpoint
from pipeline.rate import Together
from pipeline.store.store import Store

ENDPOINT = Endpoint("http://127.0.0.1:1/v1", "secret")


def test_turns_of_several_processes_are_a_minute_s_share_apart(database_url: str) -> None:
    """Eight at a time, each with a connection of its own: no two turns closer than the pace."""
    Store(database_url).close()
    turns: list[float] = []

    def ask() -> None:
        with Store(database_url) as store:
            rate = Together(store, ENDPOINT, 3_000)
            for _ in range(5):
                before = time.monotonic()
                turns.append(before + rate.turn())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == 40
    # What the database takes to answer comes before a turn and not after it, so turns may seem that much closer.
    assert max(turns) - min(turns) > 39 * 0.02 - 0.5


def test_a_rest_that_the_server_asked_for_is_everybody_s(database_url: str) -> None:
    with Store(database_url) as one, Store(database_url) as other:
        Together(one, ENDPOINT, 0).rest(30.0)
        assert 25 < Together(other, ENDPOINT, 0).resting() <= 30
        assert Together(other, Endpoint("http://127.0.0.1:1/v1", "another account"), 0).resting() == 0
        assert Together(other, Endpoint("http://127.0.0.1:2/v1", "secret"), 0).resting() == 0


def test_the_key_is_not_kept(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        Together(store, ENDPOINT, 0).turn()
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.timeout(120)
def test_two_surveys_of_one_workspace_ask_the_model_at_one_pace(tmp_path: Path) -> None:
    """By the server's own log; and a 429 to one of them keeps the other away as well."""

    def reply(asked: Asked) -> Reply:
        if len(server.asked) == 10:
            return refused(429, Retry_After="1")
        return said("no_evidence")

    with towns(2) as known, serve(reply) as server:
        given = ("--registry", str(registry(tmp_path, known)), "--allow-private", "--delay", "0", "--speed", "never")
        for town in known:
            classify(tmp_path, "--city", town.code, *given)
        model = ("--model", "scripted", "--base-url", server.base_url, "--registry", given[1])
        both = [start(tmp_path, "judge", "--city", town.code, *model, CLASSIFY_MODEL_RPM="900") for town in known]
        for process in both:
            told = process.communicate(timeout=90)
            assert process.returncode == 0, told
        times = sorted(asked.at for asked in server.asked)
    assert len(times) > 40
    # The pace is one a minute is counted by: a client that loads its libraries lets a few calls go together.
    assert hurry_s(times, 60 / 900) <= 1.0
    tenth = server.asked[9].at
    assert sum(tenth + LATE_LOG_S < at < tenth + 1.0 - LATE_LOG_S for at in times) <= 1, "one call may be on its way"
