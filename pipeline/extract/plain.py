"""A plain text body to a page: one block a line."""

from __future__ import annotations

import re

from pipeline.charset import decode
from pipeline.extract.unread import unread
from pipeline.models import Block, BlockKind, Cause, Media, Page, Region, Snapshot, Unread

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\u200b]")
_MAX_TITLE_CHARS = 100


def read_text(snapshot: Snapshot, body: bytes) -> Page | Unread:
    """The page, or Unread with cause EMPTY."""
    text = _CONTROLS.sub("", decode(body, snapshot.header("content-type")).text)
    lines = [line for line in (" ".join(raw.split()) for raw in text.splitlines()) if line]
    if not lines:
        return unread(snapshot, Cause.EMPTY, "the answer holds no visible text")
    blocks, at = [], 0
    for line in lines:
        blocks.append(Block(start=at, end=at + len(line), kind=BlockKind.PARAGRAPH, region=Region.MAIN))
        at += len(line) + 1
    return Page(
        sha256=snapshot.sha256,
        url=snapshot.final_url,
        title=lines[0][:_MAX_TITLE_CHARS],
        media=Media.TEXT,
        source=snapshot.source,
        text="\n".join(lines),
        blocks=tuple(blocks),
    )
