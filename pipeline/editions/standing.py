"""Invariant 1 once more, at the door: what is published stands in the archive."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.archive import Archive
from pipeline.editions.surveys import Survey
from pipeline.errors import ArchiveError, EvidenceError, StorageError
from pipeline.models import Measurement, Quote
from pipeline.reading import pages_of

_MOST_NAMED = 5


def shown_quotes(survey: Survey) -> Iterator[tuple[str, Quote]]:
    """(criterion, quote) of what the report shows: confirmed evidence, and that of judgements nobody decided."""
    confirmed = {one.criterion for one in survey.result.score.confirmed}
    for one in survey.result.score.confirmed:
        yield from ((one.criterion, quote) for quote in one.quotes)
    for item in survey.result.items:
        if item.judgement.criterion not in confirmed:
            yield from ((item.judgement.criterion, quote) for quote in item.judgement.quotes)


def shown_measurements(survey: Survey) -> Iterator[tuple[str, Measurement]]:
    confirmed = {one.criterion for one in survey.result.score.confirmed}
    found = [(one.criterion, one.measurement) for one in survey.result.score.confirmed]
    found += [
        (one.judgement.criterion, one.judgement.measurement)
        for one in survey.result.items
        if one.judgement.criterion not in confirmed
    ]
    yield from ((criterion, measured) for criterion, measured in found if measured)


def shown_copies(survey: Survey) -> tuple[str, ...]:
    """sha256 of every archived copy behind what is shown, sorted."""
    found = {quote.page_sha256 for _, quote in shown_quotes(survey)}
    found |= {sha256 for _, measured in shown_measurements(survey) for sha256 in measured.sha256s}
    return tuple(sorted(found))


def check(survey: Survey, archive: Archive) -> None:
    """Raises EvidenceError, which names what does not stand: a quote that is not `page.text[start:end]` of the archived
    page of that sha256, or a measurement whose archived reading is gone."""
    quotes = list(shown_quotes(survey))
    pages = pages_of({quote.page_sha256 for _, quote in quotes}, archive)
    wrong = []
    for criterion, quote in quotes:
        page = pages.get(quote.page_sha256)
        if page is None or page.text[quote.start : quote.end] != quote.text:
            wrong.append(f"{criterion} 「{quote.text[:80]}」 ({quote.url}, sha256 {quote.page_sha256})")
    wrong += _lost_readings(survey, archive)
    if wrong:
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        place = survey.result.run.municipality
        raise EvidenceError(
            f"{place.name} ({place.code}), run {survey.result.run.id}: not in the archive as cited: "
            f"{'; '.join(wrong[:_MOST_NAMED])}{more}. Bring the archive back from a copy, or survey the city again."
        )


def _lost_readings(survey: Survey, archive: Archive) -> list[str]:
    lost = []
    for criterion, measured in shown_measurements(survey):
        for sha256 in measured.sha256s:
            try:
                archive.body(sha256)
            except StorageError:
                raise
            except ArchiveError:
                lost.append(f"{criterion} {measured.name} (sha256 {sha256})")
    return lost
