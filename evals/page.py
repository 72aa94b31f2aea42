"""A run as one HTML file: tables with counts, every error with both quotes, two charts; nothing loaded from
elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from evals import tables
from evals.confidence import ALPHA, TARGET_RISK
from evals.measured import Measured, cause
from pipeline.models import Verdict

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
# Size of a chart's plot in CSS pixels, and room for its labels.
PLOT = 320
LEFT, TOP, RIGHT, BOTTOM = 56, 16, 24, 48


@dataclass(frozen=True)
class Dot:
    """A place in the plot in pixels, with its size and what it says."""

    x: float
    y: float
    r: float
    title: str


@dataclass(frozen=True)
class Chart:
    """A square chart of shares. line: points of a polyline; band: a second, dashed one; ticks: (pixel, label)."""

    title: str
    x_title: str
    y_title: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    line: str = ""
    band: str = ""
    dots: tuple[Dot, ...] = ()
    rule: str = ""


def html(found: Measured) -> str:
    """The page. Everything in it is escaped."""
    return (
        _environment()
        .get_template("run.html")
        .render(
            found=found,
            tables=tables,
            cause=cause,
            charts=(risk_chart(found), calibration_chart(found)),
            verdicts=list(Verdict),
            size=(LEFT + PLOT + RIGHT, TOP + PLOT + BOTTOM),
            left=LEFT,
            top=TOP,
            plot=PLOT,
        )
    )


def risk_chart(found: Measured) -> Chart:
    """Risk over coverage, with the exact upper bound dashed and the risk that is aimed at as a rule."""
    highest = max([0.2, *(point.risk for point in found.points)])
    top = min(1.0, -(-highest // 0.1) * 0.1)
    places = [(point.coverage, point.risk / top, min(point.bound / top, 1.0)) for point in found.points]
    rule = _path([(0.0, TARGET_RISK / top), (1.0, TARGET_RISK / top)])
    return Chart(
        title="Risk and coverage",
        x_title="share of judgements accepted, most confident first",
        y_title=f"share of them wrong (dashed: exact upper bound, {1 - ALPHA:.0%})",
        x_ticks=_ticks(1.0),
        y_ticks=_ticks(top, upward=True),
        line=_path([(x, y) for x, y, _ in places]),
        band=_path([(x, bound) for x, _, bound in places]),
        rule=rule,
    )


def calibration_chart(found: Measured) -> Chart:
    """Accuracy over stated confidence; on the diagonal a judge says how often it is right."""
    dots = tuple(
        Dot(
            _x(one.confidence),
            _y(one.accuracy),
            3 + one.n**0.5 / 2,
            f"{one.n}: {one.confidence:.2f} → {one.accuracy:.2f}",
        )
        for one in found.bins
    )
    return Chart(
        title="Calibration",
        x_title="stated confidence, mean of each bin",
        y_title="share that is right",
        x_ticks=_ticks(1.0),
        y_ticks=_ticks(1.0, upward=True),
        dots=dots,
        rule=_path([(0.0, 0.0), (1.0, 1.0)]),
    )


def _ticks(top: float, *, upward: bool = False) -> tuple[tuple[float, str], ...]:
    shares = [step / 5 for step in range(6)]
    return tuple((_y(one) if upward else _x(one), f"{one * top:.0%}") for one in shares)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in places)


def _x(share: float) -> float:
    return LEFT + share * PLOT


def _y(share: float) -> float:
    return TOP + (1 - share) * PLOT


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
