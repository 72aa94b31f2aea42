"""One survey as a place of a ranking, and by which rules it was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from pipeline.models import CriteriaSet, Verdict
from pipeline.municipality import Kinds
from pipeline.ranking.nouns import Part, Place
from pipeline.results import Result

_UNSEEN = (Verdict.UNOBSERVED, Verdict.NOT_JUDGED)


def rules_of(criteria: CriteriaSet) -> str:
    """sha256 of what people decide by: criteria, their viewpoints and wording. Search words and cues, which only help
    to find pages, do not count: they may differ between two places that are compared."""
    rules = sorted(f"{one.id}\x1f{one.viewpoint}\x1f{one.rule_sha256}" for one in criteria.criteria)
    return hashlib.sha256("\n".join(rules).encode()).hexdigest()


def place_of(result: Result, kinds: Kinds) -> Place:
    """The survey's points as its score has them, and how many criteria of each viewpoint are still open."""
    viewpoints = {one.id: one.viewpoint for one in result.criteria.criteria}
    unseen = [viewpoints[one.criterion] for one in result.score.confirmed if one.verdict in _UNSEEN]
    parts = tuple(
        Part(
            viewpoint=one.viewpoint,
            points=one.confirmed,
            awaiting=one.awaiting,
            unseen=unseen.count(one.viewpoint),
            possible=one.possible,
        )
        for one in result.score.viewpoints
    )
    run = result.run
    return Place(
        municipality=run.municipality,
        population_class=kinds.of(run.municipality),
        population=kinds.population(run.municipality),
        as_of=run.as_of,
        run_id=run.id,
        version=result.criteria.version,
        parts=parts,
        **_sums(parts),
    )


def narrowed(place: Place, viewpoints: Collection[str]) -> Place:
    """The place by the points of these viewpoints alone."""
    parts = tuple(one for one in place.parts if one.viewpoint in viewpoints)
    return place.model_copy(update={"parts": parts, **_sums(parts)})


def _sums(parts: Sequence[Part]) -> dict[str, int]:
    sums = {name: sum(getattr(part, name) for part in parts) for name in ("points", "awaiting", "unseen", "possible")}
    return sums | {"most": sums["points"] + sums["awaiting"] + sums["unseen"]}
