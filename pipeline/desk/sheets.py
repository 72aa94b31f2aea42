"""The rows of a sheet of an xlsx file that came from outside, read within limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline.desk.imported import opened
from pipeline.errors import InputError

# As JSON brings it from the child; a list holds the text of a date, a time or a duration.
Cell = str | int | float | list[str]

MAX_XLSX_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 500_000_000
_MEMORY_BYTES = 1_500_000_000
_CPU_S = 120
_CHILD = Path(__file__).with_name("sheet_child.py")
_TOO_LARGE = "the workbook of all 1,741 municipalities takes less than half of that"
_AGAIN = "export the queue again and fill in that file"


def rows(path: Path, sheet: str, needed: Sequence[str]) -> list[tuple[int, dict[str, Cell]]]:
    """(row as Excel counts, the needed columns by the titles of the first row) of every row in which one is filled.

    Raises InputError, naming what is wrong with the file.
    """
    with opened(path, most_bytes=MAX_XLSX_BYTES, because=_TOO_LARGE) as file:
        _check_package(file, path)
        return _read(file, path, sheet, needed)


def _check_package(file: BinaryIO, path: Path) -> None:
    try:
        with zipfile.ZipFile(file) as package:
            parts = {part.filename: part.file_size for part in package.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        told = f"{path} is not an xlsx file ({error}): it is cut off, of another kind, or locked by a password"
        raise InputError(f"{told}; save it as xlsx without a password, or {_AGAIN}") from error
    if "xl/workbook.xml" not in parts:
        raise InputError(f"{path} is a zip file and not an xlsx; save it as xlsx, or {_AGAIN}")
    if (size := sum(parts.values())) > MAX_UNPACKED_BYTES:
        limit = f"{size / 1e6:,.0f} MB and the limit is {MAX_UNPACKED_BYTES / 1e6:,.0f} MB"
        raise InputError(f"{path} would unpack to {limit}, as {_TOO_LARGE}; {_AGAIN}")


def _read(file: BinaryIO, path: Path, sheet: str, needed: Sequence[str]) -> list[tuple[int, dict[str, Cell]]]:
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # the child reads on where the file stands
    command = [sys.executable, "-I", str(_CHILD), str(_MEMORY_BYTES), str(_CPU_S), sheet]
    with subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:  # noqa: S603
        try:
            found = list(_filled(map(json.loads, child.stdout or ()), path, sheet, needed))
        except ValueError:  # it ended within a line
            found = []
    if child.returncode:
        raise InputError(f"{path} cannot be read as an xlsx within safe limits; save it again in Excel, or {_AGAIN}")
    return found


def _filled(
    told: Iterator[list[Cell]], path: Path, sheet: str, needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, Cell]]]:
    """Of what the child tells: the names of the sheets, then the rows of the one."""
    names = next(told, [])
    if names and sheet not in names:
        raise InputError(f"{path} has no sheet {sheet!r} (it has {', '.join(map(str, names[:20]))}); {_AGAIN}")
    places = _places(path, next(told, []), needed) if names else {}
    for at, row in enumerate(told, start=2):
        cells = {title: row[place] if place < len(row) else "" for title, place in places.items()}
        if any(cell != "" for cell in cells.values()):
            yield at, cells


def _places(path: Path, head: Sequence[Cell], needed: Sequence[str]) -> dict[str, int]:
    titles = [cell.strip() if isinstance(cell, str) else "" for cell in head]
    if missing := [title for title in needed if title not in titles]:
        raise InputError(f"{path}: the first row lacks the columns {', '.join(missing)}; {_AGAIN}")
    if twice := [title for title in needed if titles.count(title) > 1]:
        raise InputError(f"{path}: the columns {', '.join(twice)} come twice; delete the copies, or {_AGAIN}")
    return {title: titles.index(title) for title in needed}
