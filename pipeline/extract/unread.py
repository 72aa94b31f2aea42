"""A snapshot that could not be read."""

from __future__ import annotations

from pipeline.models import Cause, Snapshot, Unread


def unread(snapshot: Snapshot, cause: Cause, detail: str) -> Unread:
    """The snapshot as an address that could not be read."""
    return Unread(url=snapshot.final_url, cause=cause, detail=detail, sha256=snapshot.sha256, source=snapshot.source)
