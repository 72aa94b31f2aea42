"""Which kind of local government a place is, and with which others it compares in size."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.models import Municipality
from pipeline.municipality import Kinds, Registry, check_digit, unregistered

TOWN = unregistered("星見町", None)


def place(code: str, name: str) -> Municipality:
    return Municipality(code=code, name=name)


def listed(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("141003", "横浜市", "designated-city"),
        ("131130", "渋谷区", "special-ward"),
        ("222038", "沼津市", "former-special-city"),
        ("142018", "横須賀市", "core-city"),
        ("142042", "鎌倉市", "city"),
        ("143821", "箱根町", "town"),
        ("144029", "清川村", "town"),
        ("140007", "神奈川県", "prefecture"),
        ("010006", "北海道", "prefecture"),
        ("x0123456789", "架空市", "city"),
        ("x0123456789", "架空区", "special-ward"),
        ("x0123456789", "名のない所", "other"),
    ],
)
def test_without_populations_the_kind_alone_is_the_class(code: str, name: str, expected: str) -> None:
    assert Kinds.read(None).of(place(code, name)).id == expected


@pytest.mark.parametrize(
    ("name", "people", "expected"),
    [
        ("架空市", 49_999, "city-1"),
        ("架空市", 50_000, "city-2"),
        ("架空市", 99_999, "city-2"),
        ("架空市", 100_000, "city-3"),
        ("架空市", 149_999, "city-3"),
        ("架空市", 150_000, "city-4"),
        ("架空市", 3_000_000, "city-4"),  # a designated city is one by order, not by its size
        ("架空町", 0, "town-1"),
        ("架空町", 4_999, "town-1"),
        ("架空村", 5_000, "town-2"),
        ("架空町", 9_999, "town-2"),
        ("架空町", 10_000, "town-3"),
        ("架空町", 15_000, "town-4"),
        ("架空村", 19_999, "town-4"),
        ("架空町", 20_000, "town-5"),
        ("架空区", 20_000, "special-ward"),
        ("架空県", 2_000_000, "prefecture"),
    ],
)
def test_a_population_divides_cities_towns_and_villages(name: str, people: int, expected: str) -> None:
    fictional = unregistered(name, None)
    assert Kinds({fictional.code: people}).of(fictional).id == expected


def test_what_the_law_says_goes_before_the_population() -> None:
    assert Kinds({"222038": 1_000}).of(place("222038", "沼津市")).id == "former-special-city"


def test_the_lists_are_complete_and_their_codes_are_codes() -> None:
    kinds = Kinds.read(None)
    counts = Counter(kinds._members.values())
    assert counts == {"designated-city": 20, "special-ward": 23, "core-city": 62, "former-special-city": 23}
    assert all(check_digit(code[:5]) == code[5] for code in kinds._members)
    assert len({each.id for each in kinds.classes}) == len(kinds.classes)
    assert kinds.as_of == date(2021, 4, 1)


def test_every_municipality_of_the_registry_has_its_class(shared: Path) -> None:
    registry = Registry.read(shared / "data" / "localgovjp" / "localgovjp-utf8.csv")
    kinds = Kinds.read(None)
    counts = Counter(kinds.of(each).id for each in registry.municipalities)
    assert counts["designated-city"] == 20 and counts["core-city"] == 62 and counts["former-special-city"] == 23
    assert counts["special-ward"] == 23 and counts["city"] == 792 - 105 and counts["town"] == 926
    assert counts["other"] == counts["prefecture"] == 0
    assert {kinds.of(each).id for each in registry.prefectures} == {"prefecture"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize(
    "text",
    [
        "code,population\n143821,11293\n",
        '全国地方公共団体コード,団体名,人口\r\n143821,箱根町,"11,293"\r\n',
        "コード,総人口\n１４３８２１,１１２９３\n\n",
        "code,population\n14382,11293\n",  # as e-Stat writes codes: without the check digit
    ],
)
def test_populations_are_read_as_offices_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    kinds = Kinds.read(listed(tmp_path, text, encoding))
    hakone = place("143821", "箱根町")
    assert kinds.population(hakone) == 11_293
    assert kinds.of(hakone).id == "town-3"


def test_a_leading_zero_that_a_spreadsheet_dropped_is_put_back(tmp_path: Path) -> None:
    kinds = Kinds.read(listed(tmp_path, f"code,population\n12025,244431\n143821,11293\n{TOWN.code},7000\n"))
    assert kinds.population(place("012025", "函館市")) == 244_431
    assert kinds.of(TOWN).id == "town-2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "lacks a column code"),
        ("code,name\n143821,箱根町\n", "lacks a column population"),
        ("code,population\n", "it holds no row"),
        ("code,population\n143822,1\n", "line 2: '143822' is no code of a municipality"),
        ("code,population\n143821,-5\n", "line 2: '-5' is no number of people"),
        ("code,population\n143821,1.5\n", "'1.5' is no number"),
        ("code,population\n143821\n", "'' is no number"),
        ("code,population\n143821,99999999\n", "'99999999' is no number"),
        ("code,population\n143821,1\n143821,2\n", "line 3: code 143821 stands there twice"),
        ('code,population\n143821,"1\n', "line 2"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_with_its_lines(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Kinds.read(listed(tmp_path, text))


def test_a_list_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="neither UTF-8 nor Shift_JIS"):
        Kinds.read(tmp_path / "bytes.csv")
    with pytest.raises(InputError, match="cannot be read"):
        Kinds.read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        Kinds.read(tmp_path)
