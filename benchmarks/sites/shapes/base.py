"""What all kinds of sites share: how one is drawn and arranged, and how it answers."""

from __future__ import annotations

import random
from html import escape
from urllib.parse import parse_qsl, urlencode

from benchmarks.sites import arrange
from benchmarks.sites.body import Body, Marks
from benchmarks.sites.nodes import TODAY, Answer, Node
from benchmarks.sites.pdf import pdf
from benchmarks.sites.pool import Pool, chosen, grow
from benchmarks.sites.shapes.frame import Frame
from benchmarks.sites.town import found
from benchmarks.sites.words import series

ORIGIN = "@origin@"  # in a body: replaced by the address that was asked
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
MEDIA = {"pdf": "application/pdf", "file": "application/msword"}
ASSETS = {
    ".css": ("text/css", b"body{color:#222}"),
    ".js": ("application/javascript", b"void 0;"),
    ".gif": ("image/gif", PIXEL),
}
TRIES = 5
NEAR_ENOUGH = 0.01  # of the wanted pages
LEAST = 0.02  # of the usual items of series
VARIANTS = frozenset(("print", "size", "color", "ruby", "sid", "sort"))
LISTED = {  # where a series stands in the tree of fields; the others have a place of their own
    "bid": "nyusatsu", "minutes": "shingikai", "committee": "shingikai", "stat": "tokei", "press": "shicho",
    "koho": "koho", "recruit": "saiyo", "tour": "midokoro", "plan": "keikaku", "comment": "koho", "event": "matsuri",
}  # fmt: skip


