"""Errata: where what people decide today about the judgements of an edition is not what the edition says.

Nothing of the edition is touched. Each erratum starts from the lines of the log that the edition and its earlier errata
knew, so the next one tells only what is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from pipeline.editions.nouns import Edition, Issued, Outcome, Surveyed
from pipeline.editions.pages import erratum_html, erratum_markdown
from pipeline.editions.shelf import Shelf
from pipeline.editions.surveys import Line, Sources, lines_about
from pipeline.errors import InputError
from pipeline.models import Action, Correction, CriterionId, Decision, Erratum, Municipality, Verdict
from pipeline.report.words import JAPAN
from pipeline.review.team import AKASHI
from pipeline.store.log import standing
from pipeline.text import printable


@dataclass(frozen=True)
class Change:
    """What an erratum of the municipality would say. reopened: criteria whose page has changed in a later survey: what
    people decide since then is about that page and corrects nothing here."""

    municipality: Municipality
    points_before: int
    points_after: int
    corrections: tuple[Correction, ...]
    lines: tuple[int, ...]
    reopened: tuple[CriterionId, ...] = ()


def changes(edition: Edition, issued: Sequence[Issued], sources: Sources) -> list[Change]:
    """Municipalities of the edition about which people have decided otherwise than it says, or its errata say; by
    code."""
    found = (_change(one, issued, _lines(one, sources)) for one in edition.municipalities)
    return [one for one in found if one.corrections or one.reopened]


def issue(name: str, sources: Sources, shelf: Shelf, *, at: datetime, reason: str = "") -> list[Issued]:
    """Writes an erratum for each municipality that has corrections; none where nothing has changed.

    reason: for corrections whose decisions have no note. Raises InputError, and issues nothing, where such a
    correction gets no reason, or at is before the edition or has no zone.
    """
    if at.tzinfo is None:
        raise InputError("--at: give the time with its zone, such as 2027-02-01T10:00:00+09:00.")
    if printable(reason, keep="\n") != reason:
        raise InputError("--reason: printable characters only.")
    with shelf.locked():
        edition, known = shelf.edition(name), shelf.errata(name)
        if at < max([edition.at, *(one.at for one in known)]):
            raise InputError(f"--at {at.isoformat()}: before the edition, or its last erratum, was published.")
        found = [one for one in changes(edition, known, sources) if one.corrections]
        _refuse_unreasoned(found, reason)
        told = []
        for number, change in enumerate(found, start=_next(known)):
            issued = Issued(
                akashi=version("akashi"),
                edition_sha256=shelf.sha256(name),
                at=at,
                reason=reason.strip(),
                lines=change.lines,
                erratum=_erratum(edition, number, change, at, reason.strip()),
            )
            shelf.add_erratum(name, number, _pages(issued, edition, shelf), issued)
            told.append(issued)
    return told


def remade(
    issued: Issued, known: Sequence[Issued], edition: Edition, shelf: Shelf, sources: Sources
) -> Iterator[tuple[str, str]]:
    """(suffix, text) of the erratum's files as edition and log give them today; known: the errata before it."""
    one = edition.of(issued.erratum.municipality.code)
    if one is None:
        yield ".json", ""
        return
    wanted = set(issued.lines) | _known(one, known)
    change = _change(one, known, [line for line in _lines(one, sources) if line[0] in wanted])
    again = issued.model_copy(
        update={
            "edition_sha256": shelf.sha256(edition.name),
            "erratum": _erratum(edition, issued.erratum.number, change, issued.at, issued.reason),
        }
    )
    yield ".json", again.model_dump_json(indent=1) + "\n"
    yield from _pages(again, edition, shelf)


def _lines(one: Surveyed, sources: Sources) -> list[Line]:
    return lines_about(sources.store, one.municipality.code, {outcome.of for outcome in one.outcomes})


