"""Mapping files: which survey column corresponds to which criterion, how, and what its values mean."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.crosscheck.nouns import How, Item, Mapping, Reading, Unmapped
from pipeline.errors import CriteriaError
from pipeline.models import CriteriaSet
from pipeline.settings import bundled
from pipeline.written import Both, Place, Text, Written, read, repeated

ALL_OF = "/*"  # how the name of a whole group ends, folded
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
_Texts = Annotated[list[Text], Field(min_length=1)]


class _Survey(Written):
    title: Both
    asked: Both
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]


class _Header(Written):
    code: _Texts
    prefecture: list[Text] = []
    name: _Texts


class _Reading(Written):
    affirms: list[Text] = []
    denies: list[Text] = []
    silent: list[Text] = []
    percent_above: Annotated[float, Field(ge=0, lt=100)] | None = None


class _Item(Written):
    id: _Id
    columns: _Texts
    criterion: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*-\d{2}$")]
    how: Literal["same", "narrower", "broader", "related"]
    reading: Text
    note: Both


class _Unmapped(Written):
    columns: _Texts
    why: Both


class _File(Written):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: Text
    criteria: Text
    survey: _Survey
    header: _Header
    readings: Annotated[dict[str, _Reading], Field(min_length=1)]
    items: Annotated[list[_Item], Field(min_length=1)]
    unmapped: list[_Unmapped] = []


def schema() -> dict[str, Any]:
    """JSON Schema of a mapping file, which criteria/crosscheck/crosscheck.schema.json holds for editors."""
    made = _File.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "A survey beside the criteria"}


def load(name_or_path: str) -> Mapping:
    """The mapping of that name (a shipped one) or at that path. Raises CriteriaError, with all problems."""
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml") and len(path.parts) == 1:
        path = bundled("criteria") / "crosscheck" / f"{name_or_path}.yaml"
    _, file, problems = read(path, _File, _problems)
    if file is None or problems:
        told = f"{path} is no valid mapping of a survey, {len(problems)} problem(s)"
        raise CriteriaError(f"{told}; shipped ones: {', '.join(shipped())}:", problems)
    return _mapping(file)


def shipped() -> list[str]:
    """Names of the mappings that come with Akashi."""
    return sorted(path.stem for path in (bundled("criteria") / "crosscheck").glob("*.yaml"))


def check(mapping: Mapping, criteria: CriteriaSet) -> None:
    """Raises CriteriaError where the mapping names a criterion that the set does not have."""
    known = {one.id for one in criteria.criteria}
    strange = [f"{item.id}: no criterion {item.criterion}" for item in mapping.items if item.criterion not in known]
    if strange:
        raise CriteriaError(f"the mapping {mapping.id} does not fit the criteria {criteria.id}:", strange)


def folded(text: str) -> str:
    """A header or a cell for comparison: NFKC, without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _problems(file: _File) -> Iterator[tuple[Place, str]]:
    yield from repeated("items", [item.id for item in file.items])
    for number, item in enumerate(file.items):
        if item.reading not in file.readings:
            yield ("items", number, "reading"), f"unknown reading {item.reading}"
        for place, column in enumerate(item.columns):
            if folded(column).endswith(ALL_OF):
                yield ("items", number, "columns", place), "a whole group can only be unmapped"
    for name, reading in file.readings.items():
        yield from ((("readings", name), said) for said in _unreadable(reading))


def _unreadable(reading: _Reading) -> Iterator[str]:
    words = [folded(word) for word in (*reading.affirms, *reading.denies, *reading.silent)]
    yield from (f"{word} has two meanings" for word in sorted({one for one in words if words.count(one) > 1}))
    if not reading.affirms and reading.percent_above is None:
        yield "nothing is a yes: give words or percent_above"


def _mapping(file: _File) -> Mapping:
    survey = file.survey
    return Mapping(
        id=file.id,
        version=file.version,
        criteria=file.criteria,
        title_ja=survey.title.ja,
        title_en=survey.title.en,
        asked_ja=survey.asked.ja,
        asked_en=survey.asked.en,
        url=survey.url,
        code=tuple(map(folded, file.header.code)),
        prefecture=tuple(map(folded, file.header.prefecture)),
        name=tuple(map(folded, file.header.name)),
        readings={name: _reading(one) for name, one in file.readings.items()},
        items=tuple(map(_item, file.items)),
        unmapped=tuple(
            Unmapped(columns=tuple(one.columns), why_ja=one.why.ja, why_en=one.why.en) for one in file.unmapped
        ),
    )


def _reading(one: _Reading) -> Reading:
    words = {name: tuple(map(folded, getattr(one, name))) for name in ("affirms", "denies", "silent")}
    return Reading(percent_above=one.percent_above, **words)


def _item(one: _Item) -> Item:
    return Item(
        id=one.id,
        columns=tuple(one.columns),
        criterion=one.criterion,
        how=How(one.how),
        reading=one.reading,
        note_ja=one.note.ja,
        note_en=one.note.en,
    )
