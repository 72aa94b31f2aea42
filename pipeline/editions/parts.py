"""What lies in an edition: each part writes files into its folder.

A part of one municipality goes into OF_ONE, a part over all of them into OF_ALL. The same results, frame and version of
Akashi must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import report
from pipeline.editions.nouns import Evidence
from pipeline.editions.surveys import Survey
from pipeline.results import Result

# Languages that reports are written in.
LANGUAGES = ("ja",)


@dataclass(frozen=True)
class Frame:
    """What all parts are told. at: the edition's time."""

    name: str
    title: str
    at: datetime
    languages: tuple[str, ...]


OfOne = Callable[[Survey, Frame, Path], None]
OfAll = Callable[[Iterable[Result], Frame, Path], None]


def reports(survey: Survey, frame: Frame, folder: Path) -> None:
    """reports/LANGUAGE/CODE.html and .md"""
    found = survey.result
    built = report.build(found.run, found.criteria, found.items, found.score, snapshots=survey.copies)
    for language in frame.languages:
        stem = folder / "reports" / language / found.run.municipality.code
        written(stem.with_name(f"{stem.name}.html"), report.html(built))
        written(stem.with_name(f"{stem.name}.md"), report.markdown(built))


def evidence(survey: Survey, frame: Frame, folder: Path) -> None:
    """evidence/CODE.json"""
    found = Evidence(run=survey.result.run, items=survey.result.items)
    written(folder / "evidence" / f"{found.run.municipality.code}.json", found.model_dump_json() + "\n")


OF_ONE: tuple[OfOne, ...] = (reports, evidence)
OF_ALL: tuple[OfAll, ...] = ()


def written(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
