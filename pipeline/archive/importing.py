"""Folders of files and WARCs of other tools, brought into the archive."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urljoin

from pipeline import urls
from pipeline.archive.answer import Answer
from pipeline.archive.archive import Archive
from pipeline.archive.foreign import MAX_DETAIL, Given, answers
from pipeline.errors import SiteError
from pipeline.models import Cause, Record, Snapshot, Source, Unread
from pipeline.text import printable

MAX_FILES = 20_000
MAX_FILE_BYTES = 50_000_000
_TYPES = {
    **dict.fromkeys((".html", ".htm", ".shtml"), "text/html"),
    ".xhtml": "application/xhtml+xml",
    ".pdf": "application/pdf",
    **dict.fromkeys((".xml", ".rss", ".rdf", ".atom"), "application/xml"),
    ".txt": "text/plain",
}
# What a saved page is when its name does not tell (list.php, a page without suffix), by its first bytes.
_BEGINNINGS = (
    (re.compile(rb"(<!--.{0,400}?-->|\s|<\?xml[^>]{0,200}\?>)*(<!doctype html|<html)", re.I | re.S), "text/html"),
    (re.compile(rb"%PDF-"), "application/pdf"),
    (re.compile(rb"<\?xml|<rss|<rdf:rdf|<feed", re.I), "application/xml"),
)
_BEGINNING_BYTES = 1_024


class Imported(list[Snapshot]):
    """The snapshots of an import; `unread`: what was there and could not be brought in, with the reason."""

    def __init__(self, snapshots: list[Snapshot], unread: list[Unread]) -> None:
        super().__init__(snapshots)
        self.unread = tuple(unread)


# --- a folder of files ------------------------------------------------------------------------------------------------


def import_site(archive: Archive, folder: Path, *, code: str, run_id: str, base_url: str, now: datetime) -> Imported:
    """Archives the HTML, PDF, XML and text files of a folder as answers of status 200 under `base_url`, index.html as
    its directory. Hidden files are passed over; links out of the folder and files over 50 MB end up in `unread`.

    Run again for the same run it adds only what changed. Raises SiteError if the folder cannot be read or holds
    nothing readable, or more than 20,000 files.
    """
    root = _root(folder)
    base_url = _base(base_url)
    known = {(each.url, each.sha256): each for each in archive.snapshots(run_id)}
    snapshots: list[Snapshot] = []
    unread: list[Unread] = []
    for path in _files(root, unread, base_url):
        content_type = _content_type(path)
        if content_type is None:
            continue
        url, body = _url(base_url, path.relative_to(root)), path.read_bytes()
        before = known.get((url, hashlib.sha256(body).hexdigest()))
        snapshots.append(
            before
            or archive.write(
                code=code,
                run_id=run_id,
                url=url,
                final_url=url,
                fetched_at=now,
                status=200,
                headers=(("Content-Type", content_type),),
                body=body,
            )
        )
    if not snapshots:
        raise SiteError(f"{folder} holds no HTML, PDF, XML or text file; give the folder that holds the site's pages")
    return Imported(snapshots, unread)


def _root(folder: Path) -> Path:
    if not folder.exists():
        raise SiteError(f"there is no folder {folder}; give the folder that holds the site's pages")
    if not folder.is_dir():
        raise SiteError(f"{folder} is a file; give the folder that holds the site's pages, or a WARC with --warc")
    return folder.resolve()


def _base(base_url: str) -> str:
    if not re.match("https?://[^/]", base_url):
        raise SiteError(
            f"{base_url!r} cannot be the address of the files: give the home page's http(s) address with --url"
        )
    return urljoin(base_url, ".") if "/" in base_url.split("://", 1)[1] else base_url + "/"


def _files(root: Path, unread: list[Unread], base_url: str) -> Iterator[Path]:
    """The regular files below `root` in the order of their names; what is refused is added to `unread`."""
    seen = 0
    for parent, folders, names in os.walk(root, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted(links + [name for name in names if not name.startswith(".")]):
            seen += 1
            if seen > MAX_FILES:
                raise SiteError(f"{root} holds more than {MAX_FILES} files; give the folder of one site")
            path = Path(parent, name)
            refused = _refusal(root, path)
            if refused is None:
                yield path
            else:
                cause, detail = refused
                unread.append(Unread(url=_url(base_url, path.relative_to(root)), cause=cause, detail=detail))


def _refuse(error: OSError) -> None:
    raise SiteError(f"{error.filename} cannot be read ({error.strerror})") from error


def _refusal(root: Path, path: Path) -> tuple[Cause, str] | None:
    target = path.resolve()
    if not target.is_relative_to(root):
        return Cause.ADDRESS, "a link that leaves the folder"
    if not target.is_file():
        return Cause.MEDIA, "no regular file"
    if not os.access(target, os.R_OK):
        return Cause.FORBIDDEN, "no permission to read it"
    if target.stat().st_size > MAX_FILE_BYTES:
        return Cause.TOO_LARGE, f"more than {MAX_FILE_BYTES} bytes"
    return None


def _content_type(path: Path) -> str | None:
    """By suffix, without a charset: the page's own declaration counts; else by the file's first bytes."""
    known = _TYPES.get(path.suffix.lower()) or _TYPES.get(Path(path.name.partition("?")[0]).suffix.lower())
    if known:
        return known
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING_BYTES).removeprefix(b"\xef\xbb\xbf")
    return next((content_type for pattern, content_type in _BEGINNINGS if pattern.match(beginning)), None)


def _url(base_url: str, path: Path) -> str:
    """The address a file answers at. A `?` in its name begins the query, as mirroring tools save it."""
    parts = [os.fsencode(part) for part in path.parts]
    name = "/".join(quote(_composed(part), safe="!$&'()*+,;=:@~?") for part in parts)
    return base_url + re.sub(r"(^|/)index\.html?$", r"\1", name, flags=re.I)


def _composed(part: bytes) -> bytes:
    """File names may hold their characters decomposed, addresses hold them composed."""
    try:
        return unicodedata.normalize("NFC", part.decode()).encode()
    except UnicodeDecodeError:
        return part


# --- a WARC -----------------------------------------------------------------------------------------------------------


def import_warc(archive: Archive, path: Path, *, code: str, run_id: str, home_url: str | None) -> Imported:
    """Archives the HTTP answers of a .warc or .warc.gz of any tool, with their own dates, statuses and headers, and
    what a survey of ours rendered and measured.

    Pages outside the site of `home_url` are marked `press`: another speaker, unless a crawl of ours has marked them as
    what an account's service told. Broken records end up in `unread`. Run
    again for the same run it adds only what is new. Raises SiteError if the file is no WARC or has no page of the site.
    """
    if not path.is_file():
        raise SiteError(f"there is no file {path}; give a .warc or .warc.gz")
    known = {(each.final_url, each.fetched_at, each.sha256): each for each in archive.snapshots(run_id)}
    snapshots: list[Snapshot] = []
    unread: list[Unread] = []
    bodies = Bodies()

    def keep(found: Answer) -> Snapshot:
        made = _attributed(found, home_url)
        before = known.get((made.final_url, made.fetched_at, made.sha256))
        snapshots.append(before or archive.put(made, code=code, run_id=run_id))
        return snapshots[-1]

    for found in answers(path):
        if isinstance(found, Unread):
            unread.append(found)
        elif found.refers_to is None:
            bodies.add(found, keep(found.answer))
        elif isinstance(whole := bodies.resolved(found), Answer):
            keep(whole)
        else:
            bodies.waiting.append(found)
    for revisit in bodies.waiting:  # a body may stand behind the record that refers to it
        outcome = bodies.resolved(revisit)
        if isinstance(outcome, Answer):
            keep(outcome)
        else:
            unread.append(outcome)
    _demand_official(snapshots, unread, path, home_url)
    return Imported(snapshots, unread)


@dataclass
class Bodies:
    """The answers of one file that revisits may refer to, and the revisits whose body has not come yet."""

    _by_record: dict[tuple[str, datetime], tuple[Snapshot, str]] = field(default_factory=dict)
    _by_digest: dict[str, Snapshot] = field(default_factory=dict)
    waiting: list[Given] = field(default_factory=list)

    def add(self, given: Given, snapshot: Snapshot) -> None:
        self._by_record[snapshot.final_url, snapshot.fetched_at] = (snapshot, given.digest)
        if given.digest:
            self._by_digest[given.digest] = snapshot

    def resolved(self, revisit: Given) -> Answer | Unread:
        """The revisit with the body it stands for, or Unread where this file does not hold it."""
        assert revisit.refers_to is not None
        address, since = revisit.refers_to
        named, digest = self._by_record.get((address, since), (None, "")) if since else (None, "")
        if named is not None and revisit.digest and digest and digest != revisit.digest:
            named = None  # another body than the one meant
        original = named or self._by_digest.get(revisit.digest)
        if original is None:
            when = f" of {since:%Y-%m-%d}" if since else ""
            detail = f"unchanged since {address}{when}, which this WARC does not hold; give one that holds both"
            return Unread(url=revisit.answer.final_url, cause=Cause.ELSEWHERE, detail=printable(detail[:MAX_DETAIL]))
        return replace(revisit.answer, unchanged=original.sha256, since=original.fetched_at, of=original.final_url)


def _attributed(found: Answer, home_url: str | None) -> Answer:
    if not found.source.quotable:
        return found
    if home_url and not urls.in_scope(found.final_url, home_url):
        return replace(found, source=Source.PRESS)
    return found


def _demand_official(snapshots: list[Snapshot], unread: list[Unread], path: Path, home_url: str | None) -> None:
    """A WARC of another site must not read as a site on which nothing was found."""
    answered = [one for one in snapshots if one.record is not Record.RESOURCE]
    if not answered:
        why = f" ({unread[0].url}: {unread[0].detail})" if unread else ""
        raise SiteError(f"{path} holds no HTTP answer that can be read{why}; give the WARC of a crawl")
    if not any(each.source is Source.OFFICIAL for each in answered):
        first = answered[0].final_url
        raise SiteError(f"{path} holds no page of {home_url} (but {first}); give its home page with --url")
