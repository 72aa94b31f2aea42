"""From pages to judgements: every criterion before every judge of the panel, each answer through the verifier."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from math import fsum

from pipeline.cache import Answers, Entry
from pipeline.judge import probes
from pipeline.judge.accounts import official
from pipeline.judge.actor import Names
from pipeline.judge.ask import Asked, Asking, Get, Question, estimate, not_judged, settled
from pipeline.judge.budget import Budget, Estimate
from pipeline.judge.client import Client
from pipeline.judge.conclude import conclude
from pipeline.judge.dialogue import Request
from pipeline.judge.posting import post_frequency
from pipeline.judge.prompt import Case, case
from pipeline.judge.rules import RulesJudge
from pipeline.models import (
    Cause,
    CriteriaSet,
    Criterion,
    Flag,
    Judgement,
    Municipality,
    Opinion,
    Passage,
    Proposal,
    SettledBy,
    Unread,
    Verdict,
)
from pipeline.panel import RULES, Panel
from pipeline.reading import Read, Watch
from pipeline.retrieve import Index
from pipeline.urls import canonical

PASSAGES_PER_CRITERION = 12


@dataclass(frozen=True)
class Matter:
    """What is judged: whose pages, by which criteria, as of which day."""

    municipality: Municipality
    criteria: CriteriaSet
    as_of: date
    seen: Read

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """The questions that a model can be asked: all criteria but the measured ones."""
        asked = (one for one in self.criteria.criteria if one.id in self.passages)
        return tuple(self._case(one, self.passages[one.id]) for one in asked)

    @cached_property
    def passages(self) -> dict[str, tuple[Passage, ...]]:
        """What retrieval offers for each criterion that pages can settle, by its id."""
        index = Index(tuple(self.seen.pages.values()))
        asked = (one for one in self.criteria.criteria if one.settled_by is not SettledBy.MEASURED)
        return {one.id: index.passages(one, limit=PASSAGES_PER_CRITERION) for one in asked}

    def _case(self, criterion: Criterion, passages: Sequence[Passage]) -> Case:
        return case(criterion, self.municipality, self.as_of, passages, self.seen.pages)


@dataclass
class Judged:
    """Judgements in the order of the criteria, and what asking each model took."""

    judgements: list[Judgement] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)


def judge(matter: Matter, panel: Panel, answers: Answers, watch: Watch, budget: Budget | None = None) -> Judged:
    """Every criterion judged. budget: one that others share, else the panel's own.

    Raises KeyboardInterrupt or ModelError only after saving what was paid for.
    """
    judged = Judged()
    budget = budget or Budget(panel.cap)
    proposals = [_proposals(name, matter, panel, answers, budget, judged, watch) for name in panel.judges]
    for criterion, *said in zip(matter.criteria.criteria, *proposals, strict=True):
        judged.judgements.append(_concluded(criterion, said, matter))
    return judged


def reckon(matter: Matter, panel: Panel, answers: Answers) -> dict[str, Estimate]:
    """What each model of the panel would be asked and what that would cost, answers at hand left out."""
    return {name: estimate(question, matter.cases, raw_of(answers)) for name, question in panel.questions.items()}


def _proposals(
    name: str, matter: Matter, panel: Panel, answers: Answers, budget: Budget, judged: Judged, watch: Watch
) -> list[Proposal]:
    if name == RULES:
        return _by_rules(matter, watch)
    bills = Bills(answers)
    if panel.offline:
        by_criterion = _at_hand(panel.questions[name], matter, bills.get)
    else:
        asking = live(panel.questions[name], panel, matter, answers, budget, bills.get)
        by_criterion = asyncio.run(_ask(asking, matter.cases, watch))
        judged.asked[name] = asking.asked
        asking.raise_if_stopped()
    by_criterion = {key: said.model_copy(update={"cost_usd": bills.of(key)}) for key, said in by_criterion.items()}
    return [by_criterion.get(one.id) or _measured(one, matter) for one in matter.criteria.criteria]


class Bills:
    """The cache of answers as the rooms see it, and what the answers that were read have cost."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._read: dict[str, Entry] = {}

    def get(self, key: str) -> str | None:
        """The raw answer of that key, or None."""
        found = self._answers.get(key)
        if found is None:
            return None
        self._read[key] = found
        return found.raw

    def of(self, criterion: str) -> float:
        """US dollars of all rounds and samples about that criterion, whenever they were paid."""
        return fsum(entry.cost_usd for entry in self._read.values() if entry.criterion == criterion)


def _at_hand(question: Question, matter: Matter, get: Get) -> Mapping[str, Proposal]:
    """What the answers in the cache allow; questions without one are `not_judged`."""
    found = ((one, settled(question, one, get)) for one in matter.cases)
    return {one.criterion.id: said or not_judged(question, one, "no answer yet") for one, said in found}


