"""One process that answers for every municipality of a nation, and logs each request.

    python -m benchmarks.nation.server --spec "$AKASHI_NATION" --log FILE [--port 0]

Prints its port once it listens, on all of 127/8. A line of the log: nanoseconds of the monotonic clock when the request
line had arrived, the local address it came in on, host, status (0 where nothing was answered), path; tabs between.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TextIO

from benchmarks.nation.plan import VARIABLE, Nation
from benchmarks.nation.site import HTML, site
from benchmarks.sites.nodes import Answer

ROOT = Path(__file__).resolve().parents[2]
RESOLVER = Path(__file__).parent / "resolver"
CONTROL = "control.invalid"  # as Host: writes out the log
_FLUSH_S = 0.5
_STOP_S = 10
_LOG_BYTES = 1 << 16
_MAX_HEAD = 1 << 16
# Status of what a server in trouble says; 0: nothing.
_REFUSALS = {"reset": 0, "silent": 0, "unavailable": 503, "forbidden": 403, "failing": 500, "stalling": 0}


class Log:
    """The requests, in the order of their answers."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=_LOG_BYTES)

    def add(self, at_ns: int, local: str, host: str, status: int, path: str) -> None:
        self._file.write(f"{at_ns}\t{local}\t{host}\t{status}\t{path}\n")

    def flush(self) -> None:
        self._file.flush()


class Connection(asyncio.Protocol):
    """One client. Requests without bodies, one after the other."""

    def __init__(self, nation: Nation, log: Log) -> None:
        self._nation, self._log = nation, log
        self._waiting = b""
        self._begun_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._local = str(transport.get_extra_info("sockname")[0])

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) > _MAX_HEAD:
            self._transport.abort()
            return
        while self._waiting and not self._transport.is_closing():
            if not self._begun_ns and b"\r\n" in self._waiting:
                self._begun_ns = time.monotonic_ns()
            if b"\r\n\r\n" not in self._waiting:
                return
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            begun_ns, self._begun_ns = self._begun_ns, 0
            self._reply(head.decode("latin-1").split("\r\n"), begun_ns)

    def _reply(self, head: list[str], begun_ns: int) -> None:
        method, path, *_ = [*head[0].split(" "), "/"]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        host = fields.get("host", "").partition(":")[0].lower()
        if host == CONTROL:
            self._log.flush()
            self._write(Answer(200, {"Content-Type": "text/plain"}, b""), method)
            return
        answer = self._answer(host, path, fields)
        self._log.add(begun_ns, self._local, host, answer.status if answer else 0, path)
        if answer:
            self._write(answer, method)
        if fields.get("connection", "").lower() == "close":
            self._transport.close()

    def _answer(self, host: str, path: str, fields: dict[str, str]) -> Answer | None:
        """What the host says; None where it says nothing."""
        number = self._nation.number(host)
        if number is None or self._local != self._nation.address(number):
            return Answer(421, HTML, b"")
        trouble = self._nation.trouble_of(number)
        if trouble == "reset":
            self._transport.abort()
        if trouble in _REFUSALS:
            return self._refusal(trouble, path)
        found = site(self._nation, number).answer(path, f"http://{fields['host']}")
        known = found.headers.get("ETag")
        return Answer(304, {"ETag": known}, b"") if known and fields.get("if-none-match") == known else found

    def _refusal(self, trouble: str, path: str) -> Answer | None:
        if path == "/robots.txt" and trouble in ("failing", "stalling"):
            return Answer(404, HTML, b"<p>Not Found</p>")
        status = _REFUSALS[trouble]
        again = {"Retry-After": str(self._nation.retry_after_s)} if trouble == "unavailable" else {}
        return Answer(status, HTML | again, f"<p>{HTTPStatus(status).phrase}</p>".encode()) if status else None

    def _write(self, answer: Answer, method: str) -> None:
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
        lines += [] if answer.status == 304 else [f"Content-Length: {len(answer.body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        self._transport.write("\r\n".join([*lines, "", ""]).encode() + (b"" if method == "HEAD" else answer.body))


async def listen(nation: Nation, path: Path, port: int = 0) -> None:
    """Answers until SIGTERM or SIGINT; prints the port first."""
    log, loop, ended = Log(path), asyncio.get_running_loop(), asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, ended.set)
    server = await loop.create_server(lambda: Connection(nation, log), "0.0.0.0", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while not ended.is_set():
        try:
            await asyncio.wait_for(ended.wait(), _FLUSH_S)
        except TimeoutError:
            log.flush()
    server.close()
    log.flush()


@dataclass(frozen=True)
class Serving:
    """A server that runs. log: readable at any time, up to date after flush()."""

    nation: Nation
    port: int
    log: Path
    pid: int

    def flush(self) -> None:
        """Returns when everything that was answered before stands in the log."""
        control = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_STOP_S)
        control.request("GET", "/", headers={"Host": CONTROL})
        control.getresponse().read()
        control.close()

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to find the nation's hosts."""
        return environment(self.nation)


def environment(nation: Nation) -> dict[str, str]:
    paths = [str(RESOLVER), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {VARIABLE: nation.spec, "PYTHONPATH": os.pathsep.join(paths)}


@contextmanager
def serve(nation: Nation, log: Path) -> Iterator[Serving]:
    """The server in a process of its own, until the block is left. Raises RuntimeError where it does not start."""
    command = [sys.executable, "-m", "benchmarks.nation.server", "--spec", nation.spec, "--log", str(log.absolute())]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline().strip()
        if not said:
            raise RuntimeError("the server of the nation did not start: see its message above")
        yield Serving(nation, int(said), log, process.pid)
    finally:
        process.terminate()
        process.wait(_STOP_S)
        process.stdout.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--spec", default=os.environ.get(VARIABLE) or Nation().spec, help="as Nation.spec writes it")
    options.add_argument("--log", type=Path, required=True)
    options.add_argument("--port", type=int, default=0)
    given = options.parse_args()
    asyncio.run(listen(Nation.of(given.spec), given.log, given.port))


if __name__ == "__main__":
    main()
