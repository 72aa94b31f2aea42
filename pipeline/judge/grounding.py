"""The verifier: the only door through which a Quote comes into being.

A claim becomes a quote only where its folded text is a substring of a page's folded text (text.py). Nothing here
accepts what is merely similar; similarity serves the hint that a reviewer reads. What is shown is the page's own slice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.judge import hedges
from pipeline.judge.hints import hint
from pipeline.judge.surroundings import blocks_of, caveats, context, contiguous, sentence_end
from pipeline.models import Claim, Flag, Link, Match, Page, Quote, Region
from pipeline.text import Normalised, fold, match_tier, normalise

# Folded characters.
MIN_QUOTE = 4
SHORT_QUOTE = 8
MIN_FRAGMENT = 6

_REGIONS = {Region.MAIN: 0, Region.BODY: 0, Region.NAV: 1, Region.FOOTER: 2}
_ELLIPSIS = re.compile(
    r"\s*(?:[\[［(（【〔]\s*(?:中略|略|後略|前略|…+|‥+|\.{3,})\s*[\]］)）】〕]|中略|…+|‥+|\.{3,}|・{3,})\s*"
)
_DECORATION = {"「": "」", "『": "』", "“": "”", '"': '"', "'": "'", "‘": "’", "`": "`", "**": "**", "＂": "＂"}
_LEAD = re.compile(r"^\s*(?:[>＞*•●■◆○◇・\-]\s+|[>・•])")
# Places in folded text that must not fall between quoted and unquoted: inside a figure, a Latin or a katakana word.
_FIGURE = r"0-9〇零一二三四五六七八九十百千万億兆"
_JOINT = (
    rf"(?<=[0-9A-Za-z])(?=[0-9A-Za-z])|(?<=[{_FIGURE}])(?=[{_FIGURE}])|(?<=[0-9][.,])(?=[0-9])|(?<=[0-9])(?=[.,][0-9])"
)
_JOINTS = re.compile(_JOINT)
_EDGE = re.compile(
    _JOINT + r"|(?<=[ァ-ヺー])(?=[ァ-ヺー])|(?<=[0-9][-/:~])(?=[0-9])|(?<=[0-9])(?=[-/:~][0-9])|(?<=[▲△±])(?=[0-9])"
    r"|(?<=[0-9])(?=[²³¹⁰-⁹₀-₉¼-¾⅐-⅞])|(?<=[^0-9A-Za-z]-)(?=[0-9])|(?<=[未非不無])(?=[一-鿿])"
    # 茜浜|市では: what is left would speak of another city
    r"|(?<=[一-鿿々ァ-ヺー])(?=[市町村県区府都][はがでにのともへ、役])"
)
_DIGITS_APART = re.compile(r"(?<=[0-9])(?=[0-9])")


class Outcome(StrEnum):
    """How a claim fared. Only the first four carry a quote."""

    EXACT = "exact"
    NORMALISED = "normalised"
    OTHER_PAGE = "other_page"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not_found"
    TOO_SHORT = "too_short"


@dataclass(frozen=True, slots=True)
class Grounded:
    """What became of a claim. hint: where no quote was made, what stands nearest or why it was refused."""

    quote: Quote | None
    outcome: Outcome
    flags: tuple[Flag, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A place of the quote in a page: folded spans of its parts, in order; one unless it was given with an ellipsis."""

    page: Page
    parts: tuple[tuple[int, int], ...]
    start: int
    end: int
    link: Link | None = None


def verify(claim: Claim, pages: Mapping[str, Page]) -> Grounded:
    """The quote that the claim's text names, or why there is none. Never raises on any text.

    The claim's own page is searched first, then the others in their order. Text must be contiguous within one block,
    one table row, one term and definition, a heading and what follows it, or adjacent paragraphs or items.
    """
    own = pages.get(claim.page_sha256) if claim.page_sha256 else None
    ordered = ([own] if own else []) + [page for page in pages.values() if page is not own]
    for reading in _readings(claim):
        for page in ordered:
            if hits := _hits(reading, page, claim.href.strip()):
                return _grounded(claim, reading, hits)
    if len(fold(claim.text)) < MIN_QUOTE:
        return Grounded(None, Outcome.TOO_SHORT, (Flag.SHORT_QUOTE,))
    return Grounded(None, Outcome.NOT_FOUND, (Flag.QUOTE_NOT_FOUND,), hint(claim.text, ordered))


