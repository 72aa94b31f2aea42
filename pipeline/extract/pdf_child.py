"""Reads one PDF from standard input in a process of its own and writes its lines as JSON. Imports nothing of ours.

Run as a file with the limits as arguments: memory in bytes, CPU seconds, sheets. A 261 KB PDF can ask for 2.4 GB, and
the parser is native code: what goes wrong here ends this process only.
"""

from __future__ import annotations

import json
import sys
from typing import Any

_MAX_CHARS = 5_000_000


def main() -> None:
    memory, cpu_s, sheets = map(int, sys.argv[1:4])
    _limit(memory, cpu_s)
    body = sys.stdin.buffer.read()
    try:
        answer = read(body, sheets)
    except MemoryError:
        answer = {"error": "memory"}
    json.dump(answer, sys.stdout, ensure_ascii=True)


def _limit(memory: int, cpu_s: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows, where the wall clock alone guards
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(body: bytes, sheets: int) -> dict[str, Any]:
    """`sheets`: per sheet its lines as [text, left, bottom, right, top, font size], points; `total`, `title`, `error`.

    pypdf is asked where pdfium fails or finds nothing: it knows the vertical encodings that pdfium leaves empty.
    """
    try:
        answer = _by_pdfium(body, sheets)
    except Exception as error:  # whatever a hostile file provokes, the parent wants to know
        answer = {"error": str(error)[:200] or type(error).__name__, "sheets": []}
    if _chars(answer) < 10 and "password" not in str(answer.get("error", "")).lower():
        try:
            other = _by_pypdf(body, sheets)
        except Exception as error:
            answer.setdefault("error", str(error)[:200] or type(error).__name__)
        else:
            if _chars(other) > _chars(answer) or "error" in answer:
                return other
    return answer


def _chars(answer: dict[str, Any]) -> int:
    return sum(len(line[0].strip()) for lines in answer["sheets"] for line in lines)


def _by_pdfium(body: bytes, sheets: int) -> dict[str, Any]:
    import pypdfium2

    document = pypdfium2.PdfDocument(body)
    total = len(document)
    read: list[list[list[Any]]] = []
    chars = 0
    for index in range(min(total, sheets)):
        lines = _lines(document[index].get_textpage())
        chars += sum(len(line[0]) for line in lines)
        read.append(lines)
        if chars > _MAX_CHARS:
            break
    metadata = document.get_metadata_dict()
    return {"sheets": read, "total": total, "title": metadata.get("Title", "")}


def _lines(page: Any) -> list[list[Any]]:
    """Lines as pdfium breaks them, with the box around each and its font size: what tells a wrapped line."""
    from pypdfium2 import raw as pdfium

    lines: list[list[Any]] = []
    at = 0
    for raw in page.get_text_range().split("\n"):
        line = raw.rstrip("\r")
        ends = [at + index for index in _ends(line)]
        if ends:
            (left, bottom, _, top), (*_, right, last_top) = (page.get_charbox(index, loose=True) for index in ends)
            size = max(pdfium.FPDFText_GetFontSize(page, index) for index in ends)
            lines.append([line, left, bottom, right, max(top, last_top), size])
        at += len(raw) + 1
    return lines


def _ends(line: str) -> list[int]:
    """Positions of the first and the last visible character."""
    visible = [index for index, char in enumerate(line) if not char.isspace()]
    return [visible[0], visible[-1]] if visible else []


def _by_pypdf(body: bytes, sheets: int) -> dict[str, Any]:
    import io
    import logging

    import pypdf

    logging.disable(logging.CRITICAL)
    reader = pypdf.PdfReader(io.BytesIO(body))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"error": "password", "sheets": []}
    total = len(reader.pages)
    read = []
    for index in range(min(total, sheets)):
        text = reader.pages[index].extract_text()
        read.append([[line, None, None, None, None, None] for line in text.splitlines() if line.strip()])
    return {"sheets": read, "total": total, "title": str(reader.metadata.title or "") if reader.metadata else ""}


if __name__ == "__main__":
    main()
