"""The door to a pace and a claim that are kept elsewhere, where many machines crawl at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Gate(Protocol):
    """One crawl's view of the pace that all crawls keep together. Places are host names and `ip ADDRESS`."""

    async def slot(self, places: Sequence[str], delay_s: float) -> float:
        """Reserves the next turn at all of the places for one request: seconds from now until it. The turn after it at
        any of them is at least delay_s later."""

    async def hold(self, places: Sequence[str], seconds: float) -> None:
        """Lets nobody ask at the places for so long from now."""

    async def enter(self) -> None:
        """Returns when this crawl may still send, called immediately before a request's first byte leaves. Raises
        LostError where the city is no longer this crawl's."""
