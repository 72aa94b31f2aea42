"""Passwords: argon2 hashes, and a limit to guessing."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipeline.errors import InputError

MIN_CHARS = 12  # NIST SP 800-63B asks for at least 8, for 15 where it is the only factor
MAX_CHARS = 256
MAX_FAILURES = 5  # for one name, within the window ...
MAX_FAILURES_OF_ALL = 50  # ... and for all names together
WINDOW_S = 900.0
_KEPT_NAMES = 1000

_hasher = PasswordHasher()  # RFC 9106, low-memory profile: 64 MiB, 3 passes, 4 lanes
_few = threading.BoundedSemaphore(2)  # so that a flood of sign-ins cannot fill the memory
# Verified where there is no such name, so that an answer takes as long as for one that exists.
_NOBODY = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    """The argon2id hash to keep. Raises InputError for a password too short, too long or not Unicode."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise InputError(f"a password needs {MIN_CHARS} to {MAX_CHARS} characters; a few words make a good one.")
    try:
        with _few:
            return _hasher.hash(password)
    except UnicodeEncodeError:
        raise InputError("the password is not UTF-8 text; set the terminal to UTF-8, or save the file as it.") from None


def matches(kept: str, password: str) -> bool:
    """Whether the password is the one behind the hash; takes as long where `kept` is empty."""
    if len(password) > MAX_CHARS:
        return False
    with _few:
        try:
            return _hasher.verify(kept or _NOBODY, password) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than are used now."""
    return _hasher.check_needs_rehash(kept)


class Guesses:
    """Failed sign-ins of the last quarter of an hour, by name and all together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()
        self._guard = threading.Lock()

    def attempt(self, name: str) -> int:
        """Seconds until this name may be tried; 0 now, and then the try counts as failed until it has `succeeded`, so
        that many at once do not slip through."""
        name = _alike(name)
        with self._guard:
            mine = self._failures.get(name, deque())
            wait = max(self._left(mine, MAX_FAILURES), self._left(self._all, MAX_FAILURES_OF_ALL))
            if not wait:
                self._count(name)
            return wait

    def succeeded(self, name: str) -> None:
        with self._guard:
            mine = self._failures.pop(_alike(name), None)
            if mine and self._all:
                self._all.pop()

    def _count(self, name: str) -> None:
        mine = self._failures.setdefault(name, deque(maxlen=MAX_FAILURES))
        self._failures.move_to_end(name)
        mine.append(self._clock())
        self._all.append(self._clock())
        while len(self._all) > MAX_FAILURES_OF_ALL:
            self._all.popleft()
        while len(self._failures) > _KEPT_NAMES:
            self._failures.popitem(last=False)

    def _left(self, times: deque[float], most: int) -> int:
        recent = [at for at in times if at > self._clock() - WINDOW_S]
        return 0 if len(recent) < most else int(recent[-most] + WINDOW_S - self._clock()) + 1


def _alike(name: str) -> str:
    """However the name is typed: the database finds a person under several spellings, which share their tries."""
    return unicodedata.normalize("NFKC", name).strip().casefold()
