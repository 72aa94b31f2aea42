"""The cues of the criteria file, compiled, and where in a page's statements they match."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from pipeline.judge.statements import Prepared, Statement
from pipeline.judge.tense import clauses
from pipeline.models import BlockKind, Cue

# What a group found only around the sentence takes from the cue's strength.
NEARBY = {"sentence": 1.0, "block": 0.94, "heading": 0.9, "section": 0.86}
# Where the topic of an elliptic denial may stand: its block, the block before, the heading, farther, the title.
ELLIPTIC = (1.0, 0.95, 0.95, 0.8, 0.7)


# A longer first cell is itself a statement, not the name of its row.
LONGEST_NAME_CHARS = 24


# この仕組み may stand under the next heading after what it points to.
_POINTS_BACK = re.compile(
    r"(?:この|その|こうした|そうした|同様の|(?:お尋ね|おたずね|ご(?:質問|提案|要望|指摘))の(?:ような)?)(?:仕組み|しくみ|サービス|制度|取り?組み|システム|事業)"
)
_SENTENCE = re.compile(r"[はをが。]")
# これ, その結果, 同アプリ: what it is about stands in the sentence or block before.
_LEANS = re.compile(
    r"^(?:こ(?:れ|の|こ|ちら|うした)|そ(?:れ|の|こ|うした)|同(?:アプリ|システム|サービス|年|月|社|課|事業|計画|制度))"
)


# ^ and $ outside a class of characters.
_ANCHOR = re.compile(r"(?<![\[\\])\^|(?<!\\)\$")
_WISHED = re.compile(r"ほしい|欲しい|たい|べき|てはどう|要望|ください")


@dataclass(frozen=True)
class Compiled:
    """A cue and its patterns. somewhere: the groups without ^ and $, which mean a sentence and not the page."""

    cue: Cue
    groups: tuple[re.Pattern[str], ...]
    somewhere: tuple[re.Pattern[str], ...]
    none: re.Pattern[str] | None
    none_near: re.Pattern[str] | None
    title: re.Pattern[str] | None

    def possible(self, page: Prepared) -> bool:
        """A first look: whether every group occurs anywhere on the page."""
        return all(group.search(page.bulk) for group in self.somewhere)


@dataclass(frozen=True)
class Hit:
    """A cue found at a statement. at: where its clause is read (0 where the cue is only around it); rest: what follows
    the first group in its clause; weight: what the places of the groups leave of the cue's strength; direct: all
    groups stand in the sentence."""

    cue: Cue
    at: int
    weight: float
    direct: bool
    rest: str = ""


def leans(text: str) -> bool:
    """Whether a folded sentence begins with what points to the one before (これを, その結果)."""
    return bool(_LEANS.match(text))


@lru_cache(maxsize=4096)
def any_of(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    """One pattern for a group of the criteria file; None for an empty one."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


@lru_cache(maxsize=2048)
def compiled(cue: Cue) -> Compiled:
    """The cue with its patterns compiled, remembered."""
    groups = tuple(one for one in map(any_of, cue.all) if one is not None)
    somewhere = tuple(re.compile(_ANCHOR.sub("", group.pattern)) for group in groups)
    return Compiled(cue, groups, somewhere, any_of(cue.none), any_of(cue.none_near), any_of(cue.title))


def find(one: Compiled, page: Prepared, statement: Statement) -> Hit | None:
    """Where the cue matches with its first group in the statement itself; None where it does not."""
    if not _anchored(one, statement) or not _allowed(one, page, statement):
        return None
    weight, direct = 1.0, bool(one.groups[0].search(statement.text))
    for group in one.groups[1:]:
        place = _place(group, one.cue.within, page, statement)
        if place is None:
            return None
        weight *= NEARBY[place]
        direct = direct and place == "sentence"
    anchor = one.groups[0].search(statement.text)
    rest = _rest_of_clause(statement.text, anchor.end()) if anchor else ""
    return Hit(one.cue, _centre(one, statement.text), weight, direct, rest)


def _rest_of_clause(text: str, at: int) -> str:
    """What follows a place up to the end of the clause that it stands in."""
    end = 0
    for clause in clauses(text):
        end += len(clause)
        if at <= end:
            return text[at:end]
    return ""


