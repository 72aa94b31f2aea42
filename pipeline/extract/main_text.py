"""Which blocks trafilatura takes for the main text of a page."""

from __future__ import annotations

import logging
import re

_MAX_NODES = 60_000
_MAX_CHARS = 3_000_000
# Spans change nothing about which text is main, and trafilatura fills them out cell by cell: 100 rows took 7 seconds.
_SPANS = re.compile(r' (?:col|row)span="[^"]*"')
# A shorter block must be a whole element of the main text: its words alone may stand anywhere.
_MIN_CONTAINED_CHARS = 12


class MainText:
    """The main text of a page, asked block by block."""

    def __init__(self, elements: frozenset[str], joined: str) -> None:
        self._elements = elements
        self._joined = joined

    def holds(self, text: str) -> bool:
        compact = "".join(text.split())
        return compact in self._elements or (len(compact) >= _MIN_CONTAINED_CHARS and compact in self._joined)


def main_text(html: str, nodes: int) -> MainText:
    """trafilatura's main text of a page whose hidden parts are gone; nothing where the page is too big or it gives up.

    It needs about 30 ms a page and grows faster than the page: above 60,000 nodes or 3 million characters it is left
    out.
    """
    if nodes > _MAX_NODES or len(html) > _MAX_CHARS:
        return MainText(frozenset(), "")
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    html = _SPANS.sub("", html)
    try:
        document = trafilatura.bare_extraction(
            html, fast=True, favor_recall=True, include_comments=False, include_tables=True, with_metadata=False
        )
    except (ValueError, RecursionError, AttributeError, TypeError, AssertionError, IndexError, KeyError):
        # It is asked about pages nobody has seen: what it cannot take has no main text, and stays searchable as body.
        return MainText(frozenset(), "")
    if not isinstance(document, trafilatura.settings.Document) or document.body is None:
        return MainText(frozenset(), "")
    texts = [
        "".join("".join(element.itertext()).split())
        for element in document.body.iter()
        if len(element) == 0 or element.text
    ]
    return MainText(frozenset(filter(None, texts)), "".join("".join(document.body.itertext()).split()))