async def _ask(asking: Asking, questions: Sequence[Case], watch: Watch) -> Mapping[str, Proposal]:
    done = 0

    def answered(one: Case) -> None:
        nonlocal done
        done += 1
        watch("judge", done, len(questions), f"{asking.question.model.name} {one.criterion.id}")

    async with asking.client:
        proposals = await asking.all(questions, answered)
    return {proposal.criterion: proposal for proposal in proposals}


def live(question: Question, panel: Panel, matter: Matter, answers: Answers, budget: Budget, get: Get) -> Asking:
    """Asking over the network, with the cache before it."""

    def put(request: Request, about: Case, raw: str, usd: Decimal) -> None:
        answers.put(request.key, entry(question, matter, about, raw, usd))

    return Asking(question, Client(panel.endpoint, lanes=panel.lanes, rate=panel.rate), budget, get, put)


def raw_of(answers: Answers) -> Get:
    """The cache as the rooms see it: a raw answer by key, or None."""
    return Bills(answers).get


def entry(question: Question, matter: Matter, about: Case, raw: str, usd: Decimal) -> Entry:
    """A raw answer with the columns that tell what it belongs to."""
    return Entry(
        raw=raw,
        model=question.model.name,
        criterion=about.criterion.id,
        municipality=matter.municipality.code,
        prompt_sha256=question.prompts.sha256,
        criteria_sha256=matter.criteria.sha256,
        page_sha256s=tuple(dict.fromkeys(doc.page.sha256 for doc in about.docs)),
        cost_usd=float(usd),
        stored_at=datetime.now(UTC).isoformat(),
    )


def _by_rules(matter: Matter, watch: Watch) -> list[Proposal]:
    rules = RulesJudge(matter.municipality, matter.as_of)
    criteria = matter.criteria.criteria
    proposals = []
    for done, criterion in enumerate(criteria, start=1):
        if criterion.settled_by is SettledBy.MEASURED:
            proposals.append(_measured(criterion, matter))
        else:
            proposals.append(rules.judge(criterion, matter.seen.pages, ()))
        watch("judge", done, len(criteria), criterion.id)
    return proposals


def _measured(criterion: Criterion, matter: Matter) -> Proposal:
    if criterion.probe == "update_frequency":
        return probes.update_frequency(criterion, matter.seen.lists, matter.as_of)
    if criterion.probe == "post_frequency":
        known = official(criterion, matter.seen.pages.values(), Names(matter.municipality))
        return post_frequency(criterion, known, matter.seen.accounts, matter.seen.lists, matter.as_of)
    if criterion.probe == "page_speed":
        return probes.display_speed(criterion, matter.seen.speed, _home_unread(matter))
    return probes.not_measured(criterion)


def _home_unread(matter: Matter) -> Unread | None:
    """The home page where the survey could not read it. One that a script fills is displayed all the same."""
    home = canonical(matter.municipality.home_url or "")
    failed = (one for one in matter.seen.coverage.unread if one.cause is not Cause.SCRIPT)
    return next((one for one in failed if home and canonical(one.url) == home), None)


def _concluded(criterion: Criterion, said: Sequence[Proposal], matter: Matter) -> Judgement:
    """The first judge's judgement, with the others' as opinions. Different verdicts are flagged; that a judge could not
    be asked is none. A measured criterion has one judge, whoever sits on the panel."""
    first, *rest = (_conclude(criterion, proposal, matter) for proposal in said)
    first = first.model_copy(update={"passages": matter.passages.get(criterion.id, ())})
    others = [one for one in rest if (one.judge, one.model) != (first.judge, first.model)]
    if not others:
        return first
    opinions = tuple(
        Opinion(
            judge=one.judge,
            model=one.model,
            verdict=one.verdict,
            quotes=one.quotes,
            rationale=one.rationale,
            confidence=one.confidence,
        )
        for one in others
    )
    split = len({one.verdict for one in (first, *others)} - {Verdict.NOT_JUDGED}) > 1
    flags = (*first.flags, Flag.JUDGES_DISAGREE) if split else first.flags
    return first.model_copy(update={"others": opinions, "flags": flags})


def _conclude(criterion: Criterion, proposal: Proposal, matter: Matter) -> Judgement:
    pages = matter.seen.pages
    if proposal.model:
        # A model can quote what it was offered; its words on any other page would be there by chance.
        pages = {sha256: pages[sha256] for sha256 in proposal.searched}
    return conclude(
        proposal,
        criterion=criterion,
        pages=pages,
        coverage=matter.seen.coverage,
        criteria_sha256=matter.criteria.sha256,
        judged_at=datetime.now(UTC),
    )
