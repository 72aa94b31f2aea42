"""How soon a crawl meets the pages that prove the criteria: recall of evidence over pages fetched.

    python -m benchmarks.focus --seeds 11,12 --plot docs/images/crawl.svg

Generated sites of 8,000 pages (benchmarks/sites), each crawled over loopback by Akashi as in a survey, to --pages
pages, and walked in the same run by three simple orders: breadth first; best first by search terms in the address; best
first by search terms in the label of the link. They take links, robots.txt and scope as Akashi does: the order differs.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego

from benchmarks.sites import SHAPES, Site, build, serve
from pipeline.archive import Archive
from pipeline.crawl import Plan, crawl
from pipeline.crawl.fetch import Answer
from pipeline.crawl.harvest import Reading, read
from pipeline.crawl.relevance import Relevance, spoken
from pipeline.crawl.scope import Extent, Kind, is_office
from pipeline.criteria import load
from pipeline.models import SettledBy
from pipeline.urls import canonical

HOST = "http://www.city.example.jp"
YEAR = 2026
AT = (100, 200, 400, 800, 1200, 1600, 2000)
# The simple orders stop where the site, with all variants and traps, is long exhausted.
MOST = 12_000
ASKED = [one for one in load("dx-2024").criteria if one.settled_by is not SettledBy.MEASURED]
TERMS = tuple((one.id, one.search_terms) for one in ASKED)
LEADS = tuple((one.id, one.leads) for one in ASKED)
Score = Callable[[str, str], float]


@dataclass(frozen=True)
class Order:
    """One order on one site. found: after how many pages each piece of evidence was met, ascending; of: pieces."""

    name: str
    shape: str
    seed: int
    found: tuple[int, ...]
    of: int

    def recall(self, pages: int) -> float:
        return sum(at <= pages for at in self.found) / self.of

    def need(self, share: float) -> float:
        """Pages until that share of the evidence is met; infinity where it never was."""
        count = math.ceil(share * self.of)
        return self.found[count - 1] if count <= len(self.found) else math.inf


def akashi(site: Site, pages: int) -> list[str]:
    """Paths in the order in which a real crawl archived them, over loopback."""
    with serve(site) as url, tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            url, terms=TERMS, leads=LEADS, year=YEAR, max_pages=pages, delay_s=0, allow_private=(urlsplit(url).netloc,)
        )
        with Archive(Path(folder) / "archive") as archive:
            frontier = Path(folder) / "frontier.db"
            asyncio.run(
                crawl(plan, archive=archive, code="990101", run_id="b", frontier_path=frontier, progress=lambda _: None)
            )
            answers = [one for one in archive.snapshots("b") if one.status == 200]
    kept = [one for one in answers if "xml" not in one.header("content-type") and "/robots.txt" not in one.url]
    return [_path(one.final_url) for one in kept]


def simple(site: Site, score: Score | None) -> list[str]:
    """Paths in the order of one rule; None: first come, first served."""
    allowed = Protego.parse(site.answer("/robots.txt").body.decode())
    home = canonical(HOST + site.home) or ""
    extent, seen, waiting, order = Extent((home,)), {home}, [(0.0, 0, home)], []
    while waiting and len(order) < MOST:
        url = heapq.heappop(waiting)[2]
        found = None if is_office(url) or not allowed.can_fetch(url, "Akashi") else _fetched(site, url)
        if found is None or found.cause is not None:
            continue
        order.append(_path(url))
        for link in found.page.links:
            if link.url not in seen and extent.kind(link.url, link.label, False) is Kind.PAGE:
                seen.add(link.url)
                heapq.heappush(waiting, (-score(link.url, link.label) if score else 0.0, len(seen), link.url))
    return order


def _fetched(site: Site, url: str) -> Reading | None:
    for _ in range(5):
        answer = site.answer(_path(url))
        headers = {name.lower(): value for name, value in dict(answer.headers).items()}
        if answer.status not in (301, 302):
            break
        url = canonical(headers["location"], url) or url
    if answer.status != 200 or not answer.body:
        return None
    return read(Answer(url, 200, tuple(headers.items()), answer.body, datetime.now(UTC)), Kind.PAGE)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


def measured(name: str, site: Site, order: Sequence[str]) -> Order:
    left = {path for paths in site.evidence.values() for path in paths}
    of, found = len(left), []
    for number, address in enumerate(order, start=1):
        path = site.path_of(address)
        if path in left:
            left.discard(path)
            found.append(number)
    return Order(name, site.shape, site.seed, tuple(found), of)


def orders(place: tuple[str, int, int]) -> list[Order]:
    """All orders on one site. place: shape, seed and page budget of the crawl."""
    shape, seed, pages = place
    site, relevance = build(shape, seed), Relevance(TERMS)
    rules: dict[str, Score | None] = {
        "breadth first": None,
        "terms in the address": lambda url, _: sum(relevance.of(spoken(url)).values()),
        "terms in the label": lambda _, label: sum(relevance.of(label).values()),
    }
    ours = measured("Akashi", site, akashi(site, pages))
    return [ours, *(measured(name, site, simple(site, score)) for name, score in rules.items())]


def report(found: Sequence[Order]) -> None:
    shapes = dict.fromkeys(one.shape for one in found)
    for shape in shapes:
        print(f"\n{shape:22}" + "".join(f"{at:>7}" for at in AT) + f"{'0.60 at':>9}{'0.95 at':>9}")
        for name, own in _by_name([one for one in found if one.shape == shape]):
            print(f"  {name:20}" + _line(own))
    print(f"\n{'all, mean of sites':22}" + "".join(f"{at:>7}" for at in AT) + f"{'0.60 at':>9}{'0.95 at':>9}")
    for name, own in _by_name(found):
        print(f"  {name:20}" + _line(own))


def _by_name(found: Sequence[Order]) -> Iterator[tuple[str, list[Order]]]:
    for name in dict.fromkeys(one.name for one in found):
        yield name, [one for one in found if one.name == name]


def _line(own: Sequence[Order]) -> str:
    means = "".join(f"{_mean(own, at):7.2f}" for at in AT)
    needs = [sorted(one.need(share) for one in own)[len(own) // 2] for share in (0.6, 0.95)]
    return means + "".join(f"{need:9.0f}" if need < math.inf else f"{'never':>9}" for need in needs)


def _mean(own: Sequence[Order], pages: int) -> float:
    return sum(one.recall(pages) for one in own) / len(own)


def plot(found: Sequence[Order], pages: int) -> str:
    """Mean recall over pages fetched, as an SVG with real text."""
    width, height, left, bottom = 640, 360, 56, 44
    colours = ("#0b7285", "#adb5bd", "#e8590c", "#5f3dc4")

    def x(at: float) -> float:
        return left + at / pages * (width - left - 150)

    def y(recall: float) -> float:
        return height - bottom - recall * (height - bottom - 20)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="12"',
        ' font-family="sans-serif">',
        "<title>Share of the evidence found over pages fetched</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(f'<path d="M{left} {y(share):.0f}H{x(pages):.0f}" stroke="#dee2e6"/>')
        parts.append(f'<text x="{left - 8}" y="{y(share) + 4:.0f}" text-anchor="end">{share:.1f}</text>')
    for at in range(0, pages + 1, 400):
        parts.append(f'<text x="{x(at):.0f}" y="{height - bottom + 18}" text-anchor="middle">{at}</text>')
    parts.append(f'<text x="{x(pages / 2):.0f}" y="{height - 6}" text-anchor="middle">pages fetched</text>')
    parts.append('<text x="12" y="14">share of evidence found</text>')
    lowest = 0.0
    ends = sorted(zip(_by_name(found), colours, strict=True), key=lambda pair: y(_mean(pair[0][1], pages)))
    for (name, own), colour in ends:
        points = " ".join(f"{x(at):.1f},{y(_mean(own, at)):.1f}" for at in range(0, pages + 1, 20))
        lowest = max(lowest + 14, y(_mean(own, pages)) + 4)  # names below one another where lines end together
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="{x(pages) + 6:.0f}" y="{lowest:.0f}" fill="{colour}">{name}</text>')
    return "\n".join((*parts, "</svg>\n"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--shapes", default=",".join(SHAPES), help="shapes of sites, commas between them")
    options.add_argument("--seeds", default="11", help="seeds, commas between them (default 11)")
    options.add_argument("--pages", type=int, default=2000, help="page budget of the crawl (default 2000)")
    options.add_argument("--plot", type=Path, help="write the plot there")
    chosen = options.parse_args()
    places = [
        (shape, int(seed), chosen.pages) for seed in chosen.seeds.split(",") for shape in chosen.shapes.split(",")
    ]
    found: list[Order] = []
    with ProcessPoolExecutor(2) as pool:
        for done in pool.map(orders, places):
            found += done
            print(f"{done[0].shape} {done[0].seed}: {done[0].of} pieces of evidence", flush=True)
    report(found)
    if chosen.plot:
        chosen.plot.write_text(plot(found, chosen.pages), encoding="utf-8")


if __name__ == "__main__":
    main()
