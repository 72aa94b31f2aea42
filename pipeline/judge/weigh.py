"""Findings for and against, weighed: which one decides a criterion, and what stands against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.judge.actor import Actor
from pipeline.judge.cues import any_of, leans
from pipeline.judge.findings import SHORTEST_DENIAL_CHARS, Finding, Side
from pipeline.judge.statements import fold
from pipeline.judge.tense import Mode, succeeds
from pipeline.models import Criterion, Region

# Below this a finding is not shown as evidence; chosen so that one weak place (a heading's topic, an inherited actor)
# passes and two together with a weak cue do not.
THRESHOLD = 0.5
# A newer statement that is weaker than the older one by more than this is about something else more often than not.
COMPARABLE = 0.15
_OPENS = re.compile(r"開始|始め|始ま|開く|予定|から|公開|配信|稼働|運用")


@dataclass(frozen=True)
class Weighed:
    """chosen decides; other is the strongest finding that says the opposite of it, if any. Both None: nothing found."""

    chosen: Finding | None = None
    other: Finding | None = None


def weigh(criterion: Criterion, found: Sequence[Finding]) -> Weighed:
    """Whether any of the criterion's alternatives stands: what is denied of one alternative leaves the others alone."""
    against = _enough(found, Side.AGAINST)
    lost = None
    for yes in _candidates(criterion, found):
        facing = sorted((one for one in against if _same_matter(criterion, yes, one)), key=_strength, reverse=True)
        no = next((one for one in facing if not _holds(yes, one)), None)
        if no is None:
            return Weighed(yes, next(iter(facing), None))
        lost = lost or Weighed(no, yes)
    return lost or Weighed(_strongest(against))


def support(found: Sequence[Finding], chosen: Finding) -> list[Finding]:
    """Up to two more findings of the same side from other pages, strongest first."""
    others = [
        one
        for one in _enough(found, chosen.side)
        if one.page.sha256 != chosen.page.sha256 and not (one.statement is not None and one.statement.link)
    ]
    best: dict[str, Finding] = {}
    for one in sorted(others, key=lambda finding: -finding.score):
        best.setdefault(one.page.sha256, one)
    return list(best.values())[:2]


def _candidates(criterion: Criterion, found: Sequence[Finding]) -> list[Finding]:
    """The strongest finding in favour, then the strongest of each alternative, strongest first. Of an account's links
    the one on a page that is kept up: without a date, else the newest."""
    by_matter: dict[frozenset[int], list[Finding]] = {}
    for one in _enough(found, Side.FOR):
        by_matter.setdefault(_matters(criterion, one), []).append(one)
    strongest = [_lasting(ones) for ones in by_matter.values()]
    return sorted(strongest, key=_strength, reverse=True)


def _lasting(ones: Sequence[Finding]) -> Finding:
    best = max(ones, key=_strength)
    if best.account is None:
        return best
    links = [one for one in ones if one.account is not None]
    return max(links, key=lambda one: (one.day or date.max, one.score))


def _enough(found: Iterable[Finding], side: Side) -> list[Finding]:
    return [one for one in found if one.side is side and one.score >= THRESHOLD]


def _strongest(found: Iterable[Finding]) -> Finding | None:
    return max(found, key=_strength, default=None)


def _strength(one: Finding) -> tuple[float, date]:
    """The most direct first and, of equals, the most recent."""
    return round(one.score, 2), one.day or date.min


def _same_matter(criterion: Criterion, yes: Finding, no: Finding) -> bool:
    """Whether two findings can contradict each other: not where each names other alternatives, nor where a cross in a
    table denies its own line."""
    if no.statement is not None and len(no.statement.text) < SHORTEST_DENIAL_CHARS:
        return False
    of_yes, of_no = _matters(criterion, yes), _matters(criterion, no)
    return not of_yes or not of_no or bool(of_yes & of_no)


