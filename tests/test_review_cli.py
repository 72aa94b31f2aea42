"""The queue in the terminal: the same rules as on the page, and the queue as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import classify
from reviewing import add_people, database_of

from pipeline.models import Action, Filter, QueueItem, Role, Stage
from pipeline.score import score
from pipeline.store.log import lot, stage
from pipeline.store.store import Store
from pipeline.workspace import Workspace

SHARE = 0.2


def items(home: Path) -> list[QueueItem]:
    with Store(database_of(home)) as store:
        return store.listed(Filter())


def drawn(home: Path) -> QueueItem:
    return next(one for one in items(home) if lot(one.municipality.code, one.judgement) < SHARE)


def points(home: Path) -> int:
    with Store(database_of(home)) as store:
        (run,) = store.runs()
        return score(run, store.items(run.id), Workspace(home).criteria(run.criteria_sha256)).points


def test_what_is_drawn_is_listed_without_its_proposal_and_coded_blind(workspace: Path) -> None:
    add_people(database_of(workspace), 佐藤=Role.REVIEWER, 鈴木=Role.REVIEWER, 高橋=Role.ADJUDICATOR)
    one = drawn(workspace)
    listed = classify(workspace, "queue", COLUMNS="400")
    (row,) = [line for line in listed.splitlines() if f" {one.judgement.criterion} " in line]
    assert "blind" in row and one.judgement.verdict not in row.split()
    refused = classify(workspace, "queue", "approve", str(one.number), "--reviewer", "佐藤", code=2)
    assert "drawn for double coding" in refused
    for who in ("佐藤", "鈴木"):
        classify(workspace, "queue", "code", str(one.number), "--verdict", "no_evidence", "--reviewer", who)
    classify(workspace, "queue", "code", str(one.number), "--verdict", "no_evidence", "--reviewer", "佐藤", code=2)
    decided = next(item for item in items(workspace) if item.number == one.number)
    assert stage(decided.decisions)[0] is Stage.DECIDED


def test_return_and_note_leave_their_words_in_the_log(workspace: Path) -> None:
    classify(workspace, "queue", "approve", "5", "--reviewer", "佐藤")
    classify(workspace, "queue", "return", "5", "--note", " ", "--reviewer", "高橋", code=2)
    classify(workspace, "queue", "return", "5", "--note", "別の年度です", "--reviewer", "高橋")
    classify(workspace, "queue", "note", "5", "--note", "確認中", "--reviewer", "佐藤")
    lines = [json.loads(line) for line in classify(workspace, "queue", "log").splitlines()]
    assert [(line["action"], line["note"]) for line in lines] == [
        ("approve", ""),
        ("return", "別の年度です"),
        ("note", "確認中"),
    ]


def test_none_is_decided_unless_all_may_be(workspace: Path) -> None:
    classify(workspace, "queue", "approve", "5")
    classify(workspace, "queue", "approve", "4", "5", "6", code=2)
    assert [one.number for one in items(workspace) if one.decisions] == [5]


@pytest.mark.parametrize("suffix", [".jsonl", ".xlsx"])
def test_a_round_trip_changes_no_label(workspace: Path, tmp_path: Path, suffix: str) -> None:
    classify(workspace, "queue", "approve", "1", "4", "5")
    before, file = items(workspace), tmp_path / f"queue{suffix}"
    classify(workspace, "queue", "export", "--out", str(file), "--city", "demo")
    assert "0 decisions recorded" in classify(workspace, "queue", "import", str(file))
    assert items(workspace) == before


def test_the_queue_moves_to_postgresql_with_the_same_score(
    workspace: Path, tmp_path: Path, postgresql_url: str
) -> None:
    classify(workspace, "queue", "approve", "1", "4", "5")
    file = tmp_path / "queue.jsonl"
    classify(workspace, "queue", "export", "--out", str(file))
    classify(workspace, "queue", "import", str(file), CLASSIFY_DB=postgresql_url)
    with Store(postgresql_url) as store:
        (run,) = store.runs()
        moved = store.items(run.id)
        assert [(one.judgement, one.decisions) for one in moved] == [
            (one.judgement, one.decisions) for one in sorted(items(workspace), key=lambda item: item.number)
        ]
        there = score(run, moved, Workspace(workspace).criteria(run.criteria_sha256)).points
    assert there == points(workspace) > 0


def test_a_filled_workbook_is_taken_row_by_row(workspace: Path, tmp_path: Path) -> None:
    import io

    from python_calamine import CalamineWorkbook
    from xlsxwriter import Workbook

    file, filled = tmp_path / "queue.xlsx", tmp_path / "filled.xlsx"
    classify(workspace, "queue", "export", "--out", str(file))
    rows = CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes())).get_sheet_by_name("queue").to_python()
    column = rows[0].index("new_verdict")
    rows[1][column] = "approve"
    rows[2][column] = "nonsense"
    with Workbook(filled) as book:
        sheet = book.add_worksheet("queue")
        for at, row in enumerate(rows):
            for place, value in enumerate(row):
                sheet.write(at, place, value)
    taken = classify(workspace, "queue", "import", str(filled), "--reviewer", "佐藤", code=2)
    assert "1 decisions recorded" in taken and "nonsense" in taken
    assert [one.decisions[0].action for one in items(workspace) if one.decisions] == [Action.APPROVE]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("queue", "export", "--out", "queue.txt"), "end the name in .jsonl or .xlsx"),
        (("queue", "import", "nowhere.jsonl"), "nowhere.jsonl"),
        (("queue", "code", "1", "--verdict", "maybe"), "choose one of"),
        (("queue", "amend", "1", "--verdict", "met", "--quote", "無い文です。"), "stands on none of the pages"),
        (
            ("queue", "amend", "1", "--verdict", "met", "--page", "https://elsewhere.example/", "--quote", "x"),
            "not arch",
        ),
        (("queue", "undo", "1"), "no decision to undo"),
        (("queue", "approve", "1", "--reviewer", "akashi"), "writes in the log under this name itself"),
        (("review", "--port", "0", "--reviewer", "Akashi"), "writes in the log under this name itself"),
    ],
)
def test_bad_input_is_told_and_nothing_recorded(
    workspace: Path, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    assert why in classify(workspace, *arguments, code=2)
    assert not any(one.decisions for one in items(workspace))
