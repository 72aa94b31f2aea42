"""Archiving: writes per second and KB a page, beside bare warcio; reading back by sha256; opening after a crash.

    python -m benchmarks.archive [--pages 1000] [--html FOLDER]
    python -m benchmarks.archive --storage FOLDER|s3://BUCKET/PREFIX [--database postgresql+psycopg://...] [--threads 8]

Without a folder of HTML files synthetic Japanese pages of about 55 KB are used. With --storage an archive that several
machines share is measured, in the storage and the (empty) database given; what is written there stays.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.archive import Archive, Place
from pipeline.archive.bucket import bucket

HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("Server", "nginx"), ("Last-Modified", "Fri, 20 Nov 2026"))
WORDS = re.findall("..", "市民窓口手続予約施設子育防災保険申請案内開庁時間担当電話資料計画会議記録")


def synthetic(count: int) -> list[bytes]:
    source = random.Random(1)
    return [_page(source) for _ in range(count)]


def _page(source: random.Random) -> bytes:
    items = (
        f'<li class="item"><a href="/soshiki/{source.randrange(99)}/{source.randrange(9999)}.html">'
        f"{''.join(source.choices(WORDS, k=8))}</a></li>\n"
        for _ in range(409)
    )
    return ("<!DOCTYPE html><html lang=ja><title>例示市</title><ul>" + "".join(items) + "</ul>").encode()


def write(archive: Archive, number: int, body: bytes, run_id: str = "run") -> None:
    url = f"https://www.city.example.jp/{number}.html"
    archive.write(
        code="141500",
        run_id=run_id,
        url=url,
        final_url=url,
        fetched_at=datetime.now(UTC),
        status=200,
        headers=HEADERS,
        body=body,
    )


def with_archive(folder: Path, pages: Sequence[bytes]) -> Path:
    with Archive(folder) as archive:
        for number, body in enumerate(pages):
            write(archive, number, body)
    return folder / "141500" / "run.warc.gz"


def with_warcio(folder: Path, pages: Sequence[bytes]) -> Path:
    path = folder / "bare.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        for number, body in enumerate(pages):
            http = StatusAndHeaders("200 OK", list(HEADERS), protocol="HTTP/1.1")
            url = f"https://www.city.example.jp/{number}.html"
            record = writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), length=len(body), http_headers=http
            )
            writer.write_record(record)
    return path


def measure(write: Callable[[Path, Sequence[bytes]], Path], pages: Sequence[bytes], rounds: int) -> tuple[float, float]:
    """Median writes per second over the rounds, and KB a page."""
    rates, size = [], 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            size = write(Path(folder), pages).stat().st_size
            rates.append(len(pages) / (time.perf_counter() - began))
    return statistics.median(rates), size / len(pages) / 1_000


def reading(pages: Sequence[bytes]) -> tuple[float, float, float]:
    """Bodies read and verified per second; seconds to open a run for writing; seconds to rebuild a lost index."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with_archive(folder, pages)
        with Archive(folder) as archive:
            began = time.perf_counter()
            snapshots = archive.snapshots("run")
            for snapshot in snapshots:
                archive.body(snapshot.sha256)
            rate = len(snapshots) / (time.perf_counter() - began)
        with Archive(folder) as archive:
            began = time.perf_counter()
            archive.begin(code="141500", run_id="run")
            opening = time.perf_counter() - began
        (folder / "index.db").unlink()
        with Archive(folder) as archive:
            began = time.perf_counter()
            assert len(archive.snapshots("run")) == len(pages)
            return rate, opening, time.perf_counter() - began


def shared(place: Place, pages: Sequence[bytes], rounds: int, threads: int) -> None:
    """Prints medians over the rounds, each a run of its own: writes and verified reads per second, KB a page."""
    wrote, read, began_at = [], [], time.time_ns()
    with Archive(place) as archive, ThreadPoolExecutor(threads) as workers:
        for number in range(rounds):
            run_id = f"run-{began_at}-{number}"
            archive.begin(code="141500", run_id=run_id)
            began = time.perf_counter()
            list(workers.map(lambda page, run_id=run_id: write(archive, *page, run_id), enumerate(pages)))
            wrote.append(len(pages) / (time.perf_counter() - began))
            began = time.perf_counter()
            list(workers.map(lambda one: archive.body(one.sha256), archive.snapshots(run_id)))
            read.append(len(pages) / (time.perf_counter() - began))
        there = bucket(place.storage)
        size = sum(len(there.read(name)) for name in there.names(run_id))
    label = f"{place.storage}, {threads} thread(s)"
    print(f"{label:34} {statistics.median(wrote):7.0f} writes/s  {size / len(pages) / 1_000:6.1f} KB a page")
    print(f"{'read by sha256, verified':34} {statistics.median(read):7.0f} bodies/s")
    with Archive(place) as archive:
        began = time.perf_counter()
        archive.begin(code="141500", run_id=run_id)
        print(f"open for writing {(time.perf_counter() - began) * 1_000:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--html", type=Path)
    parser.add_argument("--storage", default="")
    parser.add_argument("--database", default="")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    pages = synthetic(asked.pages)
    if asked.html:
        files = [path.read_bytes() for path in sorted(asked.html.rglob("*.html"))]
        pages = [files[number % len(files)] for number in range(asked.pages)]
    print(f"{len(pages)} pages of {sum(map(len, pages)) / len(pages) / 1_000:.1f} KB, median of {asked.rounds} rounds")
    if asked.storage:
        with tempfile.TemporaryDirectory() as index:
            shared(Place(Path(index), asked.storage, asked.database), pages, asked.rounds, asked.threads)
        return
    for name, way in (
        ("Archive (index, fsync a second)", with_archive),
        ("warcio bare (no index, no fsync)", with_warcio),
    ):
        rate, kilobytes = measure(way, pages, asked.rounds)
        print(f"{name:34} {rate:7.0f} writes/s  {kilobytes:6.1f} KB a page")
    rate, opening, rebuilding = reading(pages)
    print(f"{'read by sha256, verified':34} {rate:7.0f} bodies/s")
    print(f"open for writing {opening * 1_000:.1f} ms, rebuild a lost index {rebuilding:.2f} s")


if __name__ == "__main__":
    main()
