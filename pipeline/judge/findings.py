"""What single statements say about a criterion: for it, against it, or set aside and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from pipeline.judge.accounts import Account
from pipeline.judge.actor import Actor, Names
from pipeline.judge.cues import Compiled, Hit, find, find_around, find_asked
from pipeline.judge.dates import mentions
from pipeline.judge.polarity import denies, elliptic
from pipeline.judge.speech import residents_voice, wishes_are_gathered
from pipeline.judge.statements import Part, Prepared, Statement, fold
from pipeline.judge.tense import Mode, Said, clauses, said
from pipeline.models import BlockKind, Criterion, Cue, Page, Region, Source


class Side(StrEnum):
    FOR = "for"
    AGAINST = "against"
    ASIDE = "aside"


@dataclass(frozen=True)
class Finding:
    """One statement (or account) read for one criterion. day: the date that orders it against others, if known."""

    side: Side
    score: float
    page: Page
    said: Said
    actor: Actor
    day: date | None = None
    statement: Statement | None = None
    account: Account | None = None
    direct: bool = True
    elliptic: bool = False
    section: int = -1


_ACTOR_WEIGHT = {Actor.OWN: 1.0, Actor.UNSAID: 0.95}
_BODY_WEIGHT = 0.95  # outside the main text
_LINK_WEIGHT = 0.8  # a title in a list of news: the page behind it says more
_LABEL_WEIGHT = 0.85
_SHORT_WEIGHT = 0.9  # a quote of a few characters convinces nobody
_SHORT_CHARS = 10
_KEPT_WEIGHT = 0.8  # announced, and the day has come
# A name that turns what stands under it into its opposite.
_EXCLUDES = re.compile(
    r"(?:でき|使え|なれ|受け付け|対応してい|取り扱ってい|扱え|取れ)(?:ない|ません)|対象外|不可|除外|以外|検討|予定|終了|廃止"
)
# A list of what is asked for or thought of, and not of what is there.
_ASKED_FOR = re.compile(
    r"要求|予算案|予算見積|要望|提案|今後の(?:予定|課題|計画)|課題$|達成できなかった|未達成|未着手|未実施"
)
_BY_NAME_STRENGTH = 0.8
# A report of what was seen elsewhere, and not an offer to be visited.
_VISITED = re.compile(
    r"視察(?:研修)?(?:の)?(?:報告|レポート|先|結果|概要|内容)|(?:を|へ|に)(?:行政)?視察(?:し|を|に)|(?:近隣|先進|他|県外)[^、。]{0,4}の視察|先進地(?:視察|研修)"
)
_GLOSSARY = re.compile(
    r"(?:言葉|ことば)の手引き?|用語(?:集|の?解説|の?説明|$)|カタカナ(?:語|用語)|まめ知識|豆知識|ことばの(?:説明|解説)"
)
_RECEIVED = re.compile(r"視察(?:の)?受|受け?入れ")
# A denial may take one group of its cue from its block or heading.
_NEAR_ENOUGH = 0.88
_OWN_TOPIC_WEIGHT = 0.8  # an answer that names something else than was asked
_DROPPED = re.compile(
    r"見送|断念|採用(?:には|は)|継続し|続けな|行わない|打ち切|移行し(?:ない|ません)|本格(?:実施|導入|運用)"
)
_TRIED = re.compile(r"試(?:し|み|行|験)|実証|(?:まし|てい|でい|てき|られ)た")
# 町のフェイスブックは、担当を置けないため、閉じました: what the topic does stands after the reason.
_REASON = re.compile(r"(?:ため|ので|ことから|により|によって)、$")
_TOPIC = re.compile(r"[^、。はがを]{0,24}[はも]、")
_ASKED_ROW = re.compile(r"^(?:q|問|質問)[\d.::、]")
_WITH = re.compile(r"と(?:の|は|連|協|共|結|締)")
# The next cell of a table that has lost its lines, as in a PDF: 席を固定しない執務室 未実施 令和11年度
_UNDONE = re.compile(r"[^、。]{0,8}(?:未(?:実施|着手|導入|整備|対応)|検討中)")
_HOSTS = ("主催", "運営", "実施主体", "提供", "申込先", "問い合わせ", "お問い合わせ", "開発")
_LONGEST_CONTACT_CHARS = 80
_HOST_COLUMN = re.compile(r"^(?:主催|運営|開催|実施主体|提供|団体|事業者|会社|店)")
_SHORTEST_DENIAL_CHARS = 5  # なし, × and the like say no only within their table
_WORD = re.compile(r"[一-龠ァ-ヴ]")
_ENTRY_KINDS = (BlockKind.CELL, BlockKind.DEFINITION, BlockKind.ITEM)
_NO_TEXT_KINDS = (BlockKind.HEADING, BlockKind.TERM, BlockKind.HEADER_CELL, BlockKind.CAPTION, BlockKind.ALT)


def _past_is_enough(criterion: Criterion) -> bool:
    return criterion.past_counts or criterion.one_off


@dataclass(frozen=True)
class Reader:
    """Reads statements for one municipality as of one day."""

    names: Names
    as_of: date

    def findings(
        self, criterion: Criterion, page: Prepared, cues: tuple[Compiled, ...], absent: tuple[Compiled, ...]
    ) -> Iterator[Finding]:
        """All findings of a page, by the criterion's cues and by its absent cues."""
        likely = tuple(cue for cue in cues if cue.possible(page))
        doubtful = tuple(cue for cue in absent if cue.possible(page))
        if not likely and not doubtful:
            return
        for statement in page.statements:
            found = self._best(self._read(criterion, page, statement, cue) for cue in likely)
            if found is None or found.side is Side.ASIDE:
                absent_here = [self._read_absent(criterion, page, statement, cue) for cue in doubtful]
                absent_here += [self._read_answer(criterion, page, statement, cue) for cue in likely]
                found = self._best(absent_here) or found
            elif found.side is Side.FOR and self._qualified(statement):
                absent_here = [self._read_absent(criterion, page, statement, cue) for cue in doubtful]
                found = next((one for one in absent_here if one and one.side is Side.AGAINST and one.direct), found)
            if found:
                yield found

    @staticmethod
    def _qualified(statement: Statement) -> bool:
        """Whether one clause of several denies (独自の計画は作っておらず、国の計画に沿って…)."""
        parts = clauses(statement.text)
        return len(parts) > 1 and any(denies(one.rstrip("、")) for one in parts)

    @staticmethod
    def _best(found: Iterable[Finding | None]) -> Finding | None:
        known = [one for one in found if one is not None]
        return max(known, key=lambda one: (one.side is not Side.ASIDE, one.score), default=None)

    def _read(self, criterion: Criterion, page: Prepared, statement: Statement, cue: Compiled) -> Finding | None:
        hit = find(cue, page, statement)
        if hit is None:
            return None
        spoken = self._mode(page, statement, hit.at)
        actor = self._actor(criterion, page, statement, hit.at)
        side = self._side(criterion, hit, spoken, statement)
        if side is Side.AGAINST and not (hit.direct or hit.weight >= _NEAR_ENOUGH or elliptic(statement.text)):
            side = Side.ASIDE
        if side is Side.AGAINST and self._mumbles(cue, statement):
            side = Side.ASIDE
        if side is Side.FOR and not hit.direct and self._taken_back(page, statement):
            side = Side.ASIDE
        if side is Side.FOR and not _past_is_enough(criterion) and self._came_to_nothing(page, statement):
            side = Side.ASIDE
        if actor.other or not self._own_press(page, statement) or self._voice(page, statement):
            side = Side.ASIDE
        if side is not Side.ASIDE and self._strange(page, statement):
            side = Side.ASIDE
        return self._finding(side, hit, page, statement, spoken, actor)

    def _read_absent(self, criterion: Criterion, page: Prepared, statement: Statement, cue: Compiled) -> Finding | None:
        hit = find(cue, page, statement)
        spoken = self._mode(page, statement, hit.at) if hit else self._answered(page, statement)
        denying = spoken.mode in (Mode.DENIES, Mode.PLANS, Mode.ENDED)
        if not denying and not (cue.cue.asserts and spoken.mode is Mode.DOES):
            return None
        if _past_is_enough(criterion) and spoken.mode is Mode.ENDED:
            return None
        last = self._denying(statement)
        if hit is None and elliptic(last) and not cue.cue.asserts:
            hit = find_around(cue, page, statement)
        if hit is None or statement.part.block.kind in _NO_TEXT_KINDS:
            return None
        named = [one.start() for one in cue.groups[0].finditer(statement.text)]
        at = max(hit.at, *named) if hit.direct and named else len(statement.text)
        actor = self._actor(criterion, page, statement, at)
        aside = actor.other or not self._own_press(page, statement) or self._voice(page, statement)
        aside = aside or self._mumbles(cue, statement) or self._strange(page, statement)
        return self._finding(Side.ASIDE if aside else Side.AGAINST, hit, page, statement, spoken, actor)

    def _read_answer(self, criterion: Criterion, page: Prepared, statement: Statement, cue: Compiled) -> Finding | None:
        """A denial that names nothing itself, about what a cue of the thing finds around it."""
        last = self._denying(statement)
        if cue.cue.asserts or statement.part.block.kind in _NO_TEXT_KINDS:
            return None
        own_topic = denies(last) and not elliptic(last) and not cue.groups[0].search(statement.text)
        hit = find_asked(cue, page, statement)
        if hit and own_topic:
            hit = replace(hit, weight=hit.weight * _OWN_TOPIC_WEIGHT)
        if hit is None and not elliptic(last):
            return None
        spoken = self._answered(page, statement)
        if spoken.mode not in (Mode.DENIES, Mode.PLANS, Mode.ENDED) or self._mumbles(cue, statement):
            return None
        if _past_is_enough(criterion) and spoken.mode is Mode.ENDED:
            return None
        hit = hit or find_around(cue, page, statement)
        if hit is None:
            return None
        actor = self._actor(criterion, page, statement, len(statement.text))
        aside = actor.other or not self._own_press(page, statement) or self._voice(page, statement)
        aside = aside or self._strange(page, statement)
        return self._finding(Side.ASIDE if aside else Side.AGAINST, hit, page, statement, spoken, actor)

    @staticmethod
    def _denying(statement: Statement) -> str:
        """The clause that answers: the first that denies and names nothing (独自のものは持っておらず、県の…), else the
        last."""
        parts = clauses(statement.text)
        return next((one for one in parts if denies(one.rstrip("、")) and elliptic(one)), parts[-1])

    def _answered(self, page: Prepared, statement: Statement) -> Said:
        clause = self._denying(statement)
        return said(clause, as_of=self.as_of, written=page.page.dated, after=statement.after)

    def ended(self, criterion: Criterion, page: Prepared, names: frozenset[str]) -> Iterator[Finding]:
        """Statements that a service known by its own name has ended (「○○」は3月31日で終わりました)."""
        if _past_is_enough(criterion) or not any(name in page.bulk for name in names):
            return
        for statement in page.statements:
            if statement.link or not any(name in statement.text for name in names):
                continue
            last = clauses(statement.text)[-1]
            spoken = said(last, as_of=self.as_of, written=page.page.dated, after=statement.after)
            actor = self._actor(criterion, page, statement, len(statement.text))
            if spoken.mode is Mode.ENDED and not actor.other and not self._voice(page, statement):
                cue = Cue(all=(tuple(re.escape(name) for name in sorted(names)),), strength=_BY_NAME_STRENGTH)
                yield self._finding(Side.AGAINST, Hit(cue, 0, 1.0, direct=True), page, statement, spoken, actor)

    def _mode(self, page: Prepared, statement: Statement, at: int) -> Said:
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
        if chosen is not parts[-1] and (
            last.mode is Mode.ASKS or (last.mode in (Mode.DENIES, Mode.PLANS, Mode.ENDED) and elliptic(parts[-1]))
        ):
            return last
        if chosen is not parts[-1] and last.mode in (Mode.DENIES, Mode.ENDED) and _TRIED.search(chosen):
            return last
        if chosen is not parts[-1] and _REASON.search(chosen) and _TOPIC.match(chosen[max(at - passed, 0) :]):
            return last
        return said(chosen, as_of=self.as_of, written=written, after=after)

    def _taken_back(self, page: Prepared, statement: Statement) -> bool:
        """Whether an earlier sentence of the block denies what this one, which leans on it, seems to say."""
        earlier = [one for one in statement.before.split("。") if one]
        return any(self._denied(one, page) for one in earlier)

    @staticmethod
    def _mumbles(cue: Compiled, statement: Statement) -> bool:
        """Whether a few characters deny (なし, 未実施) without a line or column of a table that names the thing."""
        if len(statement.text) >= _SHORTEST_DENIAL_CHARS:
            return False
        return not all(group.search(statement.part.named) for group in cue.groups)

    def _came_to_nothing(self, page: Prepared, statement: Statement) -> bool:
        """Whether what was tried is told to have ended: by the next sentence, or by a later cell of its row."""
        if not _TRIED.search(statement.text):
            return False
        later = [statement.after] if statement.after else self._next(page, statement)
        if statement.part.row and statement.part.block.kind is BlockKind.CELL:
            following = page.parts[statement.part.place + 1 : statement.part.place + 4]
            later += [clauses(one.text)[-1] for one in following if one.row == statement.part.row and one.text]
        return any(self._denied(one, page) and (elliptic(one) or _DROPPED.search(one)) for one in later)

    @staticmethod
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

    def _denied(self, sentence: str, page: Prepared) -> bool:
        mode = said(sentence, as_of=self.as_of, written=page.page.dated).mode
        return mode in (Mode.DENIES, Mode.ENDED, Mode.PLANS)

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
        return Side.AGAINST if mode in (Mode.DENIES, Mode.PLANS, Mode.ENDED) else Side.ASIDE

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

    def _actor(self, criterion: Criterion, page: Prepared, statement: Statement, at: int) -> Actor:
        """Whose deed it is: by the sentence, else what stands before it, its row, headings, section and title."""
        part = statement.part
        whose = self._partnered(criterion, self.names.whose(statement.text, at), statement)
        if whose is Actor.BODY and self.names.joins(statement.after):
            return Actor.OWN
        if whose is not Actor.UNSAID:
            return whose
        named = part.column if _ASKED_ROW.match(part.row) else f"{part.row}|{part.column}"
        nearest = [self.names.subject(statement.before), self.names.topic(named)]
        nearest += [self.names.topic(heading) for heading in reversed(part.headings)]
        nearest += [self.names.subject(one.text) for one in page.earlier(part) if not one.asked and one.row == part.row]
        nearest += [self._organiser(page, statement), self.names.topic(page.title), self.names.topic(page.site)]
        for actor in nearest:
            actor = self._partnered(criterion, actor, statement)
            if actor is not Actor.UNSAID:
                return Actor.UNSAID if actor is Actor.OWN else actor
        return Actor.UNSAID

    def _partnered(self, criterion: Criterion, actor: Actor, statement: Statement) -> Actor:
        """A company beside the municipality is its partner; one that is told of alone acts for itself."""
        if not criterion.partners or actor is not Actor.COMPANY:
            return actor
        around = f"{statement.before}{statement.text}|{'|'.join(statement.part.headings)}|{statement.part.row}"
        named = self.names.mentions(around)
        acts = any(one.subject and not _WITH.match(around[one.end :]) for one in named)
        return actor if acts and all(one.actor is Actor.COMPANY for one in named) else Actor.UNSAID

    def _organiser(self, page: Prepared, statement: Statement) -> Actor:
        """Whom the section names as host or contact (主催, 運営, 問い合わせ)."""
        for part in page.sections[statement.part.section]:
            if _HOST_COLUMN.match(part.column) and self._beside(part, statement):
                return self.names.topic(part.text)
            line = part.row + ":" + part.text if part.row else part.text
            hosts = len(line) < _LONGEST_CONTACT_CHARS and line.startswith(_HOSTS)
            if hosts and (actor := self.names.topic(part.text)) is not Actor.UNSAID:
                return actor
        return Actor.UNSAID

    @staticmethod
    def _beside(part: Part, statement: Statement) -> bool:
        """Whether a cell stands in the row of the statement, whose first cell names the row."""
        return bool(part.row) and part.row in (statement.part.row, statement.part.text)

    def _own_press(self, page: Prepared, statement: Statement) -> bool:
        """A page of the press speaks of many: the municipality must be named with the statement."""
        if page.page.source is not Source.PRESS:
            return True
        near = f"{statement.text}|{statement.before}|{'|'.join(statement.part.headings)}|{page.title}"
        return self.names.name in near

    def _strange(self, page: Prepared, statement: Statement) -> bool:
        """Whether somebody else's page or somebody else's town is told of: a service elsewhere that never names the
        municipality, the report of a visit to another one."""
        if page.page.source is Source.SERVICE and self.names.name not in fold(f"{page.page.title}{page.page.text}"):
            return True
        if _GLOSSARY.search("|".join((page.title, *statement.part.headings))):
            return self.names.whose(statement.text, len(statement.text)) is not Actor.OWN
        above = "|".join((page.title, *statement.part.headings, statement.before))
        return bool(_VISITED.search(above)) and not _RECEIVED.search(above)

    @staticmethod
    def _voice(page: Prepared, statement: Statement) -> bool:
        part = statement.part
        heading = part.headings[-1] if part.headings else ""
        if statement.asked or residents_voice(part.row, part.column, heading):
            return True
        quoted = statement.text.startswith(("「", "『")) and statement.text.endswith(("」", "』"))
        return quoted and wishes_are_gathered(page.title, "|".join(part.headings))

    def _finding(
        self, side: Side, hit: Hit, page: Prepared, statement: Statement, spoken: Said, actor: Actor
    ) -> Finding:
        score = hit.cue.strength * hit.weight * _ACTOR_WEIGHT.get(actor, 0.3)
        if statement.part.block.region is Region.BODY:
            score *= _BODY_WEIGHT
        if spoken.mode is Mode.LABEL:
            score *= _LABEL_WEIGHT
        if statement.end - statement.start < _SHORT_CHARS:
            score *= _SHORT_WEIGHT
        if statement.link:
            score *= _LINK_WEIGHT
        if spoken.kept:
            score *= _KEPT_WEIGHT
        found = Finding(
            side=side,
            score=score,
            page=page.page,
            said=spoken,
            actor=actor,
            day=page.page.dated,
            statement=statement,
            direct=hit.direct,
            elliptic=not hit.direct,
            section=statement.part.section,
        )
        if statement.link:
            return replace(found, day=self._listed(page, statement))
        return replace(found, day=spoken.day) if self._dates_itself(found) else found

    def _listed(self, page: Prepared, statement: Statement) -> date | None:
        """The date beside a title in a list of news; the list's own date says nothing of it."""
        beside = f"{statement.part.row}|{statement.part.text}"
        days = [one.day for one in mentions(beside, near=page.page.dated) if one.day and one.day == one.last]
        return min(days, default=None)

    def _dates_itself(self, found: Finding) -> bool:
        """An event's own date is newer than the page that first told it only where the page has no date."""
        day = found.said.day
        return day is not None and day <= self.as_of and found.day is None
