"""What a survey came to as rows of plain values: one a criterion, one a viewpoint, one a quote, one a survey."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.exports.nouns import Check, Cited, Measured, Place, Points, Proof, Row, Said, Surveyed
from pipeline.exports.words import NO, YES, say
from pipeline.language import Say
from pipeline.models import Confirmed, Criterion, Judgement, Measurement, Quote, Run, Verdict
from pipeline.report.links import link
from pipeline.report.speech import Speech
from pipeline.report.words import JAPAN, OUTCOMES, SOURCES, visible
from pipeline.results import Result

_PROVEN = (Verdict.MET, Verdict.NOT_MET)


def rows(result: Result, *, language: str = "ja") -> Iterator[Row]:
    """A row for each criterion that was asked, in the order of the criteria set. Their points add up to the score's."""
    place, names = place_of(result.run), _names(result, language)
    for criterion, judged, confirmed in _stated(result):
        stated = confirmed or judged
        said, quotes = _said(judged, confirmed, say(language)), _quotes(stated)
        measured = stated.measurement if stated else None
        yield Row(
            place=place,
            criterion=criterion.id,
            viewpoint=names[criterion.viewpoint],
            statement=Speech(language).statement(criterion),
            said=said,
            point=int(confirmed is not None and said.verdict is Verdict.MET),
            quotes=len(quotes),
            proof=_proof(quotes[0], say(language)) if quotes else _read(measured),
            measured=_measured(measured),
            check=_check(confirmed),
        )


def points(result: Result, *, language: str = "ja") -> Iterator[Points]:
    """A row for each viewpoint."""
    place, names = place_of(result.run), _names(result, language)
    for one in result.score.viewpoints:
        viewpoint = names[one.viewpoint]
        yield Points(place, viewpoint, one.confirmed, one.possible, one.provisional, one.awaiting)


def cited(result: Result, *, language: str = "ja") -> Iterator[Cited]:
    """A row for each quote of an outcome that rests on quotes."""
    place, _ = place_of(result.run), say(language)
    for criterion, judged, confirmed in _stated(result):
        said = _said(judged, confirmed, _)
        for number, quote in enumerate(_quotes(confirmed or judged), start=1):
            yield Cited(place, criterion.id, said, number, _proof(quote, _))


def surveyed(result: Result) -> Surveyed:
    """The row of the survey itself."""
    seen, score = result.run.coverage, result.score
    return Surveyed(
        place=place_of(result.run),
        points=score.points,
        possible=score.possible,
        awaiting=score.awaiting,
        begun=in_japan(seen.started) if seen else None,
        ended=in_japan(seen.finished) if seen else None,
        found=seen.found if seen else None,
        fetched=seen.fetched if seen else None,
        read=seen.read if seen else None,
        unread=len(seen.unread) if seen else None,
        left=len(seen.pending) if seen else None,
        judges=", ".join(judges(result)),
        version=result.criteria.version,
        criteria=result.criteria.sha256,
    )


def place_of(run: Run) -> Place:
    city = run.municipality
    return Place(city.code, visible(city.prefecture), visible(city.name), run.as_of, visible(run.id))


def judges(result: Result) -> list[str]:
    """Who proposed: judges, each with its model, by name."""
    judged = [one.judgement for one in result.items]
    return sorted({visible(f"{one.judge} ({one.model})" if one.model else one.judge) for one in judged})


def newest(result: Result) -> datetime:
    """When the last thing that the result rests on happened: a decision, or the end of the survey. UTC."""
    decided = [_aware(line.decided_at) for item in result.items for line in item.decisions]
    return max([_aware(result.run.finished or result.run.started), *decided]).astimezone(UTC)


def in_japan(time: datetime) -> datetime:
    """The wall clock's time in Japan, to the second; a time without a zone is taken as UTC."""
    return _aware(time).astimezone(JAPAN).replace(microsecond=0, tzinfo=None)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _names(result: Result, language: str) -> dict[str, str]:
    return {one.id: Speech(language).viewpoint(one) for one in result.criteria.viewpoints}


def _stated(result: Result) -> Iterator[tuple[Criterion, Judgement | None, Confirmed | None]]:
    judged = {item.judgement.criterion: item.judgement for item in result.items}
    confirmed = {one.criterion: one for one in result.score.confirmed}
    return ((one, judged.get(one.id), confirmed.get(one.id)) for one in result.criteria.criteria)


def _said(judged: Judgement | None, confirmed: Confirmed | None, _: Say) -> Said:
    """A criterion that nobody judged is `not_judged`."""
    stated = confirmed or judged
    verdict = stated.verdict if stated else Verdict.NOT_JUDGED
    return Said(verdict, _(OUTCOMES[verdict].word), _(YES if confirmed else NO))


def _quotes(stated: Confirmed | Judgement | None) -> tuple[Quote, ...]:
    """As in the report: only under an outcome that rests on them."""
    return stated.quotes if stated and stated.verdict in _PROVEN else ()


def _proof(quote: Quote, _: Say) -> Proof:
    return Proof(
        quote=visible(quote.text),
        title=visible(quote.title).strip(),
        dated=quote.dated,
        source=_(SOURCES[quote.source]),
        url=link(quote.url),
        sha256=quote.page_sha256,
        start=quote.start,
        end=quote.end,
    )


def _read(found: Measurement | None) -> Proof:
    if found is None:
        return Proof()
    url, sha256 = next(iter(found.urls), ""), next(iter(found.sha256s), None)
    return Proof(url=link(url) if url else None, sha256=sha256)


def _measured(found: Measurement | None) -> Measured:
    if found is None:
        return Measured()
    return Measured(visible(found.name), found.value, visible(found.unit), found.threshold)


def _check(confirmed: Confirmed | None) -> Check:
    if confirmed is None:
        return Check()
    return Check(visible(confirmed.reviewer), in_japan(confirmed.decided_at).date(), visible(confirmed.note))
