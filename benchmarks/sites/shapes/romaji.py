"""A city with folders of romaji words: /kurashi/zei/nozei/hoho.html, files beside pages, a menu of the folder."""

from __future__ import annotations

import random

from benchmarks.sites import arrange
from benchmarks.sites.body import Marks
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.shapes.base import LISTED, Shape

LAYOUT = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" lang="ja" xml:lang="ja">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>{title}</title>
<link rel="stylesheet" type="text/css" href="/shared/style/default.css" />
{script}
</head>
<body>
<div id="tmp_wrapper">
<div id="tmp_header"><p id="tmp_logo"><a href="{home}"><img src="/shared/images/logo.gif" alt="{city}" /></a></p>
<ul id="tmp_guide"><li><a href="/calendar/">催しのカレンダー</a></li>
<li><a href="javascript:void(0);">文字サイズ変更</a></li></ul>
<ul id="tmp_gnavi">{header}</ul></div>
<div id="tmp_sma_menu" style="display:none"><p><a href="javascript:void(0);">閉じる</a></p><ul>{header}</ul></div>
<div id="tmp_pankuzu">{crumbs}</div>
<div id="tmp_main"><div id="tmp_contents">
<h1>{heading}</h1>
{main}
</div>
<div id="tmp_lnavi"><ul>{side}</ul></div></div>
<div id="tmp_footer"><ul>{footer}</ul><p>{city}</p></div>
</div>
</body>
</html>
"""
WORDS = ("shiryo", "gaiyo", "honbun", "youshi", "bessi", "leaflet", "ichiran", "kekka")


class Romaji(Shape):
    name = "romaji"
    layout = LAYOUT
    crumb_mark = " ＞ "
    home_label = "ホーム"
    list_size = 40
    marks = Marks(
        heading="<h2>{}</h2>",
        section="{}",
        file_list="{}",
        file_item='<p class="filelink"><a class="icon_pdf" href="{href}">{label}</a></p>',
    )

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        self.nested = rng.random() < 0.5
        for key, category in LISTED.items():
            pool.categories[category].add(self.list_of(key))
        news = self.list_of("news", months=True)
        pool.org.title = rng.choice(("組織一覧", "市の組織", "課の案内"))
        self.root.add(*pool.fields, news, arrange.languages(pool, rng))
        fields = {node.slug: node for node in pool.fields}
        fields["shisei"].add(arrange.laws(pool, "条例・規則", rng), pool.org)
        fields["kurashi"].add(arrange.questions(pool, "よくある質問"))
        fields["kanko"].add(arrange.facilities(pool, "公共施設"))
        arrange.fill_offices(pool, ())
        self.root.related = arrange.popular(pool, rng)

    def address(self, node: Node, number: int) -> str:
        if node.kind == "home" or node.parent is None:
            return "/"
        folder = node.parent.path.rpartition("/")[0]
        if node.kind in ("hub", "org", "office"):
            return f"{folder}/{node.slug}/"
        if node.kind == "list":
            return f"{folder}/index_{node.slug}.html"
        if node.kind in ("pdf", "file"):
            return f"{folder}/{WORDS[number % len(WORDS)]}{number % 97}.{'pdf' if node.kind == 'pdf' else 'doc'}"
        topic = node.parent.kind != "hub" or not node.parent.slug.isdecimal()
        return f"{folder}/{node.slug}.html" if topic else f"{folder}/{node.day:%m%d}.html"

    def menu(self) -> str:
        return super().menu() + "".join(map(self.link, self.rest())) + self.outside(0, 8)

    def listing(self, node: Node) -> str:
        """Where the site nests its lists, the index of a folder names what stands one folder below."""
        if not self.nested or node.kind != "hub" or node in self.pool.fields:
            return super().listing(node)
        items = []
        for one in self.shown(node):
            below = "".join(map(self.link, one.children[:12])) if one.kind == "hub" else ""
            items.append(f'<li><a href="{self.href(one)}">{one.name}</a>{below and f"<ul>{below}</ul>"}</li>')
        return f"<ul>{''.join(items)}</ul>{self.pager(node, node)}"