# --- what was claimed -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a claim's text: as written, its parts folded. at_end: admissible only where a sentence or block
    ends, because a full stop was taken off."""

    given: str
    parts: tuple[Normalised, ...]
    at_end: bool = False


def _readings(claim: Claim) -> Iterator[_Reading]:
    """The text as given; without a judge's decoration; without an added full stop; as fragments around an ellipsis."""
    given = claim.text.strip()
    bare = _undecorated(given)
    whole = dict.fromkeys([given, bare])
    yield from (_Reading(text, (normalise(text),)) for text in whole if text)
    if bare.endswith(("。", "．")) and len(bare) > 1:
        yield _Reading(bare[:-1], (normalise(bare[:-1]),), at_end=True)
    if claim.href or not _ELLIPSIS.search(bare):
        return
    fragments = [part for part in _ELLIPSIS.split(bare) if fold(part)]
    if fragments and all(len(fold(part)) >= MIN_FRAGMENT for part in fragments):
        yield _Reading(fragments[0], tuple(normalise(part) for part in fragments))


def _undecorated(text: str) -> str:
    text = _LEAD.sub("", text).strip()
    for opening, closing in _DECORATION.items():
        inner = text[len(opening) : -len(closing)]
        if (
            inner
            and text.startswith(opening)
            and text.endswith(closing)
            and opening not in inner
            and closing not in inner
        ):
            return inner.strip()
    return text


# --- where it stands --------------------------------------------------------------------------------------------------


def _hits(reading: _Reading, page: Page, href: str) -> list[_Hit]:
    """Every admissible place of the quote in a page, best region first."""
    if href:
        hits = _link_hits(reading, page, href)
    elif len(reading.parts) > 1:
        hits = _fragment_hits(reading, page)
    else:
        hits = _plain_hits(reading, page)
    return sorted(hits, key=lambda hit: (_region(hit), hit.start))


def _plain_hits(reading: _Reading, page: Page) -> list[_Hit]:
    quote, text = reading.parts[0], normalise(page.text)
    hits = []
    for start, end in _finds(quote, text, 0, len(text.text)):
        if (hit := _hit(page, text, ((start, end),))) and _admissible(reading, hit, text, len(quote.text)):
            hits.append(hit)
    return hits


def _admissible(reading: _Reading, hit: _Hit, text: Normalised, length: int) -> bool:
    first, last = blocks_of(hit.page, hit.start, hit.end)
    if first < 0 or not contiguous(hit.page, first, last):
        return False
    block = text.index(hit.page.blocks[first].start), text.index(hit.page.blocks[last].end)
    if length < MIN_QUOTE and block != hit.parts[0]:
        return False
    end = hit.parts[0][1]
    if reading.at_end and end < block[1] and text.text[end] not in "。.!?)」』":
        return False
    return not _negated(text, end, text.index(sentence_end(hit.page, last)))


def _negated(text: Normalised, end: int, until: int) -> bool:
    return text.text[end - 1] not in "。、.,!?" and hedges.turns(text.text, end, until)


def _fragment_hits(reading: _Reading, page: Page) -> list[_Hit]:
    """Fragments in order within one block, each at its first place after the one before."""
    text = normalise(page.text)
    hits = []
    for block in page.blocks if reading.parts[0].text in text.text else ():
        at, until = text.index(block.start), text.index(block.end)
        parts: list[tuple[int, int]] = []
        for fragment in reading.parts:
            found = next(_finds(fragment, text, at, until), None)
            if found is None or _negated(text, found[1], until):
                break
            parts.append(found)
            at = found[1]
        if len(parts) == len(reading.parts) and (hit := _hit(page, text, tuple(parts))):
            hits.append(hit)
    return hits


