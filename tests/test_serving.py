"""Nobody is served an item that another person holds, or one they should not see; what is urgent comes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from databases import obstructed
from queue_data import CITY, NOW, OTHER_CITY, judgement, measurement, run, save, told

from pipeline.errors import StaleError, StoreError
from pipeline.models import Action, Decision, Filter, Flag, RunState, Stage, Tally, Verdict
from pipeline.store.line import Turn, next_for
from pipeline.store.opening import open_database
from pipeline.store.serving import LEASE_S, Coding, Serving
from pipeline.store.store import Store

MET, NO_EVIDENCE = Verdict.MET, Verdict.NO_EVIDENCE
EVERYTHING = Filter()
TOKYO = timezone(timedelta(hours=9))
END = NOW + timedelta(seconds=LEASE_S)
TICK = timedelta(microseconds=1)
LEASED = "INSERT INTO leases (number, holder, expires) VALUES (1, 'C', now())"
PEOPLE = frozenset("ABCDE")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store(database_url) as opened:
        yield opened


@pytest.fixture
def serving(store: Store) -> Serving:
    """Of three items, the first with the most doubt."""
    save(store, *(judgement(f"ops-{number:02}", confidence=number / 10) for number in (1, 2, 3)))
    return store.serving


def reviewer(name: str, share: float = 0.0) -> Turn:
    return Turn(name, settles=False, active=PEOPLE, share=share)


def adjudicator(name: str, share: float = 0.0, *, active: str = "ABCDE") -> Turn:
    return Turn(name, settles=True, active=frozenset(active), share=share)


def served(serving: Serving, turn: Turn, wanted: Filter = EVERYTHING, *, now: datetime = NOW) -> int | None:
    lease = serving.next(turn, wanted, now=now)
    return lease and lease.number


@pytest.fixture
def in_line(store: Store, database_url: str) -> Iterator[Callable[..., list[int]]]:
    """All that a person would be served, one after the other."""
    engine = open_database(database_url)

    def numbers(turn: Turn, wanted: Filter = EVERYTHING) -> list[int]:
        with engine.connect() as connection:
            return list(connection.execute(next_for(turn, wanted, NOW).limit(None)).scalars())

    yield numbers
    engine.dispose()


# --- leases -----------------------------------------------------------------------------------------------------------


def test_two_people_never_hold_one_item(serving: Serving) -> None:
    assert [served(serving, reviewer(name)) for name in "ABCD"] == [1, 2, 3, None]


def test_a_reload_gives_the_same_item_for_longer(store: Store, serving: Serving) -> None:
    assert [served(serving, reviewer(name)) for name in "AB"] == [1, 2]
    serving.skip(1, "A", now=NOW)
    later = NOW + timedelta(minutes=5)
    lease = serving.next(reviewer("B"), EVERYTHING, now=later)
    assert (lease.number, lease.holder, lease.expires) == (2, "B", later + timedelta(seconds=LEASE_S))
    assert served(serving, reviewer("C"), now=later) == 1


def test_a_lease_ends(serving: Serving) -> None:
    assert serving.next(reviewer("A"), EVERYTHING, now=NOW).expires == END
    assert served(serving, reviewer("B"), now=END - TICK) == 2
    assert served(serving, reviewer("C"), now=END) == 1
    assert served(serving, reviewer("A"), now=END) == 3


@pytest.mark.parametrize("zone", [TOKYO, timezone(-timedelta(hours=8))], ids=str)
def test_a_lease_lasts_alike_in_every_zone(serving: Serving, zone: timezone) -> None:
    assert serving.next(reviewer("A"), EVERYTHING, now=NOW.astimezone(zone)).expires == END
    assert served(serving, reviewer("B"), now=NOW) == 2
    assert served(serving, reviewer("C"), now=(END - TICK).astimezone(zone)) == 3
    assert serving.holder(1, now=(END - TICK).astimezone(zone)).holder == "A"
    assert serving.holder(1, now=END.astimezone(zone)) is None
    assert serving.take(1, "D", now=END.astimezone(zone)).holder == "D"


@pytest.mark.parametrize(
    ("who", "now", "holder", "until"),
    [
        ("A", NOW, "A", END),
        ("A", END - TICK, "A", END - TICK + timedelta(seconds=LEASE_S)),
        ("B", NOW, "A", END),
        ("B", END - TICK, "A", END),
        ("B", END, "B", END + timedelta(seconds=LEASE_S)),
    ],
)
def test_asking_for_an_item_tells_who_has_it(
    serving: Serving, who: str, now: datetime, holder: str, until: datetime
) -> None:
    assert serving.take(2, "A", now=NOW).holder == "A"
    lease = serving.take(2, who, now=now)
    assert (lease.number, lease.holder, lease.expires) == (2, holder, until)
    assert serving.holder(2, now=now) == lease
    assert serving.holder(2, now=until) is None


def test_only_what_its_holder_says_ends_a_lease(store: Store, serving: Serving) -> None:
    serving.take(1, "A", now=NOW)
    store.record(told(store.item(1), "B code"))
    serving.skip(1, "B", now=NOW)
    store.record(told(store.item(1), "A note"))
    assert serving.holder(1, now=NOW).holder == "A"
    store.record(told(store.item(1), "A code"))
    assert serving.holder(1, now=NOW) is None


def test_a_line_that_is_refused_leaves_the_lease(store: Store, serving: Serving) -> None:
    serving.take(1, "A", now=NOW)
    with pytest.raises(StaleError):
        store.record(told(store.item(1), "A code"), version="of.9")
    assert serving.holder(1, now=NOW).holder == "A"


@pytest.mark.parametrize(
    "ask", [lambda s: s.take(99, "A", now=NOW), lambda s: s.skip(99, "A", now=NOW)], ids=["take", "skip"]
)
def test_an_item_that_does_not_exist_is_nobodys(serving: Serving, ask: Callable[[Serving], Any]) -> None:
    with pytest.raises(StoreError, match="(?i)item 99: .*foreign key"):
        ask(serving)
    assert serving.holder(99, now=NOW) is None


def test_who_has_decided_goes_on_to_the_next(store: Store, serving: Serving) -> None:
    assert served(serving, reviewer("A")) == 1
    store.record(told(store.item(1), "A approve"))
    assert served(serving, reviewer("A")) == 2
    store.record(told(store.item(2), "B approve"))  # by a person with the command line, who asks for no lease
    assert served(serving, reviewer("A")) == 3


def test_who_has_coded_leaves_the_item_to_the_second_coder(store: Store, serving: Serving) -> None:
    assert served(serving, reviewer("A", 1.0)) == 1
    store.record(told(store.item(1), "A code"))
    assert served(serving, reviewer("A", 1.0)) == 2
    assert served(serving, reviewer("B", 1.0)) == 1


# --- putting off ------------------------------------------------------------------------------------------------------


def test_what_a_person_puts_off_comes_last_for_them_alone(serving: Serving) -> None:
    assert served(serving, reviewer("A")) == 1
    serving.skip(1, "A", now=NOW)
    assert served(serving, reviewer("A")) == 2
    assert served(serving, reviewer("B")) == 1
    serving.skip(2, "A", now=NOW + TICK)
    assert served(serving, reviewer("A")) == 3


def test_who_puts_everything_off_goes_round(serving: Serving) -> None:
    """The one put off longest ago comes next, in whatever zone that was."""
    for tick, (number, zone) in enumerate([(2, None), (1, TOKYO), (3, None), (2, TOKYO), (1, None)]):
        serving.skip(number, "A", now=(NOW + tick * TICK).astimezone(zone))
    assert served(serving, reviewer("A")) == 3
    serving.skip(3, "A", now=NOW + 5 * TICK)
    assert served(serving, reviewer("A")) == 2


def test_putting_off_takes_no_item_from_who_holds_it(serving: Serving) -> None:
    serving.take(1, "A", now=NOW)
    serving.skip(1, "B", now=NOW)
    assert serving.holder(1, now=NOW).holder == "A"


# --- whose turn it is -------------------------------------------------------------------------------------------------

DRAWN = {"flags": (Flag.LOW_CONFIDENCE,)}  # by any share
NEVER_DRAWN = {"measurement": measurement()}
# Number, whether it is drawn for double coding, and its log.
LINE: dict[int, tuple[dict[str, Any], str]] = {
    1: (NEVER_DRAWN, ""),
    2: (DRAWN, ""),
    3: (DRAWN, "A code"),
    4: (DRAWN, "A code, B code not_met"),
    5: (NEVER_DRAWN, "A approve, C return"),
    6: (NEVER_DRAWN, "A approve"),
    7: (DRAWN, "A code, B code, C return"),
    8: (DRAWN, "A code, B code not_met, C approve, E return"),
    9: (NEVER_DRAWN, "Z approve, C return"),
    10: (DRAWN, "B code, B undo"),
}


@pytest.fixture
def mixed(store: Store) -> Serving:
    judged = [judgement(f"ops-{number:02}", confidence=number / 20, **how) for number, (how, _) in LINE.items()]
    for one, (_, steps) in zip(save(store, *judged), LINE.values(), strict=True):
        for step in filter(None, steps.split(", ")):
            store.record(told(store.item(one.number), step))
    return store.serving


TURNS = [
    (reviewer("A", 0.5), [5, 1, 2, 10]),
    (reviewer("A"), [5, 1, 2, 10]),  # one who decides sees what else would be coded, by the same door
    (reviewer("B", 0.5), [1, 2, 3, 10]),
    (reviewer("B"), [1, 2, 3, 10]),  # what one has coded awaits the second, whatever the share is now
    (reviewer("D", 0.5), [1, 2, 3, 10]),
    (adjudicator("E", 0.5), [4, 7, 9, 1]),
    (adjudicator("E"), [4, 7, 9, 1, 2, 10]),
    (adjudicator("C", 0.5), [4, 7, 8, 9, 1]),
    (adjudicator("E", 0.5, active="BCDE"), [4, 5, 7, 9, 1]),
    (adjudicator("E", 0.5, active="ABDE"), [4, 7, 8, 9, 1]),
    (adjudicator("E", 0.5, active=""), [4, 5, 7, 8, 9, 1]),
    (adjudicator("A", 0.5), [5, 9, 1]),  # a coder settles no dispute of their own
    (adjudicator("B", 0.5), [9, 1]),
]


def test_whom_an_item_is_served_to_and_when(mixed: Serving, in_line: Callable[..., list[int]]) -> None:
    assert [(turn, in_line(turn)) for turn, _ in TURNS] == TURNS
    assert served(mixed, adjudicator("E", 0.5)) == 4


def test_a_filter_tells_a_blind_coder_nothing(mixed: Serving, in_line: Callable[..., list[int]]) -> None:
    expected = [
        (reviewer("B", 0.5), [1]),
        (reviewer("A", 0.5), [5, 1]),
        (reviewer("B"), [1, 2, 10]),
        (adjudicator("E", 0.5), [4, 7, 9, 1]),
    ]
    for telling in (Filter(verdict=MET), Filter(judge="rules")):
        assert [(turn, in_line(turn, telling)) for turn, _ in expected] == expected
    for silent in (Filter(code=CITY.code), Filter(criteria=tuple(f"ops-{number:02}" for number in LINE))):
        assert [(turn, in_line(turn, silent)) for turn, _ in TURNS] == TURNS
    assert in_line(reviewer("B", 0.5), Filter(criteria=("ops-02", "ops-03"))) == [2, 3]


def test_how_many_stand_where(mixed: Serving) -> None:
    stages = {Stage.OPEN: 3, Stage.CODED: 1, Stage.DISPUTED: 2, Stage.RETURNED: 3, Stage.DECIDED: 1}
    for share, blind in [(0.0, 0), (0.5, 2), (1.0, 2)]:  # what a probe measured is never read blind
        assert mixed.tally(EVERYTHING, share) == Tally(stages=stages, blind=blind)
    assert mixed.by_survey() == {"r1": stages}


def test_items_are_listed_by_stage_in_the_order_of_doubt(store: Store, mixed: Serving) -> None:
    def numbers(*stages: Stage, **part: int) -> list[int]:
        return [one.number for one in store.listed(EVERYTHING, stages, **part)]

    assert numbers() == list(LINE)
    assert numbers(Stage.OPEN) == [1, 2, 10]
    assert numbers(Stage.RETURNED, Stage.DISPUTED) == [4, 5, 7, 8, 9]
    assert numbers(limit=3, skip=2) == [3, 4, 5]
    assert numbers(Stage.RETURNED, skip=2) == [9]
    assert numbers(skip=10) == []


# --- filters ----------------------------------------------------------------------------------------------------------


FILTERS = [
    (EVERYTHING, [3, 4, 5, 6]),
    (Filter(code=OTHER_CITY.code), [6]),
    (Filter(code="011002"), []),
    (Filter(criteria=("ops-01",)), [3, 6]),
    (Filter(criteria=("ops-01", "ops-03")), [3, 5, 6]),
    (Filter(verdict=NO_EVIDENCE), [4]),
    (Filter(judge="llm"), [5]),
    (Filter(code=CITY.code, criteria=("ops-01", "ops-02"), verdict=MET, judge="rules"), [3]),
    (Filter(judge="'; DROP TABLE leases; --"), []),
]


def test_a_filter_is_the_same_for_every_look(store: Store, in_line: Callable[..., list[int]]) -> None:
    judged = [judgement("ops-01"), judgement("ops-02", NO_EVIDENCE), judgement("ops-03", judge="llm")]
    save(store, *judged[:2], of=run("r1"))  # of an older survey
    save(store, *judged, of=run("r2"))
    save(store, judgement("ops-01", confidence=0.9), of=run("r3", OTHER_CITY))
    save(store, *judged, of=run("r4", state=RunState.JUDGING))  # of one that is not finished
    assert [(wanted, [one.number for one in store.listed(wanted)]) for wanted, _ in FILTERS] == FILTERS
    assert [(wanted, in_line(reviewer("A"), wanted)) for wanted, _ in FILTERS] == FILTERS
    for wanted, numbers in FILTERS:
        assert store.serving.tally(wanted, 0.0).stages.get(Stage.OPEN, 0) == len(numbers)


# --- the log, as people look at it ------------------------------------------------------------------------------------


def record(store: Store, number: int, steps: str, **changes: Any) -> list[Decision]:
    lines = []
    for step in steps.split(", "):
        lines.append(told(store.item(number), step, **changes))
        store.record(lines[-1])
    return lines


def test_a_persons_own_lines_newest_first(store: Store, serving: Serving) -> None:
    first = record(store, 1, "A approve, B return, A amend")
    second = record(store, 2, "B code, A note")
    assert list(serving.by("A")) == [(5, second[1]), (3, first[2]), (1, first[0])]
    assert list(serving.by("B")) == [(4, second[0]), (2, first[1])]
    assert list(serving.by("C")) == []


def test_a_look_at_ones_lines_that_ends_early_holds_nobody_up(store: Store, serving: Serving) -> None:
    lines = record(store, 1, "A approve, A undo, A reject")
    mine = serving.by("A")
    assert next(mine) == (3, lines[2])
    record(store, 1, "A undo")
    mine.close()
    assert next(serving.by("A"))[0] == 4


@pytest.mark.parametrize("zone", [None, TOKYO, timezone(-timedelta(hours=8))], ids=str)
def test_pace_counts_verdicts_since_then_by_person(store: Store, serving: Serving, zone: timezone | None) -> None:
    since = NOW.astimezone(zone)
    record(store, 1, "A approve", decided_at=since - TICK)
    record(store, 1, "B return", decided_at=since)
    record(store, 1, "A amend, A undo, A note, A reject", decided_at=since + timedelta(hours=1))
    record(store, 2, "B code, C code not_met", decided_at=since)
    assert serving.pace(NOW) == serving.pace(since) == {"A": 2, "B": 1, "C": 1}
    assert serving.pace(NOW + timedelta(minutes=30)) == {"A": 2}
    assert serving.pace(NOW - timedelta(days=1)) == {"A": 3, "B": 1, "C": 1}
    assert serving.pace(NOW + timedelta(hours=2)) == {}


def test_codings_are_the_whole_logs_of_what_was_coded(store: Store, serving: Serving) -> None:
    record(store, 2, "A note, A code")
    record(store, 1, "A approve")
    record(store, 3, "A code, A undo")
    record(store, 2, "B code not_met, C reject")
    two, three = store.item(2).digest, store.item(3).digest
    assert serving.codings() == [
        Coding(two, "ops-02", "note", None, "A"),
        Coding(two, "ops-02", "code", "met", "A"),
        Coding(three, "ops-03", "code", "met", "A"),
        Coding(three, "ops-03", "undo", None, "A"),
        Coding(two, "ops-02", "code", "not_met", "B"),
        Coding(two, "ops-02", "reject", "no_evidence", "C"),
    ]


def test_the_last_line_is_the_logs_length(store: Store, serving: Serving) -> None:
    assert serving.last_line() == 0
    for step, length in [("A approve", 1), ("A undo", 2), ("A note", 3)]:
        record(store, 1, step)
        assert serving.last_line() == length


# --- at one moment ----------------------------------------------------------------------------------------------------


def together(count: int, work: Callable[[int], None]) -> None:
    """Runs `work` in so many threads, let go at the same moment; all must come to their end."""
    barrier, failures = threading.Barrier(count), []

    def one(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=one, args=[number]) for number in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []


def test_people_who_ask_at_one_moment_never_get_the_same_item(store: Store) -> None:
    """Eight threads of four people each: 32 ask for 24 items."""
    numbers = [one.number for one in save(store, *(judgement(f"ops-{number:02}") for number in range(1, 25)))]
    got: list[int | None] = []

    def ask(thread: int) -> None:
        got.extend(served(store.serving, reviewer(f"{thread}-{person}")) for person in range(4))

    together(8, ask)
    assert sorted(number for number in got if number) == numbers
    assert got.count(None) == 8


def test_people_who_work_at_one_moment_never_meet(store: Store) -> None:
    """Every item is decided once, and nobody is refused because another was faster."""
    items = save(store, *(judgement(f"ops-{number:02}") for number in range(1, 25)))

    def decide(thread: int) -> None:
        name = f"P{thread}"
        while (number := served(store.serving, reviewer(name))) is not None:
            one = store.item(number)
            store.record(told(one, f"{name} approve"), version=one.version)

    together(6, decide)
    assert sorted(one.criterion for one in store.decisions(CITY.code)) == [one.judgement.criterion for one in items]
    assert store.serving.tally(EVERYTHING, 0.0) == Tally(stages={Stage.DECIDED: len(items)})


def test_an_item_that_is_decided_between_the_look_and_the_lease_is_not_served(postgresql_url: str) -> None:
    with Store(postgresql_url) as store, ThreadPoolExecutor() as pool:
        one, two = save(store, judgement("ops-01"), judgement("ops-02"))
        with obstructed(postgresql_url, LEASED) as until:  # by somebody who gives it up
            asked = pool.submit(store.serving.next, reviewer("B"), EVERYTHING, now=NOW)
            until(1)
            store.record(told(one, "A approve"))
        assert asked.result().number == two.number
        assert store.serving.holder(one.number, now=NOW) is None


def test_two_coders_and_an_adjudicator_at_one_moment(store: Store) -> None:
    """Every item ends with two codings by two people and, where these differ, with a third person's verdict."""
    save(store, *(judgement(f"ops-{number:02}", **DRAWN) for number in range(1, 9)))
    settled = Tally(stages={Stage.DECIDED: 8})

    def work(thread: int) -> None:
        name, settles = "ABC"[thread], thread == 2
        turn = adjudicator(name, 0.5) if settles else reviewer(name, 0.5)
        deadline = time.monotonic() + 60
        while store.serving.tally(EVERYTHING, 0.5) != settled:
            assert time.monotonic() < deadline
            if (number := served(store.serving, turn)) is None:
                time.sleep(0.01)
                continue
            verdict = "not_met" if name == "B" and number % 2 else "met"
            store.record(told(store.item(number), f"{name} {'approve' if settles else f'code {verdict}'}"))

    together(3, work)
    for one in store.items("r1"):
        actions = [line.action for line in one.decisions]
        assert actions == [Action.CODE, Action.CODE] + [Action.APPROVE] * (one.number % 2)
        assert {line.reviewer for line in one.decisions} == set("ABC" if one.number % 2 else "AB")


def test_a_double_click_on_putting_off_is_one(serving: Serving) -> None:
    for number in (1, 2, 3):
        together(8, lambda _, number=number: serving.skip(number, "A", now=NOW + number * TICK))
    assert served(serving, reviewer("A")) == 1
