"""What a statement says in its place: the clause that counts, what takes it back, what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pipeline.judge.polarity import denies, elliptic
from pipeline.judge.statements import Prepared, Statement
from pipeline.judge.tense import REFUSALS, Mode, Said, clauses, said
from pipeline.models import BlockKind

_DROPPED = re.compile(
    r"見送|断念|採用(?:には|は)|継続し|続けな|行わない|打ち切|移行し(?:ない|ません)|本格(?:実施|導入|運用)"
)
_TRIED = re.compile(r"試(?:し|み|行|験)|実証|(?:まし|てい|でい|てき|られ)た")
# 町のフェイスブックは、担当を置けないため、閉じました: what the topic does stands after the reason.
_REASON = re.compile(r"(?:ため|ので|ことから|により|によって)、$")
_TOPIC = re.compile(r"[^、。はがを]{0,24}[はも]、")


@dataclass(frozen=True)
class Meaning:
    """Reads as of one day."""

    as_of: date

    def mode(self, page: Prepared, statement: Statement, at: int) -> Said:
        """What the clause around `at` says; a last clause without a topic of its own speaks for the whole."""
        parts = clauses(statement.text)
        passed, chosen = 0, parts[-1]
        after = statement.after
        for number, part in enumerate(parts):
            if at < passed + len(part):
                chosen = part
                after = parts[number + 1] if number + 1 < len(parts) else statement.after
                break
            passed += len(part)
        written = page.page.dated
        last = said(parts[-1], as_of=self.as_of, written=written, after=statement.after)
        if chosen is parts[-1] or self._speaks_for_all(last, parts[-1], chosen, chosen[max(at - passed, 0) :]):
            return last
        return said(chosen, as_of=self.as_of, written=written, after=after)

    @staticmethod
    def _speaks_for_all(last: Said, clause: str, chosen: str, from_topic: str) -> bool:
        """Whether the last clause, and what it says, holds for the chosen one: it asks, names nothing itself, tells
        what came of a trial, or says after a reason what the topic does."""
        if last.mode is Mode.ASKS or (last.mode in REFUSALS and elliptic(clause)):
            return True
        if last.mode in (Mode.DENIES, Mode.ENDED) and _TRIED.search(chosen):
            return True
        return bool(_REASON.search(chosen) and _TOPIC.match(from_topic))

    def answered(self, page: Prepared, statement: Statement) -> Said:
        clause = denying(statement.text)
        return said(clause, as_of=self.as_of, written=page.page.dated, after=statement.after)

    def last(self, page: Prepared, statement: Statement) -> Said:
        """What its last clause says."""
        return said(clauses(statement.text)[-1], as_of=self.as_of, written=page.page.dated, after=statement.after)

    def taken_back(self, page: Prepared, statement: Statement) -> bool:
        """Whether an earlier sentence of the block denies what this one, which leans on it, seems to say."""
        earlier = [one for one in statement.before.split("。") if one]
        return any(self._denied(one, page) for one in earlier)

    def came_to_nothing(self, page: Prepared, statement: Statement) -> bool:
        """Whether what was tried is told to have ended: by the next sentence, or by a later cell of its row."""
        if not _TRIED.search(statement.text):
            return False
        later = [statement.after] if statement.after else _next(page, statement)
        if statement.part.row and statement.part.block.kind is BlockKind.CELL:
            following = page.parts[statement.part.place + 1 : statement.part.place + 4]
            later += [clauses(one.text)[-1] for one in following if one.row == statement.part.row and one.text]
        return any(self._denied(one, page) and (elliptic(one) or _DROPPED.search(one)) for one in later)

    def _denied(self, sentence: str, page: Prepared) -> bool:
        return said(sentence, as_of=self.as_of, written=page.page.dated).mode in REFUSALS


@lru_cache(maxsize=2**14)
def denying(sentence: str) -> str:
    """The clause that answers: the first that denies and names nothing (独自のものは持っておらず、県の…), else the
    last. Remembered: every criterion asks it of every sentence."""
    parts = clauses(sentence)
    return next((one for one in parts if denies(one.rstrip("、")) and elliptic(one)), parts[-1])


def _next(page: Prepared, statement: Statement) -> list[str]:
    """The sentences of the paragraph after the one that the statement ends."""
    following = page.parts[statement.part.place + 1 : statement.part.place + 2]
    return [
        sentence
        for one in following
        if one.section == statement.part.section and not one.row
        for sentence in one.text.split("。")
        if sentence
    ][:2]


def qualified(statement: Statement) -> bool:
    """Whether one clause of several denies (独自の計画は作っておらず、国の計画に沿って…)."""
    parts = clauses(statement.text)
    return len(parts) > 1 and any(denies(one.rstrip("、")) for one in parts)
