"""What the browser's tests share: whether there is a Chromium, and places that must not be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from reviewing import serving_here

from pipeline.crawl.chromium import lacking

needs_chromium = pytest.mark.skipif(bool(lacking()), reason=f"no browser: {lacking()}")


class Canary:
    """A loopback port that notes every connection and datagram; it answers none."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[bytes] = []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hear_tcp(self, tcp: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = tcp.accept()
                connection.settimeout(0.5)
                with connection, suppress(OSError):
                    self.heard.append(b"")
                    self.heard[-1] = connection.recv(200)

    def hear_udp(self, udp: socket.socket) -> None:
        with suppress(OSError):
            while True:
                self.heard.append(b"udp " + udp.recv(200))


@contextmanager
def canary() -> Iterator[Canary]:
    tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(64)
    bird = Canary(tcp.getsockname()[1])
    udp.bind(("127.0.0.1", bird.port))
    for hear, where in ((bird.hear_tcp, tcp), (bird.hear_udp, udp)):
        threading.Thread(target=hear, args=(where,), daemon=True).start()
    try:
        yield bird
    finally:
        for one in (tcp, udp):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def archived_view(home: Path, sha256: str) -> httpx2.Response:
    """What the review page shows of an archived body."""
    with serving_here(home) as served, httpx2.Client(follow_redirects=True, trust_env=False) as client:
        client.get(served.link).raise_for_status()
        return client.get(f"{served.origin}/snapshots/{sha256}").raise_for_status()


def chromiums(parent: int) -> set[int]:
    """Process ids of browsers that descend from a process."""
    parents = {int(entry.name): _stat(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return {pid for pid, (name, _) in parents.items() if "chrom" in name and parent in _above(pid, parents)}


def is_renderer(pid: int) -> bool:
    """Whether a browser's process runs a page."""
    with suppress(OSError):
        return b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def alive(pids: set[int]) -> set[int]:
    """Those of the processes that still run, dead ones that nobody has buried left out."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and "chrom" in _stat(Path(f"/proc/{pid}"))[0]}


def _above(pid: int, parents: dict[int, tuple[str, int]]) -> Iterator[int]:
    while pid in parents:
        pid = parents[pid][1]
        yield pid


def _stat(entry: Path) -> tuple[str, int]:
    """Name and parent of a process; no name where it is dead."""
    try:
        stat = (entry / "stat").read_text()
    except OSError:
        return "", 0
    state, above = stat[stat.rindex(")") + 2 :].split()[:2]
    return ("" if state == "Z" else stat[stat.index("(") + 1 : stat.rindex(")")]), int(above)
