"""What is examined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.models import Municipality
from pipeline.settings import Settings


@dataclass(frozen=True)
class Patient:
    """settings: as a survey would use them; url: to be reached over the network; city: whose robots.txt is asked;
    registry: a CSV instead of the kept one; model, base_url, price: as for a survey; offline: no network, no model;
    allow_private: whether `url` and the city's home page may have private addresses."""

    settings: Settings
    url: str
    city: Municipality | None = None
    registry: Path | None = None
    model: str = ""
    base_url: str = ""
    price: str = ""
    offline: bool = False
    allow_private: bool = False
