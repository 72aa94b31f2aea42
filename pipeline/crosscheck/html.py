"""The crosscheck as one HTML file in the style of the reports: no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.crosscheck import words
from pipeline.crosscheck.nouns import Crosscheck, Relation
from pipeline.report.html import TEMPLATES as OF_REPORTS
from pipeline.report.links import link
from pipeline.report.words import OUTCOMES, visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def html(found: Crosscheck, language: str) -> str:
    """A self-contained page. Everything of files, pages and people is escaped."""
    say = words.say(language)
    places = [(place, list(rows)) for place, rows in groupby(found.rows, key=lambda row: row.municipality)]
    return (
        _environment()
        .get_template("crosscheck.html")
        .render(
            found=found,
            places=places,
            counts=Counter((row.relation, row.confirmed is not None) for row in found.rows),
            relations=list(Relation),
            source=link(found.mapping.url),
            ja=language == "ja",
            language=language,
            _=say,
            words=words,
            glyphs={verdict: outcome.glyph for verdict, outcome in OUTCOMES.items()},
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([TEMPLATES, OF_REPORTS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"visible": visible, "tail": lambda column: column.rpartition(" / ")[2]}
    return made
