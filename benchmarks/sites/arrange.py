"""How the pages of a municipality hang together: lists by year, by place and by kind, life events, other languages."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable

from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.words import names

FLAT_ITEMS = 45  # a list of so many needs no years
LIFE = {
    "妊娠・出産": "ninshin teate kenshin",
    "子育て": "hoiku teate yobo gakudo",
    "入園・入学": "hoiku gakko",
    "就職・退職": "hoken nenkin koyo",
    "結婚・離婚": "todokede teate",
    "引っ越し": "todokede gomi suido gakko",
    "住まい": "sumai zei suido",
    "病気・けが": "iryo hoken kenshin",
    "高齢・介護": "korei kaigo",
    "障害": "shogaifukushi",
    "おくやみ": "todokede bochi nenkin",
    "災害のとき": "sonae hinan shobo",
    "事業を営む": "shoko nyusatsu zei",
}
LANGUAGES = {"en": "English", "zh": "中文", "ko": "한국어", "vi": "Tiếng Việt"}
FOREIGN = {
    "en": ("Moving in", "Garbage", "Health insurance", "Schools", "Tax", "Emergency 119", "Shelters", "City map"),
    "zh": ("迁入手续", "垃圾分类", "国民健康保险", "学校", "税金", "防灾", "避难所", "市区地图"),
    "ko": ("전입신고", "쓰레기", "국민건강보험", "학교", "세금", "방재", "대피소", "안내도"),
    "vi": ("Chuyển đến", "Rác", "Bảo hiểm y tế", "Trường học", "Thuế", "Khẩn cấp 119", "Nơi lánh nạn", "Bản đồ"),
}
POPULAR = (
    "todokede/juminhyo",
    "gomi/bunbetsu",
    "gomi/shushubi",
    "hinan/hinanjo",
    "kenshin/gan",
    "hoiku/hoiku-moshikomi",
    "iryo/kyujitsu",
    "saiyo/saiyo-shiken",
    "nyusatsu/hacchu",
    "keikaku/furusato",
    "tosho/tosho-riyo",
    "todokede/mynumber",
    "sonae/hazard",
)


def by_year(title: str, slug: str, items: Iterable[Node], months: bool = False) -> Node:
    """A list with a list for every year below it, and for every month where wanted."""
    hub, years = Node("hub", title, slug), defaultdict(list)
    for node in items:
        years[node.day.year].append(node)
    if sum(map(len, years.values())) <= FLAT_ITEMS:
        hub.add(*(node for year in sorted(years, reverse=True) for node in years[year]))
        return hub
    for year in sorted(years, reverse=True):
        below = Node("hub", f"{title} {year}年", str(year), label=f"{year}年")
        hub.add(below)
        _fill_year(below, years[year], months)
    return hub


def _fill_year(year: Node, items: list[Node], months: bool) -> None:
    if not months:
        year.add(*items)
        return
    for month in range(12, 0, -1):
        named = [node for node in items if node.day.month == month]
        if named:
            below = Node("hub", f"{year.title}{month}月", f"{month:02}", label=f"{month}月")
            year.add(below)
            below.add(*named)


def by_key(title: str, slug: str, items: Iterable[Node], key: Callable[[Node], str]) -> Node:
    """A list with a list for every value of a key below it."""
    hub, groups = Node("hub", title, slug), defaultdict(list)
    for node in items:
        groups[key(node)].append(node)
    for number, name in enumerate(sorted(groups), 1):
        below = Node("hub", name, f"{number:02}")
        hub.add(below)
        below.add(*groups[name])
    return hub


def facilities(pool: Pool, title: str) -> Node:
    kinds = names()["facility"]
    return by_key(
        title, "shisetsu", pool.series["facility"], lambda node: next(k for k in kinds if node.title.endswith(k))
    )


def laws(pool: Pool, title: str, rng: random.Random) -> Node:
    chapters = [f"第{number}編" for number in range(1, 10)]
    return by_key(title, "reiki", pool.series["law"], lambda node: rng.choice(chapters))


def questions(pool: Pool, title: str) -> Node:
    divisions = pool.town.departments
    return by_key(title, "faq", pool.series["faq"], lambda node: divisions[node.dept].division)


def life_events(pool: Pool, rng: random.Random) -> Node:
    """Lists of topics by what happens in life; the topics are at home elsewhere."""
    hub = Node("hub", rng.choice(("くらしのできごと", "ライフイベント", "人生のできごとから探す")), "lifeevent")
    for number, (title, slugs) in enumerate(LIFE.items(), 1):
        below = Node("hub", title, f"{number}")
        hub.add(below)
        known = [node for key, node in pool.topics.items() if key.split("/")[0] in slugs.split()]
        below.add(*sorted(rng.sample(known, min(len(known), rng.randrange(6, 14))), key=known.index))
    return hub


def languages(pool: Pool, rng: random.Random) -> Node:
    """A folder for each language; of English alone where nothing shows several."""
    hub = pool.languages
    several = bool(hub.proves)
    count = rng.randrange(2, 5) if several else 1
    hub.title = (
        rng.choice(("Foreign Language", "外国語のページ", "Languages")) if several else "Information for residents"
    )
    hub.label = "" if several else "English"
    for code in list(LANGUAGES)[:count]:
        below = Node("hub", LANGUAGES[code], code) if several else hub
        if several:
            hub.add(below)
        for number, title in enumerate(FOREIGN[code], 1):
            below.add(Node("page", title, f"{number:02}", code))
    return hub


def popular(pool: Pool, rng: random.Random) -> list[Node]:
    known = [pool.topics[key] for key in POPULAR if key in pool.topics]
    return rng.sample(known, min(len(known), 6))


def fill_offices(pool: Pool, series: Iterable[str]) -> None:
    """Below each section, the pages it answers for."""
    nodes = [*pool.topics.values(), *(node for key in series for node in pool.series[key])]
    for node in nodes:
        pool.offices[node.dept].add(node)
    pool.org.add(*pool.offices)


def paged(root: Node, size: int) -> None:
    """Gives every list that is longer than a page its further pages."""
    for node in list(root.walk()):
        if node.kind in ("hub", "office"):
            node.more = [
                Node("list", f"{node.title}（{number}ページ）", str(number), label=str(number), parent=node)
                for number in range(2, (len(node.children) - 1) // size + 2)
            ]
