"""Memory of a process that crawls many small cities: one after another, then many at once, on one shared pace.

    python benchmarks/side_by_side.py --cities 200 --at-once 50 --pages 20

The sites are generated and served on loopback by a process of its own, each under an address of its own (127.1.x.y).
Prints the resident memory (MiB, current, not peak) of the crawling process as it goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.archive import Archive  # noqa: E402
from pipeline.crawl import Pace, Plan, Web, crawl  # noqa: E402
from pipeline.criteria import load  # noqa: E402

WORDS = ["住民票", "予約", "申請", "子育て", "防災", "福祉", "税金", "ごみ", "図書館", "健康診断", "補助金", "相談"]
LINKS, PARAGRAPHS = 120, 60


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cities", type=int, default=200, help="crawls one after another (default 200)")
    options.add_argument("--at-once", type=int, default=50, help="crawls side by side, afterwards (default 50)")
    options.add_argument("--pages", type=int, default=20, help="page budget of each (default 20)")
    options.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        ThreadingHTTPServer(("0.0.0.0", chosen.serve), City).serve_forever()
    with tempfile.TemporaryDirectory() as folder, served() as port, Archive(Path(folder) / "archive") as archive:
        asyncio.run(measured(chosen, port, archive, Path(folder)))


class City(BaseHTTPRequestHandler):
    """Any path of any host is a page, its text made from both."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        lists = self.path in ("/robots.txt", "/sitemap.xml")
        body = b"" if lists else written(self.headers.get("Host", "") + self.path)
        self.send_response(404 if lists else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def written(seed: str) -> bytes:
    chance = random.Random(seed)
    links = "".join(
        f'<li><a href="/{chance.randrange(500)}.html">{"".join(chance.choices(WORDS, k=3))}</a></li>'
        for _ in range(LINKS)
    )
    text = "".join(f"<p>{''.join(chance.choices(WORDS, k=40))}。</p>" for _ in range(PARAGRAPHS))
    title = "".join(chance.choices(WORDS, k=3))
    return f"<!DOCTYPE html><html><title>{title}</title><h1>{title}</h1>{text}<ul>{links}</ul></html>".encode()


@contextmanager
def served() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


async def measured(chosen: argparse.Namespace, port: int, archive: Archive, folder: Path) -> None:
    pace, numbers = Pace(0.0), iter(range(chosen.cities + 2 * chosen.at_once))

    async def one() -> None:
        number = next(numbers)
        run_id, url = f"run-{number}", f"http://127.1.{number // 250}.{number % 250 + 1}:{port}/"
        await crawl(
            plan(url, chosen.pages), archive=archive, code="990101", run_id=run_id,
            frontier_path=folder / f"{run_id}.db", progress=lambda _: None, web=Web(pace),
        )  # fmt: skip
        archive.end(code="990101", run_id=run_id)

    def tell(what: str) -> None:
        gc.collect()
        print(f"{what:34}{resident_mib():8.0f} MiB   {len(pace)} places in the pace", flush=True)

    tell("before the first")
    for done in range(1, chosen.cities + 1):
        await one()
        if done in (1, 10, 25) or done % 50 == 0:
            tell(f"after {done} one after another")
    for round_ in (1, 2):
        crawls = [asyncio.create_task(one()) for _ in range(chosen.at_once)]
        most = 0.0
        while not all(task.done() for task in crawls):
            await asyncio.sleep(0.2)
            most = max(most, resident_mib())
        await asyncio.gather(*crawls)
        tell(f"after {chosen.at_once} side by side, round {round_}")
        print(f"{'  most while they ran':34}{most:8.0f} MiB")


def plan(url: str, pages: int) -> Plan:
    asked = load("dx-2024").criteria
    return Plan(
        url,
        terms=tuple((one.id, one.search_terms) for one in asked),
        leads=tuple((one.id, one.leads) for one in asked),
        year=2026,
        max_pages=pages,
        delay_s=0.0,
        allow_private=("*",),
    )


def resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
