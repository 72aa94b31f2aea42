"""A survey that municipalities answered themselves, beside what their pages prove; never a verdict, never a point."""

from pipeline.crosscheck.build import crosscheck, hints, open_pairs
from pipeline.crosscheck.mapping import load
from pipeline.crosscheck.nouns import Crosscheck
from pipeline.crosscheck.survey import read

__all__ = ["Crosscheck", "crosscheck", "hints", "load", "open_pairs", "read"]
