"""Who is asking: signed cookies, tokens against forged requests, one-time links, and the header of a trusted proxy."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import Headers

from pipeline.errors import StoreError

SESSION_S = 12 * 3600
LINK_S = 600.0
COOKIE = "akashi"
USER_HEADER = "x-akashi-user"
VOUCHER_HEADER = "x-akashi-proxy-secret"
_KEY_BYTES = 32
_SALT = "akashi.session.v1"


def key(path: Path) -> bytes:
    """The secret of this workspace, made at the first use, readable by its owner alone. Raises StoreError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
        found = path.read_bytes()
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StoreError(f"{path} can be read by others, so anybody could sign in: chmod 600 it, or delete it.")
    except OSError as error:
        raise StoreError(f"the secret for sessions cannot be kept: {error}") from error
    if len(found) != _KEY_BYTES:
        raise StoreError(f"{path} is damaged: delete it, and everybody signs in anew.")
    return found


def _create(path: Path) -> None:
    """Written beside its place and linked into it, so that nobody ever reads half a key."""
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was faster
    finally:
        fresh.unlink()


@dataclass(frozen=True)
class Session:
    """name: empty before signing in; epoch: of the user then; nonce: what the form token is made of."""

    nonce: str
    name: str = ""
    epoch: int = 0


class Sessions:
    """Signs and reads cookies, and makes the token that every form must bring back."""

    def __init__(self, secret: bytes) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256})
        self._secret = secret

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie, or None where it is forged, expired or not ours."""
        try:
            nonce, name, epoch = self._serializer.loads(cookie, max_age=SESSION_S)
            return Session(str(nonce), str(name), int(epoch))
        except (BadData, ValueError, TypeError):
            return None

    def cookie(self, session: Session) -> str:
        return str(self._serializer.dumps([session.nonce, session.name, session.epoch]))

    @staticmethod
    def fresh(name: str = "", epoch: int = 0) -> Session:
        return Session(secrets.token_urlsafe(18), name, epoch)

    def token(self, session: Session) -> str:
        return hmac.new(self._secret, f"form:{session.nonce}:{session.name}".encode(), hashlib.sha256).hexdigest()

    def genuine(self, session: Session, token: str) -> bool:
        """Whether a form's token is this session's."""
        return hmac.compare_digest(self.token(session).encode(), token.encode("utf-8", "replace"))


class Links:
    """One-time sign-in links: each works once, for ten minutes, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, tuple[str, float]] = {}
        self._guard = threading.Lock()

    def make(self, name: str) -> str:
        token = secrets.token_urlsafe(32)
        with self._guard:
            self._open[_digest(token)] = (name, self._clock() + LINK_S)
        return token

    def use(self, token: str) -> str | None:
        """The name that the link signs in, or None where it was used, has expired or never was."""
        with self._guard:
            name, until = self._open.pop(_digest(token), ("", 0.0))
        return name if name and self._clock() < until else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Proxy:
    """A reverse proxy that has signed people in. secret: what it must send along; empty where there is none."""

    secret: str = ""

    def name(self, headers: Headers) -> str | None:
        """The user whom the proxy vouches for, or None. A header without the secret is nobody's word, and of two names
        one may be the client's own.

        Header values are latin-1 on the wire (RFC 9110, 5.5); names are sent as UTF-8.
        """
        given = headers.get(VOUCHER_HEADER, "")
        if not self.secret or not hmac.compare_digest(given.encode(), self.secret.encode()):
            return None
        names = headers.getlist(USER_HEADER)
        try:
            return names[0].encode("latin-1").decode("utf-8") or None if len(names) == 1 else None
        except UnicodeError:
            return None
