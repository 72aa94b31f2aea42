"""The words of the exports: Japanese as the code and the report write them, English by a catalog."""

from __future__ import annotations

from pathlib import Path

from pipeline.language import Say, spoken
from pipeline.report import words

CATALOGS = Path(__file__).parent / "locale"
YES, NO = "はい", "いいえ"


def say(language: str) -> Say:
    """What gives a Japanese text of this room in that language (`ja` or `en`)."""
    return spoken(CATALOGS, language)


def borrowed() -> set[str]:
    """The report's words that are said here too, for the test that the catalog is complete."""
    outcomes = words.OUTCOMES.values()
    return {one.word for one in outcomes} | {one.meaning for one in outcomes} | set(words.SOURCES.values())
