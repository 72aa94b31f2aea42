"""What lies in an edition beside its evidence: each part writes files into its folder.

The same contents, frame and version of Akashi must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import exports, ranking, report
from pipeline.archive import Archive
from pipeline.comparable import peers
from pipeline.editions.nouns import Evidence
from pipeline.editions.surveys import counted_result
from pipeline.language import LANGUAGES as SPOKEN
from pipeline.models import Snapshot
from pipeline.municipality.kinds import Kinds
from pipeline.results import Result, cited
from pipeline.workspace import Workspace

LANGUAGES = tuple(SPOKEN)
EVIDENCE = "evidence"


@dataclass(frozen=True)
class Frame:
    """What all parts are told. at: the edition's time; kinds: which municipalities compare."""

    name: str
    title: str
    at: datetime
    languages: tuple[str, ...]
    kinds: Kinds


@dataclass(frozen=True)
class Contents:
    """The results of an edition by code, read from its evidence, one at a time and as often as a part needs them."""

    folder: Path
    workspace: Workspace
    archive: Archive

    @property
    def codes(self) -> list[str]:
        return [path.stem for path in self._files]

    @property
    def _files(self) -> list[Path]:
        return sorted((self.folder / EVIDENCE).glob("*.json"))

    def __iter__(self) -> Iterator[Result]:
        for path in self._files:
            found = Evidence.model_validate_json(path.read_bytes())
            yield counted_result(found.run, found.items, self.workspace)

    def copies(self, result: Result) -> Sequence[Snapshot]:
        """The archived copies behind its quotes."""
        return cited(result, self.archive)


Part = Callable[[Contents, Frame, Path], None]


def reports(contents: Contents, frame: Frame, folder: Path) -> None:
    """reports/LANGUAGE/CODE.html, .md and .json"""
    scores = [one.score for one in contents]
    for one in contents:
        place, copies = one.run.municipality, contents.copies(one)
        compared = peers(place, scores, frame.kinds)
        for language in frame.languages:
            built = report.build(
                one.run,
                one.criteria,
                one.items,
                one.score,
                snapshots=copies,
                peers=compared,
                edition=frame.title,
                language=language,
            )
            stem = folder / "reports" / language / place.code
            written(stem.with_name(f"{stem.name}.html"), report.html(built))
            written(stem.with_name(f"{stem.name}.md"), report.markdown(built))
            written(stem.with_name(f"{stem.name}.json"), report.json(built))


def tables(contents: Contents, frame: Frame, folder: Path) -> None:
    """ranking-LANGUAGE.html, workbook-LANGUAGE.xlsx and data-LANGUAGE.csv"""
    ranked = ranking.rank(contents, frame.kinds)
    for language in frame.languages:
        links = {code: f"reports/{language}/{code}.html" for code in contents.codes}
        written(folder / f"ranking-{language}.html", ranking.html(ranked, language, links))
        exports.write_workbook(contents, folder / f"workbook-{language}.xlsx", language=language)
        exports.write_csv(contents, folder / f"data-{language}.csv", language=language)


PARTS: tuple[Part, ...] = (reports, tables)


def written(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
