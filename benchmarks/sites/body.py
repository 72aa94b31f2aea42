"""The main part of pages and the lines of PDFs, drawn anew from the address each time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from benchmarks.sites import words
from benchmarks.sites.nodes import Node
from benchmarks.sites.town import Town

LINK = re.compile("⟨([^⟩]+)⟩")
HERE = ("こちら", "こちらをご覧ください", "詳しくはこちら", "公式アカウント（外部リンク）", "外部サイトへ")
AGAINST = re.compile("現金|電話では|郵送してください")  # not said where something newer is told
VAGUE = 0.12  # share of the links in running text whose label says nothing
PLAN_LINES = (60, 260)
OTHER_LINES = (14, 70)
FAMILIES = {"duties": "guide"}
Href = Callable[[Node], str]


@dataclass(frozen=True)
class Marks:
    """How one content system writes the parts of a page."""

    heading: str = "<h2>{}</h2>"
    paragraph: str = "<p>{}</p>"
    file_list: str = '<ul class="file">{}</ul>'
    file_item: str = '<li><a href="{href}">{label}</a></li>'
    section: str = '<div class="section">{}</div>'


class Body:
    def __init__(self, town: Town, seed: str, marks: Marks) -> None:
        self.town, self.seed, self.marks = town, seed, marks
        self.prose = words.prose_of(town.is_town)

    def rng(self, node: Node) -> random.Random:
        return random.Random(f"{self.seed} {node.path}")

    def article(self, node: Node, href: Href) -> str:
        """The sections of a page, its files and what it refers to."""
        rng = self.rng(node)
        if node.family == "duties":
            html = [self.duties()]
        else:
            html = [self._section(heading, sentences, rng) for heading, sentences in self._sections(node, rng)]
        if node.files:
            html.append(self._files(node, href, rng))
        if node.related:
            html.append(self._related(node, href, rng))
        return "\n".join(html)

    def opening(self, node: Node) -> str:
        """The first sentence of a page, as excerpts show it."""
        rng = self.rng(node)
        opening = self.prose.get(node.family, self.prose["guide"])[0]
        slots = self.town.slots(rng, node.day, node.dept, node.title)
        return escape(rng.choice(opening.sentences).format_map(slots))

    def _sections(self, node: Node, rng: random.Random) -> list[tuple[str, list[str]]]:
        opening, *others = self.prose[node.family]
        slots = self.town.slots(rng, node.day, node.dept, node.title)
        kept = [part for part in others if rng.random() < 0.8] or others
        parts = [("", [rng.choice(opening.sentences)])]
        for part in kept:
            parts.append((rng.choice(part.headings), rng.sample(part.sentences, rng.randint(1, len(part.sentences)))))
        filled = [
            (heading, [text.format_map(slots) for text in texts if not (node.proves and AGAINST.search(text))])
            for heading, texts in parts
        ]
        for fact in node.facts:
            texts = rng.choice(filled)[1]
            texts.insert(rng.randint(0, len(texts)), fact)
        return filled

    def _section(self, heading: str, sentences: list[str], rng: random.Random) -> str:
        head = self.marks.heading.format(escape(heading)) if heading else ""
        texts = [self.linked(text, rng) for text in sentences]
        style = rng.random() if heading else 0
        if style < 0.55:
            inner = "".join(self.marks.paragraph.format(text) for text in texts)
        elif style < 0.8:
            inner = "<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"
        elif style < 0.9:
            inner = f"<dl><dt>{escape(heading)}</dt>" + "".join(f"<dd>{text}</dd>" for text in texts) + "</dl>"
        else:
            rows = "".join(f"<tr><th>{number}</th><td>{text}</td></tr>" for number, text in enumerate(texts, 1))
            inner = f'<table border="1"><caption>{escape(heading)}</caption><tbody>{rows}</tbody></table>'
        return self.marks.section.format(head + inner)

    def linked(self, text: str, rng: random.Random) -> str:
        """The sentence as HTML, its ⟨address⟩ as a link."""
        if "⟨" not in text:
            return escape(text)
        return LINK.sub(lambda found: f'<a href="{found[1]}">{rng.choice(HERE)}</a>', text)

    def _files(self, node: Node, href: Href, rng: random.Random) -> str:
        items = "".join(
            self.marks.file_item.format(href=href(one), label=f"{escape(one.label)} {self._size(one, rng)}")
            for one in node.files
        )
        heading = rng.choice(("添付ファイル", "関連ファイル", "ダウンロード", "資料"))
        return self.marks.section.format(self.marks.heading.format(heading) + self.marks.file_list.format(items))

    def _size(self, node: Node, rng: random.Random) -> str:
        kind = "Word形式" if node.kind == "file" else "PDF形式"
        return f"（{kind}：{rng.randrange(40, 2900)}KB）"

    def _related(self, node: Node, href: Href, rng: random.Random) -> str:
        links = [(href(one), "詳しくはこちら" if rng.random() < VAGUE else one.name) for one in node.related]
        items = "".join(f'<li><a href="{address}">{escape(label)}</a></li>' for address, label in links)
        return self.marks.section.format(self.marks.heading.format("関連情報") + f"<ul>{items}</ul>")

    def duties(self) -> str:
        """The table of what each section does."""
        rows = "".join(
            f"<tr><th>{escape(one.division)}</th><td>{escape(one.name)}</td><td>{escape(one.duties)}</td></tr>"
            for one in self.town.departments
        )
        return f'<table border="1"><tbody>{rows}</tbody></table>'

    def lines(self, node: Node) -> list[str]:
        """The text of a PDF, line by line."""
        rng = self.rng(node)
        wanted = rng.randint(*(PLAN_LINES if node.family in ("plan", "minutes") else OTHER_LINES))
        lines: list[str] = [self.town.name]
        while len(lines) < wanted:
            slots = self.town.slots(rng, node.day, node.dept, node.parent.title if node.parent else node.title)
            part = rng.choice(self.prose[FAMILIES.get(node.family, node.family)][1:])
            lines += [f"{len(lines)} {rng.choice(part.headings)}"]
            lines += [text.format_map(slots) for text in rng.sample(part.sentences, len(part.sentences))]
        for fact in node.facts:
            lines.insert(rng.randint(len(lines) // 3, len(lines)), fact)
        return lines
