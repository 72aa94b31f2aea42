"""A small town's WordPress: /archives/1234, categories, tags, monthly archives, a feed, hardly any fixed page."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from html import escape

from benchmarks.sites import arrange
from benchmarks.sites.body import Marks
from benchmarks.sites.nodes import Answer, Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.shapes.base import LISTED, ORIGIN, Shape

LAYOUT = """<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="UTF-8">
<title>{title}</title>
<link rel="alternate" type="application/rss+xml" title="{city} フィード" href="@origin@/feed/">
<link rel="stylesheet" href="/wp-content/themes/town/style.css?ver=6.4.3">
<link rel="shortlink" href="{path}">
{script}
</head>
<body class="wp-singular">
<header class="site-header"><p class="site-title"><a href="{home}" rel="home">{city}</a></p>
<nav class="main-navigation"><ul class="menu">{header}</ul></nav></header>
<div class="breadcrumbs">{crumbs}</div>
<main id="main" class="site-main"><article><h1 class="entry-title">{heading}</h1>
<div class="entry-content">
{main}
</div></article></main>
<aside class="widget-area">{side}</aside>
<footer class="site-footer"><nav class="mobile-menu"><ul>{header}</ul></nav>
<ul>{footer}</ul><p>&copy; {city}役場</p></footer>
</body>
</html>
"""
TAGS = (
    "お知らせ 募集 くらし 子育て 福祉 健康 農業 観光 イベント 防災 入札 教育 移住 ごみ 税 道路 水道 広報 議会 統計"
    " 補助金 届出 図書 スポーツ 文化財 環境 交通"
)
FIXED = ("soshiki-annai/chosha-annai", "koho/site-riyo", "soshiki-annai/shisho", "doro/community-bus")
MONTHS = 24  # in the side column; the others stand on the page of all months
RECENT = 10
SHARE = (
    '<p class="share"><a href="https://twitter.com/share?url=x">Xでシェア</a>'
    ' <a href="https://www.facebook.com/sharer/sharer.php?u=x">Facebookでシェア</a></p>'
)


class Blog(Shape):
    name = "blog"
    is_town = True
    first_year = 2013
    list_size = 10
    layout = LAYOUT
    home_label = "ホーム"
    item = '<li class="cat-item menu-item-type-taxonomy"><a class="menu-link" href="{href}">{label}</a></li>'
    dated = '<li><time class="entry-date">{day}</time><a href="{href}">{label}</a></li>'
    marks = Marks(
        heading='<h3 class="wp-block-heading">{}</h3>',
        paragraph="<p>{}</p>",
        section="{}",
        file_item='<div class="wp-block-file"><a href="{href}">{label}</a></div>',
        file_list="{}",
    )
    shares = {
        "news": 470, "event": 130, "bid": 60, "minutes": 15, "committee": 20, "stat": 15, "koho": 30, "facility": 30,
        "plan": 10, "faq": 15, "law": 10, "tour": 25, "press": 4,
    }  # fmt: skip

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        self.list_size = rng.choice((10, 15, 20))
        for key, category in LISTED.items():
            one = self.list_of(key)
            pool.categories[category].add(self._flat(one, pool.series[key]))
        pool.org.title = rng.choice(("役場の組織", "各課の案内", "課・係の案内"))
        news = self._flat(Node("hub", "お知らせ", "news"), pool.series["news"])
        own = [self._flat(self.list_of(key), pool.series[key]) for key in ("faq", "law", "facility")]
        self.root.add(*pool.fields, news, *own, arrange.languages(pool, rng), pool.org)
        self.flat_topics(pool)
        self.posts = sorted(
            (node for node in self.root.walk() if node.kind == "page"), key=lambda one: one.day, reverse=True
        )
        self.months = self._months()
        self.tags = self._tags(rng)
        archive = Node("hub", "過去の記事", "archive")
        archive.add(*self.months)
        tags = Node("hub", "タグ一覧", "tag")
        tags.add(*self.tags)
        self.feed = Node("feed", "フィード", "feed")
        self.root.add(archive, tags, self.feed)
        arrange.fill_offices(pool, ())
        for one in pool.offices:
            one.children.clear()
        self.root.related = arrange.popular(pool, rng)
        self.fixed = {id(pool.topics[key]) for key in FIXED if key in pool.topics}
        self.places = {id(node): number for number, node in enumerate(self.posts)}

    def _flat(self, hub: Node, items: Iterable[Node]) -> Node:
        """A category without years: its posts, the newest first."""
        flat = Node("hub", hub.title, hub.slug)
        for node in items:
            node.parent = None
            flat.add(node)
        return flat

    def flat_topics(self, pool: Pool) -> None:
        """A category lists its posts by date, whatever else it holds; what was a group is a category below it."""
        for hub in pool.categories.values():
            hub.children.sort(key=lambda node: (node.kind == "page", -node.day.toordinal()))

    def _months(self) -> list[Node]:
        found: dict[tuple[int, int], list[Node]] = defaultdict(list)
        for node in self.posts:
            found[node.day.year, node.day.month].append(node)
        months = []
        for year, month in sorted(found, reverse=True):
            hub = Node("hub", f"{year}年{month}月", f"{year}/{month:02}", label=f"{year}年{month}月")
            hub.add(*found[year, month])
            months.append(hub)
        return months

    def _tags(self, rng: random.Random) -> list[Node]:
        hubs = [Node("hub", name, f"t{number}") for number, name in enumerate(TAGS.split())]
        for node in self.posts:
            if rng.random() < 0.3:
                rng.choice(hubs).add(node)
        return [hub for hub in hubs if hub.children]

    def address(self, node: Node, number: int) -> str:
        if node.kind == "home" or node.parent is None:
            return "/"
        if node.kind == "list":
            return f"{node.parent.path}page/{node.slug}/"
        if node.kind in ("pdf", "file"):
            suffix = "pdf" if node.kind == "pdf" else "docx"
            return f"/wp-content/uploads/{node.day:%Y/%m}/{number:05}.{suffix}"
        if node.kind == "page":
            return f"/{node.slug}/" if id(node) in self.fixed else f"/archives/{number + 1200}"
        return self._hub(node)

    def _hub(self, node: Node) -> str:
        above = node.parent
        assert above is not None
        if node.kind in ("org", "office", "feed") or node.slug in ("archive", "tag"):
            return f"{above.path}{node.slug}/"
        if above.slug == "archive":
            return f"/{node.slug}/"
        return f"{above.path if above is not self.root else '/category/'}{node.slug}/"

    def href(self, node: Node) -> str:
        return ORIGIN + escape(node.path)

    def listing(self, node: Node) -> str:
        """Posts with an excerpt and a link that says nothing."""
        whole = node.parent if node.kind == "list" and node.parent else node
        facts = "".join(f"<p>{escape(text)}</p>" for text in node.facts)
        html = "".join(self._excerpt(one) if one.kind == "page" else self.link(one) for one in self.shown(node))
        return f"{facts}{html}{self.pager(whole, node)}"

    def _excerpt(self, node: Node) -> str:
        opening = self.body.opening(node)
        return (
            f'<section class="post"><h2><a href="{self.href(node)}">{escape(node.title)}</a></h2><p>{opening[:80]} '
            f'<a class="more-link" href="{self.href(node)}">続きを読む</a></p></section>'
        )

    def side(self, node: Node) -> str:
        recent = "".join(map(self.link, self.posts[:RECENT]))
        months = "".join(map(self.link, self.months[:MONTHS]))
        tags = "".join(f'<a class="tag-cloud-link" href="{self.href(one)}">{one.title}</a> ' for one in self.tags)
        near = f'<section class="widget"><ul>{super().side(node)}</ul></section>'
        return f"<h2>最近の投稿</h2><ul>{recent}</ul><h2>アーカイブ</h2><ul>{months}</ul><p>{tags}</p>{near}"

    def article(self, node: Node) -> str:
        at = self.places.get(id(node))
        if at is None:
            return super().article(node)
        before = self.link(self.posts[at + 1]) if at + 1 < len(self.posts) else ""
        after = self.link(self.posts[at - 1]) if at else ""
        return f'{super().article(node)}{SHARE}<nav class="post-navigation"><ul>{before}{after}</ul></nav>'

    def written(self, node: Node) -> Answer:
        if node.kind != "feed":
            return super().written(node)
        items = "".join(
            f"<item><title>{escape(one.title)}</title><link>{self.href(one)}</link><pubDate>{one.day}</pubDate></item>"
            for one in self.posts[:RECENT]
        )
        text = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel></rss>'
        return Answer(200, {"Content-Type": "application/rss+xml; charset=UTF-8"}, text.encode())
