"""The words of an erratum: Japanese as the code writes them, English by a catalog."""

from __future__ import annotations

from pathlib import Path

from pipeline.language import Say, catalog
from pipeline.models import Correction, Verdict
from pipeline.report import words

CATALOGS = Path(__file__).parent / "locale"
UNCONFIRMED = "未確認"
REPLACED = "根拠を差し替え"
OUTCOMES = {verdict: outcome.word for verdict, outcome in words.OUTCOMES.items()}
GLYPHS = {verdict: outcome.glyph for verdict, outcome in words.OUTCOMES.items()}


def say(language: str) -> Say:
    return (lambda word: word) if language == "ja" else catalog(CATALOGS, language).gettext


def outcome(verdict: Verdict | None, _: Say) -> str:
    """The outcome in words and by its sign; None: no person confirmed one."""
    return f"{GLYPHS[verdict]} {_(OUTCOMES[verdict])}" if verdict else f"… {_(UNCONFIRMED)}"


def replaced(correction: Correction, _: Say) -> str:
    """Of a correction that leaves the verdict as it is, that its evidence is another; else empty."""
    return _(REPLACED) if correction.before is correction.after else ""


def all_words() -> set[str]:
    """Every Japanese word of the code, for the test that the English catalog is complete."""
    return {UNCONFIRMED, REPLACED, *OUTCOMES.values()}
