"""Surveys simulated nations of several sizes and tells what that took.

    python -m benchmarks.nation --cities 10,100,1741 [--pages N] [--delay S] [--side-by-side N] [--json FILE]

Each size has a server, a registry and a workspace of its own. CLASSIFY_DB and CLASSIFY_ARCHIVE are passed through.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import tempfile
from pathlib import Path

from benchmarks.nation import command, registry
from benchmarks.nation.command import Wanted
from benchmarks.nation.plan import Nation
from benchmarks.nation.server import serve
from benchmarks.nation.trial import Trial, trial

_ROWS = (
    ("cities", lambda one: f"{one.cities:,}"),
    ("pages read", lambda one: f"{one.outcome.pages:,}"),
    ("requests", lambda one: f"{one.requests:,}"),
    ("wall s", lambda one: f"{one.wall_s:,.1f}"),
    ("CPU s a city", lambda one: f"{one.cpu_s / one.cities:.2f}"),
    ("pages/s", lambda one: f"{one.outcome.pages / one.wall_s:.1f}"),
    ("peak RSS of the process, MiB", lambda one: f"{one.peak_rss_mib:.0f}"),
    ("peak PSS with all below, MiB", lambda one: f"{one.peak_tree_mib:.0f}"),
    ("growth of the process, MiB/100 cities", lambda one: _signed(one.growth_mib)),
    ("growth with all below, MiB/100 cities", lambda one: _signed(one.growth_tree_mib)),
    ("archived, MB", lambda one: f"{one.outcome.archived_bytes / 1e6:.1f}"),
    ("judgements", lambda one: f"{one.outcome.judgements:,}"),
    ("settled criteria judged met", lambda one: f"{one.outcome.found:,} of {one.outcome.settled:,}"),
    ("paces violated (host or address)", lambda one: f"{len(one.violations)}"),
    ("asked again although answered", lambda one: f"{one.refetched}"),
    ("server, CPU s", lambda one: f"{one.server_cpu_s:.1f}"),
    ("exit code", lambda one: f"{one.code}"),
)


def main() -> None:
    given = _options()
    trials = []
    for cities in map(int, given.cities.split(",")):
        with tempfile.TemporaryDirectory(prefix="nation-") as scratch:
            folder = given.keep / str(cities) if given.keep else Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            trials.append(_run(cities, given, folder))
        show(trials[-1:])
    if len(trials) > 1:
        show(trials)
    if given.json:
        found = [dataclasses.asdict(one) for one in trials]
        given.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")


def _options() -> argparse.Namespace:
    plan = Nation()
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cities", default="10", help="sizes, with commas between (default 10)")
    options.add_argument("--pages", type=int, default=50, help="page budget of a city (default 50: all it has)")
    options.add_argument("--delay", type=float, default=0.0, help="seconds between requests to a host (default 0)")
    options.add_argument("--side-by-side", type=int, help="cities at a time (default: the command's own)")
    options.add_argument("--one-by-one", action="store_true", help="a `classify --city` for each instead of a nation")
    options.add_argument("--seed", type=int, default=plan.seed)
    options.add_argument("--shared", type=float, default=plan.shared, help="share of hosts on a vendor's address")
    options.add_argument("--vendors", type=int, default=plan.vendors, help="shared addresses (default 12)")
    options.add_argument("--trouble", type=float, default=plan.trouble, help="share of servers that refuse (default 0)")
    options.add_argument("--site-pages", default=f"{plan.smallest}-{plan.largest}", help="smallest and largest site")
    options.add_argument("--json", type=Path, help="write all figures to this file")
    options.add_argument("--keep", type=Path, help="keep workspaces and logs in this folder")
    return options.parse_args()


def _run(cities: int, given: argparse.Namespace, folder: Path) -> Trial:
    smallest, largest = map(int, given.site_pages.split("-"))
    nation = Nation(given.seed, cities, given.shared, given.vendors, given.trouble, smallest, largest)
    wanted = Wanted(given.pages, given.delay, given.side_by_side)
    csv, codes = folder / "registry.csv", folder / "codes.txt"
    with serve(nation, folder / "requests.log") as serving:
        registry.write(nation, csv, serving.port)
        codes.write_text("\n".join(one.code for one in registry.rows(nation)))
        database = os.environ.get("CLASSIFY_DB", "")
        line = command.one_by_one(csv, codes, wanted) if given.one_by_one else command.nation(csv, wanted, database)
        return trial(line, serving, folder, wanted.delay_s, os.environ)


def show(trials: list[Trial]) -> None:
    """Prints a line a figure and a column a size, then how the cities stand."""
    for label, figure in _ROWS:
        print(f"{label:40}" + "".join(f"{figure(one):>16}" for one in trials))
    for state in sorted({state for one in trials for state in one.outcome.states}):
        print(f"  {state:38}" + "".join(f"{one.outcome.states.get(state, 0):>16,}" for one in trials))
    for one in trials:
        if one.code and not any(state.startswith("failed") for state in one.outcome.states):
            print(f"the command of {one.cities} cities ended with {one.code}: {one.last_words}")
    print(flush=True)


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


if __name__ == "__main__":
    main()