class Shape(Frame):
    """A site: everything drawn when made, its pages written when asked for."""

    name = ""
    is_town = False
    thin = False
    first_year = 2019
    charset = "utf-8"
    content_type = "text/html; charset=utf-8"
    sitemap = False
    shares: dict[str, float] = {}
    list_size = 30
    marks = Marks()

    def __init__(self, seed: int, pages: int) -> None:
        self.seed, self.wanted = f"{self.name}-{seed}", pages
        self.fit()
        self.body = Body(self.town, self.seed, self.marks)
        self.frame()

    def fit(self) -> None:
        """Draws with as many items of series as bring the site to the wanted number of pages."""
        scale, of_series = 1.0, 0
        for _ in range(TRIES):
            self.draw(scale)
            missing = self.wanted - len(self.nodes)
            if abs(missing) <= self.wanted * NEAR_ENOUGH or scale == LEAST:
                return
            if not of_series:
                of_series = sum(1 + len(node.files) for items in self.pool.series.values() for node in items)
            scale = max(LEAST, scale + missing / of_series)

    def draw(self, scale: float) -> None:
        """The whole plan, with so many items of series."""
        rng = self.rng = random.Random(self.seed)
        self.town = found(rng, self.is_town)
        spots = chosen(rng, self.thin)
        shares = {one.key: self.shares.get(one.key, one.share) * scale for one in series()}
        self.pool = grow(self.town, rng, spots, self.wanted, shares, self.first_year)
        self.root = self.pool.home
        self.root.title = self.town.name
        self.arrange(self.pool, rng)
        arrange.paged(self.root, self.list_size)
        self.number()

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        """Puts every page below the home page."""
        raise NotImplementedError

    def address(self, node: Node, number: int) -> str:
        """The path, with query where the system writes them, of the numbered node."""
        raise NotImplementedError

    def list_of(self, key: str, months: bool = False) -> Node:
        """The list of a series, by year."""
        one = next(one for one in series() if one.key == key)
        title = self.town.say(self.rng.choice(one.names))
        return arrange.by_year(title, key, self.pool.series[key], months)

    def number(self) -> None:
        self.nodes, self.by_path = [], {}
        for number, node in enumerate(self.root.walk(), 1):
            node.path = self.address(node, number)
            if node.path in self.by_path:
                stem, dot, suffix = node.path.rpartition(".")
                node.path = f"{stem}-{number}.{suffix}" if dot else f"{node.path.rstrip('/')}-{number}/"
            self.by_path[node.path] = node
            self.nodes.append(node)

    def shown(self, node: Node) -> list[Node]:
        """What a list, or a further page of it, lists."""
        whole = node.parent if node.kind == "list" and node.parent else node
        first = (int(node.slug) - 1) * self.list_size if node.kind == "list" else 0
        return whole.children[first : first + self.list_size] if whole.more else whole.children

    def answer(self, address: str) -> Answer:
        """What the server says; bodies hold ORIGIN where the site writes whole addresses."""
        node = self.by_path.get(address)
        if node is not None:
            return self.written(node)
        path, _, query = address.partition("?")
        if path.endswith(tuple(ASSETS)):
            media, body = ASSETS[path[path.rindex(".") :]]
            return Answer(200, {"Content-Type": media}, body)
        if path == "/robots.txt":
            return Answer(200, {"Content-Type": "text/plain"}, self.robots().encode())
        if path == "/sitemap.xml" and self.sitemap:
            return Answer(200, {"Content-Type": "application/xml"}, self.sitemap_xml().encode())
        return self.variant(path, query) or self.missing()

    def same(self, address: str) -> Node | None:
        """The page behind an address, whatever its session, print or size variant."""
        if address in self.by_path:
            return self.by_path[address]
        path, _, query = address.partition("?")
        kept = urlencode([item for item in parse_qsl(query) if item[0] not in VARIANTS])
        whole = f"{path}?{kept}" if kept else path
        return self.by_path.get(whole) or self.by_path.get(path.removesuffix("index.html"))

    def variant(self, path: str, query: str) -> Answer | None:
        """Other addresses of pages, redirects, and what has no end."""
        node = self.same(f"{path}?{query}")
        if node is not None:
            return self.written(node)
        if f"{path}/" in self.by_path:
            return Answer(301, {"Location": f"{path}/"}, b"")
        if path == "/calendar/":
            return self.html(200, self.calendar(dict(parse_qsl(query))))
        return None

    def written(self, node: Node) -> Answer:
        if node.kind == "pdf":
            return Answer(200, {"Content-Type": MEDIA["pdf"]}, pdf(node.title, self.body.lines(node)))
        if node.kind == "file":
            return Answer(200, {"Content-Type": MEDIA["file"]}, EMPTY_ZIP)
        return self.html(200, self.page(node))

    def html(self, status: int, text: str) -> Answer:
        return Answer(status, {"Content-Type": self.content_type}, text.encode(self.charset, "xmlcharrefreplace"))

    def missing(self) -> Answer:
        node = Node("page", "ページが見つかりません", parent=self.root)
        text = "<p>お探しのページは、移動または削除された可能性があります。</p>"
        return self.html(404, self.framed(node, text))

    def calendar(self, params: dict[str, str]) -> str:
        """A month of events, with the months before and after it, without end."""
        year, month = _number(params.get("y"), TODAY.year), min(12, _number(params.get("m"), TODAY.month))
        rng = random.Random(f"{self.seed} {year} {month}")
        events = {rng.randrange(1, 29): one for one in rng.sample(self.pool.series["event"], 4)}
        cells = []
        for day in range(1, 29):
            one = events.get(day)
            link = f'<br><a href="{self.href(one)}">{escape(one.title)}</a>' if one else ""
            cells.append(f'<td><a href="/calendar/?y={year}&amp;m={month}&amp;d={day}">{day}</a>{link}</td>')
        rows = "".join("<tr>" + "".join(cells[at : at + 7]) + "</tr>" for at in range(0, 28, 7))
        before = (year - (month == 1), 12 if month == 1 else month - 1)
        after = (year + (month == 12), 1 if month == 12 else month + 1)
        turns = "".join(
            f'<a href="/calendar/?y={one[0]}&amp;m={one[1]}">{label}</a> '
            for label, one in (("前の月", before), ("次の月", after), ("翌年の同じ月", (year + 1, month)))
        )
        node = Node("page", f"イベントカレンダー {year}年{month}月", parent=self.root)
        return self.framed(node, f"<p>{turns}</p><table>{rows}</table>")

    def robots(self) -> str:
        return "User-agent: *\nDisallow: /cgi-bin/\nDisallow: /*print=1\n" + (
            f"Sitemap: {ORIGIN}/sitemap.xml\n" if self.sitemap else ""
        )

    def sitemap_xml(self) -> str:
        urls = "".join(
            f"<url><loc>{ORIGIN}{escape(node.path)}</loc><lastmod>{node.day}</lastmod></url>\n" for node in self.nodes
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>'


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and 0 < int(text) < 10_000 else default
