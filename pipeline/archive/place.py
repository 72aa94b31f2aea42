"""Where an archive is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import ArchiveError

WARC = ".warc.gz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Place:
    """Enough to open an archive, here or in another process.

    folder: of this machine, with the WARCs and the index; where storage names another place for the WARCs, for the
    index alone. storage: a path or an fsspec URL that several machines share. database: the PostgreSQL that they share
    the index in (a SQLAlchemy URL); empty: each has its own.
    """

    folder: Path
    storage: str = ""
    database: str = field(default="", repr=False)


def checked(*names: str) -> None:
    """Raises ArchiveError where a municipal code or a run's id cannot name a file."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ArchiveError(f"{name!r} cannot name a file of the archive: letters, digits, - _ . only")


def owner(warc: str) -> tuple[str, str] | None:
    """(code, run id) of a WARC by its path below the archive's root, None where it is none of ours.

    <code>/<run id>.warc.gz holds a whole run, <run id>/<code>/<time>-<random>.warc.gz one answer.
    """
    parts = warc.removesuffix(WARC).split("/")
    if not warc.endswith(WARC) or not all(map(_NAME.fullmatch, parts)):
        return None
    if len(parts) == 3:
        return parts[1], parts[0]
    return (parts[0], parts[1]) if len(parts) == 2 else None
