"""Which municipalities a survey of many is about."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.charset import decode
from pipeline.errors import InputError, UnknownCityError
from pipeline.models import Municipality
from pipeline.municipality import Registry

_SHOWN = 10


def chosen(
    places: Registry, *, file: Path | None = None, prefectures: Sequence[str] = (), everybody: bool = False
) -> list[Municipality]:
    """The municipalities of a file, of prefectures, or all of the registry, each once, by code.

    file: one name or code a line (what follows a comma is left alone, `#` begins a remark, a first line `code` or
    `city` is a heading). Prefectures themselves are no municipalities and count only where a file names them. Raises
    InputError where nothing or several of the three are given, with every line of the file that names none.
    """
    if sum((file is not None, bool(prefectures), everybody)) != 1:
        raise InputError("give one of --cities FILE, --prefecture NAME (repeatable) or --all.")
    if file is not None:
        found = _of_file(places, file)
    else:
        found = [one for name in prefectures for one in _of_prefecture(places, name)]
        found = list(places.municipalities) if everybody else found
    return sorted({one.code: one for one in found}.values(), key=lambda one: one.code)


def _of_prefecture(places: Registry, name: str) -> list[Municipality]:
    prefecture = next((one for one in places.prefectures if name in (one.name, one.name[:-1], one.code)), None)
    if prefecture is None:
        raise InputError(f"--prefecture {name}: none of the 47; write it as 神奈川県.")
    return [one for one in places.municipalities if one.prefecture == prefecture.name]


def _of_file(places: Registry, file: Path) -> list[Municipality]:
    found, refused = [], []
    for number, name in _names(file):
        try:
            found.append(places.find(name))
        except UnknownCityError as error:
            refused.append(f"line {number}: {error}")
        except InputError as error:
            refused.append(f"line {number}: {str(error).splitlines()[0]}")
    if refused:
        more = f"\n  and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        raise InputError(f"--cities {file}:\n  " + "\n  ".join(refused[:_SHOWN]) + more)
    if not found:
        raise InputError(f"--cities {file}: no municipality in it; write one name or code a line.")
    return found


def _names(file: Path) -> Iterator[tuple[int, str]]:
    """Line numbers and what stands first on each line that is neither empty nor a remark nor the heading."""
    try:
        text = decode(file.read_bytes(), "text/plain").text
    except OSError as error:
        raise InputError(f"--cities {file}: cannot be read ({error.strerror}).") from None
    for number, row in enumerate(csv.reader(text.removeprefix("\ufeff").splitlines()), start=1):
        name = row[0].partition("#")[0].strip() if row else ""
        if name and not (number == 1 and name.lower() in ("code", "city", "コード", "団体コード", "市区町村")):
            yield number, name
