"""A municipality of the nation as a town that the generator of sites can write about."""

from __future__ import annotations

import random
from functools import cache

from benchmarks.nation.registry import Row
from benchmarks.sites import words
from benchmarks.sites.town import DIGITAL, DUTIES, Town
from benchmarks.sites.words import Department

_PLACES = 18
_PLANNING = "企画部"


def town(row: Row, rng: random.Random, digital: bool) -> Town:
    """digital: whether a section of its own has the digital duties; where none has, no list of duties tells of them."""
    pools = words.names()
    section = rng.choice(DIGITAL) if digital else ""
    departments = _departments(row.is_town)
    if section:
        at = next(number for number, one in enumerate(departments) if one.division == _PLANNING)
        departments = (*departments[:at], Department(_PLANNING, section, DUTIES), *departments[at:])
    return Town(
        name=row.name,
        romaji=row.host.split(".")[1],
        prefecture=row.prefecture,
        places=tuple(rng.sample(pools["place"], _PLACES)),
        departments=departments,
        digital=section,
        mayor=rng.choice(pools["person"]),
    )


@cache
def _departments(is_town: bool) -> tuple[Department, ...]:
    return tuple(
        Department(*(words.localised(part, is_town) for part in vars(one).values())) for one in words.departments()
    )
