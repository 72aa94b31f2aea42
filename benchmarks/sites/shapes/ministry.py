"""A designated city: wards, large archives of plans, councils and minutes with their PDFs, press releases by month."""

from __future__ import annotations

import random
from collections import defaultdict
from zlib import crc32

from benchmarks.sites import arrange
from benchmarks.sites.body import Marks
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.shapes.base import Shape
from benchmarks.sites.words import names

LAYOUT = """<!DOCTYPE html>
<html lang="ja" prefix="og: http://ogp.me/ns#">
<head>
<meta charset="UTF-8">
<title>{title}</title>
<meta property="og:title" content="{heading}"><meta property="og:type" content="article">
<link rel="stylesheet" href="/css/common.css" media="all">
{script}
</head>
<body id="pagetop">
<header id="header"><p class="logo"><a href="{home}">{city}</a></p>
<nav class="gnav"><ul>{header}</ul></nav>
<div class="drawer" aria-hidden="true"><button>メニュー</button><ul>{header}</ul></div></header>
<p class="topicpath">{crumbs}</p>
<main><h1>{heading}</h1>
{main}
<div class="share"><a href="https://twitter.com/intent/tweet?url=x">ツイート</a>
<a href="https://social-plugins.line.me/lineit/share?url=x">LINEで送る</a></div>
</main>
<aside class="local"><ul>{side}</ul></aside>
<footer><ul>{footer}</ul><p>{city}役所 午前9時から午後5時30分まで</p></footer>
</body>
</html>
"""
WARD_SERIES = ("facility", "event", "recruit", "news")
WARD_LISTS = {"facility": "区内の施設", "event": "区のイベント", "recruit": "区の募集", "news": "区のお知らせ"}
WARD_SHARE = {"facility": 0.8, "event": 0.7, "recruit": 0.4, "news": 0.35}  # of the items of a series
WARD_PAGES = ("区長あいさつ", "区の概要", "区役所の窓口", "区の花と木", "区民まつり", "区役所への交通")
PORTALS = 0.6  # share of the sites that put the fields below a few doors
DOORS = {
    "くらしの情報": ("kurashi", "bosai", "kosodate", "kenko"),
    "事業者の方へ": ("sangyo",),
    "市の情報": ("kanko", "shisei"),
}
BUREAUS = ("shimin", "kenko", "kodomo", "kensetsu", "somu", "kankyo", "keizai", "kyoiku")


