"""Calls to an OpenAI-compatible server: raw answers out, pace adapted to what the server can bear."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from pipeline.errors import ModelError

ATTEMPTS = 6
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
# Retry-After beyond this is not waited for: the run stops and can be resumed.
LONGEST_RETRY_AFTER_S = 300.0
# Additive increase after this many good answers in a row, multiplicative decrease on 429 and 5xx.
STEP_UP_AFTER = 8

_FATAL = (400, 401, 403, 404, 422)


class Lanes:
    """How many calls may be under way: halved when the server pushes back, raised by one after a good stretch."""

    def __init__(self, most: int) -> None:
        self.most = self.now = most
        self._busy = 0
        self._good = 0
        self._free = asyncio.Condition()

    async def __aenter__(self) -> None:
        async with self._free:
            await self._free.wait_for(lambda: self._busy < self.now)
            self._busy += 1

    async def __aexit__(self, *_: object) -> None:
        async with self._free:
            self._busy -= 1
            self._free.notify_all()

    def pushed_back(self) -> None:
        self.now, self._good = max(1, self.now // 2), 0

    def went_well(self) -> None:
        self._good += 1
        if self._good >= STEP_UP_AFTER:
            self.now, self._good = min(self.most, self.now + 1), 0


@dataclass(frozen=True)
class Endpoint:
    """Where the model answers. api_key is sent there and nowhere else, and never stored or logged."""

    base_url: str
    api_key: str
    timeout_s: float = 120.0


class Client:
    """One server. `complete` gives the raw body of a chat completion."""

    def __init__(self, endpoint: Endpoint, *, lanes: int = 8) -> None:
        self._lanes = Lanes(lanes)
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.base_url or None,
            api_key=endpoint.api_key or "none",
            timeout=endpoint.timeout_s,
            max_retries=0,
        )
        self.calls = 0

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()

    async def complete(self, body: Mapping[str, Any], stopped: Callable[[], bool] = lambda: False) -> str:
        """The raw answer. Waits and tries again on 408, 409, 429, 5xx and lost connections, at most ATTEMPTS times.

        stopped: asked before each attempt; once true nothing more is sent. Raises ModelError: fatal where no other
        request will fare better (key, quota, unknown model), else not.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._lanes:
                    if stopped():
                        raise ModelError("stopped before this request was sent")
                    self.calls += 1
                    answer = await self._openai.chat.completions.with_raw_response.create(**body)
                    self._lanes.went_well()
                    return str(answer.text)
            except openai.APIStatusError as error:
                wait = self._wait(error, attempt)
            except openai.APIConnectionError as error:
                wait = self._lost(error, attempt)
            await asyncio.sleep(wait)
        raise ModelError("unreachable")  # the last attempt raises

    def _wait(self, error: openai.APIStatusError, attempt: int) -> float:
        """Seconds to wait before the next attempt. Raises ModelError where there should be none."""
        if error.status_code in (408, 409, 429) or error.status_code >= 500:
            if _code(error) == "insufficient_quota":
                raise ModelError(
                    f"{error.request.url}: the account has no quota left (insufficient_quota).", fatal=True
                ) from None
            self._lanes.pushed_back()
            asked = retry_after(error.response.headers)
            if attempt < ATTEMPTS and (asked or 0) <= LONGEST_RETRY_AFTER_S:
                return asked if asked is not None else _backoff(attempt)
        fatal = error.status_code in _FATAL and _code(error) != "context_length_exceeded"
        raise ModelError(f"{error.request.url}: HTTP {error.status_code}: {_message(error)}", fatal=fatal) from None

    def _lost(self, error: openai.APIConnectionError, attempt: int) -> float:
        self._lanes.pushed_back()
        if attempt < ATTEMPTS:
            return _backoff(attempt)
        cause = error.__cause__ or error
        raise ModelError(
            f"{error.request.url}: no answer after {ATTEMPTS} attempts ({type(cause).__name__})."
        ) from None


def _backoff(attempt: int) -> float:
    longest: float = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)


def retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds that Retry-After asks for (a number or an HTTP date), or None."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _code(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("code") or body.get("type") or "")


def _message(error: openai.APIStatusError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)[:300]
