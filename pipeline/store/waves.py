"""Waves: which municipalities a survey of many asks for, how far each has come, and what the models may still cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from pipeline.errors import InputError
from pipeline.models import SETTLED, CityState, Wave, WaveCity
from pipeline.store.database import Database, restored, stored
from pipeline.store.tables import holds, wave_cities, waves

_NANO = Decimal(1_000_000_000)  # of one US dollar


class Waves:
    """Every method raises StoreError where the database cannot be read or written.

    holder: where it is given, nothing is written unless that holder has the municipality (holds), in one transaction
    with the check: a worker that was stopped and comes back late can spoil nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, wave: Wave, cities: Sequence[WaveCity]) -> None:
        """Records a new wave with its municipalities, all or nothing."""
        with self._database.writing(f"begin wave {wave.id}") as connection:
            connection.execute(insert(waves).values(_wave_values(wave) | {"committed": 0}))
            connection.execute(insert(wave_cities), [_values(one) for one in cities])

    def save(self, wave: Wave) -> None:
        """Changes the terms of a wave that has begun, such as its cap."""
        with self._database.writing(f"change wave {wave.id}") as connection:
            connection.execute(update(waves).where(waves.c.id == wave.id).values(_wave_values(wave)))

    def all(self) -> list[Wave]:
        """Every wave, oldest first."""
        with self._database.reading("read the waves") as connection:
            rows = connection.execute(select(waves.c.id, waves.c.body).order_by(waves.c.id)).all()
        return [restored(Wave, row.body, f"wave {row.id}") for row in rows]

    def find(self, wave_id: str = "") -> Wave:
        """The wave of that id, or the newest. Raises InputError where there is none."""
        query = select(waves.c.id, waves.c.body).order_by(waves.c.id.desc()).limit(1)
        with self._database.reading("read the waves") as connection:
            row = connection.execute(query.where(waves.c.id == wave_id) if wave_id else query).one_or_none()
        if row is None:
            raise InputError(f"wave {wave_id or '(newest)'}: there is none here. `classify nation` begins one.")
        return restored(Wave, row.body, f"wave {row.id}")

    def ids(self, *, limit: int) -> list[str]:
        """Of the newest waves, newest first."""
        query = select(waves.c.id).order_by(waves.c.id.desc()).limit(limit)
        with self._database.reading("read the waves") as connection:
            return list(connection.execute(query).scalars())

    def cities(self, wave_id: str, states: Collection[CityState] = ()) -> list[WaveCity]:
        """The municipalities of a wave (in these states), by code."""
        query = select(wave_cities).where(wave_cities.c.wave == wave_id).order_by(wave_cities.c.code)
        query = query.where(wave_cities.c.state.in_([one.value for one in states])) if states else query
        with self._database.reading(f"read wave {wave_id}") as connection:
            return [_city(row) for row in connection.execute(query)]

    def listed(self, wave_id: str, states: Collection[CityState] = (), *, limit: int, skip: int = 0) -> list[WaveCity]:
        """So many of the municipalities of a wave (in these states), by code, after the first `skip`."""
        query = select(wave_cities).where(wave_cities.c.wave == wave_id).order_by(wave_cities.c.code)
        query = query.where(wave_cities.c.state.in_([one.value for one in states])) if states else query
        with self._database.reading(f"read wave {wave_id}") as connection:
            return [_city(row) for row in connection.execute(query.limit(limit).offset(skip))]

    def city(self, wave_id: str, code: str) -> WaveCity:
        """That municipality of a wave. Raises InputError where it has none of that code."""
        with self._database.reading(f"read wave {wave_id}") as connection:
            row = connection.execute(_one(wave_id, code)).one_or_none()
        if row is None:
            raise InputError(f"wave {wave_id}: municipality {code} is not part of it.")
        return _city(row)

    def unsettled(self) -> list[tuple[str, str, CityState]]:
        """Of all waves what is not settled: id of the wave, code, state."""
        c = wave_cities.c
        query = select(c.wave, c.code, c.state).where(c.state.not_in([one.value for one in SETTLED]))
        with self._database.reading("read what is left of the waves") as connection:
            return [
                (row.wave, row.code, CityState(row.state)) for row in connection.execute(query.order_by(c.wave, c.code))
            ]

    def counts(self, wave_id: str) -> Counter[CityState]:
        """How many municipalities are in which state."""
        c = wave_cities.c
        query = select(c.state, func.count()).where(c.wave == wave_id).group_by(c.state)
        with self._database.reading(f"count wave {wave_id}") as connection:
            return Counter({CityState(state): count for state, count in connection.execute(query)})

    def move(
        self, wave_id: str, code: str, *, of: Collection[CityState] = (), holder: str = "", **changes: Any
    ) -> WaveCity | None:
        """Changes fields of a municipality (state, run_id, cause ...) and returns it as it then stands; None, nothing
        changed, where it is in no state of `of` or its holder is another."""
        with self._database.writing(f"record how far {code} has come") as connection:
            row = connection.execute(_one(wave_id, code).with_for_update()).one_or_none()
            if row is None or (holder and not _holds(connection, code, holder)):
                return None
            city = _city(row)
            if of and city.state not in of:
                return None
            changed = WaveCity.model_validate(city.model_dump() | changes)
            _save(connection, [changed])
        return changed

    def note_pages(self, wave_id: str, pages: Mapping[str, int]) -> None:
        """How many pages each of these municipalities has read by now."""
        c = wave_cities.c
        with self._database.writing(f"record the pages of wave {wave_id}") as connection:
            for code, count in sorted(pages.items()):
                connection.execute(update(wave_cities).where(c.wave == wave_id, c.code == code).values(pages=count))

    def reset(
        self, wave_id: str, states: Collection[CityState], codes: Collection[str] = (), *, to: CityState
    ) -> list[WaveCity]:
        """Puts municipalities (of these codes) from any of these states into another; returns those concerned."""
        query = select(wave_cities).where(wave_cities.c.wave == wave_id).order_by(wave_cities.c.code)
        query = query.where(wave_cities.c.state.in_([one.value for one in states]))
        with self._database.writing(f"change wave {wave_id}") as connection:
            found = [_city(row) for row in connection.execute(query.with_for_update())]
            changed = [
                one.model_copy(update={"state": to}) for one in found if not codes or one.municipality.code in codes
            ]
            _save(connection, changed)
        return changed

    # --- money --------------------------------------------------------------------------------------------------------

    def reserve(self, wave_id: str, most: Decimal) -> bool:
        """Sets US dollars aside for one call to a model; False where the cap of the wave leaves no room for it.

        What a worker set aside and never settled, because it was killed, stays set aside: it may have been billed.
        """
        nano = _nano(most)
        fits = or_(waves.c.cap.is_(None), waves.c.committed + nano <= waves.c.cap)
        change = update(waves).where(waves.c.id == wave_id, fits).values(committed=waves.c.committed + nano)
        with self._database.writing(f"reserve money in wave {wave_id}") as connection:
            return connection.execute(change).rowcount == 1

    def settle(self, wave_id: str, most: Decimal, actual: Decimal) -> None:
        """Puts what a call did cost in the place of what was set aside for it."""
        change = update(waves).where(waves.c.id == wave_id)
        with self._database.writing(f"settle a call of wave {wave_id}") as connection:
            connection.execute(change.values(committed=waves.c.committed - _nano(most) + _nano(actual)))

    def money(self, wave_id: str) -> tuple[Decimal, Decimal | None]:
        """US dollars spent or set aside, and the cap or None."""
        with self._database.reading(f"read the budget of wave {wave_id}") as connection:
            row = connection.execute(select(waves.c.committed, waves.c.cap).where(waves.c.id == wave_id)).one()
        return row.committed / _NANO, None if row.cap is None else row.cap / _NANO


