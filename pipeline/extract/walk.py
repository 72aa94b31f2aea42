"""Walks a parsed page in document order and lays out its visible text as blocks and links, offsets exact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extract.hidden import Stylesheet, background, hides
from pipeline.extract.place import Anchor, Attributes, Laid, Outline, Place, in_list, in_table
from pipeline.extract.regions import is_article, may_hold_heading, region_of, starts_content
from pipeline.models import BlockKind, Region

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode


def _names(tags: str) -> frozenset[str]:
    return frozenset(tags.split())


_BLOCKS = _names(
    "address article aside blockquote body button caption center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol optgroup option p pre search "
    "section select summary table tbody td textarea tfoot th thead tr ul"
)
_REGIONS = _names("nav header footer aside main article")
_TABLE = _names("table thead tbody tfoot tr td th")
_LIST = _names("dl dt dd")
_SCOPES = _names("section article aside nav main")
_PICTURES = _names("img input area svg")
# Never shown, or a fallback: their text is not even hidden text. rt and rp are the readings of ruby.
_UNSHOWN = _names("script style head title audio video canvas object embed iframe datalist math rt rp rtc noframes")
# What is struck through is taken back: the page shows it and does not say it.
_HIDDEN_TAGS = frozenset({"noscript", "template", "del", "s", "strike"})
_KINDS = {
    "p": BlockKind.PARAGRAPH,
    "li": BlockKind.ITEM,
    "dt": BlockKind.TERM,
    "dd": BlockKind.DEFINITION,
    "th": BlockKind.HEADER_CELL,
    "td": BlockKind.CELL,
    "caption": BlockKind.CAPTION,
    "figcaption": BlockKind.CAPTION,
    **{f"h{level}": BlockKind.HEADING for level in range(1, 7)},
}
# A paragraph inside these is still the item itself.
_HOLDS_PARAGRAPHS = frozenset(_KINDS.values()) - {BlockKind.PARAGRAPH, BlockKind.CELL}
# Controls, zero-width spaces, soft hyphens and direction overrides: a reader sees none of them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
# Beyond it what is left becomes one block, and images stay silent: an extracted block costs about 2 KB of memory.
_MAX_BLOCKS = 120_000
_MAX_HIDDEN_CHARS = 5_000


class Layout:
    """Collects the visible text of a walk.

    After `run`: text, blocks and anchors; hidden: text that no reader sees; unseen: nodes that are no visible text
    (hidden, ruby readings); chrome: menus, headers and footers outside the content; nodes: how many were visited.
    """

    def __init__(self, sheet: Stylesheet) -> None:
        self.blocks: list[Laid] = []
        self.anchors: list[Anchor] = []
        self.unseen: list[LexborNode] = []
        self.nodes = 0
        self._chrome: list[LexborNode] = []
        self._with_content: set[int] = set()
        self._sheet = sheet
        self._parts: list[str] = []
        self._run: list[str] = []
        self._length = 0
        self._space = False
        self._breaks = 0
        self._owner = Place(Outline())
        self._start = 0
        self._open: list[Anchor] = []
        self._alts: list[tuple[str, Place, Anchor | None]] = []
        self._hidden: list[str] = []
        self._hidden_chars = 0

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def hidden(self) -> str:
        return " ".join(" ".join(self._hidden).split())[:_MAX_HIDDEN_CHARS]

    @property
    def chrome(self) -> list[LexborNode]:
        """Menus, headers and footers, without those that turned out to hold the page's content."""
        return [node for index, node in enumerate(self._chrome) if index not in self._with_content]

    def run(self, body: LexborNode) -> None:
        """Walk without recursion: how deep it goes is the page's to choose."""
        stack: list[tuple[LexborNode, str, Place, Place]] = []
        node: LexborNode | None = body
        place = self._owner
        while node is not None:
            inner = self._enter(node, place)
            if inner is not None:
                stack.append((node, node.tag or "", place, inner))
                node, place = node.first_child, inner
            else:
                node = node.next
            while node is None and stack:
                closed, tag, place, inner = stack.pop()
                self._leave(closed, tag, place, inner)
                node = closed.next if stack else None
        if self._run:
            self._end(self._owner.kind)
        self._flush()

    # --- elements ---------------------------------------------------------------------------------------------------

    def _enter(self, node: LexborNode, place: Place) -> Place | None:
        """The place inside the node, or None where there is nothing to go into."""
        self.nodes += 1
        if node.is_text_node:
            self._say(node.text_content or "", place)
            return None
        tag = node.tag or ""
        if tag == "br":
            self._breaks += 1
            self._space = True
            return None
        if not node.is_element_node or tag in _UNSHOWN:
            if tag in ("rt", "rp", "rtc"):
                self.unseen.append(node)
            return None
        attributes: Attributes = node.attributes
        if tag in _HIDDEN_TAGS or ((attributes or tag == "dialog") and self._hides(tag, attributes, place)):
            self._hide(node)
            return None
        return self._show(node, tag, attributes, place)

    def _show(self, node: LexborNode, tag: str, attributes: Attributes, place: Place) -> Place | None:
        if tag in _PICTURES:
            self._picture(node, tag, attributes, place)
            return None
        if "style" in attributes or "bgcolor" in attributes:
            behind = background(attributes, place.behind)
            place = place if behind == place.behind else place._replace(behind=behind)
        if tag == "a":
            if attributes.get("href") is not None or attributes.get("onclick"):
                self._open.append(self._anchor(node, attributes, place))
            return place
        if tag not in _BLOCKS:
            return place
        self._flush()
        return self._block(node, tag, attributes, place)

    def _hides(self, tag: str, attributes: Attributes, place: Place) -> bool:
        if tag == "dialog" and "open" not in attributes:
            return True
        painted = "style" in attributes or "bgcolor" in attributes
        return hides(attributes, self._sheet, background(attributes, place.behind) if painted else place.behind)

    def _hide(self, node: LexborNode) -> None:
        """Keep the start of what is hidden, for the reviewer's warning."""
        self.unseen.append(node)
        for inner in node.traverse(include_text=True):
            self.nodes += 1
            if self._hidden_chars > _MAX_HIDDEN_CHARS:
                return
            parent = inner.parent
            if inner.is_text_node and parent is not None and parent.tag not in ("script", "style"):
                text = " ".join(_INVISIBLE.sub("", inner.text_content or "").split())
                self._hidden.append(text)
                self._hidden_chars += len(text)

    def _block(self, node: LexborNode, tag: str, attributes: Attributes, place: Place) -> Place:
        inner = place
        if attributes or tag in _REGIONS:
            inner = self._region(node, tag, attributes, place)
        if inner.region is not place.region:
            inner = inner._replace(outline=Outline())
        elif tag in _SCOPES:
            inner = inner._replace(outline=inner.outline.open_scope())
        if tag in _TABLE:
            inner = in_table(tag, attributes, inner)
        elif tag in _LIST:
            inner = in_list(tag, inner)
        kind = _KINDS.get(tag)
        if kind is BlockKind.HEADING:
            if inner.table is not None:
                inner.table.layout = True
            return inner._replace(kind=kind, level=int(tag[1]), sinks=([],))
        if kind is None or (tag == "p" and inner.kind in _HOLDS_PARAGRAPHS):
            return inner
        return inner._replace(kind=kind)

    def _region(self, node: LexborNode, tag: str, attributes: Attributes, place: Place) -> Place:
        role, identity = attributes.get("role") or "", attributes.get("id") or ""
        classes = attributes.get("class") or ""
        region = region_of(tag, role, identity, classes, inside=place.region, in_content=place.in_content)
        if region is Region.NAV is not place.region and not may_hold_heading(tag, identity, classes):
            region = place.region if node.css_first("h1") is not None else region
        in_content = place.in_content or is_article(tag) or role == "main"
        named = place.named_content or starts_content(tag, role, identity)
        if in_content is not place.in_content or named is not place.named_content:
            place = place._replace(in_content=in_content, named_content=named)
        if region is place.region:
            return place
        if region is Region.BODY:
            self._with_content.add(place.chrome)
            return place._replace(region=region, chrome=-1)
        self._chrome.append(node)
        return place._replace(region=region, chrome=len(self._chrome) - 1)

    def _leave(self, node: LexborNode, tag: str, place: Place, inner: Place) -> None:
        if tag == "a":
            if self._open and self._open[-1].node == node.mem_id:
                self._open.pop().at = self._length
        elif tag in _BLOCKS:
            self._flush()
            if inner.level and inner.level != place.level and inner.sinks[-1]:
                inner.outline.add(inner.level, " ".join(inner.sinks[-1]))
            if tag == "table" and inner.table is not None:
                inner.table.name_cells()

    # --- links and pictures -----------------------------------------------------------------------------------------

    def _anchor(self, node: LexborNode, attributes: Attributes, place: Place) -> Anchor:
        anchor = Anchor(
            href=attributes.get("href") or "",
            title=_squeeze(attributes.get("title")),
            aria=_squeeze(attributes.get("aria-label")),
            script=attributes.get("onclick") or "",
            place=place,
            headings=place.outline.above(place.level),
            at=self._length,
            node=node.mem_id,
        )
        self.anchors.append(anchor)
        return anchor

    def _picture(self, node: LexborNode, tag: str, attributes: Attributes, place: Place) -> None:
        """An image's alternative text waits for the end of the block the image stands in."""
        anchor = self._open[-1] if self._open else None
        alt = _squeeze(attributes.get("alt"))
        if tag == "svg":
            title = node.css_first("title")
            alt = _squeeze(attributes.get("aria-label") or (title.text() if title is not None else ""))
        elif tag == "input" and attributes.get("type") != "image":
            alt = ""
        elif tag == "area" and attributes.get("href"):
            anchor = self._anchor(node, attributes, place)
        if alt:
            self._alts.append((alt, place, anchor))

    # --- text -------------------------------------------------------------------------------------------------------

    def _say(self, text: str, place: Place) -> None:
        """Add text to the block that is being read, white space collapsed; two line breaks in a row end a block."""
        text = _INVISIBLE.sub("", text)
        words = text.split()
        if not words:
            self._space = self._space or bool(text)
            return
        if self._breaks > 1:
            self._flush()
        self._breaks = 0
        if not self._run:
            self._begin(place)
        elif self._space or text[0].isspace():
            self._put(" ")
        first = self._length
        self._put(" ".join(words))
        self._space = text[-1].isspace()
        for anchor in self._open:
            anchor.start = first if anchor.start < 0 else anchor.start
            anchor.end = self._length

    def _begin(self, place: Place) -> None:
        if self._length:
            self._parts.append("\n")
            self._length += 1
        self._start, self._owner = self._length, place

    def _put(self, text: str) -> None:
        self._run.append(text)
        self._length += len(text)

    def _flush(self) -> None:
        """End the block that is being read, then speak the images in it."""
        self._breaks = 0
        if len(self.blocks) >= _MAX_BLOCKS and self._run:
            self._space = True
            return
        self._space = False
        text = ""
        if self._run:
            text = self._end(self._owner.kind)
        if self._alts:
            alts, self._alts = self._alts, []
            for alt, place, anchor in alts:
                self._speak(alt, place, anchor, text)

    def _end(self, kind: BlockKind) -> str:
        text = "".join(self._run)
        self._run.clear()
        self._parts.append(text)
        place = self._owner
        self.blocks.append(Laid(self._start, self._length, place, kind, place.outline.above(place.level), text))
        for sink in place.sinks:
            if kind is not BlockKind.ALT or not sink:
                sink.append(text)
        return text

    def _speak(self, alt: str, place: Place, anchor: Anchor | None, beside: str) -> None:
        """Lay out an alternative text as a block of its own, unless the words beside the image say the same."""
        label = ""
        if anchor is not None and anchor.start >= self._start:
            label = beside[anchor.start - self._start : anchor.end - self._start]
        if alt in (beside, label) or len(self.blocks) >= _MAX_BLOCKS:
            return
        self._begin(place)
        self._put(alt)
        if anchor is not None and anchor.alt_start < 0:
            anchor.alt, anchor.alt_start, anchor.alt_end = alt, self._start, self._length
        self._end(BlockKind.ALT)


def _squeeze(value: str | None) -> str:
    return " ".join(_INVISIBLE.sub("", value).split()) if value else ""
