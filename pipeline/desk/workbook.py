"""The queue and its log as a workbook that people without the review page can read, sort and fill in."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.cells import AS_GIVEN, MAX_CELL_CHARS, MAX_ROWS, fits, shortened, write_text
from pipeline.errors import InputError
from pipeline.models import Action, Decision, QueueItem, Quote, Verdict
from pipeline.store.log import stage, standing
from pipeline.store.store import Store

Cell = str | int | float

_PLACE = ("number", "version", "run_id", "code", "municipality", "criterion")
_PROPOSED = ("proposed_verdict", "proposed_quote", "proposed_url", "confidence", "flags")
_STANDING = ("stage", "verdict", "quotes", "urls", "reviewer", "decided_at", "note")
INPUTS = ("new_verdict", "new_quote", "new_note")
QUEUE = (*_PLACE, *_PROPOSED, *_STANDING, *INPUTS)
LOG = ("number", "decided_at", "reviewer", "action", "code", "criterion", "verdict", "quotes", "urls", "note")
ANSWERS = (Action.APPROVE.value, Action.REJECT.value, *Verdict)
_DISPLAYED = {"municipality", "proposed_quote", "proposed_url", "quotes", "urls", "note"}
_OFFERED = [one for one in ANSWERS if one != Verdict.NOT_JUDGED]  # which nobody can decide
_NUMBERS = ("number", "confidence")
# In characters.
_USUAL_WIDTH = 16
_WIDTHS = {
    **dict.fromkeys(("proposed_quote", "quotes", "new_quote"), 60),
    **dict.fromkeys(("proposed_url", "urls", "note", "new_note"), 40),
    **dict.fromkeys(("version", "run_id", "decided_at", "flags"), 23),
    **dict.fromkeys(("number", "code", "confidence", "stage"), 11),
}
_ROW_POINTS = 45
_OPTIONS = {"in_memory": True} | AS_GIVEN


def workbook(store: Store, code: str = "") -> bytes:
    """An xlsx of the newest finished surveys (of the municipality): sheet `queue`, a row an item, with three columns to
    fill in (see `take_workbook`), and sheet `log`. Raises InputError where a sheet cannot hold it."""
    from xlsxwriter import Workbook

    body = io.BytesIO()
    with Workbook(body, _OPTIONS) as book:
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        last = _fill(book, "queue", QUEUE, _queue_rows(store, code), (head, text))
        _fill(book, "log", LOG, _log_rows(store, code), (head, text))
        _offer_answers(book, last)
    return body.getvalue()


def shown(verdict: Verdict | None) -> str:
    """The verdict as its cell says it."""
    return verdict.value if verdict else ""


def _queue_rows(store: Store, code: str) -> Iterator[tuple[Cell, ...]]:
    for survey in store.surveys():
        if code in ("", survey.code):
            yield from map(_queue_row, store.items(survey.run_id))


def _queue_row(item: QueueItem) -> tuple[Cell, ...]:
    one, held = item.judgement, standing(item.decisions)
    flags = ", ".join(flag.value for flag in one.flags)
    place = (item.number, item.version, item.run_id, item.municipality.code, item.municipality.name, one.criterion)
    proposed = (one.verdict.value, _texts(one.quotes), _urls(one.quotes), one.confidence, flags)
    now = (stage(item.decisions)[0].value, shown(held.verdict if held else None))
    cited = (_texts(held.quotes), _urls(held.quotes)) if held else ("", "")
    by = (held.reviewer, _time(held.decided_at), held.note) if held else ("", "", "")
    return (*place, *proposed, *now, *cited, *by, *("" for _ in INPUTS))


def _log_rows(store: Store, code: str) -> Iterator[tuple[Cell, ...]]:
    return (_log_row(number, decision) for number, decision in store.log(code))


def _log_row(number: int, one: Decision) -> tuple[Cell, ...]:
    place = (_time(one.decided_at), one.reviewer, one.action.value, one.municipality, one.criterion)
    return (number, *place, shown(one.verdict), _texts(one.quotes), _urls(one.quotes), one.note)


def _texts(quotes: Sequence[Quote]) -> str:
    return "\n".join(quote.text for quote in quotes)


def _urls(quotes: Sequence[Quote]) -> str:
    return "\n".join(dict.fromkeys(quote.url for quote in quotes))


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _fill(book: Any, name: str, columns: Sequence[str], rows: Iterable[tuple[Cell, ...]], formats: Any) -> int:
    """Writes the sheet and gives back its last row, from 0."""
    sheet, (head, text) = book.add_worksheet(name), formats
    sheet.set_default_row(_ROW_POINTS)
    last = 0
    for column, title in enumerate(columns):
        sheet.set_column(column, column, _WIDTHS.get(title, _USUAL_WIDTH), None if title in _NUMBERS else text)
        sheet.write_string(0, column, title, head)
    for last, row in enumerate(rows, start=1):
        if last >= MAX_ROWS:
            raise InputError(f"a sheet holds {MAX_ROWS:,} rows and the {name} has more; export it as JSON Lines")
        for column, (title, cell) in enumerate(zip(columns, row, strict=True)):
            _write(sheet, (last, column), _fitting(cell, title, row[0]), text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{MAX_ROWS}"})
    return last


def _fitting(cell: Cell, title: str, number: Cell) -> Cell:
    """What the cell can hold: a long text ends in … where it is only shown; what is read back is never cut."""
    if not isinstance(cell, str) or fits(cell):
        return cell
    if title not in _DISPLAYED:
        told = f"the {title} of {number} has more than the {MAX_CELL_CHARS:,} characters of a cell"
        raise InputError(f"{told} and must not be cut; export the queue as JSON Lines")
    return shortened(cell)


def _write(sheet: Any, place: tuple[int, int], cell: Cell, text: Any) -> None:
    if isinstance(cell, str):
        write_text(sheet, place, cell, text)
    else:
        sheet.write_number(*place, cell)


def _offer_answers(book: Any, last: int) -> None:
    """A list to choose new_verdict from, and a tint on the columns to fill in."""
    sheet, first = book.get_worksheet_by_name("queue"), len(QUEUE) - len(INPUTS)
    if last:
        sheet.data_validation(1, first, last, first, {"validate": "list", "source": _OFFERED})
        tint = book.add_format({"bg_color": "#FFF8DC"})
        sheet.conditional_format(1, first, last, len(QUEUE) - 1, {"type": "no_errors", "format": tint})
