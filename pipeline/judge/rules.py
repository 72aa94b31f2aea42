"""The embedded judge: every page read by the criteria file's cues and general Japanese grammar, no model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from pipeline.judge import confidence
from pipeline.judge.accounts import accounts
from pipeline.judge.actor import Actor, Names
from pipeline.judge.cues import compiled
from pipeline.judge.findings import Finding, Reader, Side
from pipeline.judge.statements import Prepared, prepare
from pipeline.judge.tense import Mode, Said
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

# Below this a finding is not shown as evidence; chosen so that one weak place (a heading's topic, an inherited actor)
# passes and two together with a weak cue do not.
THRESHOLD = 0.5
OLD_PAGE_YEARS = 4
_SERVICE_NAME = re.compile(r"[「『]([^「」『』。、]{2,20})[」』]")
# A newer statement that is weaker than the older one by more than this is about something else more often than not.
COMPARABLE = 0.15


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
        best = _lasting(found, _strongest(found, Side.FOR)), _strongest(found, Side.AGAINST)
        chosen, other = self._weigh(criterion, *best)
        searched = tuple(sorted(pages))
        if chosen is None:
            aside = [one for one in found if one.side is Side.ASIDE]
            return self._nothing(criterion, aside, searched)
        support = _support(found, chosen)
        return Proposal(
            criterion=criterion.id,
            verdict=Verdict.MET if chosen.side is Side.FOR else Verdict.NOT_MET,
            claims=claims(chosen, support),
            rationale=rationale(chosen, other),
            confidence=confidence.of_finding(
                chosen, contradicted=other is not None, pages=1 + len(support), old=self._old(chosen)
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

    def _weigh(
        self, criterion: Criterion, yes: Finding | None, no: Finding | None
    ) -> tuple[Finding | None, Finding | None]:
        """The finding that decides and the one it stands against. Of two that contradict each other the newer one
        holds; without dates the plainer one, and a statement about the same section's promise."""
        if yes is None or no is None:
            return yes or no, None
        if yes.account is not None:
            closed = no.said.mode in (Mode.ENDED, Mode.DENIES) and yes.day and no.day and no.day > yes.day
            return (no, yes) if closed else (yes, no)
        if yes.statement is not None and yes.statement.link:
            return no, yes  # a title in a list does not know what its page now says
        if yes.day and no.day and yes.day != no.day and yes.page.sha256 != no.page.sha256:
            newer, older = (yes, no) if yes.day > no.day else (no, yes)
            if newer.score + COMPARABLE >= older.score:
                return newer, older
        same_section = yes.page.sha256 == no.page.sha256 and yes.section == no.section
        # "It does X." and then "Opening: next January."
        taken_back = no.said.mode is Mode.PLANS and no.elliptic and _follows(no, yes)
        if no.said.mode is Mode.ENDED or (same_section and (taken_back or not yes.direct)):
            return no, yes
        return (yes, no) if yes.score >= no.score or yes.direct else (no, yes)

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
            confidence=confidence.of_nothing(aside),
            flags=tuple(flags),
            searched=searched,
            judge=self.name,
        )


def _service_names(found: Sequence[Finding]) -> frozenset[str]:
    """Names in brackets that the statements in favour give to the thing, folded: 「○○」を始めました."""
    said = [one.statement.text for one in found if one.side is Side.FOR and one.statement is not None]
    return frozenset(name for text in said for name in _SERVICE_NAME.findall(text))


def _follows(later: Finding, earlier: Finding) -> bool:
    """Whether one finding stands after the other on their page."""
    if later.statement is None or earlier.statement is None:
        return False
    return later.statement.start > earlier.statement.start


def _strongest(found: Sequence[Finding], side: Side) -> Finding | None:
    """The most direct and, of equals, the most recent finding of a side that is strong enough to show."""
    enough = [one for one in found if one.side is side and one.score >= THRESHOLD]
    return max(enough, key=lambda one: (round(one.score, 2), one.day or date.min), default=None)


def _lasting(found: Sequence[Finding], best: Finding | None) -> Finding | None:
    """Of an account's links the one on a page that is kept up: without a date, else the newest."""
    if best is None or best.account is None:
        return best
    links = [one for one in found if one.side is Side.FOR and one.account is not None and one.score >= THRESHOLD]
    return max(links, key=lambda one: (one.day or date.max, one.score))


def _support(found: Sequence[Finding], chosen: Finding) -> list[Finding]:
    """Up to two more findings of the same side from other pages, strongest first."""
    others = [
        one
        for one in found
        if one.side is chosen.side
        and one.score >= THRESHOLD
        and one.page.sha256 != chosen.page.sha256
        and not (one.statement is not None and one.statement.link)
    ]
    best: dict[str, Finding] = {}
    for one in sorted(others, key=lambda finding: -finding.score):
        best.setdefault(one.page.sha256, one)
    return list(best.values())[:2]
