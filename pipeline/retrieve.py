"""Passages of the pages for a criterion: the few that a judge should read.

Three views are searched: main text, other visible text, and links. A criterion's search terms are looked up whole; the
terms and the statement are also scored by BM25 over character pairs, so that words nobody foresaw still count a little.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.models import Block, BlockKind, Criterion, Page, Passage, Region, SettledBy, View
from pipeline.text import searchable, sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Characters of the page: short neighbouring blocks are offered together up to GROUP_CHARS, blocks over LONG_CHARS are
# offered by groups of sentences.
GROUP_CHARS = 220
LONG_CHARS = 420
PER_PAGE = 3

# Round numbers, not fitted; benchmarks/retrieval.py measures what they give.
TERM_WEIGHT = 1.0
NEAR_TERM_WEIGHT = 0.5  # a term in the headings, title, row or column only
PAIRS_WEIGHT = 0.35
NEAR_PAIRS_WEIGHT = 0.2
LINK_HOST_SCORE = 12.0
_REGION_WEIGHTS = {Region.MAIN: 1.0, Region.BODY: 0.9, Region.NAV: 0.5, Region.FOOTER: 0.6}
LINK_WEIGHT = 0.6  # for criteria that text settles: a menu word is no evidence

_CELLS = (BlockKind.CELL, BlockKind.HEADER_CELL)
_APART = (*_CELLS, BlockKind.HEADING, BlockKind.TERM, BlockKind.DEFINITION)
_CHROME = (Region.NAV, Region.FOOTER)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A slice of a page that may be offered. near: names around it that help to find it and are not part of it."""

    page: int
    start: int
    end: int
    region: Region
    headings: tuple[str, ...]
    near: str
    href: str = ""


