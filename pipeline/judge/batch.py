"""Questions and answers as files: the OpenAI Batch format, which any model in any place may answer, in any order."""

from __future__ import annotations

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


def lines(requests: Iterable[Request]) -> Iterator[str]:
    """One line of JSON for each request; custom_id is the cache key, the fence in each body is random."""
    for request in requests:
        line = {"custom_id": request.key, "method": "POST", "url": URL, "body": fenced(request.body)}
        yield json.dumps(line, ensure_ascii=False)


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


def sort(text: Iterable[str], *, asked: Collection[str], known: Collection[str]) -> Iterator[Line]:
    """What each line of an answer file is worth. Never raises; blank lines are passed over."""
    seen: set[str] = set()
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        found = _line(number, line)
        if found.fate is Fate.TAKEN:
            found = _weighed(found, asked, known, seen)
        if found.fate is Fate.TAKEN:
            seen.add(found.custom_id)
        yield found


def _weighed(line: Line, asked: Collection[str], known: Collection[str], seen: set[str]) -> Line:
    if line.custom_id not in asked:
        fate = Fate.FOREIGN
    elif line.custom_id in seen:
        fate = Fate.DUPLICATE
    elif line.custom_id in known:
        fate = Fate.KNOWN
    else:
        return line
    return Line(line.number, fate, line.custom_id)


def _line(number: int, text: str) -> Line:
    try:
        content: dict[str, Any] = json.loads(text)
        custom_id = str(content["custom_id"])
        error, response = content.get("error") or {}, content.get("response") or {}
        status, body = response.get("status_code"), response.get("body")
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        return Line(number, Fate.UNREADABLE, detail=f"{type(fault).__name__}: {fault}"[:200])
    if error:
        fate = Fate.EXPIRED if error.get("code") == "batch_expired" else Fate.FAILED
        return Line(number, fate, custom_id, detail=str(error.get("message") or error)[:200])
    if status != 200:
        return Line(number, Fate.FAILED, custom_id, detail=f"status {status}: {body}"[:200])
    raw = json.dumps(body, ensure_ascii=False)
    if read(raw).fault is Fault.BROKEN:
        return Line(number, Fate.UNREADABLE, custom_id, detail="the body is no chat completion")
    return Line(number, Fate.TAKEN, custom_id, raw)
