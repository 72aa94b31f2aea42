"""A PDF to a page, read by a child process whose memory, time and sheets are limited."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipeline.dates import Granularity, parse_dates
from pipeline.extract.paragraphs import Paragraph, paragraphs, to_lines
from pipeline.extract.place import Outline
from pipeline.extract.unread import unread
from pipeline.models import Block, BlockKind, Cause, Media, Page, Snapshot, Unread

MAX_SHEETS = 200
_MEMORY_BYTES = 1 << 30
_CPU_S = 30
_WALL_S = 60
# A text layer of fewer characters a sheet than this is a stamp or a page number on scanned images.
_MIN_CHARS_A_SHEET = 8
_CHILD = Path(__file__).with_name("pdf_child.py")
# Titles that word processors leave behind.
_NO_TITLE = re.compile(
    r"Microsoft |無題|untitled|スライド|PowerPoint|.*\.(?:docx?|xlsx?|pptx?|jtdc?|indd|ai|xdw|pdf)$", re.I
)
_DATED_LINES = 8
_MAX_STAMP_CHARS = 60


def read_pdf(snapshot: Snapshot, body: bytes) -> Page | Unread:
    """The page, or Unread: NEEDS_OCR where no sheet has text, BROKEN where it cannot be parsed within the limits."""
    answer = _ask_child(body)
    sheets = to_lines(answer.get("sheets", []))
    chars = sum(len(line.text.strip()) for lines in sheets for line in lines)
    if answer.get("error") and not chars:
        return unread(snapshot, Cause.BROKEN, f"the PDF could not be read: {answer['error']}")
    if chars < _MIN_CHARS_A_SHEET * max(1, len(sheets)):
        return unread(snapshot, Cause.NEEDS_OCR, "the PDF has no text layer")
    return _page(snapshot, answer, paragraphs(sheets))


def _page(snapshot: Snapshot, answer: dict[str, Any], found: list[Paragraph]) -> Page:
    read, total = len(answer["sheets"]), int(answer["total"])
    return Page(
        sha256=snapshot.sha256,
        url=snapshot.final_url,
        title=_title(str(answer.get("title") or ""), found),
        dated=_date(found, snapshot.fetched_at.date()),
        media=Media.PDF,
        source=snapshot.source,
        text="\n".join(paragraph.text for paragraph in found),
        blocks=_blocks(found),
        cut=f"sheets {read + 1} to {total} of {total} were not read" if read < total else "",
    )


def _ask_child(body: bytes) -> dict[str, Any]:
    command = [sys.executable, "-I", str(_CHILD), str(_MEMORY_BYTES), str(_CPU_S), str(MAX_SHEETS)]
    try:
        done = subprocess.run(command, input=body, capture_output=True, timeout=_WALL_S, check=False)  # noqa: S603
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"it took more than {_WALL_S} seconds"}
    except ValueError:
        return {"error": f"the reader ended with code {done.returncode}, beyond its memory or time"}
    return answer if isinstance(answer, dict) else {"error": "no answer"}


def _blocks(found: list[Paragraph]) -> tuple[Block, ...]:
    blocks, at, outline = [], 0, Outline()
    for paragraph in found:
        end = at + len(paragraph.text)
        blocks.append(
            Block(
                start=at,
                end=end,
                kind=paragraph.kind,
                region=paragraph.region,
                headings=outline.above(paragraph.level),
                sheet=paragraph.sheet,
            )
        )
        if paragraph.level:
            outline.add(paragraph.level, paragraph.text)
        at = end + 1
    return tuple(blocks)


def _title(stated: str, found: list[Paragraph]) -> str:
    title = " ".join(stated.split())
    if title and not _NO_TITLE.match(title) and title.isprintable():
        return title[:300]
    heading = next((paragraph for paragraph in found if paragraph.kind is BlockKind.HEADING), None)
    first = heading or next(iter(found), None)
    return first.text[:300] if first is not None and len(first.text) <= 100 else ""


def _date(found: list[Paragraph], latest: date) -> date | None:
    """The day or month in a short line on the first sheet: `令和8年3月 ○○市`. The file's own time stamp says when
    somebody printed it, not how old the text is."""
    head = [paragraph for paragraph in found if paragraph.sheet == 1 and len(paragraph.text) <= _MAX_STAMP_CHARS]
    for paragraph in head[:_DATED_LINES]:
        for span in parse_dates(paragraph.text):
            exact = span.granularity in (Granularity.DAY, Granularity.MONTH)
            if exact and span.date <= latest + timedelta(days=1):
                return span.date
    return None
