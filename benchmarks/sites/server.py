"""A keep-alive server of one site, in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from benchmarks.sites.site import Site

ROOT = Path(__file__).resolve().parents[2]
STOP_S = 5


@contextmanager
def serve(site: Site) -> Iterator[str]:
    """Serves the site on 127.0.0.1 from another process, which plans it anew; gives its address, as http://127.0.0.1:port."""
    command = [sys.executable, "-m", "benchmarks.sites", site.shape, str(site.seed), "--pages", str(site.pages)]
    server = subprocess.Popen([*command, "--serve"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"the server of {site.shape} {site.seed} did not start: see its message above")
        yield address
    finally:
        server.terminate()
        server.wait(STOP_S)
        if server.stdout:
            server.stdout.close()


class Connection(asyncio.Protocol):
    """One client. Requests without bodies, one after the other."""

    def __init__(self, site: Site) -> None:
        self.site, self.waiting = site, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            self.reply(head.decode("latin-1").split("\r\n"))

    def reply(self, head: list[str]) -> None:
        method, target, *_ = [*head[0].split(" "), "/"]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        found = self.site.answer(target, f"http://{fields.get('host', 'localhost')}")
        lines = [f"HTTP/1.1 {found.status} {HTTPStatus(found.status).phrase}", f"Content-Length: {len(found.body)}"]
        lines += [f"{name}: {value}" for name, value in found.headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + (b"" if method == "HEAD" else found.body))
        if fields.get("connection", "").lower() == "close":
            self.transport.close()


async def listen(site: Site, port: int = 0) -> None:
    """Answers until the process ends; prints the address first."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(site), "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()
