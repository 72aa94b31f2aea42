"""A server for tests: chat completions by rule, and the Batch API as the openai SDK calls it. Real HTTP on loopback."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FENCE = re.compile(r"={2,}[0-9a-f]{16,}|\S*FENCE\S*")


def said(content: str, **more: Any) -> dict[str, Any]:
    """The body of a chat completion that says that."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}} | more
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def judged(verdict: str, *quotes: tuple[str, str], needs: tuple[str, ...] = (), confidence: int = 80) -> str:
    """A model's answer in the asked form; quotes are (doc, text)."""
    cited = [{"doc": doc, "text": text} for doc, text in quotes]
    return json.dumps(
        {
            "verdict": verdict,
            "quotes": cited,
            "rationale": "引用のとおり。",
            "confidence": confidence,
            "needs_context": list(needs),
        },
        ensure_ascii=False,
    )


def documents(body: dict[str, Any]) -> dict[str, str]:
    """Number and text of each document between its fences in the first user message."""
    text = body["messages"][1]["content"]
    mark = re.search(r"^目印: (\S+)$", text, re.MULTILINE)
    assert mark
    found = re.findall(
        rf"^{re.escape(mark[1])} BEGIN (D\d+)\n.*?^本文:\n(.*?)\n{re.escape(mark[1])} END \1$", text, re.M | re.S
    )
    return dict(found)


def criterion(body: dict[str, Any]) -> str:
    """The criterion that a request asks about."""
    found = re.search(r"^## 調査項目 (\S+)$", body["messages"][1]["content"], re.MULTILINE)
    assert found
    return found[1]


Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Provider:
    """What the server holds. answer: body in, chat completion out; hang: seconds to keep an answer to POST /batches
    back after the batch exists."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.bodies: list[dict[str, Any]] = []
        self.hang = 0.0
        self.created = threading.Event()

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        batch = {
            "id": f"batch_{uuid.uuid4().hex[:8]}",
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"],
            "completion_window": asked["completion_window"],
            "status": "validating",
            "created_at": int(time.time()),
            "metadata": asked.get("metadata"),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        self.batches[str(batch["id"])] = batch
        self.created.set()
        time.sleep(self.hang)
        return batch

    def requests(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[batch["input_file_id"]].decode().splitlines()]

    def finish(self, batch: dict[str, Any], status: str, *, expired: int = 0) -> None:
        """Answer all but the last `expired` requests, in reverse order, into the output and error files."""
        asked = self.requests(batch)
        good = [answered(one["custom_id"], self.answer(one["body"])) for one in asked[: len(asked) - expired]]
        late = [
            {"custom_id": one["custom_id"], "response": None, "error": {"code": "batch_expired", "message": "late"}}
            for one in asked[len(asked) - expired :]
        ]
        batch["output_file_id"] = self.file(good[::-1])
        if late:
            batch["error_file_id"] = self.file(late)
        batch["status"] = status
        batch["request_counts"] = {"total": len(asked), "completed": len(good), "failed": len(late)}

    def file(self, lines: list[dict[str, Any]]) -> str:
        name = f"file-{uuid.uuid4().hex[:8]}"
        self.files[name] = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        return name


def answered(custom_id: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """A line of a batch's output."""
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": custom_id, "response": response, "error": None}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/v1")
        if path == "/batches":
            listed = list(self.provider.batches.values())[::-1]
            return self._send({"object": "list", "data": listed, "has_more": False})
        if found := re.fullmatch(r"/batches/(\w+)", path):
            return self._send(self.provider.batches[found[1]])
        if found := re.fullmatch(r"/files/([\w-]+)/content", path):
            return self._send(self.provider.files[found[1]])
        return self._send({"error": {"message": "no such place"}}, 404)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.removeprefix("/v1")
        if path == "/files":
            name = f"file-{uuid.uuid4().hex[:8]}"
            self.provider.files[name] = _uploaded(self.headers["Content-Type"], content)
            return self._send({"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "f.jsonl",
                               "purpose": "batch", "status": "processed"})  # fmt: skip
        if path == "/batches":
            return self._send(self.provider.create(json.loads(content)))
        body = json.loads(content)
        self.provider.bodies.append(body)
        return self._send(self.provider.answer(body))

    def _send(self, content: dict[str, Any] | bytes, status: int = 200) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _uploaded(kind: str, content: bytes) -> bytes:
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + content)
    parts = message.get_payload()
    assert isinstance(parts, list)
    found = next(part for part in parts if part.get_filename())  # type: ignore[union-attr]
    payload = found.get_payload(decode=True)  # type: ignore[union-attr]
    assert isinstance(payload, bytes)
    return payload


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is part of the tests."""
        if not isinstance(sys.exception() if sys.version_info >= (3, 11) else None, OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serve(provider: Provider) -> Iterator[str]:
    """The base URL of a server that holds that."""
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
