"""The site's own pages: no request for anything but other pages, one small script, which may run and nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from pipeline.language import LANGUAGES
from pipeline.report.words import JAPAN, visible
from pipeline.site import words
from pipeline.site.nouns import Region, Standing, Volume

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Pages:
    """The pages in one language. base: address of the site with a slash at its end, or empty."""

    language: str
    base: str

    def all(
        self, shown: Sequence[Volume], placed: Mapping[str, Sequence[Standing]], places: Sequence[Region]
    ) -> Iterator[tuple[str, str]]:
        """(path, text) of every page."""
        yield self._page("index.html", "index.html", volumes=shown, regions=places)
        for volume in shown:
            yield self._page(
                "edition.html",
                f"e/{volume.name}.html",
                volume=volume,
                standings=placed[volume.name],
                files=_files(volume),
            )
        for town in (town for region in places for town in region.towns):
            yield self._page("town.html", f"m/{town.municipality.code}.html", town=town)
        if self.language == "ja":
            yield self._page("404.html", "404.html", home=self.base)

    def _page(self, template: str, path: str, **values: Any) -> tuple[str, str]:
        _ = words.say(self.language)
        own = path if self.language == "ja" else f"{self.language}/{path}"
        root = "../" * own.count("/")
        others = {one: root + (path if one == "ja" else f"{one}/{path}") for one in LANGUAGES if one != self.language}
        text = (
            _environment()
            .get_template(template)
            .render(
                _=_,
                language=self.language,
                root=root,
                local=root + ("" if self.language == "ja" else f"{self.language}/"),
                others=others if template != "404.html" else {},
                languages=LANGUAGES,
                download=lambda name: words.download(name, _),
                **values,
            )
        )
        return own, text + "\n"


def sitemap(base: str, shown: Sequence[Volume], folder: Path) -> str:
    """Every HTML page of the folder but the 404 page, with the day of the newest edition or erratum."""
    newest = max(at for one in shown for at in (one.edition.at, *(each.at for each in one.errata)))
    day = newest.astimezone(JAPAN).date().isoformat()
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    entries = "".join(
        f"<url><loc>{escape(base + quote(path))}</loc><lastmod>{day}</lastmod></url>\n"
        for path in paths
        if path != "404.html"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    )


def _files(volume: Volume) -> list[tuple[str, int | None, str]]:
    """(path, bytes, sha256) of what an edition offers beside the reports; edition.json cannot tell its own size."""
    listed = [
        (one.path, one.bytes, one.sha256)
        for one in volume.edition.files
        if not one.path.startswith(("reports/", "evidence/"))
    ]
    order = [start for start, _ in words.DOWNLOADS]
    rank = {path: next((at for at, start in enumerate(order) if path.startswith(start)), 99) for path, *_ in listed}
    return [*sorted(listed, key=lambda one: (rank[one[0]], one[0])), ("edition.json", None, volume.sha256)]


def _when(at: Any) -> str:
    return f"{at.astimezone(JAPAN):%Y-%m-%d}"


def _moment(at: Any) -> str:
    return f"{at.astimezone(JAPAN):%Y-%m-%d %H:%M}"


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
    style, script = ((TEMPLATES / name).read_text("utf-8") for name in ("site.css", "search.js"))
    made.globals.update(
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=(
            f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; base-uri 'none'; "
            "form-action 'none'"
        ),
    )
    made.filters.update(visible=visible, when=_when, moment=_moment)
    return made


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
