"""People decide at one moment, over HTTP, while the server is killed: nothing acknowledged is lost, nothing is doubled.

benchmarks/review_load.py runs the same with more people and more decisions, and prints how fast it went.
"""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations
from pathlib import Path

import httpx2
from queue_data import judgement, quote, run
from reviewing import Person, add_people, serving
from sqlalchemy import create_engine, text

from pipeline.criteria import load
from pipeline.models import Action, Decision, Filter, Flag, Judgement, Municipality, QueueItem, Role, Stage, Verdict
from pipeline.score import score
from pipeline.store.log import standing
from pipeline.store.store import Store
from pipeline.workspace import Workspace

CRITERIA = load("dx-2024")
SHARE = 0.2  # of the items, coded twice
SKIPPED, UNDONE = 0.05, 0.08  # of what people do: put off the item, take the last step back
PAUSE_S = 0.1
PATIENCE_S = 60.0
_BUTTON = re.compile(r'name="choice" value="(approve|reject|take:\d|(?:amend|code):(?:no_evidence|unobserved))"')
_VERSION = re.compile(r'name="version" value="([^"]+)"')
_WEIGHTS = {"approve": 70, "reject": 10, "code:no_evidence": 85, "code:unobserved": 15}  # any other button: 5

CITIES = 3
CREW = {
    "佐藤": Role.REVIEWER,
    "鈴木": Role.REVIEWER,
    "田中": Role.REVIEWER,
    "渡辺": Role.REVIEWER,
    "高橋": Role.ADJUDICATOR,
}
KILLED_AT = 50  # decisions


class Taken(Enum):
    """What became of a press, as far as the person knows."""

    KEPT = "the server has said so"
    REFUSED = "the server has said no"
    UNKNOWN = "the server was killed before it answered"


@dataclass(frozen=True)
class Press:
    """A button that a person pressed. version: of the item as they saw it."""

    name: str
    number: int
    choice: str
    version: str
    taken: Taken

    @property
    def at(self) -> int:
        """Which line of its item's log it was to become."""
        return int(self.version.partition(".")[2])

    def fits(self, line: Decision | None) -> bool:
        if line is None or line.reviewer != self.name or (line.action is Action.CODE) != self.choice.startswith("code"):
            return False
        verdict = self.choice.partition(":")[2]
        return line.verdict == verdict if verdict in set(Verdict) else line.action is not Action.UNDO


@dataclass
class Look:
    """An item that a person had before them, served to them alone, until they pressed a button."""

    number: int
    name: str
    since: float
    until: float = float("inf")


