"""A page cut for reading: its blocks in order, the quoted parts marked, and only what stands around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.models import Block, Page

# Blocks before and after what is marked; the whole page is one click away.
AROUND_BLOCKS = 30
LEAD_BLOCKS = 120


@dataclass(frozen=True)
class Piece:
    """A run of characters. mark: number of the span it belongs to, from 1, or 0."""

    text: str
    mark: int = 0


@dataclass(frozen=True)
class Line:
    """One block as shown."""

    block: Block
    pieces: tuple[Piece, ...]

    @property
    def marked(self) -> bool:
        return any(piece.mark for piece in self.pieces)


@dataclass(frozen=True)
class Excerpt:
    """lines: what is shown; above, below: how many blocks are left out before and after it."""

    lines: tuple[Line, ...]
    above: int = 0
    below: int = 0


def excerpt(page: Page, spans: Sequence[tuple[int, int]], *, whole: bool = False) -> Excerpt:
    """The blocks around the spans [start, end) of page.text, or the beginning where there are none."""
    marked = [at for at, block in enumerate(page.blocks) if any(_cuts(block, span) for span in spans)]
    first, last = 0, len(page.blocks)
    if not whole and marked:
        first, last = max(0, marked[0] - AROUND_BLOCKS), min(last, marked[-1] + 1 + AROUND_BLOCKS)
    elif not whole:
        last = min(last, LEAD_BLOCKS)
    lines = tuple(Line(block, _pieces(page, block, spans)) for block in page.blocks[first:last])
    return Excerpt(lines, above=first, below=len(page.blocks) - last)


def _cuts(block: Block, span: tuple[int, int]) -> bool:
    return span[0] < block.end and block.start < span[1]


def _pieces(page: Page, block: Block, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    edges = {block.start, block.end}
    edges |= {edge for span in spans for edge in span if block.start < edge < block.end}
    ordered = sorted(edges)
    pieces = []
    for start, end in zip(ordered, ordered[1:], strict=False):
        mark = next((number for number, span in enumerate(spans, start=1) if span[0] <= start and end <= span[1]), 0)
        pieces.append(Piece(page.text[start:end], mark))
    return tuple(pieces)
