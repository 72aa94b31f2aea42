"""The report as one HTML file: styles inside, no script, nothing loaded from anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.report.charts import points_chart, radar
from pipeline.report.nouns import Report
from pipeline.report.speech import Speech

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def html(report: Report) -> str:
    """A self-contained page. Everything of `report` is escaped; addresses are those links.py let pass."""
    say = Speech(report.language)
    drawn = {"chart": points_chart(report.tallies), "radar": radar(report, say), "means": means(report)}
    return _environment(report.language).get_template("report.html").render(report=report, **drawn)


def means(report: Report) -> dict[str, float]:
    """Mean points of the compared municipalities, by viewpoint."""
    return {one.viewpoint: one.points for one in report.comparison.means}


@cache
def _environment(language: str) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["_"] = Speech(language)
    return made
