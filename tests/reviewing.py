"""The review page as people use it: a workspace with the demo city surveyed, a real server process, people."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx2
import uvicorn
from commands import environment

from pipeline.archive import Archive
from pipeline.desk import Desk
from pipeline.desk.pages import Pages
from pipeline.models import Role
from pipeline.store.store import Store
from pipeline.web.app import create_app
from pipeline.web.passwords import hashed
from pipeline.web.sessions import Links, Sessions, key
from pipeline.web.visit import Office
from pipeline.workspace import Workspace

PASSWORD = "correct horse battery staple"
_TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')
_LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/enter\?token=(\S+)")
_HASHED: dict[str, str] = {}


def classify(home: Path, *arguments: str, given: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line on the workspace as a process, which reads what is `given`."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments]
    return subprocess.run(
        command, env=environment(home, **changes), input=given, capture_output=True, text=True, timeout=110
    )


def survey_demo(shared: Path) -> Path:
    """A workspace in which the demo city is surveyed, made once for all test processes that share the folder."""
    home, done = shared / "surveyed", shared / "surveyed.done"
    try:
        home.mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.1)
        return home
    made = classify(home, "--city", "demo")
    assert made.returncode == 0, made.stderr
    done.touch()
    return home


def database_of(home: Path) -> str:
    return f"sqlite:///{home / 'akashi.db'}"


def add_people(database: str, **people: Role) -> None:
    """Adds people, all with PASSWORD."""
    _HASHED.setdefault(PASSWORD, hashed(PASSWORD))
    with Store(database) as store:
        for name, role in people.items():
            store.users.add(name, role, password=_HASHED[PASSWORD])


@dataclass
class Served:
    """A running server. link: the one-time link of whoever started it; process: None where it is a thread of ours."""

    origin: str
    link: str
    process: subprocess.Popen[str] | None = None


@contextmanager
def serving_here(home: Path, *, reviewer: str = "主任", share: float = 0.2) -> Iterator[Served]:
    """The same server, routes and database over real HTTP, in a thread: it is there at once."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{door.getsockname()[1]}"
    workspace, links = Workspace(home), Links()
    with Store(database_of(home)) as store, Archive(workspace.archive) as archive:
        desk = Desk(store, Pages(archive), cache(workspace.criteria), share)
        if store.users.find(reviewer) is None:
            store.users.add(reviewer, Role.ADJUDICATOR)
        office = Office(desk, Sessions(key(workspace.session_key)), (origin,), links=links)
        server = uvicorn.Server(uvicorn.Config(create_app(office), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        try:
            _wait(origin)
            yield Served(origin, f"{origin}/enter?token={links.make(reviewer)}")
        finally:
            server.should_exit = True
            thread.join()
            door.close()


@contextmanager
def serving(home: Path, *, port: int = 0, reviewer: str = "主任", **changes: str) -> Iterator[Served]:
    """`classify review` on the workspace, ended afterwards."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "review", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--reviewer", reviewer], env=environment(home, **changes), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = ""
        while not (found := _LINK.search(said)):
            line = process.stdout.readline()
            assert line, f"the server has ended: {said}"
            said += line
        origin = found.group(1)
        _wait(origin)
        yield Served(origin, found.group(), process)
    finally:
        process.kill()
        process.communicate()


def _wait(origin: str) -> None:
    for _ in range(200):
        try:
            httpx2.get(f"{origin}/static/icon.svg")
            return
        except httpx2.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{origin} does not answer")


@dataclass
class Person:
    """Somebody at a browser without scripts: follows redirects, brings back the token of the last page."""

    origin: str
    http: httpx2.Client = field(init=False)
    page: str = ""

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.origin, follow_redirects=True, timeout=30)

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def token(self) -> str:
        found = _TOKEN.search(self.page)
        assert found, "no form on the page"
        return found.group(1)

    def get(self, path: str) -> httpx2.Response:
        return self._keep(self.http.get(path))

    def post(self, path: str, **fields: object) -> httpx2.Response:
        return self._keep(self.http.post(path, data={"token": self.token, **fields}))

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx2.Response:
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password)

    def decide(self, choice: str, **fields: object) -> httpx2.Response:
        """Presses a button of the item that is on the screen."""
        version = re.search(r'name="version" value="([^"]+)"', self.page)
        assert version, "no item on the screen"
        return self.post(f"/items/{self.number}/decide", choice=choice, version=version.group(1), **fields)

    @property
    def number(self) -> int:
        found = re.search(r'data-item="(\d+)"', self.page)
        assert found, "no item on the screen"
        return int(found.group(1))

    def _keep(self, answer: httpx2.Response) -> httpx2.Response:
        if "text/html" in answer.headers.get("content-type", ""):
            self.page = answer.text
        return answer


def copied(home: Path, to: Path) -> Path:
    """A workspace of one's own."""
    shutil.copytree(home, to)
    return to