@dataclass
class Reviewer:
    """Somebody who decides what is served, now and then puts an item off or takes a step back, until `ended`; who is
    not answered presses the same button again."""

    origin: str
    name: str
    ended: threading.Event
    presses: list[Press] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def work(self) -> None:
        self._chance, self._buttons = random.Random(self.name), list[str]()
        with Person(self.origin) as self._me:
            assert self._patiently(lambda: self._me.sign_in(self.name)).status_code == 200
            self._token = self._me.token
            while not self.ended.is_set():
                try:
                    self._go_on()
                except httpx2.TransportError:  # reloads when the server is there again
                    time.sleep(PAUSE_S)

    def _go_on(self) -> None:
        if not self._buttons:
            self._next()
        elif self._chance.random() < SKIPPED:
            self._press("skip")
        else:
            self._press(self._chance.choices(self._buttons, [_WEIGHTS.get(one, 5) for one in self._buttons])[0])
            if self._chance.random() < UNDONE:
                self._undo()

    def _next(self) -> None:
        answer = self._timed("next item", lambda: self._me.http.get("/next", follow_redirects=False))
        if answer.status_code == 303:
            self._look(answer.headers["location"])
            return
        assert answer.status_code == 200, answer.text
        time.sleep(PAUSE_S)  # nothing is left for this person at this moment

    def _look(self, path: str) -> None:
        answer = self._timed("its page", lambda: self._me.get(path))
        assert answer.status_code == 200 and answer.url.path == path, answer.text
        self._buttons = _BUTTON.findall(answer.text)
        if self._buttons:
            self.looks.append(Look(self._me.number, self.name, time.monotonic()))

    def _press(self, choice: str) -> None:
        shown, number = _VERSION.search(self._me.page), self._me.number
        assert shown
        self._buttons, self.looks[-1].until = [], time.monotonic()
        form = {"token": self._token, "version": shown[1], "choice": choice}
        path, refused = f"/items/{number}/{'skip' if choice == 'skip' else 'decide'}", Taken.REFUSED
        try:
            answer = self._timed("decide", lambda: self._post(path, form))
        except httpx2.TransportError:
            # The version in the form keeps the same answer from being recorded twice: then it is refused as stale.
            answer, refused = self._patiently(lambda: self._post(path, form)), Taken.UNKNOWN
        assert answer.status_code in (303, 409), answer.text
        taken = Taken.KEPT if answer.status_code == 303 else refused
        self.presses.append(Press(self.name, number, choice, shown[1], taken))

    def _undo(self) -> None:
        """Not pressed again, which would take one more step back."""
        try:
            answer = self._post("/undo", {"token": self._token})
        except httpx2.TransportError:
            self.presses.append(Press(self.name, 0, "undo", "", Taken.UNKNOWN))
            raise
        assert answer.status_code == 303, answer.text
        path = answer.headers["location"]
        if path.startswith("/items/"):
            self.presses.append(Press(self.name, int(path.rpartition("/")[2]), "undo", "", Taken.KEPT))
            self._look(path)

    def _post(self, path: str, form: dict[str, str]) -> httpx2.Response:
        return self._me.http.post(path, data=form, follow_redirects=False)

    def _timed(self, what: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        start = time.perf_counter()
        answer = ask()
        self.took_ms[what].append((time.perf_counter() - start) * 1000)
        return answer

    def _patiently(self, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return ask()
            except httpx2.TransportError:
                assert time.monotonic() < deadline and not self.ended.is_set(), "the server does not come back"
                time.sleep(PAUSE_S)


# --- the load ---------------------------------------------------------------------------------------------------------


def plant(database: str, home: Path, cities: int) -> None:
    """A survey of each municipality, judged by all criteria: every fourth without evidence, some in doubt."""
    chance = random.Random(cities)
    Workspace(home).keep(CRITERIA)
    with Store(database) as store:
        for n in range(cities):
            city = Municipality(code=f"{n + 10_000:06}", name=f"第{n}市")
            of = run(f"r{n:05}", city, criteria_id=CRITERIA.id, criteria_sha256=CRITERIA.sha256)
            store.save_run(of)
            store.save_judgements(of, [_judged(one.id, n, chance) for one in CRITERIA.criteria])


def _judged(criterion: str, n: int, chance: random.Random) -> Judgement:
    verdict = chance.choice([Verdict.MET, Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE])
    cited = quote(
        f"第{n}市は{criterion}に取り組んでいます", url=f"https://city{n}.example/{criterion}", context="文。" * 40
    )
    return judgement(
        criterion,
        verdict,
        quotes=() if verdict is Verdict.NO_EVIDENCE else (cited,),
        confidence=round(chance.random(), 3),
        flags=(Flag.LOW_CONFIDENCE,) if chance.random() < 0.03 else (),
        criteria_sha256=CRITERIA.sha256,
    )


def until(reached: Callable[[], bool], working: Sequence[Future[None]]) -> None:
    """Waits; whoever of the crew has failed ends it."""
    while not reached():
        for future in working:
            if future.done():
                future.result()
        time.sleep(PAUSE_S)


def decided(crew: Sequence[Reviewer]) -> int:
    """How many decisions they know to be kept."""
    presses = [press for one in crew for press in one.presses if press.choice not in ("skip", "undo")]
    return sum(press.taken is Taken.KEPT for press in presses)


def load_server(
    crew: Sequence[Reviewer], home: Path, database: str, *, killed_at: Sequence[int], enough: Callable[[], bool]
) -> float:
    """Lets the crew work at a server that is killed (SIGKILL) and started anew after so many decisions. Gives the
    seconds in which there was a server."""
    port, settings = int(crew[0].origin.rpartition(":")[2]), {"CLASSIFY_DB": database}
    settings["CLASSIFY_DOUBLE_SHARE"] = str(SHARE)
    there = 0.0
    goals = [*(lambda count=count: decided(crew) >= count for count in killed_at), enough]
    with ThreadPoolExecutor(len(crew)) as pool:
        working = [pool.submit(one.work) for one in crew]
        try:
            for goal in goals:
                with serving(home, port=port, **settings) as served:
                    since = time.perf_counter()
                    until(goal, working)
                    there += time.perf_counter() - since
                    if goal is enough:
                        end(crew, working)
                    elif served.process:
                        served.process.kill()
        finally:
            end(crew)
    return there


def end(crew: Sequence[Reviewer], working: Sequence[Future[None]] = ()) -> None:
    """Tells them to stop, and waits until they have; what went wrong with one of them is raised."""
    for one in crew:
        one.ended.set()
    for future in working:
        future.result()


def hired(people: dict[str, Role], database: str) -> list[Reviewer]:
    add_people(database, **people)
    with socket.create_server(("127.0.0.1", 0)) as door:
        origin = f"http://127.0.0.1:{door.getsockname()[1]}"
    ended = threading.Event()
    return [Reviewer(origin, name, ended) for name in people]


# --- what became of it ------------------------------------------------------------------------------------------------


Lines = dict[tuple[int, int], Decision]  # by item and place in its log


@dataclass(frozen=True)
class Reckoning:
    """lost: pressed, said to be kept, and not in the log; doubled: (person, item) of lines that no press, or two,
    account for; unacknowledged: lines whose person was not told; met: looks of two people at one item at one moment."""

    lost: list[Press]
    doubled: list[tuple[str, int]]
    unacknowledged: int
    met: list[tuple[Look, Look]]


def reckoned(crew: Sequence[Reviewer], items: Sequence[QueueItem]) -> Reckoning:
    lines = {(item.number, at): line for item in items for at, line in enumerate(item.decisions)}
    presses = [press for one in crew for press in one.presses if press.choice != "skip"]
    answers = _answers(lines, [press for press in presses if press.choice != "undo"])
    undos = _undos(lines, [press for press in presses if press.choice == "undo"])
    lost, doubled, unacknowledged = (one + other for one, other in zip(answers, undos, strict=True))
    return Reckoning(lost, doubled, unacknowledged, list(_met(crew)))


def _answers(lines: Lines, presses: Sequence[Press]) -> tuple[list[Press], list[tuple[str, int]], int]:
    """An answer is one line, at the place in its item's log that the person saw to be the next."""
    fitting = [press for press in presses if press.fits(lines.get((press.number, press.at)))]
    told = Counter((press.number, press.at) for press in fitting)
    untold = sum(press.taken is Taken.UNKNOWN for press in fitting)
    lost = [one for one in presses if one.taken is Taken.KEPT and not one.fits(lines.get((one.number, one.at)))]
    others = [
        (line.reviewer, key[0]) for key, line in lines.items() if line.action is not Action.UNDO and told[key] != 1
    ]
    return lost, others, untold


def _undos(lines: Lines, presses: Sequence[Press]) -> tuple[list[Press], list[tuple[str, int]], int]:
    """Who was not told which item they reopened accounts for one line, on any."""
    undone = Counter((line.reviewer, number) for (number, _), line in lines.items() if line.action is Action.UNDO)
    kept = Counter((press.name, press.number) for press in presses if press.taken is Taken.KEPT)
    untold = undone - kept
    unknown = Counter(press.name for press in presses if press.taken is Taken.UNKNOWN)
    too_many = Counter(name for name, _ in untold.elements()) - unknown
    lost = [Press(name, number, "undo", "", Taken.KEPT) for name, number in (kept - undone).elements()]
    return lost, [one for one in untold.elements() if one[0] in too_many], untold.total()


def _met(crew: Sequence[Reviewer]) -> Iterator[tuple[Look, Look]]:
    looks: dict[int, list[Look]] = defaultdict(list)
    for look in (look for one in crew for look in one.looks):
        looks[look.number].append(look)
    for same in looks.values():
        for one, other in combinations(same, 2):
            if one.name != other.name and one.since < other.until and other.since < one.until:
                yield one, other


def put_off(database: str) -> set[tuple[str, int]]:
    engine = create_engine(database)
    with engine.connect() as connection:
        found = {(row.reviewer, row.number) for row in connection.execute(text("SELECT reviewer, number FROM skips"))}
    engine.dispose()
    return found


def replayed(database: str, copy: str) -> tuple[int, int]:
    """Records the log anew on a copy of the judgements, and tells (items, those that stand and score otherwise)."""
    with Store(database) as store, Store(copy) as again:
        runs = store.runs()
        for one in runs:
            again.save_run(one)
            again.save_judgements(one, [item.judgement for item in store.items(one.id)])
        for _, line in store.log():
            again.record(line)
        pairs = [(one, store.items(one.id), again.items(one.id)) for one in runs]
        differ = [
            one.number
            for _, items, others in pairs
            for one, other in zip(items, others, strict=True)
            if (standing(one.decisions), one.digest) != (standing(other.decisions), other.digest)
        ]
        scores = [one.id for one, items, others in pairs if score(one, items, CRITERIA) != score(one, others, CRITERIA)]
    return sum(len(items) for _, items, _ in pairs), len(differ) + len(scores)


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(database_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    plant(database_url, home, CITIES)
    crew = hired(CREW, database_url)
    with Store(database_url) as store:
        total = CITIES * len(CRITERIA.criteria)

        def all_decided() -> bool:
            return store.serving.tally(Filter(), SHARE).stages == {Stage.DECIDED: total}

        load_server(crew, home, database_url, killed_at=[KILLED_AT], enough=all_decided)
        items = [item for one in store.runs() for item in store.items(one.id)]
    found = reckoned(crew, items)
    assert (found.lost, found.doubled, found.met) == ([], [], [])
    assert found.unacknowledged <= len(CREW)  # one each, in flight when the server was killed
    assert decided(crew) >= total
    skipped = {(press.name, press.number) for one in crew for press in one.presses if press.choice == "skip"}
    assert skipped == put_off(database_url)
    assert skipped and any(press.choice == "undo" for one in crew for press in one.presses)
    assert replayed(database_url, f"sqlite:///{tmp_path / 'replayed.db'}") == (total, 0)
