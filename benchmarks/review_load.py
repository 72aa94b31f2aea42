"""People who decide as fast as the server lets them: how many decisions a second, and what a kill -9 costs.

    python benchmarks/review_load.py [--people 10] [--decisions 10000] [--cities 1742] [--kills 3] [--postgresql]

A real server process on one database: SQLite in a temporary folder, or the empty one at the URL --db, or with
--postgresql a private cluster (which does not wait for its disk). Two of ten people are adjudicators; a fifth of the
items is coded twice; people put items off, take steps back, and press a button again where the server was killed before
it answered. Clients and server share this machine, and nobody pauses to think. Prints decisions a second, p50 and p95
in milliseconds by request, and what was lost, doubled or served to two at once.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests")]

from databases import running_cluster  # noqa: E402
from test_review_load import Reviewer, decided, hired, load_server, plant, reckoned, replayed  # noqa: E402

from pipeline.models import Role  # noqa: E402
from pipeline.store.store import Store  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--decisions", type=int, default=10_000)
    parser.add_argument("--cities", type=int, default=1742)
    parser.add_argument("--kills", type=int, default=3)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--db", default="")
    where.add_argument("--postgresql", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(given.db, given.postgresql, Path(folder)) as url:
        measure(url, Path(folder), given.people, given.decisions, given.cities, given.kills)


@contextmanager
def database(url: str, postgresql: bool, folder: Path) -> Iterator[str]:
    """The URL of the database to measure on, which is empty."""
    if not postgresql:
        yield url or f"sqlite:///{folder / 'akashi.db'}"
        return
    with running_cluster() as cluster, cluster.database() as own:
        yield own


def measure(url: str, folder: Path, people: int, decisions: int, cities: int, kills: int) -> None:
    plant(url, folder / "home", cities)
    adjudicators = max(1, people // 5)
    crew = hired({f"P{n}": Role.ADJUDICATOR if n < adjudicators else Role.REVIEWER for n in range(people)}, url)
    killed_at = [decisions * (n + 1) // (kills + 1) for n in range(kills)]
    start = time.perf_counter()
    there = load_server(crew, folder / "home", url, killed_at=killed_at, enough=lambda: decided(crew) >= decisions)
    took = time.perf_counter() - start
    print(f"{url.partition(':')[0]}: {people} people, {decided(crew)} decisions kept in {took:.0f} s, {kills} kills")
    print(
        f"{decided(crew) / there:.1f} decisions a second while there was a server, {decided(crew) / took:.1f} overall"
    )
    show_times(crew)
    show_losses(crew, url, folder)


def show_times(crew: list[Reviewer]) -> None:
    times: dict[str, list[float]] = defaultdict(list)
    for one in crew:
        for what, took in one.took_ms.items():
            times[what] += took
    for what, took in times.items():
        p95 = statistics.quantiles(took, n=20, method="inclusive")[-1]
        print(f"{what:<12} p50 {statistics.median(took):8.1f} ms   p95 {p95:8.1f} ms   n {len(took)}")


def show_losses(crew: list[Reviewer], url: str, folder: Path) -> None:
    with Store(url) as store:
        touched = sorted({one.of for _, one in store.log()})
        items = [item for of in touched if (item := store.of_digest(of))]
    found = reckoned(crew, items)
    print(f"lines in the log {sum(len(item.decisions) for item in items)}, of {len(items)} items")
    print(f"lost {len(found.lost)}, doubled {len(found.doubled)}, served to two at once {len(found.met)}")
    print(f"kept, and their person was not told (in flight at a kill): {found.unacknowledged}")
    presses = Counter(press.taken.value for one in crew for press in one.presses)
    print("presses: " + ", ".join(f"{count} ({how})" for how, count in presses.items()))
    total, otherwise = replayed(url, f"sqlite:///{folder / 'replayed.db'}")
    print(f"the log replayed on a copy of the judgements: {otherwise} of {total} items stand or score otherwise")


if __name__ == "__main__":
    main()
