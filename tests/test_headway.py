"""How far a wave has come: every state counted, no pace or end where none can be told, and none wrong by a pause."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from wave_data import BEGUN, a_city, a_wave, after, finished, nation

from pipeline.headway import Headway, Unknown, failed, headway
from pipeline.models import CityState, WaveCity

S = CityState
WAITING = [a_city(900 + at) for at in range(20)]


def looked(cities: list[WaveCity], at: datetime, *, spent: str = "0", cap: str | None = None) -> Headway:
    return headway(a_wave(), cities, (Decimal(spent), None if cap is None else Decimal(cap)), at)


# --- what is counted --------------------------------------------------------------------------------------------------


def test_every_state_is_counted_also_those_in_which_nobody_is() -> None:
    cities = [a_city(1, S.DONE, 0, 5), a_city(2, S.FAILED, 0, 6), a_city(3, S.CANCELLED), a_city(4, S.CRAWLED, 1)]
    found = looked([*cities, *WAITING], after(10))
    assert list(found.states) == list(S)
    assert found.states == {S.WAITING: 20, S.CRAWLING: 0, S.CRAWLED: 1, S.JUDGING: 0} | {
        S.DONE: 1, S.FAILED: 1, S.CANCELLED: 1
    }  # fmt: skip
    assert (found.total, found.settled, found.ended) == (24, 3, None)


def test_a_wave_of_nothing_is_settled_at_once() -> None:
    found = looked([], after(600))
    assert (found.total, found.ended, found.elapsed_s, found.eta.unknown) == (0, BEGUN, 0, Unknown.NOTHING_LEFT)


@pytest.mark.parametrize(
    ("committed", "costs", "spent", "aside"),
    [
        ("0", [0.0], 0.0, 0.0),
        ("1.25", [0.5, 0.25], 0.75, 0.5),  # a call under way, or of a worker that was killed
        ("0.3", [0.1, 0.2], 0.3, 0.0),  # no cent of binary fractions
        ("0.1", [0.5], 0.5, 0.0),  # judged again by other means than the wave's budget
    ],
)
def test_money_is_what_is_recorded_and_what_may_come(
    committed: str, costs: list[float], spent: float, aside: float
) -> None:
    cities = [a_city(at, S.DONE, 0, 1, usd=usd) for at, usd in enumerate(costs)]
    found = looked(cities, after(9), spent=committed, cap="2").money
    assert (found.spent, found.set_aside, found.cap) == (spent, aside, 2.0)


def test_failures_stand_by_cause_the_most_frequent_first_with_some_of_each() -> None:
    cities = [a_city(at, S.FAILED, 0, 1, cause="dns", detail=f"host {at}") for at in range(5)]
    cities += [a_city(10, S.FAILED, 0, 1, cause="robots"), a_city(11, S.FAILED, 0, 1)]
    waiting_again = a_city(12, S.WAITING, 0, 1, cause="dns")
    found = looked([*reversed(cities), waiting_again], after(5))
    told = [(one.cause, one.count, [city.detail for city in one.first]) for one in found.troubles]
    assert told == [("dns", 5, ["host 0", "host 1", "host 2"]), ("", 1, [""]), ("robots", 1, [""])]
    assert [one.code for one in failed(cities)] == [*["900011"], *(f"90000{at}" for at in range(5)), "900010"]


def test_what_is_worked_on_stands_longest_first_and_the_slowest_of_the_settled() -> None:
    under_way = [a_city(1, S.CRAWLING, 20, pages=7), a_city(2, S.JUDGING, 5), a_city(3, S.CRAWLING)]
    settled = [a_city(10 + at, S.DONE, 0, at, pages=at) for at in range(9)]
    found = looked([*under_way, *settled, a_city(30, S.DONE), *WAITING], after(25))
    assert [(one.code[-1], one.pages) for one in found.working] == [("2", 0), ("1", 7), ("3", 0)]
    assert [one.seconds for one in found.slowest] == [480, 420, 360, 300, 240]


# --- how fast ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endings", "now", "per_hour", "unknown"),
    [
        ([], 5, None, Unknown.FEW),
        ([10, 11, 12, 13], 14, None, Unknown.FEW),  # one fewer than is enough
        ([10, 20, 30, 40, 50], 60, 5.0, None),
        ([10] * 40, 10, 240.0, None),  # all that were begun together end together: ten minutes went before
        ([10, 20, 30, 40, 50, *range(60, 121, 2)], 120, 31.0, None),  # the last hour, not the slow one before it
        ([20 * at for at in range(1, 41)], 800, 3.103, None),  # the last 30, which took longer than an hour
        ([10, 20, 30, 40, 50], 500, None, Unknown.QUIET),  # nothing for longer than a pause
    ],
)
def test_the_pace_is_that_of_the_recent_past(
    endings: list[float], now: float, per_hour: float | None, unknown: Unknown | None
) -> None:
    found = looked([*finished(endings), *WAITING], after(now)).pace
    assert found.unknown == unknown
    assert found.per_hour == (None if per_hour is None else pytest.approx(per_hour, rel=0.001))


NIGHT = 9 * 60.0


@pytest.mark.parametrize("minutes_after", [0.5, 5, 30, 90, 600])
def test_a_night_s_pause_makes_no_pace_wrong(minutes_after: float) -> None:
    """Every 2 minutes before and after it, ten at a time: 30 an hour, at whatever moment somebody looks."""
    evening = [20 + 2 * at for at in range(60)]
    morning = evening[-1] + NIGHT
    day = [end for at in range(400) if (end := morning + 20 + 2 * at) <= morning + minutes_after]
    under_way = [a_city(800 + at, S.CRAWLING, morning + 0.1 * at) for at in range(5 if minutes_after < 20 else 0)]
    cities = [*finished(evening, took=20), *finished(day, took=20, first=100), *under_way, *WAITING]
    found = looked(cities, after(morning + minutes_after))
    assert found.pace.per_hour == pytest.approx(30, rel=0.35)
    assert found.elapsed_s - found.worked_s == pytest.approx(NIGHT * 60, abs=30 * 60)


def test_while_it_rests_no_end_is_promised() -> None:
    cities = [*finished([10 + at for at in range(40)]), a_city(800, S.CRAWLING, 45), *WAITING]
    found = looked(cities, after(NIGHT))
    assert (found.pace.unknown, found.eta.unknown, found.eta.likely) == (Unknown.QUIET, Unknown.QUIET, None)


def test_a_worker_killed_in_the_evening_whose_city_ends_in_the_morning_is_no_rest_either() -> None:
    """Its beginning is as it may stand: of the first try, or of the second."""
    evening, morning = finished([10 + at for at in range(40)]), 49 + NIGHT
    for began in (45.0, morning):
        day = [a_city(500 + at, S.DONE, began, morning + 10 + at) for at in range(10)]
        found = looked([*evening, *day, *WAITING], after(morning + 20))
        assert found.pace.per_hour == pytest.approx(60, rel=0.35)


@pytest.mark.parametrize("took", [5, 45, 240])
def test_slow_municipalities_are_no_pauses(took: float) -> None:
    """One at a time, each as slow as a small model of one's own may be."""
    found = looked([*finished([took * (at + 1) for at in range(12)], took=took), *WAITING], after(took * 12))
    assert found.pace.per_hour == pytest.approx(60 / took)
    assert found.worked_s == took * 12 * 60


