"""How often an interval of kappa over cities holds the true kappa: a seeded simulation.

    python benchmarks/interval_coverage.py [--repeats 1000] [--markdown FILE]

Cities differ: each draws its rate of met from a Beta distribution and its judge's accuracy from another, and judges 29
criteria. The truth is the pooled kappa of 200,000 such cities. Three intervals at 95 % are compared: the jackknife-t
and the percentile bootstrap over cities, and a bootstrap over single criteria that ignores the cities.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from evals.intervals import LEVEL, Interval, jackknife_t

CRITERIA = 29
SIZES = (5, 10, 20, 40)
RESAMPLES = 500
SEED = 20261126
# Of verdicts in three categories: shares of met, not_met, no_evidence in a city, and of right answers (beta: a, b).
SHARES = (5.0, 2.0, 3.0)
ACCURACY = (14.0, 4.0)
CITIES_OF_THE_TRUTH = 200_000

Table = np.ndarray  # counts, label by judged, 3 x 3


def city(draw: np.random.Generator) -> Table:
    """One city's confusion matrix."""
    labels = draw.multinomial(CRITERIA, draw.dirichlet(SHARES))
    right = draw.beta(*ACCURACY)
    wrong = (1 - right) / 2
    rows = [
        draw.multinomial(count, [right if column == row else wrong for column in range(3)])
        for row, count in enumerate(labels)
    ]
    return np.array(rows)


def kappa(tables: Sequence[Table]) -> float | None:
    """Cohen's kappa of the pooled matrix; None where it is undefined."""
    pooled = np.sum(tables, axis=0)
    n = pooled.sum()
    expected = float(pooled.sum(axis=0) @ pooled.sum(axis=1)) / n**2
    return None if expected == 1 else (float(np.trace(pooled)) / n - expected) / (1 - expected)


def truth(draw: np.random.Generator) -> float:
    """The kappa of very many cities."""
    found = kappa([np.sum([city(draw) for _ in range(1000)], axis=0) for _ in range(CITIES_OF_THE_TRUTH // 1000)])
    assert found is not None
    return found


def bootstrap(units: Sequence[Table], rng: random.Random) -> Interval:
    """Percentile bootstrap over units."""
    stack = np.array(units)
    drawn = np.array([rng.choices(range(len(stack)), k=len(stack)) for _ in range(RESAMPLES)])
    found = sorted(one for one in (kappa([pooled]) for pooled in stack[drawn].sum(axis=1)) if one is not None)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval("bootstrap", float(low), float(high))


def single(tables: Sequence[Table]) -> list[Table]:
    """The same judgements as if each were a city of its own."""
    units = []
    for row, column in np.ndindex(3, 3):
        one = np.zeros((3, 3), dtype=int)
        one[row, column] = 1
        units += [one] * int(sum(table[row, column] for table in tables))
    return units


def coverage(size: int, repeats: int, true: float) -> dict[str, tuple[float, float]]:
    """Of each interval: the share of samples of `size` cities whose interval holds the truth, and its mean width."""
    draw, rng = np.random.default_rng(SEED + size), random.Random(SEED + size)
    makers: dict[str, Callable[[list[Table]], Interval]] = {
        "jackknife-t": lambda cities: jackknife_t(cities, kappa),
        "bootstrap over cities": lambda cities: bootstrap(cities, rng),
        "bootstrap over criteria": lambda cities: bootstrap(single(cities), rng),
    }
    found: dict[str, list[tuple[bool, float]]] = {name: [] for name in makers}
    for _ in range(repeats):
        cities = [city(draw) for _ in range(size)]
        for name, make in makers.items():
            one = make(cities)
            if one.low is not None and one.high is not None:
                found[name].append((one.low <= true <= one.high, one.high - one.low))
    return {
        name: (sum(held for held, _ in ones) / len(ones), sum(width for _, width in ones) / len(ones))
        for name, ones in found.items()
    }


def table(repeats: int) -> str:
    """The table in Markdown."""
    true = truth(np.random.default_rng(SEED))
    rows = {size: coverage(size, repeats, true) for size in SIZES}
    names = list(next(iter(rows.values())))
    lines = [f"| cities | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for size, found in rows.items():
        cells = " | ".join(f"{found[name][0]:.1%} ({found[name][1]:.2f})" for name in names)
        lines.append(f"| {size} | {cells} |")
    return (
        f"true kappa {true:.3f}, {repeats} samples each; share of intervals that hold it (mean width)\n\n"
        + "\n".join(lines)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--markdown", type=Path, help="file to write the table to")
    options = parser.parse_args()
    told = table(options.repeats)
    if options.markdown:
        options.markdown.write_text(told + "\n", encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
