"""A city made of former towns, whose old sites stay on in folders of their own and speak of the same topics."""

from __future__ import annotations

import random
from datetime import date, timedelta

from benchmarks.sites import arrange, words
from benchmarks.sites.body import Marks
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool, attach
from benchmarks.sites.shapes.base import LISTED, Shape

LAYOUT = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="/assets/site.css">
{script}
</head>
<body>
<div class="header"><a href="{home}">{city}</a><a href="javascript:void(0)">閲覧補助</a>
<ul class="global">{header}</ul></div>
<div class="breadcrumb">{crumbs}</div>
<div class="body"><div class="primary"><h1>{heading}</h1>
{main}
<a href="{path}?print=1">印刷</a></div>
<div class="secondary"><ul>{side}</ul></div></div>
<div class="footer"><ul>{header}</ul><ul>{footer}</ul>{city}</div>
</body>
</html>
"""
OLD_LAYOUT = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>{title}</title></head>
<body background="/img/back.gif"><center><font size="5">{heading}</font></center><hr>
{main}
<hr>{crumbs}<br><table>{side}</table><a href="{home}">新しい市のホームページへ</a></body></html>
"""
FORMER = {"kasumitani": "旧霞谷町", "okumizu": "旧奥瑞村", "kirino": "旧桐野町"}
LAST_DAY = date(2006, 3, 31)
OLD_SHARE = 0.32  # of all pages
OLD_NEWS = (
    "{event}のお知らせ",
    "{place}地区{tale}",
    "{tale}",
    "合併協議会だより 第{n}号",
    "広報 {month}月号",
    "議会だより 第{n}号",
)


class Merged(Shape):
    name = "merged"
    layout = LAYOUT
    shares = {one.key: one.share * 0.6 for one in words.series()}
    item = (
        '<li class="c-navLocal__item js-navLocalItem" data-layer="local" data-state="closed">'
        '<a class="c-navLocal__link u-fontSmall" href="{href}" title="{label}"><span>{label}</span></a></li>'
    )
    marks = Marks(heading="<h2>{}</h2>", section='<div class="wysiwyg">{}</div>')

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        self.list_size = rng.choice((20, 30))
        for key, category in LISTED.items():
            pool.categories[category].add(self.list_of(key))
        pool.org.title = "組織で探す"
        old = self._old(rng)
        own = (arrange.life_events(pool, rng), arrange.facilities(pool, "施設を探す"), arrange.questions(pool, "FAQ"))
        news = self.list_of("news")
        self.root.add(*pool.fields, news, *own, arrange.languages(pool, rng), old, pool.org)
        pool.fields[-1].add(arrange.laws(pool, "例規", rng))
        arrange.fill_offices(pool, ("plan", "comment"))
        self.root.related = arrange.popular(pool, rng)

    def _old(self, rng: random.Random) -> Node:
        """The three old sites, each with its topics and its news of the last years."""
        hub = Node("hub", "合併前のホームページ（参考）", "kyu")
        self.old: set[int] = set()
        for slug, name in FORMER.items():
            site = Node("hub", f"{name}ホームページ", slug, label=name)
            hub.add(site)
            self._fill(site, rng, max(12, int(self.wanted * OLD_SHARE / len(FORMER))))
            self.old |= {id(node) for node in site.walk()}
        return hub

    def _fill(self, site: Node, rng: random.Random, pages: int) -> None:
        stale = [line.split(" ", 1) for line in words.stale()]
        for one in words.fields():
            field = Node("hub", words.localised(one.titles[0], True), one.slug)
            site.add(field)
            topics = [topic for c in one.categories for g in c.groups for topic in g.topics if not topic.optional]
            for topic in rng.sample(topics, min(len(topics), pages // 18 + 1)):
                field.add(self._page(words.localised(topic.titles[-1], True), topic.slug, rng))
        tellers = [node for field in site.children for node in field.children]
        for (criterion, text), node in zip(stale, rng.sample(tellers, min(len(tellers), len(stale))), strict=False):
            node.facts.append(text)
            node.near.append(criterion)
        news = Node("hub", "お知らせ", "oshirase")
        site.add(news)
        for number in range(max(3, pages // 2)):
            title = words.localised(self.town.fill(rng.choice(OLD_NEWS), rng), True)
            news.add(self._page(title, f"n{number:04}", rng))

    def _page(self, title: str, slug: str, rng: random.Random) -> Node:
        node = Node("page", title, slug, "old", 0, LAST_DAY - timedelta(days=rng.randrange(1500)))
        if rng.random() < 0.2:
            attach(node, "pdf", rng.choice(("ちらし", "様式", "本文")))
        return node

    def address(self, node: Node, number: int) -> str:
        if node.kind == "home" or node.parent is None:
            return "/"
        folder = node.parent.path.rpartition("/")[0]
        if id(node) in self.old:
            return self._old_address(node, folder, number)
        if node.kind in ("pdf", "file"):
            return f"/uploads/{node.kind}s/{number:06}.{'pdf' if node.kind == 'pdf' else 'xlsx'}"
        if node.kind == "list":
            return f"{node.parent.path.rstrip('/')}/p{node.slug}/"
        if node.kind in ("hub", "org", "office"):
            return f"{folder}/{node.slug}/"
        return f"/page/{number}.html"

    def _old_address(self, node: Node, folder: str, number: int) -> str:
        if node.kind in ("pdf", "file"):
            return f"{folder}/pdf/{number}.pdf"
        if node.kind == "list":
            return f"{folder}/index{node.slug}.htm"
        return (
            f"/{node.slug}/" if node.slug in FORMER else f"{folder}/{node.slug}{'/' if node.kind == 'hub' else '.htm'}"
        )

    def framed(self, node: Node, main: str) -> str:
        if id(node) not in self.old:
            return super().framed(node, main)
        new, self.layout = self.layout, OLD_LAYOUT
        text = super().framed(node, main)
        self.layout = new
        return text

    def contact(self, node: Node) -> str:
        return "" if id(node) in self.old else super().contact(node)

    def menu(self) -> str:
        return super().menu() + "".join(map(self.link, self.rest())) + self.outside(0, 7)
