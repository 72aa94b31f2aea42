"""The registry's CSV files, validated row by row (columns as in code4fukui/localgovjp, CC0)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.errors import RegistryError
from pipeline.models import Municipality
from pipeline.municipality.naming import check_digit

_COLUMNS = ("pref", "city", "citykana", "url", "lgcode")
_PREFECTURE_COLUMNS = ("pref", "prefkana", "url", "lgcode")
_SHOWN_PROBLEMS = 10
_MAX_NAME = 60


@dataclass(frozen=True)
class Rows:
    """What a municipal CSV holds. wards: of designated cities, their names without the space; parents: ward code to
    name of its city."""

    municipalities: tuple[Municipality, ...]
    wards: tuple[Municipality, ...]
    parents: dict[str, str]


def municipalities(content: bytes, name: str) -> Rows:
    """The rows of a municipal CSV. name: of the file, for messages. Raises RegistryError with the lines at fault."""
    found: list[Municipality] = []
    wards: list[Municipality] = []
    parents: dict[str, str] = {}
    for row, made in _validated(content, name, _COLUMNS, city="city", kana="citykana"):
        city, _, ward = " ".join(row["city"].split()).partition(" ")
        if ward:
            wards.append(made)
            parents[made.code] = city
        else:
            found.append(made)
    if not found:
        raise RegistryError(f"{name} holds no municipality; is it the registry's CSV?")
    return Rows(tuple(found), tuple(wards), parents)


def prefectures(content: bytes, name: str) -> tuple[Municipality, ...]:
    """The rows of a prefecture CSV. Raises RegistryError with the lines at fault."""
    rows = _validated(content, name, _PREFECTURE_COLUMNS, city="pref", kana="prefkana")
    return tuple(made.model_copy(update={"prefecture": ""}) for _, made in rows)


def _validated(
    content: bytes, name: str, columns: tuple[str, ...], *, city: str, kana: str
) -> list[tuple[dict[str, str], Municipality]]:
    """Each row with what it names. Raises RegistryError with all problems, the first ten in words."""
    found: list[tuple[dict[str, str], Municipality]] = []
    problems: list[str] = []
    lines: dict[str, int] = {}
    for number, row in _rows(content, name, columns):
        code = _code(row["lgcode"])
        faults = [*_faults(row, code, city), *([f"code {code} is on line {lines[code]} too"] if code in lines else [])]
        lines.setdefault(code, number)
        problems += [f"line {number}: {fault}" for fault in faults]
        if not faults:
            found.append((row, _municipality(row, code, city=city, kana=kana)))
    if problems:
        shown = "\n  ".join(problems[:_SHOWN_PROBLEMS])
        raise RegistryError(f"{name} is not a valid registry, {len(problems)} problem(s):\n  {shown}")
    return found


def _rows(content: bytes, name: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(decoded(content, name), newline=""), strict=True)
    try:
        header = next(reader, [])
        missing = [column for column in columns if column not in header]
        if missing:
            raise RegistryError(f"{name} lacks the column(s) {', '.join(missing)} in its first line")
        for values in reader:
            if values:
                values += [""] * (len(header) - len(values))
                yield reader.line_num, {column: values[header.index(column)].strip() for column in columns}
    except csv.Error as error:
        raise RegistryError(f"{name}, line {reader.line_num}: {error}") from error


def decoded(content: bytes, name: str) -> str:
    """UTF-8 as published, or cp932 as a spreadsheet saves it again."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RegistryError(f"{name} is neither UTF-8 nor Shift_JIS text")


def _code(text: str) -> str:
    """Six digits; a leading zero that a spreadsheet dropped is put back."""
    digits = unicodedata.normalize("NFKC", text)
    return digits.zfill(6) if re.fullmatch(r"[0-9]{5,6}", digits) else digits


def _faults(row: dict[str, str], code: str, city: str) -> Iterator[str]:
    if not re.fullmatch(r"[0-9]{6}", code):
        yield f"code {code[:20]!r} is not six digits"
    elif check_digit(code[:5]) != code[5]:
        yield f"code {code} should end in {check_digit(code[:5])} (check digit)"
    if not row[city] or not row["pref"]:
        yield "a name is missing"
    elif not (row[city] + row["pref"]).isprintable() or len(row[city]) > _MAX_NAME:
        yield f"{row[city][:20]!r} cannot be a name"
    if row["url"] and not _is_address(row["url"]):
        yield f"{row['url'][:80]!r} is not an http(s) address"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f]", url)
    except ValueError:
        return False


def _municipality(row: dict[str, str], code: str, *, city: str, kana: str) -> Municipality:
    return Municipality(
        code=code,
        name="".join(row[city].split()),
        kana="".join(row[kana].split()),
        prefecture=row["pref"],
        home_url=row["url"] or None,
    )
