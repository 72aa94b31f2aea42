"""How far the surveys of many municipalities have come, and their municipalities by state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import Response

from pipeline.errors import InputError
from pipeline.headway import Headway
from pipeline.models import CityState
from pipeline.web.visit import Counting, Person
from pipeline.web.words import CITIES

router = APIRouter()

WORKING_SHOWN = 10
CITIES_A_PAGE = 100
TILES = 100
# As the strip shows them: what is settled first, so that it fills from its beginning.
ORDER = (
    CityState.DONE,
    CityState.FAILED,
    CityState.CANCELLED,
    CityState.JUDGING,
    CityState.CRAWLED,
    CityState.CRAWLING,
    CityState.WAITING,
)

WaveId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:+-]{1,100}$")]


@router.get("/waves")
def newest(asked: Person, counts: Counting) -> Response:
    """The newest survey of many, or what begins one."""
    known = counts.waves()
    if not known:
        return asked.page("waves.html", found=None, older=[])
    return wave(asked, counts, known[0])


@router.get("/waves/{wave}")
def wave(asked: Person, counts: Counting, wave: WaveId) -> Response:
    """How far one has come; the figures renew themselves."""
    found = _found(counts, wave)
    older = [one for one in counts.waves() if one != wave]
    return asked.page("waves.html", older=older, **_shown(found))


@router.get("/waves/{wave}/figures")
def figures(asked: Person, counts: Counting, wave: WaveId) -> Response:
    """The figures alone."""
    return asked.part("wave_figures.html", **_shown(_found(counts, wave)))


@router.get("/waves/{wave}/cities")
def cities(
    asked: Person,
    counts: Counting,
    wave: WaveId,
    state: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """The municipalities of one (in a state), by code."""
    found = _found(counts, wave)
    states = [CityState(state)] if state in set(CityState) else []
    waves, skip = asked.office.desk.store.waves, (page - 1) * CITIES_A_PAGE
    rows = waves.listed(wave, states, limit=CITIES_A_PAGE + 1, skip=skip)
    return asked.page(
        "wave_cities.html",
        found=found,
        rows=rows[:CITIES_A_PAGE],
        state=state if states else "",
        page=page,
        more=len(rows) > CITIES_A_PAGE,
        state_words=[(one.value, asked.say(word)) for one, word in CITIES.items()],
    )


def tiles(states: Mapping[CityState, int]) -> list[CityState]:
    """Up to TILES tiles, one for each municipality or, of more, by their shares; no state that there is goes without.

    What rounding leaves over or takes is the most frequent state's."""
    total = sum(states.values())
    count = min(total, TILES)
    shares = {state: max(1, states[state] * count // total) for state in ORDER if states.get(state)}
    if shares:
        shares[max(shares, key=lambda state: states[state])] += count - sum(shares.values())
    return [state for state, share in shares.items() for _ in range(share)]


def _shown(found: Headway) -> dict[str, Any]:
    return {"found": found, "working_shown": WORKING_SHOWN, "order": ORDER, "tiles": tiles(found.states)}


def _found(counts: Counting, wave: str) -> Headway:
    try:
        return counts.headway(wave)
    except InputError:
        raise HTTPException(404, "この番号の調査はありません。") from None
