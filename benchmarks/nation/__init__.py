"""A nation of fictional municipalities on loopback: hosts, addresses and sites that follow from a seed."""

from __future__ import annotations

from benchmarks.nation.plan import Nation

__all__ = ["Nation"]
