"""Durations as readers like them."""

from __future__ import annotations

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def span(seconds: float) -> tuple[tuple[int, str], ...]:
    """The largest unit of a duration and, from an hour on, the one below: 5 h 12 min, 40 s. Rounded down."""
    whole = max(0, int(seconds))
    at = next((at for at, (_, size) in enumerate(_UNITS) if whole >= size), len(_UNITS) - 1)
    unit, size = _UNITS[at]
    first = (whole // size, unit)
    if at > 1:
        return (first,)
    below, smaller = _UNITS[at + 1]
    return first, (whole % size // smaller, below)