def _matters(criterion: Criterion, one: Finding) -> frozenset[int]:
    """The numbers of the alternatives that a finding names, in its sentence, else around it."""
    patterns = [any_of(group) for group in criterion.alternatives]
    for text in _texts(one):
        named = frozenset(number for number, one in enumerate(patterns) if one is not None and one.search(text))
        if named:
            return named
    return frozenset()


def _texts(one: Finding) -> tuple[str, ...]:
    """Where a finding names its matter, nearest first."""
    if one.account is not None:
        return (fold(one.account.label), one.account.link.href.lower())
    if one.statement is None:
        return ()
    part = one.statement.part
    return (one.statement.text, f"{part.named}|{one.statement.before}", *reversed(part.headings))


def _holds(yes: Finding, no: Finding) -> bool:
    """Of two that contradict each other the newer one holds; without dates the plainer one, and a statement about the
    same section's promise."""
    if yes.account is not None:
        return not (no.said.mode in (Mode.ENDED, Mode.DENIES) and (_newer(no, yes) or _closes(no, yes)))
    if yes.statement is not None and yes.statement.link:
        return False  # a title in a list does not know what its page now says
    if no.said.mode is Mode.ENDED and yes.said.day and no.said.day and yes.said.day > no.said.day:
        return True  # what began after the end is another one
    same_page = yes.page.sha256 == no.page.sha256
    if yes.day and no.day and yes.day != no.day and not same_page:
        newer, older = (yes, no) if yes.day > no.day else (no, yes)
        margin = COMPARABLE / 2 if no.elliptic and yes.direct and newer is no else COMPARABLE
        if newer.score + margin >= older.score:
            return newer is yes
    if _taken_back(yes, no, same_page):
        return False
    grows = same_page and no.said.mode is Mode.PLANS and not _opens(no)  # 3年で80人を育てる計画です
    return grows or yes.score >= no.score or yes.direct


def _newer(one: Finding, other: Finding) -> bool:
    return one.day is not None and other.day is not None and one.day > other.day


def _closes(no: Finding, yes: Finding) -> bool:
    """Whether a dated page tells the end of an account that an undated one, and no menu, still links to."""
    framed = yes.account is not None and yes.account.link.region in (Region.NAV, Region.FOOTER)
    return no.said.mode is Mode.ENDED and no.direct and no.day is not None and yes.day is None and not framed


def _taken_back(yes: Finding, no: Finding, same_page: bool) -> bool:
    """It has ended; its trial led nowhere; or the section promises and then dates: "It does X." "Opening: January."""
    same_section = same_page and yes.section == no.section
    if same_section and _answers_it(yes, no):
        return True
    if no.said.mode is Mode.ENDED:
        return not (same_page and _follows(yes, no) and _succeeds(yes))
    if same_page and yes.said.trial and _follows(no, yes):
        return True
    plan = no.said.mode is Mode.PLANS
    dated = plan and no.elliptic and _follows(no, yes) and _opens(no)
    return same_section and (dated or (not yes.direct and (not plan or _opens(no))))


def _answers_it(yes: Finding, no: Finding) -> bool:
    """What is told in general is denied of the municipality (英語で話せる窓口を置く市が…。本市では行っていません。)."""
    ours = no.actor is Actor.OWN or bool(no.statement and leans(no.statement.text))
    return ours and no.elliptic and no.said.mode is Mode.DENIES and _follows(no, yes) and yes.actor is not Actor.OWN


def _opens(one: Finding) -> bool:
    return one.said.day is not None or bool(one.statement and _OPENS.search(one.statement.text))


def _succeeds(one: Finding) -> bool:
    return one.statement is not None and succeeds(one.statement.text)


def _follows(later: Finding, earlier: Finding) -> bool:
    """Whether one finding stands after the other on their page."""
    if later.statement is None or earlier.statement is None:
        return False
    return later.statement.start > earlier.statement.start
