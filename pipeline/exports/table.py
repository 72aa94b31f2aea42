"""The base data as a CSV file: RFC 4180, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from operator import attrgetter
from pathlib import Path
from typing import Any

from pipeline.cells import neutral
from pipeline.errors import InputError
from pipeline.exports.columns import DATA
from pipeline.exports.nouns import Row
from pipeline.exports.rows import rows
from pipeline.exports.words import say
from pipeline.report.nouns import Link
from pipeline.results import Result
from pipeline.writing import beside

# The byte order mark tells Excel that it is UTF-8.
_CODECS = {"utf-8": "utf-8-sig", "cp932": "cp932"}
_HEAD_LINES = 1


def write_csv(results: Iterable[Result], path: Path, *, language: str, encoding: str = "utf-8") -> None:
    """Writes a row for each municipality and criterion: texts quoted, numbers bare, days as YYYY-MM-DD, lines ended by
    CRLF. encoding: `utf-8` (with a byte order mark) or `cp932`.

    Raises InputError where the encoding cannot hold a character, naming it and its place, or where the file cannot be
    written; then nothing is written. Keeps one result in memory at a time.
    """
    titles = [say(language)(column.title) for column in DATA.columns]
    values = attrgetter(*(column.value for column in DATA.columns))
    with beside(path) as fresh, fresh.open("w", encoding=_CODECS[encoding], newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        writer.writerow(titles)
        for number, row in enumerate(_all(results, language), start=_HEAD_LINES + 1):
            cells = [_cell(value) for value in values(row)]
            if encoding != "utf-8":
                _check(cells, titles, row, number, encoding)
            writer.writerow(cells)


def _all(results: Iterable[Result], language: str) -> Iterator[Row]:
    return (row for result in results for row in rows(result, language=language))


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return neutral(value.shown if isinstance(value, Link) else value)


def _check(cells: list[str | int | float], titles: list[str], row: Row, number: int, encoding: str) -> None:
    texts = [str(cell) for cell in cells]
    try:
        "".join(texts).encode(encoding)
    except UnicodeEncodeError as error:
        char = error.object[error.start]
        title = next(title for title, text in zip(titles, texts, strict=True) if char in text)
        where = f"{row.place.municipality} {row.criterion}, column {title}, row {number}"
        raise InputError(
            f"{where}: {encoding.upper()} has no {char!r} (U+{ord(char):04X}). Nothing was written; "
            "write it with --encoding utf-8, or as .xlsx."
        ) from None
