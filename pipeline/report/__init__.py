"""The report of one municipality: what people confirmed, with its proof, as HTML, Markdown and JSON."""

from pipeline.report.build import build
from pipeline.report.html import html
from pipeline.report.markdown import markdown
from pipeline.report.nouns import Report
from pipeline.report.peers import Peer

__all__ = ["Peer", "Report", "build", "html", "json", "markdown"]


def json(report: Report) -> str:
    """The whole report for machines, as its nouns name the parts."""
    return report.model_dump_json(indent=1) + "\n"
