"""What a second survey of an unchanged site costs beside the first: answers with a body, archive, and seconds.

    python -m benchmarks.recrawl [FOLDER ...]

Each folder is served on loopback with entity tags; without one, the bundled city.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from pipeline import demo
from pipeline.criteria import load
from pipeline.models import Record
from pipeline.panel import Wish, panel
from pipeline.run import Order, survey
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.workspace import open_archive


def main() -> None:
    for folder in map(Path, sys.argv[1:] or [str(demo.SITE)]):
        with tempfile.TemporaryDirectory() as home, demo.serve(folder) as url:
            print(folder.parent.name if folder.name == "site" else folder.name)
            settings = Settings(home=Path(home), cache=Path(home) / "cache", db="")
            place = demo.MUNICIPALITY.model_copy(update={"home_url": url})
            order = Order(place, load("dx-2024"), demo.AS_OF, delay_s=0.0, allow_private=True)
            for name in ("first", "second"):
                took = timed(order, settings)
                print(f"  {name}: " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in took.items()))
            costs(settings, place.code)


def timed(order: Order, settings: Settings) -> dict[str, float]:
    """Seconds until the last word of each stage."""
    began = time.perf_counter()
    last: dict[str, float] = {}

    def watch(stage: str, done: int, total: int, note: str) -> None:
        last[stage] = time.perf_counter() - began

    survey(order, settings=settings, panel=panel(Wish(judges="rules"), settings), watch=watch)
    ends = list(last.items())
    starts = [0.0, *(end for _, end in ends)]
    return {stage: end - start for (stage, end), start in zip(ends, starts, strict=False)}


def costs(settings: Settings, code: str) -> None:
    with Store(settings.database_url) as store, open_archive(settings) as archive:
        for run in store.runs(code):
            kinds = Counter(one.record for one in archive.snapshots(run.id))
            size = (archive.folder / code / f"{run.id}.warc.gz").stat().st_size
            print(
                f"  {kinds[Record.RESPONSE]} answers with a body, {kinds[Record.REVISIT]} revisits, {size / 1e3:.0f} KB"
            )


if __name__ == "__main__":
    main()
