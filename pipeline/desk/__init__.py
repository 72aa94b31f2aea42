"""The desk: what lies before a person, and what they may do with it; the same for the web page and the terminal."""

from pipeline.desk.desk import Answer, Desk

__all__ = ["Answer", "Desk"]
