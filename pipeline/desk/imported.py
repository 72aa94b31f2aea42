"""What came of taking a file in, and the door that every such file passes first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import InputError

_MB = 1_000_000


@dataclass(frozen=True)
class Imported:
    """runs, items: newly saved; recorded: lines added to the log; unchanged: items that the file says nothing new
    about; problems: what was not taken, each with its line or row and what to do."""

    runs: int = 0
    items: int = 0
    recorded: int = 0
    unchanged: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: Imported) -> Imported:
        return Imported(
            runs=self.runs + other.runs,
            items=self.items + other.items,
            recorded=self.recorded + other.recorded,
            unchanged=self.unchanged + other.unchanged,
            problems=self.problems + other.problems,
        )


def opened(path: Path, *, most_bytes: int, because: str) -> BinaryIO:
    """The file, open for reading. Raises InputError: there is none, it cannot be read, or it is too large."""
    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file; give one that Akashi exported")
        if (size := path.stat().st_size) > most_bytes:
            limit = f"{path} has {size / _MB:,.0f} MB and the limit is {most_bytes / _MB:,.0f} MB: {because}"
            raise InputError(f"{limit}; export one municipality at a time")
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} cannot be read ({error}); give a file that Akashi exported") from error
