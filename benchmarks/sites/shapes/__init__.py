"""The kinds of municipal sites."""

from benchmarks.sites.shapes.base import Shape
from benchmarks.sites.shapes.blog import Blog
from benchmarks.sites.shapes.merged import Merged
from benchmarks.sites.shapes.ministry import Ministry
from benchmarks.sites.shapes.query import Query
from benchmarks.sites.shapes.romaji import Romaji
from benchmarks.sites.shapes.soshiki import Soshiki

KINDS: dict[str, type[Shape]] = {kind.name: kind for kind in (Soshiki, Romaji, Blog, Query, Ministry, Merged)}
