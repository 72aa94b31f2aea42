"""What is exported is what people confirmed: the numbers add up, and no text of others becomes anything but text."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import report_data as data
import yaml
from babel.messages.pofile import read_po
from commands import classify
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from queue_data import CITY, CRITERIA_SHA, OTHER_CITY, criteria, judgement, measurement, quote, run, save, told
from reviewing import database_of
from test_review_words import JAPANESE, constants
from xlsxwriter.utility import xl_rowcol_to_cell

from pipeline.cells import MAX_CELL_CHARS, neutral, plain
from pipeline.errors import InputError
from pipeline.exports import rows, words, write_csv, write_workbook
from pipeline.exports import workbook as book
from pipeline.exports.columns import DATA, METHODS, POINTS, QUOTES, SHEETS, SURVEYS, Sheet
from pipeline.models import Match, Municipality, QueueItem, RunState, Verdict
from pipeline.report.words import visible
from pipeline.results import Result, newest
from pipeline.score import score
from pipeline.store.store import Store
from pipeline.workspace import Workspace

FORMULAS = yaml.safe_load((Path(__file__).parent / "files" / "formulas.yaml").read_text("utf-8"))
SOFFICE = shutil.which("soffice")
# Separators , ; and TAB all at once, and texts looked at for formulas and numbers.
CSV_IN = "--infilter=CSV:44/59/9,34,76,1,,0,false,true,false,false,false,1"
CREATED = datetime(2025, 5, 1, 9, 0, tzinfo=UTC)
LONG_URL = "https://www.city.shirasagihama.example/" + "a" * 2_050


def result(items: Sequence[QueueItem] | None = None, **changes: Any) -> Result:
    made, queue, asked = data.run(**changes), items if items is not None else data.items(), data.criteria_set()
    queue = tuple(one.model_copy(update={"run_id": made.id, "municipality": made.municipality}) for one in queue)
    return Result(made, asked, queue, score(made, queue, asked))


def place(code: str, name: str = "白鷺浜市") -> Municipality:
    return data.PLACE.model_copy(update={"code": code, "name": name})


def table(path: Path, sheet: Sheet = DATA, language: str = "ja") -> list[dict[str, Any]]:
    """The sheet's rows by the Japanese titles of its columns, as the file has them."""
    name = words.say(language)(sheet.name)
    head, *found = CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python(skip_empty_area=False)
    assert head == [words.say(language)(column.title) for column in sheet.columns]
    return [dict(zip((column.title for column in sheet.columns), row, strict=True)) for row in found]


