"""Calls to an OpenAI-compatible server: raw answers out, pace adapted to what the server can bear."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

import httpx2

from pipeline.errors import ModelError

if TYPE_CHECKING:
    import openai

ATTEMPTS = 6
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
# Retry-After beyond this is not waited for: the run stops and can be resumed.
LONGEST_RETRY_AFTER_S = 300.0
# Additive increase after this many good answers in a row, multiplicative decrease on 429 and 5xx.
STEP_UP_AFTER = 8

_AGAIN = (408, 409, 429)
_FATAL = (401, 402, 403, 404)
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
# What servers say where this one request is at fault and the next may do: OpenAI's and llama.cpp's codes for a prompt
# that is too long, Azure's for one that its filter stops; vLLM says it in words only.
_ITS_OWN = ("context_length_exceeded", "exceed_context_size_error", "content_filter")
_TOO_LONG = re.compile(r"context (length|size|window)", re.IGNORECASE)


class Lanes:
    """How many calls may be under way: halved when the server pushes back, raised by one after a good stretch."""

    def __init__(self, most: int) -> None:
        self.most = self.now = most
        self._busy = 0
        self._good = 0
        self._wave = 0
        self._free = asyncio.Condition()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[int]:
        """A lane, as soon as one is free; yields the wave that the call belongs to."""
        async with self._free:
            await self._free.wait_for(lambda: self._busy < self.now)
            self._busy += 1
        try:
            yield self._wave
        finally:
            async with self._free:
                self._busy -= 1
                self._free.notify_all()

    def pushed_back(self, wave: int) -> None:
        """Halve the lanes, once for all calls that were under way together."""
        if wave == self._wave:
            self.now, self._good, self._wave = max(1, self.now // 2), 0, wave + 1

    def went_well(self) -> None:
        self._good += 1
        if self._good >= STEP_UP_AFTER:
            self.now, self._good = min(self.most, self.now + 1), 0


@dataclass(frozen=True)
class Endpoint:
    """Where the model answers. api_key is sent there and nowhere else, and never stored or logged.

    timeout_s: for one answer as a whole.
    """

    base_url: str
    api_key: str
    timeout_s: float = 300.0


class Rate(Protocol):
    """A pace that everybody who asks one account keeps together."""

    def turn(self) -> float:
        """Reserves one more call: seconds from now until it may be made."""

    def rest(self, seconds: float) -> None:
        """Nobody calls sooner than that (Retry-After), whatever turn was reserved."""

    def resting(self) -> float:
        """Seconds that such a rest still takes."""


class UnansweredError(Exception):
    """An attempt without an answer. billed: the server may have worked and charged for it nevertheless; again: whether
    another attempt makes sense; after_s: what Retry-After asks for; why: in words for the user."""

    def __init__(
        self, why: str, *, billed: bool = False, again: bool = True, fatal: bool = False, after_s: float | None = None
    ) -> None:
        super().__init__(why)
        self.why, self.billed, self.again, self.fatal, self.after_s = why, billed, again, fatal, after_s


# Opened around each attempt; yields what takes the raw answer. It may raise ModelError to keep the attempt from being
# made, and sees UnansweredError go by.
Attempt = Callable[[], AbstractAsyncContextManager[Callable[[str], None]]]


class Client:
    """One server. For use in one event loop."""

    def __init__(self, endpoint: Endpoint, *, lanes: int = 8, rate: Rate | None = None) -> None:
        import openai  # half a second that the rules need not wait for

        self.lanes = lanes
        self._lanes = Lanes(lanes)
        self._rate = rate
        self._timeout_s = endpoint.timeout_s
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.base_url or None,
            api_key=endpoint.api_key or "none",
            timeout=endpoint.timeout_s,
            max_retries=0,
        )
        self.proven = False  # whether this model has answered anything, in this run or an earlier one
        self._rest_until = 0.0

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()

    async def complete(self, body: Mapping[str, Any], attempt: Attempt, stopped: asyncio.Event) -> None:
        """Ask, and hand the raw body of the chat completion to what `attempt` yields.

        Waits and tries again on 408, 409, 429, 5xx and lost connections, at most ATTEMPTS times; once `stopped` is set
        no wait goes on. Raises ModelError: fatal where no other request will fare better (key, quota, unknown model, a
        server that has not answered anything yet), else not.
        """
        for number in range(1, ATTEMPTS + 1):
            try:
                return await self._attempted(body, attempt, stopped)
            except UnansweredError as error:
                if not error.again or number == ATTEMPTS:
                    raise ModelError(error.why, fatal=error.fatal or (error.again and not self.proven)) from None
                if error.after_s is None:
                    await _pause(stopped, _backoff(number))
        raise ModelError("unreachable")  # the last attempt returns or raises

    async def _attempted(self, body: Mapping[str, Any], attempt: Attempt, stopped: asyncio.Event) -> None:
        async with self._lanes.one() as wave:
            while (rest := self._rest_until - time.monotonic()) > 0 and not stopped.is_set():
                await _pause(stopped, rest)
            if self._rate is not None:
                await _pause(stopped, self._rate.turn())
                await _pause(stopped, self._rate.resting())
            try:
                async with attempt() as keep:
                    keep(await self._answer(body))
                    self.proven = True
                    self._lanes.went_well()
            except UnansweredError as error:
                if error.again:
                    self._lanes.pushed_back(wave)
                if error.after_s is not None:
                    # Asked of the whole account: the other lanes rest as well.
                    self._rest_until = max(self._rest_until, time.monotonic() + error.after_s)
                    if self._rate is not None:
                        self._rate.rest(error.after_s)
                raise

    async def _answer(self, body: Mapping[str, Any]) -> str:
        import openai

        asked = {"model": body["model"], "messages": body["messages"]}
        # Not as arguments: servers know parameters that the client library does not.
        others = {name: value for name, value in body.items() if name not in asked}
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._openai.chat.completions.with_raw_response.create(**asked, extra_body=others)
                return str(answer.text)
        except TimeoutError:
            raise UnansweredError(f"no answer within {self._timeout_s:g} s", billed=True) from None
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            sent = not isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
            why = f"{error.request.url}: no answer ({type(cause).__name__}). Is the server there?"
            raise UnansweredError(why, billed=sent) from None

    def _refused(self, error: openai.APIStatusError) -> UnansweredError:
        code, status = _code(error), error.status_code
        why = f"{error.request.url}: HTTP {status}: {_message(error)}"
        if code in _NO_MONEY:
            return UnansweredError(
                f"{error.request.url}: the account has no quota left ({code}).", again=False, fatal=True
            )
        if status in _AGAIN or status >= 500:
            after_s = retry_after(error.response.headers)
            if (after_s or 0) > LONGEST_RETRY_AFTER_S:
                return UnansweredError(
                    f"{why} The server asks to wait {after_s:.0f} s; continue then.", again=False, fatal=True
                )
            return UnansweredError(why, after_s=after_s)
        own = code in _ITS_OWN or _TOO_LONG.search(why) or status == 413
        # What every request has in common is at fault, unless one was answered already.
        common = status in _FATAL or not self.proven
        return UnansweredError(why, again=False, fatal=common and not own)


async def _pause(stopped: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), seconds)


def _backoff(attempt: int) -> float:
    longest: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds that Retry-After asks for (a number or an HTTP date), or None."""
    value = headers.get("retry-after")
    if value is None:
        return None
    with suppress(ValueError):
        return max(0.0, float(value)) if math.isfinite(float(value)) else None
    try:
        return max(0.0, (parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _code(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("code") or body.get("type") or "")


def _message(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)[:300]
