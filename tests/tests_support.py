"""Pages made by hand, block by block, for tests of the judge."""

from __future__ import annotations

import hashlib
from datetime import date

from pipeline.models import Block, BlockKind, Link, Page, Region, Source


def page_of(
    *lines: str,
    title: str = "",
    dated: date | None = date(2026, 6, 1),
    url: str = "https://city.example/page.html",
    region: Region = Region.MAIN,
    links: tuple[tuple[str, str], ...] = (),
    link_region: Region = Region.MAIN,
    source: Source = Source.OFFICIAL,
) -> Page:
    """A page of blocks. A line is `text`, `heading > text`, `heading > row = text` or `# heading` (a block of its own);
    links are (label, href), each a block."""
    texts: list[str] = []
    blocks: list[Block] = []
    found: list[Link] = []
    at = 0

    def add(text: str, kind: BlockKind, where: Region, headings: tuple[str, ...] = (), row: str = "") -> int:
        nonlocal at
        texts.append(text)
        blocks.append(Block(start=at, end=at + len(text), kind=kind, region=where, headings=headings, row=row))
        start, at = at, at + len(text) + 1
        return start

    for line in lines:
        if line.startswith("# "):
            add(line[2:], BlockKind.HEADING, region)
            continue
        heading, _, rest = line.rpartition(" > ")
        row, _, text = rest.rpartition(" = ")
        kind = BlockKind.CELL if row else BlockKind.PARAGRAPH
        add(text, kind, region, (heading,) if heading else (), row)
    for label, href in links:
        start = add(label, BlockKind.ITEM, link_region) if label else at
        found.append(Link(href=href, label=label, region=link_region, start=start, end=start + len(label)))
    text = "\n".join(texts)
    sha256 = hashlib.sha256(f"{url}\n{text}\n{links}".encode()).hexdigest()
    return Page(
        sha256=sha256,
        url=url,
        title=title,
        dated=dated,
        text=text,
        blocks=tuple(blocks),
        links=tuple(found),
        source=source,
    )
