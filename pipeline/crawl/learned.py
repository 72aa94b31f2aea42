"""What the crawl has learned: which sections of a site pay, and which criteria have been spoken of enough."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A criterion whose pages have spoken of it this often is worth 1/sqrt(2) of a hungry one; a modest push, not a quota.
SATED_PAGES = 4.0
# A family's links to itself (a calendar's next month) are given up when hardly a line of it was new: after 8 pages
# where a query makes them, after 20 others, and after 30 where they speak of a criterion.
CLOSED_NOVELTY = 0.08
CLOSED_QUERY_PAGES, CLOSED_PAGES, CLOSED_RELEVANT_PAGES = 8, 20, 30
# How fast the mean novelty of a family follows its latest page (exponential moving average).
NOVELTY_STEP = 0.3
# What a section's pages paid is believed as if so many pages of the next wider section had been read in it before.
BELIEF_PAGES = 3.0
# Labels of one form (council 1, council 2) are worth half after so many of them.
REPEATED_PAGES = 1.0


@dataclass
class Seen:
    """What was seen of a section. pages: read; novelty: moving mean, 0 to 1, of how much of a page no other page had
    said; paid: sum over its pages of what each paid, 0 to 1."""

    pages: int = 0
    novelty: float = 1.0
    paid: float = 0.0

    def add(self, novelty: float, paid: float) -> None:
        self.pages += 1
        self.novelty += NOVELTY_STEP * (novelty - self.novelty)
        self.paid += paid


class Learned:
    """Sections by name, their figures in columns so that all waiting addresses can be weighed at once.

    fed: criterion id to the sum of how clearly the pages read speak of it.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        # Pages, paid, and whether silent and speaking links of the family to itself are given up.
        self._columns = np.zeros((4, 1024))
        self.seen: dict[str, Seen] = defaultdict(Seen)
        self.fed: dict[str, float] = defaultdict(float)

    def number(self, section: str) -> int:
        """The column of a section."""
        known = self._numbers.get(section)
        if known is None:
            known = self._numbers[section] = len(self._numbers)
            if known == self._columns.shape[1]:
                self._columns = np.hstack((self._columns, np.zeros_like(self._columns)))
            self._note(section, known)
        return known

    def read(self, section: str, novelty: float, paid: float) -> Seen:
        """Notes a page of the section."""
        seen = self.seen[section]
        seen.add(novelty, paid)
        self._note(section, self.number(section))
        return seen

    def restore(self, section: str, seen: Seen) -> None:
        self.seen[section] = seen
        self._note(section, self.number(section))

    def _note(self, section: str, number: int) -> None:
        seen = self.seen.get(section, _UNSEEN)
        dull = seen.pages if seen.novelty < CLOSED_NOVELTY else 0
        silent = dull >= (CLOSED_QUERY_PAGES if "?" in section else CLOSED_PAGES)
        self._columns[:, number] = (seen.pages, seen.paid, silent, dull >= CLOSED_RELEVANT_PAGES)

    def hunger(self, criterion: str) -> float:
        """1 for a criterion of which no page has spoken, falling as pages do."""
        return float((1 + self.fed.get(criterion, 0.0) / SATED_PAGES) ** -0.5)

    def yields(self, sections: NDArray[np.int32]) -> NDArray[np.float64]:
        """What a page of each row's sections (widest first) is expected to pay, as a share of what the widest does.

        Each section's mean is drawn to the one before it (a Bayesian mean with `BELIEF_PAGES`): one page says little.
        """
        pages, paid = self._columns[0][sections], self._columns[1][sections]
        first = (paid[:, 0] + BELIEF_PAGES * 0.5) / (pages[:, 0] + BELIEF_PAGES)
        expected = first
        for column in range(1, sections.shape[1]):
            expected = (paid[:, column] + BELIEF_PAGES * expected) / (pages[:, column] + BELIEF_PAGES)
        return np.asarray(expected / first)

    def freshness(self, forms: NDArray[np.int32]) -> NDArray[np.float64]:
        """How little each row's form of label has been read: the tenth council of the same name says little new."""
        read = np.where(forms == self.number("="), 0.0, self._columns[0][forms])
        return np.asarray(1 / (1 + read / REPEATED_PAGES))

    def given_up(self, families: NDArray[np.int32], speaks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Of each row: whether its family's links to itself are asked no more. speaks: of a criterion."""
        return np.asarray(np.where(speaks, self._columns[3][families], self._columns[2][families]) > 0)


_UNSEEN = Seen()
