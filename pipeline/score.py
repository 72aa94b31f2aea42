"""Points from what people confirmed, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.models import (
    Action,
    Confirmed,
    CriteriaSet,
    QueueItem,
    Run,
    Score,
    Verdict,
    Viewpoint,
    ViewpointScore,
)
from pipeline.store.log import carries, standing


def score(run: Run, items: Sequence[QueueItem], criteria: CriteriaSet) -> Score:
    """Points of the run's municipality: one for each criterion on which a confirmed `met` stands.

    A criterion without an item awaits a decision like any other. Raises ValueError where the items are not this run's,
    one a criterion.
    """
    by_criterion = {item.judgement.criterion: item for item in items}
    if len(by_criterion) < len(items) or any(item.run_id != run.id for item in items):
        raise ValueError(f"the items to score are not those of run {run.id}, one a criterion")
    confirmed = {one.criterion: one for item in items if (one := _confirmed(item))}
    viewpoints = tuple(_viewpoint(viewpoint, criteria, by_criterion, confirmed) for viewpoint in criteria.viewpoints)
    return Score(
        municipality=run.municipality,
        run_id=run.id,
        criteria_id=criteria.id,
        points=sum(viewpoint.confirmed for viewpoint in viewpoints),
        possible=sum(viewpoint.possible for viewpoint in viewpoints),
        awaiting=sum(viewpoint.awaiting for viewpoint in viewpoints),
        viewpoints=viewpoints,
        confirmed=tuple(confirmed[one.id] for one in criteria.criteria if one.id in confirmed),
    )


def _confirmed(item: QueueItem) -> Confirmed | None:
    decision = standing(item.decisions)
    if decision is None or decision.verdict is None:
        return None
    # A person who rejects or overrules what was measured does not stand behind it.
    measurement = item.judgement.measurement
    kept = decision.action is Action.APPROVE or carries(measurement, decision.verdict)
    return Confirmed(
        criterion=item.judgement.criterion,
        verdict=decision.verdict,
        quotes=decision.quotes,
        measurement=measurement if kept else None,
        reviewer=decision.reviewer,
        decided_at=decision.decided_at,
        note=decision.note,
    )


def _viewpoint(
    viewpoint: Viewpoint,
    criteria: CriteriaSet,
    items: Mapping[str, QueueItem],
    confirmed: Mapping[str, Confirmed],
) -> ViewpointScore:
    asked = [criterion.id for criterion in criteria.criteria if criterion.viewpoint == viewpoint.id]
    undecided = [criterion for criterion in asked if criterion not in confirmed]
    proposed = [items[criterion] for criterion in undecided if criterion in items]
    return ViewpointScore(
        viewpoint=viewpoint.id,
        confirmed=sum(confirmed[one].verdict is Verdict.MET for one in asked if one in confirmed),
        provisional=sum(item.judgement.verdict is Verdict.MET for item in proposed),
        awaiting=len(undecided),
        possible=len(asked),
    )
