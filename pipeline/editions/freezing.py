"""From surveys to the files of an edition: the same for publishing and for checking what was published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pipeline.editions import parts
from pipeline.editions.nouns import Asked, Edition, Evidence, File, Outcome, Snapshots, Surveyed, Window
from pipeline.editions.parts import EVIDENCE, Contents, Frame, written
from pipeline.editions.standing import check, shown_copies
from pipeline.editions.surveys import Line, Sources, Survey, log_state, snapshots_digest
from pipeline.errors import InputError
from pipeline.models import CriteriaSet

EDITION_FILE = "edition.json"
CRITERIA_FILE = "criteria.json"
POPULATIONS_FILE = "populations.csv"
_MOST_NAMED = 10


@dataclass(frozen=True)
class Plan:
    """last: number of the newest line of the log that may count; populations: the file that frame.kinds were read from,
    None where there was none; wanted: what was asked for, as an error names it."""

    frame: Frame
    with_unconfirmed: bool
    last: int
    populations: Path | None
    wanted: str


def freeze(plan: Plan, surveys: Iterable[Survey], sources: Sources, folder: Path) -> Edition:
    """Writes every file of the edition into the folder, edition.json last.

    Raises InputError where there is no survey, where they were asked by several versions of the criteria or wait for a
    person; EvidenceError where a quote does not stand in the archive.
    """
    entries: list[Surveyed] = []
    lines: list[Line] = []
    asked: dict[str, list[str]] = {}
    for survey in surveys:
        entries.append(_entry(survey))
        lines += survey.lines
        asked.setdefault(survey.result.criteria.sha256, []).append(_named(entries[-1]))
        if plan.with_unconfirmed or not _waiting(entries):
            check(survey, sources.archive)
            _keep(survey, folder)
    _refuse(plan, entries, asked)
    criteria = sources.workspace.criteria(next(iter(asked)))
    written(folder / CRITERIA_FILE, criteria.model_dump_json(indent=1) + "\n")
    if plan.populations:
        (folder / POPULATIONS_FILE).write_bytes(plan.populations.read_bytes())
    for part in parts.PARTS:
        part(Contents(folder, sources.workspace, sources.archive), plan.frame, folder)
    edition = Edition(
        name=plan.frame.name,
        title=plan.frame.title,
        at=plan.frame.at,
        akashi=version("akashi"),
        languages=plan.frame.languages,
        with_unconfirmed=plan.with_unconfirmed,
        criteria=_asked(criteria),
        log=log_state(lines, plan.last),
        municipalities=tuple(entries),
        files=tuple(files(folder)),
    )
    written(folder / EDITION_FILE, edition.model_dump_json(indent=1) + "\n")
    return edition


def _keep(survey: Survey, folder: Path) -> None:
    found = Evidence(run=survey.result.run, items=survey.result.items)
    written(folder / EVIDENCE / f"{found.run.municipality.code}.json", found.model_dump_json() + "\n")


def files(folder: Path) -> Iterator[File]:
    """Every file of the edition's folder but edition.json and the errata, by path."""
    for path in sorted(one for one in folder.rglob("*") if not one.is_dir()):
        name = path.relative_to(folder).as_posix()
        if name != EDITION_FILE and not name.startswith("errata/"):
            content = path.read_bytes()
            yield File(path=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _refuse(plan: Plan, entries: list[Surveyed], asked: dict[str, list[str]]) -> None:
    if not entries:
        raise InputError(f"{plan.wanted}: no finished survey. Run `classify --city CITY` first.")
    if len(asked) > 1:
        told = "; ".join(f"{sha256[:12]}: {_some(names)}" for sha256, names in asked.items())
        raise InputError(
            f"{plan.wanted}: surveyed by {len(asked)} versions of the criteria, which cannot be compared ({told}). "
            "Bring them to one with `classify judge --city CITY`, or choose with --city."
        )
    if (waiting := _waiting(entries)) and not plan.with_unconfirmed:
        count = sum(one.awaiting for one in waiting)
        raise InputError(
            f"{count} criteria of {len(waiting)} municipalities wait for a person: {_some(map(_named, waiting))}. "
            "Decide them (`classify queue`, `classify review`), or publish --with-unconfirmed, which marks them."
        )


def _waiting(entries: Iterable[Surveyed]) -> list[Surveyed]:
    return [one for one in entries if one.awaiting]


def _named(one: Surveyed) -> str:
    return f"{one.municipality.name} ({one.municipality.code}{f', {one.awaiting}' if one.awaiting else ''})"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return ", ".join(listed[:_MOST_NAMED]) + more


def _entry(survey: Survey) -> Surveyed:
    run, points = survey.result.run, survey.result.score
    judged = [item.judgement for item in survey.result.items]
    confirmed = {one.criterion: one.verdict for one in points.confirmed}
    coverage = run.coverage
    return Surveyed(
        municipality=run.municipality,
        run=run.id,
        as_of=run.as_of,
        crawl=Window(started=coverage.started, finished=coverage.finished) if coverage else None,
        judges=tuple(sorted({one.judge for one in judged})),
        models=tuple(sorted({one.model for one in judged if one.model})),
        prompts=tuple(sorted({one.prompt_sha256 for one in judged if one.prompt_sha256})),
        pages=coverage.read if coverage else 0,
        snapshots=Snapshots(
            count=len(survey.archived), digest=snapshots_digest(survey.archived), cited=shown_copies(survey)
        ),
        points=points.points,
        possible=points.possible,
        awaiting=points.awaiting,
        outcomes=tuple(
            Outcome(criterion=item.judgement.criterion, of=item.digest, verdict=confirmed.get(item.judgement.criterion))
            for item in survey.result.items
        ),
        lines=tuple(number for number, _ in survey.lines),
    )


def _asked(criteria: CriteriaSet) -> Asked:
    return Asked(
        id=criteria.id,
        version=criteria.version,
        title_ja=criteria.title_ja,
        title_en=criteria.title_en,
        sha256=criteria.sha256,
        possible=len(criteria.criteria),
        file=CRITERIA_FILE,
    )
