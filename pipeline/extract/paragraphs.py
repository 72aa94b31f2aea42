"""Lines of a printed page to paragraphs: a sentence broken over lines, columns or sheets becomes one block."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from pipeline.models import BlockKind, Region

_STARTS = re.compile(
    r"[・○●◎◇◆□■※▼▽▲△★☆•➢✓①-⑳]|[(（]?[0-9０-９]{1,3}(?:[)）．.、]|\s)|第[0-9０-９一二三四五六七八九十]+[章節編条回]"
    r"|[(（](?:質問|答弁|問|答)|[アイウエオカキクケコ][\s.．)）]|[QA問答][\s.．:：]"
)
_CHAPTER = re.compile(r"第[0-9０-９一二三四五六七八九十]+[章節編部]\s*\S{1,40}$")
_SENTENCE_END = re.compile(r"[。．！？!?」』]\s*$")
_PAGE_NUMBER = re.compile(r"[-–—−‐\s]*(?:p\.?|P\.?)?\s*\d{1,4}\s*(?:[/／]\s*\d{1,4}|ページ|頁)?[-–—−‐\s]*$")
# Numbers and Latin words move to the next line whole, with the unit behind them.
_UNBREAKABLE = re.compile(r"[A-Za-z0-9,.]{2,12}\S?")
_HANGING = "。、，．」』）)】"
_MAX_GAP_EM = 1.8
_NEXT_COLUMN_EM = 5
# Lines shorter than this are no wrapped prose.
_MIN_COLUMN_EM = 9
_FULL_WITHIN_EM = 1.6
_HEADING_RATIO = 1.15
_MAX_HEADING_CHARS = 60
_EDGE_LINES = 2
_MAX_HEAD_CHARS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line: box in points (y grows upwards); without geometry, left and right count half-width columns."""

    text: str
    sheet: int
    left: float
    right: float
    bottom: float | None = None
    top: float | None = None
    size: float = 0.0

    def edge(self, em: float) -> float:
        """Right edge without a punctuation mark that hangs over the margin."""
        return self.right - em if self.text.rstrip()[-1:] in _HANGING else self.right


@dataclass(slots=True)
class Paragraph:
    """Joined lines. level: of a heading, by its size, 0 for text."""

    sheet: int
    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    region: Region = Region.MAIN
    level: int = 0


