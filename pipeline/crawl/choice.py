"""Which waiting address is worth most now: promise, less what its family and its criterion have had already."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

# A criterion that has had this many pages is worth 1/sqrt(2) of a hungry one; a modest push, not a quota.
SATED_PAGES = 12
# A family is watched from its third page on and given up when hardly a line was new: after 8 pages where a query makes
# them, after 20 others, and after 30 where the links speak of a criterion.
WATCHED_PAGES, CLOSED_NOVELTY = 3, 0.08
CLOSED_QUERY_PAGES, CLOSED_PAGES, CLOSED_RELEVANT_PAGES = 8, 20, 30
# How fast the mean novelty of a family follows its latest page (exponential moving average).
NOVELTY_STEP = 0.3
# Addresses with a query share a family more often by being generated: half worth at this share of the page budget.
QUERY_SHARE = 0.1


@dataclass
class Family:
    """pages: answers of the family; novelty: moving mean, 0 to 1, of how much of a page no other page had said."""

    pages: int = 0
    novelty: float = 1.0

    def add(self, novelty: float) -> None:
        self.pages += 1
        self.novelty += NOVELTY_STEP * (novelty - self.novelty)

    def closed(self, most: int) -> bool:
        """Whether nothing more of it is asked once so many pages were."""
        return self.pages >= most and self.novelty < CLOSED_NOVELTY


class Choice:
    """The waiting addresses in memory, in one heap for each host, family and criterion. Built from the frontier's file.

    Within a heap all addresses weigh the same apart from their promise, so only the heaps' tops need comparing.
    """

    def __init__(self, max_pages: int) -> None:
        self._max_pages = max_pages
        self._scores: dict[int, float] = {}
        self._heaps: dict[str, dict[tuple[str, str], list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
        self.families: dict[str, Family] = defaultdict(Family)
        self.served: dict[str, int] = defaultdict(int)

    def __len__(self) -> int:
        return len(self._scores)

    def add(self, number: int, *, host: str, family: str, criterion: str, score: float) -> None:
        """Offers an address, or offers it again with a better score."""
        self._scores[number] = score
        heapq.heappush(self._heaps[host][family, criterion], (-score, number))

    def drop(self, number: int) -> None:
        self._scores.pop(number, None)

    def hosts(self) -> tuple[str, ...]:
        """Hosts with an address that may still be taken."""
        return tuple(host for host in list(self._heaps) if self._best(host) is not None)

    def take(self, hosts: Iterable[str]) -> int | None:
        """The best address of these hosts, no longer offered; None where there is none."""
        found = [best for host in hosts if (best := self._best(host)) is not None]
        if not found:
            return None
        number = max(found)[1] * -1
        self.drop(number)
        return number

    def _best(self, host: str) -> tuple[float, int] | None:
        """Worth and negated number, so that of two equals the one found first wins."""
        best: tuple[float, int] | None = None
        heaps = self._heaps[host]
        for (family, criterion), heap in list(heaps.items()):
            while heap and self._scores.get(heap[0][1]) != -heap[0][0]:
                heapq.heappop(heap)
            if not heap:
                del heaps[family, criterion]
            elif not self.families[family].closed(_most(family, criterion)):
                score, number = heap[0]
                worth = -score * self._appetite(family, criterion)
                best = max(best or (worth, -number), (worth, -number))
        if not heaps:
            del self._heaps[host]
        return best

    def _appetite(self, family: str, criterion: str) -> float:
        seen = self.families[family]
        appetite = max(seen.novelty, 0.02) if seen.pages >= WATCHED_PAGES else 1.0
        if "?" in family:
            appetite /= 1 + seen.pages / max(1.0, QUERY_SHARE * self._max_pages)
        if criterion:
            appetite /= (1 + self.served[criterion] / SATED_PAGES) ** 0.5
        return appetite


def _most(family: str, criterion: str) -> int:
    if criterion:
        return CLOSED_RELEVANT_PAGES
    return CLOSED_QUERY_PAGES if "?" in family else CLOSED_PAGES
