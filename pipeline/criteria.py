"""Criteria files: YAML in, a CriteriaSet out, every problem named with its line."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import CriteriaError
from pipeline.models import CriteriaSet, Criterion, Cue, SettledBy, Viewpoint
from pipeline.settings import bundled

MAX_BYTES = 1_000_000  # a set of 31 takes 60 KB; what is far larger is not a criteria file
MAX_PATTERN_CHARS = 2_000
_ID = r"^[a-z][a-z0-9]*-\d{2}$"

Text = Annotated[str, Field(min_length=1)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS)]


class _Written(BaseModel):
    """Base of the file's shapes: strict types, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Both(_Written):
    ja: Text
    en: Text


class _Viewpoint(_Written):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]
    name: _Both


class _Cue(_Written):
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


class _Criterion(_Written):
    id: Annotated[str, Field(pattern=_ID)]
    viewpoint: str
    settled_by: Literal["text", "link", "measured"]
    statement: _Both
    counts: _Both
    does_not_count: _Both | None = None
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


class _File(_Written):
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: Text
    title: _Both
    viewpoints: Annotated[list[_Viewpoint], Field(min_length=1)]
    concepts: dict[str, Annotated[list[Pattern], Field(min_length=1)]] = {}
    criteria: Annotated[list[_Criterion], Field(min_length=1)]


class _Loader(yaml.SafeLoader):
    """YAML without tags, aliases and repeated keys, remembering the line of every path."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=self.get_mark())
        if getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="tags are not allowed", problem_mark=self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = Counter(key.value for key, _ in node.value)
        for key, _ in node.value:
            if seen[key.value] > 1:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


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
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return b"", None, [f"cannot be read: {error.strerror or error}"]
    if len(body) > MAX_BYTES:
        return body, None, [f"larger than {MAX_BYTES} bytes"]
    try:
        value, lines = _parse(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return body, None, [f"not UTF-8 (byte {error.start})"]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return body, None, [_yaml_problem(error)]
    return body, *_validate(value, lines)


def _parse(text: str) -> tuple[Any, dict[tuple[Any, ...], int]]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = dict(_lines(node, ()))
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _lines(item, (*path, number))


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {said}" if mark else f"not YAML: {said}"


def _validate(value: Any, lines: Mapping[tuple[Any, ...], int]) -> tuple[_File | None, list[str]]:
    try:
        file = _File.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return None, [_say(lines, _place(one["loc"]), one["msg"]) for one in found]
    return file, [_say(lines, path, said) for path, said in _problems(file)]


def _place(loc: Sequence[int | str]) -> tuple[Any, ...]:
    return tuple(part for part in loc if part != "[key]")


def _say(lines: Mapping[tuple[Any, ...], int], path: tuple[Any, ...], said: str) -> str:
    near = path
    while near and near not in lines:
        near = near[:-1]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f"line {lines.get(near, 1)}: {name or 'the file'}: {said}"


def _problems(file: _File) -> Iterator[tuple[tuple[Any, ...], str]]:
    yield from _repeated("viewpoints", [viewpoint.id for viewpoint in file.viewpoints])
    yield from _repeated("criteria", [criterion.id for criterion in file.criteria])
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


def _repeated(name: str, ids: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], str]]:
    for number, one in enumerate(ids):
        if one in ids[:number]:
            yield (name, number, "id"), f"{one} is given twice"


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
