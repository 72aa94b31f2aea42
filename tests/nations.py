"""A served nation for the tests: small, and asked by hand."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nation import Nation
from benchmarks.nation.server import Serving, serve

ROOT = Path(__file__).parent.parent
DEADLINE_S = 10.0


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def served(folder: Path, nation: Nation) -> Iterator[Serving]:
    with serve(nation, folder / "requests.log") as serving:
        yield serving


def get(
    serving: Serving, number: int, path: str = "/", *, at: str = "", deadline_s: float = DEADLINE_S, **headers: str
) -> Answered:
    """The answer of a municipality's host, asked at its address, or at another."""
    connection = http.client.HTTPConnection(at or serving.nation.address(number), serving.port, timeout=deadline_s)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connection):
        connection.request("GET", path, headers={"Host": f"{serving.nation.host(number)}:{serving.port}"} | named)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, found, answer.read())


def run(program: str, environment: dict[str, str]) -> str:
    """What a Python program of its own prints."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