def lines(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return [dict(one) for one in csv.DictReader(file, strict=True)]


def parts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


@pytest.fixture
def xlsx(tmp_path: Path) -> Path:
    path = tmp_path / "made.xlsx"
    write_workbook([result()], path, language="ja", created=CREATED)
    return path


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_points_of_the_rows_add_up_to_the_score_of_the_decision_log(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.keep(criteria())
    verdicts = (Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE)
    other = dict(zip(verdicts, (" not_met", " met", " met"), strict=True))
    steps = (
        "A approve",
        "B amend",
        "C approve",
        "D approve, D undo",
        "",
        "E approve, E undo, E amend",
        "F approve",
        "",
        "G amend",
    )
    with Store(database_of(tmp_path)) as store:
        for number, city in enumerate((CITY, OTHER_CITY), start=1):
            asked = [judgement(one.id, verdicts[(at + number) % 3]) for at, one in enumerate(criteria().criteria)]
            for item, taken in zip(save(store, *asked, of=run(f"r{number}", city)), steps, strict=True):
                for step in filter(None, taken.split(", ")):
                    store.record(told(item, step + other[item.judgement.verdict] * step.endswith("amend")))
        found = list(newest(store, workspace, "test"))
        log = {(one.municipality, one.criterion): one.verdict for _, one in store.log()}  # the last line stands
    write_workbook(found, tmp_path / "all.xlsx", language="ja")
    write_csv(found, tmp_path / "all.csv", language="ja")
    assert len(found) == 2
    for one in found:
        code = one.run.municipality.code
        points = [row.point for row in rows(one)]
        assert sum(points) == one.score.points == list(_of(log, code)).count(Verdict.MET) > 1
        mine = [row for row in table(tmp_path / "all.xlsx") if row["団体コード"] == code]
        assert sum(row["得点"] for row in mine) == one.score.points
        assert sum(int(row["得点"]) for row in lines(tmp_path / "all.csv") if row["団体コード"] == code) == sum(points)
        shown = [row for row in table(tmp_path / "all.xlsx", POINTS) if row["団体コード"] == code]
        told_ = [(row["得点"], row["満点"], row["暫定"], row["確認待ち"]) for row in shown]
        assert told_ == [(v.confirmed, v.possible, v.provisional, v.awaiting) for v in one.score.viewpoints]


def _of(log: dict[tuple[str, str], Verdict | None], code: str) -> Iterator[Verdict | None]:
    return (verdict for (municipality, _), verdict in log.items() if municipality == code)


def test_what_nobody_confirmed_is_told_apart_and_gives_no_point(xlsx: Path) -> None:
    found = {row["項目番号"]: row for row in table(xlsx)}
    asked = {one.id for one in data.criteria_set().criteria}
    assert set(found) == asked
    for criterion, row in found.items():
        assert row["確認済み"] == ("いいえ" if criterion in data.AWAITING else "はい")
        assert row["得点"] == (row["判定キー"] == "met" and criterion not in data.AWAITING)
        assert bool(row["確認者"]) == bool(row["確認日"]) == (criterion not in data.AWAITING)
    assert found["ops-08"]["判定キー"] == "met", "proposed, not decided"


def test_a_criterion_without_any_judgement_is_not_judged() -> None:
    found = {row.criterion: row for row in rows(result(data.items()[1:]))}
    assert (found["policy-01"].said.verdict, found["policy-01"].point) == (Verdict.NOT_JUDGED, 0)


# --- cells ------------------------------------------------------------------------------------------------------------


def test_codes_are_text_and_days_are_days(tmp_path: Path) -> None:
    write_workbook([result(municipality=place("010006"))], tmp_path / "a.xlsx", language="ja")
    write_csv([result(municipality=place("010006"))], tmp_path / "a.csv", language="ja")
    row = table(tmp_path / "a.xlsx")[1]
    assert (row["団体コード"], row["基準日"], row["ページの日付"]) == ("010006", date(2025, 3, 31), date(2023, 4, 3))
    assert isinstance(row["確認日"], date)
    line = lines(tmp_path / "a.csv")[1]
    assert (line["団体コード"], line["基準日"], line["ページの日付"]) == ("010006", "2025-03-31", "2023-04-03")
    assert b'\r\n"010006","' in (tmp_path / "a.csv").read_bytes()


def test_a_quote_stands_with_its_place_in_the_archived_copy(xlsx: Path) -> None:
    shown = {(row["項目番号"], row["順番"]): row for row in table(xlsx, QUOTES)}
    stated = {one.criterion: one for one in rows(result())}
    expected = {
        (criterion, number): one
        for criterion, quotes in data.QUOTES.items()
        if stated[criterion].said.verdict in (Verdict.MET, Verdict.NOT_MET)
        for number, one in enumerate(quotes, start=1)
    }
    assert set(shown) == set(expected)
    assert len(expected) > 20
    for key, one in expected.items():
        row = shown[key]
        assert (row["引用"], row["写しのSHA-256"]) == (one.text, one.page_sha256)
        assert (row["開始位置"], row["終了位置"], row["アドレス"]) == (one.start, one.end, one.url)


def test_a_measurement_stands_with_its_threshold_and_the_copy_it_was_read_from(xlsx: Path) -> None:
    row = next(row for row in table(xlsx) if row["項目番号"] == "resident-01")
    assert (row["測定値"], row["単位"], row["しきい値"]) == (1.0, "日", 3.0)
    assert (row["アドレス"], row["写しのSHA-256"]) == (data.MEASURED.urls[0], data.MEASURED.sha256s[0])


def test_a_survey_tells_what_it_did_not_see(xlsx: Path) -> None:
    [row] = table(xlsx, SURVEYS)
    assert (row["読了"], row["未読"], row["未取得"], row["得点"]) == (389, 9, 2, result().score.points)
    assert row["収集開始"] == datetime(2025, 4, 2, 9, 12, 5)
    methods = {(row["区分"], row["項目"]): row["内容"] for row in table(xlsx, METHODS)}
    assert methods["調査項目", "SHA-256"] == data.criteria_set().sha256
    assert methods["調査", "収集開始（最初）"] == "2025-04-02 09:12"
    assert methods["調査", "読めなかったアドレス"] == "9"
    assert methods["判定", "未観測 (unobserved)"] == "関係するページを読めず、記載の有無が分からない"


def test_a_survey_without_a_record_of_its_crawl_says_nothing_of_it(tmp_path: Path) -> None:
    write_workbook([result(coverage=None)], tmp_path / "a.xlsx", language="ja")
    [row] = table(tmp_path / "a.xlsx", SURVEYS)
    assert [row[title] for title in ("収集開始", "読了", "未読", "未取得")] == [""] * 4


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://www.city.shirasagihama.example/a?b=c&d=é#e", True),
        ("javascript:alert(1)", False),
        ("https://user@evil.example/", False),
        ("file:///etc/passwd", False),
        ("internal:Sheet1!A1", False),
        ("external:evil.xlsx", False),
        pytest.param(LONG_URL, False, id="long"),
    ],
)
def test_addresses_are_links_where_they_are_plain_and_short_enough(tmp_path: Path, url: str, linked: bool) -> None:
    write_workbook([result(quoting(url=url))], tmp_path / "a.xlsx", language="ja")
    assert table(tmp_path / "a.xlsx")[0]["アドレス"] == url
    column = [one.value for one in DATA.columns].index("proof.url")
    anchor = f'<hyperlink ref="{xl_rowcol_to_cell(1, column)}" '
    assert (anchor in parts(tmp_path / "a.xlsx")["xl/worksheets/sheet1.xml"]) is linked


