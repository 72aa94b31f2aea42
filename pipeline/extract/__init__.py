"""What an archived answer says: its page, and the dates on which it says that the site changed."""

from __future__ import annotations

from pipeline.models import Page, Snapshot, Unread

# Part of every key under which something derived from a page is kept: raise it when the same bytes give another Page.
EXTRACTOR_VERSION = "1"

__all__ = ["EXTRACTOR_VERSION", "extract"]


def extract(snapshot: Snapshot, body: bytes) -> Page | Unread:
    """The page that a body holds, or Unread with the reason. Never raises for what a page contains."""
    from pipeline.extract.html import read_html

    return read_html(snapshot, body)
