"""Questions and answers as files: the OpenAI Batch format, which any model in any place may answer, in any order."""

from __future__ import annotations

import codecs
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pipeline.judge.answer import Fault, read
from pipeline.judge.dialogue import Request
from pipeline.judge.prompt import fenced

URL: Final = "/v1/chat/completions"
# Limits of one batch file (OpenAI Batch API guide).
MAX_REQUESTS = 50_000
MAX_BYTES = 200_000_000
# JSON lets these stand in text as they are; many readers end a line at them.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def lines(requests: Iterable[Request]) -> Iterator[str]:
    """One line of JSON for each request; custom_id is the cache key, the fence in each body is random."""
    for request in requests:
        line = {"custom_id": request.key, "method": "POST", "url": URL, "body": fenced(request.body)}
        yield json.dumps(line, ensure_ascii=False).translate(_LINE_ENDS)


class Fate(StrEnum):
    """What became of a line of an answer file."""

    TAKEN = "taken"
    KNOWN = "known"  # the same question was answered before; the first answer stays
    DUPLICATE = "duplicate"  # answered twice in this file; the first good line counts
    FOREIGN = "foreign"  # nobody asked this
    EXPIRED = "expired"
    FAILED = "failed"  # the server refused the request or answered with an error
    UNREADABLE = "unreadable"  # not JSON, or not a line of a batch's output


@dataclass(frozen=True)
class Line:
    """One line of an answer file and what became of it. number from 1; raw: the answer of a taken line."""

    number: int
    fate: Fate
    custom_id: str = ""
    raw: str = ""
    detail: str = ""


def split(content: bytes) -> list[bytes]:
    """The lines of an answer file, without a byte order mark. UTF-16, as Windows shells write it, becomes UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", errors="replace").encode()
    return content.removeprefix(codecs.BOM_UTF8).split(b"\n")


def sort(text: Iterable[bytes], *, asked: Collection[str], known: Collection[str]) -> Iterator[Line]:
    """What each line of an answer file is worth. Never raises; blank lines are passed over."""
    seen: set[str] = set()
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        found = _line(number, line)
        if found.fate is Fate.TAKEN:
            found = _weighed(found, known, seen)
        if found.custom_id and found.custom_id not in asked:
            found = Line(number, Fate.FOREIGN, found.custom_id)
        if found.fate is Fate.TAKEN:
            seen.add(found.custom_id)
        yield found


def _weighed(line: Line, known: Collection[str], seen: set[str]) -> Line:
    if line.custom_id in seen:
        return Line(line.number, Fate.DUPLICATE, line.custom_id)
    return Line(line.number, Fate.KNOWN, line.custom_id) if line.custom_id in known else line


def _line(number: int, text: bytes) -> Line:
    try:
        content: dict[str, Any] = json.loads(text.decode())
        custom_id = str(content["custom_id"])
        error, response = content.get("error"), content.get("response") or {}
        status, body = response.get("status_code", 200), response.get("body")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        return Line(number, Fate.UNREADABLE, detail=f"{type(fault).__name__}: {fault}"[:200])
    if error:
        fate = Fate.EXPIRED if _of(error, "code") == "batch_expired" else Fate.FAILED
        return Line(number, fate, custom_id, detail=_said(error))
    if status != 200:
        return Line(number, Fate.FAILED, custom_id, detail=f"status {status}: {_said(_of(body, 'error') or body)}")
    # Escapes keep halves of surrogate pairs, which no file can hold, out of the text.
    raw = json.dumps(body)
    if read(raw).fault is Fault.BROKEN:
        return Line(number, Fate.UNREADABLE, custom_id, detail="no chat completion in it")
    return Line(number, Fate.TAKEN, custom_id, raw)


def _of(content: object, name: str) -> object:
    return content.get(name) if isinstance(content, dict) else None


def _said(error: object) -> str:
    return str(_of(error, "message") or error)[:200]
