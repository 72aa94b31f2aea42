"""Two surveys of one municipality side by side: which pages differ, and which judgements that touches."""

from pipeline.compare.build import Survey, compare
from pipeline.compare.nouns import Difference
from pipeline.compare.words import text

__all__ = ["Difference", "Survey", "compare", "text"]
