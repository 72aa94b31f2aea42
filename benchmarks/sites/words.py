"""The pools of words: topics, departments, names, body text, series, and the sentences that settle a criterion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "words"


@dataclass(frozen=True)
class Topic:
    slug: str
    titles: tuple[str, ...]
    optional: bool


@dataclass(frozen=True)
class Group:
    """Topics listed together; without a slug they stand on the category's own page."""

    slug: str
    titles: tuple[str, ...]
    topics: tuple[Topic, ...]


@dataclass(frozen=True)
class Category:
    slug: str
    titles: tuple[str, ...]
    departments: tuple[str, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Field:
    slug: str
    titles: tuple[str, ...]
    categories: tuple[Category, ...]


@dataclass(frozen=True)
class Department:
    division: str
    name: str
    duties: str


@dataclass(frozen=True)
class Wording:
    text: str
    also: tuple[str, ...]


@dataclass(frozen=True)
class Spot:
    """A place where a criterion is settled, or nearly so."""

    criterion: str
    settles: bool
    place: str
    wordings: tuple[Wording, ...]


@dataclass(frozen=True)
class Series:
    key: str
    family: str
    departments: tuple[str, ...]
    category: str
    share: int  # thousandths of all pages
    pdfs: tuple[int, int]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    headings: tuple[str, ...]
    sentences: tuple[str, ...]


def _lines(name: str) -> list[str]:
    text = (FOLDER / name).read_text("utf-8")
    return [line for line in text.split("\n") if line and not line.startswith("# ")]


def _blocks(lines: list[str], mark: str) -> list[tuple[str, list[str]]]:
    """Heads, which begin with the mark, and the lines below each; what stands before the first has the head ''."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in lines:
        if line.startswith(mark):
            found.append((line[len(mark) :].strip(), []))
        else:
            found[-1][1].append(line)
    return [one for one in found if one[0] or one[1] or mark == "= "]


def _titles(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


def _topic(line: str) -> Topic:
    slug, _, titles = line.partition(" ")
    return Topic(slug.removeprefix("?"), _titles(titles), slug.startswith("?"))


def _group(head: str, lines: list[str]) -> Group:
    slug, _, titles = head.partition(" ")
    return Group(slug, _titles(titles), tuple(map(_topic, lines)))


def _category(head: str, lines: list[str]) -> Category:
    named, _, departments = head.partition(" / ")
    slug, _, titles = named.partition(" ")
    groups = tuple(_group(*block) for block in _blocks(lines, "> ") if block[1])
    return Category(slug, _titles(titles), tuple(departments.split("・")), groups)


@cache
def fields() -> tuple[Field, ...]:
    found = []
    for head, lines in _blocks(_lines("topics.txt"), "["):
        slug, _, titles = head.rstrip("]").partition(" ")
        found.append(Field(slug, _titles(titles), tuple(_category(*block) for block in _blocks(lines, "## "))))
    return tuple(found)


@cache
def departments() -> tuple[Department, ...]:
    return tuple(
        Department(division, *line.split(" ", 1))
        for division, lines in _blocks(_lines("departments.txt"), "= ")
        for line in lines
    )


@cache
def names() -> dict[str, tuple[str, ...]]:
    return {head.rstrip("]"): tuple(" ".join(lines).split()) for head, lines in _blocks(_lines("names.txt"), "[")}


@cache
def prose() -> dict[str, tuple[Part, ...]]:
    """By family; the first part of each opens its pages."""
    found = {}
    for family, lines in _blocks(_lines("prose.txt"), "["):
        heads = "\n".join(lines).split("\n= ")
        blocks = [head.removeprefix("= ").split("\n") for head in heads]
        found[family.rstrip("]")] = tuple(Part(_titles(block[0]), tuple(block[1:])) for block in blocks)
    return found


@cache
def spots() -> tuple[Spot, ...]:
    found: list[Spot] = []
    for criterion, lines in _blocks(_lines("evidence.txt"), "= "):
        marked = re.split(r"\n(?=[@-] )", "\n".join(lines))
        for head, *wordings in (block.split("\n") for block in marked if block):
            found.append(Spot(criterion, head[0] == "@", head[2:], tuple(map(_wording, wordings))))
    return tuple(found)


def _wording(line: str) -> Wording:
    also, text = re.fullmatch(r"\+ ?(?:\(([^)]*)\) )?(.*)", line).groups()  # type: ignore[union-attr]
    return Wording(text, tuple(also.split(", ")) if also else ())


@cache
def stale() -> tuple[str, ...]:
    """A criterion and a sentence that old sites still say, a line each."""
    return tuple(_lines("stale.txt"))


@cache
def series() -> tuple[Series, ...]:
    return tuple(_series(*map(str.strip, line.split(" | "))) for line in _lines("series.txt"))


def _series(*cells: str) -> Series:
    key, family, departments_, category, share, pdfs, labels, list_names, titles = cells
    fewest, most = map(int, pdfs.split("-"))
    return Series(
        key,
        family,
        tuple(departments_.split(",")),
        category,
        int(share),
        (fewest, most),
        tuple(labels.split(",")),
        tuple(list_names.split(",")),
        tuple(title.strip() for title in titles.split(" / ")),
    )


@cache
def _of_a_town() -> tuple[re.Pattern[str], dict[str, str]]:
    pairs = dict(line.split(" ") for line in _lines("town.txt"))
    return re.compile(f"(?<![都朝])(?:{'|'.join(pairs)})"), pairs


def localised(text: str, town: bool) -> str:
    """The words as a town (町) says them, or unchanged for a city (市)."""
    if not town:
        return text
    pattern, pairs = _of_a_town()
    return pattern.sub(lambda found: pairs[found[0]], text)


@cache
def prose_of(town: bool) -> dict[str, tuple[Part, ...]]:
    """The prose as a town (町) says it, or as it is for a city (市)."""
    return {
        family: tuple(
            Part(*(tuple(localised(text, town) for text in texts) for texts in vars(part).values())) for part in parts
        )
        for family, parts in prose().items()
    }
