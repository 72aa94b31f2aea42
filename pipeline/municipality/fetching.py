"""The registry's files from the network, once: bounded in time and size, validated before they are kept."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import RegistryError

LEAST_MUNICIPALITIES = 1_500
PREFECTURES = 47
DEADLINE_S = 60.0
MAX_BYTES = 5_000_000
_SOURCE = "github.com/code4fukui/localgovjp (CC0)"

Check = Callable[[bytes, str], None]


def copies(
    addresses: Sequence[str],
    folder: Path,
    *,
    checks: Sequence[Check],
    refresh: bool = False,
    deadline_s: float | None = None,
) -> list[Path]:
    """A local copy of each address, downloaded if there is no valid one; none is replaced unless all downloads are
    valid. checks: one per address, raising RegistryError. deadline_s: for one download in all."""
    paths = [kept_at(address, folder) for address in addresses]
    if not refresh and all(_is_valid(path, check) for path, check in zip(paths, checks, strict=True)):
        return paths
    contents = []
    for address, check in zip(addresses, checks, strict=True):
        content = _download(address, DEADLINE_S if deadline_s is None else deadline_s)
        check(content, address)
        contents.append(content)
    for path, content in zip(paths, contents, strict=True):
        _replace(path, content)
    return paths


def kept_at(address: str, folder: Path) -> Path:
    """Where the copy of an address is kept, once it is there. Another address has another copy."""
    return folder / f"registry-{hashlib.sha256(address.encode()).hexdigest()[:12]}.csv"


def _is_valid(path: Path, check: Check) -> bool:
    try:
        check(path.read_bytes(), path.name)
    except (OSError, RegistryError):
        return False
    return True


def _replace(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".registry-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        raise RegistryError(f"the registry cannot be kept in {path.parent} ({error.strerror})") from error


def _download(address: str, deadline_s: float) -> bytes:
    """The bytes at an address. A thread of its own, because no client limits a whole slow answer."""
    _demand_safe(address)
    outcome: list[bytes | BaseException] = []
    thread = threading.Thread(target=_into, args=(outcome, address, deadline_s), daemon=True)
    thread.start()
    thread.join(deadline_s)
    if not outcome:
        raise RegistryError(_advice(address, f"no complete answer within {deadline_s:g} s"))
    if isinstance(outcome[0], RegistryError):
        raise outcome[0]
    if isinstance(outcome[0], BaseException):
        raise RegistryError(_advice(address, str(outcome[0]) or type(outcome[0]).__name__)) from outcome[0]
    return outcome[0]


def _into(outcome: list[bytes | BaseException], address: str, deadline_s: float) -> None:
    try:
        outcome.append(_answer(address, time.monotonic() + deadline_s))
    except Exception as error:  # handed to the waiting thread, which raises it
        outcome.append(error)


def _answer(address: str, ends: float) -> bytes:
    import httpx2

    def on_request(request: Any) -> None:
        _demand_safe(str(request.url))

    body = bytearray()
    hooks = {"request": [on_request]}
    with (
        httpx2.Client(follow_redirects=True, max_redirects=5, timeout=10.0, event_hooks=hooks) as client,
        client.stream("GET", address) as answer,
    ):
        if answer.status_code != 200:
            raise RegistryError(_advice(address, f"the server answered {answer.status_code}"))
        for piece in answer.iter_bytes(65_536):
            body += piece
            if len(body) > MAX_BYTES:
                raise RegistryError(_advice(address, f"more than {MAX_BYTES} bytes"))
            if time.monotonic() > ends:
                raise RegistryError(_advice(address, "the answer took too long"))
    return bytes(body)


def _demand_safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return
    raise RegistryError(f"the registry is fetched over https only, not from {address}; see CLASSIFY_REGISTRY_URL")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _advice(address: str, problem: str) -> str:
    return (
        f"the registry of municipalities could not be fetched from {address}: {problem}. Download the file by hand "
        f"(see {_SOURCE}) and give it with --registry FILE"
    )
