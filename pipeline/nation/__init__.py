"""Surveys of many municipalities: which ones, how far each has come, side by side on one machine or on many."""

from pipeline.nation.choosing import chosen
from pipeline.nation.waves import Wanted, begin, take_back

__all__ = ["Wanted", "begin", "chosen", "take_back"]
