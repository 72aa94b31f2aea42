"""Files written beside their place and moved into it: half a file never looks like a whole one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import InputError


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` at the end; after an error nothing is left, and a file that was there stays.
    Raises InputError where it cannot be written."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        yield fresh
        fresh.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        fresh.unlink(missing_ok=True)
