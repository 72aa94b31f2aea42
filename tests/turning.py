"""A process that asks for turns at two of several places, again and again."""

from __future__ import annotations

import asyncio
import random

from pipeline.cluster.link import Link
from pipeline.cluster.turns import reserve

PLACES = 5
TURNS = 60  # of each process
TOGETHER = 6
DELAY_S = 0.01


def take_turns(url: str, seed: int) -> None:
    drawn = random.Random(seed)

    async def ask() -> None:
        async with Link(url) as link:
            for _ in range(TURNS // TOGETHER):
                asked = [drawn.sample([f"place {number}" for number in range(PLACES)], 2) for _ in range(TOGETHER)]
                await asyncio.gather(*(reserve(link, places, DELAY_S) for places in asked))

    asyncio.run(ask())
