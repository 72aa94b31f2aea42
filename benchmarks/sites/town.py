"""A fictional municipality: its name, its departments, and the words that fill the gaps of a sentence."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks.sites import words
from benchmarks.sites.nodes import TODAY
from benchmarks.sites.words import Department

DIGITAL = ("デジタル推進課", "DX推進室", "情報政策課", "ICT推進室")
DUTIES = "行政手続の電子化、庁内の情報システム、情報化の総合調整"
WEEKDAYS = "月火水木金"
ROMAJI = ("kasumi", "midori", "asagiri", "mizutani", "naruhama", "ashizu", "kirigasato", "kusue", "hasumi", "chigusa")


@dataclass(frozen=True)
class Town:
    name: str
    romaji: str
    prefecture: str
    places: tuple[str, ...]
    departments: tuple[Department, ...]
    digital: str  # the section whose name tells its digital duty; '' where only a list of duties tells it
    mayor: str

    @property
    def is_town(self) -> bool:
        return self.name.endswith("町")

    def say(self, text: str) -> str:
        return words.localised(text, self.is_town)

    def slots(self, rng: random.Random, day: date = TODAY, dept: int = 0, title: str = "") -> dict[str, object]:
        """A value for every gap that a sentence or a title may have."""
        pools = words.names()
        place, place2 = rng.sample(self.places, 2)
        drawn: dict[str, object] = {
            name: rng.choice(pools[name])
            for name in ("facility", "event", "work", "supply", "tale", "alert", "group", "spot")
        }
        drawn |= {name: rng.choice(pools[name]) for name in ("field", "ordinance", "ask", "stat", "person")}
        return drawn | {
            "city": self.name,
            "romaji": self.romaji,
            "prefecture": self.prefecture,
            "place": place,
            "place2": place2,
            "title": title,
            "dept": self.departments[dept].name,
            "year": era(day),
            "date": f"{day.month}月{day.day}日",
            "month": day.month,
            "day": day.day,
            "n": rng.randrange(12, 480),
            "days": rng.randrange(4, 30),
            "floor": rng.randrange(1, 6),
            "percent": rng.randrange(21, 96),
            "yen": rng.randrange(1, 12) * 100,
            "weekday": rng.choice(WEEKDAYS),
        }

    def fill(self, text: str, rng: random.Random, day: date = TODAY, dept: int = 0) -> str:
        return text.format_map(self.slots(rng, day, dept)) if "{" in text else text


def era(day: date) -> str:
    """The fiscal year of a day, as offices write it."""
    year = day.year - (day.month < 4)
    return f"令和{year - 2018 if year > 2019 else '元'}年度" if year >= 2019 else f"平成{year - 1988}年度"


def found(rng: random.Random, town: bool) -> Town:
    """Draws a municipality."""
    pools = words.names()
    number = rng.randrange(len(pools["town" if town else "city"]))
    name = pools["town" if town else "city"][number]
    every = [Department(*(words.localised(part, town) for part in vars(one).values())) for one in words.departments()]
    digital = rng.choice(DIGITAL) if rng.random() < 0.6 else ""
    return Town(
        name=name,
        romaji=f"{ROMAJI[number]}-{'town' if town else 'city'}",
        prefecture=rng.choice(pools["prefecture"]),
        places=tuple(rng.sample(pools["place"], 18 if town else 40)),
        departments=tuple(_with_digital(every, digital, rng)),
        digital=digital,
        mayor=f"{rng.choice(pools['person'])} {rng.choice(('一郎', '恵', '和彦', '直子', '茂'))}",
    )


def _with_digital(every: list[Department], digital: str, rng: random.Random) -> list[Department]:
    if digital:
        at = rng.randrange(8, 13)  # among the sections of 企画部
        return [*every[:at], Department(every[9].division, digital, DUTIES), *every[at:]]
    keeper = rng.choice(("行政経営課", "総務課", "企画政策課"))
    return [
        Department(one.division, one.name, f"{one.duties}、{DUTIES}") if one.name == keeper else one for one in every
    ]


def some_day(rng: random.Random, first: int) -> date:
    """A day up to today; the recent ones are likelier."""
    span = (TODAY - date(first, 4, 1)).days
    return TODAY - timedelta(days=int(span * rng.random() ** 1.4))
