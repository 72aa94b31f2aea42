"""One row of the results table: what a person confirmed, else what the judge proposed."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.models import (
    Confirmed,
    Criterion,
    Judgement,
    Measurement,
    Quote,
    Snapshot,
    Source,
    Unread,
    Verdict,
)
from pipeline.report import words
from pipeline.report.links import link
from pipeline.report.nouns import Check, Copy, Evidence, Measured, Missed, Row, Searched
from pipeline.report.speech import Speech

# Quotes printed a row; the rest is counted.
_MOST_QUOTES = 3
_MOST_SEARCHED = 50


def row(
    criterion: Criterion,
    number: int,
    judged: Judgement | None,
    confirmed: Confirmed | None,
    copies: Mapping[str, Snapshot],
    say: Speech,
) -> Row:
    """The row of a criterion; one that nobody judged is `not_judged`.

    Quotes are shown only under an outcome that rests on them, in the order of the judge or the reviewer, who put the
    most direct one first.
    """
    stated = confirmed or judged
    verdict = stated.verdict if stated else Verdict.NOT_JUDGED
    quotes = stated.quotes if stated and verdict in (Verdict.MET, Verdict.NOT_MET) else ()
    counts, does_not_count = say.counts(criterion)
    return Row(
        number=number,
        id=criterion.id,
        viewpoint=criterion.viewpoint,
        statement=say.statement(criterion),
        outcome=say.outcome(verdict),
        check=_check(confirmed, judged, say) if confirmed else None,
        evidence=tuple(evidence(one, copies.get(one.page_sha256), say) for one in quotes[:_MOST_QUOTES]),
        more_quotes=max(0, len(quotes) - _MOST_QUOTES),
        measured=_measured(stated.measurement, say) if stated and stated.measurement else None,
        searched=_searched(judged) if judged and verdict is Verdict.NO_EVIDENCE else None,
        unread=tuple(missed(one, say) for one in judged.unread) if judged else (),
        remarks=_remarks(judged, confirmed, say),
        gaps=_gaps(judged, say),
        rationale=words.visible(judged.rationale) if judged and verdict is Verdict.NOT_JUDGED else "",
        counts=counts,
        does_not_count=does_not_count,
    )


def _searched(judged: Judgement) -> Searched:
    return Searched(count=len(judged.searched), listed=tuple(link(url) for url in judged.searched[:_MOST_SEARCHED]))


def evidence(quote: Quote, snapshot: Snapshot | None, say: Speech) -> Evidence:
    """A quote with its page, its link to the passage, and the archived copy that proves it."""
    return Evidence(
        lines=words.lines(quote.text) or (words.visible(quote.text),),
        title=words.visible(quote.title).strip() or say("（題名なし）"),
        dated=say.day(quote.dated) if quote.dated else None,
        source=say(words.SOURCES[quote.source]),
        official=quote.source is Source.OFFICIAL,
        link=link(quote.url, quote.text),
        account=link(quote.href) if quote.href else None,
        match=say(words.MATCHES[quote.match]),
        copy_of=Copy(
            sha256=quote.page_sha256,
            start=quote.start,
            end=quote.end,
            warc=words.visible(snapshot.warc) if snapshot else None,
            offset=snapshot.offset if snapshot else None,
            fetched=say.moment(snapshot.fetched_at) if snapshot else None,
        ),
    )


def missed(unread: Unread, say: Speech) -> Missed:
    return Missed(
        link=link(unread.url),
        label=words.visible(unread.label),
        cause=say(words.CAUSES[unread.cause]),
        detail=words.visible(unread.detail),
        official=unread.source is Source.OFFICIAL,
    )


def _check(confirmed: Confirmed, judged: Judgement | None, say: Speech) -> Check:
    changed = judged is not None and judged.verdict is not confirmed.verdict
    return Check(
        reviewer=words.visible(confirmed.reviewer),
        decided=say.day_of(confirmed.decided_at),
        note=words.visible(confirmed.note),
        changed_from=say.outcome(judged.verdict).word if judged and changed else None,
    )


def _remarks(judged: Judgement | None, confirmed: Confirmed | None, say: Speech) -> tuple[str, ...]:
    """What a reader should know: all flags while nobody has decided, the lasting ones after."""
    flags = judged.flags if judged else ()
    return tuple(say(words.FLAGS[flag]) for flag in flags if not confirmed or flag in words.LASTING)


def _gaps(judged: Judgement | None, say: Speech) -> tuple[str, ...]:
    if judged is None:
        return ()
    if judged.unread:
        return (say("関係しそうなアドレス%(count)s件を読めなかった", count=len(judged.unread)),)
    return tuple(say(words.GAPS[flag]) for flag in judged.flags if flag in words.GAPS)


def _measured(found: Measurement, say: Speech) -> Measured:
    return Measured(
        name=words.visible(found.name),
        value=words.number(found.value),
        unit=words.visible(found.unit),
        threshold=words.number(found.threshold),
        threshold_source=words.visible(found.threshold_source),
        within=found.value <= found.threshold,
        values=say.listed(words.number(value) for value in found.values),
        readings=tuple(words.visible(reading) for reading in found.readings),
        links=tuple(link(url) for url in found.urls),
        sha256s=found.sha256s,
    )
