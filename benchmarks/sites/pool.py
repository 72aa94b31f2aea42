"""The pages of a municipality before a site arranges them: topics by field, offices, series, and the evidence."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.sites import words
from benchmarks.sites.nodes import Node
from benchmarks.sites.town import Town, some_day
from benchmarks.sites.words import Category, Field, Series, Spot, Topic

PROCEDURES = {
    "todokede",
    "hoken",
    "nenkin",
    "zei",
    "nozei",
    "suido",
    "sumai",
    "hoiku",
    "teate",
    "kaigo",
    "shogaifukushi",
    "seikatsu",
    "bochi",
    "yobo",
    "kenshin",
}
PLANS = re.compile("計画|大綱|方針|戦略|ビジョン|プラン")
FORMS = ("申請書", "届出書", "委任状", "記入例", "申込書")
LEAFLETS = ("チラシ", "案内図", "別紙", "一覧表", "資料")
VOLUMES = ("本文", "概要版", "資料編", "第1章", "第2章", "意見の一覧")
ORG = "policy-05"  # its places show it on every site that has them
RECENT_YEAR = 2022  # from which items that settle a criterion are
HOW_MANY = (1, 2, 2, 3, 3)  # places that settle one criterion
NEAR = 0.85  # share of the near misses that a site has
SHARE_OF_TOPICS = 0.16  # of the pages of a small site


@dataclass
class Pool:
    town: Town
    first_year: int  # of its pages
    fields: list[Node] = field(default_factory=list)
    categories: dict[str, Node] = field(default_factory=dict)
    topics: dict[str, Node] = field(default_factory=dict)  # by category/topic
    offices: list[Node] = field(default_factory=list)
    series: dict[str, list[Node]] = field(default_factory=dict)
    org: Node = field(default_factory=lambda: Node("org", "組織から探す", "soshiki"))
    home: Node = field(default_factory=lambda: Node("home", "", ""))
    languages: Node = field(default_factory=lambda: Node("hub", "Foreign Language", "foreign"))


def chosen(rng: random.Random, thin: bool = False) -> list[Spot]:
    """The places this site has: one to three a criterion, and most near misses."""
    settling, kept = defaultdict(list), []
    for spot in words.spots():
        if spot.settles:
            settling[spot.criterion].append(spot)
        elif rng.random() < NEAR:
            kept.append(spot)
    few = (1, 2, 2)
    picked = [
        spot
        for criterion, places in settling.items()
        for spot in (
            places if criterion == ORG else rng.sample(places, min(len(places), rng.choice(few if thin else HOW_MANY)))
        )
    ]
    optional = {spot.place for spot in picked} & _optional()
    also = [spot for places in settling.values() for spot in places if spot.place in optional and spot not in picked]
    return picked + also + kept


def _optional() -> set[str]:
    return {
        f"{category.slug}/{topic.slug}"
        for one in words.fields()
        for category in one.categories
        for group in category.groups
        for topic in group.topics
        if topic.optional
    }


def grow(town: Town, rng: random.Random, spots: list[Spot], pages: int, shares: dict[str, float], first: int) -> Pool:
    """Everything but the lists. `shares`: thousandths of all pages by series, files counted."""
    pool = Pool(town, first)
    needed = {spot.place.split(" ")[0] for spot in spots} | {"soshiki-annai/bunsho"}
    every = [f"{c.slug}/{t.slug}" for f in words.fields() for c in f.categories for g in c.groups for t in g.topics]
    settled = {spot.place.split(" ")[0] for spot in spots if spot.settles}
    spare = sorted(set(every) - needed - _optional())
    room = max(0, int(pages * SHARE_OF_TOPICS) - len(settled))
    kept = needed | set(rng.sample(spare, min(len(spare), room)))
    pool.offices = [
        Node("office", one.name, f"{number:02}", "office", number) for number, one in enumerate(town.departments)
    ]
    for one in words.fields():
        pool.fields.append(_field(one, pool, rng, kept))
    for series in words.series():
        pool.series[series.key] = _items(series, pool, rng, pages * shares.get(series.key, series.share) / 1000)
    _relate(pool, rng)
    for spot in spots:
        _place(spot, pool, rng)
    return pool


def department(town: Town, names: Iterable[str], rng: random.Random) -> int:
    """The number of one of the named sections; of any that is not the digital one for '*'."""
    known = [one.name for one in town.departments]
    wanted = [known.index(name) for name in map(town.say, names) if name in known]
    return rng.choice(wanted or [number for number, name in enumerate(known) if name != town.digital])


def _field(one: Field, pool: Pool, rng: random.Random, kept: set[str]) -> Node:
    hub = Node("hub", pool.town.say(rng.choice(one.titles)), one.slug)
    for category in one.categories:
        node = _category(category, pool, rng, kept)
        pool.categories[category.slug] = node
        hub.add(node)
    return hub


def _category(one: Category, pool: Pool, rng: random.Random, kept: set[str]) -> Node:
    hub = Node("hub", pool.town.say(rng.choice(one.titles)), one.slug, dept=department(pool.town, one.departments, rng))
    for group in one.groups:
        below = hub
        if group.slug:
            below = Node("hub", pool.town.say(rng.choice(group.titles)), group.slug, dept=hub.dept)
            hub.add(below)
        for topic in group.topics:
            if f"{one.slug}/{topic.slug}" in kept:
                node = _topic(topic, one, pool, rng)
                pool.topics[f"{one.slug}/{topic.slug}"] = node
                below.add(node)
    return hub


def _topic(topic: Topic, category: Category, pool: Pool, rng: random.Random) -> Node:
    town = pool.town
    title = town.say(rng.choice(topic.titles))
    family = "plan" if PLANS.search(title) else "procedure" if category.slug in PROCEDURES else "guide"
    dept = department(town, category.departments, rng)
    node = Node("page", title, topic.slug, family, dept, some_day(rng, pool.first_year))
    if rng.random() < 0.45:
        names = {"plan": VOLUMES, "procedure": FORMS}.get(family, LEAFLETS)
        for label in rng.sample(names, rng.randrange(1, 4)):
            office = family == "procedure" and rng.random() < 0.4
            attach(node, "file" if office else "pdf", label)
    return node


def attach(node: Node, kind: str, label: str, first: bool = False) -> Node:
    """A file beside a page."""
    one = Node(kind, f"{node.title} {label}", "", node.family, node.dept, node.day, label, parent=node)
    node.files.insert(0 if first else len(node.files), one)
    return one


def _items(series: Series, pool: Pool, rng: random.Random, pages: float) -> list[Node]:
    fewest, most = series.pdfs
    count = max(4, int(pages / (1 + (fewest + most) / 2)))
    return sorted((_item(series, pool, rng) for _ in range(count)), key=lambda node: node.day, reverse=True)


def _item(series: Series, pool: Pool, rng: random.Random, title: str = "", recent: bool = False) -> Node:
    day, town = some_day(rng, RECENT_YEAR if recent else pool.first_year), pool.town
    dept = department(town, series.departments, rng)
    text = town.fill(town.say(title or rng.choice(series.titles)), rng, day, dept)
    node = Node("page", text, series.key, series.family, dept, day)
    for label in rng.sample(series.labels, min(len(series.labels), rng.randint(*series.pdfs))):
        attach(node, "pdf", label)
    return node


def _relate(pool: Pool, rng: random.Random) -> None:
    """Links between topics of one field, and from news to topics."""
    for one in pool.fields:
        topics = [node for node in one.walk() if node.kind == "page"]
        for node in topics:
            others = rng.sample(topics, min(len(topics), rng.choice((0, 0, 1, 2, 3))))
            node.related = [other for other in others if other is not node]
    topics = list(pool.topics.values())
    for node in pool.series["news"]:
        if rng.random() < 0.25:
            node.related = [rng.choice(topics)]


def _place(spot: Spot, pool: Pool, rng: random.Random) -> None:
    head, _, rest = spot.place.partition(" ")
    if head == "org":
        if node := _org(rest, pool):
            node.proves.append(spot.criterion)
        return
    node = pool.languages if head == "lang" else pool.home if head == "home" else _host(head, rest, pool, rng)
    wording = rng.choice(spot.wordings)
    text = pool.town.fill(pool.town.say(wording.text), rng, node.day, node.dept)
    if text:
        node.facts.append(text)
    if spot.settles:
        node.proves += [spot.criterion, *wording.also]
    else:
        node.near.append(spot.criterion)


def _org(what: str, pool: Pool) -> Node | None:
    """Where the digital duty shows: the list of sections only if a name tells it."""
    if what == "list":
        return pool.org if pool.town.digital else None
    if what == "duties":
        node = pool.topics.get("soshiki-annai/bunsho")
        if node is not None:
            node.family = "duties"
        return node
    return next(node for node in pool.offices if "電子化" in pool.town.departments[node.dept].duties)


def _host(head: str, rest: str, pool: Pool, rng: random.Random) -> Node:
    """The page or file that carries a sentence."""
    if head in pool.topics:
        node = pool.topics[head]
        if not rest:
            return node
        return attach(node, "pdf", rng.choice(rest.removeprefix("pdf ").split("|")), rng.random() < 0.3)
    series = next(one for one in words.series() if one.key == head)
    if head in ("news", "faq"):
        dept, titles = rest.split(" ", 1)
        return _new(series, pool, rng, rng.choice(titles.split("|")), dept)
    items = [one for one in pool.series[head] if one.day.year >= 2023 and not one.proves] or pool.series[head]
    if head == "facility":
        named = [one for one in items if one.title.endswith(rest)]
        return rng.choice(named) if named else _new(series, pool, rng, "{place}" + rest)
    if head == "committee":
        return _in_a_file(_new(series, pool, rng, "{year}第{floor}回" + rest), rng, "資料3", 0.7)
    if head == "minutes":
        return _in_a_file(_new(series, pool, rng, "{year}第{floor}回定例会 一般質問"), rng, "会議録", 0.6)
    if head == "koho":
        return _in_a_file(rng.choice(items), rng, "全ページ", 1)
    return rng.choice(items) if rng.random() < 0.6 else _new(series, pool, rng, rng.choice(rest.split("|")))


def _new(series: Series, pool: Pool, rng: random.Random, title: str, dept: str = "") -> Node:
    node = _item(series, pool, rng, title, recent=True)
    if dept:
        node.dept = department(pool.town, [dept], rng)
    items = pool.series[series.key]
    at = next((number for number, other in enumerate(items) if other.day < node.day), len(items))
    items.insert(at, node)
    return node


def _in_a_file(node: Node, rng: random.Random, label: str, share: float) -> Node:
    """One of its PDFs, or the page itself."""
    if rng.random() >= share:
        return node
    for one in node.files:
        if one.label == label:
            return one
    return attach(node, "pdf", label)
