"""An erratum as HTML and as Markdown, for readers: self-contained, everything of others escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.editions import words
from pipeline.editions.nouns import Edition, Issued
from pipeline.language import Say
from pipeline.models import CriteriaSet, Verdict
from pipeline.report.markdown import escape
from pipeline.report.speech import Speech
from pipeline.report.words import JAPAN, visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def erratum_html(issued: Issued, edition: Edition, criteria: CriteriaSet, *, language: str, report: str) -> str:
    """report: address of the report that it corrects, relative to the page."""
    return _rendered("erratum.html", issued, edition, criteria, language, report)


def erratum_markdown(issued: Issued, edition: Edition, criteria: CriteriaSet, *, language: str, report: str) -> str:
    return _rendered("erratum.md", issued, edition, criteria, language, report)


def moment(at: datetime) -> str:
    """A time as readers in Japan read it, to the minute."""
    return f"{at.astimezone(JAPAN):%Y-%m-%d %H:%M}"


def _rendered(
    template: str, issued: Issued, edition: Edition, criteria: CriteriaSet, language: str, report: str
) -> str:
    _ = words.say(language)
    return (
        _environment(markdown=template.endswith(".md"))
        .get_template(template)
        .render(
            _=_,
            language=language,
            erratum=issued.erratum,
            place=words.place(issued.erratum.municipality, language),
            title=visible(edition.title),
            published=moment(edition.at),
            issued=moment(issued.at),
            edition_sha256=issued.edition_sha256,
            report=report,
            rows=_rows(issued, criteria, language, _),
            counts=_counts(issued, language),
        )
    )


def _rows(issued: Issued, criteria: CriteriaSet, language: str, _: Say) -> list[dict[str, str]]:
    statements = {one.id: Speech(language).statement(one) for one in criteria.criteria}
    return [
        {
            "id": one.criterion,
            "statement": visible(statements.get(one.criterion, "")),
            "before": words.outcome(one.before, language),
            "after": words.outcome(one.after, language),
            "replaced": words.replaced(one, _),
            "decided": moment(one.decided_at),
            "note": visible(one.note),
        }
        for one in issued.erratum.corrections
    ]


def _counts(issued: Issued, language: str) -> Sequence[tuple[str, int, int]]:
    """(outcome, before, after) among the corrected criteria, for each outcome that occurs."""
    before = [one.before for one in issued.erratum.corrections]
    after = [one.after for one in issued.erratum.corrections]
    order = [*Verdict, None]
    return [
        (words.outcome(one, language), before.count(one), after.count(one)) for one in order if one in [*before, *after]
    ]


@cache
def _environment(*, markdown: bool) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # `finalize` is to Markdown what autoescape is to HTML: no expression is printed without it.
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=not markdown,  # noqa: S701
        finalize=escape if markdown else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
