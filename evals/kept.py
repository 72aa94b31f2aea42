"""Runs of the suite as files of the workspace: evals/ID.json."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from evals.nouns import EvalRun
from pipeline.errors import InputError


class Runs:
    """The runs kept in a folder, which is made when the first one is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, run: EvalRun) -> Path:
        """Writes the run whole or not at all; returns its file."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{run.id}.json"
        part = path.with_suffix(".part")
        part.write_text(run.model_dump_json(indent=1), encoding="utf-8")
        part.replace(path)
        return path

    def ids(self) -> list[str]:
        """Ids of the kept runs, oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def find(self, name: str = "") -> EvalRun:
        """The newest run; of a name: a file, else the newest run whose id is it, begins with it or ends in it (a
        judge).

        Raises InputError where there is none, or where its file is not a run.
        """
        if name and Path(name).is_file():
            return _read(Path(name))
        known = self.ids()
        named = filed(name)
        fitting = [one for one in known if one == name] or [
            one for one in known if one.startswith(name) or one.endswith(f"-{named}")
        ]
        if not fitting:
            latest = ", ".join(known[-3:]) or "none yet"
            raise InputError(
                f"no eval run {name or 'at all'} in {self.folder} (the latest: {latest}). `classify eval run`"
            )
        return _read(self.folder / f"{fitting[-1]}.json")


def filed(judge: str) -> str:
    """A judge's name as it stands in file names."""
    return "".join(one if one.isalnum() or one in "-._" else "_" for one in judge)


def _read(path: Path) -> EvalRun:
    try:
        return EvalRun.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not an eval run ({str(error).splitlines()[0]}). Run `classify eval run` again."
        ) from None