def test_a_wave_that_no_worker_takes_up_is_quiet_and_one_begun_late_not_slow() -> None:
    assert looked(WAITING, after(20)).pace.unknown == Unknown.FEW
    assert looked(WAITING, after(200)).pace.unknown == Unknown.QUIET
    late = looked([*finished([200 + at for at in range(10)]), *WAITING], after(209))
    assert (late.elapsed_s, late.worked_s) == (209 * 60, 19 * 60)


def test_beginnings_from_before_a_pause_change_little() -> None:
    """Twenty were under way when everything stopped for the night; in the morning they end one after the other."""
    morning = [a_city(at, S.DONE, 1, NIGHT + 10 + at) for at in range(20)]
    found = looked([*morning, *WAITING], after(NIGHT + 30))
    assert found.pace.per_hour == pytest.approx(24, rel=0.35)  # 20 in some 50 minutes of work
    assert found.eta.latest and found.eta.latest - found.at < timedelta(hours=2.1)


def test_waiting_for_a_slow_judge_is_no_pause_and_hides_none() -> None:
    """All crawled within the hour, then judged one by one at ten minutes each, with a night between."""
    evening = [a_city(at, S.DONE, 0, 10 * (at + 1)) for at in range(30)]
    morning = [a_city(40 + at, S.DONE, 0, 300 + NIGHT + 10 * (at + 1)) for at in range(5)]
    found = looked([*evening, *morning, *WAITING], after(350 + NIGHT))
    assert found.pace.per_hour == pytest.approx(6, rel=0.15)


