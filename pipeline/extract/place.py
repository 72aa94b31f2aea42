"""What an element hands down to the text inside it, and the records of a walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.extract.tables import Cell, Table
from pipeline.models import BlockKind, Region

_MAX_HEADING_CHARS = 200
_MAX_TERM_CHARS = 100
Attributes = Mapping[str, str | None]


class Outline:
    """The headings above the current point; sections get their own, so that a side menu names nothing outside it."""

    __slots__ = ("_levels", "path")

    def __init__(self, levels: tuple[tuple[int, str], ...] = ()) -> None:
        self._levels = levels
        self.path = tuple(text for _, text in levels)

    def open_scope(self) -> Outline:
        return Outline(self._levels)

    def add(self, level: int, text: str) -> None:
        """A heading was read: it ends those of its own level and below."""
        self._levels = (*(item for item in self._levels if item[0] < level), (level, text[:_MAX_HEADING_CHARS]))
        self.path = tuple(text for _, text in self._levels)

    def above(self, level: int) -> tuple[str, ...]:
        return tuple(text for other, text in self._levels if other < level) if level else self.path


@dataclass(slots=True, eq=False)
class Terms:
    """The dl that is being read: texts of its latest dt, or of several in a row."""

    current: list[str] = field(default_factory=list)
    closed: bool = False


class Place(NamedTuple):
    """Where text stands. level: of the heading it is in, 0 outside; sinks: lists that want the text of what is inside
    (a heading's, a cell's, a term's); behind: background colour; in_content: below <main> or
    <article>; named_content: below the element that the page itself calls its content; chrome: index of the menu or
    footer it is in."""

    outline: Outline
    region: Region = Region.BODY
    in_content: bool = False
    named_content: bool = False
    kind: BlockKind = BlockKind.OTHER
    level: int = 0
    sinks: tuple[list[str], ...] = ()
    table: Table | None = None
    in_head: bool = False
    cell: Cell | None = None
    terms: Terms | None = None
    named_by: list[str] | None = None
    behind: str = "white"
    chrome: int = -1

    def row(self) -> str:
        """What names the line: the dt, or the header cell, whichever is nearer."""
        if self.named_by is not None:
            term = " ".join(self.named_by)
            return term if len(term) <= _MAX_TERM_CHARS else ""
        return self.cell.row if self.cell is not None else ""

    def column(self) -> str:
        return self.cell.column if self.cell is not None and self.named_by is None else ""


@dataclass(slots=True, eq=False)
class Laid:
    """A block as laid out: its text is `Layout.text[start:end]`."""

    start: int
    end: int
    place: Place
    kind: BlockKind
    headings: tuple[str, ...]
    text: str


@dataclass(slots=True, eq=False)
class Anchor:
    """A link as met. start, end: of its text, alt_start, alt_end: of its image's alternative text, -1 where none."""

    href: str
    title: str
    aria: str
    script: str
    place: Place
    headings: tuple[str, ...]
    at: int
    node: int
    start: int = -1
    end: int = -1
    alt_start: int = -1
    alt_end: int = -1
    alt: str = ""


def in_table(tag: str, attributes: Attributes, place: Place) -> Place:
    """The place inside a part of a table; a table within a cell makes the outer one a layout."""
    if tag == "table":
        if place.table is not None:
            place.table.layout = True
        layout = attributes.get("role") in ("presentation", "none")
        return place._replace(table=Table(layout=layout), cell=None, in_head=False, named_by=None, sinks=())
    if tag in ("thead", "tbody", "tfoot"):
        return place._replace(in_head=tag == "thead")
    if place.table is None:
        return place
    if tag == "tr":
        place.table.start_row(place.in_head)
        return place
    cell = place.table.start_cell(
        header=tag == "th",
        scope=attributes.get("scope") or "",
        width=_count(attributes.get("colspan")),
        height=_count(attributes.get("rowspan")),
    )
    return place._replace(cell=cell, named_by=None, sinks=(cell.text,))


def in_list(tag: str, place: Place) -> Place:
    """The place inside a dl, dt or dd: a dd is named by the dt, or by the several, before it."""
    if tag == "dl":
        return place._replace(terms=Terms(), named_by=None)
    terms = place.terms or Terms()
    if tag == "dd":
        terms.closed = True
        return place._replace(named_by=terms.current)
    if terms.closed:
        terms.current, terms.closed = [], False
    return place._replace(named_by=None, sinks=(*place.sinks, terms.current))


def _count(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 1
