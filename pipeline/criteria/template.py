"""A first criteria file for an author to fill in."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import InputError
from pipeline.settings import bundled

SCHEMA = "criteria.schema.json"
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9.-]+")


def write(path: Path) -> str:
    """Writes a commented, valid set named after the file; returns its id. Raises InputError where the name is none of a
    criteria file, where a file is there already, or where it cannot be written."""
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"{path}: end the name in .yaml.")
    name = _NOT_OF_AN_ID.sub("-", path.stem.lower()).strip("-.") or "my-set"
    folder = bundled("criteria")
    schema = SCHEMA if path.resolve().parent == folder.resolve() else (folder / SCHEMA).resolve().as_posix()
    text = (folder / "template.txt").read_text(encoding="utf-8")
    text = text.replace("$schema=SCHEMA", f"$schema={schema}", 1).replace("id: SET ", f"id: {name} ", 1)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} exists and is left as it is. Give another name.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}). Give a folder that exists.") from error
    return name