def test_no_sheet_has_more_links_than_excel_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MAX_LINKS", 7)
    write_workbook([result(), result(municipality=place("010006"))], tmp_path / "a.xlsx", language="ja")
    assert parts(tmp_path / "a.xlsx")["xl/worksheets/sheet1.xml"].count("<hyperlink ") == 7
    assert sum(bool(row["アドレス"]) for row in table(tmp_path / "a.xlsx")) > 40


def test_more_rows_than_a_sheet_holds_are_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "MAX_ROWS", 5)
    with pytest.raises(InputError, match="a sheet holds 5 rows and Data has more; name fewer with --city"):
        write_workbook([result()], tmp_path / "a.xlsx", language="ja")
    assert list(tmp_path.iterdir()) == []


def test_a_text_longer_than_a_cell_is_cut_where_it_is_seen(tmp_path: Path) -> None:
    long = "あ" * 20_000 + "𠮷" * 20_000
    write_workbook([result(quoting(long))], tmp_path / "a.xlsx", language="ja")
    cell = table(tmp_path / "a.xlsx")[0]["引用"]
    assert cell == long[: len(cell) - 1] + "…"
    assert MAX_CELL_CHARS - 1 <= len(cell.encode("utf-16-le")) // 2 <= MAX_CELL_CHARS


@pytest.mark.parametrize("day", [date(1868, 1, 25), date(1900, 2, 28), date(1900, 3, 1), date(9999, 12, 31)])
def test_a_day_before_excels_calendar_is_text(tmp_path: Path, day: date) -> None:
    write_workbook([result(quoting(dated=day))], tmp_path / "a.xlsx", language="ja")
    assert str(table(tmp_path / "a.xlsx")[0]["ページの日付"]) == day.isoformat()


def test_a_number_that_is_none_is_text(tmp_path: Path) -> None:
    found = replace(result(), items=())
    odd = measurement(float("nan"))
    queue = (data.items(awaiting=None)[0].model_copy(update={"judgement": judgement("policy-01", measurement=odd)}),)
    queue = (queue[0].model_copy(update={"run_id": found.run.id}),)
    write_workbook(
        [replace(found, items=queue, score=score(found.run, queue, found.criteria))], tmp_path / "a.xlsx", language="ja"
    )
    assert table(tmp_path / "a.xlsx")[0]["測定値"] == "nan"


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    found = [result(), result(municipality=place("010006"))]
    for name in ("a", "b"):
        write_workbook(found, tmp_path / f"{name}.xlsx", language="ja", created=CREATED)
        write_csv(found, tmp_path / f"{name}.csv", language="ja")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_workbook_says_that_it_was_made_when_the_newest_decision_was(tmp_path: Path) -> None:
    write_workbook([result()], tmp_path / "a.xlsx", language="ja")
    last = max(line.decided_at for item in data.items() for line in item.decisions)
    assert f">{last:%Y-%m-%dT%H:%M:%SZ}</dcterms:created>" in parts(tmp_path / "a.xlsx")["docProps/core.xml"]
    write_workbook([result(data.items(awaiting=None))], tmp_path / "b.xlsx", language="ja")
    ended = data.run().finished
    assert f">{ended:%Y-%m-%dT%H:%M:%SZ}</dcterms:created>" in parts(tmp_path / "b.xlsx")["docProps/core.xml"]


