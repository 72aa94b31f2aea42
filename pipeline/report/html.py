"""The report as one HTML file: styles inside, no script, nothing loaded from anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.report.charts import points_chart
from pipeline.report.nouns import Report

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def html(report: Report) -> str:
    """A self-contained page in Japanese. Everything of `report` is escaped; addresses are those links.py let pass."""
    chart = points_chart(report.tallies)
    return _environment().get_template("report.html").render(report=report, chart=chart)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
