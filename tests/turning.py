"""A process that asks for turns at two of several places, again and again: python tests/turning.py URL SEED."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from pipeline.cluster.link import Link
from pipeline.cluster.turns import reserve

PLACES = 5
TURNS = 60  # of each process
DELAY_S = 0.01
TOGETHER = 6


async def ask(url: str, seed: int) -> None:
    drawn = random.Random(seed)
    async with Link(url) as link:
        for _ in range(TURNS // TOGETHER):
            asked = [drawn.sample([f"place {number}" for number in range(PLACES)], 2) for _ in range(TOGETHER)]
            await asyncio.gather(*(reserve(link, places, DELAY_S) for places in asked))


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1], int(sys.argv[2])))
