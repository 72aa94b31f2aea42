"""A known address: what its link promises, and how it stands in the frontier's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.crawl.choice import Offer
from pipeline.crawl.relevance import Promise
from pipeline.crawl.scope import Kind, family, sections
from pipeline.urls import host_port

SELECT = "SELECT number, url, kind, label, parent, depth, base, fixed, weights, word, form FROM address "


class State(StrEnum):
    """What became of an address."""

    WAITING = "waiting"
    TAKEN = "taken"  # handed out; after a crash handed out again
    READ = "read"  # a page of status 200, archived
    LISTED = "listed"  # a sitemap or feed, archived
    SAME = "same"  # leads to an address that was read under another name
    FAILED = "failed"
    MISSING = "missing"  # a guessed address (sitemap.xml) that is not there: nobody wanted it


@dataclass(frozen=True)
class Address:
    """A known address. number: order of discovery; label: of the link that led there; parent: page of that link;
    fixed: worth that nothing the crawl learns can move."""

    url: str
    kind: Kind
    label: str = ""
    parent: str = ""
    depth: int = 0
    promise: Promise = Promise()
    fixed: float = 0.0
    number: int = 0

    @property
    def score(self) -> float:
        return self.fixed + self.promise.score

    @property
    def sections(self) -> tuple[str, ...]:
        return sections(self.url, self.parent, self.promise.word, self.promise.form)

    @property
    def loops(self) -> bool:
        """Whether the link stood on a page of the same family, or only asks the same page something else."""
        path, _, query = self.url.partition("?")
        return family(self.url) == family(self.parent) or bool(query and path == self.parent.partition("?")[0])

    @property
    def offer(self) -> Offer:
        host, names = host_port(self.url)[0], self.sections
        return Offer(host, names, self.promise.weights, self.promise.base, self.fixed, self.loops)


def address_of(row: Sequence[object]) -> Address:
    number, url, kind, label, parent, depth, base, fixed, weights, word, form = row
    pairs = (pair.split(":") for pair in str(weights).split() if pair)
    return Address(
        url=str(url),
        kind=Kind(str(kind)),
        label=str(label),
        parent=str(parent),
        depth=int(str(depth)),
        promise=Promise(
            tuple((criterion, float(weight)) for criterion, weight in pairs), float(str(base)), str(word), str(form)
        ),
        fixed=float(str(fixed)),
        number=int(str(number)),
    )


def columns_of(address: Address) -> tuple[float, float, float, str, str, str]:
    """Columns score, base, fixed, weights, word, form. repr keeps every digit: a continued crawl chooses alike."""
    weights = " ".join(f"{criterion}:{weight!r}" for criterion, weight in address.promise.weights)
    return address.score, address.promise.base, address.fixed, weights, address.promise.word, address.promise.form
