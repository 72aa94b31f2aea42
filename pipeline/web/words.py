"""The page's words: Japanese as the code and the report write them, English by a catalog, and the rules' own English
sentences in Japanese by another."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pipeline.headway import Unknown
from pipeline.headway.spans import span
from pipeline.language import Say, catalog
from pipeline.models import Action, Cause, CityState, Flag, Match, Role, Source, Stage, Verdict
from pipeline.report import words
from pipeline.review.team import AKASHI, Sight
from pipeline.store.log import Refusal

CATALOGS = Path(__file__).parent / "locale"

ACTIONS = {
    Action.APPROVE: "承認",
    Action.AMEND: "修正",
    Action.REJECT: "却下",
    Action.CODE: "独立判定",
    Action.RETURN: "差し戻し",
    Action.UNDO: "取り消し",
    Action.NOTE: "メモ",
}
STAGES = {
    Stage.OPEN: "未確認",
    Stage.CODED: "二人目の独立判定を待つ",
    Stage.DISPUTED: "二人の判定が不一致（裁定を待つ）",
    Stage.RETURNED: "差し戻し中",
    Stage.DECIDED: "確認済み",
}
ROLES = {Role.REVIEWER: "確認者", Role.ADJUDICATOR: "裁定者", Role.ANALYST: "分析者"}
SIGHTS = {
    Sight.BLIND: "独立判定：機械の判定と他の人の判定は、判定を終えるまで表示しません。",
    Sight.OWN: "あなたの独立判定は記録済みです。二人目が終わるまで、ほかの判定は表示しません。",
    Sight.PARTIAL: "一人目の独立判定が済んでいます。二人目が終わるまで、その内容は表示しません。",
}
VERDICTS = {verdict: outcome.word for verdict, outcome in words.OUTCOMES.items()}
GLYPHS = {verdict: outcome.glyph for verdict, outcome in words.OUTCOMES.items()}

CITIES = {
    CityState.WAITING: "待ち",
    CityState.CRAWLING: "収集中",
    CityState.CRAWLED: "収集済み（判定待ち）",
    CityState.JUDGING: "判定中",
    CityState.DONE: "完了",
    CityState.FAILED: "失敗",
    CityState.CANCELLED: "取りやめ",
}
CITY_GLYPHS = {
    CityState.WAITING: "○",
    CityState.CRAWLING: "◐",
    CityState.CRAWLED: "◑",
    CityState.JUDGING: "◕",
    CityState.DONE: "●",
    CityState.FAILED: "✕",
    CityState.CANCELLED: "△",
}
UNKNOWN = {
    Unknown.FEW: "まだ分かりません（終わった自治体が少ないため）。",
    Unknown.QUIET: "分かりません。長いあいだ一つも終わっていません。調査するプロセスが動いているか確かめてください。"
    "動いていれば、次の自治体が終わると分かります。",
    Unknown.NOTHING_LEFT: "残りはありません。",
}
# Causes of the survey itself, beside those that pages have too.
FAILURES = {
    "no_home_page": "ホームページのアドレスが分からない",
    "unread": "ホームページを読めなかった",
    "model": "モデルに尋ねられなかった",
    "run_lost": "収集の記録が失われた",
}
SPANS = {
    ("d", "h"): "%(first)s日%(second)s時間",
    ("h", "min"): "%(first)s時間%(second)s分",
    ("min",): "%(first)s分",
    ("s",): "%(first)s秒",
}

_SPOKEN: dict[type[Enum], Mapping[Any, str]] = {
    Action: ACTIONS,
    Stage: STAGES,
    Role: ROLES,
    Sight: SIGHTS,
    Verdict: VERDICTS,
    Flag: words.FLAGS,
    Cause: words.CAUSES,
    Match: words.MATCHES,
    Source: words.SOURCES,
    CityState: CITIES,
    Unknown: UNKNOWN,
}


def say(language: str) -> Say:
    """The function `_` of the templates."""
    return catalog(CATALOGS, language).gettext


def spoken(value: Enum, _: Say) -> str:
    """A verdict, flag, stage ... in words."""
    return _(_SPOKEN[type(value)][value])


def refused(reason: str, _: Say) -> str:
    """Why the rules refuse, in the reader's language."""
    if not isinstance(reason, Refusal):
        return _(reason)
    return _(reason.template) % reason.values if reason.values else _(reason.template)


def by_whom(name: str, _: Say) -> str:
    return _("Akashi（自動）") if name == AKASHI else words.visible(name)


def failure(cause: str, _: Say) -> str:
    """Why a municipality was given up: in words where it is a cause that pages have too, else as it was recorded."""
    if cause in set(Cause):
        return _(words.CAUSES[Cause(cause)])
    if cause in FAILURES:
        return _(FAILURES[cause])
    return words.visible(cause) or _("原因の記録がない")


def lasting(seconds: float, _: Say) -> str:
    """A duration in words, to its two largest units."""
    counts, units = zip(*span(seconds), strict=True)
    return _(SPANS[units]) % dict(zip(("first", "second"), counts, strict=False))


def all_words() -> set[str]:
    """Every Japanese word of the enumerations, for the test that the English catalog is complete."""
    return {word for spoken_ in _SPOKEN.values() for word in spoken_.values()}
