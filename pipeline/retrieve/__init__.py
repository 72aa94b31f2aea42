"""Passages of the pages for a criterion: the few that a judge should read.

Three views are searched: main text, other visible text, and links. A criterion's search terms are looked up whole; the
terms and the statement are also scored by BM25 over character pairs, so that words nobody foresaw still count a little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.models import Criterion, Page, Passage, Region, SettledBy, View
from pipeline.retrieve.field import Field
from pipeline.retrieve.units import Unit, without_repeats
from pipeline.text import searchable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PER_PAGE = 3

# Round numbers, not fitted; benchmarks/retrieval.py measures what they give.
TERM_WEIGHT = 1.0
NEAR_TERM_WEIGHT = 0.5  # a term in the headings, title, row or column only
PAIRS_WEIGHT = 0.35
NEAR_PAIRS_WEIGHT = 0.2
LINK_HOST_SCORE = 12.0
_REGION_WEIGHTS = {Region.MAIN: 1.0, Region.BODY: 0.9, Region.NAV: 0.5, Region.FOOTER: 0.6}
LINK_WEIGHT = 0.6  # for criteria that text settles: a menu word is no evidence


class Index:
    """An index of pages that answers with passages.

    The order of the pages given makes no difference. What repeats on pages of one host is offered once, from the page
    nearest to the home page.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        import numpy as np

        self._pages = sorted(pages, key=_from_home)
        self._units = without_repeats(self._pages)
        self._texts = Field([self._slice(unit) for unit in self._units])
        names = list(dict.fromkeys(unit.near for unit in self._units))
        places = {name: place for place, name in enumerate(names)}
        self._near = Field(names)
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

    def _slice(self, unit: Unit) -> str:
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


def _weight(unit: Unit, for_links: bool) -> float:
    return _REGION_WEIGHTS[unit.region] * (LINK_WEIGHT if unit.href and not for_links else 1.0)


def _is_at(host: str, hosts: Sequence[str]) -> bool:
    return any(host == wanted or host.endswith("." + wanted) for wanted in hosts)
