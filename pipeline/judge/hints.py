"""What to tell a reviewer about a claim that was not found. A hint never becomes evidence."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.judge.surroundings import context
from pipeline.models import Page
from pipeline.text import fold, normalise

HINT_CHARS = 140
# At most so many blocks of the claimed page (or of all pages, where it names none) are compared.
HINT_BLOCKS = 3000
# Least share of the claim's character pairs that a block must hold to be worth showing.
HINT_OVERLAP = 0.35


def hint(text: str, pages: Sequence[Page]) -> str:
    """One Japanese line: where the text stands but was refused, that it is hidden, or the most similar block."""
    wanted = fold(text)
    for page in pages if wanted else ():
        folded = normalise(page.text)
        at = folded.text.find(wanted)
        if at >= 0:
            start, end = folded.origin(at)[0], folded.origin(at + len(wanted) - 1)[1]
            return f"語や数や文の途中で切れるため引用にできません: {_shown(context(page, start, end))}"
        if wanted in fold(page.hidden_text):
            return "画面に表示されない文字列にだけあります"
    nearest = _nearest(wanted, pages)
    return f"近い箇所: {_shown(nearest)}" if nearest else ""


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= HINT_CHARS else line[:HINT_CHARS] + "…"


def _nearest(wanted: str, pages: Sequence[Page]) -> str:
    """The block that shares most character pairs with the wanted text, the first of equals."""
    pairs = _pairs(wanted)
    best, shared = "", max(HINT_OVERLAP * len(pairs), 1.0)
    budget = HINT_BLOCKS
    for page in pages:
        for block in page.blocks[:budget]:
            overlap = len(pairs & _pairs(fold(page.slice(block)))) if pairs else 0
            if overlap > shared:
                best, shared = page.slice(block), overlap
        budget -= len(page.blocks)
        if budget <= 0:
            break
    return best


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}
