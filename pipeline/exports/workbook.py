"""What people confirmed of many municipalities as an Excel workbook: values only, one a cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

from pipeline.cells import AS_GIVEN, MAX_ROWS, fits, shortened, write_text
from pipeline.errors import InputError
from pipeline.exports.columns import CONFIRMED, SHEETS, Sheet
from pipeline.exports.methods import Methods
from pipeline.exports.rows import cited, newest, points, rows, surveyed
from pipeline.exports.words import NO, say
from pipeline.report.nouns import Link
from pipeline.results import Result
from pipeline.writing import beside

MAX_LINKS = 65_530  # of a sheet, Excel's own limit
MAX_LINK_CHARS = 2_079
_FIRST_DAY = date(1900, 3, 1)  # before it Excel's days are not those of the calendar
_HEAD_POINTS = 30
_A4 = 9
_PRINT_GRID = 0
_MARGINS_INCH = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
_FONT = {"font_name": "Yu Gothic", "font_size": 10, "valign": "top"}
_FORMATS: dict[str, dict[str, Any]] = {
    "head": {"bold": True, "text_wrap": True, "bg_color": "#DCE6F1", "bottom": 1},
    "text": {"num_format": "@", "text_wrap": True},
    "link": {"num_format": "@", "text_wrap": True, "font_color": "#0563C1", "underline": 1},
    "number": {"num_format": "General", "align": "center"},
    "day": {"num_format": "yyyy-mm-dd", "align": "left"},
    "time": {"num_format": "yyyy-mm-dd hh:mm", "align": "left"},
}
_TINT = {"bg_color": "#FFF2CC"}


def write_workbook(results: Iterable[Result], path: Path, *, language: str, created: datetime | None = None) -> None:
    """Writes five sheets: base data, points, quotes, surveys, methods. created: when the workbook was made, as it says
    itself; None: when the newest thing in it was decided or surveyed. The same results give the same bytes.

    Raises InputError where a sheet cannot hold all rows, or where the file cannot be written; then nothing is written.
    Keeps one result in memory at a time, and up to 65,530 links a sheet.
    """
    with beside(path) as fresh, fresh.open("wb") as file, _book(file) as book:
        seen = _fill(book, results, language)
        book.set_properties(_properties(created or seen.newest, language))


@contextmanager
def _book(file: IO[bytes]) -> Iterator[Any]:
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    try:
        with Workbook(file, {"constant_memory": True} | AS_GIVEN) as book:
            yield book
    except FileCreateError as error:  # a full disk, as XlsxWriter wraps it
        raise error.args[0] from error


def _fill(book: Any, results: Iterable[Result], language: str) -> Methods:
    styles = {name: book.add_format(_FONT | values) for name, values in _FORMATS.items()}
    styles["open"] = book.add_format(_TINT)
    pages = [_Page(book, sheet, styles, language) for sheet in SHEETS]
    data, pointed, quoted, done, told = pages
    methods = Methods(language)
    for result in results:
        data.write(rows(result, language=language))
        pointed.write(points(result, language=language))
        quoted.write(cited(result, language=language))
        done.write([surveyed(result)])
        methods.add(result, newest(result))
    told.write(methods.lines())
    for page in pages:
        page.end()
    return methods


def _properties(created: datetime, language: str) -> dict[str, Any]:
    _ = say(language)
    return {
        "title": _("自治体DXの調査結果（基礎データ）"),
        "subject": _("人が確認した判定と、その根拠の引用"),
        "author": "Akashi",
        "created": (created if created.tzinfo else created.replace(tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None),
    }


class _Page:
    """A sheet that is being written, row after row."""

    def __init__(self, book: Any, sheet: Sheet, styles: dict[str, Any], language: str) -> None:
        self._sheet, self._styles, self._at, self._links = sheet, styles, 0, 0
        self._page = book.add_worksheet(say(language)(sheet.name))
        is_open = {"type": "cell", "criteria": "==", "value": f'"{say(language)(NO)}"'}
        self._tint = is_open | {"format": styles["open"]}
        self._values = attrgetter(*(column.value for column in sheet.columns))
        self._head([say(language)(column.title) for column in sheet.columns])

    def _head(self, titles: Sequence[str]) -> None:
        self._page.set_default_row(self._sheet.row_points)
        self._page.set_row(0, _HEAD_POINTS)
        for at, (column, title) in enumerate(zip(self._sheet.columns, titles, strict=True)):
            self._page.set_column(at, at, column.width, self._styles["text"])
            self._page.write_string(0, at, title, self._styles["head"])
        self._page.freeze_panes(1, self._sheet.frozen)

    def write(self, found: Iterable[Any]) -> None:
        for row in found:
            self._at += 1
            if self._at >= MAX_ROWS:
                name = say("en")(self._sheet.name)
                raise InputError(f"a sheet holds {MAX_ROWS:,} rows and {name} has more; name fewer with --city")
            for column, value in enumerate(self._values(row)):
                self._cell((self._at, column), value)

    def _cell(self, place: tuple[int, int], value: Any) -> None:
        if isinstance(value, str):
            write_text(self._page, place, shortened(value), self._styles["text"])
        elif isinstance(value, Link):
            self._link(place, value)
        elif isinstance(value, date):
            self._time(place, value)
        elif isinstance(value, int | float) and math.isfinite(value):
            self._page.write_number(*place, value, self._styles["number"])
        elif value is not None:
            write_text(self._page, place, str(value), self._styles["text"])

    def _link(self, place: tuple[int, int], value: Link) -> None:
        if value.href and len(value.href) <= MAX_LINK_CHARS and self._links < MAX_LINKS and fits(value.shown):
            self._links += 1
            self._page.write_url(*place, value.href, self._styles["link"], string=value.shown)
        else:
            write_text(self._page, place, shortened(value.shown), self._styles["text"])

    def _time(self, place: tuple[int, int], value: date) -> None:
        day = value.date() if isinstance(value, datetime) else value
        if day < _FIRST_DAY:
            write_text(self._page, place, value.isoformat(), self._styles["text"])
        else:
            style = self._styles["time" if isinstance(value, datetime) else "day"]
            self._page.write_datetime(*place, value, style)

    def end(self) -> None:
        """What needs the last row: filter, print area and the rest of how it is printed; a tint on what is open."""
        page, printed = self._page, sum(column.printed for column in self._sheet.columns)
        page.autofilter(0, 0, self._at, len(self._sheet.columns) - 1)
        for at, column in enumerate(self._sheet.columns):
            if column.value == CONFIRMED.value and self._at:
                page.conditional_format(1, at, self._at, at, self._tint)
        page.ignore_errors({"number_stored_as_text": f"A1:AZ{MAX_ROWS}"})
        page.print_area(0, 0, self._at, printed - 1)
        page.repeat_rows(0)
        page.set_landscape()
        page.set_paper(_A4)
        page.set_margins(**_MARGINS_INCH)
        page.hide_gridlines(_PRINT_GRID)
        page.fit_to_pages(1, 0)
        page.set_footer("&L&A&R&P / &N")
