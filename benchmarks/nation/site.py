"""What a municipality's server says to a path: written anew each time, the same bytes whatever was asked before."""

from __future__ import annotations

import zlib
from functools import lru_cache
from html import escape

from benchmarks.nation.content import Content, content
from benchmarks.nation.plan import Nation
from benchmarks.nation.registry import Row, row
from benchmarks.sites.body import Body, Marks
from benchmarks.sites.nodes import Answer, Node
from benchmarks.sites.pdf import pdf
from benchmarks.sites.shapes.frame import SCRIPT, STYLE

HTML = {"Content-Type": "text/html; charset=utf-8"}
_KEPT = (
    256  # sites whose plan is remembered: more than are crawled at a time, and no more memory however many there are
)
_SITEMAPS, _WITHOUT_ROBOTS, _DEAD_LINKS = 0.4, 0.15, 0.3  # shares of the municipalities
_NEWEST = 12
_MARKS = Marks()
_SCREEN = '<meta name="viewport" content="width=device-width">'
_GONE = "/old/kurashi/annai.html"  # a link that some home pages still have


class Site:
    """One municipality. settled: criteria that its pages settle."""

    def __init__(self, nation: Nation, number: int) -> None:
        self.nation, self.row = nation, row(nation, number)
        self.content: Content = content(nation, self.row)
        self.settled = self.content.settled
        self.by_path = {node.path: node for node in self.content.nodes}
        self._body = Body(self.content.town, f"{nation.seed}-{number}", _MARKS)
        self._menu, self._foot = self._furniture()
        self._has = {
            what: nation.draw(number, what) < share
            for what, share in (("sitemap", _SITEMAPS), ("bare", _WITHOUT_ROBOTS), ("dead", _DEAD_LINKS))
        }

    def answer(self, path: str, origin: str) -> Answer:
        """The answer to a path with query. origin: `http://host:port`, for the addresses that must be whole."""
        node = self.by_path.get(path)
        if node is not None:
            body = self._pdf(node) if node.kind == "pdf" else self._page(node)
            media = {"Content-Type": "application/pdf"} if node.kind == "pdf" else HTML
            return Answer(200, media | {"ETag": self._tag(path)}, body)
        if path == "/robots.txt" and not self._has["bare"]:
            return Answer(200, {"Content-Type": "text/plain"}, self._robots(origin))
        if path == "/sitemap.xml" and self._has["sitemap"]:
            return Answer(200, {"Content-Type": "application/xml"}, self._sitemap(origin))
        return Answer(404, HTML, self._missing())

    def _tag(self, path: str) -> str:
        return f'"{zlib.crc32(f"{self.nation.seed} {self.row.number} {path}".encode()):08x}"'

    def _pdf(self, node: Node) -> bytes:
        return pdf(f"{self.row.name} {node.title}", self._body.lines(node))

    def _page(self, node: Node) -> bytes:
        return self._framed(node, self._inner(node))

    def _inner(self, node: Node) -> str:
        if node.kind == "home":
            return self._home(node)
        if node.kind == "hub":
            return _links(node.children)
        return self._body.duties() if node.kind == "org" else self._body.article(node, _path)

    def _home(self, node: Node) -> str:
        pages = sorted((one for one in self.content.nodes if one.kind == "page"), key=lambda one: one.day, reverse=True)
        newest = "".join(
            f"<li>{one.day.year}年{one.day.month}月{one.day.day}日 {_link(one)}</li>" for one in pages[:_NEWEST]
        )
        fields = "".join(f"<h2>{escape(hub.title)}</h2>{_links(hub.children)}" for hub in node.children if hub.children)
        dead = f'<p><a href="{_GONE}">旧くらしの案内</a></p>' if self._has["dead"] else ""
        return f"<h2>新着情報</h2><ul>{newest}</ul>{fields}{dead}"

    def _framed(self, node: Node, inner: str) -> bytes:
        """A page around its main part: head, menu, breadcrumbs, neighbours, contact, footer."""
        title = self.row.name if node is self.content.home else f"{node.title}｜{self.row.name}"
        above = node.parent if node.kind == "page" else None
        beside = f'<aside class="side"><h2>この分類のページ</h2>{_links(above.children)}</aside>' if above else ""
        trail = " &gt; ".join(_link(one, one.title if one.path != "/" else "トップページ") for one in node.trail())
        return (
            f'<!DOCTYPE html>\n<html lang="ja">\n<head><meta charset="utf-8">{_SCREEN}{STYLE}'
            f"<title>{escape(title)}公式ホームページ</title></head>\n<body>\n{self._menu}"
            f'<p class="path">{trail}</p>\n<main>\n<h1>{escape(node.title)}</h1>\n{self._dated(node)}{inner}\n</main>\n'
            f"{beside}{self._foot}</body>\n</html>\n"
        ).encode()

    def _furniture(self) -> tuple[str, str]:
        """What stands above and below every page: the menu with all there is below it, the list of sections."""
        row, hall = self.row, "町役場" if self.row.is_town else "市役所"
        menu = "".join(f"<li>{_link(hub)}{_links(hub.children)}</li>" for hub in self.content.home.children)
        sections = "".join(
            f'<li><a href="/soshiki/#s{at}">{escape(one.name)}</a></li>'
            for at, one in enumerate(self.content.town.departments)
        )
        return (
            f'<header><p class="site"><a href="/">{row.name}</a></p>\n<nav><ul>{menu}</ul></nav></header>\n',
            f"<footer><p>{row.name[:-1]}{hall}</p><address>{row.prefecture}{row.name}本町1番1号</address>"
            f"<p>開庁時間 午前8時30分から午後5時15分まで</p><ul>{sections}</ul></footer>\n{SCRIPT}\n",
        )

    def _dated(self, node: Node) -> str:
        if node.kind != "page":
            return ""
        dept = self.content.town.departments[node.dept]
        return (
            f'<p class="update">更新日：{node.day.year}年{node.day.month}月{node.day.day}日 {escape(dept.name)}</p>\n'
        )

    def _missing(self) -> bytes:
        node = Node("hub", "ページが見つかりません", parent=self.content.home)
        return self._framed(node, "<p>お探しのページは、移動または削除された可能性があります。</p>")

    def _robots(self, origin: str) -> bytes:
        refused = "/" if self.nation.trouble_of(self.row.number) == "robots" else "/cgi-bin/"
        sitemap = f"Sitemap: {origin}/sitemap.xml\n" if self._has["sitemap"] else ""
        return f"User-agent: *\nDisallow: {refused}\n{sitemap}".encode()

    def _sitemap(self, origin: str) -> bytes:
        urls = "".join(
            f"<url><loc>{origin}{node.path}</loc><lastmod>{node.day}</lastmod></url>\n" for node in self.content.nodes
        )
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        return f"{head}{urls}</urlset>\n".encode()


@lru_cache(_KEPT)
def site(nation: Nation, number: int) -> Site:
    """The site of that number; a forgotten one is planned anew, the same."""
    return Site(nation, number)


def settled(nation: Nation) -> dict[str, frozenset[str]]:
    """By code, the criteria that the sites settle whose servers answer: what a survey of everything could find."""
    found = {}
    for number in range(1, nation.cities + 1):
        if not nation.trouble_of(number):
            one: Row = row(nation, number)
            found[one.code] = content(nation, one).settled
    return found


def _path(node: Node) -> str:
    return node.path


def _link(node: Node, label: str = "") -> str:
    return f'<a href="{node.path}">{escape(label or node.name)}</a>'


def _links(nodes: list[Node]) -> str:
    return "<ul>" + "".join(f"<li>{_link(node)}</li>" for node in nodes) + "</ul>"
