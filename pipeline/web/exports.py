"""The queue and the log as files."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from pipeline.desk import exchange
from pipeline.web.visit import Exporting

router = APIRouter()


@router.get("/export/queue.jsonl")
def queue_jsonl(asked: Exporting) -> Response:
    return _lines(exchange.queue_lines(asked.office.desk.store), "akashi-queue.jsonl")


@router.get("/export/log.jsonl")
def log_jsonl(asked: Exporting) -> Response:
    return _lines(exchange.log_lines(asked.office.desk.store), "akashi-log.jsonl")


@router.get("/export/queue.xlsx")
def queue_xlsx(asked: Exporting) -> Response:
    body = exchange.workbook(asked.office.desk.store)
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Response(body, media_type=media, headers=_attached("akashi-queue.xlsx"))


def _lines(lines: Iterator[str], name: str) -> Response:
    encoded = (f"{line}\n".encode() for line in lines)
    return StreamingResponse(encoded, media_type="application/x-ndjson", headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
