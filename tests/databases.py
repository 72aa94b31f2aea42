"""A PostgreSQL cluster of the tests' own: on loopback and a socket in a temporary folder, gone when they end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

START_S = 30  # more than a busy machine takes
# Nothing here outlives the tests, so nothing needs to survive a power cut.
SETTINGS = {"listen_addresses": "127.0.0.1", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """A running PostgreSQL. Databases belong to `akashi`, who may do nothing else."""

    def __init__(self, port: int, password: str, start: Callable[[], subprocess.Popen[bytes]], log: Path) -> None:
        self._at = f"{password}@127.0.0.1:{port}"
        self._made = 0
        self._start = start
        self._log = log

    def start(self) -> None:
        """Returns when it answers."""
        self._server = self._start()
        deadline = time.monotonic() + START_S
        while True:
            try:
                return self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self._server.poll() is None and time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """At once, whoever is connected; with SIGINT nothing committed is lost, although nothing here is synced."""
        self._server.send_signal(how)
        self._server.wait()

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database, dropped afterwards."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f"CREATE DATABASE {name} OWNER akashi")
        try:
            yield f"postgresql+psycopg://akashi:{self._at}/{name}"
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"postgresql://postgres:{self._at}/postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A cluster while the block runs. Skips the test where PostgreSQL is not installed."""
    binaries, who, password = _binaries(), _not_root(), secrets.token_hex(16)
    folder = Path(tempfile.mkdtemp(prefix="akashi-pg-"))  # pytest's own folders are closed to other users
    try:
        _initialise(binaries, folder, password, who)
        with _started(binaries, folder, password, who) as cluster:
            cluster.execute(f"CREATE ROLE akashi LOGIN PASSWORD '{password}'")
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def obstructed(url: str, statement: str) -> Iterator[Callable[[int], None]]:
    """Others stop where they meet what the statement locks, and go on after the block. Gives a function that returns
    when so many of them wait."""
    address = url.replace("+psycopg", "")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(address) as holding, psycopg.connect(address, autocommit=True) as watching:
        holding.execute(statement)

        def until(count: int) -> None:
            deadline = time.monotonic() + START_S
            while watching.execute(waiting).fetchone() != (count,):
                assert time.monotonic() < deadline
                time.sleep(0.01)

        yield until
        holding.rollback()


def _binaries() -> Path:
    """The folder of initdb and postgres: on PATH, where pg_config says, or where Debian keeps them."""
    on_path, config = shutil.which("initdb"), shutil.which("pg_config")
    places = [Path(on_path).resolve().parent] if on_path else []
    if config:
        places.append(Path(subprocess.run([config, "--bindir"], capture_output=True, text=True).stdout.strip()))
    places += Path("/usr/lib/postgresql").glob("*/bin")
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    pytest.skip("PostgreSQL is not installed: no initdb on PATH, by pg_config or under /usr/lib/postgresql")


def _not_root() -> dict[str, Any]:
    """Whom to run as, for subprocess: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    known = {one.pw_name: one for one in pwd.getpwall()}
    one = known.get("postgres") or known["nobody"]
    return {"user": one.pw_uid, "group": one.pw_gid, "extra_groups": []}


def _initialise(binaries: Path, folder: Path, password: str, who: dict[str, Any]) -> None:
    secret = folder / "password"
    secret.write_text(password)
    for path in (folder, secret):
        os.chown(path, who.get("user", -1), who.get("group", -1))
    command = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "--encoding=UTF8", "--locale=C"]
    command += ["--no-sync", "--auth=scram-sha-256", f"--pwfile={secret}"]
    # Text sorts as on an office's server, where the database can: a column that must not then shows.
    if b"--icu-locale" in subprocess.run([binaries / "initdb", "--help"], capture_output=True, check=True).stdout:
        command += ["--locale-provider=icu", "--icu-locale=ja-JP"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **who)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _started(binaries: Path, folder: Path, password: str, who: dict[str, Any]) -> Iterator[Cluster]:
    port, log = _free_port(), folder / "log"
    settings = SETTINGS | {"port": str(port), "unix_socket_directories": str(folder)}
    command = [binaries / "postgres", "-D", folder / "data", *(f"--{name}={value}" for name, value in settings.items())]
    with log.open("wb") as output:
        cluster = Cluster(
            port, password, lambda: subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, **who), log
        )
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def _free_port() -> int:
    """Below the ports that systems hand out by themselves, so that nothing else takes it meanwhile."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
