"""Exporting a nation: 1,742 municipalities with 31 criteria each, all judged and half of them decided.

    python -m benchmarks.export [--cities 1742] [--db]

Prints seconds, MiB of the file and peak MiB of the process for each format, each written in a process of its own, for a
tenth of the municipalities and for all: the peak may grow with the links of a sheet, of which Excel opens 65,530, and
with nothing else. --db: read from an SQLite database as `classify export` does, instead of made one after the other.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.review_queue import CRITERIA, code_of, judgement
from pipeline.criteria import load
from pipeline.exports import write_csv, write_workbook
from pipeline.models import Coverage, CriteriaSet, Judgement, Municipality, QueueItem, Run, RunState
from pipeline.results import Result, newest
from pipeline.review.queue import approve
from pipeline.score import score
from pipeline.store.log import digest
from pipeline.store.store import Store
from pipeline.workspace import Workspace

NOW = datetime(2024, 5, 1, tzinfo=UTC)
FORMATS = ("xlsx", "csv", "csv cp932")
TENTH = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cities", type=int, default=1742)
    parser.add_argument("--db", action="store_true")
    given = parser.parse_args()
    for cities in (given.cities // TENTH, given.cities):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            if given.db:
                apart(fill, home, cities)
            for form in FORMATS:
                apart(measure, home, cities, form, given.db)


def apart(call: object, *arguments: object) -> None:
    """Calls it in a fresh process, so that its peak is its own."""
    process = multiprocessing.get_context("spawn").Process(target=call, args=arguments)  # type: ignore[arg-type]
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def measure(home: Path, cities: int, form: str, stored: bool) -> None:
    suffix, _, encoding = form.partition(" ")
    out, began = home / f"out.{suffix}", time.perf_counter()
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        results = newest(store, Workspace(home), "dx-2024") if stored else made(cities)
        if suffix == "xlsx":
            write_workbook(results, out, language="ja")
        else:
            write_csv(results, out, language="ja", encoding=encoding or "utf-8")
    took, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = out.stat().st_size / 2**20
    print(f"{cities:5} municipalities  {form:<9}  {took:6.1f} s  {size:6.1f} MiB  peak {peak:6.0f} MiB", flush=True)


def made(cities: int) -> Iterator[Result]:
    asked, chance = load("dx-2024"), random.Random(7)
    for number in range(cities):
        run = run_of(number, asked)
        judged = [judged_by(asked, criterion, number, chance) for criterion in CRITERIA]
        items = [item_of(run, at, one) for at, one in enumerate(judged, start=1)]
        yield Result(run, asked, tuple(items), score(run, items, asked))


def run_of(number: int, asked: CriteriaSet) -> Run:
    return Run(
        id=f"20240501T{number:06}",
        municipality=Municipality(code=code_of(number), name=f"第{number}市", prefecture="架空県"),
        criteria_id=asked.id,
        criteria_sha256=asked.sha256,
        as_of=date(2024, 5, 1),
        judge="rules",
        state=RunState.DONE,
        started=NOW,
        finished=NOW,
        coverage=Coverage(home_read=True, found=4_000, fetched=400, read=390, started=NOW, finished=NOW, max_pages=400),
    )


def judged_by(asked: CriteriaSet, criterion: str, number: int, chance: random.Random) -> Judgement:
    return judgement(criterion, number, chance).model_copy(update={"criteria_sha256": asked.sha256})


def item_of(run: Run, at: int, judged: Judgement) -> QueueItem:
    """Every other item is decided."""
    code = run.municipality.code
    item = QueueItem(
        number=at, run_id=run.id, municipality=run.municipality, judgement=judged, digest=digest(code, judged)
    )
    return item.model_copy(update={"decisions": (approve(item, reviewer="佐藤", now=NOW),)}) if at % 2 else item


def fill(home: Path, cities: int) -> None:
    """The same surveys in a database."""
    asked = load("dx-2024")
    Workspace(home).keep(asked)
    with Store(f"sqlite:///{home / 'akashi.db'}") as store:
        for one in made(cities):
            store.save_run(one.run)
            store.save_judgements(one.run, [item.judgement for item in one.items])
            for item in one.items:
                for line in item.decisions:
                    store.record(line)


if __name__ == "__main__":
    main()
