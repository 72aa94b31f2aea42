"""Surveyed municipalities by confirmed points: ties shared, what is open told as an interval, nothing else compared."""

from pipeline.ranking.build import rank
from pipeline.ranking.nouns import Ranked, Ranking
from pipeline.ranking.page import html
from pipeline.ranking.tables import csv_bytes, json_text

__all__ = ["Ranked", "Ranking", "csv_bytes", "html", "json_text", "rank"]
