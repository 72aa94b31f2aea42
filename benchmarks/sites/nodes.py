"""What a generated site is made of: its pages before they are written out, and its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

TODAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, eq=False)
class Node:
    """A page, a list or a file. Its body is written when asked for, from its address and its facts."""

    kind: str  # hub, list, page, pdf, file, org, office, home
    title: str
    slug: str = ""
    family: str = "guide"
    dept: int = 0
    day: date = TODAY
    label: str = ""  # what links to it say, where that is not its title
    path: str = ""
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)  # listed on it, in order
    more: list[Node] = field(default_factory=list)  # the further pages of its list
    files: list[Node] = field(default_factory=list)
    related: list[Node] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)  # sentences that settle a criterion, or nearly
    proves: list[str] = field(default_factory=list)
    near: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.label or self.title

    def add(self, *nodes: Node) -> None:
        for node in nodes:
            node.parent = node.parent or self
            self.children.append(node)

    def walk(self) -> Iterator[Node]:
        """Itself and all below it, each once where it is at home."""
        yield self
        for node in self.more:
            yield node
        for node in self.files:
            yield from node.walk()
        for node in self.children:
            if node.parent is self:
                yield from node.walk()

    def trail(self) -> list[Node]:
        """From the home page down to its parent."""
        found, node = [], self.parent
        while node is not None:
            found.append(node)
            node = node.parent
        return found[::-1]