def _wave_values(wave: Wave) -> dict[str, Any]:
    cap = wave.judging.max_cost
    return {
        "id": wave.id,
        "body": stored(wave, f"wave {wave.id}"),
        "cap": None if cap is None else int(Decimal(str(cap)) * _NANO),
    }


def _nano(usd: Decimal) -> int:
    return int((usd * _NANO).to_integral_value(ROUND_CEILING))


def _one(wave_id: str, code: str) -> Any:
    return select(wave_cities).where(wave_cities.c.wave == wave_id, wave_cities.c.code == code)


def _holds(connection: Connection, code: str, holder: str) -> bool:
    """Whether the municipality is that holder's; in PostgreSQL it stays so until the transaction ends."""
    query = select(holds.c.holder).where(holds.c.code == code, holds.c.holder == holder).with_for_update()
    return connection.execute(query).one_or_none() is not None


def _save(connection: Connection, cities: Iterable[WaveCity]) -> None:
    for city in cities:
        values = _values(city)
        same = (wave_cities.c.wave == values["wave"]) & (wave_cities.c.code == values["code"])
        connection.execute(update(wave_cities).where(same).values(values))


def _values(city: WaveCity) -> dict[str, Any]:
    return {
        "wave": city.wave,
        "code": city.municipality.code,
        "state": city.state.value,
        "run_id": city.run_id,
        "cause": city.cause,
        "pages": city.pages,
        "body": stored(city, f"{city.municipality.name} of wave {city.wave}"),
    }


def _city(row: Any) -> WaveCity:
    """The noun, with the pages that were counted since its last change of state."""
    city = restored(WaveCity, row.body, f"municipality {row.code} of wave {row.wave}")
    return city if city.pages == row.pages else city.model_copy(update={"pages": row.pages})
