"""What a worker is asked to do, and what is known of the workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["crawl", "judge"]
STAGES: tuple[Stage, ...] = ("crawl", "judge")


@dataclass(frozen=True)
class Errand:
    """One stage of one municipality of a wave. priority: higher goes first; errands that differ in nothing else are
    the same."""

    wave: str
    code: str
    stage: Stage
    priority: int = field(default=0, compare=False)

    @property
    def key(self) -> str:
        return f"{self.wave} {self.code} {self.stage}"


@dataclass(frozen=True)
class Seen:
    """A worker that is connected to the database or has municipalities. name: machine, process and a random part;
    crawls, judges: how many municipalities it has of each stage."""

    name: str
    crawls: int
    judges: int
