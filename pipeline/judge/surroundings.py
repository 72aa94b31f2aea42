"""What stands around a place in a page: its blocks, the sentence to show with it, and the words that may turn it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from pipeline.judge import hedges
from pipeline.models import Block, BlockKind, Flag, Page, Region
from pipeline.text import fold, normalise, sentences

# Characters of the page, except where another unit is named.
CONTEXT_CHARS = 300
WHOLE_BLOCK_CHARS = 80  # blocks up to this length are read whole, longer ones by the sentence
CAVEAT_SENTENCES = 3
ROW_CELLS = 12
LIST_BLOCKS = 40
PDF_LINES = 8

CELLS = (BlockKind.CELL, BlockKind.HEADER_CELL)
PROSE = (BlockKind.PARAGRAPH, BlockKind.OTHER, BlockKind.ITEM)
LISTED = (BlockKind.ITEM, BlockKind.TERM, BlockKind.DEFINITION, *CELLS)
CONTENT = (Region.MAIN, Region.BODY)
_SENTENCE_ENDS = ("。", "！", "？", "!", "?", "」", "）", ")")


def caveats(page: Page, spans: Sequence[tuple[int, int]]) -> tuple[Flag, ...]:
    """Negation and plan around what is quoted and not in it.

    spans: quoted parts [start, end) of page.text, in order. Read are the sentence (short blocks whole), sentences after
    it that open with ただし, なお, しかし or ※, the sentence that leads into its list or table, the other cells of its
    row, and the names of row, column and headings.
    """
    first, last = blocks_of(page, spans[0][0], spans[-1][1])
    if first < 0:
        return ()
    text = normalise(page.text)
    quoted = [(text.index(start), text.index(end)) for start, end in spans]
    flags: set[Flag] = set()
    for start, end in _ranges(page, first, last, spans):
        flags |= hedges.unquoted(text.text, quoted, text.index(start), text.index(end))
    flags |= hedges.hedged(_labels(page, first, last, spans))
    return tuple(sorted(flags))


def context(page: Page, start: int, end: int) -> str:
    """The block, table row or sentences around page.text[start:end], about CONTEXT_CHARS or the quote's own length."""
    first, last = blocks_of(page, start, end)
    if first < 0:
        return page.text[start:end]
    begin, until = page.blocks[first].start, page.blocks[last].end
    if page.blocks[first].kind in CELLS:
        row = list(_row_cells(page, first, last))
        begin, until = min(begin, row[0].start), max(until, row[-1].end)
    if until - begin > CONTEXT_CHARS:
        begin, until = _sentence_range(page, begin, until, start, end)
    spare = max(CONTEXT_CHARS - (end - start), 0) // 2
    return page.text[max(begin, start - spare) : min(until, end + spare)]


def blocks_of(page: Page, start: int, end: int) -> tuple[int, int]:
    """Numbers of the first and last block that page.text[start:end] touches; (-1, -1) where it leaves the blocks."""
    first = bisect_right(page.blocks, start, key=_start) - 1
    last = bisect_right(page.blocks, end - 1, key=_start) - 1
    if first < 0 or start >= page.blocks[first].end or end > page.blocks[last].end:
        return -1, -1
    return first, last


def contiguous(page: Page, first: int, last: int) -> bool:
    """Whether blocks first..last may be quoted in one breath: one table row, a term and its definition, a heading and
    what it heads, or paragraphs and items under the same heading."""
    return all(_adjoin(page, page.blocks[number], page.blocks[number + 1]) for number in range(first, last))


def sentence_end(page: Page, last: int) -> int:
    """Where the text that begins in block `last` ends; a PDF's line runs on into the next."""
    return page.blocks[_run_on(page, last, 1)].end


def _start(block: Block) -> int:
    return block.start


