"""What may be offered as a passage: blocks that are read together, and links, each text of a host once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.models import Block, BlockKind, Page, Region
from pipeline.text import searchable, sentences

# Characters of the page: short neighbouring blocks are offered together up to GROUP_CHARS, blocks over LONG_CHARS are
# offered by groups of sentences.
GROUP_CHARS = 220
LONG_CHARS = 420

_CELLS = (BlockKind.CELL, BlockKind.HEADER_CELL)
_APART = (*_CELLS, BlockKind.HEADING, BlockKind.TERM, BlockKind.DEFINITION)
_CHROME = (Region.NAV, Region.FOOTER)


@dataclass(frozen=True, slots=True)
class Unit:
    """A slice of a page that may be offered. near: names around it that help to find it and are not part of it."""

    page: int
    start: int
    end: int
    region: Region
    headings: tuple[str, ...]
    near: str
    href: str = ""


def without_repeats(pages: Sequence[Page]) -> list[Unit]:
    """The units of all pages; the same text under the same headings of a host, or the same menu line or link, once."""
    units, seen = [], set()
    for number, page in enumerate(pages):
        host = urlsplit(page.url).netloc
        for unit in _units(number, page):
            own = () if unit.region in _CHROME or unit.href else (unit.headings, unit.near)
            key = (host, unit.href, searchable(page.text[unit.start : unit.end]), own)
            if key not in seen:
                seen.add(key)
                units.append(unit)
    return units


def _units(number: int, page: Page) -> Iterator[Unit]:
    for group in _groups(page):
        first = group[0]
        near = _near(page, *first.headings, first.row, first.column)
        for start, end in _cut(page.text, first.start, group[-1].end):
            yield Unit(number, start, end, first.region, first.headings, near)
    for link in page.links:
        if link.end > link.start:
            near = _near(page, *link.headings, link.title, urlsplit(link.href).hostname or "")
            yield Unit(number, link.start, link.end, link.region, link.headings, near, link.href)


def _near(page: Page, *names: str) -> str:
    return "\n".join(dict.fromkeys(filter(None, (page.title, *names))))


def _groups(page: Page) -> Iterator[list[Block]]:
    """Neighbouring blocks that are read together, in order."""
    group: list[Block] = []
    for block in page.blocks:
        if group and not _together(page, group, block):
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _together(page: Page, group: list[Block], block: Block) -> bool:
    """Whether a block joins a group: the row of a table, a term's definition, what a heading heads, or short prose."""
    last = group[-1]
    if block.region != last.region or block.sheet != last.sheet:
        return False
    if last.kind == BlockKind.HEADING:
        return block.kind != BlockKind.HEADING and block.headings[-1:] == (page.slice(last),)
    if last.kind in _CELLS and block.kind in _CELLS:
        return (last.row or page.slice(last)) == (block.row or page.slice(block))
    if block.kind == BlockKind.DEFINITION:
        return last.kind in (BlockKind.TERM, BlockKind.DEFINITION)
    if block.kind in _APART or last.kind in _APART or block.headings != last.headings:
        return False
    if _asks(page, block) or _asks(page, last):
        return _asks(page, last)  # an answer need not repeat the words of its question: they stay together, and alone
    return block.end - group[0].start <= GROUP_CHARS


def _asks(page: Page, block: Block) -> bool:
    return page.slice(block).endswith(("か", "か。", "？", "?"))


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span itself, or where it is long its sentences in groups of about GROUP_CHARS."""
    if end - start <= LONG_CHARS:
        yield start, end
        return
    begin = until = start
    for left, right in sentences(text[start:end]):
        if until > begin and start + right - begin > GROUP_CHARS:
            yield begin, until
            begin = start + left
        until = start + right
    if until > begin:
        yield begin, until
