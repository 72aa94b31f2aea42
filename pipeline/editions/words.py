"""The words of an erratum: Japanese as the code writes them, English by a catalog."""

from __future__ import annotations

from pathlib import Path

from pipeline.language import Say, spoken
from pipeline.models import Correction, Municipality, Verdict
from pipeline.report.speech import Speech
from pipeline.report.words import visible

CATALOGS = Path(__file__).parent / "locale"
UNCONFIRMED = "未確認"
REPLACED = "根拠を差し替え"


def say(language: str) -> Say:
    return spoken(CATALOGS, language)


def outcome(verdict: Verdict | None, language: str) -> str:
    """The outcome by its sign and in the report's words; None: no person confirmed one."""
    if verdict is None:
        return f"… {say(language)(UNCONFIRMED)}"
    said = Speech(language).outcome(verdict)
    return f"{said.glyph} {said.word}"


def place(municipality: Municipality, language: str) -> str:
    """The name as reports say it; in Japanese after its prefecture."""
    name = Speech(language).place(municipality)
    return f"{visible(municipality.prefecture)}{name}" if language == "ja" else name


def replaced(correction: Correction, _: Say) -> str:
    """Of a correction that leaves the verdict as it is, that its evidence is another; else empty."""
    return _(REPLACED) if correction.before is correction.after else ""


def all_words() -> set[str]:
    """Every Japanese word of the code, for the test that the English catalog is complete."""
    return {UNCONFIRMED, REPLACED}
