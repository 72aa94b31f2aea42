"""The folder of a site: built beside and swapped, and never one that holds anything else."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from pipeline.errors import InputError
from pipeline.models import Noun, Sha256

MARK = "akashi-site.json"
_MOST_NAMED = 5


class Mark(Noun):
    """akashi-site.json: that the folder is a site of Akashi, and every file of it."""

    kind: Literal["akashi-site"] = "akashi-site"
    format: int = 1
    files: dict[str, Sha256]


def replace(out: Path, make: Callable[[Path], None]) -> int:
    """Has the site made in a folder beside `out` and puts it there in its place; returns how many files it has.

    Raises InputError where `out` holds anything that no earlier build wrote; then nothing is changed.
    """
    out = _resolved(out)
    refuse_foreign(out)
    part, old = out.with_name(f".{out.name}.akashi-part"), out.with_name(f".{out.name}.akashi-old")
    try:
        for left in (part, old):
            _remove(left)
        part.mkdir(parents=True)
        make(part)
        mark = Mark(files=digests(part))
        (part / MARK).write_text(mark.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")
        if out.exists():
            out.rename(old)
        part.rename(out)
        _remove(old)
    except OSError as error:
        raise InputError(f"--out {out}: cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(mark.files) + 1


def digests(folder: Path) -> dict[str, str]:
    """sha256 by path of every file but the mark, by path."""
    found = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if not path.is_dir())
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found if name != MARK}


def refuse_foreign(out: Path) -> None:
    """Raises InputError where `out` is no folder, or one with files that no earlier build wrote."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"--out {out}: a file is there. Give a new or empty folder.")
    if not any(out.iterdir()):
        return
    known = _known(out)
    if foreign := [name for name, sha256 in digests(out).items() if known.get(name) != sha256]:
        more = f" and {len(foreign) - _MOST_NAMED} more" if len(foreign) > _MOST_NAMED else ""
        raise InputError(
            f"--out {out}: not written by Akashi, or changed since: {', '.join(foreign[:_MOST_NAMED])}{more}. "
            "Move that away, or give a new folder."
        )


def _known(out: Path) -> dict[str, str]:
    try:
        return Mark.model_validate_json((out / MARK).read_bytes()).files
    except (OSError, ValidationError):
        raise InputError(f"--out {out}: not empty, and no site of Akashi. Give a new or empty folder.") from None


def _remove(folder: Path) -> None:
    if folder.exists():
        refuse_unmade(folder)
        shutil.rmtree(folder)


def refuse_unmade(folder: Path) -> None:
    """Raises InputError where what lies beside under our own name is a link or a file."""
    if folder.is_symlink() or not folder.is_dir():
        raise InputError(f"{folder} is in the way. Move it away.")


def _resolved(out: Path) -> Path:
    """Where the folder really is, so that a link to it stays a link."""
    found = out.expanduser().resolve()
    if not found.name:
        raise InputError(f"--out {out}: give a folder to be made.")
    return found
