"""A city whose system numbers pages by section: /soshiki/12/3456.html, reached by field, section and life event."""

from __future__ import annotations

import random

from benchmarks.sites import arrange
from benchmarks.sites.body import Marks
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.shapes.base import LISTED, Shape

LAYOUT = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/css/layout.css"><link rel="stylesheet" href="/css/color.css">
{script}
</head>
<body>
<div id="wrapper">
<div id="header"><p id="skip"><a href="#main">本文へ</a></p>
<p id="logo"><a href="{home}"><img src="/img/logo.gif" alt="{city}"></a></p>
<ul id="util"><li><a href="{path}?size=l">文字を大きく</a></li><li><a href="{path}?color=b">背景を黒に</a></li>
<li><a href="/calendar/">イベントカレンダー</a></li></ul>
<form action="/cgi-bin/search.cgi"><input name="q"><input type="submit" value="検索"></form>
<ul id="gnavi">{header}</ul></div>
<div id="spmenu" style="display:none"><a href="javascript:toggle('spmenu');">メニューを閉じる</a><ul>{header}</ul></div>
<div id="pankuzu">{crumbs}</div>
<div id="contents"><div id="main"><h1>{heading}</h1>
{main}
<p id="print"><a href="{path}?print=1">印刷用ページを表示する</a></p>
<p id="pagetop"><a href="#wrapper">ページの先頭へ戻る</a></p>
</div>
<div id="side"><h2>関連するページ</h2><ul>{side}</ul></div></div>
<div id="footer"><ul>{footer}</ul><address>{city}役所 開庁時間 午前8時30分から午後5時15分まで</address></div>
</div>
</body>
</html>
"""
OFFICE_SERIES = ("news", "bid", "committee", "recruit", "plan", "comment", "event", "stat", "press")


class Soshiki(Shape):
    name = "soshiki"
    layout = LAYOUT
    marks = Marks(heading='<h2 class="midashi">{}</h2>', section='<div class="detail_free">{}</div>')

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        self.mega = rng.random() < 0.25
        self.home_categories = rng.random() < 0.25
        self.list_size = rng.choice((20, 30, 50))
        for key, category in LISTED.items():
            pool.categories[category].add(self.list_of(key))
        news = self.list_of("news", months=rng.random() < 0.5)
        pool.org.title = rng.choice(("組織から探す", "組織でさがす", "担当課から探す"))
        own = (
            arrange.life_events(pool, rng),
            arrange.facilities(pool, "施設案内"),
            arrange.questions(pool, "よくある質問"),
            arrange.laws(pool, "例規集", rng),
            arrange.languages(pool, rng),
        )
        self.root.add(*pool.fields, news, *own, pool.org)
        arrange.fill_offices(pool, OFFICE_SERIES)
        self.root.related = arrange.popular(pool, rng)

    def address(self, node: Node, number: int) -> str:
        if node.kind == "home":
            return "/"
        if node.kind == "org":
            return "/soshiki/"
        if node.kind == "office":
            return f"/soshiki/{node.dept + 1}/"
        if node.kind == "list" and node.parent:
            return f"{node.parent.path}index-{node.slug}.html"
        if node.kind in ("pdf", "file"):
            return f"/uploaded/attachment/{number}.{'pdf' if node.kind == 'pdf' else 'docx'}"
        return self._hub(node) if node.kind == "hub" else f"/soshiki/{node.dept + 1}/{1000 + number}.html"

    def _hub(self, node: Node) -> str:
        above = node.parent
        if above is self.root:
            return f"/life/{above.children.index(node) + 1}/" if node in self.pool.fields else f"/{node.slug}/"
        assert above is not None
        return f"{above.path}{node.slug if node.slug.isdecimal() else above.children.index(node) + 1}/"

    def menu(self) -> str:
        return super().menu() + "".join(map(self.link, self.rest())) + self.outside(0, 4)
