"""What a crawl is told and what it tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.models import Cause, Municipality


@dataclass(frozen=True)
class Plan:
    """What to crawl and how gently.

    home_url: the home page, or empty to fetch only `extra`; extra: addresses given by hand, fetched and never followed;
    terms, leads: criterion id and its search terms, or the words behind which its proof tends to stand; year: that the
    survey speaks about, 0 for any; max_pages: HTML, PDF and text answers of status 200; delay_s: seconds
    between the starts of two requests to one host or one IP address; deadline_s: for one request, from connecting to
    the last byte; max_bytes: of one body, decoded; allow_private: `host:port` (or `host`, ports 80 and 443) whose
    private addresses may be opened, `*` for all; place: whose home page it is, to find it where it has moved; render:
    whether to open pages that only a script fills in a browser; chromium: its program, empty for the first found.
    """

    home_url: str
    extra: tuple[str, ...] = ()
    terms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    leads: tuple[tuple[str, tuple[str, ...]], ...] = ()
    year: int = 0
    max_pages: int = 400
    delay_s: float = 1.0
    deadline_s: float = 30.0
    max_bytes: int = 20_000_000
    user_agent: str = "Akashi"
    allow_private: tuple[str, ...] = ()
    place: Municipality | None = None
    render: bool = False
    chromium: str = ""


@dataclass(frozen=True)
class Progress:
    """fetched: pages read of `budget`; waiting: addresses known and not yet asked; unread: those that failed."""

    fetched: int
    budget: int
    waiting: int
    unread: int
    current: str


def cause_of(status: int) -> Cause:
    """What a status other than 200 says of a page."""
    if status in (404, 410):
        return Cause.NOT_FOUND
    if status >= 500:
        return Cause.SERVER
    return Cause.FORBIDDEN if status >= 400 else Cause.PROTOCOL
