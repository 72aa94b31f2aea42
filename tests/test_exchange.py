"""The queue leaves as files and comes back with every label as it was; what does not fit is named and left out."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from queue_data import NOW, OTHER_CITY, criteria, decided, item, judgement, measurement, quote, run, save, told
from xlsxwriter import Workbook

from pipeline.archive import Archive
from pipeline.desk import Answer, Desk, imported, lines, sheets
from pipeline.desk import workbook as book
from pipeline.desk.exchange import Imported, log_lines, queue_lines, take_lines, take_workbook, workbook
from pipeline.desk.pages import Pages
from pipeline.errors import DecisionError, InputError
from pipeline.models import (
    Action,
    Cause,
    Claim,
    Coverage,
    Decision,
    Flag,
    Municipality,
    QueueItem,
    Role,
    RunState,
    Unread,
    User,
    Verdict,
)
from pipeline.score import score
from pipeline.store.log import standing
from pipeline.store.store import Store

BOSS = User(name="主任", role=Role.ADJUDICATOR)
INJECTIONS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "{=1}",
]
AWKWARD = [
    *INJECTIONS,
    *("_x0041_", "_x005F_x0041_", "a_x0041", "<r>x</r>", "<r></b></r>", "<r>_x0041_&</r>", "&amp;<b>", "]]>", "'007"),
    *(
        "007",
        "1e5",
        "2024-05-01",
        "TRUE",
        "#N/A",
        "http://a.example/",
        "mailto:a@b.example",
        "𠮷野家",
        "e\u0301",
        "\\u0000",
    ),
]
CONTROLS = [
    "\0",
    "a\x0bb\x1f",
    "\ufffe\uffff",
    "\r\n",
    "x\ry",
    "\x85\u2028\u2029",
    "\ufeff",
    "\x7f",
    "<r>\0</r>",
    " a\n",
]
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40)
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at the newest version without a line, to copy."""
    path = tmp_path_factory.mktemp("empty") / "akashi.db"
    Store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def new(empty: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes stores on databases of their own."""
    made: list[Store] = []

    def make() -> Store:
        path = tmp_path / f"{len(made)}.db"
        shutil.copy(empty, path)
        made.append(Store(f"sqlite:///{path}"))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(new: Callable[[], Store]) -> Store:
    return new()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queue.jsonl"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return tmp_path / "queue.xlsx"


def record(store: Store, words: str, number: int = 1, **changes: Any) -> None:
    """Records the steps that `words` tell ("A code, B code") on the item."""
    for step in filter(None, words.split(", ")):
        store.record(told(store.item(number), step, **changes))


def peopled(store: Store) -> Store:
    """Two finished surveys of one place, one of another, an unfinished run, and decisions of every kind on them."""
    covered = Coverage(
        home_read=True,
        found=2,
        fetched=1,
        read=1,
        unread=(Unread(url="https://city.example/a", cause=Cause.NEEDS_OCR, label="計画\0"),),
        started=NOW,
        finished=NOW + timedelta(minutes=9, microseconds=1),
    )
    odd = judgement("ops-02", Verdict.NO_EVIDENCE, rationale="\0\u2028\x85", flags=(Flag.OLD_PAGE, Flag.PRESS))
    measured = judgement("resident-01", measurement=measurement(2.1), confidence=1 / 3)
    save(store, judgement(), of=run("r0"))
    save(store, judgement(), odd, measured, judgement("ops-03"), of=run(coverage=covered, finished=NOW))
    save(store, judgement(), of=run("r2", OTHER_CITY))
    save(store, judgement(), of=run("r3", state=RunState.JUDGING))
    record(store, "A code, B code not_met, C approve, D return, C approve", 2)
    record(store, "A note", 3, note="=1+1\n\0\u2029")
    record(store, "佐藤 approve", 4)
    record(store, "A reject, A undo, B code", 5)
    record(store, "A reject", 6)
    return store


def named(text: str) -> str:
    """The name of a person that is most like it."""
    return "".join(filter(str.isprintable, text)).strip() or "A"


def exported(store: Store, path: Path, code: str = "") -> Path:
    path.write_bytes("".join(f"{line}\n" for line in queue_lines(store, code)).encode())
    return path


def of(store: Store) -> list[QueueItem]:
    """The items of the newest surveys without their numbers."""
    found = [one for survey in store.surveys() for one in store.items(survey.run_id)]
    return [one.model_copy(update={"number": 0}) for one in found]


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def test_an_empty_database_gets_the_queue_as_it_was_on_either_kind(store: Store, database_url: str, file: Path) -> None:
    exported(peopled(store), file)
    with Store(database_url) as other:
        assert take_lines(other, file) == Imported(runs=2, items=5, recorded=11)
        assert of(other) == of(store)
        assert [other.run(one.run_id) for one in other.surveys()] == [store.run(one.run_id) for one in store.surveys()]
        assert [one for _, one in other.log()] == [one for _, one in store.log()]
        again = exported(other, file.with_name("again.jsonl"))
        assert take_lines(store, again) == Imported(unchanged=5)


def test_a_file_taken_twice_adds_nothing(store: Store, new: Callable[[], Store], file: Path) -> None:
    other = new()
    exported(peopled(store), file)
    assert take_lines(store, file) == Imported(unchanged=5)
    assert take_lines(other, str(file)).recorded == 11
    before = of(other)
    assert take_lines(other, file) == Imported(unchanged=5)
    assert of(other) == before


def test_one_municipality_is_exported_alone(store: Store, new: Callable[[], Store], file: Path) -> None:
    take_lines(other := new(), exported(peopled(store), file, OTHER_CITY.code))
    assert [one.code for one in other.surveys()] == [OTHER_CITY.code]
    assert [json.loads(line)["municipality"] for line in log_lines(store, OTHER_CITY.code)] == [OTHER_CITY.code]
    assert list(queue_lines(store, "999999")) == [lines.HEAD, '{"kind":"end","runs":0,"items":0}']


def test_the_log_comes_in_the_order_in_which_people_decided(store: Store, new: Callable[[], Store], file: Path) -> None:
    """Not item by item, or the latest step of a person would be another one."""
    save(store, judgement(), judgement("ops-02"))
    save(store, judgement(), of=run("r2", OTHER_CITY))
    steps = [(3, "A approve"), (1, "A approve"), (2, "A reject"), (1, "A undo"), (3, "B undo"), (1, "A reject")]
    for minute, (number, step) in enumerate(steps):
        record(store, step, number, decided_at=NOW + timedelta(minutes=minute))
    take_lines(other := new(), exported(store, file))
    assert [one for _, one in other.log()] == [one for _, one in store.log()]


def test_every_line_is_one_line_to_any_reader(store: Store) -> None:
    peopled(store)
    for line in (*queue_lines(store), *log_lines(store)):
        assert line.splitlines() == [line]
        json.loads(line)


def test_the_log_replayed_gives_the_same_score(store: Store, new: Callable[[], Store]) -> None:
    other = new()
    peopled(store)
    for survey in store.surveys():
        save(other, *(one.judgement for one in store.items(survey.run_id)), of=store.run(survey.run_id))
    for line in log_lines(store):
        told_ = json.loads(line)
        assert told_.pop("number") > 0
        other.record(Decision.model_validate(told_))
    for survey in store.surveys():
        scores = [score(one.run(survey.run_id), one.items(survey.run_id), criteria()) for one in (store, other)]
        assert scores[0] == scores[1]
        assert scores[0].confirmed


@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=6))
@example(texts=CONTROLS[:9])
@example(texts=AWKWARD[:9])
@FEW
def test_any_text_survives_as_it_is(texts: list[str], empty: Path, tmp_path: Path) -> None:
    urls = [str(shutil.copy(empty, tmp_path / name)) for name in ("from.db", "to.db")]
    with Store(f"sqlite:///{urls[0]}") as store, Store(f"sqlite:///{urls[1]}") as other:
        for at, text in enumerate(texts, start=1):
            found = quote(text or "x", title=text, context=text, url=text)
            place = Municipality(code=f"{at:06}", name=text)
            save(store, judgement(quotes=(found,), rationale=text), of=run(f"r{at}", place))
            record(store, "A approve", at, note=text, reviewer=named(text))
        taken = take_lines(other, exported(store, tmp_path / "any.jsonl"))
        assert (taken.items, taken.recorded, taken.problems) == (len(texts), len(texts), ())
        assert other.surveys() == store.surveys()
        assert of(other) == of(store)
        assert list(log_lines(other)) == list(log_lines(store))


MERGES = [
    # ours, the file's, what is recorded, and words of the problem
    ("", "", 0, ""),
    ("", "A approve", 1, ""),
    ("A approve", "A approve, A undo, B reject", 2, ""),
    ("A approve, A undo", "A approve", 0, ""),
    ("A approve", "", 0, ""),
    ("A approve", "A approve", 0, ""),
    ("A approve", "B approve", 0, "part at decision 1 (here: approve by A at 2024-05-01 09:00; in the file"),
    ("A approve, A undo, B reject", "A approve, A undo, C reject", 0, "part at decision 3"),
    ("A note, A approve", "A approve, A undo", 0, "part at decision 1"),
]


@pytest.mark.parametrize(("ours", "theirs", "recorded", "problem"), MERGES)
def test_logs_are_merged_where_one_goes_on_where_the_other_ends(
    new: Callable[[], Store], file: Path, ours: str, theirs: str, recorded: int, problem: str
) -> None:
    here, there = new(), new()
    for store, words in ((here, ours), (there, theirs)):
        save(store, judgement(), judgement("ops-02"))
        record(store, words)
    record(there, "Z approve", 2)
    before = here.items("r1")[0].decisions
    taken = take_lines(here, exported(there, file))
    assert taken.recorded == recorded + 1  # the other item goes on
    assert taken.unchanged == (0 if recorded or problem else 1)
    assert len(taken.problems) == bool(problem)
    if problem:
        assert problem in taken.problems[0]
        assert taken.problems[0].startswith("line 3 (千代田区 ops-01, item 1 there): ")
        assert here.items("r1")[0].decisions == before
    else:
        assert here.items("r1")[0].decisions == max((before, there.items("r1")[0].decisions), key=len)


def test_a_decision_that_the_rules_refuse_leaves_the_whole_item_as_it_was(new: Callable[[], Store], file: Path) -> None:
    here, there = new(), new()
    save(there)
    one = there.item(1)
    wrong = decided(one, told(one, "A approve"), told(one, "B approve"))
    file.write_text(exported(there, file).read_text().replace(one.model_dump_json(), wrong.model_dump_json()))
    taken = take_lines(here, file)
    assert (taken.items, taken.recorded) == (1, 0)
    assert "line 3 (千代田区 ops-01, item 1 there): decision 2 is refused (already decided" in taken.problems[0]
    assert here.items("r1")[0].decisions == ()


def test_a_decision_taken_here_in_the_meantime_stops_its_item_alone(
    new: Callable[[], Store], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = new(), new()
    for one in (here, there):
        save(one, judgement(), judgement("ops-02"))
    record(there, "A approve, A undo")
    record(there, "A approve", 2)
    exported(there, file)
    keep = Store.record

    def late(self: Store, decision: Decision, *, version: str | None = None) -> None:
        if not here.items("r1")[0].decisions:
            keep(self, told(here.item(1), "Z note"))
        keep(self, decision, version=version)

    monkeypatch.setattr(Store, "record", late)
    taken = take_lines(here, file)
    assert taken.recorded == 1
    assert [re.search("item 1 there.*has changed.*take the file again", one) is None for one in taken.problems] == [
        False
    ]
    assert [one.reviewer for one in here.item(1).decisions] == ["Z"]


def test_another_judgement_or_another_run_of_that_id_is_no_match(new: Callable[[], Store], file: Path) -> None:
    here, there = new(), new()
    save(here, judgement(quotes=(quote("別の文"),)))
    save(here, of=run("r2", OTHER_CITY, judge="model"))
    save(there, judgement(), judgement("ops-02"))
    save(there, of=run("r2", OTHER_CITY))
    before = here.items("r1")
    record(there, "A approve")
    taken = take_lines(here, exported(there, file))
    assert taken == Imported(items=1, problems=taken.problems)
    assert "line 3 (千代田区 ops-01, item 1 there): this database has another judgement" in taken.problems[0]
    assert "line 5: run r2 is another survey here" in taken.problems[1]
    assert here.items("r1")[:1] == before
    assert [one.judgement.criterion for one in here.items("r1")] == ["ops-01", "ops-02"]


def test_an_equal_judgement_in_a_later_run_gets_the_decisions_too(new: Callable[[], Store], file: Path) -> None:
    here, there = new(), new()
    save(here, judgement(confidence=0.9), of=run("r9"))
    save(there)
    record(there, "A approve")
    assert take_lines(here, exported(there, file)) == Imported(runs=1, items=1, recorded=1)
    assert [one.reviewer for one in here.items("r9")[0].decisions] == ["A"]


def test_one_judgement_in_two_surveys_is_decided_once(new: Callable[[], Store], file: Path) -> None:
    here, there = new(), new()
    save(there)
    save(there, of=run("r2", criteria_id="other"))
    record(there, "A approve, A undo")
    assert take_lines(here, exported(there, file)) == Imported(runs=2, items=2, recorded=2)
    assert of(here) == of(there)


def test_an_import_that_was_interrupted_goes_on(
    new: Callable[[], Store], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = new()
    there = peopled(new())
    exported(there, file)
    for method in ("save_judgements", "save_run", "record"):
        keep, calls = getattr(Store, method), iter(range(99))

        def dies(*given: Any, keep: Any = keep, calls: Any = calls, **named: Any) -> None:
            if next(calls) == 1:
                raise KeyboardInterrupt
            keep(*given, **named)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Store, method, dies)
            take_lines(here, file)
        assert {one.run_id for one in here.surveys()} <= {"r1", "r2"}
        # a survey counts as finished only when it is whole
        assert all(len(here.items(one.run_id)) == len(there.items(one.run_id)) for one in here.surveys())
    assert take_lines(here, file).problems == ()
    assert of(here) == of(there)


def _first_item(text: str) -> str:
    return text.splitlines()[2]


LINES = [
    # what is done to the file's text, and words of the message
    (lambda text: "", "is no queue file of Akashi"),
    (lambda text: "\0\1\2", "is no queue file of Akashi"),
    (lambda text: '{"a":1}\n' + text, "is no queue file of Akashi"),
    (lambda text: "[" * 900, "is no queue file of Akashi"),
    (lambda text: "[]\n", "is no queue file of Akashi"),
    (lambda text: text.replace('"format":1', '"format":2', 1), "has format 2 and this Akashi reads 1; update"),
    (lambda text: text.replace('"format":1', '"format":"1"', 1), "has format '1' and this"),
    (lambda text: text[:-40], "cut off"),
    (lambda text: text[: text.rindex('{"kind":"end"')], "is cut off: its last line"),
    (lambda text: text[: len(text) // 2], "line .* cannot be read .*cut off"),
    (lambda text: text.replace(_first_item(text) + "\n", ""), "2 runs with 4 items and its last line counts 2 with 5"),
    (lambda text: text + text, "goes on after its last line"),
    (lambda text: text.replace('{"kind":"run"', '{"kind":"ran"', 1), "line 2 cannot be read"),
    (lambda text: text.replace('"verdict":"met"', '"verdict":"maybe"', 1), "line 3 cannot be read .*verdict"),
    (lambda text: text.replace('"number":', '"extra":1,"number":', 1), "line 3 cannot be read .*extra"),
    (lambda text: text.replace("RPAを", "\\ud800", 1), "line 3 cannot be read"),
    (
        lambda text: text.replace(_first_item(text), _first_item(text) + "\n" + _first_item(text)),
        "line 4: ops-01 comes",
    ),
    (lambda text: text.replace('"run_id":"r1"', '"run_id":"r7"', 1), "line 3: item 2 does not belong"),
    (lambda text: text.replace(text.splitlines()[1] + "\n", "", 1), "line 2: item 2 does not belong"),
    (lambda text: text.replace('"id":"r2"', '"id":"r1"', 1), "run r1 comes twice"),
    (lambda text: text.replace("\n", "\n" + "[" * 5_000 + "\n", 1), "line 2 cannot be read"),
]


@pytest.mark.parametrize(("spoil", "message"), LINES)
def test_a_file_that_is_not_whole_changes_nothing(
    new: Callable[[], Store], file: Path, spoil: Callable[[str], str], message: str
) -> None:
    there, here = peopled(new()), new()
    file.write_bytes(spoil(exported(there, file).read_text("utf-8")).encode())
    with pytest.raises(InputError, match=message):
        take_lines(here, file)
    assert (here.runs(), here.log()) == ([], [])


def test_a_line_that_was_changed_after_the_export_is_left_out(new: Callable[[], Store], file: Path) -> None:
    there, here = new(), new()
    save(there, judgement(), judgement("ops-02"))
    record(there, "A approve")
    one, other = there.items("r1")
    forged = one.decisions[0].model_copy(update={"of": other.digest, "criterion": "ops-02"})
    text = exported(there, file).read_text()
    file.write_text(
        text.replace(one.model_dump_json(), one.model_copy(update={"decisions": (forged,)}).model_dump_json())
    )
    assert "line 3 (千代田区 ops-01, item 1 there): some of its decisions" in take_lines(here, file).problems[0]
    file.write_text(text.replace("RPAを導入しました", "RPAを導入しまズた"))
    assert ["its digest is not that of" in one for one in take_lines(new(), file).problems] == [True, True]
    assert here.log() == []


def test_what_editors_do_to_line_ends_is_no_damage(store: Store, new: Callable[[], Store], file: Path) -> None:
    text = exported(peopled(store), file).read_text("utf-8")
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n\r\n").encode())
    take_lines(other := new(), file)
    assert of(other) == of(store)


def test_there_must_be_a_file_of_bearable_size(store: Store, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (file, file.parent, Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(InputError, match=r"is not a file|cannot be read"):
            take_lines(store, path)
    with file.open("wb") as sparse:
        sparse.truncate(3_000_000_000)
    with pytest.raises(InputError, match="3,000 MB and the limit is 2,000 MB: .*one municipality"):
        take_lines(store, file)
    save(store, judgement(rationale="x" * 2_000), judgement("ops-02", rationale="x" * 2_000))
    exported(store, file)
    for most, line in ((2_000, 3), (4_000, 4)):  # one line is too long, and two together
        monkeypatch.setattr(lines, "MAX_SURVEY_BYTES", most)
        with pytest.raises(InputError, match=f"line {line}: one survey has more than"):
            take_lines(store, file)


# --- the workbook -----------------------------------------------------------------------------------------------------


def table(body: bytes, name: str = "queue") -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_name(name).to_python(skip_empty_area=False)


def by_title(body: bytes, name: str = "queue") -> list[dict[str, Any]]:
    head, *found = table(body, name)
    return [dict(zip(head, row, strict=True)) for row in found]


def written(path: Path, found: Sequence[Sequence[Any]], name: str = "queue") -> Path:
    with Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as made:
        made_sheet, day = made.add_worksheet(name), made.add_format({"num_format": "yyyy-mm-dd"})
        for at, row in enumerate(found):
            for column, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    made_sheet.write_datetime(at, column, cell, day)
                elif cell != "":
                    made_sheet.write(at, column, cell)
    return path


def filled(path: Path, body: bytes, **cells: Any) -> Path:
    """The workbook after people wrote into it: new_verdict_2="met" goes into row 2, as Excel counts."""
    found = table(body)
    for place, cell in cells.items():
        column, row = place.rsplit("_", 1)
        found[int(row) - 1][found[0].index(column)] = cell
    return written(path, found)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    with Archive(tmp_path / "archive") as archive:
        yield Desk(store, Pages(archive), lambda _: criteria(), 0.0)


def by(desk: Desk) -> Callable[[int, Answer, str], Decision]:
    return lambda number, answer, version: desk.decide(BOSS, number, answer, version=version)


def refuses(number: int, answer: Answer, version: str) -> Decision:
    raise AssertionError(f"{number} {answer} {version}")


def test_the_workbook_shows_each_item_and_each_line_of_the_log(store: Store) -> None:
    body = workbook(peopled(store))
    assert table(body)[0] == list(book.QUEUE)
    assert table(body, "log")[0] == list(book.LOG)
    shown = {row["number"]: row for row in by_title(body)}
    assert list(shown) == [2, 3, 4, 5, 6]
    for survey in store.surveys():
        for one in store.items(survey.run_id):
            row, held = shown[one.number], standing(one.decisions)
            assert row["code"] == one.municipality.code
            assert row["version"] == one.version
            assert row["confidence"] == one.judgement.confidence
            assert (row["criterion"], row["proposed_verdict"]) == (one.judgement.criterion, one.judgement.verdict.value)
            assert (row["verdict"], row["reviewer"]) == (
                (held.verdict.value, held.reviewer) if held and held.verdict else ("", "")
            )
            assert [row[title] for title in book.INPUTS] == ["", "", ""]
    assert (shown[2]["stage"], shown[2]["decided_at"]) == ("decided", "2024-05-01T09:00:00Z")
    assert (shown[3]["flags"], shown[3]["stage"]) == ("old_page, press", "open")
    assert shown[2]["quotes"] == "RPAを導入しました"
    assert [(row["number"], row["action"], row["reviewer"]) for row in by_title(body, "log")] == [
        (number, one.action.value, one.reviewer) for number, one in store.log()
    ]
    assert (
        len(by_title(workbook(store, OTHER_CITY.code))) == len(by_title(workbook(store, OTHER_CITY.code), "log")) == 1
    )
    assert by_title(workbook(store, "999999")) == []


def parts(body: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def test_the_sheets_have_a_frozen_head_a_filter_and_no_merged_cell(store: Store) -> None:
    found = parts(workbook(peopled(store)))
    for name in ("sheet1", "sheet2"):
        xml = found[f"xl/worksheets/{name}.xml"]
        assert 'ySplit="1" topLeftCell="A2"' in xml
        assert '<autoFilter ref="A1:' in xml
        assert "mergeCell" not in xml
    assert "approve,reject,met,not_met,no_evidence,unobserved" in found["xl/worksheets/sheet1.xml"]


def test_nothing_in_a_cell_becomes_a_formula_a_link_or_a_number(store: Store) -> None:
    for at, text in enumerate(AWKWARD, start=1):
        found = quote(text, url=text)
        save(store, judgement(quotes=(found,)), of=run(f"r{at:02}", Municipality(code=f"{at:06}", name=text)))
        record(store, "A approve", at, note=text, reviewer=named(text))
    body = workbook(store)
    for row, text in zip(by_title(body), AWKWARD, strict=True):
        told_ = [row[title] for title in ("municipality", "proposed_quote", "proposed_url", "quotes", "urls", "note")]
        assert told_ == [text] * 6
        assert row["reviewer"] == named(text)
        assert row["code"] == f"{row['number']:06.0f}"
    for name, xml in parts(body).items():
        assert not re.search(r"<f>|<hyperlink|<f ", xml), name
    cells = re.findall(r"<c [^>]*>", parts(body)["xl/worksheets/sheet1.xml"])
    assert all(' t="s"' in cell for cell in cells if not re.search(r' r="[AJ]\d', cell) and not cell.endswith("/>"))


@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=6))
@example(texts=CONTROLS[:9])
@example(texts=CONTROLS[1:])
@FEW
def test_labels_come_back_from_the_workbook_as_they_were(texts: list[str], empty: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(empty, tmp_path / "labels.db"))
    with Store(f"sqlite:///{path}") as store:
        for at, text in enumerate(texts, start=1):
            save(store, judgement(rationale=text), of=run(f"r{at}", Municipality(code=f"{at:06}", name=text)))
            record(store, "A approve", at, note=text, reviewer=named(text))
        body = workbook(store)
        rows = by_title(body)
        for row, one in zip(rows, of(store), strict=True):
            held = standing(one.decisions)
            assert held
            assert (row["verdict"], row["reviewer"]) == ("met", held.reviewer)
            assert (row["code"], row["criterion"], row["version"]) == (one.municipality.code, "ops-01", one.version)
        (tmp_path / "labels.xlsx").write_bytes(body)
        assert take_workbook(store, tmp_path / "labels.xlsx", refuses) == Imported(unchanged=len(texts))


def test_long_text_is_cut_where_it_is_shown_and_a_label_never(store: Store, sheet: Path) -> None:
    long = "あ" * 20_000 + "𠮷" * 20_000
    save(store, judgement(quotes=(quote(long),)))
    record(store, "A approve", note=long)
    sheet.write_bytes(body := workbook(store))
    for title in ("proposed_quote", "quotes", "note"):
        cell = by_title(body)[0][title]
        assert len(cell.encode("utf-16-le")) // 2 in (32_766, 32_767)
        assert cell == long[: len(cell) - 1] + "…"
    assert take_workbook(store, sheet, refuses) == Imported(unchanged=1)
    record(store, "A undo")
    record(store, "A approve", reviewer="長" * 40_000)
    with pytest.raises(InputError, match=r"the reviewer of 1 has more than the 32,767 characters .*JSON Lines"):
        workbook(store)


def test_more_rows_than_a_sheet_holds_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MAX_ROWS", 5)
    with pytest.raises(InputError, match="a sheet holds 5 rows and the queue has more; export it as JSON Lines"):
        workbook(peopled(store))


def test_an_unmodified_workbook_records_nothing(store: Store, sheet: Path) -> None:
    sheet.write_bytes(workbook(peopled(store)))
    assert take_workbook(store, sheet, refuses) == Imported(unchanged=5)
    assert take_workbook(store, filled(sheet, sheet.read_bytes()), refuses) == Imported(unchanged=5)


ANSWERS = [
    # new_verdict, new_quote, new_note, and what they say (None: nothing)
    ("", "", "", None),
    (" ", "\n", " \n", None),
    ("approve", "", "", Answer(Action.APPROVE)),
    (" ＡＰＰＲＯＶＥ ", "", " よし\n二行 ", Answer(Action.APPROVE, note="よし\n二行")),
    ("Reject", "", "違う", Answer(Action.REJECT, note="違う")),
    ("not_met", "", "", Answer(Action.AMEND, Verdict.NOT_MET)),
    (
        "met",
        " 一文目\r\n\n二文目\u2028続き ",
        "",
        Answer(Action.AMEND, Verdict.MET, (Claim(text="一文目"), Claim(text="二文目\u2028続き"))),
    ),
    ("no_evidence", "", "", Answer(Action.AMEND, Verdict.NO_EVIDENCE)),
    ("unobserved", "", "", Answer(Action.AMEND, Verdict.UNOBSERVED)),
    ("not_judged", "", "", Answer(Action.AMEND, Verdict.NOT_JUDGED)),
    ("", "", "=確認", Answer(Action.NOTE, note="=確認")),
    ("yes", "", "", "new_verdict 'yes' is not a word it can be: approve, reject, met,"),
    ("undo", "", "", "is not a word it can be"),
    ("not met", "", "", "is not a word it can be"),
    ("", "一文目", "", "new_quote goes with met or not_met"),
    ("approve", "一文目", "", "new_quote goes with met or not_met"),
    ("reject", "一文目", "", "new_quote goes with met or not_met"),
    ("no_evidence", "一文目", "", "new_quote goes with met or not_met"),
    ("met", 2023, "", r"new_quote holds a number or date (2023.0); format the cell as text"),
    ("met", "", dt.date(2024, 5, 1), r"new_note holds a number or date (2024-05-01); format the cell as text"),
    (True, "", "", "new_verdict holds a number or date (True)"),
]


@pytest.mark.parametrize(("verdict", "quoted", "note", "said"), ANSWERS)
def test_what_people_write_in_a_row(
    store: Store, sheet: Path, verdict: Any, quoted: Any, note: Any, said: Answer | str | None
) -> None:
    heard: list[Any] = []

    def hear(*given: Any) -> Decision:
        heard.append(given)
        return told(item(), "A approve")

    one = save(store)[0]
    cells = {"new_verdict_2": verdict, "new_quote_2": quoted, "new_note_2": note}
    taken = take_workbook(store, filled(sheet, workbook(store), **cells), hear)
    assert heard == ([(1, said, one.version)] if isinstance(said, Answer) else [])
    assert (taken.recorded, taken.unchanged) == (len(heard), said is None)
    assert [said in problem for problem in taken.problems] == ([True] if isinstance(said, str) else [])
    assert all(problem.startswith("row 2 (item 1): ") for problem in taken.problems)


def test_the_filled_rows_become_decisions_and_the_others_stay(store: Store, desk: Desk, sheet: Path) -> None:
    save(store, *(judgement(f"ops-0{at}") for at in range(1, 7)))
    body = workbook(store)
    record(store, "A reject", 4)
    cells = {"new_verdict_2": "approve", "new_note_2": "確認した", "new_verdict_3": "no_evidence", "new_note_4": "後で"}
    cells |= {"new_verdict_5": "approve", "new_verdict_6": "met", "new_quote_6": "どこにもない文"}
    taken = take_workbook(store, filled(sheet, body, **cells), by(desk))
    assert (taken.recorded, taken.unchanged, len(taken.problems)) == (3, 1, 2)
    assert re.search(r"row 5 \(item 4\): .*has changed since it was shown", taken.problems[0])
    assert re.search(r"row 6 \(item 5\): .*「どこにもない文」 stands on none", taken.problems[1])
    steps = [[(line.action.value, line.reviewer, line.note) for line in one.decisions] for one in store.items("r1")]
    assert steps[:3] == [
        [("approve", BOSS.name, "確認した")],
        [("amend", BOSS.name, "")],
        [("note", BOSS.name, "後で")],
    ]
    assert [len(one) for one in steps[3:]] == [1, 0, 0]

    again = take_workbook(store, sheet, by(desk))
    assert (again.recorded, len(again.problems)) == (0, 5)
    assert len(store.log()) == 4


def test_a_row_about_an_older_state_is_stale(store: Store, desk: Desk, sheet: Path) -> None:
    save(store, judgement(), judgement("ops-02"))
    body = workbook(store)
    record(store, "A note")
    taken = take_workbook(store, filled(sheet, body, new_verdict_2="approve"), by(desk))
    assert (taken.recorded, taken.unchanged) == (0, 1)
    assert re.search(
        r"row 2 \(item 1\): .*ops-01.* has changed since it was shown; export the queue again", taken.problems[0]
    )
    record(store, "A approve")
    sheet_now = filled(sheet, workbook(store), new_verdict_2="reject")
    assert re.search(r"row 2 \(item 1\): .*already decided", take_workbook(store, sheet_now, by(desk)).problems[0])
    # and one nobody filled in is no problem, whatever has happened to its item since
    save(store, judgement("ops-02", quotes=(quote("別の文"),)))
    assert take_workbook(store, filled(sheet, body), refuses) == Imported(unchanged=2)
    assert len(take_workbook(store, filled(sheet, body, new_verdict_3="approve"), by(desk)).problems) == 1


ROWS = [
    ({"verdict_2": "not_met"}, "verdict was changed from 'met' to 'not_met'.*write your decision in new_verdict"),
    ({"verdict_2": ""}, "verdict was changed from 'met' to ''"),
    ({"reviewer_2": "私"}, "reviewer was changed from 'A' to '私'"),
    ({"reviewer_2": 5}, "reviewer was changed from 'A' to '5.0'"),
    ({"verdict_3": "met"}, "verdict was changed from '' to 'met'.*new_verdict"),
    ({"verdict_3": "met", "new_verdict_3": "approve"}, "verdict was changed"),
    ({"criterion_2": "ops-02"}, "item 1 is 131016 ops-01, and its row says otherwise; was the sheet sorted"),
    ({"code_2": "142093"}, "its row says otherwise"),
    ({"run_id_2": "r9"}, "has no item 1 in run 'r9'"),
    ({"number_2": 7}, "has no item 7 in run 'r1'"),
    ({"number_2": 99_999_999_999}, "has no item 99999999999"),
    ({"number_2": 1.5}, "its number is none"),
    ({"number_2": ""}, r"row 2 \(item \?\): its number is none"),
    ({"number_2": True}, "its number is none"),
    ({"number_2": dt.date(2024, 1, 1)}, "its number is none"),
    ({"version_2": "1"}, "its version '1' is none"),
    ({"version_2": ""}, "its version '' is none"),
]


@pytest.mark.parametrize(("cells", "problem"), ROWS)
def test_a_row_whose_own_cells_were_changed_is_a_problem(
    store: Store, sheet: Path, cells: dict[str, Any], problem: str
) -> None:
    save(store, judgement(), judgement("ops-02"))
    record(store, "A approve")
    taken = take_workbook(store, filled(sheet, workbook(store), **cells), refuses)
    assert (taken.recorded, taken.unchanged, len(taken.problems)) == (0, 1, 1)
    assert re.search(problem, taken.problems[0])


def test_what_other_programs_make_of_the_cells_is_understood(store: Store, sheet: Path) -> None:
    """Columns moved and added, empty rows, numbers as text and a code as a number."""
    save(store, judgement(), of=run("r1", Municipality(code="011002", name="札幌市")))
    head, row = table(workbook(store))
    row[head.index("number")], row[head.index("code")] = "1", 11002
    found = [[*head[::-1], "ours"], [], [*row[::-1], "x"], [], ["", "", "メモ"]]
    found[-1] = [""] * len(head) + ["メモ"]
    assert take_workbook(store, written(sheet, found), refuses) == Imported(unchanged=1)


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in members.items():
            package.writestr(name, body)
    return path


def far_cells(path: Path) -> Path:
    """Two cells, for which a reader makes room for 17,179,869,184."""
    with Workbook(path) as made:
        made_sheet = made.add_worksheet("queue")
        made_sheet.write(0, 0, "number")
        made_sheet.write(1_048_575, 16_383, "x")
    return path


def cut(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


def without(path: Path, body: bytes, part: str) -> Path:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        return packed(path, **{name: package.read(name) for name in package.namelist() if name != part})


def garbled(path: Path, body: bytes) -> Path:
    found = {name: text.encode() for name, text in parts(body).items()}
    name = "xl/worksheets/sheet1.xml"
    return packed(path, **(found | {name: found[name][: len(found[name]) // 2] + b"<<<"}))


BOOKS: list[tuple[Callable[[Path, bytes], Path], str]] = [
    (lambda path, body: path, "is not a file"),
    (lambda path, body: path.parent, "is not a file"),
    (lambda path, body: cut(path, b""), "is not an xlsx file"),
    (lambda path, body: cut(path, b"number,version\n1,2\n"), "is not an xlsx file .*or export the queue again"),
    (lambda path, body: cut(path, body[: len(body) // 2]), "is not an xlsx file .*cut off"),
    (lambda path, body: cut(path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99), "is not an xlsx file .*password"),
    (lambda path, body: packed(path, a=b"b"), "is a zip file and not an xlsx"),
    (lambda path, body: packed(path, **{"xl/workbook.xml": b"<a/>"}), "cannot be read as an xlsx within safe limits"),
    (lambda path, body: without(path, body, "xl/worksheets/sheet1.xml"), "cannot be read as an xlsx"),
    (lambda path, body: garbled(path, body), "cannot be read as an xlsx"),
    (lambda path, body: far_cells(path), "cannot be read as an xlsx within safe limits"),
    (lambda path, body: written(path, table(body), "Sheet1"), "has no sheet 'queue' .it has Sheet1"),
    (lambda path, body: written(path, []), "the first row lacks the columns number, version"),
    (lambda path, body: written(path, [row[:-1] for row in table(body)]), "lacks the columns new_note"),
    (lambda path, body: written(path, table(body)[1:]), "the first row lacks the columns number"),
    (lambda path, body: written(path, [[*row, row[0]] for row in table(body)]), "columns number come twice"),
]


@pytest.mark.parametrize(("make", "message"), BOOKS)
def test_a_file_that_is_no_workbook_of_ours_decides_nothing(
    store: Store, sheet: Path, make: Callable[[Path, bytes], Path], message: str
) -> None:
    save(store)
    body = filled(sheet, workbook(store), new_verdict_2="approve").read_bytes()
    sheet.unlink()
    with pytest.raises(InputError, match=message):
        take_workbook(store, make(sheet, body), refuses)


def test_a_workbook_of_absurd_size_is_refused_before_it_is_unpacked(store: Store, sheet: Path) -> None:
    with sheet.open("wb") as sparse:
        sparse.truncate(60_000_000)
    with pytest.raises(InputError, match="60 MB and the limit is 50 MB"):
        take_workbook(store, sheet, refuses)
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("xl/workbook.xml", b"<a/>")
        with package.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            for _ in range(52):
                part.write(bytes(10_000_000))
    assert sheet.stat().st_size < 5_000_000
    with pytest.raises(InputError, match="would unpack to 520 MB and the limit is 500 MB"):
        take_workbook(store, sheet, refuses)


def test_a_workbook_that_lies_about_its_size_is_not_read(store: Store, sheet: Path) -> None:
    save(store)
    found = {name: text.encode() for name, text in parts(workbook(store)).items()}
    found["xl/sharedStrings.xml"] = found["xl/sharedStrings.xml"].replace(b"</t>", b"x" * 5_000_000 + b"</t>", 1)
    body, size = packed(sheet, **found).read_bytes(), len(found["xl/sharedStrings.xml"]).to_bytes(4, "little")
    assert body.count(size) == 2
    sheet.write_bytes(body.replace(size, (1_000).to_bytes(4, "little")))
    with pytest.raises(InputError, match="cannot be read as an xlsx within safe limits"):
        take_workbook(store, sheet, refuses)


def test_a_long_text_in_many_cells_is_read_within_limits(
    store: Store, sheet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small in the file, where it stands once, and 2 GB in memory."""
    monkeypatch.setattr(sheets, "_MEMORY_BYTES", 200_000_000)
    save(store)
    found = {name: text.encode() for name, text in parts(workbook(store)).items()}
    found["xl/sharedStrings.xml"] = found["xl/sharedStrings.xml"].replace(b"</t>", b"x" * 1_000_000 + b"</t>", 1)
    cells = "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(3, 2_003)).encode()
    name = "xl/worksheets/sheet1.xml"
    packed(sheet, **(found | {name: found[name].replace(b"</sheetData>", cells + b"</sheetData>")}))
    with pytest.raises(InputError, match="cannot be read as an xlsx within safe limits"):
        take_workbook(store, sheet, refuses)


def test_a_bad_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.xlsx is not a file; give one that Akashi exported"):
        imported.opened(tmp_path / "none.xlsx", most_bytes=1, because="")


def test_a_refusal_of_the_desk_is_the_only_error_that_a_row_may_have(store: Store, sheet: Path) -> None:
    """Anything else is no fault of the row: it ends the import, and what was recorded stays."""
    save(store)
    filled(sheet, workbook(store), new_verdict_2="approve")
    for error, ends in ((DecisionError("no"), False), (OSError("disk"), True)):

        def fails(*_: Any, error: Exception = error) -> Decision:
            raise error

        if ends:
            with pytest.raises(OSError, match="disk"):
                take_workbook(store, sheet, fails)
        else:
            assert take_workbook(store, sheet, fails).problems == ("row 2 (item 1): no",)
