"""What a page says."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from pipeline.models.base import Noun, Offset, Sha256, Source
from pipeline.models.judged import Quote


class Region(StrEnum):
    """Where on the page a block stands. `main`: trafilatura's main text; `body`: other visible content."""

    MAIN = "main"
    BODY = "body"
    NAV = "nav"
    FOOTER = "footer"


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"  # li
    TERM = "term"  # dt
    DEFINITION = "definition"  # dd
    HEADER_CELL = "header_cell"  # th
    CELL = "cell"  # td
    CAPTION = "caption"
    ALT = "alt"  # alternative text of an image, what a screen reader says
    OTHER = "other"


class Block(Noun):
    """One block element of visible text: `page.text[start:end]`, one line, white space collapsed.

    headings: texts of the headings above it, outermost first (the page's title is not among them).
    row: what names its line (th or first td of the row, dt of a dd); column: header cell above it.
    sheet: page number in a PDF, from 1.
    """

    start: Offset
    end: Offset
    kind: BlockKind
    region: Region
    headings: tuple[str, ...] = ()
    row: str = ""
    column: str = ""
    sheet: int | None = None


class Link(Noun):
    """A link as a reader meets it. start, end: its label (or its image's alt) in Page.text; equal where it has none."""

    href: str
    label: str = ""
    title: str = ""
    region: Region
    headings: tuple[str, ...] = ()
    start: Offset
    end: Offset


class Media(StrEnum):
    HTML = "html"
    PDF = "pdf"
    TEXT = "text"


class Page(Noun):
    """What a snapshot says.

    sha256: of the snapshot's body; text: the visible blocks joined by line feeds, every offset in the system points
    into it; hidden_text: what no reader sees (display:none, comments excluded), kept only to warn reviewers, never
    searched and never sent to a model; dated: last stated update, else publication; cut: what of a long document was
    left unread, in words.
    """

    sha256: Sha256
    url: str
    title: str = ""
    dated: date | None = None
    language: str = "ja"
    media: Media = Media.HTML
    source: Source = Source.OFFICIAL
    text: str
    blocks: tuple[Block, ...]
    links: tuple[Link, ...] = ()
    hidden_text: str = ""
    cut: str = ""

    def slice(self, block: Block | Link | Quote) -> str:
        return self.text[block.start : block.end]


class DatedList(Noun):
    """Dates on which a site says that it changed. kind: `feed`, `list` (a dated list on a page), `sitemap`, or `posts`:
    those of one official account on a social service.

    Of posts: account: its address; spans: first and last possible day of each post that is dated by its age alone
    ("3 日前"), dates is then empty; partial: posts may be missing between those that are told.
    """

    url: str
    sha256: Sha256
    kind: Annotated[str, Field(pattern=r"^(feed|list|sitemap|posts)$")]
    dates: tuple[date, ...]
    account: str = ""
    spans: tuple[tuple[date, date], ...] = ()
    partial: bool = False
