"""Work for the processor, in processes of its own, so that the loop that asks servers never waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Self, TypeVar

from pipeline.errors import AkashiError

T = TypeVar("T")
# A process that is killed (by the system, for its memory) takes the tasks of all others along: they are begun again.
TRIES = 3
# Memory that a process has once used it seldom gives back; after so many tasks for each, new ones take their place.
RENEWED_AFTER = 64


_M_ARENA_MAX = -8  # glibc's malloc.h


def one_heap() -> None:
    """Has all threads of this process share one heap, where the C library is glibc: each would else keep one of its own
    that only grows, 5 MB for every hundred municipalities (`python -m benchmarks.nation`)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class CoresError(AkashiError):
    """A task whose process died each time it was tried."""


class Cores:
    """As many processes as given, started when needed. A context manager; awaiting it calls a function in one."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None
        self._given = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, do: Callable[..., T], *given: object) -> T:
        """What the function of a module returns or raises. Raises CoresError where its process dies with it."""
        for _ in range(TRIES):
            pool = self._current()
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, do, *given)
            except BrokenProcessPool:
                self._drop(pool)
        raise CoresError(f"{do.__name__}: the process that did it was killed {TRIES} times; is there enough memory?")

    def _current(self) -> ProcessPoolExecutor:
        if self._pool is not None and self._given >= RENEWED_AFTER * self.processes:
            self._drop(self._pool)
        if self._pool is None:
            self._given = 0
            self._pool = ProcessPoolExecutor(self.processes, mp_context=get_context("spawn"), initializer=_begin)
        self._given += 1
        return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        """What it was given already is done; nothing more is."""
        pool.shutdown(wait=False)
        if self._pool is pool:
            self._pool = None


def _begin() -> None:
    """Ctrl-C is the parent's to answer, and a process whose parent was killed goes too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_go_with_parent, daemon=True).start()


def _go_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
