"""What the terminal shows of a crosscheck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.crosscheck.nouns import Crosscheck, Figure, NoKappa, Relation, Row, Why
from pipeline.store.hints import Told
from pipeline.text import printable

MOST_ROWS = 60
_MOST_PROBLEMS = 10
_CAUTION = (
    "The survey is what municipalities say of themselves and may be true though no page says so; ours is what their "
    "pages prove. It changes no verdict and no score."
)
_RELATIONS = {
    Relation.AGREE: "[green]agree[/]",
    Relation.FOUND_NOTHING: "[yellow]survey yes, we found nothing[/]",
    Relation.PAGE_SAYS_NO: "[red]survey yes, a page says no[/]",
    Relation.WE_SAY_MET: "[red]survey no, a page proves it[/]",
    Relation.SILENT: "[dim]survey silent[/]",
    Relation.NOT_COMPARABLE: "[dim]not comparable[/]",
}
_WHYS = {
    Why.NOTHING: "",
    Why.RELATED: ": only related",
    Why.NARROWER: ": its no says nothing",
    Why.BROADER: ": its yes says nothing",
    Why.UNJUDGED: ": not judged here",
}
_NO_KAPPAS = {
    NoKappa.NOTHING: "",
    NoKappa.ONE_WAY: "one answer only",
    NoKappa.FEW: "too few pairs",
    NoKappa.ALL_ALIKE: "all alike",
}


def show(found: Crosscheck, told: Told | None, console: Console | None = None) -> None:
    """Rows (only those that disagree where there are many), figures, and what could not be compared. told: what became
    of the queue, where it was to follow."""
    console = console or Console()
    console.print(_rows(found))
    console.print(_figures(found.figures))
    for line in (*_notes(found), _CAUTION, *_queued(found, told)):
        console.print(_safe(line))


def _rows(found: Crosscheck) -> Table:
    wanted = found.rows if len(found.rows) <= MOST_ROWS else found.disagreements
    title = f"{_safe(found.mapping.title_en)}: {len(found.rows)} rows, {len(found.disagreements)} disagree"
    if len(wanted) < len(found.rows):
        title += f"; {min(len(wanted), MOST_ROWS)} that disagree are shown, all are in --out"
    table = Table(title=title)
    for name in ("#", "city", "criterion", "survey item", "survey says", "our verdict", "relation"):
        table.add_column(name, overflow="fold")
    for row in wanted[:MOST_ROWS]:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    state = "confirmed" if row.confirmed else "proposed"
    said = f"{_safe(row.said) or '-'} ({row.answer})"
    ours = f"{row.verdict} [dim]({state})[/]"
    relation = _RELATIONS[row.relation] + f"[dim]{_WHYS[row.why]}[/]"
    return str(row.number), _safe(row.municipality.name), row.criterion, row.item, said, ours, relation


def _figures(figures: Sequence[Figure]) -> Table:
    table = Table(title="Agreement over comparable pairs")
    for name in ("our verdicts", "survey item", "pairs", "agree", "%", "Cohen's kappa"):
        table.add_column(name, justify="left" if name in ("our verdicts", "survey item") else "right")
    for one in figures:
        state = "confirmed" if one.confirmed else "proposed"
        share = f"{one.agreed / one.pairs:.0%}"
        table.add_row(state, one.item or "all", str(one.pairs), str(one.agreed), share, _kappa(one))
    return table


def _kappa(one: Figure) -> str:
    if one.kappa is None:
        return f"[dim]{_NO_KAPPAS[one.why]}[/]"
    return f"{one.kappa:.2f} (n = {one.kappa_pairs})"


def _notes(found: Crosscheck) -> Iterator[str]:
    if found.absent:
        yield f"Surveyed here and not in the files: {', '.join(place.name for place in found.absent[:MOST_ROWS])}"
    if found.others:
        yield f"In the files and not surveyed here: {found.others:,} municipalities"
    if found.lacking:
        yield f"Items whose columns the files do not have: {', '.join(found.lacking)}"
    if found.unknown:
        yield f"Columns that the mapping {found.mapping.id} does not know: {'; '.join(found.unknown)}"
    yield from (f"Problem: {problem}" for problem in found.problems[:_MOST_PROBLEMS])
    if len(found.problems) > _MOST_PROBLEMS:
        yield f"... and {len(found.problems) - _MOST_PROBLEMS} more problems, all in --out FILE.json"


def _queued(found: Crosscheck, told: Told | None) -> Iterator[str]:
    decided = sum(row.confirmed is not None for row in found.disagreements)
    still = f"{decided} that disagree are decided already and stay so." if decided else ""
    if told is not None:
        yield f"Queue: {told.raised} items newly put first, {told.withdrawn} no longer. {still}".strip()
    elif found.disagreements:
        yield f"--queue puts open items that disagree first in the queue. {still}".strip()
    yield "Who codes blind must not read this before coding."


def _safe(text: str) -> str:
    """Text of files: neither markup nor control characters reach the terminal."""
    return escape(printable(text))
