"""What differs between two surveys, in plain lines for a terminal or a mail; what asks for work comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.compare.nouns import CriterionChange, Difference, Fate, PageChange, QuoteChange, Side
from pipeline.text import printable

LINE_CHARS = 90
LINES_OF_A_PAGE = 4
_FATES = {
    Fate.CHANGED: "changed",
    Fate.NEW: "new",
    Fate.MOVED: "moved",
    Fate.GONE: "gone",
    Fate.FAILED: "could not be read this time",
    Fate.UNFETCHED: "not fetched this time",
}
_OF_A_QUOTE = {
    Fate.CHANGED: "its page has changed",
    Fate.MOVED: "its page has moved",
    Fate.GONE: "its page is gone",
    Fate.FAILED: "its page could not be read this time",
    Fate.UNFETCHED: "its page was not fetched this time",
}


def text(found: Difference) -> str:
    """The whole difference. Nothing that stands on a page can move the cursor."""
    return "\n".join(printable(line) for line in _all(found)) + "\n"


def _all(found: Difference) -> Iterator[str]:
    yield f"{found.municipality}: {_side(found.then)} -> {_side(found.now)}"
    yield from _cautions(found)
    yield ""
    again = [one for one in found.criteria if one.again]
    yield f"To look at again: {len(again)} confirmed before and open now"
    yield from (line for one in again for line in _criterion(one))
    judged = [one for one in found.criteria if not one.again and (one.then is not one.now or one.quotes)]
    yield ""
    yield f"Other judgements that differ or whose pages do: {len(judged)}"
    yield from (line for one in judged for line in _criterion(one))
    yield from _passages(found)
    yield ""
    counts = ", ".join(f"{len(found.of(fate))} {word}" for fate, word in _FATES.items())
    yield f"Pages: {found.unchanged} as they were, {counts}"
    yield from _everywhere(found)
    for fate in _FATES:
        yield from (line for one in found.of(fate) for line in _page(one))


def _side(side: Side) -> str:
    return f"{side.as_of} (run {side.run_id}, {side.read} pages read)"


def _cautions(found: Difference) -> Iterator[str]:
    if found.then.origin != found.now.origin:
        yield f"The site moved from {found.then.origin} to {found.now.origin}; addresses are written as today's."
    if found.then.spent:
        yield "The earlier survey spent its page budget: what is new here may only be new to us."
    if found.now.spent:
        yield "The later survey spent its page budget: what was not fetched may still be there."
    if found.then.criteria_sha256 != found.now.criteria_sha256:
        yield "The criteria were worded differently: a verdict may differ for that alone."


def _criterion(one: CriterionChange) -> Iterator[str]:
    verdict = f"{one.then} -> {one.now}" if one.then is not one.now else f"{one.then}, as before"
    held = f"  (confirmed by {one.reviewer}{'' if one.stands else '; open again'})" if one.reviewer else ""
    yield f"  {one.criterion}  {verdict}{held}"
    yield from (line for quote in one.quotes for line in _quote(quote))


def _quote(one: QuoteChange) -> Iterator[str]:
    where = f", now {one.to}" if one.to else ""
    still = "the sentence still stands there" if one.stands else "the sentence is not there any more"
    unseen = one.fate in (Fate.FAILED, Fate.UNFETCHED)
    yield f"      「{_short(one.text)}」"
    yield f"      {_OF_A_QUOTE[one.fate]}{where}{'' if unseen else f'; {still}'}: {one.url}"


def _passages(found: Difference) -> Iterator[str]:
    fresh = [one for one in found.criteria if one.passages]
    if fresh:
        yield ""
        told = ", ".join(f"{one.criterion} ({one.passages})" for one in fresh)
        yield f"New or changed pages speak of these criteria (passages): {told}"


def _everywhere(found: Difference) -> Iterator[str]:
    shared = found.everywhere
    if shared.removed or shared.added:
        yield f"  changed on many pages at once, a menu or footer ({len(shared.urls)} pages differ in nothing else)"
        yield from _lines(shared.removed, shared.added)


def _page(one: PageChange) -> Iterator[str]:
    to = f" -> {one.to}" if one.to else ""
    why = " ".join(filter(None, (one.cause or "", one.detail)))
    before = "not read before: " if one.fate is Fate.NEW and why else ""
    yield f"  {_FATES[one.fate]}  {one.url}{to}  {_short(one.title)}{f'  ({before}{why})' if why else ''}"
    yield from _lines(one.removed, one.added, one.more)


def _lines(removed: Sequence[str], added: Sequence[str], more: int = 0) -> Iterator[str]:
    minus, plus = [f"- {_short(line)}" for line in removed], [f"+ {_short(line)}" for line in added]
    half = LINES_OF_A_PAGE // 2
    shown = minus[: max(half, LINES_OF_A_PAGE - len(plus))] + plus[: max(half, LINES_OF_A_PAGE - len(minus))]
    yield from (f"      {line}" for line in shown)
    if left := len(minus) + len(plus) - len(shown) + more:
        yield f"      … {left} lines more"


def _short(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= LINE_CHARS else line[: LINE_CHARS - 1] + "…"
