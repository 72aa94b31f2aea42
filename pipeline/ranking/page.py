"""The ranking as one HTML file: style and script inside, each allowed by its hash, and nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pipeline.errors import InputError
from pipeline.ranking import drawing, words
from pipeline.ranking.nouns import Ranking
from pipeline.report.words import visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
_LINK_SAFE = "/%?#=&:;@+$,!~-._"


def html(ranking: Ranking, language: str = "ja", links: Mapping[str, str] = MappingProxyType({})) -> str:
    """A self-contained page. links: code to the relative address of a place's report; places without one have none.

    Raises InputError for a link that is not relative, and for a language that is not spoken.
    """
    _ = words.say(language)
    style, script = _read("ranking.css"), _read("ranking.js")
    return (
        _environment()
        .get_template("ranking.html")
        .render(
            ranking=ranking,
            map=drawing.prefecture_map(ranking.prefectures, ranking.possible),
            links={code: _relative(link) for code, link in links.items()},
            style=style,
            script=script,
            policy=policy(style, script),
            language=language,
            set_title=ranking.title_ja if language == "ja" else ranking.title_en,
            class_order={group.id: at for at, group in enumerate(ranking.classes)},
            _=_,
            named=lambda one: words.named(one, language),
            short=lambda one: words.short(one, language),
            dated=lambda value: words.dated(value, language),
            tile_name=lambda name: words.tile_name(name, language),
        )
    )


def policy(style: str, script: str) -> str:
    """The content security policy: nothing but this style and this script."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _relative(link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith(("/", "\\")) or not link.isprintable():
        raise InputError(f"the link {link[:80]!r} to a report is not relative to the ranking")
    return quote(link, safe=_LINK_SAFE)


@cache
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["visible"] = visible
    made.filters["own"] = Markup  # style and script: files of this folder, no text of others
    made.filters["mean"] = lambda value: "–" if value is None else f"{value:.1f}"
    made.globals |= {"bar": drawing.bar, "group_bar": drawing.group_bar, "sought": words.sought}
    made.globals |= {"small_width": drawing.SMALL_WIDTH, "bar_height": drawing.BAR_HEIGHT}
    return made
