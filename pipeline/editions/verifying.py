"""Whether an edition still is what was published, and what database and archive give when it is made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from pipeline.editions.errata import remade
from pipeline.editions.freezing import EDITION_FILE, POPULATIONS_FILE, Plan, files, freeze
from pipeline.editions.nouns import Edition, Evidence, Issued, Surveyed
from pipeline.editions.parts import EVIDENCE, Frame
from pipeline.editions.shelf import PART, Shelf
from pipeline.editions.surveys import Line, Sources, Survey, lines_about, survey
from pipeline.errors import AkashiError
from pipeline.models import QueueItem, Run
from pipeline.municipality.kinds import Kinds


@dataclass(frozen=True)
class Finding:
    """problems: what is not as it was published or cannot be proved; notes: what a reader should know besides; sha256:
    of edition.json as it lies there; files: how many others were compared."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str
    files: int


def verify(name: str, sources: Sources, shelf: Shelf) -> Finding:
    """Compares the edition's files with edition.json, and all of it, byte for byte, with what its surveys give today
    when only the lines of the log that counted then do. Raises InputError where there is no such edition."""
    edition, folder = shelf.edition(name), shelf.path(name)
    notes: list[str] = []
    problems = [*_named_otherwise(edition, name), *_tampered(edition, folder)]
    if not problems:
        problems += _remade(edition, sources, folder, notes)
        problems += _errata(edition, shelf, sources)
    return Finding(tuple(problems), tuple(notes), shelf.sha256(name), len(edition.files))


def _named_otherwise(edition: Edition, name: str) -> list[str]:
    return [] if edition.name == name else [f"{EDITION_FILE} is that of edition {edition.name}"]


def _tampered(edition: Edition, folder: Path) -> Iterator[str]:
    there = {file.path: file for file in files(folder)}
    for file in edition.files:
        found = there.pop(file.path, None)
        if found is None:
            yield f"{file.path} is missing"
        elif found != file:
            yield f"{file.path} was changed: sha256 {found.sha256}, published with {file.sha256}"
    yield from (f"{path} was added" for path in there)


def _remade(edition: Edition, sources: Sources, folder: Path, notes: list[str]) -> list[str]:
    told = folder / POPULATIONS_FILE
    populations = told if told.is_file() else None
    with TemporaryDirectory(prefix="akashi-verify-") as name:
        again = Path(name)
        try:
            frame = Frame(edition.name, edition.title, edition.at, edition.languages, Kinds.read(populations))
            plan = Plan(frame, edition.with_unconfirmed, edition.log.last, populations, f"edition {edition.name}")
            freeze(plan, _surveys(edition, sources, folder, notes), sources, again)
        except (AkashiError, ValidationError) as error:
            return [f"it cannot be made again: {error}"]
        differing = list(_differing(edition, folder, again))
    if differing and edition.akashi != version("akashi"):
        differing.append(
            f"it was made by Akashi {edition.akashi}, and this is {version('akashi')}: compare with that one"
        )
    return differing


def _differing(edition: Edition, folder: Path, again: Path) -> Iterator[str]:
    remade_files = {file.path: file for file in files(again)}
    for file in edition.files:
        if remade_files.pop(file.path, None) != file:
            yield f"{file.path} is not what database and archive give"
    yield from (f"{path} is not in the edition, and database and archive give it" for path in remade_files)
    if (folder / EDITION_FILE).read_bytes() != (again / EDITION_FILE).read_bytes():
        yield f"{EDITION_FILE} is not what database and archive give"


def _surveys(edition: Edition, sources: Sources, folder: Path, notes: list[str]) -> Iterator[Survey]:
    for one in edition.municipalities:
        run, items = _judged(one, sources, folder, notes)
        lines = lines_about(sources.store, one.municipality.code, {outcome.of for outcome in one.outcomes})
        yield survey(run, items, _counting(lines, one), sources)


def _counting(lines: Iterable[Line], one: Surveyed) -> list[Line]:
    wanted = set(one.lines)
    return [line for line in lines if line[0] in wanted]


def _judged(one: Surveyed, sources: Sources, folder: Path, notes: list[str]) -> tuple[Run, list[QueueItem]]:
    """The run and its judgements from the database; from the edition's own copy where they were judged again since."""
    code = one.municipality.code
    frozen = Evidence.model_validate_json((folder / EVIDENCE / f"{code}.json").read_bytes())
    run, items = sources.store.run(one.run), sources.store.items(one.run)
    if run is None:
        raise AkashiError(f"{one.municipality.name} ({code}): the database has no run {one.run}")
    then = {item.judgement.criterion: item.judgement.judged_at for item in frozen.items}
    if {item.judgement.criterion: item.judgement.judged_at for item in items} == then:
        return run, items
    notes.append(
        f"{one.municipality.name} ({code}): run {one.run} was judged again since, so its judgements are taken from the "
        "edition's own copy; decisions and pages from database and archive"
    )
    return frozen.run, list(frozen.items)


def _errata(edition: Edition, shelf: Shelf, sources: Sources) -> Iterator[str]:
    known: list[Issued] = []
    folder = shelf.path(edition.name)
    expected = set()
    for number, issued in enumerate(shelf.errata(edition.name), start=1):
        stem = folder / "errata" / f"{number:04}"
        for suffix, text in remade(issued, known, edition, shelf, sources):
            path = stem.with_name(stem.name + suffix)
            expected.add(path.name)
            if not path.is_file() or path.read_bytes() != text.encode():
                yield f"errata/{path.name} is not what edition and log give"
        known.append(issued)
    there = (one.name for one in (folder / "errata").glob("*") if not one.name.startswith(PART))
    yield from (
        f"errata/{name} was added, or the erratum of its number is gone" for name in sorted({*there} - expected)
    )
