"""What a self-reported survey says against a proposal orders the queue, is told to whoever sees the proposal, and moves
nothing else."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import classify
from queue_data import judgement, run, save, told
from reviewing import Person, Served, add_people, database_of, serving_here
from sqlalchemy import create_engine, text

from pipeline.models import Action, Filter, Flag, Hint, QueueItem, Role, Verdict
from pipeline.store.hints import Told
from pipeline.store.store import Store


def hint(of: QueueItem, source: str = "survey/rpa", **changes: Any) -> Hint:
    values = dict.fromkeys(("survey_ja", "survey_en", "asked_ja", "asked_en", "note_ja", "note_en"), "調査")
    return Hint(
        **(
            values
            | {"of": of.digest, "source": source, "columns": ("RPA",), "said": "実施", "affirmed": True}
            | changes
        )
    )


def pairs(*items: QueueItem, source: str = "survey/rpa") -> set[tuple[str, str]]:
    return {(one.digest, source) for one in items}


def order(store: Store) -> list[str]:
    return [one.judgement.criterion for one in store.waiting()]


DOUBT = [
    judgement("ops-01", Verdict.NO_EVIDENCE, confidence=0.9),
    judgement("ops-02", confidence=0.8),
    judgement("ops-03", confidence=0.7, flags=(Flag.JUDGES_DISAGREE,)),
    judgement("resident-01", confidence=0.2),
]


def test_items_with_a_hint_come_first_and_nothing_else_changes(database_url: str) -> None:
    with Store(database_url) as store:
        items = save(store, *DOUBT)
        assert order(store) == ["ops-03", "resident-01", "ops-02", "ops-01"]
        before, url = rows(database_url), pairs(*items)
        assert store.hints.put([hint(items[0])], url) == Told(1, 0)
        assert order(store) == ["ops-03", "ops-01", "resident-01", "ops-02"]
        assert store.items("r1") == items
        assert [{**row, "urgent": None} for row in rows(database_url)] == [{**row, "urgent": None} for row in before]
        assert store.hints.of([one.digest for one in items]) == {items[0].digest: (hint(items[0]),)}
        after = rows(database_url)
        assert store.hints.put([hint(items[0])], url) == Told(0, 0), "twice is once"
        assert rows(database_url) == after
        assert store.hints.put([], url) == Told(0, 1), "a survey that agrees now takes its hint back"
        assert rows(database_url) == before and store.hints.of([items[0].digest]) == {}


def test_hints_of_another_source_stay_and_withdrawing_keeps_what_judges_said(database_url: str) -> None:
    with Store(database_url) as store:
        items = save(store, *DOUBT)
        store.hints.put([hint(items[2])], pairs(items[2]))
        store.hints.put([hint(items[2], "other/rpa")], pairs(items[2], source="other/rpa"))
        assert store.hints.put([], pairs(items[2])) == Told(0, 0)
        assert [one.source for one in store.hints.of([items[2].digest])[items[2].digest]] == ["other/rpa"]
        assert store.hints.put([], pairs(items[2], source="other/rpa")) == Told(0, 1)
        assert order(store)[0] == "ops-03", "its judges still disagree"


def test_a_hint_is_of_one_proposal(database_url: str) -> None:
    """The same proposal judged again, or in a later survey, stays first; another one is without the hint."""
    with Store(database_url) as store:
        items = save(store, *DOUBT)
        store.hints.put([hint(items[0])], pairs(items[0]))
        save(store, *DOUBT)
        assert order(store)[1] == "ops-01"
        later = save(store, *DOUBT, of=run("r2"))
        assert order(store)[1] == "ops-01" and items[0].digest == later[0].digest
        save(store, judgement("ops-01", confidence=0.9), *DOUBT[1:], of=run("r3"))
        assert order(store) == ["ops-03", "resident-01", "ops-02", "ops-01"]


def test_a_decided_item_is_not_opened_again(database_url: str) -> None:
    with Store(database_url) as store:
        items = save(store, *DOUBT)
        store.record(told(items[0], "佐藤 approve"))
        store.hints.put([hint(items[0])], pairs(items[0]))
        assert "ops-01" not in order(store)
        assert [line.action for line in store.item(items[0].number).decisions] == [Action.APPROVE]


def rows(database_url: str) -> list[dict[str, Any]]:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = [dict(row) for row in connection.execute(text("SELECT * FROM judgements ORDER BY number")).mappings()]
    engine.dispose()
    return found


# --- from the command to the reviewer's screen ------------------------------------------------------------------------

SAYS_OTHERWISE = "自己申告の調査との食い違い"
SURVEY = "架空の自己申告調査"
ABOUT = ("policy-02", "ops-04", "ops-02", "resident-06", "resident-11")
MAPPING = """\
id: fictional
version: "1"
criteria: dx-2024
survey:
  title: {ja: 架空の自己申告調査, en: A fictional survey}
  asked: {ja: 2024年, en: "2024"}
  url: https://survey.example/
header: {code: [code], name: [name]}
readings:
  done: {affirms: [実施], denies: [未実施]}