class Index:
    """An index of pages that answers with passages.

    The order of the pages given makes no difference. What repeats on pages of one host is offered once, from the page
    nearest to the home page.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        import numpy as np

        self._pages = sorted(pages, key=_from_home)
        self._units = _without_repeats(self._pages)
        self._texts = _Field([self._slice(unit) for unit in self._units])
        names = list(dict.fromkeys(unit.near for unit in self._units))
        places = {name: place for place, name in enumerate(names)}
        self._near = _Field(names)
        self._near_of = np.array([places[unit.near] for unit in self._units], dtype=np.intp)
        self._weights = {link: np.array([_weight(unit, link) for unit in self._units]) for link in (False, True)}
        self._hosts: dict[str, list[int]] = {}
        for place, unit in enumerate(self._units):
            if host := urlsplit(unit.href).hostname if unit.href else None:
                self._hosts.setdefault(host, []).append(place)

    def __len__(self) -> int:
        """The number of passages that can be offered."""
        return len(self._units)

    def passages(self, criterion: Criterion, *, limit: int = 10) -> tuple[Passage, ...]:
        """At most `limit` passages that speak of the criterion, best first; PER_PAGE of a page while others do too."""
        if not self._units:
            return ()
        scores = self._scores(criterion)
        chosen: list[int] = []
        spare: list[int] = []
        taken = [0] * len(self._pages)
        for place in (-scores).argsort(kind="stable").tolist():
            if scores[place] <= 0:
                break
            page = self._units[place].page
            taken[page] += 1
            (chosen if taken[page] <= PER_PAGE else spare).append(place)
            if len(chosen) == limit:
                break
        return tuple(self._passage(place, criterion, float(scores[place])) for place in [*chosen, *spare][:limit])

    def _scores(self, criterion: Criterion) -> NDArray[np.float64]:
        import numpy as np

        terms = tuple(dict.fromkeys(filter(None, map(searchable, criterion.search_terms))))
        wording = " ".join([criterion.statement_ja, *criterion.search_terms])
        near = NEAR_TERM_WEIGHT * self._near.terms(terms) + NEAR_PAIRS_WEIGHT * self._near.pairs(wording)
        scores = TERM_WEIGHT * self._texts.terms(terms) + PAIRS_WEIGHT * self._texts.pairs(wording)
        scores = (scores + near[self._near_of]) * self._weights[criterion.settled_by == SettledBy.LINK]
        for host, places in self._hosts.items():
            if _is_at(host, criterion.link_hosts):
                scores[places] += LINK_HOST_SCORE
        # Rounded, so that equal passages stay equal whatever the order in which the summands were added.
        return np.asarray(np.round(scores, 4), dtype=np.float64)

    def _slice(self, unit: _Unit) -> str:
        return self._pages[unit.page].text[unit.start : unit.end]

    def _passage(self, place: int, criterion: Criterion, score: float) -> Passage:
        unit, page = self._units[place], self._pages[self._units[place].page]
        view = View.LINKS if unit.href else View.MAIN if unit.region == Region.MAIN else View.FULL
        return Passage(
            criterion=criterion.id,
            page_sha256=page.sha256,
            url=page.url,
            start=unit.start,
            end=unit.end,
            text=self._slice(unit),
            view=view,
            headings=unit.headings,
            score=score,
            href=unit.href,
        )


def _from_home(page: Page) -> tuple[int, int, str, str]:
    return page.url.count("/"), len(page.url), page.url, page.sha256


def _weight(unit: _Unit, for_links: bool) -> float:
    return _REGION_WEIGHTS[unit.region] * (LINK_WEIGHT if unit.href and not for_links else 1.0)


def _is_at(host: str, hosts: Sequence[str]) -> bool:
    return any(host == wanted or host.endswith("." + wanted) for wanted in hosts)


# --- scoring ----------------------------------------------------------------------------------------------------------


class _Field:
    """Texts that can be scored against terms (whole) and wordings (character pairs)."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s

        self._texts = [searchable(text) for text in texts]
        self._mean = sum(map(len, self._texts)) / max(len(self._texts), 1)
        self._bm25: Any = None
        self._vocabulary: dict[str, int] = {}
        documents = [[self._number(pair) for pair in _pairs(text)] for text in self._texts]
        if self._vocabulary:
            self._bm25 = bm25s.BM25()
            self._bm25.index((documents, self._vocabulary), show_progress=False)

    def _number(self, pair: str) -> int:
        return self._vocabulary.setdefault(pair, len(self._vocabulary))

    def pairs(self, wording: str) -> NDArray[np.float64]:
        """BM25 of the wording's distinct character pairs, for each text."""
        import numpy as np

        known = sorted({self._vocabulary[pair] for pair in _pairs(searchable(wording)) if pair in self._vocabulary})
        scores = self._bm25.get_scores(known) if known else np.zeros(len(self._texts))
        return np.asarray(scores, dtype=np.float64)

    def terms(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """BM25 with each term, as a whole, for a word (k1 1.2, b 0.5), for each text."""
        import numpy as np

        scores = np.zeros(len(self._texts))
        for term in terms:
            counts = self._counts(term)
            rarity = math.log(1 + (len(self._texts) - len(counts) + 0.5) / (len(counts) + 0.5))
            for place, count in counts.items():
                length = 0.5 + 0.5 * len(self._texts[place]) / self._mean
                scores[place] += rarity * count * 2.2 / (count + 1.2 * length)
        return scores

    def _counts(self, term: str) -> dict[int, int]:
        found = {}
        pattern = _whole(term)
        for place in self._candidates(term):
            text = self._texts[place]
            count = (len(pattern.findall(text)) if pattern else text.count(term)) if term in text else 0
            if count:
                found[place] = count
        return found

    def _candidates(self, term: str) -> Sequence[int]:
        """Texts that hold the term's rarest pair; all of them for a single character."""
        pairs = _pairs(term)
        if not pairs:
            return range(len(self._texts))
        if any(pair not in self._vocabulary for pair in pairs):
            return ()
        matrix = self._bm25.scores
        starts, ends = min(
            ((matrix["indptr"][number], matrix["indptr"][number + 1]) for number in map(self._number, pairs)),
            key=lambda span: span[1] - span[0],
        )
        places: list[int] = sorted(matrix["indices"][starts:ends].tolist())
        return places


def _pairs(text: str) -> list[str]:
    return [pair for pair in map("".join, zip(text, text[1:], strict=False)) if pair.isalnum()]


def _whole(term: str) -> re.Pattern[str] | None:
    """A pattern for terms that begin or end in a Latin letter or figure, which must not be part of a longer word."""
    before = r"(?<![0-9a-z])" if term[0].isascii() and term[0].isalnum() else ""
    after = r"(?![0-9a-z])" if term[-1].isascii() and term[-1].isalnum() else ""
    return re.compile(before + re.escape(term) + after) if before or after else None


# --- passages ---------------------------------------------------------------------------------------------------------


def _without_repeats(pages: Sequence[Page]) -> list[_Unit]:
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


def _units(number: int, page: Page) -> Iterator[_Unit]:
    for group in _groups(page):
        first = group[0]
        near = _near(page, *first.headings, first.row, first.column)
        for start, end in _cut(page.text, first.start, group[-1].end):
            yield _Unit(number, start, end, first.region, first.headings, near)
    for link in page.links:
        if link.end > link.start:
            near = _near(page, *link.headings, link.title, urlsplit(link.href).hostname or "")
            yield _Unit(number, link.start, link.end, link.region, link.headings, near, link.href)


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
    prose = block.kind not in _APART and last.kind not in _APART
    return prose and block.headings == last.headings and block.end - group[0].start <= GROUP_CHARS


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
