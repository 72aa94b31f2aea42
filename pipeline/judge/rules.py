"""The embedded judge: every page read by the criteria file's cues and general Japanese grammar, no model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from pipeline.judge import confidence
from pipeline.judge.accounts import accounts
from pipeline.judge.actor import Actor, Names
from pipeline.judge.cues import compiled
from pipeline.judge.findings import Finding, Side
from pipeline.judge.reader import Reader
from pipeline.judge.statements import Prepared, prepare
from pipeline.judge.tense import Mode, Said
from pipeline.judge.weigh import support, weigh
from pipeline.judge.wording import claims, rationale
from pipeline.models import (
    Criterion,
    Flag,
    Municipality,
    Page,
    Passage,
    Proposal,
    SettledBy,
    Source,
    Verdict,
)

OLD_PAGE_YEARS = 4
_SERVICE_NAME = re.compile(r"[「『]([^「」『』。、]{2,20})[」』]")


class RulesJudge:
    """Judges one municipality's pages as of one day. Pages are prepared once and remembered."""

    name = "rules"

    def __init__(self, municipality: Municipality, as_of: date) -> None:
        self._reader = Reader(Names(municipality), as_of)
        self._as_of = as_of
        self._prepared: dict[str, Prepared] = {}

    def judge(self, criterion: Criterion, pages: Mapping[str, Page], passages: tuple[Passage, ...]) -> Proposal:
        """What the pages say. All of them are read: rules are cheap, and retrieval may miss a cell."""
        found = [one for sha in pages for one in self._findings(criterion, self._page(pages[sha]))]
        names = _service_names(found)
        found += [one for sha in pages for one in self._reader.ended(criterion, self._page(pages[sha]), names)]
        decided = weigh(criterion, found)
        chosen, other = decided.chosen, decided.other
        searched = tuple(sorted(pages))
        if chosen is None:
            aside = [one for one in found if one.side is Side.ASIDE]
            return self._nothing(criterion, aside, searched)
        more = support(found, chosen)
        return Proposal(
            criterion=criterion.id,
            verdict=Verdict.MET if chosen.side is Side.FOR else Verdict.NOT_MET,
            claims=claims(chosen, more),
            rationale=rationale(chosen, other),
            confidence=confidence.of_finding(
                criterion, chosen, contradicted=other is not None, pages=1 + len(more), old=self._old(chosen)
            ),
            flags=self._flags(chosen, other),
            searched=searched,
            judge=self.name,
        )

    def _page(self, page: Page) -> Prepared:
        if page.sha256 not in self._prepared:
            self._prepared[page.sha256] = prepare(page)
        return self._prepared[page.sha256]

    def _findings(self, criterion: Criterion, page: Prepared) -> list[Finding]:
        cues = tuple(map(compiled, criterion.cues))
        absent = tuple(map(compiled, criterion.absent_cues))
        found = list(self._reader.findings(criterion, page, cues, absent))
        if criterion.settled_by is SettledBy.LINK:
            for account in accounts(criterion, page.page, self._reader.names):
                said = Said(Mode.DOES)
                day = page.page.dated
                found.append(Finding(Side.FOR, account.score, page.page, said, Actor.OWN, day=day, account=account))
        return found

    def _old(self, chosen: Finding) -> bool:
        return chosen.day is not None and (self._as_of - chosen.day).days > 365 * OLD_PAGE_YEARS

    def _flags(self, chosen: Finding, other: Finding | None) -> tuple[Flag, ...]:
        raised = {
            Flag.CONTRADICTED: other is not None,
            Flag.TRIAL: chosen.said.trial,
            Flag.OLD_PAGE: self._old(chosen),
            Flag.UNDATED: chosen.day is None and chosen.account is None,
            Flag.PRESS: chosen.page.source is Source.PRESS,
            Flag.ADDRESSED_TO_EVALUATOR: self._page(chosen.page).addressed,
        }
        return tuple(flag for flag, is_so in raised.items() if is_so)

    def _nothing(self, criterion: Criterion, aside: Sequence[Finding], searched: tuple[str, ...]) -> Proposal:
        flags = [Flag.OTHER_ACTOR] if any(one.actor.other for one in aside) else []
        if any(page.addressed for sha, page in self._prepared.items() if sha in set(searched)):
            flags.append(Flag.ADDRESSED_TO_EVALUATOR)
        return Proposal(
            criterion=criterion.id,
            verdict=Verdict.NO_EVIDENCE,
            rationale=rationale(None, None, aside, len(searched)),
            confidence=confidence.of_nothing(criterion, aside),
            flags=tuple(flags),
            searched=searched,
            judge=self.name,
        )


def _service_names(found: Sequence[Finding]) -> frozenset[str]:
    """Names in brackets that the statements in favour give to the thing, folded: 「○○」を始めました."""
    said = [one.statement.text for one in found if one.side is Side.FOR and one.statement is not None]
    return frozenset(name for text in said for name in _SERVICE_NAME.findall(text))