def _adjoin(page: Page, block: Block, after: Block) -> bool:
    if block.region not in CONTENT or after.region not in CONTENT:
        return False  # menu entries stand side by side without saying anything together
    if block.kind == BlockKind.HEADING:
        return after.kind != BlockKind.HEADING and after.headings[-1:] == (page.slice(block),)
    if block.kind in CELLS and after.kind in CELLS:
        return _row(page, block) == _row(page, after)
    if after.kind == BlockKind.DEFINITION:
        return block.kind == BlockKind.TERM or (block.kind == after.kind and block.row == after.row)
    return block.kind in PROSE and after.kind in PROSE and block.headings == after.headings


def _row(page: Page, block: Block) -> str:
    return block.row or page.slice(block)


def _run_on(page: Page, number: int, step: int) -> int:
    """The block that a PDF's broken lines reach from `number`, forwards (1) or backwards (-1)."""
    for _ in range(PDF_LINES):
        neighbour = number + step
        if not 0 <= neighbour < len(page.blocks):
            break
        upper, lower = sorted((number, neighbour))
        broken = page.blocks[upper].sheet is not None and not page.slice(page.blocks[upper]).endswith(_SENTENCE_ENDS)
        if not broken or not _adjoin(page, page.blocks[upper], page.blocks[lower]):
            break
        number = neighbour
    return number


def _ranges(page: Page, first: int, last: int, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans of page.text that are read for caveats."""
    begin, until = page.blocks[_run_on(page, first, -1)].start, sentence_end(page, last)
    start, end = spans[0][0], spans[-1][1]
    if until - begin > WHOLE_BLOCK_CHARS:
        narrow = _sentence_range(page, begin, until, start, end)
        yield from _openers(page, narrow[1], until)
        yield narrow
    else:
        yield begin, until
    yield from _lead_in(page, first)
    if last + 1 < len(page.blocks) and page.blocks[last].region == page.blocks[last + 1].region:
        after = page.blocks[last + 1]
        yield from _openers(page, after.start, after.end)


def _lead_in(page: Page, number: int) -> Iterator[tuple[int, int]]:
    """The last sentence of the paragraph that a list or table follows."""
    block = page.blocks[number]
    if block.kind not in LISTED:
        return
    for before in reversed(page.blocks[max(0, number - LIST_BLOCKS) : number]):
        if before.headings != block.headings or before.region not in CONTENT:
            return
        if before.kind not in LISTED:
            left, right = (sentences(page.slice(before)) or [(0, 0)])[-1]
            if hedges.LEADS_IN.search(page.slice(before), left):
                yield before.start + left, before.start + right
            return


def _sentence_range(page: Page, begin: int, until: int, start: int, end: int) -> tuple[int, int]:
    """The sentences of page.text[begin:until] that overlap [start, end), as one span."""
    touched = [
        (begin + left, begin + right)
        for left, right in sentences(page.text[begin:until])
        if begin + left < end and start < begin + right
    ]
    return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)


def _openers(page: Page, begin: int, until: int) -> Iterator[tuple[int, int]]:
    """The sentences right after a place that take something back."""
    for left, right in sentences(page.text[begin:until])[:CAVEAT_SENTENCES]:
        if not page.text.startswith(hedges.CAVEAT_OPENERS, begin + left):
            return
        yield begin + left, begin + right


def _labels(page: Page, first: int, last: int, spans: Sequence[tuple[int, int]]) -> set[str]:
    """Folded names and neighbouring cells of the quoted blocks, without those that are quoted themselves."""
    labels: set[str] = set()
    for block in page.blocks[first : last + 1]:
        labels |= {block.row, block.column, *block.headings}
    if page.blocks[first].kind in CELLS:
        labels |= {page.slice(cell) for cell in _row_cells(page, first, last)}
    quoted = "\n".join(page.text[start:end] for start, end in spans)
    return {fold(label) for label in labels if label and label not in quoted}


def _row_cells(page: Page, first: int, last: int) -> Iterator[Block]:
    row = _row(page, page.blocks[first])
    for block in page.blocks[max(0, first - ROW_CELLS) : last + 1 + ROW_CELLS]:
        if block.kind in CELLS and _row(page, block) == row:
            yield block