def test_every_sheet_is_made_to_be_read_sorted_and_printed(xlsx: Path) -> None:
    found = parts(xlsx)
    assert CalamineWorkbook.from_path(xlsx).sheet_names == [sheet.name for sheet in SHEETS]
    for number, sheet in enumerate(SHEETS, start=1):
        xml = found[f"xl/worksheets/sheet{number}.xml"]
        assert 'ySplit="1"' in xml
        assert '<autoFilter ref="A1:' in xml
        assert 'orientation="landscape"' in xml
        assert 'paperSize="9"' in xml
        assert 'fitToHeight="0"' in xml
        assert "mergeCell" not in xml
        assert f"'{sheet.name}'!$1:$1" in found["xl/workbook.xml"].replace(f">{sheet.name}!", f">'{sheet.name}'!")


def test_titles_of_one_sheet_differ_in_both_languages() -> None:
    for language in ("ja", "en"):
        say = words.say(language)
        for sheet in SHEETS:
            titles = [say(column.title) for column in sheet.columns]
            assert len(set(titles)) == len(titles)
        assert len({say(sheet.name) for sheet in SHEETS}) == len(SHEETS)


def test_english_headings_and_verdicts(tmp_path: Path) -> None:
    write_workbook([result()], tmp_path / "a.xlsx", language="en")
    row = table(tmp_path / "a.xlsx", language="en")[0]
    assert (row["観点"], row["調査項目"]) == (
        data.criteria_set().viewpoints[0].name_en,
        data.criteria_set().criteria[0].statement_en,
    )
    assert (row["判定"], row["確認済み"]) == ("met", "yes")
    write_csv([result()], tmp_path / "a.csv", language="en")
    assert lines(tmp_path / "a.csv")[0]["Municipality code"] == data.PLACE.code


def test_csv_is_quoted_ended_and_marked_as_excel_here_wants_it(tmp_path: Path) -> None:
    write_csv([result(quoting('「A, "B"」\n二行目'))], tmp_path / "a.csv", language="ja")
    body = (tmp_path / "a.csv").read_bytes()
    assert body.startswith(b'\xef\xbb\xbf"')
    assert body.endswith(b"\r\n")
    assert '"「A, ""B""」\n二行目"'.encode() in body
    assert re.search(rb"[^\r]\n", body.replace("\n二行目".encode(), b"")) is None
    assert lines(tmp_path / "a.csv")[0]["引用"] == '「A, "B"」\n二行目'


def test_cp932_holds_what_it_can_and_names_what_it_cannot(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    write_csv([result(quoting("髙﨑①㈱～－"))], out, language="ja", encoding="cp932")
    assert lines(out, "cp932")[0]["引用"] == "髙﨑①㈱～－"
    kept = out.read_bytes()
    told_ = r"白鷺浜市 policy-01, column 引用, row 2: CP932 has no '𠮷' \(U\+20BB7\)\. Nothing was written; .*utf-8"
    with pytest.raises(InputError, match=told_):
        write_csv([result(quoting("𠮷野家"))], out, language="ja", encoding="cp932")
    assert out.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("write", [write_csv, write_workbook])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, write: Callable[..., None]) -> None:
    with pytest.raises(InputError, match=r"nowhere.* cannot be written \(No such file or directory\)"):
        write([result()], tmp_path / "nowhere" / "a.xlsx", language="ja")


def test_one_result_is_held_at_a_time(tmp_path: Path) -> None:
    import gc
    import weakref

    known: list[weakref.ref[Any]] = []

    def one_by_one() -> Iterator[Result]:
        for number in range(6):
            made = result(municipality=place(f"01000{number}"))
            known.append(weakref.ref(made))
            yield made
            del made
            gc.collect()
            assert sum(one() is not None for one in known) <= 1

    write_workbook(one_by_one(), tmp_path / "a.xlsx", language="ja")
    known.clear()
    write_csv(one_by_one(), tmp_path / "a.csv", language="ja")


