"""Builders of judgements, items and criteria for the tests of the queue, the score and the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.models import (
    Action,
    CriteriaSet,
    Criterion,
    Decision,
    Judgement,
    Match,
    Measurement,
    Municipality,
    QueueItem,
    Quote,
    Run,
    RunState,
    SettledBy,
    Verdict,
    Viewpoint,
)
from pipeline.store.log import digest, refusal

if TYPE_CHECKING:
    from pipeline.store.store import Store

CITY = Municipality(code="131016", name="千代田区", kana="チヨダク", prefecture="東京都")
OTHER_CITY = Municipality(code="142093", name="相模原市")
NOW = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
CRITERIA_SHA = "c" * 64
VIEWPOINTS = {"policy": 2, "ops": 3, "resident": 4}


def quote(text: str = "RPAを導入しました", **changes: Any) -> Quote:
    start = changes.pop("start", 7)
    values = {"page_sha256": "b" * 64, "url": "https://city.example/rpa", "match": Match.EXACT} | changes
    return Quote(start=start, end=start + len(text), text=text, **values)


def measurement(value: float = 2.0, **changes: Any) -> Measurement:
    values = {"name": "gap", "value": value, "unit": "days", "threshold": 3.0, "threshold_source": "the codebook"}
    return Measurement(**(values | changes))


def judgement(criterion: str = "ops-01", verdict: Verdict = Verdict.MET, **changes: Any) -> Judgement:
    values: dict[str, Any] = {"confidence": 0.5, "judge": "rules", "criteria_sha256": CRITERIA_SHA, "judged_at": NOW}
    if verdict in (Verdict.MET, Verdict.NOT_MET) and "measurement" not in changes:
        values["quotes"] = (quote(),)
    return Judgement(criterion=criterion, verdict=verdict, **(values | changes))


def item(
    judged: Judgement | None = None, log: Sequence[Decision] = (), *, number: int = 1, run_id: str = "r1"
) -> QueueItem:
    judged = judged or judgement()
    return QueueItem(
        number=number,
        run_id=run_id,
        municipality=CITY,
        judgement=judged,
        digest=digest(CITY.code, judged),
        decisions=tuple(log),
    )


def decided(one: QueueItem, *log: Decision) -> QueueItem:
    return one.model_copy(update={"decisions": (*one.decisions, *log)})


def told(one: QueueItem, words: str, **changes: Any) -> Decision:
    """The line that `words` tell: who, the action, and the verdict where it is not the proposed one, as in
    "A code not_met". Quotes, notes and verdicts are as the rules want them."""
    who, action, *verdict = words.split()
    values: dict[str, Any] = {"note": "理由"} if action in ("return", "note") else {}
    if action in ("approve", "amend", "reject", "code"):
        usual = {"amend": Verdict.NOT_MET, "reject": Verdict.NO_EVIDENCE}.get(action, one.judgement.verdict)
        values["verdict"] = Verdict(verdict[0]) if verdict else usual
        found = one.judgement.quotes if action == "approve" else (quote(),)
        values["quotes"] = found if values["verdict"] in (Verdict.MET, Verdict.NOT_MET) else ()
    about = {"municipality": one.municipality.code, "criterion": one.judgement.criterion, "of": one.digest}
    return Decision(**(about | {"action": Action(action), "reviewer": who, "decided_at": NOW} | values | changes))


def walked(words: str, judged: Judgement | None = None) -> QueueItem:
    """The item after steps that the rules allow, as in "A code, B code not_met, C approve"."""
    one = item(judged)
    for step in filter(None, words.split(", ")):
        line = told(one, step)
        assert refusal(line, one.judgement, one.decisions) == "", step
        one = decided(one, line)
    return one


def save(store: Store, *judged: Judgement, of: Run | None = None) -> list[QueueItem]:
    """The items of a run (`r1`) that the store has after saving these judgements, or one."""
    of = of or run()
    store.save_run(of)
    store.save_judgements(of, judged or [judgement()])
    return store.items(of.id)


def run(run_id: str = "r1", city: Municipality = CITY, state: RunState = RunState.DONE, **changes: Any) -> Run:
    values: dict[str, Any] = {
        "id": run_id,
        "municipality": city,
        "criteria_id": "test",
        "criteria_sha256": CRITERIA_SHA,
        "as_of": date(2024, 4, 30),
        "judge": "rules",
        "state": state,
        "started": NOW - timedelta(hours=1),
    }
    return Run(**(values | changes))


def criteria() -> CriteriaSet:
    """Three viewpoints of 2, 3 and 4 criteria."""
    asked = [
        Criterion(
            id=f"{viewpoint}-{number:02}",
            viewpoint=viewpoint,
            settled_by=SettledBy.TEXT,
            statement_ja="問い",
            statement_en="question",
            counts_ja="数える",
            counts_en="counts",
            search_terms=("RPA",),
        )
        for viewpoint, count in VIEWPOINTS.items()
        for number in range(1, count + 1)
    ]
    viewpoints = tuple(Viewpoint(id=one, name_ja=one, name_en=one) for one in VIEWPOINTS)
    return CriteriaSet(
        id="test",
        title_ja="試し",
        title_en="test",
        version="1",
        viewpoints=viewpoints,
        criteria=tuple(asked),
        sha256=CRITERIA_SHA,
    )
