"""A page around its main part: head, menus, breadcrumbs, side lists, contact, footer."""

from __future__ import annotations

from html import escape

from benchmarks.sites.body import LINK, Body
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.town import Town

OUTSIDE = (
    ("電子申請・届出サービス", "https://apply.example.jp/kasumi/"),
    ("公共施設の案内", "https://facility.example.jp/"),
    ("図書館 蔵書検索", "https://opac.example.jp/"),
    ("議会中継", "https://gikai.example.jp/"),
    ("例規類集", "https://reiki.example.jp/"),
    ("ハザードマップポータル", "https://hazard.example.go.jp/"),
    ("県ホームページ", "https://www.pref.example.jp/"),
    ("総務省", "https://www.soumu.example.go.jp/"),
    ("観光協会", "https://kanko.example.jp/"),
    ("社会福祉協議会", "https://shakyo.example.jp/"),
    ("土地開発公社", "https://kosha.example.jp/"),
    ("広域消防組合", "https://shobo.example.jp/"),
)
ICONS = {"youtube": "YouTube", "instagram": "Instagram", "x.com": "X", "line.me": "LINE", "facebook": "Facebook"}
HOME_NEWS = 15
FEW = 12  # a list of so many may tell of each page
TOLD = 0.12  # share of such lists
SIDE = 26  # links of a side list, of each level
# Rules that systems write into every page.
STYLE = "<style>" + "".join(
    f".mod-{name}__{part}{{margin:0 {len(name)}px {len(part)}px;padding:.{len(part)}em;line-height:1.{len(name)};"
    f"border-bottom:1px solid #c{len(name)}d{len(part)}e0}}"
    for name in ("header", "gnav", "local", "crumb", "entry", "contact", "footer", "banner", "sns", "pager", "tableset")
    for part in ("inner", "list", "item", "link", "label")
) + "</style>"  # fmt: skip
SERVICE = (
    "koho/site-riyo",
    "koho/accessibility",
    "soshiki-annai/kojin-joho",
    "soshiki-annai/chosha-annai",
    "soshiki-annai/shisho",
)
SCRIPT = (
    "<script>(function(d){var s=d.createElement('script');s.async=1;s.src='/js/common.js';"
    "d.head.appendChild(s);window.siteLayer=window.siteLayer||[];siteLayer.push({page:location.pathname,lang:'ja'});"
    "function f(n){return d.getElementById(n)}window.setFont=function(n){d.cookie='font='+n;d.body.className='f'+n;};"
    "window.toggle=function(n){var e=f(n);e.style.display=e.style.display==='none'?'block':'none';};"
    "})(document);</script>"
)


