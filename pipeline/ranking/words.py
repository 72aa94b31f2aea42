"""The ranking's words: Japanese as code and templates write them, English by a catalog."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from pipeline.errors import InputError
from pipeline.language import LANGUAGES, Say, spoken
from pipeline.municipality.naming import hiragana
from pipeline.municipality.prefectures import HOST_LABELS
from pipeline.report.speech import Speech

CATALOGS = Path(__file__).parent / "locale"


class Named(Protocol):
    """What has a name in both languages."""

    @property
    def name_ja(self) -> str: ...
    @property
    def name_en(self) -> str: ...


def say(language: str) -> Say:
    """The function `_` of the templates. Raises InputError for a language that is not spoken."""
    if language not in LANGUAGES:
        raise InputError(f"the ranking does not speak {language!r}; give one of {', '.join(LANGUAGES)}")
    return spoken(CATALOGS, language)


def named(one: Named, language: str) -> str:
    return one.name_ja if language == "ja" else one.name_en


def short(one: Named, language: str) -> str:
    """The name without what stands in brackets: 都市Ⅲ."""
    return named(one, language).partition("(")[0].strip()


def dated(value: date, language: str) -> str:
    return Speech(language).day(value).shown


def tile_name(prefecture: str, language: str) -> str:
    """Short, as it fits on a tile: 青森, Aomori."""
    if language != "ja":
        return HOST_LABELS[prefecture].capitalize()
    return prefecture if prefecture == "北海道" else prefecture[:-1]


def sought(*texts: str) -> str:
    """Texts as the search box compares them: NFKC, small letters, hiragana."""
    return hiragana(unicodedata.normalize("NFKC", " ".join(texts)).casefold())


def csv_columns(_: Say) -> Mapping[str, str]:
    """Titles of the CSV's columns before and after those of the viewpoints, by their keys."""
    return {
        "state": _("状態"),
        "rank": _("順位"),
        "ties": _("同順位の数"),
        "best": _("最良の順位"),
        "worst": _("最悪の順位"),
        "rank_in_class": _("区分内の順位"),
        "code": _("団体コード"),
        "prefecture": _("都道府県"),
        "name": _("市区町村"),
        "class": _("区分"),
        "population": _("人口"),
        "points": _("得点"),
        "possible": _("満点"),
        "awaiting": _("未確認"),
        "unseen": _("未観測・未判定"),
        "most": _("得点の上限"),
        "as_of": _("基準日"),
        "version": _("調査項目の版"),
        "run": _("調査番号"),
    }


def states(_: Say) -> Mapping[str, str]:
    return {"ranked": _("順位あり"), "unconfirmed": _("確認なし"), "other_rules": _("別の版で調査")}
