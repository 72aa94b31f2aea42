"""The link inventory: what a reader can follow, with the label it is met by."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from pipeline.extract.place import Anchor
from pipeline.models import Link, Region
from pipeline.urls import canonical

# location.href='/a.html', window.open("http://...", ...), jump('/b.html')
_IN_SCRIPT = re.compile(
    r"""['"]((?:https?://|/|\./|\.\./)?[\w.~%/?=&#:+@-]*(?:/|\.(?:html?|php|cgi|aspx?|jsp|pdf))[^'"\s]*)['"]""", re.I
)
_MAX_LINKS = 20_000
_MAX_LABEL_CHARS = 500


def inventory(
    anchors: Sequence[Anchor], text: str, base: str, starts: Sequence[int], regions: Sequence[Region]
) -> tuple[Link, ...]:
    """Links with an absolute http(s) address; tel, mailto and the page's own anchors (`#top`) are left out.

    The label is the visible text, else the image's alternative text, else the title or aria-label; start and end are
    where it stands in `text`, equal where it stands nowhere. A label has the region of the block it stands in
    (`starts`: where the blocks start, `regions`: theirs).
    """
    links = []
    for anchor in anchors[:_MAX_LINKS]:
        href = address(anchor.href, base) or _scripted(anchor, base)
        if href:
            start, end, label = _label(anchor, text)
            index = bisect_right(starts, start) - 1
            region = regions[index] if end > start and index >= 0 else anchor.place.region
            links.append(
                Link(
                    href=href,
                    label=label,
                    title=anchor.title,
                    region=region,
                    headings=anchor.headings,
                    start=start,
                    end=end,
                )
            )
    return tuple(links)


def address(href: str, base: str) -> str:
    """Canonical http(s) address of an href; empty for other schemes and for anchors within the page."""
    href = href.strip()
    return "" if not href or href.startswith("#") else canonical(href, base) or ""


def _scripted(anchor: Anchor, base: str) -> str:
    """The address inside `javascript:` or `onclick`, where it is written out."""
    script = anchor.href if anchor.href.lower().lstrip().startswith("javascript:") else ""
    for source in (script, anchor.script if not anchor.href or script or anchor.href.startswith("#") else ""):
        if match := _IN_SCRIPT.search(source[:2000]):
            return address(match.group(1), base)
    return ""


def _label(anchor: Anchor, text: str) -> tuple[int, int, str]:
    """Start, end and words of a link's label."""
    start, end = anchor.start, anchor.end
    label = " ".join(text[start:end].split()) if start >= 0 else ""
    if not label and anchor.alt:
        label, start, end = anchor.alt, anchor.alt_start, anchor.alt_end
    if start < 0 or not label:
        label = label or anchor.aria or anchor.title
        start = end = min(anchor.at, len(text))
    return start, end, label[:_MAX_LABEL_CHARS]
