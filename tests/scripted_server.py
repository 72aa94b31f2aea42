"""An OpenAI-compatible server on a loopback port that answers as a test says, and writes down all that it was asked."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_MARK = re.compile(r"==[0-9a-f]{16}")
_DOC = re.compile(r"^==[0-9a-f]{16} BEGIN (D\d+)\n.*?^本文:\n(.*?)\n==[0-9a-f]{16} END \1$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Reply:
    """What the server does with one request. cut: close the connection in the middle of the body; body: text instead
    of a completion."""

    body: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    cut: bool = False


@dataclass
class Asked:
    """One request as it came in: `at` and `done` in seconds of time.monotonic(), busy: requests under way with it."""

    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    busy: int
    done: float | None = None
    usd: float = 0.0

    @property
    def messages(self) -> list[dict[str, str]]:
        return list(self.body["messages"])

    @property
    def user(self) -> str:
        """The first user message: the question."""
        return self.messages[1]["content"]

    @property
    def criterion(self) -> str:
        found = re.search(r"^## 調査項目 (\S+)$", self.user, re.MULTILINE)
        assert found
        return found[1]

    @property
    def docs(self) -> dict[str, str]:
        """Text of the offered documents by their number, those of later rounds over those of earlier ones."""
        users = "\n".join(message["content"] for message in self.messages if message["role"] == "user")
        return dict(_DOC.findall(users))

    @property
    def digest(self) -> str:
        """The same for equal questions, whatever fence each was sent with."""
        text = _MARK.sub("MARK", json.dumps(self.body, ensure_ascii=False, sort_keys=True))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def bytes_in(self) -> int:
        """Tokens of a tokenizer that makes one of every byte: the worst there is."""
        texts = [message["content"] for message in self.messages]
        return sum(len(text.encode()) for text in texts)


Script = Callable[[Asked], Reply]


def completion(text: str | None, *, finish: str = "stop", usage: dict[str, int] | None = None, **message: Any) -> str:
    """The body of a chat completion. usage: {} leaves it out."""
    counts = {"prompt_tokens": 1000, "completion_tokens": 100} if usage is None else usage
    content = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
    }
    return json.dumps(content | ({"usage": counts} if counts else {}), ensure_ascii=False)


def answer(verdict: str = "met", *quotes: tuple[str, str], **more: Any) -> str:
    """An answer in the asked form; quotes are (document, words)."""
    cited = [{"doc": doc, "text": text} for doc, text in quotes]
    content = {"verdict": verdict, "quotes": cited, "rationale": "文書にある。", "confidence": 80, "needs_context": []}
    return json.dumps(content | more, ensure_ascii=False)


def said(verdict: str = "met", *quotes: tuple[str, str], **more: Any) -> Reply:
    """A good completion with such an answer."""
    return Reply(completion(answer(verdict, *quotes, **more)))


def refused(status: int, code: str = "", message: str = "no", **headers: str) -> Reply:
    """An error as OpenAI words it. headers: with underscores for hyphens."""
    body = json.dumps({"error": {"message": message, "type": code or "error", "code": code or None}})
    return Reply(body, status, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


@dataclass
class Scripted:
    """The running server. asked: every request in the order of arrival."""

    base_url: str
    asked: list[Asked] = field(default_factory=list)
    most_busy: int = 0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self, body: dict[str, Any], headers: dict[str, str]) -> Asked:
        with self._lock:
            self._busy += 1
            self.most_busy = max(self.most_busy, self._busy)
            one = Asked(body, headers, time.monotonic(), self._busy)
            self.asked.append(one)
            return one

    def left(self) -> None:
        with self._lock:
            self._busy -= 1

    @property
    def usd(self) -> float:
        """What all answers cost together, by the server's own count."""
        return sum(one.usd for one in self.asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def __init__(self, server: Scripted, script: Script, *arguments: Any) -> None:
        self._server, self._script = server, script
        super().__init__(*arguments)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        one = self._server.arrived(body, {name.lower(): value for name, value in self.headers.items()})
        try:
            reply = self._script(one)
            time.sleep(reply.delay_s)
            self._send(reply)
            one.done = time.monotonic()
        finally:
            self._server.left()

    def _send(self, reply: Reply) -> None:
        content = reply.body.encode()
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if reply.cut else content)
        self.wfile.flush()
        self.close_connection = reply.cut

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """A client that goes away in mid-answer is no event; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def in_turn(replies: Iterable[Reply]) -> Script:
    """A script that gives these replies one after another, the last one for ever."""
    queue = list(replies)
    lock = threading.Lock()

    def script(asked: Asked) -> Reply:
        with lock:
            return queue.pop(0) if len(queue) > 1 else queue[0]

    return script


@contextmanager
def serve(script: Script | Iterable[Reply]) -> Generator[Scripted]:
    """Run the server on a free loopback port."""
    chosen = script if callable(script) else in_turn(script)
    scripted = Scripted("")
    with _Listener(("127.0.0.1", 0), partial(_Handler, scripted, chosen)) as listener:
        scripted.base_url = f"http://127.0.0.1:{listener.server_address[1]}/v1"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield scripted
        finally:
            listener.shutdown()
            thread.join()
