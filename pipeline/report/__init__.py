"""The report of one municipality: what people confirmed, with its proof, as self-contained HTML and as Markdown."""

from pipeline.report.build import build
from pipeline.report.html import html
from pipeline.report.markdown import markdown
from pipeline.report.nouns import Report

__all__ = ["Report", "build", "html", "markdown"]
