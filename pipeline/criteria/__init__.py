"""Criteria files: YAML in, a CriteriaSet out, every problem named with its line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.criteria.checking import MAX_BYTES, read
from pipeline.criteria.shapes import File, WrittenCriterion, WrittenCue, schema
from pipeline.errors import CriteriaError
from pipeline.models import CriteriaSet, Criterion, Cue, SettledBy, Viewpoint
from pipeline.settings import bundled

__all__ = ["MAX_BYTES", "check", "is_path", "load", "schema", "shipped"]


def load(name_or_path: str) -> CriteriaSet:
    """The criteria set of that name (a shipped one) or at that path. Raises CriteriaError, with all problems."""
    path = _path(name_or_path)
    body, file, problems = read(path)
    if file is None or problems:
        raise CriteriaError(
            f"{path} is not a valid criteria file: {'; '.join(problems[:3])}"
            f"{' ...' if len(problems) > 3 else ''}. `classify criteria check {path}` lists every problem.",
            problems,
        )
    return _set(file, hashlib.sha256(body).hexdigest())


def shipped() -> list[str]:
    """Names of the sets that come along."""
    return sorted(path.stem for path in bundled("criteria").glob("*.yaml"))


def check(path: str | Path) -> list[str]:
    """Every problem of the file, one line each with its place; empty for a valid file."""
    return read(Path(path))[2]


def is_path(name_or_path: str) -> bool:
    """Whether that names a file, and not a set by its name."""
    path = Path(name_or_path)
    return path.suffix in (".yaml", ".yml") or len(path.parts) > 1


def _path(name_or_path: str) -> Path:
    return Path(name_or_path) if is_path(name_or_path) else bundled("criteria") / f"{name_or_path}.yaml"


def _set(file: File, sha256: str) -> CriteriaSet:
    return CriteriaSet(
        id=file.id,
        title_ja=file.title.ja,
        title_en=file.title.en,
        version=file.version,
        viewpoints=tuple(Viewpoint(id=one.id, name_ja=one.name.ja, name_en=one.name.en) for one in file.viewpoints),
        criteria=tuple(_criterion(one, file.concepts) for one in file.criteria),
        sha256=sha256,
    )


def _criterion(one: WrittenCriterion, concepts: Mapping[str, list[str]]) -> Criterion:
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
        threshold=one.threshold,
        threshold_source=one.threshold_source,
        past_counts=one.past_counts,
        one_off=one.one_off,
        partners=one.partners,
        alternatives=tuple(_spelled(group, concepts) for group in one.alternatives),
        usual={str(verdict): count for verdict, count in one.usual.items()},
    )


def _cue(cue: WrittenCue, concepts: Mapping[str, list[str]]) -> Cue:
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
