"""The survey's CSV: one row a municipality, columns as the mapping names them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.crosscheck.mapping import ALL_OF, folded
from pipeline.crosscheck.nouns import Mapping as Asked
from pipeline.errors import InputError
from pipeline.models import Municipality
from pipeline.municipality import check_digit

MAX_BYTES = 20_000_000  # 1,741 municipalities and 55 columns take 0.2 MB
_SHOWN_COLUMNS = 3
# NUL, and what the codec of Shift_JIS makes of bytes that are none of it: UTF-16, a workbook.
_NO_TEXT = re.compile("[\0\uf8f0-\uf8f3]")
_GROUP = re.compile(r"\s/\s")


@dataclass(frozen=True)
class Line:
    """One municipality's row. number: of its line in the file; codes: six-digit codes that may be meant, none where the
    file gives only a name; cells: by column as the mapping names it."""

    number: int
    codes: frozenset[str]
    prefecture: str
    name: str
    cells: Mapping[str, str]

    def means(self, place: Municipality) -> bool:
        """Whether the row is about this municipality: its code, and its name where the row has one."""
        names = {folded(place.name), folded(place.prefecture + place.name)}
        there = not place.prefecture or self.prefecture in ("", folded(place.prefecture))
        named = self.name in names and there
        if not self.codes:
            return named
        return place.code in self.codes and (named or not self.name)


@dataclass(frozen=True)
class File:
    """What one file says. columns: those of the mapping that it has; unknown: those that the mapping does not know."""

    path: Path
    lines: tuple[Line, ...]
    columns: frozenset[str]
    unknown: tuple[str, ...]
    problems: tuple[str, ...]
    _by_code: dict[str, list[Line]] = field(default_factory=dict)
    _by_name: dict[str, list[Line]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for line in self.lines:
            for code in line.codes:
                self._by_code.setdefault(code, []).append(line)
            if not line.codes:
                self._by_name.setdefault(line.name, []).append(line)

    def of(self, place: Municipality) -> tuple[Line, ...]:
        """The rows about the municipality; one, if the file is in order."""
        names = {folded(place.name), folded(place.prefecture + place.name)}
        near = [*self._by_code.get(place.code, ()), *(line for name in names for line in self._by_name.get(name, ()))]
        return tuple(line for line in near if line.means(place))

    def misnamed(self, place: Municipality) -> Line | None:
        """A row that has the municipality's code, no other that could be meant, and another name."""
        near = self._by_code.get(place.code, ())
        return next((line for line in near if len(line.codes) == 1 and not line.means(place)), None)


def read(paths: Sequence[Path], mapping: Asked) -> tuple[File, ...]:
    """The files. Raises InputError where one cannot be read, has none of the columns, or repeats those of another."""
    files: list[File] = []
    for path in paths:
        file = _file(path, mapping)
        for other in files:
            if both := file.columns & other.columns:
                raise InputError(f"{path} and {other.path} both have the column {min(both)}. Give one of them.")
        files.append(file)
    return tuple(files)


def _file(path: Path, mapping: Asked) -> File:
    rows = list(_rows(path))
    header, header_line = (rows[0][1], rows[0][0]) if rows else ([], 1)
    keys = {kind: _key(header, getattr(mapping, kind)) for kind in ("code", "prefecture", "name")}
    wanted = dict.fromkeys(column for item in mapping.items for column in item.columns)
    found = {column: at for column in wanted if (at := _place(column, header)) is not None}
    if not found or (keys["code"] is None and keys["name"] is None):
        raise InputError(_not_this_survey(path, header_line, mapping, list(wanted)))
    others = [name for at, name in enumerate(header) if at not in {*keys.values(), *found.values()}]
    lines, problems = _lines(path, rows[1:], len(header), keys, found)
    unknown = tuple(name for name in others if name.strip() and not _left_out(name, mapping))
    return File(path, tuple(lines), frozenset(found), unknown, tuple(problems))


