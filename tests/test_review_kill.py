"""Ten people decide at once while the server is killed: nothing acknowledged is lost, nothing is decided twice."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
from queue_data import CRITERIA_SHA, criteria, judgement, quote, run
from reviewing import PASSWORD, Person, add_people, serving

from pipeline.models import Action, Decision, Role
from pipeline.score import score
from pipeline.store.log import standing
from pipeline.store.store import Store
from pipeline.workspace import Workspace

PEOPLE = 10
ITEMS = 240
KILLED_AFTER = 60


def planted(database: str) -> None:
    """Many judgements on one municipality: one criterion each, so that all of them wait."""
    with Store(database) as store:
        store.save_run(run())
        judged = [judgement(f"ops-{n:02}", quotes=(quote(f"{n}番目の文です"),)) for n in range(1, 10)]
        judged += [
            judgement(f"{name}-{n:02}", quotes=(quote(f"{name}の{n}番目の文です"),))
            for name in ("policy", "resident", "more")
            for n in range(1, 78)
        ]
        store.save_judgements(run(), judged[:ITEMS])


def works(origin: str, name: str, sure: list[int], enough: threading.Event) -> None:
    """Decides what is served until nothing is left; goes on where the server comes back."""
    with Person(origin) as me:
        while not enough.is_set():
            try:
                if "data-item" not in me.page and me.get("/next").url.path == "/sign-in":
                    me.sign_in(name, PASSWORD)
                    continue
                if "data-item" not in me.page:
                    return
                number = me.number
                answer = me.decide("approve")
                if answer.status_code == 200 and f"/items/{number}" not in str(answer.url):
                    sure.append(number)
            except (httpx2.HTTPError, AssertionError):
                me.page = ""
                time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_ten_reviewers_and_a_killed_server(database_url: str, tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    planted(database_url)
    Workspace(home).keep(criteria_of_all())
    add_people(database_url, **{f"人{n}": Role.REVIEWER for n in range(PEOPLE)})
    sure: dict[str, list[int]] = {f"人{n}": [] for n in range(PEOPLE)}
    enough, environment = threading.Event(), {"CLASSIFY_DB": database_url, "CLASSIFY_DOUBLE_SHARE": "0"}
    origin = f"http://127.0.0.1:{port}"
    workers = [threading.Thread(target=works, args=(origin, name, done, enough)) for name, done in sure.items()]
    with serving(home, port=port, **environment) as served:
        for worker in workers:
            worker.start()
        while sum(map(len, sure.values())) < KILLED_AFTER:
            time.sleep(0.02)
        served.process.kill()  # SIGKILL, in the middle of everything
    with serving(home, port=port, **environment):
        for worker in workers:
            worker.join(timeout=90)
        enough.set()
    with Store(database_url) as store:
        items, log = store.items("r1"), [line for _, line in store.log()]
    acknowledged = Counter(number for done in sure.values() for number in done)
    recorded = Counter(item.number for item in items for _ in item.decisions)
    assert len(items) == ITEMS
    assert max(acknowledged.values()) == max(recorded.values()) == 1  # nothing twice
    assert set(acknowledged) <= set(recorded)  # nothing acknowledged is lost
    assert len(recorded) == ITEMS
    assert len(recorded) - len(acknowledged) <= PEOPLE  # in flight when the server was killed
    replayed(tmp_path, log, items)


def replayed(tmp_path: Path, log: list[Decision], items: list) -> None:
    """The log alone, on another copy of the judgements, gives the same decisions and the same score."""
    assert {line.action for line in log} == {Action.APPROVE}
    with Store(f"sqlite:///{tmp_path / 'replay.db'}") as copy:
        copy.save_run(run())
        copy.save_judgements(run(), [item.judgement for item in items])
        for line in log:
            copy.record(line)
        again = copy.items("r1")
    assert [standing(one.decisions) for one in again] == [standing(one.decisions) for one in items]
    asked = criteria_of_all()
    assert score(run(), again, asked).points == score(run(), items, asked).points == ITEMS


def criteria_of_all():
    """A criteria set that asks everything that is planted."""
    base = criteria()
    one = base.criteria[0]
    names = [f"ops-{n:02}" for n in range(1, 10)]
    names += [f"{name}-{n:02}" for name in ("policy", "resident", "more") for n in range(1, 78)]
    asked = tuple(one.model_copy(update={"id": name, "viewpoint": base.viewpoints[0].id}) for name in names[:ITEMS])
    return base.model_copy(update={"criteria": asked, "sha256": CRITERIA_SHA})
