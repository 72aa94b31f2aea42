"""What the site of one municipality holds: pages and files, what is told on them, and which criteria that settles."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from benchmarks.nation.plan import Nation
from benchmarks.nation.registry import Row
from benchmarks.nation.towns import town
from benchmarks.sites import words
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import PLANS, PROCEDURES, attach, department
from benchmarks.sites.town import Town, some_day
from benchmarks.sites.words import Category, Field, Series, Spot, Topic, Wording

ORG = "policy-05"  # settled by the list of sections
_LEAST, _MOST = 0.05, 0.95  # of the criteria that a municipality meets, if its site has the room
_TELLING = 0.7  # of a site's room that pages with something to tell may take
_NEAR = 0.3  # share of the near misses that are tried
_FIRST_YEAR = 2021
_NEWS = "oshirase"
_HUB_OF_SERIES = {"facility": "kanko", "press": "shisei", "committee": "shisei", "minutes": "shisei", "koho": "shisei"}
_PDF = 0.2  # share of the other pages that have a file


@dataclass(frozen=True)
class Content:
    """A planned site. nodes: pages and files, the home page first; settled: criteria that something on them settles."""

    town: Town
    home: Node
    nodes: tuple[Node, ...]
    settled: frozenset[str]


def content(nation: Nation, row: Row) -> Content:
    """The site of a municipality, the same each time."""
    rng = random.Random(f"{nation.seed} {row.number}")
    maturity = rng.uniform(_LEAST, _MOST)
    met = [criterion for criterion in (ORG, *spots()) if rng.random() < maturity]
    growing = _Growing(town(row, rng, digital=ORG in met), rng, nation.pages(row.number))
    growing.tell([rng.choice(spots()[criterion]) for criterion in met if criterion != ORG])
    growing.fill()
    growing.number()
    nodes = tuple(growing.home.walk())
    proved = frozenset(criterion for node in nodes for criterion in node.proves)
    return Content(growing.town, growing.home, nodes, proved | ({ORG} & set(met)))


@cache
def spots() -> dict[str, tuple[Spot, ...]]:
    """Places that settle a criterion. Those told by a link to another site are left out: a trial asks nobody else."""
    found = defaultdict(list)
    for spot in words.spots():
        if spot.settles and _told(spot) and spot.place.split(" ")[0] not in ("org", "home", "lang"):
            found[spot.criterion].append(spot)
    return {criterion: tuple(places) for criterion, places in found.items()}


@cache
def _near() -> tuple[Spot, ...]:
    return tuple(spot for spot in words.spots() if not spot.settles and _told(spot))


def _told(spot: Spot) -> tuple[Wording, ...]:
    return tuple(one for one in spot.wordings if "⟨" not in one.text)


@cache
def _topics() -> dict[str, tuple[Field, Category, Topic]]:
    return {
        f"{category.slug}/{topic.slug}": (field, category, topic)
        for field in words.fields()
        for category in field.categories
        for group in category.groups
        for topic in group.topics
    }


@cache
def _spare() -> tuple[str, ...]:
    """Topics that any site may have; nothing on them settles a criterion."""
    return tuple(key for key, (_, _, topic) in _topics().items() if not topic.optional)


@cache
def _series() -> dict[str, Series]:
    return {one.key: one for one in words.series()}


class _Growing:
    """A site as it gets its pages."""

    def __init__(self, town: Town, rng: random.Random, room: int) -> None:
        self.town, self.rng, self.room = town, rng, room
        self.home = Node("home", town.name)
        self.org = Node("org", "組織から探す", "soshiki", "duties")
        self.home.add(self.org)
        self.hubs: dict[str, Node] = {}
        self.topics: dict[str, Node] = {}
        self.used = 2

    def tell(self, settling: list[Spot]) -> None:
        """Places what settles criteria, then near misses, as far as there is room."""
        near = [spot for spot in _near() if self.rng.random() < _NEAR]
        for spot in (*self.rng.sample(settling, len(settling)), *self.rng.sample(near, len(near))):
            if self.used >= self.room * _TELLING:
                return
            self._place(spot)

    def fill(self) -> None:
        """Pages that tell nothing of the kind, up to the size of the site."""
        spare = self.rng.sample(_spare(), min(len(_spare()), self.room))
        while self.used < self.room:
            if self.rng.random() < 0.4:
                node = self._item(_series()["news"], self.rng.choice(_series()["news"].titles), "*")
            else:
                node = self._topic(spare.pop())
            if self.used < self.room and self.rng.random() < _PDF:
                self._attach(node, "資料")

    def number(self) -> None:
        """Gives every page and file its address."""
        self.home.path, self.org.path = "/", "/soshiki/"
        for slug, hub in self.hubs.items():
            hub.path = f"/{slug}/"
            for at, node in enumerate(hub.children, 1):
                node.path = f"/{slug}/{at:03}.html"
                for file, one in enumerate(node.files, 1):
                    one.path = f"/{slug}/files/{at:03}-{file}.pdf"

    def _place(self, spot: Spot) -> None:
        head, _, rest = spot.place.partition(" ")
        wording = self.rng.choice(_told(spot))
        node = self._topic(head) if head in _topics() else self._of_series(head, rest)
        if rest.startswith("pdf "):
            node = self._attach(node, self.rng.choice(rest.removeprefix("pdf ").split("|")))
        node.facts.append(self.town.fill(self.town.say(wording.text), self.rng, node.day, node.dept))
        if spot.settles:
            node.proves += [spot.criterion, *wording.also]
        else:
            node.near.append(spot.criterion)

    def _topic(self, key: str) -> Node:
        if key not in self.topics:
            field, category, topic = _topics()[key]
            title = self.town.say(self.rng.choice(topic.titles))
            family = "plan" if PLANS.search(title) else "procedure" if category.slug in PROCEDURES else "guide"
            dept = department(self.town, category.departments, self.rng)
            node = Node("page", title, "", family, dept, some_day(self.rng, _FIRST_YEAR))
            self._hub(field.slug, self.rng.choice(field.titles)).add(node)
            self.topics[key] = node
            self.used += 1
        return self.topics[key]

    def _of_series(self, key: str, rest: str) -> Node:
        """A new item of a series that can carry a sentence."""
        series = _series()[key]
        if key in ("news", "faq"):
            dept, titles = rest.split(" ", 1)
            return self._item(series, self.rng.choice(titles.split("|")), dept)
        written = {"committee": "{year}第{floor}回" + rest, "facility": "{place}" + rest}
        return self._item(series, written.get(key) or self.rng.choice(series.titles), "")

    def _item(self, series: Series, title: str, dept: str) -> Node:
        day = some_day(self.rng, _FIRST_YEAR)
        number = department(self.town, [dept] if dept else series.departments, self.rng)
        text = self.town.fill(self.town.say(title), self.rng, day, number)
        node = Node("page", text, "", series.family, number, day)
        self._hub(_HUB_OF_SERIES.get(series.key, _NEWS), "").add(node)
        self.used += 1
        return node

    def _attach(self, node: Node, label: str) -> Node:
        self.used += 1
        return attach(node, "pdf", label)

    def _hub(self, slug: str, title: str) -> Node:
        if slug not in self.hubs:
            titles = next((one.titles for one in words.fields() if one.slug == slug), ("新着情報", "お知らせ"))
            self.hubs[slug] = Node("hub", self.town.say(title or self.rng.choice(titles)), slug)
            self.home.add(self.hubs[slug])
            self.used += 1
        return self.hubs[slug]
