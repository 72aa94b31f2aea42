"""Reads the statements of a page for a criterion, by the cues of the criteria file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from pipeline.judge.actor import Names
from pipeline.judge.cues import Compiled, Hit, find, find_around, find_asked
from pipeline.judge.findings import SHORTEST_DENIAL_CHARS, Finding, Side, finding
from pipeline.judge.meaning import Meaning, denying, qualified
from pipeline.judge.polarity import denies, elliptic
from pipeline.judge.statements import Prepared, Statement
from pipeline.judge.tense import REFUSALS, Mode, Said
from pipeline.judge.whose import Whose, voiced
from pipeline.models import BlockKind, Criterion, Cue

# A name that turns what stands under it into its opposite.
_EXCLUDES = re.compile(
    r"(?:でき|使え|なれ|受け付け|対応してい|取り扱ってい|扱え|取れ)(?:ない|ません)|対象外|不可|除外|以外|検討|予定|終了|廃止"
)
# A list of what is asked for or thought of, and not of what is there.
_ASKED_FOR = re.compile(
    r"要求|予算案|予算見積|要望|提案|今後の(?:予定|課題|計画)|課題$|達成できなかった|未達成|未着手|未実施"
)
_BY_NAME_STRENGTH = 0.8
# A denial may take one group of its cue from its block or heading.
_NEAR_ENOUGH = 0.88
_OWN_TOPIC_WEIGHT = 0.8  # an answer that names something else than was asked
# The next cell of a table that has lost its lines, as in a PDF: 席を固定しない執務室 未実施 令和11年度
_UNDONE = re.compile(r"[^、。]{0,8}(?:未(?:実施|着手|導入|整備|対応)|検討中)")
_WORD = re.compile(r"[一-龠ァ-ヴ]")
_ENTRY_KINDS = (BlockKind.CELL, BlockKind.DEFINITION, BlockKind.ITEM)
_NO_TEXT_KINDS = (BlockKind.HEADING, BlockKind.TERM, BlockKind.HEADER_CELL, BlockKind.CAPTION, BlockKind.ALT)


@dataclass(frozen=True)
class Reader:
    """Reads statements for one municipality as of one day."""

    names: Names
    as_of: date

    @cached_property
    def _whose(self) -> Whose:
        return Whose(self.names)

    @cached_property
    def _meaning(self) -> Meaning:
        return Meaning(self.as_of)

    def findings(
        self, criterion: Criterion, page: Prepared, cues: tuple[Compiled, ...], absent: tuple[Compiled, ...]
    ) -> Iterator[Finding]:
        """All findings of a page, by the criterion's cues and by its absent cues."""
        likely = tuple(cue for cue in cues if cue.possible(page))
        doubtful = tuple(cue for cue in absent if cue.possible(page))
        either = (*likely, *doubtful)
        if not either:
            return
        for statement in page.statements:
            found = self._best(self._read(criterion, page, statement, cue) for cue in likely)
            if found is None or found.side is Side.ASIDE:
                absent_here = [self._read_absent(criterion, page, statement, cue) for cue in doubtful]
                absent_here += [self._read_answer(criterion, page, statement, cue) for cue in either]
                found = self._best(absent_here) or found
            elif found.side is Side.FOR and qualified(statement):
                absent_here = [self._read_absent(criterion, page, statement, cue) for cue in doubtful]
                found = next((one for one in absent_here if one and one.side is Side.AGAINST and one.direct), found)
            if found:
                yield found

    @staticmethod
    def _best(found: Iterable[Finding | None]) -> Finding | None:
        known = [one for one in found if one is not None]
        return max(known, key=lambda one: (one.side is not Side.ASIDE, one.score), default=None)

    def _read(self, criterion: Criterion, page: Prepared, statement: Statement, cue: Compiled) -> Finding | None:
        hit = find(cue, page, statement)
        if hit is None:
            return None
        spoken = self._meaning.mode(page, statement, hit.at)
        side = self._side(criterion, hit, spoken, statement)
        if side is Side.AGAINST:
            near = hit.direct or hit.weight >= _NEAR_ENOUGH or elliptic(statement.text)
            side = side if near and not self._mumbles(cue, statement) else Side.ASIDE
        elif side is Side.FOR and self._undone(criterion, hit, page, statement):
            side = Side.ASIDE
        return self._finding(side, hit, page, statement, spoken, hit.at, criterion)

    def _undone(self, criterion: Criterion, hit: Hit, page: Prepared, statement: Statement) -> bool:
        """Whether what stands around the statement takes back what it says."""
        if not hit.direct and self._meaning.taken_back(page, statement):
            return True
        return not _past_is_enough(criterion) and self._meaning.came_to_nothing(page, statement)

    def _read_absent(self, criterion: Criterion, page: Prepared, statement: Statement, cue: Compiled) -> Finding | None:
        hit = find(cue, page, statement)
        spoken = self._meaning.mode(page, statement, hit.at) if hit else self._meaning.answered(page, statement)
        if not _refuses(criterion, spoken) and not (cue.cue.asserts and spoken.mode is Mode.DOES):
            return None
        if hit is None and elliptic(denying(statement.text)) and not cue.cue.asserts:
            hit = find_around(cue, page, statement)
        if hit is None or statement.part.block.kind in _NO_TEXT_KINDS:
            return None
        named = [one.start() for one in cue.groups[0].finditer(statement.text)]
        at = max(hit.at, *named) if hit.direct and named else len(statement.text)
        side = Side.ASIDE if self._mumbles(cue, statement) else Side.AGAINST
        return self._finding(side, hit, page, statement, spoken, at, criterion)

    def _read_answer(self, criterion: Criterion, page: Prepared, statement: Statement, cue: Compiled) -> Finding | None:
        """A denial that names nothing itself, about what a cue of the thing finds around it."""
        last = denying(statement.text)
        if cue.cue.asserts or statement.part.block.kind in _NO_TEXT_KINDS:
            return None
        own_topic = denies(last) and not elliptic(last) and not cue.groups[0].search(statement.text)
        hit = find_asked(cue, page, statement)
        if hit and own_topic:
            hit = replace(hit, weight=hit.weight * _OWN_TOPIC_WEIGHT)
        if hit is None and not elliptic(last):
            return None
        spoken = self._meaning.answered(page, statement)
        if not _refuses(criterion, spoken) or self._mumbles(cue, statement):
            return None
        hit = hit or find_around(cue, page, statement)
        if hit is None:
            return None
        return self._finding(Side.AGAINST, hit, page, statement, spoken, len(statement.text), criterion)

    def ended(self, criterion: Criterion, page: Prepared, names: frozenset[str]) -> Iterator[Finding]:
        """Statements that a service known by its own name has ended (「○○」は3月31日で終わりました)."""
        if _past_is_enough(criterion) or not any(name in page.bulk for name in names):
            return
        for statement in page.statements:
            if statement.link or not any(name in statement.text for name in names):
                continue
            spoken = self._meaning.last(page, statement)
            actor = self._whose.actor(criterion, page, statement, len(statement.text))
            if spoken.mode is Mode.ENDED and not actor.other and not voiced(page, statement):
                cue = Cue(all=(tuple(re.escape(name) for name in sorted(names)),), strength=_BY_NAME_STRENGTH)
                hit = Hit(cue, 0, 1.0, direct=True)
                yield finding(Side.AGAINST, hit, page, statement, spoken, actor, as_of=self.as_of)

    @staticmethod
    def _mumbles(cue: Compiled, statement: Statement) -> bool:
        """Whether a few characters deny (なし, 未実施) without a line or column of a table that names the thing."""
        if len(statement.text) >= SHORTEST_DENIAL_CHARS:
            return False
        return not all(group.search(statement.part.named) for group in cue.groups)

    def _side(self, criterion: Criterion, hit: Hit, spoken: Said, statement: Statement) -> Side:
        mode = spoken.mode
        told = mode is Mode.DOES and statement.part.block.kind is BlockKind.CAPTION and statement.text.endswith("。")
        if statement.part.block.kind in _NO_TEXT_KINDS and not told:
            return Side.ASIDE
        if hit.cue.asserts and mode in (Mode.DENIES, Mode.LIMITS, Mode.ENDED, Mode.LABEL):
            if _UNDONE.match(hit.rest):
                return Side.AGAINST
            # 印鑑は要りません says it; 席を固定しない働き方は導入していません has a denial of its own.
            if mode is Mode.LABEL or not _WORD.search(hit.rest):
                return Side.FOR
            return Side.ASIDE if mode is Mode.LIMITS else Side.AGAINST
        written = mode is Mode.PLANS and not spoken.open and spoken.day is None
        if hit.cue.plans_count and (written or mode in (Mode.INTENDS, Mode.DOES)):
            return Side.FOR
        if _past_is_enough(criterion) and (mode is Mode.ENDED or spoken.over):
            return Side.FOR
        if mode is Mode.LABEL:
            return Side.FOR if self._label_tells(hit, statement) else Side.ASIDE
        if mode is Mode.DOES:
            return Side.FOR
        return Side.AGAINST if mode in REFUSALS else Side.ASIDE

    @staticmethod
    def _label_tells(hit: Hit, statement: Statement) -> bool:
        """Whether words without a verb state something: a cell under a name, or where the cue allows it."""
        part = statement.part
        names = (part.row, part.column, part.headings[-1] if part.headings else "", statement.before)
        if statement.link or any(_EXCLUDES.search(name) for name in names):
            return False
        if any(_ASKED_FOR.search(name) for name in (*part.headings, part.row, part.column)):
            return False
        kind = statement.part.block.kind
        return hit.cue.labels_count or (kind in _ENTRY_KINDS and bool(statement.part.row))

    def _finding(
        self, side: Side, hit: Hit, page: Prepared, statement: Statement, spoken: Said, at: int, criterion: Criterion
    ) -> Finding:
        actor = self._whose.actor(criterion, page, statement, at)
        aside = actor.other or self._whose.foreign(page, statement)
        return finding(Side.ASIDE if aside else side, hit, page, statement, spoken, actor, as_of=self.as_of)


def _refuses(criterion: Criterion, spoken: Said) -> bool:
    """Whether it is not done; an end is no refusal where the past counts."""
    return spoken.mode in REFUSALS and not (_past_is_enough(criterion) and spoken.mode is Mode.ENDED)


def _past_is_enough(criterion: Criterion) -> bool:
    return criterion.past_counts or criterion.one_off
