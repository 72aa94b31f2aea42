"""Points come from what people confirmed, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from queue_data import NOW, VIEWPOINTS, criteria, decided, item, judgement, measurement, quote, run

from pipeline.errors import DecisionError
from pipeline.models import Decision, Judgement, QueueItem, Score, Verdict
from pipeline.review import queue
from pipeline.score import score
from pipeline.store.store import Store

MET, NOT_MET, NO_EVIDENCE = Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE
ASKED = [one.id for one in criteria().criteria]
OTHER_QUOTE = quote("RPAは使っていません", url="https://city.example/faq")

STEPS: dict[str, Callable[[QueueItem], Decision]] = {
    "approve": lambda one: queue.approve(one, reviewer="佐藤", now=NOW, note="確認"),
    "reject": lambda one: queue.reject(one, reviewer="鈴木", now=NOW),
    "amend met": lambda one: queue.amend(one, verdict=MET, quotes=[OTHER_QUOTE], reviewer="高橋", now=NOW),
    "amend not_met": lambda one: queue.amend(one, verdict=NOT_MET, quotes=[OTHER_QUOTE], reviewer="高橋", now=NOW),
    "amend no_evidence": lambda one: queue.amend(one, verdict=NO_EVIDENCE, reviewer="高橋", now=NOW),
    "return": lambda one: queue.send_back(one, reviewer="田中", now=NOW, note="理由"),
    "undo": lambda one: queue.undo(one, reviewer="伊藤", now=NOW),
}


def walked(criterion: str, verdict: Verdict, steps: Sequence[str]) -> QueueItem:
    """The item after those of the steps that the queue lets in."""
    one = item(judgement(criterion, verdict), number=ASKED.index(criterion) + 1)
    for step in steps:
        try:
            one = decided(one, STEPS[step](one))
        except DecisionError:
            continue
    return one


def scored(*items: QueueItem) -> Score:
    return score(run(), items, criteria())


def by_viewpoint(result: Score) -> dict[str, tuple[int, int, int, int]]:
    return {one.viewpoint: (one.confirmed, one.provisional, one.awaiting, one.possible) for one in result.viewpoints}


def test_a_proposal_is_provisional_until_a_person_confirms_it() -> None:
    proposed = scored(walked("ops-01", MET, []))
    assert (proposed.points, proposed.awaiting, proposed.possible, proposed.confirmed) == (0, 9, 9, ())
    assert by_viewpoint(proposed) == {"policy": (0, 0, 2, 2), "ops": (0, 1, 3, 3), "resident": (0, 0, 4, 4)}
    confirmed = scored(walked("ops-01", MET, ["approve"]))
    assert (confirmed.points, confirmed.awaiting) == (1, 8)
    assert by_viewpoint(confirmed)["ops"] == (1, 0, 2, 3)


@pytest.mark.parametrize(
    ("verdict", "steps", "ops"),
    [
        (MET, [], (0, 1, 3, 3)),
        (NO_EVIDENCE, [], (0, 0, 3, 3)),
        (MET, ["approve"], (1, 0, 2, 3)),
        (MET, ["reject"], (0, 0, 2, 3)),
        (MET, ["amend not_met"], (0, 0, 2, 3)),
        (NO_EVIDENCE, ["amend met"], (1, 0, 2, 3)),
        (NO_EVIDENCE, ["approve"], (0, 0, 2, 3)),
        (Verdict.UNOBSERVED, ["approve"], (0, 0, 2, 3)),
        (MET, ["approve", "undo"], (0, 1, 3, 3)),
        (MET, ["approve", "return"], (0, 1, 3, 3)),
        (MET, ["approve", "return", "undo"], (1, 0, 2, 3)),
        (MET, ["reject", "undo", "approve"], (1, 0, 2, 3)),
        (NO_EVIDENCE, ["amend met", "undo"], (0, 0, 3, 3)),  # what was amended and taken back is not even provisional
    ],
)
def test_one_criterion(verdict: Verdict, steps: list[str], ops: tuple[int, ...]) -> None:
    assert by_viewpoint(scored(walked("ops-02", verdict, steps)))["ops"] == ops


def test_the_confirmed_carry_the_evidence_a_person_stands_behind() -> None:
    result = scored(
        walked("resident-02", MET, ["amend not_met"]),
        walked("ops-01", MET, ["approve"]),
        walked("policy-02", MET, ["reject"]),
        walked("policy-01", MET, ["approve", "undo"]),
    )
    assert [one.criterion for one in result.confirmed] == ["policy-02", "ops-01", "resident-02"]
    rejected, approved, amended = result.confirmed
    assert (rejected.verdict, rejected.quotes, rejected.reviewer) == (NO_EVIDENCE, (), "鈴木")
    assert (approved.verdict, approved.quotes, approved.reviewer, approved.note) == (MET, (quote(),), "佐藤", "確認")
    assert (amended.verdict, amended.quotes, amended.decided_at) == (NOT_MET, (OTHER_QUOTE,), NOW)


@pytest.mark.parametrize(("step", "kept"), [("approve", True), ("reject", False), ("amend not_met", False)])
def test_a_measurement_is_shown_only_where_the_person_stands_behind_it(step: str, kept: bool) -> None:
    one = item(judgement("resident-01", MET, measurement=measurement(2.0)))
    (confirmed,) = scored(decided(one, STEPS[step](one))).confirmed
    assert confirmed.measurement == (measurement(2.0) if kept else None)


def test_a_measurement_that_no_judge_concluded_from_can_be_confirmed_by_a_person() -> None:
    one = item(judgement("resident-01", Verdict.NOT_JUDGED, measurement=measurement(2.0)))
    result = scored(decided(one, queue.amend(one, verdict=MET, reviewer="高橋", now=NOW)))
    assert (result.points, result.confirmed[0].measurement) == (1, measurement(2.0))


def test_a_judgement_on_a_criterion_that_is_not_asked_scores_nothing() -> None:
    one = item(judgement("ops-99"))
    result = scored(decided(one, STEPS["approve"](one)))
    assert (result.points, result.awaiting, result.confirmed) == (0, 9, ())


@pytest.mark.parametrize(
    "items", [(item(run_id="r2"),), (item(number=1), item(number=2))], ids=["another run's", "two on one criterion"]
)
def test_items_that_are_not_one_a_criterion_of_this_run_are_refused(items: tuple[QueueItem, ...]) -> None:
    with pytest.raises(ValueError, match="not those of run r1"):
        scored(*items)


def test_without_items_everything_awaits() -> None:
    assert by_viewpoint(scored()) == {name: (0, 0, count, count) for name, count in VIEWPOINTS.items()}


histories = st.dictionaries(
    st.sampled_from(ASKED),
    st.tuples(st.sampled_from(list(Verdict)), st.lists(st.sampled_from(sorted(STEPS)), max_size=6)),
)


@given(histories)
def test_the_sums_hold_for_any_history(history: dict[str, tuple[Verdict, list[str]]]) -> None:
    items = [walked(criterion, verdict, steps) for criterion, (verdict, steps) in history.items()]
    result = scored(*items)
    for one in result.viewpoints:
        asked = {criterion for criterion in ASKED if criterion.startswith(one.viewpoint)}
        done = [confirmed for confirmed in result.confirmed if confirmed.criterion in asked]
        assert len(done) + one.awaiting == one.possible == VIEWPOINTS[one.viewpoint]
        assert one.confirmed == sum(confirmed.verdict is MET for confirmed in done)
        assert one.confirmed + one.provisional <= one.possible
        assert one.provisional <= one.awaiting
    assert result.points == sum(one.confirmed for one in result.viewpoints) <= result.possible == len(ASKED)
    assert result.awaiting == sum(one.awaiting for one in result.viewpoints)
    assert all(one.quotes for one in result.confirmed if one.verdict in (MET, NOT_MET))


@given(histories, st.randoms(use_true_random=False))
def test_no_proposal_changes_a_point(history: dict[str, tuple[Verdict, list[str]]], random) -> None:
    """Invariant 3: turn every open proposal into `met` and add those that were missing: the points stay."""
    items = [walked(criterion, verdict, steps) for criterion, (verdict, steps) in history.items()]
    before = scored(*items)
    closed = [one for one in items if queue.standing(one.decisions)]
    kept = {one.judgement.criterion for one in closed}
    hopeful = [walked(criterion, MET, []) for criterion in ASKED if criterion not in kept]
    everything = [*closed, *hopeful]
    random.shuffle(everything)
    after = scored(*everything)
    assert (after.points, after.awaiting, after.confirmed) == (before.points, before.awaiting, before.confirmed)
    assert sum(one.provisional for one in after.viewpoints) == len(hopeful)


@settings(max_examples=25, deadline=None)
@example([(0, "approve"), (1, "approve"), (1, "return"), (1, "undo"), (3, "reject"), (3, "undo"), (5, "approve")])
@given(st.lists(st.tuples(st.integers(0, len(ASKED) - 1), st.sampled_from(sorted(STEPS))), max_size=30))
def test_replaying_the_stored_log_gives_the_same_score(steps: list[tuple[int, str]]) -> None:
    """Invariant 3, through the database: the judgements and the log alone give the score again."""
    judged = [judgement(one, MET if index % 2 else NO_EVIDENCE) for index, one in enumerate(ASKED)]
    with Store("sqlite://") as store:
        store.save_run(run())
        store.save_judgements(run(), judged)
        numbers = [one.number for one in store.items("r1")]
        for index, step in steps:
            _take(store, numbers[index], step)
        result = score(run(), store.items("r1"), criteria())
        log = store.decisions(run().municipality.code)
        assert {one.number for one in store.waiting()} == _open(store.items("r1"))
    assert len(result.confirmed) == len(ASKED) - len(_open(replayed := [_replayed(one, log) for one in judged]))
    assert score(run(), replayed, criteria()) == result


def _open(items: Sequence[QueueItem]) -> set[int]:
    return {one.number for one in items if queue.standing(one.decisions) is None}


def _take(store: Store, number: int, step: str) -> None:
    try:
        store.record(STEPS[step](store.item(number)))
    except DecisionError:
        return


def _replayed(judged: Judgement, log: Sequence[Decision]) -> QueueItem:
    one = item(judged, number=ASKED.index(judged.criterion) + 1)
    return decided(one, *(decision for decision in log if decision.of == one.digest))