def test_judging_anew_what_is_archived_has_a_pace_without_any_beginning() -> None:
    judged = [a_city(at, S.DONE, None, 2.0 * (at + 1)) for at in range(10)]
    found = looked([*judged, *WAITING], after(20))
    assert (found.pace.per_hour, found.worked_s, found.slowest) == (30.0, 1200.0, ())


def test_what_failed_before_anybody_tried_makes_nothing_fast() -> None:
    untried = [a_city(at, S.FAILED, cause="no_home_page") for at in range(50)]
    found = looked([*untried, *WAITING], after(5))
    assert (found.settled, found.pace.unknown) == (50, Unknown.FEW)
    assert looked(untried, after(5)).ended == BEGUN


def test_cancelling_is_no_work() -> None:
    cancelled = [a_city(500 + at, S.CANCELLED, 10, 11) for at in range(50)]
    assert looked([*cancelled, *WAITING], after(12)).pace.per_hour is None


def test_a_clock_that_goes_before_breaks_nothing() -> None:
    ahead = [a_city(at, S.DONE, 30, 29) for at in range(9)]
    found = looked([*ahead, *WAITING], after(20))
    assert found.pace.unknown == Unknown.FEW
    assert looked([*finished([30.0] * 9), *WAITING], after(25)).pace.per_hour == pytest.approx(108)
    assert headway(a_wave(started=after(60)), WAITING, (Decimal(0), None), after(0)).elapsed_s == 0


# --- until when -------------------------------------------------------------------------------------------------------


def test_the_end_is_a_range_that_narrows_with_what_is_known() -> None:
    widths = []
    for count in (5, 20, 60):
        found = looked([*finished([10 + at for at in range(count)]), *WAITING], after(10 + count))
        eta = found.eta
        assert eta.earliest and eta.likely and eta.latest and found.pace.per_hour
        assert found.at < eta.earliest < eta.likely < eta.latest
        assert eta.likely - found.at == pytest.approx(timedelta(hours=20 / found.pace.per_hour), abs=timedelta(1e-9))
        widths.append((eta.latest - eta.earliest) / (eta.likely - found.at))
    assert widths == sorted(widths, reverse=True)


def test_the_last_one_may_take_as_long_as_the_slowest() -> None:
    found = looked([*finished([60 + at for at in range(60)], took=50), a_city(900, S.CRAWLING, 119)], after(120))
    assert found.eta.likely and found.eta.likely < after(122)
    assert found.eta.latest == after(170)


def test_a_settled_wave_speaks_of_its_end_whenever_somebody_looks() -> None:
    cities = finished([20 * (at + 1) for at in range(12)], took=20)
    found = looked(cities, after(240))
    assert looked(cities, after(9000)) == found
    assert (found.ended, found.eta.unknown, found.pace.per_hour) == (after(240), Unknown.NOTHING_LEFT, 3.0)


def test_as_many_as_there_are_take_no_time() -> None:
    found = looked(nation(BEGUN), after(91), cap="50", spent="9")
    assert (found.total, found.settled, len(found.working)) == (1741, 870, 40)
    assert found.pace.per_hour == pytest.approx(640, rel=0.05)


def test_it_is_read_back_as_it_was_written() -> None:
    found = looked(nation(BEGUN, count=60), after(91))
    assert Headway.model_validate_json(found.model_dump_json()) == found