items:
"""
ITEM = (
    "  - {{id: {0}, columns: [問い {0}], criterion: {0}, how: same, reading: done, note: {{ja: 違い, en: differs}}}}\n"
)


def contradicting(workspace: Path) -> list[str]:
    """The options of a survey of the demo city that says the contrary of five proposals."""
    with Store(database_of(workspace)) as store:
        verdicts = {one.judgement.criterion: one.judgement.verdict for one in store.listed(Filter())}
        city = store.runs()[-1].municipality
    assert {verdicts[one] for one in ABOUT} == {Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE}
    answers = ["未実施" if verdicts[one] is Verdict.MET else "実施" for one in ABOUT]
    survey, mapping = workspace / "survey.csv", workspace / "fictional.yaml"
    with survey.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(
            [["code", "name", *(f"問い {one}" for one in ABOUT)], [city.code, city.name, *answers]]
        )
    mapping.write_text(MAPPING + "".join(ITEM.format(one) for one in ABOUT), encoding="utf-8")
    return ["crosscheck", "--survey", str(survey), "--mapping", str(mapping)]


def test_the_command_puts_disagreements_first_and_twice_changes_nothing(workspace: Path) -> None:
    command = contradicting(workspace)
    with Store(database_of(workspace)) as store:
        before = {one.number: one for one in store.listed(Filter())}
    assert "--queue puts open items that disagree first" in classify(workspace, *command)
    score = classify(workspace, "score", "--city", "demo")
    told = classify(workspace, *command, "--city", "demo", "--queue")
    assert f"Queue: {len(ABOUT)} items newly put first, 0 no longer." in told
    assert "Queue: 0 items newly put first, 0 no longer." in classify(workspace, *command, "--queue")
    with Store(database_of(workspace)) as store:
        waiting = store.waiting()
        assert {one.number: one for one in waiting} == before
        assert {one.judgement.criterion for one in waiting[: len(ABOUT)]} == set(ABOUT)
        assert set(store.hints.of([one.digest for one in waiting])) == {one.digest for one in waiting[: len(ABOUT)]}
    assert classify(workspace, "score", "--city", "demo") == score
    listed = classify(workspace, "queue", CLASSIFY_DOUBLE_SHARE="0", COLUMNS="400")
    assert listed.count("survey_says_otherwise") == len(ABOUT)
    classify(workspace, "queue", "approve", str(waiting[0].number), "--reviewer", "主任")
    told = classify(workspace, *command, "--queue")
    assert "1 that disagree are decided already and stay so." in told and "(confirmed)" in told
    with Store(database_of(workspace)) as store:
        assert [line.action for line in store.item(waiting[0].number).decisions] == [Action.APPROVE]


def test_every_form_of_the_outcome_is_written(workspace: Path, tmp_path: Path) -> None:
    command = contradicting(workspace)
    for name, begins in (("x.html", "<!DOCTYPE html>"), ("x.csv", "\ufeffcode,"), ("x.json", "{")):
        assert str(tmp_path / name) in classify(workspace, *command, "--out", str(tmp_path / name))
        assert (tmp_path / name).read_text("utf-8").lstrip("\n").startswith(begins)
    assert "cannot be written" in classify(workspace, *command, "--out", str(tmp_path / "no" / "x.csv"), code=2)


@pytest.fixture
def alone(workspace: Path) -> Iterator[Served]:
    hinted(workspace)
    with serving_here(workspace) as served:
        yield served


@pytest.fixture
def team(workspace: Path) -> Iterator[Served]:
    hinted(workspace)
    add_people(database_of(workspace), 佐藤=Role.REVIEWER, 鈴木=Role.REVIEWER, 高橋=Role.ADJUDICATOR, 伊藤=Role.ANALYST)
    with serving_here(workspace, share=1.0) as served:
        yield served


def hinted(workspace: Path) -> None:
    classify(workspace, *contradicting(workspace), "--queue")


def test_the_reviewer_is_served_disagreements_first_and_told_why(alone: Served) -> None:
    with Person(alone.origin) as me:
        me.get(alone.link.removeprefix(alone.origin))
        me.get("/next")
        seen = []
        for _ in ABOUT:
            assert SAYS_OTHERWISE in me.page and SURVEY in me.page and "判定は保存したページだけで" in me.page
            seen += re.findall(r"<b>問い ([a-z]+-\d\d)</b>", me.page)
            me.post("/language", language="en", to=f"/items/{me.number}")
            assert "A self-reported survey says otherwise" in me.page and "A fictional survey" in me.page
            me.post("/language", language="ja", to=f"/items/{me.number}")
            me.decide("approve")
        assert sorted(seen) == sorted(ABOUT)
        assert "data-item" in me.page and SAYS_OTHERWISE not in me.page


def test_who_codes_blind_sees_nothing_of_it_until_both_have_coded(team: Served, workspace: Path) -> None:
    with Store(database_of(workspace)) as store:
        item = next(one for one in store.listed(Filter()) if one.judgement.criterion == ABOUT[0])
    secrets = [SAYS_OTHERWISE, SURVEY, f"問い {ABOUT[0]}"]
    address = f"/items/{item.number}"

    def seen_by(person: Person) -> list[str]:
        pages = [person.get(path).text for path in ("/", "/items", "/log", address)]
        return [secret for secret in secrets if any(secret in page for page in pages)]

    with Person(team.origin) as first, Person(team.origin) as second, Person(team.origin) as third:
        first.sign_in("佐藤")
        second.sign_in("鈴木")
        third.sign_in("高橋")
        assert seen_by(first) == seen_by(second) == []
        assert seen_by(third) == secrets, "an adjudicator sees the proposal and does not code"
        first.get(address)
        first.decide("code:no_evidence")
        assert seen_by(first) == seen_by(second) == seen_by(third) == []
        second.get(address)
        second.decide("code:unobserved")
        assert seen_by(third) == secrets, "the adjudicator of two answers sees everything"
        assert seen_by(first) == secrets, "nobody is blind to it any more"
