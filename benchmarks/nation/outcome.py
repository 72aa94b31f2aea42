"""What a survey of a nation left behind: how far its cities came, its judgements, its archive."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fsspec.core import url_to_fs

from pipeline.models import CityState, Judgement, Run, Verdict
from pipeline.store.store import Store


@dataclass(frozen=True)
class Outcome:
    """states: how many cities stand how, `unread: CAUSE` where the home page could not be read; digest: of all verdicts
    and quotes, the same for surveys that judged alike; found: of the criteria that pages settle, those judged met."""

    states: dict[str, int]
    pages: int
    judgements: int
    verdicts: dict[str, int]
    digest: str
    settled: int
    found: int
    archived_bytes: int


def outcome(database_url: str, archive: str, settled: Mapping[str, frozenset[str]], cities: int) -> Outcome:
    """The newest run of each city. settled: by code, criteria that its pages settle; archive: folder or address."""
    with Store(database_url) as store:
        runs = {run.municipality.code: run for run in store.runs()}
        failed = _failed(store)
        judged = {code: [item.judgement for item in store.items(run.id)] for code, run in runs.items()}
    states = Counter(failed.get(code) or _state(run) for code, run in runs.items())
    states += Counter(state for code, state in failed.items() if code not in runs)
    met = {(code, one.criterion) for code, every in judged.items() for one in every if one.verdict is Verdict.MET}
    true = {(code, criterion) for code, criteria in settled.items() for criterion in criteria}
    return Outcome(
        states=dict(states + Counter({"no run": cities - len(runs.keys() | failed)})),
        pages=sum(run.coverage.read for run in runs.values() if run.coverage),
        judgements=sum(map(len, judged.values())),
        verdicts=dict(Counter(one.verdict.value for every in judged.values() for one in every)),
        digest=digest(judged),
        settled=len(true),
        found=len(true & met),
        archived_bytes=_archived(archive),
    )


def digest(judged: Mapping[str, list[Judgement]]) -> str:
    """sha256 of what was concluded, by code: criteria, verdicts and the words of the quotes."""
    lines = sorted(
        (code, one.criterion, one.verdict.value, [quote.text for quote in one.quotes])
        for code, every in judged.items()
        for one in every
    )
    return hashlib.sha256(json.dumps(lines, ensure_ascii=False).encode()).hexdigest()


def _failed(store: Store) -> dict[str, str]:
    """By code, what the newest wave gave up, and why."""
    waves = store.waves.all()
    cities = store.waves.cities(waves[-1].id, [CityState.FAILED]) if waves else []
    return {one.municipality.code: f"failed: {one.cause}" for one in cities}


def _state(run: Run) -> str:
    seen = run.coverage
    if seen is None or seen.home_read:
        return run.state.value
    cause = next((one.cause for one in seen.unread if seen.home is None or one.url == seen.home.given), "unknown")
    return f"unread: {cause}"


def _archived(archive: str) -> int:
    files, path = url_to_fs(archive)
    found = files.find(path, detail=True) if files.exists(path) else {}
    return sum(one["size"] or 0 for name, one in found.items() if name.endswith(".warc.gz"))
