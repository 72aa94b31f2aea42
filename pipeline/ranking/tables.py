"""A ranking for spreadsheets and programs, and for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.cells import neutral
from pipeline.ranking import words
from pipeline.ranking.nouns import Place, Ranked, Ranking
from pipeline.text import printable

if TYPE_CHECKING:
    from rich.table import Table

Cell = str | int | None


def json_text(ranking: Ranking) -> str:
    """The whole ranking; the same surveys and decisions give the same text."""
    return ranking.model_dump_json(indent=1) + "\n"


def csv_bytes(ranking: Ranking, language: str = "ja") -> bytes:
    """One place a line, those that are not ranked after the others, as Japanese spreadsheets read it: UTF-8 with BOM,
    CRLF. Texts that would be formulas begin with an apostrophe; days are ISO 8601; empty: there is none."""
    _ = words.say(language)
    columns, states = words.csv_columns(_), words.states(_)
    viewpoints = {one.id: words.named(one, language) for one in ranking.viewpoints}
    titles = [*columns.values(), *(_("得点：%(viewpoint)s") % {"viewpoint": name} for name in viewpoints.values())]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(neutral, titles))
    for state, place, one in _lines(ranking):
        cells = {"state": states[state], **_cells(place, language), **_ranks(one)}
        points = {part.viewpoint: part.points for part in place.parts}
        row = [*(cells.get(key) for key in columns), *(points.get(id_) for id_ in viewpoints)]
        writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _lines(ranking: Ranking) -> Iterator[tuple[str, Place, Ranked | None]]:
    yield from (("ranked", one.place, one) for one in ranking.ranked)
    yield from (("unconfirmed", place, None) for place in ranking.unconfirmed)
    yield from (("other_rules", place, None) for place in ranking.other_rules)


def _ranks(one: Ranked | None) -> dict[str, Cell]:
    if one is None:
        return {}
    return {
        "rank": one.rank,
        "ties": one.ties,
        "best": one.best,
        "worst": one.worst,
        "rank_in_class": one.rank_in_class,
    }


def _cells(place: Place, language: str) -> dict[str, Cell]:
    municipality = place.municipality
    return {
        "code": municipality.code,
        "prefecture": municipality.prefecture,
        "name": municipality.name,
        "class": words.named(place.population_class, language),
        "population": place.population,
        "points": place.points,
        "possible": place.possible,
        "awaiting": place.awaiting,
        "unseen": place.unseen,
        "most": place.most,
        "as_of": place.as_of.isoformat(),
        "version": place.version,
        "run": place.run_id,
    }


def terminal(ranking: Ranking) -> Table:
    """The ranked places, for a terminal; tied ranks are marked `=`."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(f"{ranking.title_ja} · {scope(ranking)}"))
    for name in ("rank", "can be", "municipality", "class", "points", "open", "unseen", "as of"):
        left = name in ("municipality", "class")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "municipality")
    for one in ranking.ranked:
        place = one.place
        named = f"{place.municipality.prefecture} {place.municipality.name}".strip()
        table.add_row(
            f"{one.rank}{'=' if one.ties > 1 else ''}",
            f"{one.best}" if one.best == one.worst else f"{one.best}-{one.worst}",
            escape(printable(named)),
            place.population_class.id,
            f"{place.points}/{place.possible}",
            str(place.awaiting),
            str(place.unseen),
            place.as_of.isoformat(),
        )
    return table


def scope(ranking: Ranking) -> str:
    """What was ranked, for a terminal."""
    kind = ranking.population_class.name_en if ranking.population_class else ""
    parts = [ranking.prefecture, kind, ranking.viewpoint and f"viewpoint {ranking.viewpoint}"]
    return printable(" · ".join(filter(None, parts)) or "all surveyed municipalities")


def apart(ranking: Ranking) -> Iterator[str]:
    """What is not ranked, and why, in one line each."""
    if ranking.unconfirmed:
        yield f"Not ranked, since no decision is confirmed: {_names(ranking.unconfirmed)}"
    if ranking.other_rules:
        yield f"Not ranked, since they were asked by another wording of the criteria: {_names(ranking.other_rules)}"


def _names(places: tuple[Place, ...], shown: int = 10) -> str:
    names = "、".join(printable(place.municipality.name) for place in places[:shown])
    more = len(places) - shown
    return f"{names} and {more} more" if more > 0 else names