class Ministry(Shape):
    name = "ministry"
    thin = True
    sitemap = True
    layout = LAYOUT
    list_size = 50
    marks = Marks(heading='<h2 class="ttl">{}</h2>', section='<section class="block">{}</section>')
    shares = {
        "news": 110, "event": 45, "bid": 110, "minutes": 60, "committee": 150, "faq": 50, "facility": 60, "stat": 40,
        "press": 60, "koho": 15, "law": 45, "recruit": 20, "tour": 15, "plan": 45, "comment": 25,
    }  # fmt: skip

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        wards = rng.sample(names()["ward"], rng.randrange(5, 9))
        self.home_categories = rng.random() < 0.3
        of_ward = self._share_out(pool, rng, wards)
        self._city(pool, rng)
        hub = Node("hub", "区役所", "ward")
        for number, ward in enumerate(wards, 1):
            hub.add(self._ward(ward, number, of_ward[ward], pool))
        pool.org.title = rng.choice(("組織（局・課）一覧", "局・課の案内"))
        press = self.list_of("press", months=True)
        news = arrange.by_year("お知らせ", "news", self._left(pool, "news"), months=True)
        own = (arrange.questions(pool, "よくあるお問い合わせ"), arrange.laws(pool, "例規集", rng))
        self.portals = _portals(pool) if rng.random() < PORTALS else pool.fields
        self.root.add(*self.portals, hub, press, news, *own, arrange.languages(pool, rng), pool.org)
        self.map = Node("map", "サイトマップ", "sitemap")
        self.root.add(self.map)
        arrange.fill_offices(pool, ("bid", "plan") if rng.random() < 0.5 else ())
        self.root.related = arrange.popular(pool, rng)

    def _left(self, pool: Pool, key: str) -> list[Node]:
        return [node for node in pool.series[key] if id(node) not in self.in_wards]

    def _share_out(self, pool: Pool, rng: random.Random, wards: list[str]) -> dict[str, dict[str, list[Node]]]:
        """The items that stand in the sections of the wards, by ward and series."""
        found: dict[str, dict[str, list[Node]]] = {ward: defaultdict(list) for ward in wards}
        self.in_wards: set[int] = set()
        for key in WARD_SERIES:
            for node in pool.series[key]:
                if rng.random() < WARD_SHARE[key]:
                    found[rng.choice(wards)][key].append(node)
                    self.in_wards.add(id(node))
        return found

    def _ward(self, ward: str, number: int, items: dict[str, list[Node]], pool: Pool) -> Node:
        hub = Node("hub", f"{ward}役所", f"w{number}", label=ward)
        about = Node("hub", f"{ward}の紹介", "about")
        about.add(*(Node("page", f"{ward} {title}", f"a{at}") for at, title in enumerate(WARD_PAGES)))
        hub.add(about)
        for key in WARD_SERIES:
            hub.add(arrange.by_year(f"{ward} {WARD_LISTS[key]}", key, items[key]))
        return hub

    def _city(self, pool: Pool, rng: random.Random) -> None:
        """The archives below the categories: councils by council and year, plans and bids by year."""
        groups = sorted(names()["group"], key=len, reverse=True)
        councils = arrange.by_key(
            "附属機関等の会議の記録", "committee", pool.series["committee"],
            lambda node: next((name for name in groups if name in node.title), "その他の会議"),
        )  # fmt: skip
        pool.categories["shingikai"].add(councils, self.list_of("minutes", months=True))
        listed = {"stat": "tokei", "koho": "koho", "tour": "midokoro", "comment": "koho", "plan": "keikaku"}
        for key, category in (listed | {"bid": "nyusatsu"}).items():
            pool.categories[category].add(self.list_of(key, months=key == "bid"))
        for key, category in {"event": "matsuri", "recruit": "saiyo"}.items():
            title = {"event": "催し", "recruit": "募集"}[key]
            pool.categories[category].add(arrange.by_year(title, key, self._left(pool, key)))
        kinds = names()["facility"]
        pool.categories["bunka"].add(
            arrange.by_key(
                "市の施設", "shisetsu", self._left(pool, "facility"),
                lambda node: next(kind for kind in kinds if node.title.endswith(kind)),
            )
        )  # fmt: skip

    def address(self, node: Node, number: int) -> str:
        if node.kind == "home" or node.parent is None:
            return "/"
        if node.kind == "list":
            return f"{node.parent.path.removesuffix('.html')}_{node.slug}.html"
        bureau = BUREAUS[node.dept % len(BUREAUS)]
        code = 200_000 + crc32(f"{self.seed} {number}".encode()) % 400_000
        if node.kind in ("pdf", "file"):
            suffix = "pdf" if node.kind == "pdf" else "docx"
            return f"/{bureau}/cmsfiles/contents/{code // 1000:07}/{code}/{number}.{suffix}"
        if node.kind == "hub":
            return f"/category/{3000 + number}-{'-'.join(str(len(one.children)) for one in node.trail())}-0-0-0.html"
        if node.kind in ("org", "map"):
            return f"/{node.slug}.html"
        return f"/main/soshiki_{node.dept}.html" if node.kind == "office" else f"/{bureau}/page/{code:010}.html"

    def tops(self) -> list[Node]:
        return self.portals

    def menu(self) -> str:
        wards = next(node for node in self.root.children if node.slug == "ward").children
        return super().menu() + "".join(map(self.link, [*self.rest(), *wards])) + self.outside(0, 6)

    def page(self, node: Node) -> str:
        return self.framed(node, self._map()) if node.kind == "map" else super().page(node)

    def _map(self) -> str:
        """The page that names fields, categories and what stands directly below them."""
        html = []
        for one in self.pool.fields:
            html.append(f"<h2>{one.title}</h2>")
            for category in one.children:
                below = "".join(map(self.link, (node for node in category.children if node.kind == "hub")))
                html.append(f"<ul>{self.link(category)}{below}</ul>")
        return "".join(html)


def _portals(pool: Pool) -> list[Node]:
    """The doors of the home page, each with its fields."""
    doors = []
    for number, (title, slugs) in enumerate(DOORS.items()):
        door = Node("hub", title, f"p{number}")
        door.add(*(node for node in pool.fields if node.slug in slugs))
        doors.append(door)
    return doors
