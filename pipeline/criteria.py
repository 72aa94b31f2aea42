"""Criteria files: YAML in, a CriteriaSet out, every problem named with its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.errors import CriteriaError
from pipeline.models import CriteriaSet, Criterion, Cue, SettledBy, Viewpoint
from pipeline.settings import bundled
from pipeline.written import Both, Text, Written, read, repeated

MAX_PATTERN_CHARS = 2_000
_ID = r"^[a-z][a-z0-9]*-\d{2}$"

Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS)]


class _Viewpoint(Written):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    name: Both


class _Cue(Written):
    all: Annotated[list[Annotated[list[Pattern], Field(min_length=1)]], Field(min_length=1)]
    none: list[Pattern] = []
    none_near: list[Pattern] = []
    title: list[Pattern] = []
    within: Literal["sentence", "block", "section"] = "block"
    strength: Annotated[float, Field(gt=0, le=1)] = 0.8
    asserts: bool = False
    plans_count: bool = False
    labels_count: bool = False
    note: str = ""


class _Criterion(Written):
    id: Annotated[str, Field(pattern=_ID)]
    viewpoint: str
    settled_by: Literal["text", "link", "measured"]
    statement: Both
    counts: Both
    does_not_count: Both | None = None
    search_terms: Annotated[list[Text], Field(min_length=1)]
    leads: list[Text] = []
    cues: list[_Cue] = []
    absent_cues: list[_Cue] = []
    link_hosts: list[Annotated[str, Field(pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$")]] = []
    probe: str = ""
    past_counts: bool = False
    one_off: bool = False
    partners: bool = False
    alternatives: list[Annotated[list[Pattern], Field(min_length=1)]] = []
    usual: dict[Literal["met", "not_met", "no_evidence"], Annotated[int, Field(ge=0)]] = {}


class _File(Written):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: Text
    title: Both
    viewpoints: Annotated[list[_Viewpoint], Field(min_length=1)]
    concepts: dict[str, Annotated[list[Pattern], Field(min_length=1)]] = {}
    criteria: Annotated[list[_Criterion], Field(min_length=1)]


def schema() -> dict[str, Any]:
    """JSON Schema of a criteria file, which criteria/criteria.schema.json holds for editors."""
    made = _File.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Criteria of a survey"}


def load(name_or_path: str) -> CriteriaSet:
    """The criteria set of that name (a shipped one) or at that path. Raises CriteriaError, with all problems."""
    path = _path(name_or_path)
    body, file, problems = _read(path)
    if file is None or problems:
        raise CriteriaError(
            f"{path} is not a valid criteria file: {'; '.join(problems[:3])}"
            f"{' ...' if len(problems) > 3 else ''}. `classify criteria check {path}` lists every problem.",
            problems,
        )
    return _set(file, hashlib.sha256(body).hexdigest())


def check(path: str | Path) -> list[str]:
    """Every problem of the file, one line each with its place; empty for a valid file."""
    return _read(Path(path))[2]


def _path(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path
    return bundled("criteria") / f"{name_or_path}.yaml"


def _read(path: Path) -> tuple[bytes, _File | None, list[str]]:
    return read(path, _File, _problems)


def _problems(file: _File) -> Iterator[tuple[tuple[Any, ...], str]]:
    yield from repeated("viewpoints", [viewpoint.id for viewpoint in file.viewpoints])
    yield from repeated("criteria", [criterion.id for criterion in file.criteria])
    for name, patterns in file.concepts.items():
        yield from _patterns(("concepts", name), patterns, {})
    known = {viewpoint.id for viewpoint in file.viewpoints}
    for number, criterion in enumerate(file.criteria):
        here = ("criteria", number)
        if criterion.viewpoint not in known:
            yield (*here, "viewpoint"), f"unknown viewpoint {criterion.viewpoint}"
        yield from ((here, said) for said in _unsettled(criterion))
        for kind in ("cues", "absent_cues"):
            for place, cue in enumerate(getattr(criterion, kind)):
                yield from _cue_problems((*here, kind, place), cue, file.concepts)
        for place, group in enumerate(criterion.alternatives):
            yield from _patterns((*here, "alternatives", place), group, file.concepts)


def _unsettled(criterion: _Criterion) -> Iterator[str]:
    """What is missing for the way the criterion is settled."""
    if criterion.settled_by == "measured" and not criterion.probe:
        yield f"{criterion.id} is measured and names no probe"
    if criterion.settled_by == "link" and not criterion.link_hosts:
        yield f"{criterion.id} is settled by a link and names no link_hosts"
    if criterion.settled_by == "text" and not criterion.cues:
        yield f"{criterion.id} is settled by text and has no cues"
    if any(not term.strip() for term in criterion.search_terms):
        yield f"{criterion.id} has an empty search term"


def _cue_problems(
    here: tuple[Any, ...], cue: _Cue, concepts: Mapping[str, list[str]]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    for number, group in enumerate(cue.all):
        yield from _patterns((*here, "all", number), group, concepts)
    for kind in ("none", "none_near", "title"):
        yield from _patterns((*here, kind), getattr(cue, kind), concepts)


def _patterns(
    here: tuple[Any, ...], patterns: Sequence[str], concepts: Mapping[str, list[str]]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    for number, pattern in enumerate(patterns):
        if pattern.startswith("@"):
            if pattern[1:] not in concepts:
                yield (*here, number), f"unknown concept {pattern}"
            continue
        try:
            compiled = re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield (*here, number), f"broken pattern {pattern!r}: {error}"
            continue
        if compiled.search(""):
            yield (*here, number), f"pattern {pattern!r} matches everything"


def _set(file: _File, sha256: str) -> CriteriaSet:
    return CriteriaSet(
        id=file.id,
        title_ja=file.title.ja,
        title_en=file.title.en,
        version=file.version,
        viewpoints=tuple(Viewpoint(id=one.id, name_ja=one.name.ja, name_en=one.name.en) for one in file.viewpoints),
        criteria=tuple(_criterion(one, file.concepts) for one in file.criteria),
        sha256=sha256,
    )


def _criterion(one: _Criterion, concepts: Mapping[str, list[str]]) -> Criterion:
    excluded = one.does_not_count
    return Criterion(
        id=one.id,
        viewpoint=one.viewpoint,
        settled_by=SettledBy(one.settled_by),
        statement_ja=one.statement.ja,
        statement_en=one.statement.en,
        counts_ja=one.counts.ja,
        counts_en=one.counts.en,
        does_not_count_ja=excluded.ja if excluded else "",
        does_not_count_en=excluded.en if excluded else "",
        search_terms=tuple(dict.fromkeys(one.search_terms)),
        leads=tuple(dict.fromkeys(one.leads)),
        cues=tuple(_cue(cue, concepts) for cue in one.cues),
        absent_cues=tuple(_cue(cue, concepts) for cue in one.absent_cues),
        link_hosts=tuple(one.link_hosts),
        probe=one.probe,
        past_counts=one.past_counts,
        one_off=one.one_off,
        partners=one.partners,
        alternatives=tuple(_spelled(group, concepts) for group in one.alternatives),
        usual={str(verdict): count for verdict, count in one.usual.items()},
    )


def _cue(cue: _Cue, concepts: Mapping[str, list[str]]) -> Cue:
    return Cue(
        all=tuple(_spelled(group, concepts) for group in cue.all),
        none=_spelled(cue.none, concepts),
        none_near=_spelled(cue.none_near, concepts),
        title=_spelled(cue.title, concepts),
        within=cue.within,
        strength=cue.strength,
        asserts=cue.asserts,
        plans_count=cue.plans_count,
        labels_count=cue.labels_count,
        note=cue.note,
    )


def _spelled(patterns: Sequence[str], concepts: Mapping[str, list[str]]) -> tuple[str, ...]:
    found: list[str] = []
    for pattern in patterns:
        found.extend(concepts[pattern[1:]] if pattern.startswith("@") else [pattern])
    return tuple(found)