# --- formulas ---------------------------------------------------------------------------------------------------------


def quoting(text: str = "連携しています。", **changes: Any) -> list[QueueItem]:
    """The items with that quote first."""
    first, *others = data.items()
    found = quote(text, **({"match": Match.EXACT} | changes))
    decisions = tuple(one.model_copy(update={"quotes": (found,)}) for one in first.decisions)
    judged = first.judgement.model_copy(update={"quotes": (found,)})
    return [first.model_copy(update={"judgement": judged, "decisions": decisions}), *others]


def injected(text: str, number: int) -> Result:
    """A survey of one criterion in which page, reviewer and registry say nothing but that text."""
    first = quoting(text, title=text, url=text)[0]
    line = first.decisions[0].model_copy(update={"reviewer": text, "note": text})
    where, asked = Municipality(code=f"{number:06}", name=text, prefecture=text), data.criteria_set()
    asked = asked.model_copy(update={"criteria": asked.criteria[:1]})
    items = (first.model_copy(update={"decisions": (line,), "municipality": where}),)
    made = data.run(municipality=where)
    return Result(made, asked, items, score(made, items, asked))


SAID = ("都道府県", "市区町村", "引用", "アドレス", "確認者", "確認メモ")


@pytest.fixture(scope="module")
def injections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formulas")
    found = [injected(text, number) for number, text in enumerate(FORMULAS)]
    write_workbook(found, folder / "all.xlsx", language="ja")
    write_csv(found, folder / "all.csv", language="ja")
    return folder


def test_there_are_enough_injections() -> None:
    assert len(set(FORMULAS)) == len(FORMULAS) >= 100


def test_no_text_becomes_a_formula_in_the_workbook(injections: Path) -> None:
    for row, text in zip(table(injections / "all.xlsx"), FORMULAS, strict=True):
        assert [row[title] for title in SAID] == [visible(text)] * len(SAID)
        assert row["ページの題名"] == visible(text).strip()
    for row, text in zip(table(injections / "all.xlsx", QUOTES), FORMULAS, strict=True):
        assert row["引用"] == visible(text)
    for name, xml in parts(injections / "all.xlsx").items():
        assert not re.search(r"<f[ >/]", xml), name
        assert "externalLink" not in name
        targets = re.findall(r'Target="([^"]+)" TargetMode="External"', xml)
        assert all(one.startswith(("https://www.city.shirasagihama.example/", data.PRESS)) for one in targets)
    cells = re.findall(
        r'<c r="[A-Z]+\d+"[^>]*?(?: t="(\w+)")?>', parts(injections / "all.xlsx")["xl/worksheets/sheet1.xml"]
    )
    assert set(cells) == {"inlineStr", ""}, "texts, and numbers"


def test_no_text_begins_like_a_formula_in_csv_and_each_is_got_back(injections: Path) -> None:
    for row, text in zip(lines(injections / "all.csv"), FORMULAS, strict=True):
        assert [plain(row[title]) for title in SAID] == [visible(text)] * len(SAID)
        for cell in row.values():
            for begun in re.split(r"[;\t\r\n]", cell):
                assert not re.match(r"""["\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠−]""", begun) or begun == "", cell


if SOFFICE:  # where LibreOffice is installed it must compute nothing either

    def formulas(path: Path, *options: str) -> int:
        """How many cells and links to other programs LibreOffice computes on opening the file."""
        assert SOFFICE
        folder = path.parent
        command = [SOFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "fods"]
        subprocess.run([*command, *options, "--outdir", str(folder), str(path)], check=True, timeout=100)
        made = path.with_suffix(".fods").read_text("utf-8")
        assert made.count("<table:table-row") >= len(FORMULAS)
        return made.count("table:formula=") + len(re.findall(r"<table:dde-link\b(?!s)", made))

    def test_libreoffice_computes_nothing(injections: Path) -> None:
        assert formulas(injections / "all.xlsx") == 0
        assert formulas(injections / "all.csv", CSV_IN) == 0
        with (injections / "bare.csv").open("w", encoding="utf-8-sig", newline="") as file:
            for row in lines(injections / "all.csv"):
                csv.writer(file).writerow(map(plain, row.values()))
        assert formulas(injections / "bare.csv", CSV_IN) > len(FORMULAS), "without the marks it does"


