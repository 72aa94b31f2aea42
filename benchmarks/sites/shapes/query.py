"""An old ASP system: /detail.aspx?c_id=3&id=345, cp932 without a charset header, image menus, scripts, sessions."""

from __future__ import annotations

import random
from html import escape
from zlib import crc32

from benchmarks.sites import arrange
from benchmarks.sites.body import Marks
from benchmarks.sites.nodes import Node
from benchmarks.sites.pool import Pool
from benchmarks.sites.shapes.base import LISTED, Shape

LAYOUT = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<html>
<head>
@charset@
<title>{title}</title>
<link rel="stylesheet" href="/css/base.css" type="text/css">
{script}
</head>
<body bgcolor="#ffffff">
<a name="top"></a>
<table width="900" align="center" border="0" cellpadding="0" cellspacing="0"><tr><td colspan="3">
<a href="{home}"><img src="/img/title.gif" alt="{city}" border="0"></a>
<a href="{path}@mark@size=l"><img src="/img/size_l.gif" alt="大" border="0"></a>
<a href="/calendar/"><img src="/img/calendar.gif" alt="行事予定" border="0"></a>
</td></tr>
<tr><td colspan="3"><table border="0"><tr>{header}</tr></table></td></tr>
<tr><td colspan="3"><font size="2">{crumbs}</font></td></tr>
<tr><td width="200" valign="top"><table border="0">{side}</table></td>
<td width="680" valign="top"><h1><font color="#003366">{heading}</font></h1>
{main}
<div align="right"><a href="{path}@mark@print=1" target="_blank">印刷用</a> <a href="#top">▲上へ</a></div>
</td></tr>
<tr><td colspan="3"><table border="0">{footer}</table>{city}役所</td></tr></table>
</body>
</html>
"""
META = '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">'
ITEM = (
    '<tr><td class="menu" bgcolor="#eef4ff"><img src="/img/mark.gif" alt="">'
    '<a href="{href}" class="menulink">{label}</a></td></tr>'
)
SCRIPTED = '<tr><td class="menu"><a href="javascript:void(0)" onclick="location.href=\'{href}\'">{label}</a></td></tr>'
SILENT = 7  # one page of so many does not tell its charset
BY_SCRIPT = 9  # one link of a list of so many is a script


class Query(Shape):
    name = "query"
    charset = "cp932"
    content_type = "text/html"
    layout = LAYOUT
    crumb_mark = " ＞ "
    list_size = 20
    item = ITEM
    dated = '<tr><td class="date">{day}</td><td><a href="{href}">{label}</a></td></tr>'
    marks = Marks(
        heading='<h2><font size="4">■{}</font></h2>',
        paragraph="{}<br><br>",
        section='<div class="box">{}</div>',
        file_item='<a href="{href}" target="_blank">{label}</a><br>',
        file_list="{}",
    )

    def arrange(self, pool: Pool, rng: random.Random) -> None:
        self.session = ""
        self.scripted = rng.random() < 0.6
        self.image_map = rng.random() < 0.5
        for key, category in LISTED.items():
            pool.categories[category].add(self.list_of(key))
        pool.org.title = rng.choice(("各課のご案内", "組織と電話番号"))
        self.facilities = arrange.facilities(pool, "施設案内")
        own = (self.list_of("news"), self.facilities, arrange.questions(pool, "よくある質問"))
        self.root.add(*pool.fields, *own, arrange.laws(pool, "例規集", rng), arrange.languages(pool, rng), pool.org)
        arrange.fill_offices(pool, ("news",) if rng.random() < 0.5 else ())
        self.root.related = arrange.popular(pool, rng)
        self.with_session = {id(node) for node in self.facilities.walk()}

    def number(self) -> None:
        self.ids: dict[int, int] = {}
        super().number()

    def address(self, node: Node, number: int) -> str:
        self.ids[id(node)] = number
        parent = node.parent
        if parent is None:
            return "/"
        if node.kind == "list":
            return f"{parent.path}&pg={node.slug}"
        if node.kind == "office":
            return f"/section.aspx?s_id={node.dept + 1}"
        if node.kind == "org":
            return "/section.aspx"
        if node.kind in ("pdf", "file"):
            return f"/filedown.aspx?fid={number}" if number % 3 else f"/file/{number}.pdf"
        if node.kind == "hub":
            top = parent is self.root and node in self.pool.fields
            return f"/{'menu' if top else 'list'}.aspx?c_id={number}"
        return f"/detail.aspx?c_id={self.ids.get(id(parent), 0)}&id={number}"

    def href(self, node: Node) -> str:
        inside = self.session and id(node) in self.with_session and node.kind not in ("pdf", "file")
        sid = f"&sid={self.session}" if inside else ""
        return escape(node.path + sid)

    def link(self, node: Node, label: str = "") -> str:
        if self.scripted and node.kind == "hub" and self.ids[id(node)] % BY_SCRIPT == 0:
            return SCRIPTED.format(href=self.href(node), label=escape(label or node.name))
        return super().link(node, label)

    def framed(self, node: Node, main: str) -> str:
        text = super().framed(node, main)
        number = self.ids.get(id(node), 1)
        mark = "&amp;" if "?" in node.path else "?"
        return text.replace("@charset@", META if number % SILENT else "", 1).replace("@mark@", mark)

    def page(self, node: Node) -> str:
        """The facility pages carry a session that differs on every page."""
        self.session = f"{crc32(node.path.encode()):08x}"
        text = super().page(node)
        self.session = ""
        return text

    def menu(self) -> str:
        """Pictures with alternative texts, in cells or in an image map."""
        rest = self.rest()
        if not self.image_map:
            cells = (
                f'<td><a href="{self.href(node)}"><img src="/img/m{number}.gif" alt="{escape(node.title)}"></a></td>'
                for number, node in enumerate([*self.pool.fields, *rest])
            )
            return "".join(cells)
        areas = "".join(
            f'<area shape="rect" coords="{at * 100},0,{at * 100 + 99},40" href="{self.href(node)}"'
            f' alt="{escape(node.title)}">'
            for at, node in enumerate(self.pool.fields)
        )
        links = "".join(f'<td><a href="{self.href(node)}">{escape(node.name)}</a></td>' for node in rest)
        return f'<td><img src="/img/menu.gif" usemap="#menu" alt=""><map name="menu">{areas}</map></td>{links}'

    def listing(self, node: Node) -> str:
        turns = "" if node.kind != "hub" or node in self.pool.fields else self._turns(node)
        return turns + super().listing(node).replace('<ul class="list">', "<table>").replace("</ul>", "</table>")

    def _turns(self, node: Node) -> str:
        """The same list in another order."""
        orders = (("d", "新しい順"), ("a", "古い順"), ("t", "件名順"))
        return "".join(f'<a href="{self.href(node)}&amp;sort={key}">{label}</a> ' for key, label in orders)
