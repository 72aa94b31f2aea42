"""A wave begun, or the unfinished one of the same order taken up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from pipeline.errors import InputError
from pipeline.judge.budget import Budget
from pipeline.models import SETTLED, CityState, Crawling, CriteriaSet, Judging, Municipality, Wave, WaveCity
from pipeline.panel import Panel, Wish, panel
from pipeline.run import Order
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import Workspace

_JAPAN = timezone(timedelta(hours=9))
_NO_HOME = "no_home_page"


@dataclass(frozen=True)
class Wanted:
    """What the user asked for. crawl: how, None to judge what is archived; as_of: the day, None for that of the wave
    that is taken up, else today; priority: of a new wave."""

    criteria: CriteriaSet
    cities: tuple[Municipality, ...]
    crawl: Crawling | None
    wish: Wish
    as_of: date | None = None
    priority: int = 0


def begin(wanted: Wanted, store: Store, settings: Settings, *, new: bool = False) -> tuple[Wave, bool]:
    """The wave that does this, and whether it was there already: an unfinished or failed part of the same order is
    gone on with. new: begin another whatever there is.

    Raises InputError for what cannot be: judges without a key, nothing archived to judge.
    """
    judging = _judging(wanted.wish, settings)
    known = None if new else _unfinished(wanted, judging, store)
    if known is not None:
        return known, True
    now = datetime.now(UTC)
    wave = Wave(
        id=f"{now:%Y%m%dT%H%M%S%fZ}",
        criteria=wanted.criteria,
        as_of=wanted.as_of or now.astimezone(_JAPAN).date(),
        started=now,
        crawl=wanted.crawl,
        judging=judging,
        priority=wanted.priority,
    )
    Workspace(settings.home).keep(wave.criteria)
    store.waves.begin(wave, list(_cities(wave, wanted.cities, store)))
    return wave, False


def _judging(wish: Wish, settings: Settings) -> Judging:
    """Raises InputError where such a panel cannot be."""
    seated = panel(wish, settings)
    for question in seated.questions.values():
        Workspace(settings.home).keep(question.prompts)
    return Judging(
        model=wish.model,
        base_url=seated.endpoint.base_url if seated.questions else "",
        judges=",".join(seated.judges),
        votes=wish.votes,
        price=wish.price,
        max_cost=wish.max_cost,
        prompts=_prompts(seated),
    )


def _prompts(seated: Panel) -> tuple[tuple[str, str], ...]:
    return tuple((name, question.prompts.sha256) for name, question in seated.questions.items())


def _unfinished(wanted: Wanted, judging: Judging, store: Store) -> Wave | None:
    """The newest wave of that order, unless all of it is done; with the cap that is wanted now."""
    codes = {one.code for one in wanted.cities}
    for wave in reversed(store.waves.all()):
        if not _same(wave, wanted, judging):
            continue
        cities = store.waves.cities(wave.id)
        if {one.municipality.code for one in cities} == codes:
            done = all(one.state in (CityState.DONE, CityState.CANCELLED) for one in cities)
            return None if done else _capped(wave, judging, store)
    return None


def _same(wave: Wave, wanted: Wanted, judging: Judging) -> bool:
    """Whether the wave is what is wanted, be it with more or less money."""
    paid = judging.model_copy(update={"max_cost": wave.judging.max_cost})
    same = (wave.criteria.sha256, wave.crawl, wave.judging) == (wanted.criteria.sha256, wanted.crawl, paid)
    return same and wanted.as_of in (None, wave.as_of)


def _capped(wave: Wave, judging: Judging, store: Store) -> Wave:
    wave = wave.model_copy(update={"judging": judging})
    store.waves.save(wave)
    return wave


def _cities(wave: Wave, places: Sequence[Municipality], store: Store) -> Iterator[WaveCity]:
    if wave.crawl is None:
        yield from _archived(wave, places, store)
        return
    for place in places:
        if place.home_url:
            yield WaveCity(wave=wave.id, municipality=place, state=CityState.WAITING)
        else:
            why = "the registry names no home page: survey it with `classify --city` and --url"
            yield WaveCity(wave=wave.id, municipality=place, state=CityState.FAILED, cause=_NO_HOME, detail=why)


def _archived(wave: Wave, places: Sequence[Municipality], store: Store) -> Iterator[WaveCity]:
    """Those of which there is something to judge. Raises InputError where there is none."""
    newest = {place.code: store.latest_run(place.code, criteria_id=wave.criteria.id) for place in places}
    runs = {code: run for code, run in newest.items() if run is not None and run.coverage is not None}
    if not runs:
        raise InputError(
            f"none of the {len(places)} municipalities is archived here by {wave.criteria.id}: leave out --no-crawl."
        )
    for place in places:
        if run := runs.get(place.code):
            yield WaveCity(wave=wave.id, municipality=run.municipality, state=CityState.CRAWLED, run_id=run.id)


def again(wave: Wave, store: Store) -> None:
    """Has failed municipalities tried again: those that are archived are judged, the others crawled."""
    failed = store.waves.cities(wave.id, {CityState.FAILED})
    archived = {one.municipality.code for one in failed if _is_archived(one, store)}
    others = {one.municipality.code for one in failed if one.municipality.home_url} - archived
    for codes, state in ((archived, CityState.CRAWLED), (others, CityState.WAITING)):
        if codes:
            store.waves.reset(wave.id, {CityState.FAILED}, codes, to=state)


def _is_archived(city: WaveCity, store: Store) -> bool:
    """Whether its pages are there: a home page that could not be read is asked for again."""
    run = store.run(city.run_id) if city.run_id else None
    return run is not None and run.coverage is not None and run.coverage.home_read


def take_back(wave: Wave, codes: Sequence[str], store: Store) -> list[str]:
    """Cancels all of a wave (or of these municipalities) that is not settled; returns the codes."""
    open_states = set(CityState) - SETTLED
    changed = store.waves.reset(wave.id, open_states, codes, to=CityState.CANCELLED)
    return [one.municipality.code for one in changed]


def order_of(wave: Wave, place: Municipality) -> Order:
    """What the wave asks of one municipality; the wave must crawl."""
    if wave.crawl is None:
        raise InputError(f"wave {wave.id} judges what is archived and crawls nothing.")
    return Order(
        municipality=place,
        criteria=wave.criteria,
        as_of=wave.as_of,
        **wave.crawl.model_dump(),
    )


def panel_of(wave: Wave, settings: Settings) -> Panel:
    """The wave's judges as they can be asked from here. Raises InputError where keys are missing or prompts differ."""
    judging = wave.judging
    wish = Wish(judging.model, judging.base_url, judging.judges, judging.votes, judging.max_cost, judging.price)
    seated = panel(wish, settings)
    if _prompts(seated) != judging.prompts:
        raise InputError(
            f"wave {wave.id} asks by other prompts than this machine has (CLASSIFY_PROMPTS={settings.prompts}): "
            "install the same version on every machine."
        )
    return seated


class WaveBudget(Budget):
    """The cap of a whole wave, shared through the database with everybody who judges for it."""

    def __init__(self, wave: Wave, store: Store) -> None:
        super().__init__(None if wave.judging.max_cost is None else Decimal(str(wave.judging.max_cost)))
        self._wave = wave.id
        self._waves = store.waves

    @property
    def left(self) -> Decimal:
        committed, cap = self._waves.money(self._wave)
        return (cap or Decimal(0)) - committed

    def fits(self, most: Decimal) -> bool:
        return self.cap is None or most <= self.left

    def reserve(self, most: Decimal) -> bool:
        if not self._waves.reserve(self._wave, most):
            return False
        self.reserved += most
        return True

    def settle(self, most: Decimal, actual: Decimal) -> None:
        super().settle(most, actual)
        self._waves.settle(self._wave, most, actual)
