"""The kinds of municipal sites."""

from benchmarks.sites.shapes.base import Shape
from benchmarks.sites.shapes.romaji import Romaji
from benchmarks.sites.shapes.soshiki import Soshiki

KINDS: dict[str, type[Shape]] = {kind.name: kind for kind in (Soshiki, Romaji)}
