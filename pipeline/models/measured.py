"""What a browser measured, as it is archived: the evidence of the measured criteria."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pipeline.models.base import Noun, Sha256


class Load(Noun):
    """One cold load of a page. lcp_ms: Largest Contentful Paint, ms from the start of the navigation, redirects
    included; None where the load gave none, and why: the reason. quiet: whether the page came to rest before that was
    read."""

    started: datetime
    url: str = ""
    status: int | None = None
    lcp_ms: float | None = None
    element: str = ""
    resource: str = ""
    quiet: bool = True
    why: str = ""


class Speed(Noun):
    """How fast a page was displayed. url: as asked; loads: in order; refused: why none was made; agent: the User-Agent;
    conditions: of every load, in words; sha256: of the archived measurement, which does not hold its own."""

    name: Literal["display_speed"] = "display_speed"
    url: str
    loads: tuple[Load, ...] = ()
    refused: str = ""
    browser: str = ""
    agent: str = ""
    conditions: str = ""
    sha256: Sha256 | None = None
