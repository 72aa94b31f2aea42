"""Editions: reports frozen as they were published, checked against what they were made from, corrected by errata."""

from pipeline.editions.errata import Change, changes, issue
from pipeline.editions.nouns import Edition, Issued, Surveyed
from pipeline.editions.pages import erratum_html
from pipeline.editions.publishing import Wish, publish
from pipeline.editions.shelf import Shelf
from pipeline.editions.surveys import Sources
from pipeline.editions.verifying import Finding, verify

__all__ = [
    "Change",
    "Edition",
    "Finding",
    "Issued",
    "Shelf",
    "Sources",
    "Surveyed",
    "Wish",
    "changes",
    "erratum_html",
    "issue",
    "publish",
    "verify",
]
