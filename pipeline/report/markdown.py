"""The report as Markdown (GitHub's dialect), in the same order as the HTML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pipeline.report.html import TEMPLATES, means
from pipeline.report.nouns import Link, Report
from pipeline.report.speech import Speech

if TYPE_CHECKING:
    from jinja2 import Environment

# Characters that begin or end something in Markdown or HTML, written as references that no parser reads as markup.
_MARKUP = re.compile(r"[&<>|\\`\[\]*_~#!$^{}]")
# GitHub links bare addresses and mail addresses in text.
_BARE = re.compile(r":(?=/)|(?<=[wW])\.")
# At the start of a line these make a list, a rule or a numbered list.
_START = re.compile(r"^(?:[-+=]|\d+[.)](?=\s|$))")
_BREAKS = re.compile(r"\s*[\n\r\v\f\x85\u2028\u2029]\s*")


class Markup(str):
    """A string that is Markdown already and is printed as it stands."""

    __slots__ = ()


def markdown(report: Report) -> str:
    """GitHub-flavoured Markdown, without HTML. Everything of `report` is escaped on its way out."""
    return _environment(report.language).get_template("report.md").render(report=report, means=means(report))


def escape(value: object) -> str:
    """One line of text that Markdown shows as it is: no link, image, heading, list, code, table cell or HTML in it."""
    return value if isinstance(value, Markup) else _inline(str(value))


def _inline(text: str) -> str:
    text = _BREAKS.sub(" ", text).replace("\t", " ").strip()
    text = _BARE.sub(_reference, _MARKUP.sub(_reference, text))
    text = _START.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", text)
    # A reference is undone before mail addresses are looked for; a code span is not.
    return text.replace("@", "`@`")


class _Spoken:
    """The report's own words, which keep the spaces around them."""

    def __init__(self, language: str) -> None:
        self._say = Speech(language)

    def __call__(self, text: str, /, **values: object) -> Markup:
        said = self._say(text, **values)
        before, after = said[: len(said) - len(said.lstrip(" "))], said[len(said.rstrip(" ")) :]
        return Markup(before + escape(said) + after)


def anchor(link: Link, text: str) -> Markup:
    """`[text](address)`, or the text alone where the address may not be linked."""
    address = link.target
    if not address:
        return Markup(escape(text))
    return Markup(f"[{escape(text)}]({address.replace('&', '&amp;')})")


def address(link: Link) -> Markup:
    """The address as text, linked to itself where it may be."""
    return anchor(link, link.shown)


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found.group())};"


@cache
def _environment(language: str) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # `finalize` is to Markdown what autoescape is to HTML: no expression is printed without it.
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(anchor=anchor, address=address, _=_Spoken(language))
    return made
