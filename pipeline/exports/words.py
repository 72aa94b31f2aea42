"""The words of the exports: Japanese as the code and the report write them, English by a catalog."""

from __future__ import annotations

from pathlib import Path

from pipeline.language import Say, catalog
from pipeline.models import Criterion, Viewpoint
from pipeline.report import words

CATALOGS = Path(__file__).parent / "locale"
YES, NO = "はい", "いいえ"


def say(language: str) -> Say:
    """What gives a Japanese text of this room in that language (`ja` or `en`)."""
    return str if language == "ja" else catalog(CATALOGS, language).gettext


def name(viewpoint: Viewpoint, language: str) -> str:
    return viewpoint.name_ja if language == "ja" else viewpoint.name_en


def statement(criterion: Criterion, language: str) -> str:
    return criterion.statement_ja if language == "ja" else criterion.statement_en


def borrowed() -> set[str]:
    """The report's words that are said here too, for the test that the catalog is complete."""
    outcomes = words.OUTCOMES.values()
    return {one.word for one in outcomes} | {one.meaning for one in outcomes} | set(words.SOURCES.values())
