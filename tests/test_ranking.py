"""Ranks: ties shared, what is open told as an interval that holds, and nothing compared that cannot be."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from itertools import product
from pathlib import Path

import commands
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_data import criteria
from ranking_data import NAMES, place, survey, surveys

from pipeline.cells import neutral
from pipeline.criteria import load
from pipeline.errors import InputError
from pipeline.models import Action, CriteriaSet, Verdict
from pipeline.municipality import Kinds
from pipeline.ranking import Ranking, csv_bytes, json_text, rank
from pipeline.ranking.tables import apart, terminal
from pipeline.results import Result
from pipeline.review import queue
from pipeline.store.store import Store
from pipeline.workspace import Workspace

KINDS = Kinds()
OPEN = "mnejuUJ"  # not confirmed, or confirmed as not seen


def ranked(told: dict[str, str]) -> Ranking:
    return rank(surveys(told), KINDS)


def ranks(found: Ranking) -> dict[str, int]:
    return {one.place.municipality.name: one.rank for one in found.ranked}


def test_ties_share_a_rank_and_the_next_is_lower_by_as_many() -> None:
    found = ranked({"甲市": "MMMMMNNNN", "乙市": "MMMMNNNNN", "丙市": "MMMMEEEEE", "丁市": "MMMNNNNNN"})
    assert ranks(found) == {"甲市": 1, "乙市": 2, "丙市": 2, "丁市": 4}
    assert [one.ties for one in found.ranked] == [1, 2, 2, 1]
    assert all(one.best == one.rank == one.worst for one in found.ranked)


def test_only_what_people_confirmed_is_a_point() -> None:
    found = ranked({"甲市": "mmmmmmmmN", "乙市": "MNNNNNNNN"})
    assert ranks(found) == {"乙市": 1, "甲市": 2}
    proposed = found.ranked[1].place
    assert (proposed.points, proposed.awaiting, proposed.most) == (0, 8, 8)
    assert (found.ranked[1].best, found.ranked[1].worst) == (1, 2)


def test_what_could_not_be_seen_is_no_point_and_no_denial() -> None:
    found = ranked({"甲市": "MMMUJNNNN", "乙市": "MMMMNNNNN"})
    seen, unseen = found.ranked
    assert (unseen.place.points, unseen.place.unseen, unseen.place.awaiting, unseen.place.most) == (3, 2, 0, 5)
    assert (unseen.rank, unseen.best, unseen.worst) == (2, 1, 2)
    assert (seen.rank, seen.best, seen.worst) == (1, 1, 2)


def test_a_place_without_a_confirmed_decision_is_listed_apart_and_not_last() -> None:
    found = ranked({"甲市": "mmmmmmmmm", "乙市": "NNNNNNNNN"})
    assert ranks(found) == {"乙市": 1}
    assert [one.municipality.name for one in found.unconfirmed] == ["甲市"]


letters = st.text("MNEUJmneuj", min_size=9, max_size=9)


@settings(max_examples=60, deadline=None)
@given(told=st.lists(letters, min_size=1, max_size=6), data=st.data())
def test_however_the_rest_is_settled_the_rank_stays_in_its_interval(told: list[str], data: st.DataObject) -> None:
    found = ranked(dict(zip(NAMES, told, strict=False)))
    in_play = {one.place.municipality.name: told[NAMES.index(one.place.municipality.name)] for one in found.ranked}
    points = {
        name: each.count("M") + data.draw(st.integers(0, sum(one in OPEN for one in each)))
        for name, each in in_play.items()
    }
    for one in found.ranked:
        true = 1 + sum(other > points[one.place.municipality.name] for other in points.values())
        assert one.best <= true <= one.worst
        assert one.best <= one.rank <= one.worst


def test_both_ends_of_every_interval_can_happen() -> None:
    told = {"甲市": "MMmNNNNNN", "乙市": "MUmNNNNNN", "丙市": "MMNNNNNNN", "丁市": "mmMNNNNNN"}
    found = ranked(told)
    spans = [range(each.count("M"), each.count("M") + sum(one in OPEN for one in each) + 1) for each in told.values()]
    seen: dict[str, set[int]] = {name: set() for name in told}
    for settled in product(*spans):
        for name, points in zip(told, settled, strict=True):
            seen[name].add(1 + sum(other > points for other in settled))
    assert {one.place.municipality.name: (one.best, one.worst) for one in found.ranked} == {
        name: (min(each), max(each)) for name, each in seen.items()
    }


def test_the_order_of_the_surveys_changes_nothing() -> None:
    told = surveys({"甲市": "MMMNNNNNN", "乙市": "MMMNNNNNN", "丙市": "MNNNNNNNN", "丁市": "nnnnnnnnn"})
    assert json_text(rank(told, KINDS)) == json_text(rank(reversed(told), KINDS))


def test_a_viewpoint_alone_may_be_ranked() -> None:
    told = surveys({"甲市": "MMNNNNNNN", "乙市": "NNMMMMMMM", "丙市": "mmMMMMMMM"})
    found = rank(told, KINDS, viewpoint="policy")
    assert ranks(found) == {"甲市": 1, "乙市": 2}
    assert found.possible == 2 and found.ranked[0].place.points == 2
    assert [one.municipality.name for one in found.unconfirmed] == ["丙市"]  # nothing of this viewpoint is confirmed
    assert [one.id for one in found.viewpoints] == ["policy"]


def test_prefecture_and_class_are_scopes_in_which_ranks_begin_anew() -> None:
    told = [
        survey("MMMMNNNNN", place("甲市", "東京都")),
        survey("MMMNNNNNN", place("乙町", "東京都")),
        survey("MMNNNNNNN", place("丙町", "長野県")),
    ]
    everywhere = rank(told, KINDS)
    assert ranks(everywhere) == {"甲市": 1, "乙町": 2, "丙町": 3}
    assert {one.place.municipality.name: (one.rank_in_class, one.in_class) for one in everywhere.ranked} == {
        "甲市": (1, 1),
        "乙町": (1, 2),
        "丙町": (2, 2),
    }
    assert ranks(rank(told, KINDS, prefecture="長野県")) == {"丙町": 1}
    assert ranks(rank(told, KINDS, population_class="town")) == {"乙町": 1, "丙町": 2}
    assert [(one.id, one.surveyed, one.mean) for one in everywhere.prefectures] == [
        ("東京都", 2, 3.5),
        ("長野県", 1, 2.0),
    ]
    assert [(one.id, one.mean) for one in everywhere.classes] == [("city", 4.0), ("town", 2.5)]


def test_means_tell_of_ranked_places_and_count_the_others() -> None:
    told = [survey("MMNNNNNNm", place("甲市", "東京都")), survey("mmmmmmmmm", place("乙市", "東京都"))]
    (group,) = rank(told, KINDS).prefectures
    assert (group.surveyed, group.ranked, group.mean, group.mean_most) == (2, 1, 2.0, 3.0)


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ({"prefecture": "青森県"}, "no surveyed municipality lies in 青森県. Surveyed are municipalities of 東京都"),
        ({"population_class": "town-1"}, "lies in class town-1.*classes: city"),
        ({"population_class": "big"}, "no population class big; there are designated-city"),
        ({"viewpoint": "looks"}, "no viewpoint looks; it has policy, ops, resident"),
    ],
)
def test_a_scope_in_which_nothing_lies_is_refused_with_what_there_is(scope: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        rank([survey("MNNNNNNNN", place("甲市", "東京都"))], KINDS, **scope)


def test_nothing_to_rank_is_refused() -> None:
    with pytest.raises(InputError, match="classify --city"):
        rank([], KINDS)


def reworded(version: str, **changes: object) -> CriteriaSet:
    asked = criteria()
    first = asked.criteria[0].model_copy(update=changes)
    return asked.model_copy(
        update={"version": version, "sha256": version * 64, "criteria": (first, *asked.criteria[1:])}
    )


def test_places_asked_by_another_wording_are_told_apart_and_not_compared() -> None:
    other = reworded("2", counts_ja="ほかの数え方")
    told = [*surveys({"甲市": "MMMNNNNNN", "乙市": "MMNNNNNNN"}), survey("MMMMMMMMM", place("丙市"), asked=other)]
    found = rank(told, KINDS)
    assert ranks(found) == {"甲市": 1, "乙市": 2}
    assert [(one.municipality.name, one.version, one.points) for one in found.other_rules] == [("丙市", "2", 9)]
    assert found.versions == ("1",)
    assert "another wording" in "".join(apart(found))


def test_another_way_of_finding_pages_is_the_same_question() -> None:
    other = reworded("2", search_terms=("自動化",))
    told = [survey("MMMNNNNNN", place("甲市")), survey("MMNNNNNNN", place("乙市"), asked=other)]
    found = rank(told, KINDS)
    assert ranks(found) == {"甲市": 1, "乙市": 2}
    assert found.versions == ("1", "2")


def test_of_two_wordings_as_frequent_the_newer_survey_is_ranked() -> None:
    other = reworded("2", counts_ja="ほかの数え方")
    told = [
        survey("MMMNNNNNN", place("甲市"), run_id="20260101"),
        survey("MNNNNNNNN", place("乙市"), asked=other, run_id="20260601"),
    ]
    assert ranks(rank(told, KINDS)) == {"乙市": 1}
    assert ranks(rank(told[::-1], KINDS)) == {"乙市": 1}


# --- spreadsheets, programs, terminal ---------------------------------------------------------------------------------


def rows(found: Ranking, language: str = "ja") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_bytes(found, language).decode("utf-8-sig"), newline="")))


def test_the_csv_is_as_japanese_spreadsheets_read_it() -> None:
    found = ranked({"甲市": "MMMUNNNNm", "乙市": "mmmmmmmmm"})
    told = csv_bytes(found)
    assert told.startswith(b"\xef\xbb\xbf") and told.endswith(b"\r\n") and b"\n" not in told.replace(b"\r\n", b"")
    first, second = rows(found)
    assert (first["状態"], first["順位"], first["得点"], first["未確認"], first["得点の上限"]) == (
        "順位あり", "1", "3", "1", "5",
    )  # fmt: skip
    assert (first["団体コード"], first["基準日"], first["得点：policy"]) == (place("甲市").code, "2024-04-30", "2")
    assert (second["状態"], second["順位"], second["得点"]) == ("確認なし", "", "0")
    assert rows(found, "en")[0]["Most points"] == "5"


@pytest.mark.parametrize("name", ["=1+1市", "+甲市", "-甲市", "@SUM市", "＝甲市", "＋甲市", "\t甲市", "\r甲市"])
def test_no_name_is_a_formula(name: str) -> None:
    city = place("甲市").model_copy(update={"name": name})
    assert rows(rank([survey("MNNNNNNNN", city)], KINDS))[0]["市区町村"] == f"'{name}"


def test_texts_that_are_no_formulas_stay_as_they_are() -> None:
    assert neutral("甲=乙市") == "甲=乙市"


def test_the_json_holds_the_whole_ranking() -> None:
    found = ranked({"甲市": "MMMUNNNNm", "乙市": "mmmmmmmmm"})
    assert Ranking.model_validate_json(json_text(found)) == found


def test_the_terminal_marks_ties_and_says_what_is_open() -> None:
    table = terminal(ranked({"甲[b]市": "MMMUNNNNm", "乙市": "MMMNNNNNN", "丙市": "MNNNNNNNN"}))
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ["1=", "1=", "3"] and cells[1][2] == "3"
    assert r"甲\[b]市" in cells[2]


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three surveyed places: decided with an undo and a return, half decided, and not begun."""
    folder = tmp_path_factory.mktemp("workspace")
    asked = load("dx-2024")
    Workspace(folder).keep(asked)
    with Store(f"sqlite:///{folder / 'akashi.db'}") as store:
        for name, told in {"甲市": "M" * 20 + "N" * 11, "乙町": "M" * 12 + "m" * 19, "丙村": "m" * 31}.items():
            _stored(store, survey(told, place(name, "長野県"), asked=asked, as_of=date(2026, 3, 31)))
        items = store.items(f"r-{place('甲市').code}")
        now = items[0].decisions[0].decided_at
        store.record(queue.undo(items[0], reviewer="佐藤", now=now))
        store.record(queue.send_back(items[1], reviewer="田中", now=now, note="別のページ"))
    return folder


