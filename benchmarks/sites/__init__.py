"""Generated sites of fictional municipalities: thousands of pages, of which some settle a criterion, by address."""

from __future__ import annotations

from benchmarks.sites.nodes import Answer
from benchmarks.sites.server import serve
from benchmarks.sites.site import SHAPES, Site, build

__all__ = ["SHAPES", "Answer", "Site", "build", "serve"]
