"""What is wrong with a criteria file, each problem with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import written
from pipeline.criteria.shapes import File, WrittenCriterion, WrittenCue
from pipeline.written import MAX_BYTES, repeated

__all__ = ["MAX_BYTES", "read"]


def read(path: Path) -> tuple[bytes, File | None, list[str]]:
    """The file's bytes, what it says where it has the shape, and every problem, one line each with its place."""
    return written.read(path, File, _problems)


def _problems(file: File) -> Iterator[tuple[tuple[Any, ...], str]]:
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