def _stored(store: Store, result: Result) -> None:
    store.save_run(result.run)
    store.save_judgements(result.run, [one.judgement for one in result.items])
    for item, wanted in zip(store.items(result.run.id), result.items, strict=True):
        if wanted.decisions:
            now = wanted.decisions[0].decided_at
            store.record(queue.approve(item, reviewer="佐藤", now=now))


def recounted(store: Store, run_id: str) -> int:
    """Points from the log alone, by other code than the score's: the last approval that nothing after it took back."""
    points = 0
    for item in store.items(run_id):
        stands: Verdict | None = None
        for line in item.decisions:
            stands = line.verdict if line.action is Action.APPROVE else None
        points += stands is Verdict.MET
    return points


def test_the_points_are_those_of_the_decision_log(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "ranking.json"
    assert commands.classify(home, "rank", "--out", str(out)).strip() == str(out)
    told = json.loads(out.read_text("utf-8"))
    points = {one["place"]["municipality"]["name"]: one["place"]["points"] for one in told["ranked"]}
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        again = {run.municipality.name: recounted(store, run.id) for run in store.runs()}
    assert points == {name: again[name] for name in points} == {"甲市": 18, "乙町": 12}
    assert [one["municipality"]["name"] for one in told["unconfirmed"]] == ["丙村"]


def test_the_terminal_shows_ranks_and_who_is_not_ranked(home: Path) -> None:
    told = commands.classify(home, "rank")
    assert "18/31" in told and "12/31" in told
    assert "Not ranked, since no decision is confirmed: 丙村" in told


def test_populations_divide_the_classes(home: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(f"code,population\n{place('甲市').code},60000\n", "utf-8")
    assert "city-2" in commands.classify(home, "rank", "--populations", str(people))
    assert "city-2" in commands.classify(home, "rank", CLASSIFY_POPULATIONS=str(people))
    assert "乙町" not in commands.classify(home, "rank", "--populations", str(people), "--class", "city-2")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "ranking.pdf"], "must end in .html, .csv, .json"),
        (["--language", "fr"], "give one of ja, en"),
        (["--prefecture", "青森県"], "municipalities of 長野県"),
        (["--criteria", "other"], "no finished survey by these criteria"),
        (["--populations", "nowhere.csv"], "cannot be read"),
        (["--out", "nowhere/ranking.csv"], "cannot be written"),
    ],
)
def test_bad_input_is_told_and_ends_in_2(home: Path, arguments: Sequence[str], told: str) -> None:
    assert told in commands.classify(home, "rank", *arguments, code=2)


def test_every_form_is_written(home: Path, tmp_path: Path) -> None:
    for suffix in ("html", "csv", "json"):
        commands.classify(home, "rank", "--out", str(tmp_path / f"a.{suffix}"), "--language", "en")
    assert "Municipal DX survey" in (tmp_path / "a.html").read_text("utf-8")
    assert "Rank" in (tmp_path / "a.csv").read_text("utf-8-sig")
