"""How long a reviewer waits: the queue of a whole nation, 1,742 municipalities with 31 judgements each.

    python benchmarks/review_queue.py [--cities 1742] [--repeat 40] [--db sqlite:///elsewhere.db]

Prints p50 and p95 in milliseconds for what a screen asks of the store (the next item, for a reviewer and for an
adjudicator; how many items stand where; pages of the queue; one item), for recording a decision (durably), for saving a
municipality's judgements and for opening the database. A fifth of the items is drawn for blind double coding, ten
people hold leases, and each has put a few items off; measured with nothing decided, and with half of the queue decided.
--db: the URL of an empty database, in PostgreSQL say; without it SQLite in a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.models import Filter, Flag, Judgement, Match, Municipality, Quote, Run, RunState, Stage, Verdict
from pipeline.review.queue import approve, code, send_back, undo
from pipeline.store.line import Turn
from pipeline.store.log import lot
from pipeline.store.serving import LEASE_S
from pipeline.store.store import Store

CRITERIA = [
    f"{name}-{n:02}" for name, count in (("policy", 6), ("ops", 9), ("resident", 16)) for n in range(1, count + 1)
]
PAGE = 50
SHARE = 0.2
PEOPLE = tuple(f"P{n}" for n in range(10))
PUT_OFF = 5  # items, by each person
NOW = datetime(2024, 5, 1, tzinfo=UTC)
BETWEEN = timedelta(seconds=1)  # two decisions
SHA = "c" * 64
WAITING = set(Stage) - {Stage.DECIDED}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cities", type=int, default=1742)
    parser.add_argument("--repeat", type=int, default=40)
    parser.add_argument("--db", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.db or f"sqlite:///{Path(folder) / 'akashi.db'}"
        with Store(url) as store:
            measure(store, url, given.cities, given.repeat)


def measure(store: Store, url: str, cities: int, repeat: int) -> None:
    chance = random.Random(7)
    total = cities * len(CRITERIA)
    saved = [timed(lambda n=n: save(store, n, chance)) for n in range(cities)]
    print(f"{cities} municipalities, {total} judgements")
    show("save the judgements of one municipality", saved)
    take_places(store)
    measure_screens(store, "none decided", NOW, repeat)
    codes = [code_of(chance.randrange(cities)) for _ in range(repeat)]
    show("queue of one municipality", [timed(lambda one=one: store.waiting(one)) for one in codes])
    numbers = chance.sample(range(1, total + 1), min(10 * repeat, total // 2))
    show("open one item", [timed(lambda one=one: store.item(one)) for one in numbers])
    show("record a decision", [decide(store, one) for one in numbers])
    show(f"first page, {len(numbers)} decided", [timed(lambda: store.waiting(limit=PAGE)) for _ in range(repeat)])
    decide_most(store, total // 2, chance)
    measure_screens(store, "half decided", NOW + total // 2 * BETWEEN, repeat)
    show("whole queue, half decided", [timed(lambda: store.waiting()) for _ in range(2)])
    show("open the database", [timed(lambda: Store(url).close()) for _ in range(repeat)])


def take_places(store: Store) -> None:
    """Everybody puts a few items off and holds another one."""
    for name in PEOPLE:
        for _ in range(PUT_OFF):
            lease = store.serving.next(turn(name), Filter(), now=NOW)
            assert lease
            store.serving.skip(lease.number, name, now=NOW)
        assert store.serving.next(turn(name), Filter(), now=NOW)


def measure_screens(store: Store, when: str, now: datetime, repeat: int) -> None:
    for who, one in {"a reviewer": turn("me"), "an adjudicator": turn("me", settles=True)}.items():
        show(f"next item for {who}, {when}", [next_item(store, one, Filter()) for _ in range(repeat)])
    here = [Filter(code=code_of(n)) for n in range(repeat)]
    show(f"next item in one municipality, {when}", [next_item(store, turn("me"), one) for one in here])
    show(f"next item again (a reload), {when}", [next_item(store, turn(PEOPLE[0]), Filter()) for _ in range(repeat)])
    show(f"how many stand where, {when}", [timed(lambda: store.serving.tally(Filter(), SHARE)) for _ in range(repeat)])
    show(f"the same by survey, {when}", [timed(store.serving.by_survey) for _ in range(repeat)])
    since = now - timedelta(hours=1)
    show(f"verdicts within the hour, {when}", [timed(lambda: store.serving.pace(since)) for _ in range(repeat)])
    for at in (0, 200):
        pages = [
            timed(lambda at=at: store.listed(Filter(), WAITING, limit=PAGE, skip=at * PAGE)) for _ in range(repeat)
        ]
        show(f"page {at + 1} of the queue ({PAGE}), {when}", pages)


def turn(name: str, *, settles: bool = False) -> Turn:
    return Turn(name, settles, frozenset({*PEOPLE, "me"}), SHARE)


def next_item(store: Store, who: Turn, wanted: Filter) -> float:
    """The time until the person has the item. Who held nothing before gives it back."""
    held: list[int] = []

    def ask() -> None:
        if lease := store.serving.next(who, wanted, now=NOW):
            held.append(lease.number)

    took = timed(ask)
    for number in held if who.name == "me" else ():
        store.serving.take(number, who.name, now=NOW - timedelta(seconds=LEASE_S))  # a lease that has ended
    return took


def save(store: Store, n: int, chance: random.Random) -> None:
    city = Municipality(code=code_of(n), name=f"第{n}市")
    run = Run(
        id=f"20240501T{n:06}",
        municipality=city,
        criteria_id="dx-2024",
        criteria_sha256=SHA,
        as_of=date(2024, 5, 1),
        judge="rules",
        state=RunState.DONE,
        started=NOW,
        finished=NOW,
    )
    store.save_run(run)
    store.save_judgements(run, [judgement(criterion, n, chance) for criterion in CRITERIA])


def judgement(criterion: str, n: int, chance: random.Random) -> Judgement:
    """One judgement of the size that a rules judge leaves: a quote with its context, and the pages searched."""
    verdict = chance.choice([Verdict.MET, Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE])
    text = f"第{n}市では{criterion}について令和6年度から取り組んでいます。"
    quote = Quote(
        page_sha256=f"{n:064x}",
        url=f"https://city{n}.example/{criterion}.html",
        start=100,
        end=100 + len(text),
        text=text,
        match=Match.EXACT,
        title=f"{criterion}のページ",
        context="前の文です。" * 20 + text + "後の文です。" * 20,
    )
    return Judgement(
        criterion=criterion,
        verdict=verdict,
        quotes=(quote,) if verdict is not Verdict.NO_EVIDENCE else (),
        rationale="手がかりの語がその文にあり、否定も予定もありません。",
        confidence=round(chance.random(), 3),
        flags=(Flag.JUDGES_DISAGREE,) if chance.random() < 0.05 else (),
        searched=tuple(f"{n * 10 + page:064x}" for page in range(10)),
        judge="rules",
        criteria_sha256=SHA,
        judged_at=NOW,
    )


def decide(store: Store, number: int) -> float:
    item = store.item(number)
    return timed(lambda: store.record(approve(item, reviewer="佐藤", now=NOW)))


def decide_most(store: Store, count: int, chance: random.Random) -> None:
    """The first `count` of the queue, as people work it from the top. What is drawn is coded by two people, of whom one
    pair in ten differs; of the others, 4 in 100 are taken back and decided again, and 1 in 100 is returned."""
    for n, item in enumerate(store.waiting(limit=count)):
        (first, second), now = chance.sample(PEOPLE, 2), NOW + n * BETWEEN
        if lot(item.municipality.code, item.judgement) < SHARE:
            other = Verdict.UNOBSERVED if chance.random() < 0.1 else Verdict.NO_EVIDENCE
            store.record(code(item, verdict=Verdict.NO_EVIDENCE, reviewer=first, now=now))
            store.record(code(item, verdict=other, reviewer=second, now=now))
            continue
        store.record(approve(item, reviewer=first, now=now))
        if (luck := chance.random()) < 0.04:
            store.record(undo(store.item(item.number), reviewer=first, now=now))
            store.record(approve(item, reviewer=first, now=now))
        elif luck < 0.05:
            store.record(send_back(store.item(item.number), reviewer=second, now=now, note="別の市のページです"))


def code_of(n: int) -> str:
    return f"{n + 10_000:06}"


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def show(what: str, times: list[float]) -> None:
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    print(f"{what:<48} p50 {statistics.median(times):8.1f} ms   p95 {p95:8.1f} ms   n {len(times)}", flush=True)


if __name__ == "__main__":
    main()
