"""A site as a benchmark sees it: its addresses, its evidence, its answers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.sites.nodes import Answer
from benchmarks.sites.shapes import KINDS
from benchmarks.sites.shapes.base import ORIGIN, Shape

SHAPES: tuple[str, ...] = tuple(KINDS)
HOST = "http://www.city.example.jp"


@dataclass(frozen=True)
class Site:
    """`paths` are all addresses (path and query) that exist, the home page first, without what has no end; `evidence`
    gives for each criterion the addresses whose own text or links settle it, `near` those that only nearly do."""

    shape: str
    seed: int
    pages: int
    name: str
    home: str
    paths: tuple[str, ...]
    evidence: dict[str, tuple[str, ...]]
    near: dict[str, tuple[str, ...]]
    plan: Shape = field(repr=False)

    def path_of(self, address: str) -> str | None:
        """Which of `paths` an address (path and query) shows, whatever its session, print or size variant."""
        node = self.plan.same(address)
        return node.path if node else None

    def answer(self, address: str, origin: str = HOST) -> Answer:
        """The answer to a path with query. The same address always gets the same bytes."""
        found = self.plan.answer(address)
        if ORIGIN.encode() not in found.body:
            return found
        return Answer(found.status, found.headers, found.body.replace(ORIGIN.encode(), origin.encode()))


def build(shape: str, seed: int, pages: int = 8000) -> Site:
    """Plans a site of about so many pages; the same arguments give the same site. Unknown shape: KeyError."""
    plan = KINDS[shape](seed, pages)
    return Site(
        shape=shape,
        seed=seed,
        pages=pages,
        name=plan.town.name,
        home=plan.root.path,
        paths=tuple(plan.by_path),
        evidence=_by_criterion(plan, "proves"),
        near=_by_criterion(plan, "near"),
        plan=plan,
    )


def _by_criterion(plan: Shape, what: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for node in plan.nodes:
        for criterion in sorted(set(getattr(node, what))):
            found[criterion].append(node.path)
    return {criterion: tuple(found[criterion]) for criterion in sorted(found)}
