"""Looks at a generated site: serves it, or prints what it is made of.

    python -m benchmarks.sites SHAPE SEED [--pages 8000] [--serve [--port 8000]] [--stats]

Depths are clicks from the home page over the links of the pages.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable

from benchmarks.sites.links import addresses
from benchmarks.sites.nodes import Answer
from benchmarks.sites.server import listen
from benchmarks.sites.site import SHAPES, Site, build


def walk(
    site: Site, answer: Callable[[str], Answer] | None = None
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Depth, bytes and number of links of every address reached that exists. answer: the site's, if not made anew."""
    answer = answer or site.answer
    depth, size, links = {site.home: 0}, {}, {}
    queue = [site.home]
    for here in queue:
        found = answer(here)
        size[here] = len(found.body)
        if not found.headers["Content-Type"].startswith("text/html"):
            continue
        below = addresses(found.body)
        links[here] = found.body.count(b"<a ")
        for there in map(site.path_of, below):
            if there and there not in depth:
                depth[there] = depth[here] + 1
                queue.append(there)
    return depth, size, links


def stats(site: Site, planned_s: float) -> None:
    started = time.perf_counter()
    depth, size, links = walk(site)
    spent = time.perf_counter() - started
    html = [path for path in depth if path in links]
    evidence = sorted({path for paths in site.evidence.values() for path in paths})
    print(f"{site.shape} {site.seed}: {site.name}, {len(site.paths)} pages, {len(depth)} reached")
    print(f"planned in {planned_s:.1f} s; a page is written and read in {spent / len(depth) * 1000:.1f} ms")
    print(f"HTML {len(html)}, other {len(depth) - len(html)}")
    print(f"mean HTML bytes {sum(size[path] for path in html) // len(html)}, links {sum(links.values()) // len(html)}")
    print("depth", dict(sorted(Counter(depth.values()).items())))
    print(f"evidence {len(evidence)} pages, {sum(map(len, site.evidence.values()))} for {len(site.evidence)} criteria")
    print("  depth", dict(sorted(Counter(depth.get(path, -1) for path in evidence).items())))
    print("  media", dict(Counter("html" if path in links else "pdf" for path in evidence)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("seed", type=int)
    parser.add_argument("--pages", type=int, default=8000)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stats", action="store_true")
    given = parser.parse_args()
    started = time.perf_counter()
    site = build(given.shape, given.seed, given.pages)
    if given.stats or not given.serve:
        stats(site, time.perf_counter() - started)
    if given.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(listen(site, given.port))


if __name__ == "__main__":
    main()
