"""Whose deed a statement on a page tells, and whether the page speaks of the municipality at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.judge.actor import Actor, Names
from pipeline.judge.speech import presents_voices, residents_voice, wishes_are_gathered
from pipeline.judge.statements import Part, Prepared, Statement, fold
from pipeline.models import Criterion, Source

# A report of what was seen elsewhere, and not an offer to be visited.
_VISITED = re.compile(
    r"視察(?:研修)?(?:の)?(?:報告|レポート|先|結果|概要|内容)|(?:を|へ|に)(?:行政)?視察(?:し|を|に)|(?:近隣|先進|他|県外)[^、。]{0,4}の視察|先進地(?:視察|研修)"
)
_GLOSSARY = re.compile(
    r"(?:言葉|ことば)の手引き?|用語(?:集|の?解説|の?説明|$)|カタカナ(?:語|用語)|まめ知識|豆知識|ことばの(?:説明|解説)"
)
_RECEIVED = re.compile(r"視察(?:の)?受|受け?入れ")
# A body that several municipalities share.
_SHARED = re.compile(r"組合|広域連合|共同|市町")
_ASKED_ROW = re.compile(r"^(?:q|問|質問)[\d.::、]")
_WITH = re.compile(r"と(?:の|は|連|協|共|結|締)")
_HOSTS = ("主催", "運営", "実施主体", "提供", "申込先", "問い合わせ", "お問い合わせ", "開発")
_LONGEST_CONTACT_CHARS = 80
_HOST_COLUMN = re.compile(r"^(?:主催|運営|開催|実施主体|提供|団体|事業者|会社|店)")


@dataclass(frozen=True)
class Whose:
    """Reads for one municipality."""

    names: Names

    def actor(self, criterion: Criterion, page: Prepared, statement: Statement, at: int) -> Actor:
        """Whose deed it is: by the sentence, else what stands before it, its row, headings, section and title."""
        part = statement.part
        whose = self._partnered(criterion, self.names.whose(statement.text, at), statement)
        if whose is Actor.BODY and _SHARED.search(statement.text) and self.names.joins(statement.after):
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

    def foreign(self, page: Prepared, statement: Statement) -> bool:
        """Whether it is not the office's word about the municipality: a resident's, somebody else's page or town."""
        return voiced(page, statement) or not self._own_press(page, statement) or self._strange(page, statement)

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


def voiced(page: Prepared, statement: Statement) -> bool:
    """Whether somebody else than the office speaks: a councillor, a resident, a wish that is quoted."""
    part = statement.part
    heading = part.headings[-1] if part.headings else ""
    if statement.asked:
        return True
    if residents_voice(part.row, part.column, heading) and not presents_voices(statement.text):
        return True
    quoted = statement.text.startswith(("「", "『")) and statement.text.endswith(("」", "』"))
    return quoted and wishes_are_gathered(page.title, "|".join(part.headings))
