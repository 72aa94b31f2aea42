"""Many municipalities side by side on one machine: chosen, surveyed, interrupted, failed and tried again."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from commands import classify, start
from nation_scene import PAGES, Town, code_of, registry, towns

from pipeline.criteria import load
from pipeline.errors import InputError
from pipeline.models import CityState, Crawling, Judging, Municipality, RunState, Wave, WaveCity
from pipeline.municipality import Registry
from pipeline.nation import Wanted, begin, chosen
from pipeline.nation.cores import Cores, CoresError
from pipeline.nation.waves import WaveBudget
from pipeline.panel import Wish
from pipeline.settings import Settings
from pipeline.store.store import Store

CRITERIA = load("dx-2024")
CRITERIA_DAY = datetime(2026, 11, 20, tzinfo=UTC)
OPTIONS = ("--allow-private", "--delay", "0", "--speed", "never", "--as-of", "2026-11-20")


def store_of(home: Path) -> Store:
    return Store(f"sqlite:///{home / 'akashi.db'}")


def nation(home: Path, known: Sequence[Town], *more: str, code: int = 0, **environment: str) -> str:
    listed = ("--all", "--registry", str(registry(home, known)))
    return classify(home, "nation", *listed, *OPTIONS, *more, code=code, **environment)


def cities(home: Path) -> dict[str, WaveCity]:
    with store_of(home) as store:
        return {one.municipality.name: one for one in store.waves.cities(store.waves.find().id)}


def verdicts(home: Path, code: str) -> list[tuple[str, str, tuple[str, ...]]]:
    with store_of(home) as store:
        run = store.latest_run(code, state=RunState.DONE)
        assert run is not None
        judged = [item.judgement for item in store.items(run.id)]
    return [(one.criterion, one.verdict, tuple(quote.text for quote in one.quotes)) for one in judged]


# --- which ones ---


PLACES = "\n".join(
    [
        "pref,city,citykana,url,lgcode",
        f"神奈川県,汐凪市,しおなぎし,https://a.example/,{code_of(0)}",
        f"神奈川県,入江町,いりえまち,https://b.example/,{code_of(1)}",
        f"長野県,汐凪市,しおなぎし,https://c.example/,{code_of(0, 20)}",
    ]
)


def places(folder: Path) -> Registry:
    (folder / "places.csv").write_text(PLACES, "utf-8")
    return Registry.read(folder / "places.csv")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("入江町\n", [code_of(1)]),
        ("\ufeffcode,name\n" + code_of(1) + ",ほか\n\n# 来年\n" + code_of(0) + " # 今年\n", [code_of(0), code_of(1)]),
        ("神奈川県汐凪市\n神奈川県汐凪市\n" + code_of(0), [code_of(0)]),
        ("長野県汐凪市\r\n入江\r\n", [code_of(1), code_of(0, 20)]),
    ],
    ids=["name", "csv with remarks", "twice", "windows"],
)
def test_a_file_names_municipalities(tmp_path: Path, text: str, codes: list[str]) -> None:
    file = tmp_path / "list.txt"
    for encoding in ("utf-8", "cp932"):
        if encoding == "cp932" and text.startswith("\ufeff"):
            continue
        file.write_bytes(text.encode(encoding))
        assert [one.code for one in chosen(places(tmp_path), file=file)] == codes


def test_every_line_that_names_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("入江町\n汐凪市\nどこにもない市\n141012\n", "utf-8")
    with pytest.raises(InputError) as refused:
        chosen(places(tmp_path), file=file)
    assert [line.split(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == [
        "line 2",
        "line 3",
        "line 4",
    ]


def test_a_prefecture_or_everybody(tmp_path: Path) -> None:
    assert len(chosen(places(tmp_path), prefectures=["神奈川"])) == 2
    assert len(chosen(places(tmp_path), prefectures=["神奈川県", "長野県"])) == 3
    assert len(chosen(places(tmp_path), everybody=True)) == 3
    for wrong in ({}, {"prefectures": ["甲県"]}, {"prefectures": ["長野県"], "everybody": True}):
        with pytest.raises(InputError):
            chosen(places(tmp_path), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [(), ("--all", "--prefecture", "神奈川県"), ("--cities", "nowhere.txt")])
def test_an_order_that_cannot_be_is_refused_and_begins_nothing(tmp_path: Path, given: tuple[str, ...]) -> None:
    (tmp_path / "places.csv").write_text(PLACES, "utf-8")
    told = classify(tmp_path, "nation", *given, "--registry", str(tmp_path / "places.csv"), code=2)
    assert "--cities" in told
    assert not (tmp_path / "akashi.db").exists()


# --- the walk ---


def test_every_municipality_is_surveyed_as_it_would_be_alone(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    with towns(3) as known:
        told = nation(tmp_path, known)
        assert "3 of 3 settled" in told
        for town in known:
            alone = ("--city", town.code, "--registry", str(tmp_path / "registry.csv"), *OPTIONS)
            classify(tmp_path / "alone", *alone)
            assert verdicts(tmp_path, town.code) == verdicts(tmp_path / "alone", town.code)
    assert {one.state for one in cities(tmp_path).values()} == {CityState.DONE}
    assert {one.pages for one in cities(tmp_path).values()} == {PAGES + 1}
    assert not list((tmp_path / "frontier").glob("*"))


def test_a_municipality_that_fails_stops_no_other_and_is_tried_again(tmp_path: Path) -> None:
    with towns(3, refusing=[1]) as known:
        told = nation(tmp_path, known, code=1)
        assert "failed 1" in told and "forbidden" in told
        found = cities(tmp_path)
        assert [one.cause for one in found.values()] == ["", "forbidden", ""]
        asked = len(known[0].server.log)
        nation(tmp_path, known, code=1)
        assert len(known[0].server.log) == asked, "what is done is not done again"
        assert cities(tmp_path)[known[1].name].tries == 2


def test_without_a_home_page_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with towns(1) as known:
        path = registry(tmp_path, known, f"長野県,無名村,むめいむら,,{code_of(5, 20)}")
        told = classify(tmp_path, "nation", "--all", "--registry", str(path), *OPTIONS, code=1)
    assert "no_home_page" in told and "done 1" in told


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_survey_goes_on_where_it_stopped(tmp_path: Path, how: signal.Signals) -> None:
    with towns(3, slowness_s=0.15) as known:
        given = ("nation", "--all", "--registry", str(registry(tmp_path, known)), *OPTIONS)
        process = start(tmp_path, *given)
        deadline = time.monotonic() + 60
        while any(len(town.server.pages()) < 4 for town in known):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, how)
        process.communicate(timeout=60)
        assert process.returncode in (130, -9)
        before = {town.code: len(town.server.log) for town in known}
        told = classify(tmp_path, *given)
        assert "continued" in told and "3 of 3 settled" in told
        for town in known:
            pages = Counter(town.server.pages())
            twice = [path for path, count in pages.items() if count > 1]
            assert len(twice) <= 1, f"more than the page in flight: {twice}"
            assert len(town.server.log) > before[town.code]
    assert {one.tries for one in cities(tmp_path).values()} == {2}


def test_one_process_at_a_time_surveys_from_a_workspace(tmp_path: Path) -> None:
    with towns(2, slowness_s=0.1) as known:
        process = start(tmp_path, "nation", "--all", "--registry", str(registry(tmp_path, known)), *OPTIONS)
        while not known[0].server.log:
            assert process.poll() is None
            time.sleep(0.02)
        told = nation(tmp_path, known, code=2)
        assert "another" in told and "classify status" in told
        process.kill()
        process.communicate()


def test_what_is_archived_is_judged_again_without_a_request(tmp_path: Path) -> None:
    with towns(2) as known:
        assert "nothing" not in nation(tmp_path, known)
        asked = [len(town.server.log) for town in known]
        told = nation(tmp_path, known, "--no-crawl", "--judges", "rules")
        assert "2 of 2 settled" in told
        assert [len(town.server.log) for town in known] == asked


def test_there_must_be_something_archived_to_judge(tmp_path: Path) -> None:
    with towns(1) as known:
        assert "--no-crawl" in nation(tmp_path, known, "--no-crawl", code=2)


# --- the wave ---


def wanted(*codes: str, **changes: object) -> Wanted:
    places = tuple(Municipality(code=code, name=code, home_url="http://a.example/") for code in codes)
    given = {"criteria": CRITERIA, "cities": places, "crawl": Crawling(max_pages=10, delay_s=1.0), "wish": Wish()}
    return Wanted(**(given | changes))  # type: ignore[arg-type]


def test_the_same_order_continues_a_wave_until_it_is_done(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path, db="")
    with store_of(tmp_path) as store:
        first, continued = begin(wanted("141011", "141020"), store, settings)
        assert not continued
        assert begin(wanted("141020", "141011"), store, settings) == (first, True)
        assert begin(wanted("141011", "141020", as_of=first.as_of), store, settings)[1]
        dearer = begin(wanted("141011", "141020", wish=Wish(max_cost=2.0)), store, settings)
        assert dearer[1] and dearer[0].id == first.id and store.waves.money(first.id)[1] == Decimal(2)
        others = (
            wanted("141011"),
            wanted("141011", "141020", crawl=Crawling(max_pages=11, delay_s=1.0)),
            wanted("141011", "141020", as_of=first.as_of.replace(year=2000)),
        )
        assert not any(begin(one, store, settings)[1] for one in others)
        assert not begin(wanted("141011", "141020", wish=Wish(max_cost=2.0)), store, settings, new=True)[1]
        for one in store.waves.all():
            store.waves.reset(one.id, {CityState.WAITING}, to=CityState.DONE)
        assert not begin(wanted("141011", "141020"), store, settings)[1]


def test_a_stopped_worker_that_lost_a_municipality_changes_nothing(database_url: str) -> None:
    with Store(database_url) as store:
        wave = a_wave(store)
        assert store.waves.move(wave.id, "141011", holder="anybody", state=CityState.DONE) is None
        assert store.waves.move(wave.id, "141011", of={CityState.CRAWLED}, state=CityState.DONE) is None
        assert store.waves.move(wave.id, "141011", of={CityState.WAITING}, state=CityState.CRAWLING) is not None
        assert store.waves.counts(wave.id) == {CityState.CRAWLING: 1}


def a_wave(store: Store, *, cap: float | None = None) -> Wave:
    now = CRITERIA_DAY
    wave = Wave(id="w1", criteria=CRITERIA, as_of=now.date(), started=now, crawl=None, judging=Judging(max_cost=cap))
    place = Municipality(code="141011", name="汐凪市", home_url="http://a.example/")
    store.waves.begin(wave, [WaveCity(wave="w1", municipality=place, state=CityState.WAITING)])
    return wave


def test_judges_together_never_overshoot_the_cap(database_url: str) -> None:
    """Eight at a time, each with a connection of its own, against one cap."""
    with Store(database_url) as store:
        wave = a_wave(store, cap=1.0)
    granted: list[Decimal] = []

    def judge() -> None:
        with Store(database_url) as store:
            budget = WaveBudget(wave, store)
            for _ in range(20):
                if budget.reserve(Decimal("0.03")):
                    granted.append(Decimal("0.03"))

    threads = [threading.Thread(target=judge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == Decimal("0.99")
    with Store(database_url) as store:
        budget = WaveBudget(wave, store)
        assert not budget.fits(Decimal("0.02")) and budget.fits(Decimal("0.01"))
        budget.settle(Decimal("0.03"), Decimal("0.001"))
        assert budget.left == Decimal("0.039")


# --- processes ---


def _once_killed(folder: Path) -> str:
    mark = folder / "mark"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def _killed(_: Path) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


def test_a_killed_process_costs_another_try(tmp_path: Path) -> None:
    async def both() -> None:
        with Cores(2) as cores:
            assert await cores(_once_killed, tmp_path) == "done"
            with pytest.raises(CoresError, match="memory"):
                await cores(_killed, tmp_path)
            assert await cores(_once_killed, tmp_path) == "done"

    asyncio.run(both())
