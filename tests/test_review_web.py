"""The review page over HTTP: who may see and do what, without a browser's scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from reviewing import PASSWORD, Person, Served, add_people, database_of, serving, serving_here

from pipeline.models import Action, Filter, Role, Stage, Verdict
from pipeline.store.log import stage
from pipeline.store.store import Store

SHARE = 0.2  # of the items, drawn for double coding unless the operator says otherwise
TEAM = {"佐藤": Role.REVIEWER, "鈴木": Role.REVIEWER, "高橋": Role.ADJUDICATOR, "伊藤": Role.ANALYST}


@pytest.fixture
def team(workspace: Path) -> Iterator[Served]:
    """A server with two reviewers, an adjudicator and an analyst: what is drawn is coded blind."""
    add_people(database_of(workspace), **TEAM)
    with serving_here(workspace) as served:
        yield served


@pytest.fixture
def alone(workspace: Path) -> Iterator[Served]:
    with serving_here(workspace) as served:
        yield served


def test_one_person_alone_confirms_a_whole_city(alone: Served, workspace: Path) -> None:
    with Person(alone.origin) as me:
        assert me.get(alone.link.removeprefix(alone.origin)).status_code == 200
        me.get("/next")
        seen = []
        while "data-item" in me.page:
            seen.append(me.number)
            me.decide("approve")
        assert len(seen) == len(set(seen)) == 31
        assert "今あなたが判断できる項目はありません" in me.page
    with Store(database_of(workspace)) as store:
        assert store.waiting() == []
        assert {line.reviewer for _, line in store.log()} == {"主任"}


def test_the_one_time_link_works_once(workspace: Path) -> None:
    """As `classify review` prints it."""
    with serving(workspace) as alone, Person(alone.origin) as owner, Person(alone.origin) as other:
        path = alone.link.removeprefix(alone.origin)
        assert "確認の進みぐあい" in owner.get(path).text
        answer = other.get(path)
        assert (answer.status_code, "期限切れ" in answer.text) == (401, True)
        assert "パスワード" in other.get("/items/1").text


def test_blind_coders_see_neither_the_proposal_nor_each_other(team: Served, workspace: Path) -> None:
    with Store(database_of(workspace)) as store:
        item = next(one for one in store.listed(Filter()) if _lot(one) < SHARE and one.judgement.quotes)
    secrets = [item.judgement.rationale, f"{item.judgement.confidence:.2f}", "機械の判定:"]
    with Person(team.origin) as first, Person(team.origin) as second, Person(team.origin) as third:
        first.sign_in("佐藤")
        page = first.get(f"/items/{item.number}").text
        assert "独立判定：機械の判定" in page
        assert not [secret for secret in secrets if secret in page]
        assert 'value="approve"' not in page
        first.decide("code:no_evidence", note="一人目のひみつ")
        second.sign_in("鈴木")
        page = second.get(f"/items/{item.number}").text
        assert not [secret for secret in (*secrets, "一人目のひみつ", "佐藤") if secret in page]
        assert "一人目のひみつ" not in second.get("/log").text
        third.sign_in("高橋")
        assert "一人目のひみつ" not in third.get(f"/items/{item.number}").text
        second.get(f"/items/{item.number}")
        second.decide("code:unobserved")
        assert "一人目のひみつ" in second.get(f"/items/{item.number}").text  # both are in: nothing is hidden any more
        assert second.decide("approve").status_code == 400  # a coder does not settle the dispute
        third.get(f"/items/{item.number}")
        assert "鈴木" in third.page and "佐藤" in third.page and item.judgement.rationale in third.page
        third.decide("take:1")
    with Store(database_of(workspace)) as store:
        settled = store.item(item.number)
        assert [line.action for line in settled.decisions] == [Action.CODE, Action.CODE, Action.AMEND]
        assert settled.decisions[-1].verdict is Verdict.UNOBSERVED
        assert stage(settled.decisions)[0] is Stage.DECIDED


def test_a_stale_screen_is_told_and_overwrites_nothing(alone: Served, workspace: Path) -> None:
    with Person(alone.origin) as me, Person(alone.origin) as tab:
        me.get(alone.link.removeprefix(alone.origin))
        tab.http.cookies = me.http.cookies
        me.get("/items/1")
        tab.get("/items/1")
        me.decide("approve")
        answer = tab.decide("reject", note="大事なメモ")
        assert answer.status_code == 409
        assert "状態が変わりました" in answer.text
        assert "大事なメモ" in answer.text  # what was typed is still there
    with Store(database_of(workspace)) as store:
        assert [line.action for line in store.item(1).decisions] == [Action.APPROVE]


def test_two_people_are_never_served_one_item(team: Served) -> None:
    with Person(team.origin) as first, Person(team.origin) as second:
        first.sign_in("佐藤")
        second.sign_in("鈴木")
        first.get("/next")
        second.get("/next")
        assert first.number != second.number
        held = second.get(f"/items/{first.number}").text
        assert "佐藤 さんが判定中です" in held
        assert 'value="approve"' not in held and 'value="code:met"' not in held


def test_undo_goes_back_step_by_step_and_the_log_keeps_all(alone: Served, workspace: Path) -> None:
    with Person(alone.origin) as me:
        me.get(alone.link.removeprefix(alone.origin))
        me.get("/next")
        decided = []
        for _ in range(3):
            decided.append(me.number)
            me.decide("approve")
        for number in reversed(decided):
            me.post("/undo")
            assert me.number == number
    with Store(database_of(workspace)) as store:
        assert len(store.waiting()) == 31
        assert [line.action for _, line in store.log()] == [Action.APPROVE] * 3 + [Action.UNDO] * 3


def test_a_quote_is_picked_from_the_page_and_a_made_up_one_refused(alone: Served, workspace: Path) -> None:
    with Store(database_of(workspace)) as store:
        item = next(one for one in store.listed(Filter()) if one.judgement.verdict is Verdict.NO_EVIDENCE)
        passage = item.judgement.passages[0]
    with Person(alone.origin) as me:
        me.get(alone.link.removeprefix(alone.origin))
        me.get(f"/items/{item.number}")
        token = me.token
        looked = me.http.post(
            f"/items/{item.number}/quote",
            data={"token": token, "text": passage.text, "page": passage.page_sha256},
        ).json()
        assert looked["found"] and looked["text"] in passage.text
        invented = "市はすべての窓口でAIによる即時回答を提供しています。"
        answer = me.decide("amend:met", quote=invented, page=passage.page_sha256)
        assert answer.status_code == 400 and "調べたどのページにも" in answer.text
        me.decide("amend:met", quote=passage.text, page=passage.page_sha256)
    with Store(database_of(workspace)) as store:
        (decision,) = store.item(item.number).decisions
        assert decision.verdict is Verdict.MET and decision.quotes[0].text == looked["text"]


def test_returned_with_a_reason_to_whoever_decided(team: Served, workspace: Path) -> None:
    with Person(team.origin) as first, Person(team.origin) as second:
        first.sign_in("佐藤")
        with Store(database_of(workspace)) as store:
            item = next(one for one in store.listed(Filter()) if _lot(one) > SHARE)
        first.get(f"/items/{item.number}")
        first.decide("approve")
        second.sign_in("鈴木")
        second.get(f"/items/{item.number}")
        assert second.decide("return").status_code == 400  # without a reason
        second.decide("return", note="別の市のページです")
        assert "佐藤 さんに差し戻し中" in second.decide("approve").text
        first.post(f"/items/{first.number}/skip")  # whatever was next
        assert first.number == item.number and "別の市のページです" in first.page


def _lot(item: object) -> float:
    from pipeline.store.log import lot

    return lot(item.municipality.code, item.judgement)


def test_a_note_keeps_its_lines(alone: Served, workspace: Path) -> None:
    """A browser sends each line end as two characters: they are one, and count as one."""
    lines = "行\r\n" * 1900  # 5,700 characters as sent, 3,800 as meant
    with Person(alone.origin) as me:
        me.get(alone.link.removeprefix(alone.origin))
        me.get("/items/1")
        me.decide("note", note=lines)
    with Store(database_of(workspace)) as store:
        assert store.item(1).decisions[0].note == lines.replace("\r", "").strip()


def test_the_language_is_switched_and_nothing_else(alone: Served) -> None:
    with Person(alone.origin) as me:
        me.get(alone.link.removeprefix(alone.origin))
        me.get("/items/1")
        me.post("/language", language="en", to="/items/1")
        assert re.search(r'<html lang="en">', me.page) and "Counts" in me.page and "当てはまるもの" not in me.page
        assert me.post("/language", language="ja", to="//evil.example/").url.path == "/"


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " "])
def test_a_wrong_password_is_refused_and_guessing_is_stopped(team: Served, password: str) -> None:
    with Person(team.origin) as guesser:
        for _ in range(5):
            assert guesser.sign_in("佐藤", password or "x").status_code == 401
        late = guesser.sign_in("佐藤")
        assert late.status_code == 429 and int(late.headers["retry-after"]) > 60
        assert guesser.sign_in("鈴木").status_code == 200


def test_other_host_names_are_not_served(alone: Served) -> None:
    answer = httpx2.get(f"{alone.origin}/sign-in", headers={"host": "evil.example"})
    assert answer.status_code == 421
