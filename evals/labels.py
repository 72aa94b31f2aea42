"""Labelled sites: what careful readers concluded, criterion by criterion, and the pages they read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from pipeline import demo
from pipeline.errors import InputError
from pipeline.models import CriterionId, Municipality, MunicipalityCode, Noun

LABELS = "labels.jsonl"
MANIFEST = "manifest.json"

N = TypeVar("N", bound=Noun)


class LabelVerdict(StrEnum):
    """What a label says: the verdicts that pages can bear, or that only a live measurement tells."""

    MET = "met"
    NOT_MET = "not_met"
    NO_EVIDENCE = "no_evidence"
    UNOBSERVED = "unobserved"
    SKIP = "skip"


class Evidence(Noun):
    """A passage that bears the verdict on its own. path: from the root of the site; quote: the text of one block (empty
    where a probe measures); href: the link that settles it."""

    path: Annotated[str, Field(pattern=r"^/|^https?://")]
    quote: str
    href: str = ""


class Label(Noun):
    """One line of labels.jsonl. hard, trap: whether and why a keyword search goes wrong here; codes: what each coder
    said before they settled, where there were several."""

    criterion: CriterionId
    verdict: LabelVerdict
    evidence: tuple[Evidence, ...] = ()
    hard: bool = False
    trap: str = ""
    note: str = ""
    codes: dict[str, LabelVerdict] = {}


class Manifest(Noun):
    """What a labelled site is. as_of: the day the labels speak about; run: the survey in the workspace whose archived
    pages were read, for labels without a `site/` folder."""

    slug: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    name: str
    kana: str = ""
    romaji: str = ""
    prefecture: str = ""
    code: MunicipalityCode
    population: int | None = None
    as_of: date
    pages: int | None = None
    pdfs: int | None = None
    feed: str | None = None
    sitemap: bool = False
    run: str = ""


@dataclass(frozen=True)
class Labelled:
    """A labelled municipality. site: the folder of its files, or None where they are archived in the workspace;
    digest: sha256 over labels, manifest and every file of the site."""

    manifest: Manifest
    labels: tuple[Label, ...]
    site: Path | None
    digest: str

    @property
    def municipality(self) -> Municipality:
        told = self.manifest
        return Municipality(code=told.code, name=told.name, kana=told.kana, prefecture=told.prefecture)


def load(path: Path) -> list[Labelled]:
    """The labelled sites of a folder of folders, of one folder, or of one labels.jsonl, by slug.

    Raises InputError where there is none, or where a line is not valid, naming file and line.
    """
    if path.is_file():
        return [_read(path.parent, path)]
    if not path.is_dir():
        raise InputError(f"{path}: no such folder or file. Give a folder of labelled sites or a labels.jsonl.")
    files = [path / LABELS] if (path / LABELS).is_file() else sorted(path.glob(f"*/{LABELS}"))
    if not files:
        raise InputError(f"{path}: no {LABELS} in it nor in a folder of it. evals/labels/README.md tells the format.")
    found = sorted((_read(one.parent, one) for one in files), key=lambda one: one.manifest.slug)
    _unlike([one.manifest.slug for one in found], path)
    return found


def schema() -> dict[str, Any]:
    """JSON Schema of a line of labels.jsonl and of manifest.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Labelled site",
        "description": "Validate a line of labels.jsonl against #/$defs/Label, manifest.json against #/$defs/Manifest.",
        "$defs": {**_definitions(Label), **_definitions(Manifest)},
    }


def _definitions(noun: type[Noun]) -> dict[str, Any]:
    told = noun.model_json_schema()
    return {**told.pop("$defs", {}), noun.__name__: told}


def _read(folder: Path, file: Path) -> Labelled:
    manifest = _parsed(Manifest, folder / MANIFEST, _text(folder / MANIFEST))
    lines = _text(file).split("\n")
    labels = tuple(_parsed(Label, file, line, number) for number, line in enumerate(lines, 1) if line.strip())
    if not labels:
        raise InputError(
            f"{file}: no label in it. Write one line a criterion; `classify eval schema` prints the format."
        )
    _unlike([label.criterion for label in labels], file)
    site = next((one for one in (folder / "site", *_bundled(manifest)) if one.is_dir()), None)
    return Labelled(manifest, labels, site, _digest(folder / MANIFEST, file, site))


def _bundled(manifest: Manifest) -> tuple[Path, ...]:
    """Where the pages of the bundled municipality are, which has no second copy beside its labels."""
    return (demo.SITE,) if manifest.slug == "demo" else ()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{file}: missing. A labelled site needs {MANIFEST} and {LABELS}.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from None


def _parsed(kind: type[N], file: Path, text: str, line: int = 0) -> N:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{file}:{line}" if line else f"{file}"
        at = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{where}: {f'{at}: ' if at else ''}{first['msg']}. `classify eval schema` prints the format."
        ) from None


def _unlike(names: Sequence[str], where: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where}: {', '.join(twice)}: labelled twice. Keep one of each.")


def _digest(manifest: Path, labels: Path, site: Path | None) -> str:
    total = hashlib.sha256()
    for name, body in _files(manifest, labels, site):
        total.update(json.dumps([name, hashlib.sha256(body).hexdigest()]).encode())
    return total.hexdigest()


def _files(manifest: Path, labels: Path, site: Path | None) -> Iterator[tuple[str, bytes]]:
    yield MANIFEST, manifest.read_bytes()
    yield LABELS, labels.read_bytes()
    for path in sorted(site.rglob("*")) if site else ():
        if path.is_file():
            yield path.relative_to(site).as_posix() if site else "", path.read_bytes()