def _known(one: Surveyed, issued: Iterable[Issued]) -> set[int]:
    """Numbers of the lines that the edition and its errata have told of."""
    mine = (each for each in issued if each.erratum.municipality.code == one.municipality.code)
    return {*one.lines, *(number for each in mine for number in each.lines)}


def _change(one: Surveyed, issued: Sequence[Issued], lines: Sequence[Line]) -> Change:
    known = _known(one, issued)
    before, after = 0, 0
    corrections: list[Correction] = []
    counted: list[int] = []
    reopened: list[CriterionId] = []
    for outcome in one.outcomes:
        told, fresh, carried_on = _split(outcome, lines, known)
        then, now = standing(told), standing([*told, *(line for _, line in fresh)])
        before, after = before + _point(then), after + _point(now)
        counted += [number for number, _ in fresh]
        if carried_on:
            reopened.append(outcome.criterion)
        if _said(then) != _said(now):
            corrections.append(_correction(outcome.criterion, then, now, [line for _, line in fresh]))
    return Change(one.municipality, before, after, tuple(corrections), tuple(sorted(counted)), tuple(reopened))


def _split(outcome: Outcome, lines: Iterable[Line], known: set[int]) -> tuple[list[Decision], list[Line], bool]:
    """(lines told of, new ones up to where a later survey sent the confirmation back, whether one did)."""
    told: list[Decision] = []
    fresh: list[Line] = []
    for number, line in lines:
        if line.of != outcome.of:
            continue
        if number in known:
            told.append(line)
        elif line.action is Action.RETURN and line.reviewer == AKASHI:
            return told, fresh, True
        else:
            fresh.append((number, line))
    return told, fresh, False


def _point(held: Decision | None) -> int:
    return int(held is not None and held.verdict is Verdict.MET)


def _said(held: Decision | None) -> tuple[Verdict | None, frozenset[tuple[str, str]]]:
    """What a reader is told: the verdict and the evidence for it."""
    if held is None:
        return None, frozenset()
    return held.verdict, frozenset((quote.url, quote.text) for quote in held.quotes)


def _correction(
    criterion: CriterionId, then: Decision | None, now: Decision | None, fresh: Sequence[Decision]
) -> Correction:
    notes = [line.note.strip() for line in fresh if line.note.strip()]
    return Correction(
        criterion=criterion,
        before=then.verdict if then else None,
        after=now.verdict if now else None,
        decided_at=[line for line in fresh if line.action is not Action.NOTE][-1].decided_at,
        note=notes[-1] if notes else "",
    )


def _refuse_unreasoned(found: Iterable[Change], reason: str) -> None:
    bare = [
        f"{one.municipality.name} {correction.criterion}"
        for one in found
        for correction in one.corrections
        if not correction.note
    ]
    if bare and not reason.strip():
        raise InputError(
            f"no decision says why: {', '.join(bare[:10])}. Give --reason, or leave a note: `classify queue note`."
        )


def _erratum(edition: Edition, number: int, change: Change, at: datetime, reason: str) -> Erratum:
    return Erratum(
        edition=edition.name,
        number=number,
        issued=at.astimezone(JAPAN).date(),
        municipality=change.municipality,
        points_before=change.points_before,
        points_after=change.points_after,
        corrections=tuple(one.model_copy(update={"note": one.note or reason}) for one in change.corrections),
    )


def _pages(issued: Issued, edition: Edition, shelf: Shelf) -> list[tuple[str, str]]:
    criteria, language = shelf.criteria(edition.name), edition.languages[0]
    report = f"../reports/{language}/{issued.erratum.municipality.code}"
    return [
        (".html", erratum_html(issued, edition, criteria, language=language, report=f"{report}.html")),
        (".md", erratum_markdown(issued, edition, criteria, language=language, report=f"{report}.md")),
    ]


def _next(known: Sequence[Issued]) -> int:
    return max((one.erratum.number for one in known), default=0) + 1