def _rows(path: Path) -> Iterable[tuple[int, list[str]]]:
    """(line number, cells) of the rows that are not blank."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}. Save it as CSV again.") from error


def _text(path: Path) -> str:
    """UTF-8 as published, or Shift_JIS as a spreadsheet saves it again."""
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"--survey {path} cannot be read ({error.strerror}).") from error
    if len(body) > MAX_BYTES:
        raise InputError(f"--survey {path} is larger than {MAX_BYTES:,} bytes, so it is not the survey's CSV.")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text
    raise InputError(f"--survey {path} is neither UTF-8 nor Shift_JIS text. Save it as CSV (UTF-8).")


def _key(header: Sequence[str], names: Sequence[str]) -> int | None:
    at = [number for number, name in enumerate(header) if folded(name) in names]
    return at[0] if at else None


def _place(wanted: str, header: Sequence[str]) -> int | None:
    """Where the column stands: by its whole name, else by its name without the group where either lacks that. None
    where it is not there, or not alone."""
    whole = [at for at, name in enumerate(header) if folded(name) == folded(wanted)]
    if not whole:
        group, tail = _parts(wanted)
        parts = [_parts(name) for name in header]
        whole = [at for at, (other, name) in enumerate(parts) if name == tail and not (group and other)]
    return whole[0] if len(whole) == 1 else None


def _parts(name: str) -> tuple[str, str]:
    """(group, name), folded; the group may be empty."""
    group, *rest = _GROUP.split(name, maxsplit=1)
    return (folded(group), folded(rest[0])) if rest else ("", folded(group))


def _left_out(name: str, mapping: Asked) -> bool:
    """Whether the mapping says that the column has no criterion."""
    group, tail = _parts(name)
    for column in (folded(column) for one in mapping.unmapped for column in one.columns):
        if column in (folded(name), tail) or (column.endswith(ALL_OF) and column[: -len(ALL_OF)] == group):
            return True
    return any(not group and column.endswith("/" + tail) for one in mapping.unmapped for column in one.columns)


def _lines(
    path: Path,
    rows: Sequence[tuple[int, list[str]]],
    width: int,
    keys: Mapping[str, int | None],
    found: Mapping[str, int],
) -> tuple[list[Line], list[str]]:
    lines: list[Line] = []
    problems: list[str] = []
    for number, row in rows:
        cells = [*row, *[""] * (width - len(row))]
        code, prefecture, name = (
            folded(cells[at]) if (at := keys[kind]) is not None else "" for kind in ("code", "prefecture", "name")
        )
        codes = _codes(code)
        if code and not codes:
            problems.append(f"{path.name}, line {number}: {code[:20]!r} is no municipality's code; the row is left out")
        elif len(row) > width:
            problems.append(f"{path.name}, line {number}: more cells than columns; the row is left out")
        elif code or name:
            given = {column: cells[at] for column, at in found.items()}
            lines.append(Line(number, codes, prefecture, name, given))
    return lines, problems


def _codes(text: str) -> frozenset[str]:
    """Codes that may be meant: six digits, or five without the check digit or the leading zero; none for other text."""
    if re.fullmatch(r"x[0-9a-f]{10}", text):
        return frozenset((text,))
    if not re.fullmatch(r"[0-9]{5,6}", text):
        return frozenset()
    whole = [text] if len(text) == 6 else ["0" + text]
    right = {code for code in whole if check_digit(code[:5]) == code[5]}
    return frozenset(right | ({text + check_digit(text)} if len(text) == 5 else set()))


def _not_this_survey(path: Path, line: int, mapping: Asked, wanted: Sequence[str]) -> str:
    columns = "".join(f"\n  {column}" for column in wanted[:_SHOWN_COLUMNS])
    keys = f"{', '.join(mapping.code)} or {', '.join(mapping.name)}"
    return (
        f"--survey {path}: line {line} does not name the columns of the mapping {mapping.id}. Sought: one of {keys}; "
        f"and at least one of {len(wanted)} such as{columns}\n"
        "Is it the survey's CSV with one row a municipality? Another survey needs another --mapping."
    )
