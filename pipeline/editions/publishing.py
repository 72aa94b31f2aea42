"""Publishing: the newest surveys with all that people have decided, frozen under a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.editions.freezing import Plan, freeze
from pipeline.editions.nouns import Edition
from pipeline.editions.parts import LANGUAGES, Frame
from pipeline.editions.shelf import Shelf
from pipeline.editions.surveys import Sources, Survey, lines_about, survey
from pipeline.errors import InputError
from pipeline.municipality.kinds import Kinds
from pipeline.results import newest_runs
from pipeline.text import printable

_MOST_TITLE_CHARS = 200


@dataclass(frozen=True)
class Wish:
    """codes: of the municipalities wanted, all where empty; at: the edition's time, with its zone; populations: a CSV
    of codes and people, by which municipalities are compared."""

    name: str
    title: str
    at: datetime
    criteria_id: str
    codes: tuple[str, ...] = ()
    languages: tuple[str, ...] = LANGUAGES
    with_unconfirmed: bool = False
    populations: Path | None = None


def publish(wish: Wish, sources: Sources, shelf: Shelf) -> Edition:
    """The edition, now on the shelf. Raises InputError for a wish that cannot be, and what freeze raises; then nothing
    is left behind."""
    _check(wish)
    frame = Frame(wish.name, wish.title.strip(), wish.at, wish.languages, Kinds.read(wish.populations))
    last = sources.store.serving.last_line()
    plan = Plan(frame, wish.with_unconfirmed, last, wish.populations, f"criteria {wish.criteria_id}")
    return shelf.put(wish.name, lambda folder: freeze(plan, _surveys(wish, plan.last, sources), sources, folder))


def _surveys(wish: Wish, last: int, sources: Sources) -> Iterator[Survey]:
    found = set()
    for run in newest_runs(sources.store, wish.criteria_id, lambda one: not wish.codes or one.code in wish.codes):
        found.add(run.municipality.code)
        items = sources.store.items(run.id)
        lines = lines_about(sources.store, run.municipality.code, {one.digest for one in items})
        yield survey(run, items, [line for line in lines if line[0] <= last], sources)
    if missing := [code for code in wish.codes if code not in found]:
        raise InputError(f"{', '.join(missing)}: no finished survey by criteria {wish.criteria_id}.")


def _check(wish: Wish) -> None:
    if not wish.title.strip() or len(wish.title) > _MOST_TITLE_CHARS or printable(wish.title) != wish.title:
        raise InputError(f"--title: one line of 1 to {_MOST_TITLE_CHARS} printable characters, such as 2026年版.")
    if wish.at.tzinfo is None:
        raise InputError("--at: give the time with its zone, such as 2026-11-26T10:00:00+09:00.")
    unknown = [one for one in wish.languages if one not in LANGUAGES]
    if unknown or not wish.languages or len(set(wish.languages)) < len(wish.languages):
        raise InputError(f"--language: reports are written in {', '.join(LANGUAGES)}; give each wanted one once.")
