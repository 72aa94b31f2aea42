"""The folder of the editions: what is on it stays as it is, and what is put there is there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from pipeline.editions.freezing import CRITERIA_FILE, EDITION_FILE
from pipeline.editions.nouns import Edition, Issued
from pipeline.errors import InputError
from pipeline.models import CriteriaSet, Erratum, Run

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
PART = ".part-"
_ERRATUM = "[0-9][0-9][0-9][0-9].json"


class Shelf:
    """FOLDER/NAME/ is the edition of that name; FOLDER/.part-NAME one that is being made, or was when its process died:
    the next publication removes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Names of the editions, sorted."""
        return sorted(one.parent.name for one in self.folder.glob(f"*/{EDITION_FILE}") if named(one.parent.name))

    def path(self, name: str) -> Path:
        """The folder of the edition. Raises InputError where there is none of that name."""
        if not named(name) or not (self.folder / name / EDITION_FILE).is_file():
            there = ", ".join(self.names()) or "none yet"
            raise InputError(f"no edition {name!r} in {self.folder}. Editions: {there}.")
        return self.folder / name

    def edition(self, name: str) -> Edition:
        """Raises InputError where there is none of that name or its edition.json cannot be read."""
        path = self.path(name) / EDITION_FILE
        try:
            return Edition.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            raise InputError(f"{path} is damaged ({_first(error)}). Bring the edition back from a copy.") from error

    def sha256(self, name: str) -> str:
        """Of its edition.json. Raises InputError where there is no edition of that name."""
        return hashlib.sha256((self.path(name) / EDITION_FILE).read_bytes()).hexdigest()

    def criteria(self, name: str) -> CriteriaSet:
        """The edition's own copy of its criteria. Raises InputError where it cannot be read."""
        path = self.path(name) / CRITERIA_FILE
        try:
            return CriteriaSet.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            raise InputError(f"{path} is damaged ({_first(error)}). Bring the edition back from a copy.") from error

    def errata(self, name: str) -> list[Issued]:
        """The errata of the edition, oldest first. Raises InputError where one cannot be read."""
        found = []
        for path in sorted((self.path(name) / "errata").glob(_ERRATUM)):
            try:
                found.append(Issued.model_validate_json(path.read_bytes()))
            except (ValidationError, OSError) as error:
                raise InputError(f"{path} is damaged ({_first(error)}). Bring it back from a copy.") from error
        return found

    def put(self, name: str, make: Callable[[Path], Edition]) -> Edition:
        """Makes an edition in a folder beside, and moves it to its place, read-only, when it is whole. Raises
        InputError where the name cannot be one or is taken."""
        self.free(name)
        with self.locked():
            for left in self.folder.glob(f"{PART}*"):
                shutil.rmtree(left)
            part = self.folder / f"{PART}{name}"
            part.mkdir(mode=0o700)
            try:
                edition = make(part)
                for path in (one for one in part.rglob("*") if one.is_file()):
                    _settle(path)
                self.free(name)
                part.rename(self.folder / name)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            _sync(self.folder)
        return edition

    def free(self, name: str) -> None:
        """Raises InputError where no edition of that name can be made."""
        if not named(name):
            raise InputError(
                f"{name!r} cannot name an edition: small letters a-z, digits and hyphens, at most 64, such as dx-2026."
            )
        if os.path.lexists(self.folder / name):
            raise InputError(
                f"{self.folder / name} exists, and an edition is never overwritten. Choose another name; what has "
                f"changed since is told by `classify errata {name}`."
            )

    def add_erratum(self, name: str, number: int, pages: Sequence[tuple[str, str]], issued: Issued) -> Path:
        """Writes errata/NNNN with these pages (suffix, text) and, last, its .json, by which it is there. Raises
        InputError where that number is taken."""
        folder = self.path(name) / "errata"
        folder.mkdir(mode=0o700, exist_ok=True)
        stem = f"{number:04}"
        place = folder / f"{stem}.json"
        if place.exists():
            raise InputError(f"{place} exists, and an erratum is never overwritten.")
        for suffix, text in (*pages, (".json", issued.model_dump_json(indent=1) + "\n")):
            part = folder / f"{PART}{stem}{suffix}"
            part.unlink(missing_ok=True)
            part.write_text(text, encoding="utf-8", newline="\n")
            _settle(part)
            part.replace(folder / f"{stem}{suffix}")
        _sync(folder)
        return place

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time puts something on the shelf; the kernel frees the lock when it dies. Raises InputError
        where another one does."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(f"{self.folder} cannot be written to ({error.strerror}).") from error
        try:
            _flock(handle, self.folder)
            yield
        finally:
            os.close(handle)


def issued(run: Run, shelf: Shelf) -> tuple[Erratum, ...]:
    """The errata of all editions about the run's municipality and criteria set, by edition, oldest first."""
    found = (
        one.erratum
        for name in shelf.names()
        if shelf.criteria(name).id == run.criteria_id
        for one in shelf.errata(name)
    )
    return tuple(one for one in found if one.municipality.code == run.municipality.code)


def _flock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{folder}: another publication is under way. Wait for it to end.") from None


def named(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def _settle(path: Path) -> None:
    """On the disk, and read-only from now on."""
    path.chmod(0o444)
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _first(error: ValidationError | OSError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    one = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
