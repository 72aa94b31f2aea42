"""Pages for tests, written as lines: the notation that files/false_quotes.yaml explains."""

from __future__ import annotations

import hashlib

from pipeline.models import Block, BlockKind, Link, Page, Region

KINDS = {
    "# ": BlockKind.HEADING,
    "- ": BlockKind.ITEM,
    "dt: ": BlockKind.TERM,
    "dd: ": BlockKind.DEFINITION,
    "nav: ": BlockKind.PARAGRAPH,
    "footer: ": BlockKind.PARAGRAPH,
    "alt: ": BlockKind.ALT,
    "pdf: ": BlockKind.PARAGRAPH,
    "td ": BlockKind.CELL,
    "th ": BlockKind.HEADER_CELL,
    "link ": BlockKind.PARAGRAPH,
}


def make_page(lines: list[str], name: str = "page", hidden: str = "", title: str = "") -> Page:
    """A page at https://www.example.jp/NAME.html."""
    texts: list[str] = []
    blocks: list[Block] = []
    links: list[Link] = []
    heading: tuple[str, ...] = ()
    term = ""
    at = 0
    for line in lines:
        mark = next((mark for mark in KINDS if line.startswith(mark)), "")
        text, row, column, href = line.removeprefix(mark), "", "", ""
        if mark in ("td ", "th "):
            label, text = text.split(": ", 1)
            row, column = label.split("|")
        elif mark == "link ":
            text, href = text.split(" -> ")
        elif mark == "# ":
            heading = ()
        elif mark == "dt: ":
            term = text
        elif mark == "dd: ":
            row = term
        region = {"nav: ": Region.NAV, "footer: ": Region.FOOTER}.get(mark, Region.MAIN)
        start, end = at, at + len(text)
        blocks.append(
            Block(
                start=start,
                end=end,
                kind=KINDS.get(mark, BlockKind.PARAGRAPH),
                region=region,
                headings=heading if region == Region.MAIN else (),
                row=row,
                column=column,
                sheet=1 if mark == "pdf: " else None,
            )
        )
        if href:
            links.append(Link(href=href, label=text, region=region, headings=heading, start=start, end=end))
        if mark == "# ":
            heading = (text,)
        texts.append(text)
        at = end + 1
    return Page(
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        url=f"https://www.example.jp/{name}.html",
        title=title,
        text="\n".join(texts),
        blocks=tuple(blocks),
        links=tuple(links),
        hidden_text=hidden,
    )
