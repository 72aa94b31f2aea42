"""Where the survey stands: progress by city, pace and agreement of the people, the list of items, the log."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import Response

from pipeline.desk.sheet import seen
from pipeline.models import CriteriaSet, Decision, QueueItem, Role, Stage, Verdict
from pipeline.review.team import AKASHI, Sight
from pipeline.store.line import Survey
from pipeline.store.log import stage as stage_of
from pipeline.store.log import standing
from pipeline.web.chosen import Choice
from pipeline.web.visit import Counting, Person
from pipeline.web.words import STAGES, VERDICTS

router = APIRouter()


class Row(NamedTuple):
    """An item of the list. hidden: the person codes it, so its proposal is not shown."""

    item: QueueItem
    hidden: bool
    stage: Stage
    held: Decision | None


CITIES_SHOWN = 100
ITEMS_A_PAGE = 50
LINES_SHOWN = 200


@router.get("/")
def start(asked: Person, counts: Counting, chosen: Choice) -> Response:
    """Progress, pace and agreement."""
    team = asked.office.desk.team()
    stages = counts.by_survey()
    sets = {one.run_id: _set(asked, one).id for one in counts.surveys()}
    wanted = [one for one in counts.surveys() if chosen.criteria_set in ("", sets[one.run_id])]
    cities = [(one, stages.get(one.run_id, {})) for one in wanted]
    cities.sort(key=lambda city: (-_left(city[1]), city[0].code))
    return asked.page(
        "start.html",
        team=team,
        cities=cities[:CITIES_SHOWN],
        more_cities=max(0, len(cities) - CITIES_SHOWN),
        tally=counts.tally(chosen.counted),
        chosen=chosen,
        paces=counts.paces(),
        kappas=counts.kappas(),
        left=_left,
        sets=sets if len(set(sets.values())) > 1 else {},
        choices=_choices(asked, counts),
        waves=counts.waves(),
    )


@router.get("/items")
def listing(
    asked: Person,
    counts: Counting,
    chosen: Choice,
    stage: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """The items of the filter, the most doubtful first."""
    desk = asked.office.desk
    stages = [Stage(stage)] if stage in set(Stage) else []
    found = desk.store.listed(chosen.wanted, stages, limit=ITEMS_A_PAGE + 1, skip=(page - 1) * ITEMS_A_PAGE)
    team = desk.team()
    rows = [_row(item, team.sight(asked.user, item)) for item in found[:ITEMS_A_PAGE] if asked.user]
    if chosen.wanted.verdict or chosen.wanted.judge:  # the filter itself would tell what a coder must not know
        rows = [row for row in rows if not row.hidden]
    return asked.page(
        "items.html",
        rows=rows,
        chosen=chosen,
        stage=stage if stages else "",
        page=page,
        more=len(found) > ITEMS_A_PAGE,
        choices=_choices(asked, counts),
        stage_words=[(one.value, asked.say(word)) for one, word in STAGES.items()],
    )


@router.get("/log")
def log(asked: Person, chosen: Choice) -> Response:
    """The newest lines of the log. A reviewer does not see what others have coded of an item that is not complete."""
    desk, team = asked.office.desk, asked.office.desk.team()
    lines = []
    for number, line in reversed(desk.store.log(chosen.code, newest=LINES_SHOWN)):
        item = desk.store.of_digest(line.of)
        if item and asked.user and line in seen(item.decisions, asked.user, team.sight(asked.user, item)):
            lines.append((number, line, item))
    may_export = asked.user is not None and asked.user.role is not Role.REVIEWER
    return asked.page("log.html", lines=lines, chosen=chosen, may_export=may_export, AKASHI=AKASHI, shown=LINES_SHOWN)


def _row(item: QueueItem, sight: Sight) -> Row:
    hidden = sight in (Sight.BLIND, Sight.OWN)
    return Row(item, hidden, stage_of(item.decisions)[0], standing(item.decisions))


def _set(asked: Person, survey: Survey) -> CriteriaSet:
    return asked.office.desk.criteria(survey.criteria_sha256)


def _left(stages: dict[Stage, int]) -> int:
    return sum(count for stage, count in stages.items() if stage is not Stage.DECIDED)


def _choices(asked: Person, counts: Counting) -> dict[str, list[tuple[str, str]]]:
    """What the filter offers: (value, label) by name."""
    surveys = counts.surveys()
    sets = [asked.office.desk.criteria(sha) for sha in sorted({one.criteria_sha256 for one in surveys})]
    titled = "title_ja" if asked.language == "ja" else "title_en"
    named = "name_ja" if asked.language == "ja" else "name_en"
    viewpoints = {one.id: getattr(one, named) for criteria in sets for one in criteria.viewpoints}
    criteria = {one.id: one.id for found in sets for one in found.criteria}
    return {
        "code": list({one.code: f"{one.name} {one.code}" for one in surveys}.items()),
        "criteria_set": list({one.id: getattr(one, titled) for one in sets}.items()),
        "viewpoint": list(viewpoints.items()),
        "criterion": list(criteria.items()),
        "verdict": [(verdict.value, asked.say(VERDICTS[verdict])) for verdict in Verdict],
        "judge": [(judge, judge) for judge in asked.office.desk.store.judges()],
    }
