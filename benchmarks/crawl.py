"""Pages followed per second of one core, against a generated municipal site on loopback, without pauses.

    python benchmarks/crawl.py --pages 400 --peers /path/to/venv/bin/python

Serves the site with nginx where it is installed, else with Python's own server. Akashi does all it does in a survey:
robots.txt, scoring of every link, the frontier's file, the WARC with fsync. The peers (a venv of theirs, `pip install
scrapy httpx2 selectolax`) keep nothing: Scrapy follows links with its LinkExtractor; bare httpx2 asks eight at a time
and takes links with selectolax.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORDS = ["住民票", "予約", "申請", "子育て", "防災", "福祉", "税金", "ごみ", "図書館", "健康診断", "補助金", "相談"]

AKASHI = """
import asyncio, json, os, sys
sys.path.insert(0, os.getcwd())
from pathlib import Path
from pipeline.archive import Archive
from pipeline.crawl import Plan, crawl
from pipeline.criteria import load
url, folder, pages = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
asked = load("dx-2024").criteria
terms = tuple((one.id, one.search_terms) for one in asked)
leads = tuple((one.id, one.leads) for one in asked)
plan = Plan(url, terms=terms, leads=leads, year=2026, max_pages=pages, delay_s=0, allow_private=(url.split("/")[2],))
with Archive(folder / "archive") as archive:
    coverage = asyncio.run(crawl(plan, archive=archive, code="990101", run_id="benchmark",
        frontier_path=folder / "frontier.db", progress=lambda _: None))
print(json.dumps({"pages": coverage.read, "known": coverage.found}))
"""

SCRAPY = """
import json, sys
import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor
url, pages = sys.argv[1], int(sys.argv[3])
class Followed(scrapy.Spider):
    name = "followed"
    start_urls = [url]
    links = LinkExtractor()
    read = 0
    def parse(self, response):
        Followed.read += 1
        for link in self.links.extract_links(response):
            yield response.follow(link, self.parse)
process = CrawlerProcess({"LOG_ENABLED": False, "ROBOTSTXT_OBEY": True, "DOWNLOAD_DELAY": 0,
    "CLOSESPIDER_PAGECOUNT": pages, "TELNETCONSOLE_ENABLED": False})
process.crawl(Followed)
process.start()
print(json.dumps({"pages": Followed.read}))
"""

HTTPX2 = """
import asyncio, json, sys
from urllib.parse import urljoin, urlsplit
import httpx2
from selectolax.lexbor import LexborHTMLParser
url, pages = sys.argv[1], int(sys.argv[3])
async def main():
    seen, waiting, read = {url}, [url], 0
    async with httpx2.AsyncClient(trust_env=False) as client:
        async def one(address):
            answer = await client.get(address)
            for node in LexborHTMLParser(answer.text).css("a[href]"):
                found = urljoin(address, node.attributes["href"]).partition("#")[0]
                if found not in seen and urlsplit(found).netloc == urlsplit(url).netloc:
                    seen.add(found)
                    waiting.append(found)
        while waiting and read < pages:
            batch = waiting[: min(8, pages - read)]
            del waiting[: len(batch)]
            await asyncio.gather(*map(one, batch))
            read += len(batch)
    print(json.dumps({"pages": read}))
asyncio.run(main())
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pages", type=int, default=400, help="page budget (default 400)")
    options.add_argument("--site-pages", type=int, default=2000, help="pages of the generated site (default 2000)")
    options.add_argument("--links", type=int, default=400, help="links on a page (default 400)")
    options.add_argument("--runs", type=int, default=3, help="runs, of which the median counts (default 3)")
    options.add_argument("--peers", help="interpreter that has Scrapy, httpx2 and selectolax; left out where not given")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        generate(site, chosen.site_pages, chosen.links)
        mean = sum(path.stat().st_size for path in site.rglob("*.html")) / chosen.site_pages / 1024
        with serve(site, Path(folder)) as (url, server):
            print(
                f"{chosen.site_pages} pages of {mean:.0f} KiB and {chosen.links} links, served by {server}, no pauses\n"
            )
            print(
                f"{'client':24}{'pages':>7}{'seconds':>9}{'pages/s':>9}{'CPU s':>8}{'pages/CPU s':>13}{'peak MiB':>10}"
            )
            report("Akashi, archived", sys.executable, AKASHI, url, chosen)
            if chosen.peers:
                report("Scrapy, nothing kept", chosen.peers, SCRAPY, url, chosen)
                report("httpx2, nothing kept", chosen.peers, HTTPX2, url, chosen)
            else:
                print("peers                   skipped: give --peers")


