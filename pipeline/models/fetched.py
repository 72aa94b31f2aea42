"""What was fetched, and what could not be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from pipeline.models.base import Noun, Offset, Sha256, Source


class Record(StrEnum):
    """How an archived record came about, in WARC's own words (WARC 1.1, 5.5)."""

    RESPONSE = "response"  # an HTTP answer as received
    REVISIT = "revisit"  # an answer with the body of an earlier record: 304, or the same bytes again
    CONVERSION = "conversion"  # what a browser made of a page by running its scripts
    RESOURCE = "resource"  # what a probe measured, as JSON


class Snapshot(Noun):
    """One HTTP answer as received and archived, or what was made of one.

    url: as asked; final_url: that answered after redirects; fetched_at: UTC; sha256: of the body after transfer and
    content decoding (of a revisit: of the earlier body it stands for); warc: path of the WARC relative to the archive's
    folder; offset: of the record in it, bytes.
    """

    url: str
    final_url: str
    fetched_at: datetime
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    sha256: Sha256
    warc: str
    offset: Offset
    source: Source = Source.OFFICIAL
    record: Record = Record.RESPONSE

    @property
    def is_page(self) -> bool:
        """Whether the address gave a body: 200, or 304 for one that was archived before. A measurement is none."""
        if self.record is Record.RESOURCE:
            return False
        return self.status == 200 or (self.status == 304 and self.record is Record.REVISIT)

    def header(self, name: str) -> str:
        """The first header of that name, case-insensitive, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Cause(StrEnum):
    """Why an address could not be read; the report tells these apart from `nothing found`."""

    ROBOTS = "robots"  # robots.txt forbids it
    ROBOTS_UNREACHABLE = "robots_unreachable"  # robots.txt answered 5xx or not at all: denied for now (RFC 9309)
    ADDRESS = "address"  # private, loopback or otherwise refused address, port or scheme
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"  # loop, too many hops, or a hop to a refused address
    PROTOCOL = "protocol"  # the answer was not HTTP that could be read
    NOT_FOUND = "not_found"  # 404 and 410: the page is gone, which is an answer about the page only
    FORBIDDEN = "forbidden"  # 401, 403, 429, 451: we were not let in
    SERVER = "server"  # 5xx
    EMPTY = "empty"  # an answer without any visible text
    SCRIPT = "script"  # only a script fills the page, and none was run or it came to nothing
    MEDIA = "media"  # not HTML, PDF or plain text
    NEEDS_OCR = "needs_ocr"  # a PDF without a text layer
    BROKEN = "broken"  # the document could not be parsed
    ELSEWHERE = "elsewhere"  # a revisit in a WARC that does not hold the body it stands for


class Unread(Noun):
    """An address that was wanted and could not be read: `unobserved`, never `absent`.

    label: text of the link that led there, so that it can be told which criteria it might have settled.
    sha256: of the archived body where there was one.
    """

    url: str
    cause: Cause
    detail: str = ""
    label: str = ""
    sha256: Sha256 | None = None
    source: Source = Source.OFFICIAL


class Tried(Noun):
    """A public address that might tell the dates of an account's posts. cause: why it told nothing, None where it
    answered; sha256: of the archived answer, whatever its status."""

    url: str
    cause: Cause | None = None
    detail: str = ""
    sha256: Sha256 | None = None


class SocialAccount(Noun):
    """An account on a social service that the municipality's own pages link to.

    url: the account's own address, whichever of its pages was linked; linked_from: the page that links to it; proven:
    whether label and place say that it is the municipality's own; tried: the public addresses that were asked for its
    posts, empty where the service has none.
    """

    url: str
    service: str
    label: str = ""
    linked_from: str = ""
    proven: bool = True
    tried: tuple[Tried, ...] = ()


class Pending(Noun):
    """An address known but not fetched because the page budget was spent."""

    url: str
    label: str = ""


class Home(Noun):
    """Where a municipality's home page was looked for and found.

    given: the address of the registry or of --url; asked: the one whose answer was taken for the home page, empty where
    none was; answered: where that led; cause, detail: why `given` was not enough; named: whether the page carries the
    municipality's name; tried: other addresses that were asked in vain, which nobody had promised.
    """

    given: str
    asked: str = ""
    answered: str = ""
    cause: Cause | None = None
    detail: str = ""
    named: bool = True
    tried: tuple[Unread, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether another scheme or host than the given one answered."""
        return bool(self.answered) and urlsplit(self.given)[:2] != urlsplit(self.answered)[:2]

    @property
    def elsewhere(self) -> bool:
        """Whether the home page is not where it was said to be: another address was asked, or another host answered."""
        return self.moved or self.asked not in ("", self.given)


class Coverage(Noun):
    """What a crawl saw and did not see.

    found: distinct addresses discovered in scope; fetched: answers archived; read: pages with text;
    unread: those that failed; pending: addresses left when the page budget was spent, with the labels of their links;
    home: of a crawl, how its home page was found (not recorded by early versions).
    """

    home_read: bool
    found: Offset
    fetched: Offset
    read: Offset
    unread: tuple[Unread, ...] = ()
    pending: tuple[Pending, ...] = ()
    started: datetime
    finished: datetime
    max_pages: int | None = None
    home: Home | None = None
