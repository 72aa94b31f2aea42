"""Templates: everything from pages and people is escaped, and only http(s) addresses become links."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

from pipeline.language import LANGUAGES
from pipeline.report import words as report_words
from pipeline.report.links import link
from pipeline.report.speech import Speech
from pipeline.review.team import AKASHI
from pipeline.web import words

if TYPE_CHECKING:
    from jinja2.runtime import Context

    from pipeline.web.visit import Visit

TEMPLATES = Path(__file__).parent / "templates"


def fill(template: str, *, visit: Visit, **values: Any) -> str:
    """The template with `_` and the words of the reader's language."""
    return environment().get_template(template).render(visit=visit, _=visit.say, **values)


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.globals |= {
        "languages": LANGUAGES,
        "glyphs": words.GLYPHS,
        "city_glyphs": words.CITY_GLYPHS,
        "link": link,
        "AKASHI": AKASHI,
    }
    made.filters |= {
        "word": _word,
        "who": _who,
        "visible": report_words.visible,
        "moment": _moment,
        "day": _day,
        "failure": _failure,
        "lasting": _lasting,
        "percent": lambda share: f"{share:.0%}",
    }
    return made


@pass_context
def _word(context: Context, value: Enum) -> str:
    return words.spoken(value, context["_"])


@pass_context
def _who(context: Context, name: str) -> str:
    return words.by_whom(name, context["_"])


@pass_context
def _failure(context: Context, cause: str) -> str:
    return words.failure(cause, context["_"])


@pass_context
def _lasting(context: Context, seconds: float) -> str:
    return words.lasting(seconds, context["_"])


@pass_context
def _moment(context: Context, at: datetime) -> str:
    """A time in Japan, to the minute."""
    return Speech(context["language"]).moment(at).shown


@pass_context
def _day(context: Context, on: date) -> str:
    return Speech(context["language"]).day(on).shown
