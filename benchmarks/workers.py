"""How much faster several machines survey a simulated nation than one, each a `classify worker` over one PostgreSQL.

    python -m benchmarks.workers [--workers 1,2] [--cities 60] [--delay 1] [--crawls 6]

Machines are processes of this one with workspaces of their own. Where sites are asked at a polite pace, waiting is what
takes the time, and more machines ask more sites at a time; where processors are the limit, these here share theirs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from databases import running_cluster
from machines import scene, verdicts

from benchmarks.nation import Nation, checks


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--workers", default="1,2", help="numbers of workers, with commas between")
    options.add_argument("--cities", type=int, default=60)
    options.add_argument("--delay", type=float, default=1.0, help="seconds between requests to a host")
    options.add_argument("--crawls", type=int, default=6, help="cities that a worker crawls at a time")
    given = options.parse_args()
    nation = Nation(cities=given.cities, smallest=8, largest=24)
    first = 0.0
    with running_cluster() as cluster:
        for count in map(int, given.workers.split(",")):
            with tempfile.TemporaryDirectory(prefix="workers-") as folder, cluster.database() as url:
                with scene(Path(folder), url, nation, delay_s=given.delay, crawls=given.crawls) as made:
                    made.nation()
                    begun = time.monotonic()
                    made.start(count)
                    made.finish(deadline_s=3600)
                    took = time.monotonic() - begun
                    requests = made.requests()
                    found = hashlib.sha256(repr(sorted(verdicts(url).items())).encode()).hexdigest()[:12]
                    done = sum(one.state == "done" for one in made.cities())
                first = first or took
                print(
                    f"{count} workers: {took:.1f} s, {first / took:.2f} times as fast; {done} of {given.cities} done, "
                    f"{len(requests)} requests, paces violated {len(checks.violations(requests, given.delay))}, "
                    f"asked again {sum(checks.refetches(requests).values())}, judgements {found}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
