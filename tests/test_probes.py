"""How often a site says that it changed: the densest list, days and not items, and no verdict from a build date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipeline.criteria import load
from pipeline.judge import probes
from pipeline.models import DatedList, Verdict

AS_OF = date(2026, 11, 20)
CRITERION = load("dx-2024").criterion("resident-01")


def dated(kind: str, ago: list[int], name: str = "a") -> DatedList:
    """A list with an item so many days before as_of each."""
    dates = tuple(AS_OF - timedelta(days=days) for days in ago)
    return DatedList(url=f"https://city.example/{name}", sha256=f"{ord(name[0]):02x}" * 32, kind=kind, dates=dates)


def judged(*lists: DatedList):
    return probes.update_frequency(CRITERION, lists, AS_OF)


def test_every_other_day_is_met_and_measured():
    proposal = judged(dated("feed", list(range(0, 60, 2))))
    assert proposal.verdict is Verdict.MET
    measured = proposal.measurement
    assert measured is not None
    assert (measured.value, measured.unit, measured.threshold) == (2.0, "日", 3.0)
    assert len(measured.values) == 29
    assert measured.readings[-1] == "2026-11-20"
    assert measured.urls == ("https://city.example/a",)


def test_weekly_is_not_met():
    proposal = judged(dated("list", [1, 8, 15, 22, 29, 36, 43]))
    assert proposal.verdict is Verdict.NOT_MET
    assert proposal.measurement is not None
    assert proposal.measurement.value == 7.0


def test_three_days_is_met_and_a_little_more_is_not():
    assert judged(dated("feed", [0, 3, 6, 9])).verdict is Verdict.MET
    assert judged(dated("feed", [0, 3, 7, 11])).verdict is Verdict.NOT_MET


def test_ten_items_of_one_day_are_one_day():
    busy = dated("feed", [0] * 10 + [10] * 10 + [20] * 10)
    proposal = judged(busy)
    assert proposal.verdict is Verdict.NOT_MET
    assert proposal.measurement is not None
    assert proposal.measurement.values == (10.0, 10.0)


def test_the_densest_list_decides():
    proposal = judged(dated("feed", [0, 10, 20, 30], "f"), dated("sitemap", list(range(0, 50, 2)), "s"))
    assert proposal.verdict is Verdict.MET
    assert proposal.measurement is not None
    assert proposal.measurement.urls == ("https://city.example/s",)
    assert set(proposal.searched) == {"66" * 32, "73" * 32}


def test_days_after_as_of_and_before_the_window_are_left_out():
    proposal = judged(dated("list", [-5, -3, -1, 1, 11, 21, 61, 62, 63, 64, 65]))
    assert proposal.measurement is not None
    assert proposal.measurement.readings == ("2026-10-30", "2026-11-09", "2026-11-19")


def test_the_gap_at_the_edge_of_the_window_is_not_counted():
    proposal = judged(dated("list", [30, 32, 34, 36, 90]))
    assert proposal.measurement is not None
    assert proposal.measurement.values == (2.0, 2.0, 2.0)


def test_a_sitemap_of_one_build_date_is_no_list_of_updates():
    proposal = judged(dated("sitemap", [3] * 200))
    assert proposal.verdict is Verdict.NOT_JUDGED
    assert "サイトマップ" in proposal.rationale
    assert proposal.measurement is None


def test_a_build_date_does_not_hide_the_news_list():
    proposal = judged(dated("sitemap", [3] * 200, "s"), dated("list", [0, 2, 4, 6], "n"))
    assert proposal.verdict is Verdict.MET


@pytest.mark.parametrize("lists", [(), (dated("feed", [3, 5]),), (dated("feed", [100, 140]),)])
def test_too_little_settles_nothing_unless_the_list_reaches_back(lists):
    proposal = judged(*lists)
    reaches_back = bool(lists) and max(lists[0].dates) < AS_OF - timedelta(days=60)
    assert proposal.verdict is (Verdict.NOT_MET if reaches_back else Verdict.NOT_JUDGED)
    assert proposal.rationale


def test_a_monthly_list_that_reaches_back_is_not_met():
    proposal = judged(dated("list", [10, 45, 80, 110, 140]))
    assert proposal.verdict is Verdict.NOT_MET
    assert proposal.measurement is not None
    assert proposal.measurement.values == (35.0, 35.0)


def test_two_days_close_together_after_a_gap_settle_nothing_favourable():
    assert judged(dated("list", [58, 59, 61, 62, 63])).verdict is Verdict.NOT_JUDGED


def test_what_nothing_measures_yet_is_not_judged():
    proposal = probes.not_measured(load("dx-2024").criterion("resident-02"))
    assert proposal.verdict is Verdict.NOT_JUDGED
    assert proposal.confidence == 0.0
    assert "not measured yet" in proposal.rationale
