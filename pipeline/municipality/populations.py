"""Populations from a CSV that the user gives: 全国地方公共団体コード and people, validated row by row."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import InputError
from pipeline.municipality.naming import check_digit
from pipeline.municipality.reading import decoded

_CODES = ("code", "lgcode", "コード", "団体コード", "全国地方公共団体コード", "地方公共団体コード", "市区町村コード")
_PEOPLE = ("population", "people", "人口", "総人口", "人口総数")
_OUTSIDE = re.compile("x[0-9a-f]{10}")
_SHOWN_PROBLEMS = 10
_MOST_PEOPLE = 20_000_000  # Tokyo has 14 million
_MAX_BYTES = 5_000_000


def read(path: Path) -> dict[str, int]:
    """People by six-digit code. Raises InputError naming the file and the lines at fault.

    Codes may lack their check digit, or a leading zero that a spreadsheet dropped; numbers may have thousands
    separators. Other columns are left alone.
    """
    rows = list(_rows(_content(path), path.name))
    bare = _lack_check_digits([code for _, code, _ in rows])
    found: dict[str, int] = {}
    problems: list[str] = []
    for number, typed, people in rows:
        code = _code(typed, bare=bare)
        fault = _fault(typed, code, people) or (f"code {code} stands there twice" if code in found else "")
        if fault:
            problems.append(f"line {number}: {fault}")
        else:
            found[code] = int(people)
    if problems or not found:
        shown = "\n  ".join(problems[:_SHOWN_PROBLEMS]) or "it holds no row"
        raise InputError(f"{path.name} is no usable list of populations, {len(problems)} problem(s):\n  {shown}")
    return found


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(
                f"the populations {path} are more than {_MAX_BYTES} bytes; give a CSV of code and population"
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the populations {path} cannot be read ({error.strerror}); give another file with --populations"
        ) from error


def _rows(content: bytes, name: str) -> Iterator[tuple[int, str, str]]:
    """(line, code, people) of every row that is not empty, in plain digits."""
    reader = csv.reader(io.StringIO(decoded(content, name), newline=""), strict=True)
    try:
        header = [value.strip().lower() for value in next(reader, [])]
        at, people_at = _column(header, _CODES, name), _column(header, _PEOPLE, name)
        for values in reader:
            if any(value.strip() for value in values):
                values += [""] * (len(header) - len(values))
                people = _plain(values[people_at]).replace(",", "")
                yield reader.line_num, _plain(values[at]), people
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}: {error}") from error


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _column(header: Sequence[str], names: Sequence[str], name: str) -> int:
    found = [header.index(each) for each in names if each in header]
    if not found:
        raise InputError(
            f"{name} lacks a column {names[0]} in its first line (it may be called {', '.join(names)}); its first line "
            "is to be code,population"
        )
    return found[0]


def _lack_check_digits(codes: Sequence[str]) -> bool:
    """Whether five digits are codes without the check digit, not codes without their leading zero."""
    return all(len(code) == 5 for code in codes) and not all(_is_code("0" + code) for code in codes)


def _code(typed: str, *, bare: bool) -> str:
    if not re.fullmatch("[0-9]{5}", typed):
        return typed
    return typed + check_digit(typed) if bare else "0" + typed


def _is_code(code: str) -> bool:
    return re.fullmatch("[0-9]{6}", code) is not None and check_digit(code[:5]) == code[5]


def _fault(typed: str, code: str, people: str) -> str:
    if not _is_code(code) and not _OUTSIDE.fullmatch(code):
        return f"{typed[:20]!r} is no code of a municipality (six digits, the last of which is a check digit)"
    if not re.fullmatch("[0-9]{1,9}", people) or int(people) > _MOST_PEOPLE:
        return f"{people[:20]!r} is no number of people"
    return ""
