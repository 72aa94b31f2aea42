"""The site: its own pages around the editions' files, which are copied as they were published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.editions import Shelf, erratum_html
from pipeline.errors import InputError
from pipeline.language import LANGUAGES
from pipeline.report.links import href
from pipeline.site.folder import replace
from pipeline.site.gathering import regions, standings, volumes
from pipeline.site.nouns import Volume
from pipeline.site.pages import Pages, sitemap

# What an edition holds for whoever checks it, and no reader: it stays in the workspace.
_KEPT_BACK = "evidence/"


@dataclass(frozen=True)
class Built:
    """editions: names, newest first; municipalities: how many; files: of the site."""

    editions: tuple[str, ...]
    municipalities: int
    files: int


def build(shelf: Shelf, out: Path, *, names: Sequence[str] = (), base_url: str = "") -> Built:
    """Writes the site of these editions (or of the newest of each municipality) to `out`.

    base_url: where it will be served, for a sitemap and the 404 page. Raises InputError for an address or a folder that
    cannot be, and for an edition that is not as it was published; then `out` stays as it was.
    """
    base = _base(base_url)
    shown = volumes(shelf, names)
    placed = {volume.name: standings(volume) for volume in shown}
    places = regions(one for volume in shown for one in placed[volume.name])

    def make(folder: Path) -> None:
        for volume in shown:
            _copy(volume, shelf, folder)
        for language in LANGUAGES:
            pages = Pages(language, base)
            for path, text in pages.all(shown, placed, places):
                _write(folder / path, text)
        for volume in shown:
            _translate(volume, shelf, folder)
        if base:
            _write(folder / "sitemap.xml", sitemap(base, shown, folder))

    files = replace(out, make)
    return Built(tuple(one.name for one in shown), sum(len(one.towns) for one in places), files)


def _copy(volume: Volume, shelf: Shelf, folder: Path) -> None:
    """Every file for readers, checked against edition.json on its way."""
    source, place = shelf.path(volume.name), folder / "editions" / volume.name
    wanted = {one.path: one.sha256 for one in volume.edition.files if not one.path.startswith(_KEPT_BACK)}
    for path, sha256 in {**wanted, "edition.json": volume.sha256}.items():
        content = _read(source, path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InputError(f"{source / path} is not as it was published. `classify editions verify {volume.name}`.")
        _put(place / path, content)
    for path in _errata_files(volume):
        _put(place / path, _read(source, path))


def _errata_files(volume: Volume) -> Iterator[str]:
    for one in volume.errata:
        yield from (f"errata/{one.erratum.number:04}{suffix}" for suffix in (".html", ".json", ".md"))


def _translate(volume: Volume, shelf: Shelf, folder: Path) -> None:
    """The errata in the languages that they were not issued in."""
    criteria, written = shelf.criteria(volume.name), volume.edition.languages[0]
    for language in (one for one in LANGUAGES if one != written):
        spoken = language if language in volume.edition.languages else written
        for one in volume.errata:
            report = f"../../../../editions/{volume.name}/reports/{spoken}/{one.erratum.municipality.code}.html"
            text = erratum_html(one, volume.edition, criteria, language=language, report=report)
            _write(folder / language / "editions" / volume.name / "errata" / f"{one.erratum.number:04}.html", text)


def _read(source: Path, path: str) -> bytes:
    """Raises InputError for a path that leads out of the edition, or to no file."""
    place = source / path
    if not place.resolve().is_relative_to(source.resolve()) or not place.is_file():
        raise InputError(f"{place} is not in the edition. `classify editions verify {source.name}`.")
    return place.read_bytes()


def _write(path: Path, text: str) -> None:
    _put(path, text.encode())


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _base(url: str) -> str:
    if not url:
        return ""
    if href(url) != url or "?" in url or "#" in url:
        raise InputError(f"--base-url {url}: give a plain address, such as https://dx.example.jp/.")
    return url.rstrip("/") + "/"
