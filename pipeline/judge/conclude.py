"""From what a judge said to what we stand behind: every claim verified, every silence checked for coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import unquote

from pipeline.judge import orders
from pipeline.judge.grounding import verify
from pipeline.models import (
    Cause,
    Coverage,
    Criterion,
    Flag,
    Judgement,
    Page,
    Pending,
    Proposal,
    Quote,
    Source,
    Unread,
    Verdict,
)
from pipeline.text import normalise

# A link label speaks of a criterion where it holds one of its search terms of at least this many characters: shorter
# ones (予約, 申請) stand in so many labels that every failed page would touch half of the criteria.
MIN_TERM_CHARS = 3
# Below this share of read among wanted addresses the survey has not seen the site, and silence says nothing.
MIN_READ_SHARE = 0.5
LOW_CONFIDENCE = 0.5

Wanted = TypeVar("Wanted", Unread, Pending)

_EVIDENCED = (Verdict.MET, Verdict.NOT_MET)
# The page is gone: an answer, though not one about the municipality.
_ANSWERED = (Cause.NOT_FOUND,)


def conclude(
    proposal: Proposal,
    *,
    criterion: Criterion,
    pages: Mapping[str, Page],
    coverage: Coverage,
    criteria_sha256: str,
    judged_at: datetime,
) -> Judgement:
    """The judgement that a proposal allows.

    `met` and `not_met` keep only claims found in an archived page; with none left they become `not_judged`.
    `no_evidence` becomes `unobserved` where the pages that might have told could not be read.
    """
    quotes, flags = _ground(proposal, pages)
    verdict = proposal.verdict
    if verdict in _EVIDENCED and not quotes and proposal.measurement is None:
        verdict = Verdict.NOT_JUDGED
        flags.append(Flag.QUOTE_NOT_FOUND)
    flags.extend(_unheeded(proposal, pages))
    unread: tuple[Unread, ...] = ()
    if verdict is Verdict.NO_EVIDENCE:
        verdict, unread, more = _silence(criterion, coverage)
        flags.extend(more)
    if proposal.confidence < LOW_CONFIDENCE:
        flags.append(Flag.LOW_CONFIDENCE)
    return Judgement(
        criterion=criterion.id,
        verdict=verdict,
        quotes=quotes if verdict in _EVIDENCED else (),
        rationale=proposal.rationale,
        confidence=proposal.confidence,
        flags=tuple(dict.fromkeys(flags)),
        measurement=proposal.measurement,
        searched=tuple(pages[sha].url for sha in proposal.searched if sha in pages),
        unread=unread,
        judge=proposal.judge,
        model=proposal.model,
        prompt_sha256=proposal.prompt_sha256,
        criteria_sha256=criteria_sha256,
        rule_sha256=criterion.rule_sha256,
        cost_usd=proposal.cost_usd,
        votes=proposal.votes,
        judged_at=judged_at,
    )


def _ground(proposal: Proposal, pages: Mapping[str, Page]) -> tuple[tuple[Quote, ...], list[Flag]]:
    """The claims that are evidence. A sentence that tells its reader how to judge is none, whoever cites it."""
    flags = list(proposal.flags)
    quotes: list[Quote] = []
    for claim in proposal.claims:
        grounded = verify(claim, pages)
        flags.extend(grounded.flags)
        if grounded.quote is None:
            flags.append(Flag.QUOTE_NOT_FOUND)
            continue
        flags.extend(_warnings(grounded.quote, pages))
        if _orders(grounded.quote, pages):
            flags.append(Flag.QUOTE_NOT_FOUND)
        elif grounded.quote not in quotes:
            quotes.append(grounded.quote)
    if quotes and all(quote.source is Source.PRESS for quote in quotes):
        flags.append(Flag.PRESS)
    return tuple(quotes), flags


def _orders(quote: Quote, pages: Mapping[str, Page]) -> bool:
    return orders.ordered(pages[quote.page_sha256], quote.start, quote.end)


def _warnings(quote: Quote, pages: Mapping[str, Page]) -> tuple[Flag, ...]:
    """A page that gives orders to its evaluator, seen or unseen, makes all of its words doubtful."""
    speaks = orders.given_on(pages[quote.page_sha256]) or orders.gives_orders(unquote(quote.href))
    return (Flag.ADDRESSED_TO_EVALUATOR,) if speaks else ()


def _unheeded(proposal: Proposal, pages: Mapping[str, Page]) -> tuple[Flag, ...]:
    """The rules read every page for every criterion: one that gives orders may be why nothing was found."""
    if proposal.judge != "rules" or proposal.claims:
        return ()
    speaks = any(orders.given_on(pages[sha]) for sha in proposal.searched if sha in pages)
    return (Flag.ADDRESSED_TO_EVALUATOR,) if speaks else ()


def _silence(criterion: Criterion, coverage: Coverage) -> tuple[Verdict, tuple[Unread, ...], list[Flag]]:
    failed = [unread for unread in coverage.unread if unread.cause not in _ANSWERED]
    if not _seen(coverage, failed):
        return Verdict.UNOBSERVED, tuple(failed[:20]), [Flag.PAGES_UNREAD]
    spoken = tuple(about(criterion, failed))
    if spoken:
        return Verdict.UNOBSERVED, spoken, [Flag.PAGES_UNREAD]
    flags = [Flag.BUDGET_SPENT] if about(criterion, coverage.pending) else []
    gone = tuple(about(criterion, (unread for unread in coverage.unread if unread.cause in _ANSWERED)))
    if gone or any(not unread.label for unread in failed):
        flags.append(Flag.PAGES_UNREAD)
    return Verdict.NO_EVIDENCE, gone, flags


def _seen(coverage: Coverage, failed: list[Unread]) -> bool:
    wanted = coverage.read + len(failed)
    return coverage.home_read and coverage.read > 0 and coverage.read / wanted >= MIN_READ_SHARE


def about(criterion: Criterion, addresses: Iterable[Wanted]) -> list[Wanted]:
    """Those addresses whose link label speaks of the criterion."""
    terms = [normalise(term).text.lower() for term in criterion.search_terms]
    terms = [term for term in terms if len(term) >= MIN_TERM_CHARS]
    return [a for a in addresses if any(term in normalise(a.label).text.lower() for term in terms)]
