"""The lines of a queue file, read one survey at a time and checked to be whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from pydantic import Field, TypeAdapter, ValidationError

from pipeline.errors import InputError
from pipeline.models import Noun, QueueItem, Run

FORMAT = 1
HEAD = f'{{"kind":"akashi-queue","format":{FORMAT}}}'
MAX_SURVEY_BYTES = 100_000_000  # a survey has about 10 KB a criterion, and one is in memory at a time
_MAX_HEAD_BYTES = 1_000
_AGAIN = "export the queue again"


class RunLine(Noun):
    kind: Literal["run"] = "run"
    run: Run


class ItemLine(Noun):
    kind: Literal["item"] = "item"
    item: QueueItem


class End(Noun):
    kind: Literal["end"] = "end"
    runs: int
    items: int


_Line = RunLine | ItemLine | End
_LINES: TypeAdapter[_Line] = TypeAdapter(Annotated[_Line, Field(discriminator="kind")])


@dataclass
class Survey:
    """A run and its items by criterion, each with the number of its line. size: in bytes, so far."""

    line: int
    run: Run
    size: int
    items: dict[str, tuple[int, QueueItem]] = field(default_factory=dict)


def surveys(file: BinaryIO, path: Path) -> Iterator[Survey]:
    """The surveys of the file. Raises InputError, naming the line, where it is no whole queue file of this format."""
    _check_head(file.readline(_MAX_HEAD_BYTES), path)
    survey: Survey | None = None
    runs, items = set[str](), 0
    for number, raw in _raw(file, path):
        match _parsed(raw, path, number):
            case End() as end:
                yield from [survey] if survey else []
                return _check_end(end, file, path, runs=len(runs), items=items)
            case RunLine(run=run):
                yield from [survey] if survey else []
                if run.id in runs:
                    raise InputError(f"{path} line {number}: run {run.id} comes twice; {_AGAIN}")
                runs.add(run.id)
                survey = Survey(number, run, len(raw))
            case ItemLine(item=item):
                _add(survey, item, path, number=number, size=len(raw))
                items += 1
    raise InputError(f"{path} is cut off: its last line, which counts the others, is not there; copy it or {_AGAIN}")


def _check_head(raw: bytes, path: Path) -> None:
    try:
        head = json.loads(raw.decode("utf-8-sig"))
        if head["kind"] != "akashi-queue":
            raise ValueError(head["kind"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path} is no queue file of Akashi: its first line is not {HEAD}; {_AGAIN}") from error
    if head.get("format") != FORMAT:
        told = f"{path} has format {head.get('format')!r} and this Akashi reads {FORMAT}"
        raise InputError(f"{told}; update Akashi, or export the queue with this version")


def _raw(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines after the first, with their numbers, blank ones left out."""
    number = 1
    while raw := file.readline(MAX_SURVEY_BYTES + 1):
        number += 1
        if len(raw) > MAX_SURVEY_BYTES:
            raise InputError(_too_large(path, number))
        if raw.strip():
            yield number, raw


def _parsed(raw: bytes, path: Path, number: int) -> _Line:
    try:
        return _LINES.validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        cut = "" if raw.endswith(b"\n") else ", and the file ends there: it may be cut off"
        told = f"{path} line {number} cannot be read ({where or 'line'}: {first['msg']}{cut})"
        raise InputError(f"{told}; nothing was taken; {_AGAIN}") from error


def _add(survey: Survey | None, item: QueueItem, path: Path, *, number: int, size: int) -> None:
    if survey is None or (item.run_id, item.municipality.code) != (survey.run.id, survey.run.municipality.code):
        raise InputError(f"{path} line {number}: item {item.number} does not belong to the run above it; {_AGAIN}")
    criterion = item.judgement.criterion
    if criterion in survey.items:
        raise InputError(f"{path} line {number}: {criterion} comes twice in run {item.run_id}; {_AGAIN}")
    survey.size += size
    if survey.size > MAX_SURVEY_BYTES:
        raise InputError(_too_large(path, number))
    survey.items[criterion] = (number, item)


def _check_end(end: End, file: BinaryIO, path: Path, *, runs: int, items: int) -> None:
    if (end.runs, end.items) != (runs, items):
        told = f"{path} has {runs} runs with {items} items and its last line counts {end.runs} with {end.items}"
        raise InputError(f"{told}: lines were lost or added; nothing was taken; {_AGAIN}")
    if any(raw.strip() for raw in iter(lambda: file.readline(MAX_SURVEY_BYTES), b"")):
        raise InputError(f"{path} goes on after its last line: take joined files one by one; nothing was taken")


def _too_large(path: Path, number: int) -> str:
    limit = f"{MAX_SURVEY_BYTES // 1_000_000} MB"
    return f"{path} line {number}: one survey has more than {limit}, which does not fit into memory safely; {_AGAIN}"
