"""What the terminal shows of a run: counts beside every share, and why where a figure is undefined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.compare import Comparison, Flip
from evals.intervals import Interval
from evals.measured import Measured, cause
from evals.metrics import Figures, Share
from evals.nouns import Case
from pipeline.agreement import Coefficient
from pipeline.models import Verdict
from pipeline.text import printable

COLUMNS = ("n", "met", "agree", "precision", "recall", "F1", "kappa", "point", "AC1", "alpha")
QUOTE_CHARS = 80


def share(one: Share) -> str:
    """0.93 (27/29), or a dash."""
    return "–" if one.value is None else f"{one.value:.2f} ({one.hit}/{one.of})"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def coefficient(one: Coefficient) -> str:
    return number(one.value)


def interval(one: Interval | None) -> str:
    """[0.71, 0.93], or nothing."""
    return "" if one is None or one.low is None or one.high is None else f"[{one.low:.2f}, {one.high:.2f}]"


def row(one: Figures) -> list[str]:
    """The cells of COLUMNS."""
    return [
        str(one.n),
        str(one.prevalence.hit),
        share(one.agreement),
        share(one.precision),
        share(one.recall),
        number(one.f1),
        coefficient(one.kappa),
        coefficient(one.point_kappa),
        coefficient(one.ac1),
        coefficient(one.alpha),
    ]


def narrow_row(one: Figures) -> list[str]:
    """The cells of COLUMNS for eighty columns: shares as counts."""
    counts = [f"{found.hit}/{found.of}" for found in (one.agreement, one.precision, one.recall)]
    cells = row(one)
    return [*cells[:2], *counts, *cells[5:]]


def intervals(one: Figures) -> list[str]:
    """The intervals of the pooled figures, one line each."""
    names = {"point_kappa": "kappa of the point", "ac1": "AC1", "f1": "F1"}
    return [
        f"{names.get(name, name)} {interval(found) or found.why} ({found.method})"
        for name, found in one.intervals.items()
    ]


def undefined(one: Figures) -> Iterator[str]:
    """Why figures of a row are undefined."""
    for name, found in (("precision", one.precision), ("recall", one.recall)):
        if found.value is None:
            yield f"{one.name}: {name} undefined, {found.why}"
    if one.f1 is None:
        yield f"{one.name}: F1 undefined, neither a label nor a verdict is met"
    for name, beyond in (("kappa", one.kappa), ("point", one.point_kappa), ("AC1", one.ac1), ("alpha", one.alpha)):
        if beyond.value is None:
            yield f"{one.name}: {name} undefined, {beyond.why}"


def show(found: Measured, *, every_criterion: bool = True) -> None:
    """All tables of a run."""
    console = Console()
    run = found.run
    console.print(
        f"{run.judge} · {len(run.sites)} sites, {len(run.cases)} labels · {run.id}", highlight=False, markup=False
    )
    console.print(_figures("Agreement with the labels", [*found.sites, *found.viewpoints, found.pooled]))
    console.print("point: kappa of met against everything else. 95 % intervals over cities:", highlight=False)
    for line in intervals(found.pooled):
        console.print(f"  {line}", highlight=False, markup=False)
    for line in undefined(found.pooled):
        console.print(line, highlight=False)
    console.print(confusion(found.pooled))
    if every_criterion:
        console.print(_figures("By criterion", found.criteria))
    console.print(_errors(found))
    for line in worth(found):
        console.print(line, highlight=False, markup=False)


def worth(found: Measured) -> list[str]:
    """What quotes and confidence are worth, a sentence each."""
    quotes, threshold = found.quotes, found.threshold
    lines = [
        f"Evidence where the verdict agrees: on a labelled page {share(quotes.gold_page)}, "
        f"with its words {share(quotes.overlap)}",
        f"Errors in the first 30 % of the queue: {share(found.errors_first)}",
        f"Calibration error {number(found.calibration_error)}, Brier score {number(found.brier)}",
    ]
    if threshold.point:
        at = threshold.point
        lines.append(
            f"Confidence {at.confidence:.2f} and above: {at.accepted} of {at.of} judgements, {at.errors} wrong, risk "
            f"under {at.bound:.1%} (exact, 95 %); chosen without each city, wrong there: {share(threshold.held_out)}"
        )
    else:
        lines.append(f"No threshold for accepting unread: {threshold.why}")
    lines.append(f"Samples alike: {share(found.consistency)}" + _because(found.consistency))
    test = found.alternative
    if test.winning_rate is None:
        lines.append(f"Alternative annotator test: undefined, {test.why}")
    else:
        lines.append(
            f"Alternative annotator test: winning rate {test.winning_rate:.2f}, advantage {number(test.advantage)}: "
            f"{'the judge may stand in' if test.passes else 'the judge may not stand in'} for a coder"
        )
    return lines


def _because(one: Share) -> str:
    return "" if one.of else f" ({one.why})"


def _figures(title: str, rows: Sequence[Figures]) -> Table:
    table = Table(title=title, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", overflow="fold")
    for one in rows:
        table.add_row(escape(one.name), *narrow_row(one), style="bold" if one.name == "pooled" else "")
    return table


def confusion(one: Figures) -> Table:
    """Rows are labels, columns what the judge says."""
    table = Table(title="Label \\ judge")
    table.add_column("")
    golds = [verdict.value for verdict in Verdict if any(gold == verdict.value for gold, _ in one.confusion)]
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right")
    for gold in golds:
        counts = [one.confusion[gold, verdict.value] for verdict in Verdict]
        cells = [
            f"[bold]{n}[/]" if verdict.value == gold else str(n) for verdict, n in zip(Verdict, counts, strict=True)
        ]
        table.add_row(gold, *cells)
    return table


def _errors(found: Measured) -> Table:
    table = Table(title=f"{len(found.errors)} errors: " + " · ".join(f"{why} {n}" for why, n in found.causes))
    table.add_column("where", no_wrap=True)
    table.add_column("conf.", justify="right", no_wrap=True)
    table.add_column("what, the judge's quote, the labelled quote", overflow="fold", ratio=1)
    for case in sorted(found.errors, key=lambda one: (cause(one), -one.confidence)):
        told = f"[bold]{cause(case)}[/]\njudge: {_quote(case)}\nlabel: {_gold(case)}"
        table.add_row(f"{escape(case.site)}\n{case.criterion}", f"{case.confidence:.2f}", told)
    return table


def _quote(case: Case) -> str:
    return _short(case.quotes[0].quote if case.quotes else case.rationale)


def _gold(case: Case) -> str:
    return _short(case.evidence[0].quote or case.evidence[0].path) if case.evidence else f"[dim]{_short(case.trap)}[/]"


def _short(text: str) -> str:
    line = " ".join(printable(text).split())
    return escape(line if len(line) <= QUOTE_CHARS else line[: QUOTE_CHARS - 1] + "…")


def show_comparison(found: Comparison) -> None:
    """Differences, then what flipped, losses first."""
    console = Console()
    table = Table(title=f"B − A · A: {escape(found.a.id)} · B: {escape(found.b.id)}")
    for name in ("", "A", "B", "B − A", "95 % over cities"):
        table.add_column(name, justify="right" if name else "left")
    for one in found.differences:
        signed = "–" if one.value is None else f"{one.value:+.3f}"
        table.add_row(one.name, number(one.a), number(one.b), signed, interval(one.interval) or one.interval.why)
    console.print(table)
    for title, counts in (("site", found.by_site), ("criterion", found.by_criterion)):
        console.print(_counts(title, counts))
    console.print(_flips(found.flips))


def _counts(title: str, counts: dict[str, tuple[int, int, int]]) -> Table:
    table = Table(title=f"Right verdicts by {title}")
    for name in (title, "A", "B", "of"):
        table.add_column(name, justify="left" if name == title else "right")
    for name, (a, b, n) in counts.items():
        if title == "site" or a != b:
            table.add_row(escape(name), str(a), str(b), str(n))
    return table


def _flips(flips: Sequence[Flip]) -> Table:
    table = Table(title=f"{len(flips)} verdicts flipped")
    for name in ("", "where", "label"):
        table.add_column(name, no_wrap=True)
    table.add_column("A and B", overflow="fold", ratio=1)
    for flip in flips:
        mark = {1: "[green]+[/]", -1: "[red]−[/]", 0: "="}[flip.gain]
        a, b = flip.a, flip.b
        said = f"A {a.said}: {_quote(a)}\nB {b.said}: {_quote(b)}"
        table.add_row(mark, f"{escape(a.site)}\n{a.criterion}", a.gold.value, said)
    return table
