"""One HTTP answer in the form that survives a WARC, and the names of the fields that our WARCs add."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from pipeline.errors import ArchiveError
from pipeline.models import Record, Snapshot, Source

ASKED = "WARC-X-Asked-URI"
SOURCE = "WARC-X-Source"
INFO = "WARC-Warcinfo-ID"
# A body is stored decoded, so what described its encoding is kept under another name.
KEPT_AS = "X-Archive-Orig-"
RENAMED = {"transfer-encoding", "content-encoding", "content-length"}
WITH_HTTP = {Record.RESPONSE, Record.REVISIT}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer with its body, decoded. Made by `answer`, so that it reads back from a WARC as it is here.

    unchanged: of a revisit, the sha256 of the body it stands for; its own is empty. since: when that was received; of:
    at which address.
    """

    url: str
    final_url: str
    fetched_at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source: Source
    record: Record = Record.RESPONSE
    unchanged: str = ""
    since: datetime | None = None
    of: str = ""

    @property
    def sha256(self) -> str:
        return self.unchanged or hashlib.sha256(self.body).hexdigest()

    def snapshot(self, warc: str, offset: int) -> Snapshot:
        """The noun without the body. warc: path relative to the archive's folder; offset: of the record, bytes."""
        return Snapshot(
            url=self.url,
            final_url=self.final_url,
            fetched_at=self.fetched_at,
            status=self.status,
            headers=self.headers,
            sha256=self.sha256,
            warc=warc,
            offset=offset,
            source=self.source,
            record=self.record,
        )


@dataclass(frozen=True)
class Placed:
    """An answer and where its record stands in the file: [offset, offset + length), bytes."""

    answer: Answer
    offset: int
    length: int


def answer(
    *,
    url: str,
    final_url: str,
    fetched_at: datetime,
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    source: Source,
    record: Record = Record.RESPONSE,
    unchanged: str = "",
    since: datetime | None = None,
    of: str = "",
) -> Answer:
    """An answer in the form that survives a WARC. Raises ArchiveError for an address that is not http(s), ValueError
    for a time without zone."""
    if fetched_at.tzinfo is None:
        raise ValueError("fetched_at needs a time zone")
    cleaned = ((_line(name).replace(":", ""), _line(value)) for name, value in headers)
    return Answer(
        url=_address(url),
        final_url=_address(final_url),
        fetched_at=fetched_at.astimezone(UTC),
        status=status,
        headers=tuple((name, value) for name, value in cleaned if name),
        body=body,
        source=source,
        record=record,
        unchanged=unchanged,
        since=since,
        of=of,
    )


def _line(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\r\n\0]+", " ", text).strip()


def _address(url: str) -> str:
    """The address with what a WARC header cannot carry percent-encoded."""
    scheme, colon, rest = url.strip().partition(":")
    if scheme.lower() not in ("http", "https") or not rest.startswith("//"):
        raise ArchiveError(f"only http and https answers are archived, not {url[:200]!r}")
    rest = rest.encode("utf-8", "replace").decode("utf-8")
    return scheme.lower() + colon + re.sub(r"[\s\x00-\x1f\x7f<>]", lambda found: quote(found[0]), rest)


def original_headers(stored: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Headers as the server sent them: the kept ones under their own name, without those that describe our copy."""
    for name, value in stored:
        if name.startswith(KEPT_AS):
            yield name.removeprefix(KEPT_AS), value
        elif name.lower() not in RENAMED:
            yield name, value
