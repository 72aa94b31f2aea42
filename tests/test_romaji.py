"""A municipality is found by its name in Latin letters, however they spell it; where several fit, all are listed."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from commands import classify

from pipeline.errors import AmbiguousCityError, UnknownCityError
from pipeline.models import Municipality
from pipeline.municipality import Registry
from pipeline.municipality.romaji import folded, hepburn, words

# (typed, code): all must lead to the one municipality.
FOUND = [
    ("sagamihara", "141500"), ("SAGAMIHARA", "141500"), ("Sagamihara-shi", "141500"), ("sagamiharashi", "141500"),
    ("sagamihara city", "141500"), ("Sagamihara City, Kanagawa", "141500"), ("Kanagawa-ken Sagamihara-shi", "141500"),
    ("Sagamihara, Kanagawa Prefecture, Japan", "141500"), ("ｓａｇａｍｉｈａｒａ", "141500"),
    ("sagamihara_si", "141500"),
    ("Osaka City", "271004"), ("oosaka-shi", "271004"), ("ōsaka-shi", "271004"), ("Ôsaka si", "271004"),
    ("ohsaka-shi", "271004"), ("O\u0304saka-shi", "271004"), ("Ōsaka-fu", "270008"), ("Osaka Prefecture", "270008"),
    ("shinjuku-ku", "131041"), ("Shinjuku City", "131041"), ("Sinzyuku-ku", "131041"), ("shinjyuku ward", "131041"),
    ("tsu", "242012"), ("Tu", "242012"), ("Tsu City", "242012"), ("tsushi", "242012"),
    ("tyuuou-ku", "131024"), ("Chūō-ku", "131024"), ("chuo ku", "131024"),
    ("hutyuu, tokyo", "132063"), ("Fuchu City, Hiroshima", "342084"), ("Fuchū-chō", "343021"),
    ("gunma", "100005"), ("gumma", "100005"), ("Gumma-ken", "100005"),
    ("kamimine", "413453"), ("shin'onsen", "285862"), ("shinonsen", "285862"), ("Shin’onsen-chō", "285862"),
    ("shinnonsen", "285862"), ("kan'onji", "372056"), ("kannonji", "372056"), ("Kanonji", "372056"),
    ("Minami-Alps", "192082"), ("Minami-Alps City", "192082"), ("minami arupusu shi", "192082"),
    ("aiko-gun aikawa-machi", "144011"), ("Aiko District, Aikawa Town", "144011"),
    ("kanagawa aikogun aikawa", "144011"),
    ("iiduka", "402052"), ("iizuka", "402052"), ("Nīgata-shi", "151009"), ("Hokkaidō", "010006"), ("Tōkyō", "130001"),
    ("Kyoto-shi", "261009"), ("Kyôto-hu", "260002"), ("akasi", "282031"), ("Sapporo", "011002"), ("Beppu", "442020"),
    ("Hokkaidou Urausu", "014311"), ("Hokkaido Rausu-cho", "016942"),
]  # fmt: skip

AMBIGUOUS = {
    "fuchu": {"132063", "342084", "343021"},
    "Hutyû": {"132063", "342084", "343021"},
    "Fuchu City": {"132063", "342084"},
    "osaka": {"270008", "271004"},
    "ohsaka": {"270008", "271004"},
    "chuo": {"131024", "192147"},
    "ota": {"102059", "131113"},
    "ono": {"075221", "182052", "214035", "282189"},
    "Ōno": {"182052", "214035"},  # the long vowel was said: 小野 is not meant
    "oono": {"182052", "214035"},
    "hokkaidourausu": {"014311", "016942"},  # 浦臼 or 羅臼
    "hokkaidourausu-cho": {"014311", "016942"},
    "Esashi-cho, Hokkaido": {"013617", "015148"},
}


@pytest.fixture(scope="session")
def registry(shared: Path) -> Registry:
    return Registry.read(shared / "data" / "localgovjp" / "localgovjp-utf8.csv")


@pytest.mark.parametrize(("typed", "code"), FOUND)
def test_every_spelling_finds_the_one_that_is_meant(registry: Registry, typed: str, code: str) -> None:
    assert registry.find(typed).code == code


@pytest.mark.parametrize("typed", AMBIGUOUS)
def test_what_fits_several_lists_them_all(registry: Registry, typed: str) -> None:
    with pytest.raises(AmbiguousCityError) as caught:
        registry.find(typed)
    assert {line.split()[0] for line in caught.value.candidates} == AMBIGUOUS[typed]


def romaji_of(each: Municipality) -> tuple[str, str]:
    """Hepburn of the name, and of its 市, 区, 町 or 村."""
    endings = ("ちょう", "まち", "むら", "そん", "し", "く")
    ending = next(ending for ending in endings if each.kana.endswith(ending))
    return hepburn(each.kana.removesuffix(ending)), hepburn(ending)


def test_every_municipality_is_found_by_its_hepburn_name_and_prefecture(registry: Registry) -> None:
    """Only what is alike in kana too is refused: the two towns of 江差 and 枝幸 in Hokkaido."""
    regions = {each.name: hepburn(each.kana) for each in registry.prefectures}
    refused = []
    for each in registry.municipalities:
        stem, ending = romaji_of(each)
        region = regions[each.prefecture]
        for typed in (f"{stem}-{ending}, {region}", f"{region.title()} {stem.upper()}{ending}"):
            try:
                assert registry.find(typed) == each
            except AmbiguousCityError:
                refused.append(each.name)
    assert set(refused) == {"江差町", "枝幸町"}


def test_a_bare_name_finds_its_own_or_lists_it(registry: Registry) -> None:
    refused = 0
    for each in registry.municipalities:
        try:
            assert registry.find(romaji_of(each)[0]) == each
        except AmbiguousCityError as error:
            refused += 1
            assert any(line.startswith(each.code) for line in error.candidates)
    assert refused == 294


def test_the_addresses_of_the_municipalities_spell_as_we_do(registry: Registry) -> None:
    """Against the names that municipalities gave their own hosts: city.sagamihara.kanagawa.jp."""
    compared, alike = 0, Counter[bool]()
    for each in registry.municipalities:
        parts = (each.home_url or "").removeprefix("https://").removeprefix("www.").split("/")[0].split(".")
        if parts[0] in ("city", "town", "vill"):
            compared += 1
            alike[folded(words(parts[1])[0]).lower() == folded(romaji_of(each)[0]).lower()] += len(words(parts[1])) == 1
    assert compared > 1_400
    assert alike[True] / compared > 0.95


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("midori-ku", "is a ward of さいたま市、千葉市、横浜市、相模原市、名古屋市"),
        ("Sapporo-shi Kita-ku", "is a ward of 札幌市"),
        ("yokohama naka-ku", "is a ward of 横浜市"),
        ("sagamihra", "did you mean 神奈川県相模原市"),
        ("sagamihara, osaka", "no municipality"),
        ("shi", "no municipality"),
        ("city", "no municipality"),
        ("gun", "no municipality"),
        ("a" * 60, "no municipality"),
        ("o" * 100_000, "no municipality"),
        ("a" + "\u0304" * 50_000, "no municipality"),
        ("sagamihara\u202e", "no municipality"),
        ("sаgamihara", "no municipality"),  # a Cyrillic а
        ("ﷺ" * 50, "no municipality"),
        ("'", "no municipality"),
        ("' - ,", "no municipality"),
        ("", "no municipality was named"),
    ],
)
def test_what_is_not_there_is_said_at_once(registry: Registry, typed: str, said: str) -> None:
    registry.find("tsu")  # the index is made at the first romaji
    began = time.process_time()
    with pytest.raises(UnknownCityError) as caught:
        registry.find(typed)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 600
    assert time.process_time() - began < 1
    for near in caught.value.near:
        assert isinstance(registry.find(near), Municipality), "what is suggested can be typed"


@pytest.mark.parametrize(
    ("kana", "letters"),
    [
        ("おおさか", "oosaka"), ("とっとり", "tottori"), ("こっちょう", "kotchou"), ("しんじゅく", "shinjuku"),
        ("きょうと", "kyouto"), ("りゅうがさき", "ryuugasaki"), ("ちゃたん", "chatan"), ("つ", "tsu"), ("ぢづ", "jizu"),
        ("ゃっ", ""), ("", ""),
    ],
)  # fmt: skip
def test_kana_in_hepburn_letters(kana: str, letters: str) -> None:
    assert hepburn(kana) == letters


def test_a_city_is_found_by_romaji_on_the_command_line(tmp_path: Path, shared: Path) -> None:
    csv = str(shared / "data" / "localgovjp" / "localgovjp-utf8.csv")
    told = classify(tmp_path / "home", "score", "--city", "Fuchu-shi", "--registry", csv, code=2)
    assert "132063 東京都 府中市" in told and "342084 広島県 府中市" in told
    told = classify(tmp_path / "home", "score", "--city", "Sagamihara", "--registry", csv, code=2)
    assert "相模原市: no finished survey" in told