class Frame:
    """Writes pages; a kind of site sets the strings below and lays its parts out in `layout`."""

    town: Town
    pool: Pool
    root: Node
    body: Body
    layout = ""
    crumb_mark = " &gt; "
    home_label = "トップページ"
    item = '<li class="mod-local__item"><a class="mod-local__link" href="{href}"><span>{label}</span></a></li>'
    dated = '<li><span class="date">{day}</span><a href="{href}">{label}</a></li>'
    home_categories = False  # the home page names categories too
    mega = False  # the menu of every page names categories too

    def frame(self) -> None:
        """Writes once what stands on every page."""
        self.header = self.menu()
        self.footer = self.foot()

    def href(self, node: Node) -> str:
        return escape(node.path)

    def link(self, node: Node, label: str = "") -> str:
        return self.item.format(href=self.href(node), label=escape(label or node.name))

    def outside(self, first: int, last: int) -> str:
        return "".join(self.item.format(href=href, label=label) for label, href in OUTSIDE[first:last])

    def tops(self) -> list[Node]:
        """The first level of the tree, which the menu and the home page show."""
        return self.pool.fields

    def rest(self) -> list[Node]:
        """What else stands directly below the home page."""
        return [node for node in self.root.children if node not in self.tops()]

    def menu(self) -> str:
        """The menu of the fields, with their categories where the site shows them everywhere."""
        return "".join(self._field(node) for node in self.tops())

    def _field(self, node: Node) -> str:
        below = "".join(map(self.link, node.children)) if self.mega else ""
        return (
            f'<li class="gnav"><a href="{self.href(node)}">{escape(node.title)}</a>{below and f"<ul>{below}</ul>"}</li>'
        )

    def foot(self) -> str:
        own = [self.pool.topics[key] for key in SERVICE if key in self.pool.topics]
        return "".join(map(self.link, own + self.rest())) + self.outside(0, 12)

    def page(self, node: Node) -> str:
        if node.kind == "home":
            return self.framed(node, self.home())
        if node.kind in ("hub", "list"):
            return self.framed(node, self.listing(node))
        if node.kind == "org":
            return self.framed(node, self.sections())
        if node.kind == "office":
            return self.framed(node, self.office(node))
        return self.framed(node, self.article(node))

    def framed(self, node: Node, main: str) -> str:
        title = (
            f"{node.title} - {self.town.name}公式ホームページ"
            if node is not self.root
            else f"{self.town.name}公式ホームページ"
        )
        return self.layout.format_map(
            {
                "title": escape(title),
                "heading": escape(node.title),
                "city": self.town.name,
                "home": self.href(self.root),
                "script": STYLE + SCRIPT,
                "header": self.header,
                "crumbs": self.crumbs(node),
                "side": self.side(node),
                "main": main,
                "footer": self.footer,
                "path": self.href(node),
            }
        )

    def crumbs(self, node: Node) -> str:
        trail = [
            f'<a href="{self.href(one)}">{escape(one.title if one is not self.root else self.home_label)}</a>'
            for one in node.trail()
        ]
        return self.crumb_mark.join([*trail, escape(node.title)]) if trail else ""

    def side(self, node: Node) -> str:
        """The neighbours of a page, of the list it stands on, and so up to the field."""
        levels, here = [], node
        while here.parent is not None and here.parent not in (self.root, self.pool.languages):
            near = here.parent.children
            at = next((number for number, one in enumerate(near) if one is here), 0)
            first = max(0, min(at - SIDE // 2, len(near) - SIDE))
            levels.append("".join(map(self.link, near[first : first + SIDE])))
            here = here.parent
        return "".join(reversed(levels))

    def listing(self, node: Node) -> str:
        whole = node.parent if node.kind == "list" and node.parent else node
        facts = "".join(f"<p>{escape(LINK.sub('', text))}</p>" for text in node.facts)
        if node.kind == "hub" and len(node.children) <= FEW and self.body.rng(node).random() < TOLD:
            return facts + "".join(map(self._told, node.children))
        items = "".join(self.link(one) if one.kind != "page" else self.dated_link(one) for one in self.shown(node))
        return f'{facts}<ul class="list">{items}</ul>{self.pager(whole, node)}'

    def _told(self, node: Node) -> str:
        """An entry of a list that names the page in a heading and says nothing in its link."""
        said = self.body.opening(node) if node.kind == "page" else ""
        return f'<h3>{escape(node.name)}</h3><p>{said}<a href="{self.href(node)}">詳しくはこちら</a></p>'

    def dated_link(self, node: Node) -> str:
        day = f"{node.day.year}年{node.day.month}月{node.day.day}日"
        return self.dated.format(day=day, href=self.href(node), label=escape(node.name))

    def shown(self, node: Node) -> list[Node]:
        raise NotImplementedError

    def pager(self, whole: Node, node: Node) -> str:
        """Links to the other pages of a list: the nearest ten, the next, and the last."""
        if not whole.more:
            return ""
        sheets = [whole, *whole.more]
        at = next(number for number, one in enumerate(sheets) if one is node)
        near = sheets[max(0, at - 5) : at + 6]
        links = "".join(f'<a href="{self.href(one)}">{one.slug if one.kind == "list" else 1}</a> ' for one in near)
        after = f'<a href="{self.href(sheets[at + 1])}">次へ</a>' if at + 1 < len(sheets) else ""
        return f'<div class="pager">{links}{after} <a href="{self.href(sheets[-1])}">最後</a></div>'

    def sections(self) -> str:
        html, division = [], ""
        for node in self.pool.org.children:
            one = self.town.departments[node.dept]
            if one.division != division:
                html.append(f"{'</ul>' if division else ''}<h2>{escape(one.division)}</h2><ul>")
                division = one.division
            html.append(self.link(node))
        return "".join(html) + "</ul>"

    def office(self, node: Node) -> str:
        one = self.town.departments[node.dept]
        return (
            f"<h2>主な仕事</h2><p>{escape(one.duties)}</p><h2>この課のページ</h2>{self.listing(node)}"
            f"<p>所在地：本庁舎{node.dept % 5 + 1}階 電話：{_phone(node)}</p>"
        )

    def article(self, node: Node) -> str:
        day = f"{node.day.year}年{node.day.month}月{node.day.day}日"
        return f'<p class="update">更新日：{day}</p>{self.body.article(node, self.href)}{self.contact(node)}'

    def contact(self, node: Node) -> str:
        one = self.town.departments[node.dept]
        return (
            '<div class="contact"><h2>このページに関するお問い合わせ</h2>'
            f"<p>{escape(one.division)} {escape(one.name)}</p><p>電話：{_phone(node)}（直通）</p></div>"
        )

    def home(self) -> str:
        news = "".join(map(self.dated_link, self.pool.series["news"][:HOME_NEWS]))
        popular = "".join(map(self.link, self.root.related))
        fields = "".join(self._home_field(node) for node in self.tops())
        rest = "".join(map(self.link, self.rest()))
        icons = "".join(self.icon(text) for text in self.root.facts)
        return (
            f'<h2>新着情報</h2><ul class="news">{news}</ul><h2>よく見られているページ</h2><ul>{popular}</ul>'
            f'<h2>分類から探す</h2><ul>{fields}</ul><ul class="quick">{rest}{self.outside(0, 5)}</ul>'
            f'<ul class="sns">{icons}</ul><h2>{self.town.name}のようす</h2><p>人口 {len(self.town.places) * 2317}人</p>'
        )

    def _home_field(self, node: Node) -> str:
        below = "".join(map(self.link, node.children)) if self.home_categories else ""
        return f'<li><a href="{self.href(node)}">{escape(node.title)}</a>{below and f"<ul>{below}</ul>"}</li>'

    def icon(self, fact: str) -> str:
        """The picture link to an account."""
        found = LINK.search(fact)
        href = found[1] if found else ""
        name = next((name for key, name in ICONS.items() if key in href), "")
        alt = f"{self.town.name}公式{name}"
        return f'<li><a href="{href}"><img src="/img/sns.gif" alt="{escape(alt)}"></a></li>'


def _phone(node: Node) -> str:
    return f"0{node.dept % 9 + 1}99-{node.dept:02}-{1000 + node.dept * 7}"
