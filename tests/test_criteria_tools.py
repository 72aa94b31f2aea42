"""What authors are given: a template, the difference of two sets, and what a new set does to confirmations."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import commands
import pytest
from queue_data import CITY, NOW, OTHER_CITY, judgement, measurement, run

from pipeline import criteria
from pipeline.criteria import template
from pipeline.criteria.difference import Kind, differences, likeness
from pipeline.errors import InputError
from pipeline.models import Action, CriteriaSet, Criterion, Decision, SettledBy, Verdict, Viewpoint
from pipeline.review.team import AKASHI
from pipeline.settings import bundled
from pipeline.store.log import standing
from pipeline.store.store import Store
from pipeline.succession import Fate, Succession, carried, notes, read_map, write_map


def criterion(id_: str, statement: str, counts: str = "", **more: object) -> Criterion:
    values = {
        "id": id_,
        "viewpoint": "ops",
        "settled_by": SettledBy.TEXT,
        "statement_ja": statement,
        "statement_en": "English",
        "counts_ja": counts or statement,
        "counts_en": "English",
        "search_terms": ("語",),
    }
    return Criterion.model_validate(values | more)


def asked(id_: str, *found: Criterion, sha: str = "1") -> CriteriaSet:
    viewpoints = (Viewpoint(id="ops", name_ja="業務", name_en="Operations"),)
    return CriteriaSet(
        id=id_, title_ja="題", title_en="Title", version="1", viewpoints=viewpoints, criteria=found, sha256=sha * 64
    )


BOOKING = criterion("ops-01", "施設をインターネットで予約できる", "空きを確かめて申し込める仕組み")
TENDER = criterion("ops-02", "入札を電子で行っている", "電子入札システムによる入札")
LIBRARY = criterion("ops-03", "図書館の本を延長できる", "蔵書検索のサイトからの延長")


# --- new --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "id_"), [("a.yaml", "a"), ("My Set_2.yml", "my-set-2"), ("調査.yaml", "my-set")])
def test_a_new_file_is_valid_and_named_after_itself(tmp_path: Path, name: str, id_: str) -> None:
    assert template.write(tmp_path / name) == id_
    loaded = criteria.load(str(tmp_path / name))
    assert loaded.id == id_
    assert {one.settled_by for one in loaded.criteria} == set(SettledBy)
    named = (tmp_path / name).read_text("utf-8").splitlines()[0].partition("$schema=")[2]
    assert Path(named) == bundled("criteria") / "criteria.schema.json"


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("precious")
    assert "exists" in commands.classify(tmp_path, "criteria", "new", str(file), code=2)
    assert file.read_text() == "precious"
    assert ".yaml" in commands.classify(tmp_path, "criteria", "new", str(tmp_path / "mine.txt"), code=2)
    assert "written" in commands.classify(tmp_path, "criteria", "new", str(tmp_path / "no" / "a.yaml"), code=2)


# --- diff -------------------------------------------------------------------------------------------------------------

CHANGES = [
    ({}, Kind.SAME, True, False),
    ({"counts_ja": "別の決まり"}, Kind.REWORDED, False, True),
    ({"does_not_count_ja": "電話"}, Kind.REWORDED, False, True),
    ({"search_terms": ("語", "別")}, Kind.JUDGED_ANEW, True, True),
    ({"threshold": 7.0}, Kind.JUDGED_ANEW, False, True),
    ({"statement_en": "Other"}, Kind.SHOWN_ANEW, True, False),
    ({"viewpoint": "other"}, Kind.SHOWN_ANEW, True, False),
]


@pytest.mark.parametrize(("changed", "kind", "stays", "judged"), CHANGES, ids=[f"{one[0]}" for one in CHANGES])
def test_each_change_is_told_by_what_it_means(
    changed: dict[str, object], kind: Kind, stays: bool, judged: bool
) -> None:
    (found,) = differences(asked("a", BOOKING), asked("b", BOOKING.model_copy(update=changed)))
    assert (found.kind, found.confirmations, found.judge) == (kind, stays, judged)
    assert found.fields == tuple(changed)
    assert stays == (kind is not Kind.REWORDED and "threshold" not in changed)
    same_rule = BOOKING.model_copy(update=changed).rule_sha256 == BOOKING.rule_sha256
    assert same_rule == (kind is not Kind.REWORDED)


def test_a_renamed_criterion_is_found_by_its_words_and_only_once() -> None:
    renamed = TENDER.model_copy(update={"id": "ops-09", "counts_ja": "電子入札システムで行う入札"})
    found = differences(asked("a", BOOKING, TENDER, LIBRARY), asked("b", BOOKING, renamed))
    told = [(one.kind, one.old, one.new) for one in found]
    assert told == [(Kind.SAME, "ops-01", "ops-01"), (Kind.RENAMED, "ops-02", "ops-09"), (Kind.REMOVED, "ops-03", None)]
    assert not found[1].confirmations


def test_unlike_criteria_of_the_shipped_sets_are_not_taken_for_renamed() -> None:
    found = differences(criteria.load("dx-2024"), criteria.load("osi-2026"))
    renamed = {(one.old, one.new) for one in found if one.kind is Kind.RENAMED}
    assert renamed == {("resident-01", "content-09"), ("resident-02", "technology-03")}
    assert len([one for one in found if one.new]) == 40
    assert len([one for one in found if one.old]) == 31
    assert likeness(BOOKING, BOOKING) == 1.0


def test_the_difference_as_lines_and_as_json(tmp_path: Path) -> None:
    lines = commands.classify(tmp_path, "criteria", "diff", "dx-2024", "osi-2026")
    assert "renamed      resident-02 -> technology-03" in lines
    assert "added 38, removed 29, renamed 2" in lines
    found = json.loads(commands.classify(tmp_path, "criteria", "diff", "dx-2024", "osi-2026", "--json"))
    assert {one["kind"] for one in found} == {"added", "removed", "renamed"}
    assert "same 31" in commands.classify(tmp_path, "criteria", "diff", "dx-2024", "dx-2024")
    assert "no-such" in commands.classify(tmp_path, "criteria", "diff", "dx-2024", "no-such", code=2)


# --- migrate ----------------------------------------------------------------------------------------------------------

RENAMED = TENDER.model_copy(update={"id": "ops-09"})
REWORDED = LIBRARY.model_copy(update={"counts_ja": "電子図書館の貸出を含む"})
OLD = asked("old", BOOKING, TENDER, LIBRARY, criterion("ops-04", "議会の中継がある"))
NEW = asked("new", BOOKING, RENAMED, REWORDED, sha="2")
MAP = {"ops-02": "ops-09"}


@pytest.fixture
def store(tmp_path: Path):
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as found:
        yield found


def surveyed(store: Store, run_id: str, of: CriteriaSet, *, confirm: bool, **more: object) -> None:
    made = run(run_id, criteria_id=of.id, criteria_sha256=of.sha256, **more)
    store.save_run(made)
    store.save_judgements(made, [judgement(one.id, rule_sha256=one.rule_sha256) for one in of.criteria])
    for item in store.items(run_id) if confirm else ():
        store.record(
            Decision(
                municipality=item.municipality.code,
                criterion=item.judgement.criterion,
                of=item.digest,
                action=Action.APPROVE,
                verdict=item.judgement.verdict,
                quotes=item.judgement.quotes,
                reviewer="佐藤",
                decided_at=NOW,
            )
        )


def fates(store: Store, renamed: dict[str, str] | None = None) -> dict[str, Fate]:
    return {one.old: one.fate for one in carried(Succession(OLD, NEW, renamed or {}), store)}


def test_before_a_survey_by_the_new_set_equal_rules_are_said_to_carry_over(store: Store) -> None:
    surveyed(store, "r1", OLD, confirm=True)
    assert fates(store) == {"ops-01": Fate.CARRIES, "ops-02": Fate.LOST, "ops-03": Fate.LOOK, "ops-04": Fate.LOST}
    assert fates(store, MAP)["ops-02"] is Fate.LOOK


def test_what_was_said_to_carry_over_stands_after_the_survey(store: Store) -> None:
    surveyed(store, "r1", OLD, confirm=True)
    surveyed(store, "r2", NEW, confirm=False)
    assert fates(store, MAP) == {
        "ops-01": Fate.STANDS,
        "ops-02": Fate.LOOK,
        "ops-03": Fate.LOOK,
        "ops-04": Fate.LOST,
    }
    held = {item.judgement.criterion: standing(item.decisions) for item in store.items("r2")}
    assert held["ops-01"] is not None and held["ops-09"] is None and held["ops-03"] is None


def test_where_the_new_survey_finds_something_else_a_person_looks(store: Store) -> None:
    surveyed(store, "r1", OLD, confirm=True)
    made = run("r2", criteria_id="new", criteria_sha256=NEW.sha256)
    store.save_run(made)
    store.save_judgements(made, [judgement("ops-01", Verdict.NO_EVIDENCE, rule_sha256=BOOKING.rule_sha256)])
    assert fates(store)["ops-01"] is Fate.LOOK


def test_another_threshold_is_a_new_look(store: Store) -> None:
    was = criterion("ops-05", "速い", settled_by=SettledBy.MEASURED, probe="page_speed", threshold=3.0)
    old, new = asked("old", was), asked("new", was.model_copy(update={"threshold": 2.0}), sha="2")
    made = run("r1", criteria_id="old", criteria_sha256=old.sha256)
    store.save_run(made)
    said = judgement("ops-05", rule_sha256=was.rule_sha256, measurement=measurement())
    store.save_judgements(made, [said])
    (item,) = store.items("r1")
    store.record(
        Decision(
            municipality=CITY.code,
            criterion="ops-05",
            of=item.digest,
            action=Action.APPROVE,
            verdict=Verdict.MET,
            reviewer="佐藤",
            decided_at=NOW,
        )
    )
    assert [one.fate for one in carried(Succession(old, new, {}), store)] == [Fate.LOOK]
    assert [one.fate for one in carried(Succession(old, old.model_copy(update={"id": "new"}), {}), store)] == [
        Fate.CARRIES
    ]


def test_a_note_for_a_renamed_criterion_decides_nothing_and_is_left_once(store: Store) -> None:
    surveyed(store, "r1", OLD, confirm=True)
    surveyed(store, "r2", NEW, confirm=False)
    sets = Succession(OLD, NEW, MAP)
    before = {item.judgement.criterion: standing(item.decisions) for item in store.items("r2")}
    for item, line in notes(sets, store, now=NOW + timedelta(hours=1)):
        store.record(line, version=item.version)
    (noted,) = [item for item in store.items("r2") if any(one.action is Action.NOTE for one in item.decisions)]
    assert noted.judgement.criterion == "ops-09"
    assert noted.decisions[-1].reviewer == AKASHI
    assert "ops-02" in noted.decisions[-1].note and "佐藤" in noted.decisions[-1].note
    assert {item.judgement.criterion: standing(item.decisions) for item in store.items("r2")} == before
    assert not notes(sets, store, now=NOW + timedelta(hours=2))
    assert {item.judgement.criterion for item in store.waiting()} >= {"ops-09"}


def test_two_editions_under_one_id_are_told_apart(store: Store) -> None:
    later = asked("old", BOOKING, REWORDED, sha="3")
    surveyed(store, "r1", OLD, confirm=True)
    surveyed(store, "r2", later, confirm=False)
    found = {one.old: one.fate for one in carried(Succession(OLD, later, {}), store)}
    assert found == {"ops-01": Fate.STANDS, "ops-02": Fate.LOST, "ops-03": Fate.LOOK, "ops-04": Fate.LOST}


def test_a_municipality_without_the_old_set_has_nothing_to_carry(store: Store) -> None:
    surveyed(store, "r1", NEW, confirm=True, city=OTHER_CITY)
    assert not fates(store)


def test_a_mapping_file_proposes_what_reads_alike(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    assert write_map(file, OLD, NEW) == 1
    assert read_map(file, OLD, NEW) == MAP
    assert "ops-04  議会の中継がある" in file.read_text("utf-8")
    with pytest.raises(InputError, match="exists"):
        write_map(file, OLD, NEW)


WRONG = [
    ("old: other\nnew: new\n", "maps other to new"),
    ("old: old\nnew: new\nrenamed: {ops-77: ops-09}\n", "ops-77 is no criterion of old"),
    ("old: old\nnew: new\nrenamed: {ops-02: ops-77}\n", "ops-77 is no criterion of new"),
    ("old: old\nnew: new\nrenamed: {ops-02: ops-09, ops-04: ops-09}\n", "mapped from several"),
    ("old: old\nnew: new\nrenamed: {ops-02: ops-01}\n", "ops-01 is in both sets"),
    ("old: old\nnew: new\nextra: 1\n", "no mapping file"),
    ("- a\n", "no mapping file"),
    ("a: [", "no mapping file"),
    ("", "no mapping file"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[one[1] for one in WRONG])
def test_a_wrong_mapping_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_map(file, OLD, NEW)
    with pytest.raises(InputError, match="cannot be read"):
        read_map(tmp_path / "none.yaml", OLD, NEW)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no mapping file"):
        read_map(tmp_path / "bytes.yaml", OLD, NEW)


def test_migrate_from_the_terminal(tmp_path: Path) -> None:
    """An edition of the shipped set with one criterion renamed and one reworded, over a queue with confirmations."""
    shipped = (bundled("criteria") / "osi-2026.yaml").read_text("utf-8")
    later = shipped.replace("id: osi-2026", "id: osi-2027", 1).replace("id: service-08", "id: service-28", 1)
    later = later.replace("ja: 課ごとの仕事が一覧で公表されている", "ja: 課ごとの仕事が分かる", 1)
    file, map_ = tmp_path / "osi-2027.yaml", tmp_path / "map.yaml"
    file.write_text(later, encoding="utf-8")
    old, new = criteria.load("osi-2026"), criteria.load(str(file))
    with Store(f"sqlite:///{tmp_path / 'akashi.db'}") as store:
        surveyed(store, "r1", old, confirm=True)
        surveyed(store, "r2", new, confirm=False)
    migrate = ("criteria", "migrate", "osi-2026", str(file))
    assert "1 likely renaming" in commands.classify(tmp_path, *migrate, "--write-map", str(map_))
    told = commands.classify(tmp_path, *migrate, "--map", str(map_))
    assert "40 confirmations under osi-2026: stands 38, look 2" in told
    assert "look     service-08 -> service-28" in told
    assert "lost 1" in commands.classify(tmp_path, *migrate)
    assert "1 notes left" in commands.classify(tmp_path, *migrate, "--map", str(map_), "--apply")
    assert "0 notes left" in commands.classify(tmp_path, *migrate, "--map", str(map_), "--apply")
    found = json.loads(commands.classify(tmp_path, *migrate, "--map", str(map_), "--json"))
    assert {one["fate"] for one in found} == {"stands", "look"}
    assert "--map" in commands.classify(tmp_path, *migrate, "--apply", code=2)
    both = ("--map", str(map_), "--write-map", str(tmp_path / "b.yaml"))
    assert "--write-map" in commands.classify(tmp_path, *migrate, *both, code=2)
