"""What earlier runs archived of an address, so that a site sends only what has changed (RFC 9110, 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipeline.archive import Archive
from pipeline.crawl.aside import aside
from pipeline.crawl.fetch import Answer
from pipeline.errors import ArchiveError, StorageError
from pipeline.models import Snapshot

# RFC 9110, 8.8.2.2: a page may have changed twice within the second that its date names; a minute later that is past.
_SETTLED = timedelta(seconds=60)
_MAX_CHARS = 1_000


@dataclass(frozen=True)
class Known:
    """A page as archived. original: the answer that holds its body; conditions: request headers that ask whether it is
    still the one, empty where the server gave nothing to ask by."""

    original: Snapshot
    body: bytes
    conditions: Mapping[str, str] = field(default_factory=dict)

    def confirmed_by(self, answer: Answer) -> bool:
        """Whether a 304 speaks of this page: what it says of the page must be what we asked by. RFC 9110, 15.4.5."""
        etag, modified = answer.header("etag"), _moment(answer.header("last-modified"))
        if asked := self.conditions.get("If-None-Match"):
            return not etag or _opaque(etag) == _opaque(asked)
        asked_since = _moment(self.conditions.get("If-Modified-Since", ""))
        return asked_since is not None and (modified is None or modified <= asked_since)

    def recognised(self, answer: Answer) -> Answer:
        """The answer with the archived page in it, where it says that nothing changed or brings the same bytes."""
        if answer.status == 304 and self.conditions:
            return replace(answer, body=self.body, earlier=self.original)
        if answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == self.original.sha256:
            return replace(answer, earlier=self.original)
        return answer


class Recall:
    """Pages by their address out of the archive, as some runs last saw them."""

    def __init__(self, archive: Archive, runs: Sequence[str]) -> None:
        self._archive = archive
        self._runs = tuple(runs)

    async def of(self, url: str) -> Known | None:
        """What is known of that very address; None where its body is not at hand, so that it is asked for in full.

        Raises StorageError where the archive cannot be reached.
        """
        return await aside(self._known, url) if self._runs else None

    def _known(self, url: str) -> Known | None:
        last = self._archive.last_page(url, self._runs)
        if last is None:
            return None
        try:
            body = self._archive.body(last.sha256)
        except StorageError:
            raise
        except ArchiveError:
            return None
        original = self._archive.original(last)
        return Known(original, body, _conditions(last, original))


def _conditions(last: Snapshot, original: Snapshot) -> dict[str, str]:
    """By the entity tag where there is one, else by the date. A 304 may leave out what the page itself had said."""
    sources = (last, original) if last.status == 304 else (last,)
    etag = next((found for one in sources if (found := one.header("etag"))), "")
    if etag and _is_plain(etag):
        return {"If-None-Match": etag}
    for one in sources:
        written = one.header("last-modified")
        modified = _moment(written)
        if modified is not None and _is_plain(written) and modified + _SETTLED <= one.fetched_at:
            return {"If-Modified-Since": written}
    return {}


def _opaque(etag: str) -> str:
    """Of a weak tag as of a strong one: 304 compares them weakly (RFC 9110, 13.1.2)."""
    return etag.strip().removeprefix("W/")


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and len(value) <= _MAX_CHARS


def _moment(written: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(written)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