@given(st.text(st.sampled_from("=+-@＝;'\"\t\r\n \u200b\ufeffaあ1"), max_size=12))
def test_marks_in_csv_can_always_be_taken_off(text: str) -> None:
    assert plain(neutral(text)) == text
    assert len(neutral(text)) - len(text) == neutral(text).count("'") - text.count("'")


@pytest.mark.parametrize(
    "text", ["", "市民課", "令和6年4月-5月", "A=B", "03-1234-5678", "a@b.example", "'quoted'", "一行目\n二行目"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert neutral(text) == text


def test_marks_are_found_in_a_moment_however_long_the_text() -> None:
    for text in ("\n" * 200_000, ";" * 200_000, "'" * 200_000, "\n" * 200_000 + "="):
        assert plain(neutral(text)) == text


# --- words ------------------------------------------------------------------------------------------------------------


def said() -> set[str]:
    room = Path(words.__file__).parent
    return {word for path in room.glob("*.py") for word in constants(path) if JAPANESE.search(word)} | words.borrowed()


def test_the_english_catalog_is_complete_holds_nothing_else_and_is_english() -> None:
    with (words.CATALOGS / "en.po").open("rb") as file:
        known = {str(one.id): str(one.string) for one in read_po(file, locale="en") if one.id}
    assert set(known) == said()
    assert [text for text in known.values() if not text.strip() or JAPANESE.search(text)] == []


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace with two places surveyed under bare names; one of them is decided."""
    folder = tmp_path / "home"
    Workspace(folder).keep(criteria())
    with Store(database_of(folder)) as store:
        for number, name in enumerate(("汐凪町", "霧ヶ浜市"), start=1):
            city = Municipality(code=f"x{number:010x}", name=name)
            [item] = save(store, judgement(), of=run(f"r{number}", city))
            if number == 1:
                store.record(told(item, "佐藤 approve"))
        save(store, judgement(), of=run("r9", Municipality(code="x00000000ff", name="未了村"), state=RunState.JUDGING))
    assert criteria().sha256 == CRITERIA_SHA
    return folder


def test_the_newest_finished_surveys_are_exported_or_those_of_one_municipality(home: Path, tmp_path: Path) -> None:
    everything, one = tmp_path / "all.xlsx", tmp_path / "one.csv"
    assert classify(home, "export", "--out", str(everything), "--criteria", "test").strip() == str(everything)
    found = table(everything)
    assert [row["市区町村"] for row in found] == ["汐凪町"] * 9 + ["霧ヶ浜市"] * 9
    assert sum(row["得点"] for row in found) == 1
    classify(home, "export", "--out", str(one), "--criteria", "test", "--city", "霧ヶ浜市", "--language", "en")
    assert {row["Municipality"] for row in lines(one)} == {"霧ヶ浜市"}
    both = ("--city", "霧ヶ浜市", "--city", "汐凪町")
    classify(home, "export", "--out", str(one), "--criteria", "test", *both, "--encoding", "cp932")
    assert len(lines(one, "cp932")) == 18


@pytest.mark.parametrize(
    ("options", "told_"),
    [
        (("--out", "a.ods"), "--out a.ods: end the name in .xlsx or .csv."),
        (("--out", "a.xlsx", "--encoding", "cp932"), "--encoding cp932 is for .csv"),
        (("--out", "a.xlsx", "--encoding", "sjis"), "'sjis' is not one of 'utf-8', 'cp932'"),
        (("--out", "a.xlsx", "--language", "fr"), "'fr' is not one of 'ja', 'en'"),
        (("--out", "a.xlsx"), "no finished survey by the criteria dx-2024 in "),
        (("--out", "a.xlsx", "--city", "汐凪町"), "汐凪町: no finished survey by the criteria dx-2024 in "),
        (
            ("--out", "a.xlsx", "--criteria", "test", "--city", "未了村"),
            "未了村: no finished survey by the criteria test",
        ),
        (("--out", "no/a.csv", "--criteria", "test"), "no/a.csv cannot be written (No such file or directory)."),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told_: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert told_ in re.sub(r"\s+", " ", classify(home, "export", *options, code=2))
    assert list((tmp_path / "here").iterdir()) == []