def generate(folder: Path, pages: int, links: int) -> None:
    """A site of `/s<section>/<number>.html`, each page with a menu, links to random pages and about 55 KB of markup."""
    chance = random.Random(2024)
    labels = ["".join(chance.choices(WORDS, k=3)) for _ in range(pages)]
    menu = [_item(number, labels) for number in range(1, 80)]
    for number in range(pages):
        path = folder / _path(number).strip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        body = [_item(chance.randrange(1, pages), labels) for _ in range(links - len(menu))]
        text = "".join(f"<p>{''.join(chance.choices(WORDS, k=40))}。</p>" for _ in range(60))
        html = f"<!DOCTYPE html><html lang=ja><head><meta charset=utf-8><title>{labels[number]}</title></head><body>"
        html += f"<nav><ul>{''.join(menu)}</ul></nav>"
        html += f"<main><h1>{labels[number]}</h1>{text}<ul>{''.join(body)}</ul></main>"
        path.write_text(html + "</body></html>", encoding="utf-8")


def _path(number: int) -> str:
    return f"/s{number % 40}/{number}.html" if number else "/index.html"


def _item(number: int, labels: list[str]) -> str:
    return f'<li class="navigation-item"><a href="{_path(number)}">{labels[number]}</a></li>'


@contextmanager
def serve(site: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Serves the folder; yields its address and the server's name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(site)]
    if nginx:
        (folder / "nginx.conf").write_text(_nginx(site, folder, port))
        command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/", "nginx" if nginx else "Python's http.server"
    finally:
        server.terminate()
        server.wait()


def _nginx(site: Path, folder: Path, port: int) -> str:
    return (
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log /dev/null; events {{}}\n"
        f"http {{ access_log off; types {{ text/html html; }} client_body_temp_path {folder}/b;\n"
        f"proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"server {{ listen 127.0.0.1:{port}; root {site}; }} }}\n"
    )


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def report(name: str, python: str, program: str, url: str, chosen: argparse.Namespace) -> None:
    """Runs a client so often and prints the run of median speed."""
    runs = sorted(_run(python, program, url, chosen.pages) for _ in range(chosen.runs))
    rate, pages, seconds, cpu, peak = runs[len(runs) // 2]
    print(f"{name:24}{pages:7.0f}{seconds:9.2f}{rate:9.1f}{cpu:8.2f}{pages / cpu:13.1f}{peak:10.0f}")


def _run(python: str, program: str, url: str, pages: int) -> tuple[float, float, float, float, float]:
    """Pages a second, pages, seconds, CPU seconds and peak MiB of one run, the interpreter's start included."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        command = ["taskset", "-c", "0"] if shutil.which("taskset") else []
        client, output = Path(folder) / "client.py", Path(folder) / "output"
        client.write_text(program)
        command += [python, str(client), url, folder, str(pages)]
        with output.open("w") as out:
            child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, cwd=ROOT)
            _, status, used = os.wait4(child.pid, 0)  # what this child used, and no other
        if status:
            raise SystemExit(f"{python} failed")
        seconds = time.perf_counter() - begun
        read = json.loads(output.read_text().splitlines()[-1])["pages"]
    cpu = used.ru_utime + used.ru_stime
    return read / seconds, read, seconds, cpu, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