@dataclass(slots=True)
class _Sheet:
    """What the lines of a sheet have in common: height of a character, and the edges of each column of print, by the
    left edge of its lines in steps of two characters."""

    em: float
    columns: dict[int, tuple[float, float]] = field(default_factory=dict)
    furniture: set[int] = field(default_factory=set)

    def step(self, line: Line) -> int:
        return int(line.left // (2 * self.em))

    def edges(self, line: Line) -> tuple[float, float]:
        """Left and right edge of the column that the line stands in, its indented lines included."""
        near = [self.columns[step] for step in range(self.step(line) - 1, self.step(line) + 2) if step in self.columns]
        return min((left for left, _ in near), default=line.left), max((right for _, right in near), default=line.right)


def to_lines(sheets: Sequence[Sequence[Sequence[object]]]) -> list[list[Line]]:
    """Lines of each sheet from the child's answer; those without a box get one from the width of their characters."""
    return [[_line(raw, number) for raw in lines if str(raw[0]).strip()] for number, lines in enumerate(sheets, 1)]


def _line(raw: Sequence[object], sheet: int) -> Line:
    text = str(raw[0])
    box = [float(value) if isinstance(value, int | float) else None for value in raw[1:6]]
    left, bottom, right, top, size = box
    if left is None or right is None:
        indent = _columns(text[: len(text) - len(text.lstrip())])
        return Line(text, sheet, indent, indent + _columns(text.strip()))
    # Some producers set a size of 1 and scale the page; the box tells the size then.
    height = top - bottom if top is not None and bottom is not None else 0.0
    return Line(text, sheet, left, right, bottom, top, size if size and size > 2 else height)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def paragraphs(sheets: Sequence[Sequence[Line]]) -> list[Paragraph]:
    """Paragraphs in reading order. Page numbers and running heads stand apart (region NAV) and part no sentence."""
    repeated = _repeated(sheets)
    sizes = _heading_sizes(sheets)
    found: list[Paragraph] = []
    waiting: list[Paragraph] = []
    last: Line | None = None
    before = _Sheet(em=1.0)
    for lines in sheets:
        if _is_vertical(lines):
            found += _vertical(lines)
            last = None
            continue
        sheet = _measure(lines, repeated)
        for at, line in enumerate(lines):
            if at in sheet.furniture:
                waiting.append(Paragraph(line.sheet, _squeeze(line.text), BlockKind.OTHER, Region.NAV))
            elif last is not None and found and _continues(last, line, before, sheet):
                found[-1].text = _join(found[-1].text, _squeeze(line.text))
                last, before = line, sheet
            else:
                found += waiting
                waiting = []
                found.append(_paragraph(line, sizes))
                last, before = line, sheet
    return found + waiting


def _paragraph(line: Line, sizes: Sequence[float]) -> Paragraph:
    text = _squeeze(line.text)
    short = len(text) <= _MAX_HEADING_CHARS and not _SENTENCE_END.search(text)
    size = round(line.size, 1)
    if short and size in sizes:
        return Paragraph(line.sheet, text, BlockKind.HEADING, level=list(sizes).index(size) + 1)
    if short and _CHAPTER.match(text):
        return Paragraph(line.sheet, text, BlockKind.HEADING, level=len(sizes) + (1 if "章" in text else 2))
    return Paragraph(line.sheet, text)


def _heading_sizes(sheets: Sequence[Sequence[Line]]) -> list[float]:
    """Sizes clearly above that of most text, largest first."""
    heights: Counter[float] = Counter()
    for lines in sheets:
        for line in lines:
            heights[round(line.size, 1)] += len(line.text)
    usual = max(heights, key=lambda size: heights[size], default=0.0)
    return sorted((size for size in heights if usual and size > usual * _HEADING_RATIO), reverse=True)


def _measure(lines: Sequence[Line], repeated: set[str]) -> _Sheet:
    heights = [line.size for line in lines if line.size > 0]
    furniture = {
        at
        for at in _edges(lines)
        if _PAGE_NUMBER.fullmatch(lines[at].text.strip()) or _is_running_head(lines[at].text, repeated)
    }
    sheet = _Sheet(em=median(heights) if heights else 2.0, furniture=furniture)
    for at, line in enumerate(lines):
        if at not in furniture:
            left, right = sheet.columns.get(sheet.step(line), (line.left, 0.0))
            sheet.columns[sheet.step(line)] = min(left, line.left), max(right, line.edge(sheet.em))
    return sheet


def _is_running_head(text: str, repeated: set[str]) -> bool:
    return len(text) <= _MAX_HEAD_CHARS and not _SENTENCE_END.search(text) and _pattern(text) in repeated


def _edges(lines: Sequence[Line]) -> set[int]:
    """Indexes of the top and bottom lines of a sheet, by position where it is known."""
    order = sorted(range(len(lines)), key=lambda at: -(lines[at].top or 0.0))
    return {*order[:_EDGE_LINES], *order[-_EDGE_LINES:]}


def _repeated(sheets: Sequence[Sequence[Line]]) -> set[str]:
    """Lines that stand at the edge of half the sheets or more, digits aside."""
    counts: Counter[str] = Counter()
    for lines in sheets:
        counts.update({_pattern(lines[at].text) for at in _edges(lines)})
    return {pattern for pattern, count in counts.items() if count >= 2 and count * 2 >= len(sheets)}


def _pattern(text: str) -> str:
    return re.sub(r"\d+", "0", "".join(text.split()))


def _continues(last: Line, line: Line, before: _Sheet, sheet: _Sheet) -> bool:
    """True where `line` goes on with what `last` began: last filled its column, and nothing says that something new
    starts (a mark, an indent after a full stop, a gap, another size). before: the sheet of `last`."""
    if _STARTS.match(line.text.strip()) or not _is_full(last, line, before):
        return False
    ended = bool(_SENTENCE_END.search(last.text))
    if ended and (line.left > sheet.edges(line)[0] + sheet.em / 2 or line.sheet != last.sheet):
        return False
    if line.sheet != last.sheet or last.bottom is None or line.top is None:
        return True
    if max(last.size, line.size) > _HEADING_RATIO * min(last.size, line.size):
        return False
    # A line much higher than the last one starts the next column.
    gap = last.bottom - line.top
    return -sheet.em / 2 <= gap <= _MAX_GAP_EM * sheet.em or (gap < -_NEXT_COLUMN_EM * sheet.em and not ended)


def _is_full(last: Line, line: Line, sheet: _Sheet) -> bool:
    """True where the first word of `line` had no room left behind `last`."""
    left, right = sheet.edges(last)
    unbreakable = _UNBREAKABLE.match(line.text.strip())
    needs = _FULL_WITHIN_EM + (_columns(unbreakable.group()) / 2 if unbreakable else 0)
    return right - left >= _MIN_COLUMN_EM * sheet.em and right - last.right <= needs * sheet.em


def _is_vertical(lines: Sequence[Line]) -> bool:
    """Vertical writing: lines of many characters and the width of one, or one character a line."""
    single = sum(len(line.text.strip()) <= 2 for line in lines)
    upright = sum(_is_column(line) for line in lines)
    return (len(lines) >= 20 and single * 10 >= 8 * len(lines)) or (upright * 10 >= 6 * len(lines) > 0)


def _is_column(line: Line) -> bool:
    length = len(line.text.strip())
    return line.top is not None and length >= 4 and line.right - line.left < 0.3 * length * line.size


def _vertical(lines: Sequence[Line]) -> Iterator[Paragraph]:
    """Columns from right to left, as one text, a block a sentence: nothing tells where its paragraphs end."""
    columns = sorted(lines, key=lambda line: -line.left) if any(map(_is_column, lines)) else lines
    text = _squeeze("".join(line.text.strip() for line in columns))
    for sentence in re.findall(r"[^。]+。?", text):
        yield Paragraph(lines[0].sheet, sentence.strip())


def _join(before: str, after: str) -> str:
    """Words of Latin script keep a space between lines, Japanese does not."""
    latin = before[-1:].isascii() and after[:1].isascii() and before[-1:].isalnum() and after[:1].isalnum()
    return before + (" " if latin else "") + after


def _squeeze(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff\ufeff\u200b]", "", text).split())