def _link_hits(reading: _Reading, page: Page, href: str) -> list[_Hit]:
    text, wanted = normalise(page.text), reading.parts[0].text
    hits = []
    for link in page.links:
        if link.href == href and fold(page.slice(link)) == wanted and link.end > link.start and wanted:
            part = (text.index(link.start), text.index(link.end))
            hits.append(_Hit(page, (part,), link.start, link.end, link))
    return hits


def _finds(quote: Normalised, text: Normalised, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Folded spans where the quote stands without cutting a figure, a word or a cluster, and spaced the same way."""
    length = len(quote.text)
    joints = [joint.start() for joint in _JOINTS.finditer(quote.text)]
    at = text.text.find(quote.text, start, end) if length else -1
    while at >= 0:
        spaced_alike = all((joint in quote.gaps) == (at + joint in text.gaps) for joint in joints)
        if spaced_alike and _edge(text, at) and _edge(text, at + length):
            yield at, at + length
        at = text.text.find(quote.text, at + 1, end)


def _edge(text: Normalised, at: int) -> bool:
    """Whether a quote may begin or end here. Between blocks it may; digits parted by a space only may be one figure."""
    if at <= 0 or at >= len(text.text) or at in text.breaks:
        return True
    return not (_DIGITS_APART if at in text.gaps else _EDGE).match(text.text, at)


def _hit(page: Page, text: Normalised, parts: tuple[tuple[int, int], ...]) -> _Hit | None:
    first, last = text.span(*parts[0]), text.span(*parts[-1])
    if first is None or last is None or any(text.span(*part) is None for part in parts):
        return None
    return _Hit(page, parts, first[0], last[1])


def _region(hit: _Hit) -> int:
    if hit.link:
        return _REGIONS[hit.link.region]
    return _REGIONS[hit.page.blocks[blocks_of(hit.page, hit.start, hit.end)[0]].region]


# --- what it becomes --------------------------------------------------------------------------------------------------


def _grounded(claim: Claim, reading: _Reading, hits: list[_Hit]) -> Grounded:
    """The quote at the first hit of the best region, with what a reviewer should know of it."""
    hit, page = hits[0], hits[0].page
    text = normalise(page.text)
    match = _match(hit, reading, page)
    flags = set(caveats(page, [span for part in hit.parts if (span := text.span(*part))]))
    elsewhere = claim.page_sha256 is not None and claim.page_sha256 != page.sha256
    ambiguous = not hit.link and sum(_region(other) == _region(hit) for other in hits) > 1
    if elsewhere:
        flags.add(Flag.OTHER_PAGE)
    if ambiguous:
        flags.add(Flag.AMBIGUOUS)
    if sum(len(part.text) for part in reading.parts) < SHORT_QUOTE and not hit.link:
        flags.add(Flag.SHORT_QUOTE)
    outcome = Outcome.EXACT if match == Match.EXACT else Outcome.NORMALISED
    outcome = Outcome.OTHER_PAGE if elsewhere else Outcome.AMBIGUOUS if ambiguous else outcome
    return Grounded(_quote(hit, match), outcome, tuple(sorted(flags)))


def _match(hit: _Hit, reading: _Reading, page: Page) -> Match:
    if len(reading.parts) > 1:
        return Match.FRAGMENTS
    return match_tier(page.text[hit.start : hit.end], reading.given)


def _quote(hit: _Hit, match: Match) -> Quote:
    page = hit.page
    return Quote(
        page_sha256=page.sha256,
        url=page.url,
        start=hit.start,
        end=hit.end,
        text=page.text[hit.start : hit.end],
        match=match,
        title=page.title,
        dated=page.dated,
        source=page.source,
        context=context(page, hit.start, hit.end),
        href=hit.link.href if hit.link else "",
    )
