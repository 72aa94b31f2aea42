"""A page as statements: each sentence or cell with what completes it (row, column, headings, what stands before)."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.judge.speech import (
    addressed_to_evaluator,
    affirms,
    asker_speaks,
    is_question,
    is_wish,
    residents_voice,
    without_turn,
)
from pipeline.models import Block, BlockKind, Page, Region
from pipeline.text import sentences

# How many blocks back in its section a sentence may lean on.
LOOK_BACK_BLOCKS = 6
MOSTLY_LINKS = 0.8


def fold(text: str) -> str:
    """Text as patterns see it: NFKC, lower case, no white space."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


_SITE_NAME = re.compile(
    r"ホームページ|公式(?:ウェブ)?サイト|公式hp|ウェブサイト$|トップ(?:ページ)?$|official|website|^[^、。]{1,8}[市町村区]$"
)


# What somebody asked or wished, told in the office's own sentence: 「カードで払えますか」というお問い合わせに…
_REPORTED = re.compile(
    r"「[^「」]{2,80}(?:か[。?]?|[?]|ほしい|たい|べき(?:だ)?|助かる|便利だ)」(?=と(?:い|の|お|ご|聞|質|尋|問)|など|に(?:つ|お答|対))"
)


def spoken(text: str) -> str:
    """A folded sentence without the questions and wishes of others that it reports."""
    return _REPORTED.sub("「」", text)


def page_title(title: str) -> str:
    """The folded title without the name of the site, which stands on every page and says nothing of this one."""
    return "|".join(one for one in _title_parts(title) if not _SITE_NAME.search(one))


def site_name(title: str) -> str:
    """What the title says of the site: whose it is, where it is not the municipality's own."""
    return "|".join(one for one in _title_parts(title) if _SITE_NAME.search(one))


def _title_parts(title: str) -> list[str]:
    parts = re.split(r"[|\uff5c/\uff0f:\uff1a\u2010-\u2015\u2212]|\s[-–—]\s|(?<=\s)-|-(?=\s)|«|»|<|>|＞|＜", title)
    return [one for one in map(fold, parts) if one]


@dataclass(frozen=True)
class Part:
    """A block of a page, folded. section: number of its run of blocks under the same headings; asked: its last turn is
    a question put to the office."""

    block: Block
    text: str
    row: str
    column: str
    headings: tuple[str, ...]
    section: int
    place: int
    asked: bool = False

    @property
    def named(self) -> str:
        return f"{self.row}|{self.column}"


@dataclass(frozen=True)
class Statement:
    """A sentence, or a cell or line without one: page.text[start:end], folded.

    before, after: folded text of its block around it. link: the whole of it is the label of a link.
    asked: somebody asks here (a councillor, a resident), the office does not speak. heard: before, with the wishes that
    it reports, which an answer may lean on. question: what its block answers, empty where nothing is asked;
    affirmed: the block says yes to it.
    """

    start: int
    end: int
    text: str
    part: Part
    before: str = ""
    after: str = ""
    link: bool = False
    asked: bool = False
    heard: str = ""
    question: str = ""
    affirmed: bool = False


@dataclass(frozen=True)
class Prepared:
    """A page made ready once for all criteria. site: what its title says of the site; bulk: folded title and text, for
    a first look."""

    page: Page
    title: str
    site: str
    parts: tuple[Part, ...]
    statements: tuple[Statement, ...]
    bulk: str
    addressed: bool
    sections: dict[int, tuple[Part, ...]] = field(hash=False)

    def earlier(self, part: Part) -> Iterator[Part]:
        """Blocks before it in its section, nearest first, at most LOOK_BACK_BLOCKS."""
        run = self.sections[part.section]
        here = bisect_right(run, part.place, key=lambda one: one.place) - 1
        for step in range(1, min(here, LOOK_BACK_BLOCKS) + 1):
            yield run[here - step]

    def before(self, part: Part) -> Iterator[Part]:
        """Blocks before it on the page, nearest first, whatever their section."""
        yield from self.parts[: part.place][::-1]


def prepare(page: Page) -> Prepared:
    """The statements of a page's main and other content; menus and footers have none, whatever they say."""
    parts = tuple(_parts(page))
    links = _link_labels(page)
    statements: list[Statement] = []
    addressed = False
    for number, part in enumerate(parts):
        for statement in _statements(page, part, links, _question(part, _previous(parts, number))):
            if addressed_to_evaluator(statement.text):
                addressed = True
            else:
                statements.append(statement)
    sections: dict[int, list[Part]] = {}
    for part in parts:
        sections.setdefault(part.section, []).append(part)
    return Prepared(
        page=page,
        title=page_title(page.title),
        site=site_name(page.title),
        parts=parts,
        statements=tuple(statements),
        bulk=fold(page.title)
        + "\n"
        + "\n".join(f"{part.text}|{part.named}|{'|'.join(part.headings)}" for part in parts),
        addressed=addressed,
        sections={number: tuple(run) for number, run in sections.items()},
    )


