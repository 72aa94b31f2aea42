"""Text of others in the cells of a spreadsheet: it stays text, whatever it begins with, in xlsx and in CSV."""

from __future__ import annotations

import re
from typing import Any

MAX_ROWS = 1_048_576  # of a sheet
MAX_CELL_CHARS = 32_767  # of a cell, counted in UTF-16
# Cells hold what they are given: nothing becomes a formula, a link or a number.
AS_GIVEN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
# XlsxWriter writes what looks like its own rich text or escapes as if it were; in pieces, at least three, it does not.
_MISREAD = re.compile(r"\A<r>.*</r>\Z|_x[0-9a-fA-F]{4}_", re.S)
_CUTS = re.compile(r"(?<=\A<)|(?<=\A<r)|(?<=_)(?=x)|(?<=_x)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
# What a spreadsheet may take for the beginning of a formula, and what it or a person may pass over before that.
_STARTS = r"=+\-@＝＋－＠﹦﹢﹣﹫−⁼⁺⁻₌₊₋"
_PASSED_OVER = (
    r"'\"\s\x00-\x1f\x7f-\xa0\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufffd"
)
# Each run of it is read once, however long: from the beginning of the text, from a ; or from anywhere.
_RUN = re.compile(rf"(?:[;{_PASSED_OVER}]|\A)[{_PASSED_OVER}]*+[{_STARTS}]?")
_STARTED = re.compile(rf"[{_STARTS}]\Z")
_BROKEN = re.compile(r"'*[\t\r\n]")
# After these another separator than the comma, or a line that is not read on, would begin a cell.
_BEGIN = re.compile(r"([;\t\r\n])")
_BEGIN_MARKED = re.compile(r"([;\t\r\n])'")


def neutral(text: str) -> str:
    """The text with ' before all that a spreadsheet could take for a formula on opening a CSV file."""
    return _RUN.sub(_mark, text)


def plain(cell: str) -> str:
    """The text that `neutral` made this of."""
    return _RUN.sub(_unmark, cell)


def _mark(found: re.Match[str]) -> str:
    run, first = found.group(), found.start() == 0 and not found.group().startswith(";")
    if _STARTED.search(run):
        return "'" * first + _BEGIN.sub(r"\1'", run)
    return "'" * (first and bool(_BROKEN.match(run))) + run


def _unmark(found: re.Match[str]) -> str:
    run, first = found.group(), found.start() == 0 and not found.group().startswith(";")
    if _STARTED.search(run):
        return _BEGIN_MARKED.sub(r"\1", run[1:] if first and run.startswith("'") else run)
    return run[1:] if first and run.startswith("'") and _BROKEN.match(run) else run


def fits(text: str) -> bool:
    """Whether a cell of a workbook can hold all of it."""
    return len(text) <= MAX_CELL_CHARS // 2 or len(text.encode("utf-16-le")) <= 2 * MAX_CELL_CHARS


def shortened(text: str) -> str:
    """What a cell can hold of it, with … where it was cut."""
    if fits(text):
        return text
    return text.encode("utf-16-le")[: 2 * (MAX_CELL_CHARS - 1)].decode("utf-16-le", "ignore") + "…"


def write_text(sheet: Any, place: tuple[int, int], text: str, style: Any) -> None:
    """Writes it as text to (row, column) of an XlsxWriter sheet; nothing where it is empty."""
    if _MISREAD.search(text):
        pieces = _CUTS.split(_CONTROLS.sub("\ufffd", text))
        sheet.write_rich_string(*place, *filter(None, pieces), style)
    elif text:
        sheet.write_string(*place, text, style)
