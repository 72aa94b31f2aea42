"""How long a reviewer waits: the queue of a whole nation, 1,742 municipalities with 31 judgements each.

    python benchmarks/review_queue.py [--cities 1742] [--repeat 40] [--db sqlite:///elsewhere.db]

Prints p50 and p95 in milliseconds for the first page of the queue, one municipality's queue, opening one item,
recording a decision (durably), saving a municipality's judgements, and opening the database.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.models import Flag, Judgement, Match, Municipality, Quote, Run, RunState, Verdict
from pipeline.review.queue import approve, undo
from pipeline.store.store import Store

CRITERIA = [
    f"{name}-{n:02}" for name, count in (("policy", 6), ("ops", 9), ("resident", 16)) for n in range(1, count + 1)
]
PAGE = 50
NOW = datetime(2024, 5, 1, tzinfo=UTC)
SHA = "c" * 64


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
    saved = [timed(lambda n=n: save(store, n, chance)) for n in range(cities)]
    print(f"{cities} municipalities, {cities * len(CRITERIA)} judgements")
    show("save the judgements of one municipality", saved)
    show(f"first page of the queue ({PAGE})", [timed(lambda: store.waiting(limit=PAGE)) for _ in range(repeat)])
    codes = [code(chance.randrange(cities)) for _ in range(repeat)]
    show("queue of one municipality", [timed(lambda one=one: store.waiting(one)) for one in codes])
    numbers = chance.sample(range(1, cities * len(CRITERIA) + 1), min(10 * repeat, cities * len(CRITERIA) // 2))
    show("open one item", [timed(lambda one=one: store.item(one)) for one in numbers])
    show("record a decision", [decide(store, one) for one in numbers])
    show(f"first page, {len(numbers)} decided", [timed(lambda: store.waiting(limit=PAGE)) for _ in range(repeat)])
    decide_most(store, cities * len(CRITERIA) // 2, chance)
    show("first page, half decided", [timed(lambda: store.waiting(limit=PAGE)) for _ in range(repeat)])
    show("whole queue, half decided", [timed(lambda: store.waiting()) for _ in range(2)])
    show("open the database", [timed(lambda: Store(url).close()) for _ in range(repeat)])


def save(store: Store, n: int, chance: random.Random) -> None:
    city = Municipality(code=code(n), name=f"第{n}市")
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
    """The first `count` of the queue, as people work it from the top; one in twenty is taken back."""
    for item in store.waiting(limit=count):
        store.record(approve(item, reviewer="佐藤", now=NOW))
        if chance.random() < 0.05:
            store.record(undo(store.item(item.number), reviewer="佐藤", now=NOW))


def code(n: int) -> str:
    return f"{n + 10_000:06}"


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def show(what: str, times: list[float]) -> None:
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    print(f"{what:<42} p50 {statistics.median(times):8.1f} ms   p95 {p95:8.1f} ms   n {len(times)}", flush=True)


if __name__ == "__main__":
    main()
