"""One municipality surveyed by two criteria sets in one database: every command takes one of them, and says which."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import commands
import pytest
from queue_data import judgement, run
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from pipeline import criteria, demo
from pipeline.archive import Archive
from pipeline.desk import Desk
from pipeline.desk.pages import Pages
from pipeline.models import Filter, Role, RunState, Stage, Verdict
from pipeline.store.store import Store
from pipeline.web.app import create_app
from pipeline.web.sessions import Sessions
from pipeline.web.visit import Office
from pipeline.workspace import Workspace

DX, OSI = criteria.load("dx-2024"), criteria.load("osi-2026")
ORIGIN = "http://testserver"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city by dx-2024 (r1), by osi-2026 (r2), and by dx-2024 again, not finished (r3)."""
    folder = tmp_path_factory.mktemp("workspace")
    with Store(f"sqlite:///{folder / 'akashi.db'}") as store:
        for run_id, asked, state in (
            ("r1", DX, RunState.DONE),
            ("r2", OSI, RunState.DONE),
            ("r3", DX, RunState.JUDGING),
        ):
            Workspace(folder).keep(asked)
            made = run(run_id, demo.MUNICIPALITY, state, criteria_id=asked.id, criteria_sha256=asked.sha256)
            store.save_run(made)
            of = [judgement(one.id, Verdict.NO_EVIDENCE, criteria_sha256=asked.sha256) for one in asked.criteria]
            store.save_judgements(made, of)
    return folder


def test_the_newest_survey_is_taken_and_the_note_says_by_which_set(home: Path) -> None:
    told = commands.classify(home, "score", "--city", "demo")
    assert "osi-2026, the newest survey; also surveyed by dx-2024 (--criteria)" in told
    assert OSI.viewpoints[0].name_ja in told and " 40 " in told


@pytest.mark.parametrize("asked", [DX, OSI], ids=lambda one: one.id)
def test_criteria_picks_the_survey(home: Path, tmp_path: Path, asked: criteria.CriteriaSet) -> None:
    told = commands.classify(home, "score", "--city", "demo", "--criteria", asked.id)
    assert asked.title_ja in told and "Note" not in told
    told = commands.classify(home, "queue", "--city", "demo", "--criteria", asked.id, "--limit", "99")
    assert f"{len(asked.criteria)} waiting" in told
    assert all(one.id in told for one in asked.criteria)
    paths = commands.classify(home, "report", "--city", "demo", "--criteria", asked.id, "--out", str(tmp_path)).split()
    assert all(asked.id in Path(path).name for path in paths)
    text = LexborHTMLParser(Path(paths[0]).read_text("utf-8")).text()
    assert all(one.name_ja in text for one in asked.viewpoints)


def test_a_file_names_its_set(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text((criteria.bundled("criteria") / "osi-2026.yaml").read_text("utf-8"), encoding="utf-8")
    assert OSI.title_ja in commands.classify(home, "score", "--city", "demo", "--criteria", str(file))


@pytest.mark.parametrize("command", ["score", "report", "queue", "diff"])
def test_a_set_that_asked_nothing_here_is_told_with_those_that_did(home: Path, command: str) -> None:
    told = commands.classify(home, command, "--city", "demo", "--criteria", "other", code=2)
    assert "no survey by other" in told and "dx-2024, osi-2026" in told


def test_surveys_of_different_sets_are_not_compared_unasked(home: Path) -> None:
    told = commands.classify(home, "diff", "--city", "demo", code=2)
    assert "two finished surveys are needed" in told and "r2" in told and "r1" not in told


def test_the_list_of_surveys_names_their_sets(home: Path) -> None:
    lines = [line for line in commands.classify(home, "runs", "--city", "demo").splitlines() if line]
    assert [next(one.id for one in (DX, OSI) if one.id in line) for line in lines] == ["dx-2024", "osi-2026", "dx-2024"]


def test_the_store_tells_the_sets_apart(home: Path) -> None:
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        code = demo.MUNICIPALITY.code
        for asked, newest in ((DX, "r3"), (OSI, "r2")):
            found = store.latest_run(code, criteria_id=asked.id)
            assert found is not None and found.id == newest
            items = store.listed(Filter(criteria_id=asked.id))
            assert {one.judgement.criterion for one in items} == {one.id for one in asked.criteria}
        assert store.serving.by_survey() == {"r1": {Stage.OPEN: 31}, "r2": {Stage.OPEN: 40}}


# --- the review page --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def get(home: Path) -> Iterator[TestClient]:
    workspace = Workspace(home)
    with Store(f"sqlite:///{home / 'akashi.db'}") as store, Archive(workspace.archive) as archive:
        store.users.add("佐藤", Role.REVIEWER)
        office = Office(Desk(store, Pages(archive), cache(workspace.criteria), 0.0), Sessions(b"k" * 32), (ORIGIN,))
        session = office.sessions.fresh("佐藤", 0)
        cookie = {"cookie": f"akashi={office.sessions.cookie(session)}"}
        yield TestClient(create_app(office), base_url=ORIGIN, headers=cookie)


def rows(get: TestClient, address: str) -> list[list[str]]:
    tree = LexborHTMLParser(get.get(address).text)
    found = tree.css("section.card table")[0].css("tbody tr") if address.startswith("/?") else tree.css("tbody tr")
    return [[cell.text(strip=True) for cell in row.css("th, td")] for row in found]


def test_the_start_page_counts_each_survey_by_itself(get: TestClient) -> None:
    assert [row[:3] for row in rows(get, "/?")] == [
        [f"汐凪市{demo.MUNICIPALITY.code}osi-2026", "0", "40"],
        [f"汐凪市{demo.MUNICIPALITY.code}dx-2024", "0", "31"],
    ]


@pytest.mark.parametrize("asked", [DX, OSI], ids=lambda one: one.id)
def test_the_review_page_can_be_held_to_one_set(get: TestClient, asked: criteria.CriteriaSet) -> None:
    text = get.get(f"/?criteria_set={asked.id}").text
    tree = LexborHTMLParser(text)
    chosen = tree.css_first("#filter-criteria_set option[selected]")
    assert chosen is not None and chosen.text() == asked.title_ja
    assert f"/ {len(asked.criteria)}" in " ".join(tree.css_first("p.big").text().split())
    place = get.get(f"/next?criteria_set={asked.id}", follow_redirects=False).headers["location"]
    assert place.endswith(f"?criteria_set={asked.id}")
    page = get.get(place).text
    assert any(one.statement_ja in page for one in asked.criteria)
