"""Calls that may take a while, such as the archive's, made beside the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# Not the event loop's own threads: names are resolved there, and a dead name server must not hold up the archive.
_THREADS = 16


async def aside(call: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
    """What a call gives or raises that is made in a thread. Cancelled, it ends when the call has ended."""
    made = asyncio.get_running_loop().run_in_executor(_threads(), partial(call, *values, **named))
    try:
        return await asyncio.shield(made)
    except asyncio.CancelledError:
        while not made.done():
            try:
                await asyncio.wait({made})
            except asyncio.CancelledError:
                continue
        made.exception()
        raise


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="aside")


os.register_at_fork(after_in_child=_threads.cache_clear)
