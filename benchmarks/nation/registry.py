"""The registry of a simulated nation: names, prefectures, codes and home pages, as `--registry FILE` reads them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.nation.names import name
from benchmarks.nation.plan import Nation
from pipeline.municipality.naming import check_digit
from pipeline.municipality.prefectures import HOST_LABELS

# Municipalities of each prefecture in the order of their codes: 1,741 (全国地方公共団体コード, code4fukui/localgovjp).
_COUNTS = (
    "179 40 33 35 25 35 59 44 25 35 63 54 62 33 30 15 19 17 27 77 42 35 54 29 19 26 43 41 39 30 19 19 27 23 19 24 17 "
    "20 34 60 20 21 45 18 26 43 41"
)
COUNTS = dict(zip(HOST_LABELS, map(int, _COUNTS.split()), strict=True))
# Numbers within a prefecture begin where no municipality has one: kinds of places go by real codes.
_FIRST_NUMBER = 800
_NUMBERS = 999
_TOWNS = 0.53  # share of towns among Japan's municipalities (926 of 1,741 are 町 or 村)
COLUMNS = ("pref", "city", "citykana", "url", "lgcode")


class Row(NamedTuple):
    """One line of the registry. number: of the municipality in its nation."""

    number: int
    prefecture: str
    name: str
    kana: str
    code: str
    host: str

    @property
    def is_town(self) -> bool:
        return self.name.endswith("町")


def row(nation: Nation, number: int) -> Row:
    """The municipality of that number; it does not depend on how many there are."""
    named = name(number, nation.draw(number, "town") < _TOWNS)
    prefecture, place = _prefecture(number)
    return Row(number, prefecture, named.text, named.kana, _code(prefecture, place), nation.host(number))


def rows(nation: Nation, count: int | None = None) -> Iterator[Row]:
    """The first `count` municipalities, or all."""
    return islice((row(nation, number) for number in range(1, nation.cities + 1)), count)


def write(nation: Nation, path: Path, port: int, count: int | None = None) -> None:
    """Writes the CSV, its home pages on that port."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for one in rows(nation, count):
            lines.writerow((one.prefecture, one.name, one.kana, f"http://{one.host}:{port}/", one.code))


@cache
def _order() -> tuple[tuple[str, int], ...]:
    """Prefecture and place within it of 1,741 municipalities, each prefecture spread evenly over the whole."""
    spread = [((place + 0.5) / count, name, place) for name, count in COUNTS.items() for place in range(count)]
    return tuple((name, place) for _, name, place in sorted(spread, key=lambda one: one[0]))


def _prefecture(number: int) -> tuple[str, int]:
    turn, place = divmod(number - 1, len(_order()))
    prefecture, within = _order()[place]
    return prefecture, turn * COUNTS[prefecture] + within


def _code(prefecture: str, place: int) -> str:
    """Six digits: the prefecture, a number within it, the check digit. ValueError where its numbers are used up."""
    if place >= _NUMBERS:
        raise ValueError(f"{prefecture} has {_NUMBERS} codes; take fewer municipalities")
    number = (_FIRST_NUMBER + place - 1) % _NUMBERS + 1
    digits = f"{list(COUNTS).index(prefecture) + 1:02}{number:03}"
    return digits + check_digit(digits)