def _anchored(one: Compiled, statement: Statement) -> bool:
    """Whether the first group stands in the statement, or names the cell that the statement fills."""
    anchor, part = one.groups[0], statement.part
    fills = part.block.kind in (BlockKind.CELL, BlockKind.DEFINITION)
    names = [one for one in (part.row, part.column) if len(one) <= LONGEST_NAME_CHARS and not _SENTENCE.search(one)]
    return bool(
        anchor.search(statement.text)
        or (fills and anchor.search("|".join(names)))
        or (statement.affirmed and anchor.search(statement.question))
    )


def _centre(one: Compiled, text: str) -> int:
    """The place from which the clause and the actor are read: the last first match of the groups, in the clause that
    has most of them."""
    parts, passed, best = clauses(text), 0, (-1, 0)
    for part in parts if len(parts) > 1 else [text]:
        starts = [found.start() for group in one.groups if (found := group.search(part))]
        best = max(best, (len(starts), passed + max(starts, default=0)))
        passed += len(part)
    return best[1] if best[0] > 0 else 0


def _allowed(one: Compiled, page: Prepared, statement: Statement) -> bool:
    part = statement.part
    headings = "|".join(part.headings)
    if one.title and not (one.title.search(page.title) or one.title.search("|".join(part.headings[:1]))):
        return False
    if one.none and one.none.search(f"{statement.text}|{part.named}"):
        return False
    return not (
        one.none_near
        and one.none_near.search(f"{statement.before}{statement.text}|{part.named}|{headings}|{page.title}")
    )


def _place(group: re.Pattern[str], within: str, page: Prepared, statement: Statement) -> str | None:
    part = statement.part
    asked = part.row.endswith(("か", "か。", "?"))
    if group.search(statement.text) or (group.search(part.named) and not asked):
        return "sentence"
    if statement.affirmed and group.search(statement.question):
        return "block"
    if statement.question and not _WISHED.search(statement.question) and group.search(statement.question):
        return "heading" if within != "sentence" else None
    if _LEANS.match(statement.text) and (
        group.search(statement.before) or any(group.search(one.text) for one in islice(page.earlier(part), 1))
    ):
        return "block"
    if within == "sentence":
        return None
    if group.search(statement.before) or group.search(part.named):
        return "block"
    if group.search("|".join(part.headings)) or group.search(page.title):
        return "heading"
    if within == "section" and any(group.search(f"{one.text}|{one.named}") for one in page.earlier(part)):
        return "section"
    return None


def find_asked(one: Compiled, page: Prepared, statement: Statement) -> Hit | None:
    """Where the question that the statement answers holds what the cue is about."""
    if not statement.question or not _allowed(one, page, statement) or not one.groups[0].search(statement.question):
        return None
    around = "|".join(
        (statement.question, statement.text, statement.part.headings[-1] if statement.part.headings else "")
    )
    return Hit(one.cue, 0, 0.95, direct=False) if all(group.search(around) for group in one.groups) else None


def find_around(one: Compiled, page: Prepared, statement: Statement) -> Hit | None:
    """Where the cue matches the statement together with what it leans on, nearest first, as an elliptic denial does."""
    if not _allowed(one, page, statement):
        return None
    part = statement.part
    around = f"{statement.text}|{part.named}|{statement.heard}"
    earlier = page.before(part) if _POINTS_BACK.search(statement.text) else page.earlier(part)
    before = [f"{one.text}|{one.named}" for one in islice(earlier, 3)]
    steps = [
        "",
        before[0] if before else "",
        part.headings[-1] if part.headings else "",
        "|".join((*before[1:], *part.headings[:-1])),
        page.title,
    ]
    answers = next(page.earlier(part), part).asked
    for step, more in enumerate(steps):
        around = f"{around}|{more}"
        if step == 1 and answers and not one.groups[0].search(around):
            return None  # an answer speaks of the question before it, not of an earlier one
        if all(group.search(around) for group in one.groups):
            return Hit(one.cue, 0, ELLIPTIC[step], direct=False)
    return None
