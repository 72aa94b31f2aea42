"""What a survey reads and writes on this machine: workspace, archive, database, criteria, prompts, registry."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline import criteria
from pipeline.archive.bucket import Folder, bucket, round_trip
from pipeline.archive.index import is_sound
from pipeline.doctor.finding import Finding, State
from pipeline.doctor.patient import Patient
from pipeline.errors import AkashiError, InputError, StorageError, StoreError
from pipeline.judge import prompt
from pipeline.municipality import Registry
from pipeline.municipality.fetching import kept_at
from pipeline.panel import prompt_file
from pipeline.store.looking import look
from pipeline.workspace import Workspace

# 400 HTML pages are about 4.5 MB in the archive (62 real municipal pages: 11.2 KB each, compressed), but each PDF may
# be as large as CLASSIFY_MAX_BYTES lets it be (20 MB): room for a hundred of the largest.
LEAST_FREE_BYTES = 2_000_000_000
NO_ROOM_BYTES = 100_000_000
DATABASE_S = 5.0
# Municipalities merge and sites move in April; a list from before the last one is stale.
STALE_DAYS = 400


def folder(patient: Patient) -> Iterator[Finding]:
    home = patient.settings.home
    try:
        there = _nearest(home)
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        advice = "let CLASSIFY_HOME name a folder that you may write to"
        yield Finding(check="workspace", state=State.FAIL, found=f"{home}: {error.strerror}", advice=advice)
        return
    if there != home:
        yield Finding(check="workspace", state=State.OK, found=f"{home}: the first survey makes it")
        return
    open_ = [path for path in (home, Workspace(home).archive) if path.is_dir() and path.stat().st_mode & 0o077]
    if open_:
        advice = f"chmod 700 {' '.join(map(str, open_))}"
        found = f"{home}: others on this machine may look into {', '.join(path.name for path in open_)}"
        yield Finding(check="workspace", state=State.WARN, found=found, advice=advice)
    else:
        yield Finding(check="workspace", state=State.OK, found=f"{home}: can be written, closed to others")


def _nearest(path: Path) -> Path:
    """The folder itself, or the one that it would be made in. Raises OSError where a file is in the way."""
    for each in (path, *path.absolute().parents):
        if each.is_dir():
            return each
        if each.exists():
            raise NotADirectoryError(20, f"{each} is a file")
    raise FileNotFoundError(2, "no folder above it exists")


def space(patient: Patient) -> Iterator[Finding]:
    free = shutil.disk_usage(_nearest(patient.settings.home)).free
    found = f"{free / 1e9:.1f} GB free"
    if free >= LEAST_FREE_BYTES:
        yield Finding(check="disk", state=State.OK, found=found)
        return
    pages, largest = patient.settings.max_pages, patient.settings.max_bytes / 1e6
    advice = (
        f"make room, or move CLASSIFY_HOME: {pages} pages of HTML take some MB, but a PDF up to {largest:g} MB each"
    )
    state = State.FAIL if free < NO_ROOM_BYTES else State.WARN
    yield Finding(check="disk", state=state, found=found, advice=advice)


def archive(patient: Patient) -> Iterator[Finding]:
    if patient.settings.archive:
        yield _storage(patient.settings.archive)
        return
    place = Workspace(patient.settings.home).archive
    warcs = sum(1 for _ in place.glob("*/*.warc.gz"))
    if not warcs:
        yield Finding(check="archive", state=State.OK, found="empty: nothing was surveyed yet")
    elif is_sound(place / "index.db"):
        yield Finding(check="archive", state=State.OK, found=f"{warcs} WARC file(s), the index is sound")
    else:
        found = f"{warcs} WARC file(s); the index is missing, damaged or of another version"
        yield Finding(
            check="archive", state=State.WARN, found=found, advice="nothing is lost: the next survey makes it anew"
        )


def _storage(named: str) -> Finding:
    """Whether shared storage takes a small object and gives it back."""
    try:
        there = bucket(named)
        if isinstance(there, Folder) and not there.is_there():
            advice = "if it is a share, mount it; else the first survey makes the folder"
            return Finding(check="archive", state=State.WARN, found=f"{there.shown()} is not there", advice=advice)
        took_s = round_trip(named)
    except (StorageError, InputError) as error:
        advice = "see CLASSIFY_ARCHIVE: is it mounted or up, and yours to write?"
        return Finding(check="archive", state=State.FAIL, found=str(error), advice=advice)
    found = f"{there.shown()}: written, read back and removed in {took_s * 1_000:.0f} ms"
    return Finding(check="archive", state=State.OK, found=found)


def database(patient: Patient) -> Iterator[Finding]:
    try:
        seen = look(patient.settings.database_url, timeout_s=DATABASE_S)
    except StoreError as error:
        advice = "see CLASSIFY_DB: is the server up, the password right, the file yours and not read-only?"
        yield Finding(check="database", state=State.FAIL, found=str(error), advice=advice)
        return
    if seen.version is None:
        found = "reachable, without tables: the first survey makes them" if seen.exists else "the first survey makes it"
        yield Finding(check="database", state=State.OK, found=f"{seen.shown}: {found}")
    elif seen.version == seen.wanted:
        yield Finding(check="database", state=State.OK, found=f"{seen.shown}: version {seen.version}, up to date")
    elif seen.version < seen.wanted:
        found = f"{seen.shown}: version {seen.version}, this program's is {seen.wanted}"
        advice = "back it up; the next command migrates it"
        yield Finding(check="database", state=State.WARN, found=found, advice=advice)
    else:
        found = f"{seen.shown}: version {seen.version}, this program knows {seen.wanted}"
        yield Finding(check="database", state=State.FAIL, found=found, advice="update Akashi")


def asked(patient: Patient) -> Iterator[Finding]:
    try:
        found = criteria.load(patient.settings.criteria)
        yield Finding(check="criteria", state=State.OK, found=f"{found.id}: {len(found.criteria)} criteria")
    except AkashiError as error:
        yield Finding(check="criteria", state=State.FAIL, found=str(error), advice="see CLASSIFY_CRITERIA")


def prompts(patient: Patient) -> Iterator[Finding]:
    try:
        found = prompt.load(prompt_file(patient.settings.prompts))
        yield Finding(check="prompts", state=State.OK, found=found.id)
    except (AkashiError, OSError) as error:
        yield Finding(check="prompts", state=State.FAIL, found=str(error), advice="see CLASSIFY_PROMPTS")


def registry(patient: Patient) -> Iterator[Finding]:
    kept = Workspace(patient.settings.home).registry
    path = patient.registry or kept_at(patient.settings.registry_url, kept)
    if not patient.registry and not path.is_file():
        advice = "the first survey fetches it; without a network give --registry FILE"
        yield Finding(check="registry", state=State.UNSET, found="not fetched yet", advice=advice)
        return
    beside = kept_at(patient.settings.prefecture_url, kept)
    prefectures = beside if not patient.registry and beside.is_file() else None
    try:
        places = Registry.read(path, prefectures)
    except AkashiError as error:
        advice = "give another --registry" if patient.registry else f"delete {path}: it is fetched again"
        yield Finding(check="registry", state=State.FAIL, found=str(error), advice=advice)
        return
    days = int((time.time() - path.stat().st_mtime) / 86_400)
    found = f"{len(places.municipalities):,} municipalities, {days} day(s) old"
    if days > STALE_DAYS:
        advice = f"fetch it anew: delete {path}" if not patient.registry else "get a newer file"
        yield Finding(check="registry", state=State.WARN, found=found, advice=advice)
    else:
        yield Finding(check="registry", state=State.OK, found=found)


CHECKS = (
    ("workspace", folder),
    ("disk", space),
    ("archive", archive),
    ("database", database),
    ("criteria", asked),
    ("prompts", prompts),
    ("registry", registry),
)
