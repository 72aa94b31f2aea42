"""What is wrong with a criteria file, each problem with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.criteria.lines import parse, problem_of
from pipeline.criteria.shapes import File, WrittenCriterion, WrittenCue

MAX_BYTES = 1_000_000  # a set of forty takes 120 KB; what is far larger is not a criteria file


def read(path: Path) -> tuple[bytes, File | None, list[str]]:
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return b"", None, [f"cannot be read: {error.strerror or error}"]
    if len(body) > MAX_BYTES:
        return body, None, [f"larger than {MAX_BYTES} bytes"]
    try:
        value, lines = parse(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return body, None, [f"not UTF-8 (byte {error.start})"]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return body, None, [problem_of(error)]
    return body, *_validate(value, lines)


def _validate(value: Any, lines: Mapping[tuple[Any, ...], int]) -> tuple[File | None, list[str]]:
    try:
        file = File.model_validate(value)
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


def _problems(file: File) -> Iterator[tuple[tuple[Any, ...], str]]:
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


def _unsettled(criterion: WrittenCriterion) -> Iterator[str]:
    """What is missing for the way the criterion is settled."""
    if criterion.settled_by == "measured" and not criterion.probe:
        yield f"{criterion.id} is measured and names no probe"
    if criterion.settled_by != "measured" and (criterion.threshold is not None or criterion.threshold_source):
        yield f"{criterion.id} is not measured and has a threshold"
    if criterion.settled_by == "link" and not criterion.link_hosts:
        yield f"{criterion.id} is settled by a link and names no link_hosts"
    if criterion.settled_by == "text" and not criterion.cues:
        yield f"{criterion.id} is settled by text and has no cues"
    if any(not term.strip() for term in criterion.search_terms):
        yield f"{criterion.id} has an empty search term"


def _cue_problems(
    here: tuple[Any, ...], cue: WrittenCue, concepts: Mapping[str, list[str]]
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