def _parts(page: Page) -> Iterator[Part]:
    folded: dict[str, str] = {}

    def remembered(text: str) -> str:
        if text not in folded:
            folded[text] = fold(text)
        return folded[text]

    section, above = 0, None
    place = 0
    for block in page.blocks:
        if block.region in (Region.NAV, Region.FOOTER) or block.end <= block.start:
            continue
        here = (block.headings, block.sheet)
        if here != above or block.kind is BlockKind.HEADING:
            section, above = section + 1, here
        row, column = remembered(block.row), remembered(block.column)
        yield Part(
            block=block,
            text=fold(page.slice(block)),
            row=row,
            column=column,
            headings=tuple(remembered(one) for one in block.headings),
            section=section,
            place=place,
            asked=asker_speaks(page.slice(block)) or residents_voice(row, column, ""),
        )
        place += 1


def _link_labels(page: Page) -> tuple[Sequence[int], dict[int, int]]:
    """Starts of link labels in order, and where each ends."""
    spans = {link.start: link.end for link in page.links if link.end > link.start}
    return sorted(spans), spans


def _previous(parts: Sequence[Part], number: int) -> Part | None:
    """The block before; of an answer in a list of terms, what stands before its term."""
    before = [one for one in parts[max(0, number - 2) : number] if one.block.kind is not BlockKind.TERM]
    return before[-1] if before else None


def _question(part: Part, before: Part | None) -> str:
    """The question that the part answers: its row or term, the paragraph before it, or its heading."""
    if is_question(part.row) or is_wish(part.row):
        return part.row
    if before is not None and before.section == part.section and before.asked:
        return before.text
    heading = part.headings[-1] if part.headings else ""
    return heading if is_question(heading) else ""


def _statements(
    page: Page, part: Part, links: tuple[Sequence[int], dict[int, int]], question: str
) -> Iterator[Statement]:
    block = part.block
    spans = [(block.start + start, block.start + end) for start, end in sentences(page.slice(block))]
    spans = [label for span in spans for label in _labels(*span, links)]
    whole = [fold(without_turn(page.text[start:end])) for start, end in spans]
    folded = [spoken(one) for one in whole]
    affirmed = bool(folded and question and affirms(folded[0]))
    for number, (start, end) in enumerate(spans):
        if folded[number]:
            yield Statement(
                start=start,
                end=end,
                text=folded[number],
                part=part,
                before="".join(folded[:number]),
                heard="".join(whole[:number]),
                after=folded[number + 1] if number + 1 < len(spans) else "",
                link=_is_link(page.text[start:end], start, end, links),
                asked=asker_speaks(page.text[block.start : end]),
                question=question,
                affirmed=affirmed,
            )


def _labels(start: int, end: int, links: tuple[Sequence[int], dict[int, int]]) -> list[tuple[int, int]]:
    """The span; where it is a row of link labels and nothing else, each of them."""
    starts, ends = links
    inside = [(at, ends[at]) for at in starts[bisect_left(starts, start) : bisect_left(starts, end)]]
    covered = sum(until - at for at, until in inside)
    return inside if len(inside) > 1 and covered >= MOSTLY_LINKS * (end - start) else [(start, end)]


_DATE_FIRST = re.compile(
    r"\s*(?:更新日?|公開|掲載|登録)?[:：]?\s*(?:(?:令和|平成|[RrHh])\s*[\d元０-９]+|[\d０-９]{4})\s*[年./-]\s*[\d０-９]+\s*[月./-]\s*[\d０-９]+\s*日?"
    r"(?:\s*[(（][月火水木金土日](?:曜日?)?[)）])?\s*"
)


def _is_link(text: str, start: int, end: int, links: tuple[Sequence[int], dict[int, int]]) -> bool:
    """Whether link labels cover nearly all of the span; the date before a title in a list does not count."""
    starts, ends = links
    covered, at_date = 0, _DATE_FIRST.match(text)
    start += at_date.end() if at_date else 0
    here = bisect_right(starts, start)
    for at in starts[max(0, here - 1) :]:
        if at >= end:
            break
        covered += max(0, min(end, ends[at]) - max(start, at))
    return covered >= MOSTLY_LINKS * (end - start)
