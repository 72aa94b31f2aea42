"""A self-reported survey beside our verdicts: what is compared, what is told, and that no verdict moves."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from commands import classify
from crosscheck_data import HEADER, MAPPING, csv_of, mapping, result
from queue_data import CITY, OTHER_CITY, judgement

from pipeline import criteria
from pipeline.agreement import cohen
from pipeline.crosscheck import Crosscheck, crosscheck, hints, open_pairs, read, survey, words
from pipeline.crosscheck import mapping as mappings
from pipeline.crosscheck.build import MIN_KAPPA_PAIRS, read_cell, relation
from pipeline.crosscheck.html import html
from pipeline.crosscheck.nouns import Answer, How, NoKappa, Reading, Relation, Row, Why
from pipeline.crosscheck.table import COLUMNS, neutral, table
from pipeline.errors import CriteriaError, InputError
from pipeline.models import Municipality, Verdict
from pipeline.municipality import check_digit
from pipeline.results import Result
from pipeline.settings import bundled

SHIPPED = "digital-agency-2024"
ROW = (CITY.code, CITY.prefecture, CITY.name, "実施", "実施", "実施", "10%", "実施")


def found(folder: Path, *rows: tuple[str, ...], of: list[Result] | None = None, **how: str) -> Crosscheck:
    asked = mapping(folder)
    return crosscheck(of or [result()], read([csv_of(folder, *rows, **how)], asked), asked)


def only(checked: Crosscheck, item: str) -> Row:
    (row,) = (row for row in checked.rows if row.item == item)
    return row


# --- what is compared -------------------------------------------------------------------------------------------------

MET, NOT_MET, NONE = Verdict.MET, Verdict.NOT_MET, Verdict.NO_EVIDENCE
YES, NO, SILENT = Answer.YES, Answer.NO, Answer.SILENT


@pytest.mark.parametrize(
    ("how", "answer", "verdict", "expected", "why"),
    [
        (How.SAME, YES, MET, Relation.AGREE, Why.NOTHING),
        (How.SAME, NO, NOT_MET, Relation.AGREE, Why.NOTHING),
        (How.SAME, NO, NONE, Relation.AGREE, Why.NOTHING),
        (How.SAME, YES, NONE, Relation.FOUND_NOTHING, Why.NOTHING),
        (How.SAME, YES, NOT_MET, Relation.PAGE_SAYS_NO, Why.NOTHING),
        (How.SAME, NO, MET, Relation.WE_SAY_MET, Why.NOTHING),
        (How.SAME, SILENT, MET, Relation.SILENT, Why.NOTHING),
        (How.RELATED, SILENT, Verdict.UNOBSERVED, Relation.SILENT, Why.NOTHING),
        (How.SAME, YES, Verdict.UNOBSERVED, Relation.NOT_COMPARABLE, Why.UNJUDGED),
        (How.SAME, NO, Verdict.NOT_JUDGED, Relation.NOT_COMPARABLE, Why.UNJUDGED),
        (How.NARROWER, YES, NONE, Relation.FOUND_NOTHING, Why.NOTHING),
        (How.NARROWER, YES, MET, Relation.AGREE, Why.NOTHING),
        (How.NARROWER, NO, MET, Relation.NOT_COMPARABLE, Why.NARROWER),
        (How.NARROWER, NO, NONE, Relation.NOT_COMPARABLE, Why.NARROWER),
        (How.BROADER, NO, MET, Relation.WE_SAY_MET, Why.NOTHING),
        (How.BROADER, YES, NONE, Relation.NOT_COMPARABLE, Why.BROADER),
        (How.RELATED, YES, NONE, Relation.NOT_COMPARABLE, Why.RELATED),
        (How.RELATED, NO, MET, Relation.NOT_COMPARABLE, Why.RELATED),
    ],
)
def test_how_an_answer_and_a_verdict_stand_to_each_other(
    how: How, answer: Answer, verdict: Verdict, expected: Relation, why: Why
) -> None:
    assert relation(how, answer, verdict) == (expected, why)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("実施", YES), (" 実 施\n", YES), ("未実施", NO), ("調査無し", SILENT), ("", SILENT), (" \u3000", SILENT),
        ("実施予定", None), ("=1+1", None), ("12", YES), ("12.5%", YES), ("１２％", YES), ("0%", NO), ("0.0", NO),
        ("0.1%", YES), ("100%", YES), ("101%", None), ("-5%", None), ("1e3", None), ("1,000", None), ("99" * 50, None),
    ],
)  # fmt: skip
def test_a_cell_is_read_as_the_mapping_says(cell: str, expected: Answer | None) -> None:
    reading = Reading(affirms=("実施",), denies=("未実施",), silent=("調査無し",), percent_above=0)
    assert read_cell(cell, reading) is expected


def test_of_several_columns_one_yes_is_enough(tmp_path: Path) -> None:
    def said(one: str, other: str) -> tuple[Answer, str]:
        row = only(found(tmp_path, (*ROW[:4], one, other, *ROW[6:])), "plan")
        return row.answer, row.said

    assert said("未実施", "実施") == (YES, "方針: 未実施; 計画: 実施")
    assert said("未実施", "調査無し") == (NO, "方針: 未実施; 計画: 調査無し")
    assert said("", "調査無し") == (SILENT, "方針: -; 計画: 調査無し")


def test_confirmed_verdicts_count_and_are_kept_apart_from_proposed_ones(tmp_path: Path) -> None:
    proposed = judgement("ops-01", Verdict.NO_EVIDENCE)
    open_ = only(found(tmp_path, ROW, of=[result(proposed)]), "rpa")
    assert (open_.relation, open_.confirmed, open_.verdict) == (Relation.FOUND_NOTHING, None, NONE)
    checked = found(tmp_path, ROW, of=[result(proposed, confirmed="A amend met")])
    held = only(checked, "rpa")
    assert (held.relation, held.proposed, held.confirmed) == (Relation.AGREE, NONE, MET)
    assert {(one.item, one.confirmed, one.pairs, one.agreed) for one in checked.figures} == {
        ("", True, 1, 1), ("rpa", True, 1, 1), ("", False, 1, 1), ("plan", False, 1, 1),
    }  # fmt: skip
    returned = only(found(tmp_path, ROW, of=[result(proposed, confirmed="A amend met, B return")]), "rpa")
    assert (returned.relation, returned.confirmed) == (Relation.FOUND_NOTHING, None)


def places(count: int) -> list[Municipality]:
    codes = [f"{90000 + number}" for number in range(count)]
    return [Municipality(code=code + check_digit(code), name=f"架空{code}町") for code in codes]


def test_agreement_is_counted_over_comparable_pairs_and_beyond_chance_where_that_says_something(tmp_path: Path) -> None:
    towns = places(MIN_KAPPA_PAIRS + 4)
    answers = ["実施", "未実施", "実施", "調査無し"]
    verdicts = [MET, NONE, NOT_MET]
    rows, results, pairs = [], [], []
    for number, town in enumerate(towns):
        answer, verdict = answers[number % 4], verdicts[number % 3]
        rows.append((town.code, "", town.name, answer, "未実施", "", "5%", "実施"))
        results.append(result(judgement("ops-01", verdict), place=town))
        if answer != "調査無し":
            pairs.append((answer == "実施", verdict is MET))
    checked = found(tmp_path, *rows, of=results)
    total, rpa = checked.figures
    assert (total.item, rpa.item) == ("", "rpa"), (
        "a narrower item's no, a broader one's yes and a related one are no pairs"
    )
    assert (rpa.pairs, rpa.agreed) == (len(pairs), sum(one == other for one, other in pairs))
    assert rpa.kappa == total.kappa == cohen(pairs).value and rpa.kappa_pairs == len(pairs) >= MIN_KAPPA_PAIRS
    few = found(tmp_path, *rows[:4], of=results[:4]).figures[1]
    assert (few.kappa, few.why) == (None, NoKappa.FEW)
    alike = [(*row[:3], "実施", *row[4:]) for row in rows]
    same = found(tmp_path, *alike, of=[result(place=town) for town in towns]).figures[1]
    assert (same.kappa, same.why, same.agreed) == (None, NoKappa.ALL_ALIKE, len(towns))
    one_way = found(tmp_path, *[(*row[:3], "", "実施", "", "", "") for row in rows], of=results).figures
    assert [(one.item, one.kappa, one.why) for one in one_way] == [
        ("", None, NoKappa.ONE_WAY), ("plan", None, NoKappa.ONE_WAY),
    ]  # fmt: skip


def test_hints_are_of_open_items_that_disagree(tmp_path: Path) -> None:
    judged = (judgement("ops-01", NONE), judgement("policy-01", NOT_MET), judgement("resident-01", NONE))
    checked = found(tmp_path, ROW, of=[result(*judged)])
    told = {one.source: one for one in hints(checked)}
    assert set(told) == {"fictional/rpa", "fictional/plan"}
    assert told["fictional/rpa"].of == only(checked, "rpa").digest
    assert (told["fictional/rpa"].said, told["fictional/rpa"].affirmed) == ("実施", True)
    assert len(open_pairs(checked)) == 4
    decided = found(tmp_path, ROW, of=[result(*judged, confirmed="A approve")])
    assert {one.source for one in hints(decided)} == {"fictional/plan"}
    assert only(decided, "rpa").disagrees and len(open_pairs(decided)) == 3


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        (CITY.code, CITY.prefecture, CITY.name),
        (CITY.code, "", ""),
        (CITY.code[:5], "", CITY.name),
        ("", "", CITY.name),
        ("", CITY.prefecture, CITY.name),
        ("１３１０１６", "", f" {CITY.name} "),
        ("", "", CITY.prefecture + CITY.name),
    ],
)
def test_a_municipality_is_found_by_code_or_name(tmp_path: Path, key: tuple[str, str, str]) -> None:
    assert only(found(tmp_path, (*key, *ROW[3:])), "rpa").answer is YES


def test_five_digits_mean_a_lost_zero_or_a_lost_check_digit(tmp_path: Path) -> None:
    lost_zero = Municipality(code="012025", name="函館市")
    for code in ("12025", "01202"):
        checked = found(tmp_path, (code, "", "函館市", *ROW[3:]), of=[result(place=lost_zero)])
        assert only(checked, "rpa").answer is YES and not checked.problems


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("131017", *ROW[1:])], "line 2: '131017' is no municipality's code"),
        ([("13-1016", *ROW[1:])], "line 2: '13-1016' is no municipality's code"),
        ([("=131016", *ROW[1:])], "line 2: '=131016' is no municipality's code"),
        ([(CITY.code, "", "中央区", *ROW[3:])], "line 2: the code of 千代田区 stands beside the name '中央区'"),
        ([ROW, ROW], "lines 2, 3: 千代田区 has several rows; none of them is used"),
        ([(*ROW, "余り")], "line 2: more cells than columns"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_and_left_out(tmp_path: Path, rows: list[tuple[str, ...]], said: str) -> None:
    checked = found(tmp_path, *rows)
    assert said in "\n".join(checked.problems)
    assert (checked.rows, checked.absent) == ((), (CITY,))


def test_names_shared_by_two_prefectures_are_never_guessed(tmp_path: Path) -> None:
    rows = [("", "広島県", "府中市", *ROW[3:]), ("", "東京都", "府中市", *ROW[3:])]
    here = Municipality(code="132063", name="府中市", prefecture="東京都")
    assert only(found(tmp_path, *rows, of=[result(place=here)]), "rpa").answer is YES
    anywhere = Municipality(code="x0123456789", name="府中市")
    assert "several rows" in found(tmp_path, *rows, of=[result(place=anywhere)]).problems[0]


def test_what_is_not_compared_is_told(tmp_path: Path) -> None:
    header = (*HEADER[:4], "住民 / カード", "新しい列", "業務 / AIの導入", "AIの導入")
    other = (OTHER_CITY.code, "", OTHER_CITY.name, "実施", "", "", "", "")
    checked = found(tmp_path, (*ROW[:3], "実施中", "71%", "", "実施", ""), other, header=header)
    assert checked.lacking == ("plan", "booking")
    assert checked.unknown == ("新しい列", "AIの導入")
    assert checked.others == 1
    assert checked.problems == (
        "survey.csv, line 2: '実施中' in 業務 / RPAの導入 is none of its answers and counts as silence",
    )
    assert only(checked, "rpa").relation is Relation.SILENT


def test_a_column_may_be_named_without_its_group_where_it_is_alone(tmp_path: Path) -> None:
    header = ("lgcode", "市区町村", "RPAの導入", "方針")
    checked = found(tmp_path, (CITY.code, CITY.name, "未実施", "実施"), header=header)
    assert (only(checked, "rpa").answer, only(checked, "plan").answer) == (NO, YES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_utf_8_and_shift_jis_are_read(tmp_path: Path, encoding: str) -> None:
    assert only(found(tmp_path, ROW, encoding=encoding), "rpa").answer is YES


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "does not name the columns"),
        (b"lgcode,x\n131016,1\n", "does not name the columns"),
        ("業務 / RPAの導入\n実施\n".encode(), "one of 団体コード, lgcode or 市区町村; and at least one of 5 "),
        ("lgcode,業務 / RPAの導入\n131016,実施\n".encode("utf-16"), "neither UTF-8 nor Shift_JIS"),
        ("lgcode,業務 / RPAの導入\n131016,実施\n".encode("euc_jp"), "(does not name the columns|neither UTF-8)"),
        ('lgcode,業務 / RPAの導入\n131016,"実施\n'.encode(), "line 2: unexpected end of data"),
        (b"a," + b"x" * 200_000, "field larger than field limit"),
        (b"PK\x03\x04\xff\xff", "neither UTF-8 nor Shift_JIS"),
    ],
)  # fmt: skip
def test_what_is_not_the_survey_is_an_error_that_says_what_was_sought(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "survey.csv"
    path.write_bytes(body)
    with pytest.raises(InputError, match=said) as error:
        read([path], mapping(tmp_path))
    assert str(path) in str(error.value)


def test_a_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MAX_BYTES", 1000)
    path = csv_of(tmp_path, *[ROW] * 20)
    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        read([path], mapping(tmp_path))
    with pytest.raises(InputError, match="cannot be read"):
        read([tmp_path / "none.csv"], mapping(tmp_path))


def test_two_files_complete_each_other_and_may_not_overlap(tmp_path: Path) -> None:
    asked = mapping(tmp_path)
    (tmp_path / "a").mkdir()
    one = csv_of(tmp_path, (CITY.code, "実施"), header=("lgcode", "業務 / RPAの導入"))
    other = csv_of(tmp_path / "a", (CITY.code, "0%"), header=("lgcode", "手続 / 施設の予約")).rename(tmp_path / "b.csv")
    checked = crosscheck([result()], read([one, other], asked), asked)
    assert [(row.item, row.answer) for row in checked.rows] == [("rpa", YES), ("booking", NO)]
    assert only(checked, "booking").relation is Relation.WE_SAY_MET
    with pytest.raises(InputError, match="both have the column 業務 / RPAの導入"):
        read([one, one], asked)


# --- the mapping ------------------------------------------------------------------------------------------------------


def test_the_shipped_mapping_fits_the_shipped_criteria() -> None:
    asked = mappings.load(SHIPPED)
    mappings.check(asked, criteria.load(asked.criteria))
    assert asked.id == SHIPPED and mappings.shipped() == [SHIPPED]


def test_the_editors_schema_is_the_loaders() -> None:
    folder = bundled("criteria") / "crosscheck"
    kept = json.loads((folder / "crosscheck.schema.json").read_text("utf-8"))
    assert kept == mappings.schema()
    jsonschema.validate(yaml.safe_load((folder / f"{SHIPPED}.yaml").read_text("utf-8")), kept)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("how: same", "how: alike", r"line 13: items\[0\]\.how"),
        ("reading: used", "reading: unused", r"line 15: items\[2\]\.reading: unknown reading unused"),
        ("id: plan", "id: rpa", r"line 14: items\[1\]\.id: rpa is given twice"),
        ("[手続 / 施設の予約]", "['手続 / *']", r"line 15: items\[2\]\.columns\[0\]: a whole group"),
        ("denies: [未実施]", "denies: [未実施, 実施]", r"line 10: readings\.done: 実施 has two meanings"),
        ("{percent_above: 0}", "{}", r"line 11: readings\.used: nothing is a yes"),
        ("criterion: ops-01", "criterion: ops", r"line 13: items\[0\]\.criterion"),
        ("url: https://", "url: javascript://", r"line 7: survey\.url"),
        ("version:", "versions:", "versions: Extra inputs"),
        ("id: fictional", "id: &a fictional\nid: b", "given twice"),
    ],
)
def test_a_mistake_in_a_mapping_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MAPPING
    with pytest.raises(CriteriaError) as error:
        mapping(tmp_path, MAPPING.replace(old, new, 1))
    assert re.search(said, "\n".join(error.value.problems)), error.value.problems


def test_a_mapping_of_other_criteria_is_refused(tmp_path: Path) -> None:
    asked = mapping(tmp_path, MAPPING.replace("criterion: ops-01", "criterion: ops-99"))
    with pytest.raises(CriteriaError, match="does not fit") as error:
        crosscheck([result()], read([csv_of(tmp_path, ROW)], asked), asked)
    assert error.value.problems == ("rpa: no criterion ops-99",)
    with pytest.raises(CriteriaError, match=f"shipped ones: {SHIPPED}"):
        mappings.load("nothing")


# --- the published files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["municipality", "prefecture"])
def test_every_published_column_is_mapped_or_left_out_on_purpose(shared: Path, kind: str) -> None:
    folder = shared / "data" / "digital_agency_dx"
    paths = [folder / f"{kind}_progress.csv", folder / f"{kind}_online_rate.csv"]
    if missing := [path for path in paths if not path.exists()]:
        pytest.skip(f"the dashboard's figures are not among the development data: {missing}")
    files = read(paths, mappings.load(SHIPPED))
    assert [file.unknown for file in files] == [(), ()]
    assert [file.problems for file in files] == [(), ()]


def test_every_published_answer_is_understood(shared: Path) -> None:
    folder = shared / "data" / "digital_agency_dx"
    paths = [folder / "municipality_progress.csv", folder / "municipality_online_rate.csv"]
    if missing := [path for path in paths if not path.exists()]:
        pytest.skip(f"the dashboard's figures are not among the development data: {missing}")
    asked = mappings.load(SHIPPED)
    reading = {column: asked.readings[item.reading] for item in asked.items for column in item.columns}
    read_: dict[str, set[Answer | None]] = {}
    for file in read(paths, asked):
        assert len(file.lines) > 1000 and len({min(line.codes) for line in file.lines}) == len(file.lines)
        for line in file.lines:
            for column, cell in line.cells.items():
                read_.setdefault(column, set()).add(read_cell(cell, reading[column]))
    assert set(read_) == set(reading)
    assert None not in set.union(*read_.values())
    assert read_["自治体業務のDX / RPAの導入状況"] == {YES, NO}
    assert read_["自治体DXの推進体制等 / 全体方針策定"] == {YES, NO, SILENT}


# --- what is written --------------------------------------------------------------------------------------------------

HOSTILE = '=HYPERLINK("http://evil.example","<script>alert(1)</script>")\u202e'


def test_the_page_is_escaped_whole_and_loads_nothing(tmp_path: Path) -> None:
    town = Municipality(code="x0123456789", name="<img src=x onerror=alert(1)>市")
    checked = found(tmp_path, ("", "", town.name, HOSTILE, *ROW[4:]), of=[result(place=town)])
    for language in ("ja", "en"):
        page = html(checked, language)
        assert "<script" not in page and "<img" not in page and "\u202e" not in page
        assert "default-src 'none'" in page and not re.search(r'(?:src|href)="(?!https://survey\.example/|#)', page)
        assert f'<html lang="{language}">' in page
        counted = {kind: len(re.findall(f'data-relation="{kind.value}"', page)) for kind in Relation}
        assert counted == {
            kind: sum((row.relation is kind) * (1 + row.disagrees) for row in checked.rows) for kind in Relation
        }
    assert html(checked, "ja") == html(checked, "ja")


def test_the_table_gives_back_its_rows_and_no_formula(tmp_path: Path) -> None:
    checked = found(tmp_path, (*ROW[:3], HOSTILE, *ROW[4:]))
    text = table(checked)
    assert text.startswith("\ufeff") and text.count("\r\n") == len(checked.rows) + 1
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["code"], row["item"], row["relation"]) for row in rows] == [
        (CITY.code, row.item, row.relation.value) for row in checked.rows
    ]
    assert rows[0]["survey_said"].startswith("'=HYPERLINK")


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@x", " =1", "\t=1", "\u3000＝1", "\ufeff=1", "\u200b+1", "\r\n=1", "－1"]
)
def test_no_cell_becomes_a_formula(cell: str) -> None:
    assert neutral(cell).startswith("'")


@pytest.mark.parametrize("cell", ["", "実施", "12.5%", "a=1", "'=1", "方針: -"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert neutral(cell) == cell


def test_the_english_catalog_is_complete_and_holds_nothing_else() -> None:
    room = Path(words.__file__).parent
    methods = [("templates/**.html", "jinja2.ext:babel_extract")]
    said = {str(message) for _, _, message, _, _ in extract_from_dir(room, method_map=methods)} | words.all_words()
    with (words.CATALOGS / "en.po").open("rb") as file:
        assert {str(one.id): bool(one.string) for one in read_po(file, locale="en") if one.id} == dict.fromkeys(
            said, True
        )


def test_every_relation_and_reason_has_its_words() -> None:
    assert set(words.RELATIONS) == set(Relation) and set(words.ANSWERS) == set(Answer) and set(words.HOWS) == set(How)
    assert set(words.WHYS) == set(Why) - {Why.NOTHING} and set(words.NO_KAPPAS) == set(NoKappa) - {NoKappa.NOTHING}


# --- the command ------------------------------------------------------------------------------------------------------


def test_bad_options_are_told_before_anything_is_read(tmp_path: Path) -> None:
    path = csv_of(tmp_path, ROW)
    assert "end the name in .html, .csv, .json" in classify(
        tmp_path / "home", "crosscheck", "--survey", str(path), "--out", "x.txt", code=2
    )
    assert "choose one of ja, en" in classify(
        tmp_path / "home", "crosscheck", "--survey", str(path), "--language", "fr", code=2
    )
    assert "does not name the columns" in classify(tmp_path / "home", "crosscheck", "--survey", str(path), code=2)
    mapping(tmp_path)
    told = classify(
        tmp_path / "home", "crosscheck", "--survey", str(path), "--mapping", str(tmp_path / "fictional.yaml"), code=2
    )
    assert "no finished survey by the criteria test" in told
