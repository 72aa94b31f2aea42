"""A site that tries to lead the crawl to a service on its own machine: over a hundred payloads by every road there is.

The canary listens on two ports and on IPv6; the survey may open the site's own host and port and nothing else, so any
request in the canary's log is an escape.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from crawling import Crawled, plan, run
from hostile import Reply, Server, page, redirect, serve

TERMS = (("ops-01", ("施設予約", "予約システム")),)
_KNOWN = yaml.safe_load((Path(__file__).parent / "files" / "escapes.yaml").read_text("utf-8"))
PAYLOADS = [f"http://{host}:{{p}}/x" for host in _KNOWN["hosts"]] + _KNOWN["addresses"]


@dataclass(frozen=True)
class Attacked:
    """What came of a survey of the attacking site. canaries: servers that must not have been asked."""

    crawled: Crawled
    site: Server
    canaries: tuple[Server, ...]
    payloads: tuple[str, ...]


def _roads(payloads: list[str]) -> dict[str, Reply | str]:
    """The site: each payload as link, frame, refresh, script, base, redirect, list entry and robots.txt line."""
    hops = {f"/to/{number}": redirect_to(payload) for number, payload in enumerate(payloads)}
    written = [html.escape(payload, quote=True) for payload in payloads]

    def of_each(form: str) -> str:
        return "".join(form.replace("URL", payload) for payload in written)

    walks = ("/links", "/hops", "/frames", "/scripts", "/bases", "/refresh")
    return {
        "/": page(*((path, "施設予約") for path in walks), ("/feed.rss", "RSS")),
        "/links": of_each('<a href="URL">施設予約</a>'),
        "/hops": page(*((path, "施設予約") for path in hops), title="施設予約"),
        "/frames": of_each('<iframe src="URL"></iframe>'),
        "/refresh": of_each('<meta http-equiv="refresh" content="0;url=URL">'),
        "/scripts": of_each("""<a onclick="location.href='URL'" data-href="URL">施設予約</a>"""),
        "/bases": of_each('<base href="URL"><a href="x">施設予約</a>'),
        "/sitemap.xml": _xml(f"<urlset>{of_each('<url><loc>URL</loc></url>')}</urlset>"),
        "/feed.rss": _xml(f"<rss><channel>{of_each('<item><link>URL</link></item>')}</channel></rss>"),
        "/robots.txt": Reply("\n".join(f"Sitemap: {one}" for one in payloads[::3]).encode("utf-8", "replace")),
        **hops,
    }


def _xml(text: str) -> Reply:
    return Reply(text.encode("utf-8", "replace"), media="application/xml")


def redirect_to(payload: str) -> Reply:
    """A redirect as a server can send it: one header line, percent-encoded where it must be."""
    line = "".join(char if 0x20 <= ord(char) < 0x7F else quote(char) for char in payload)
    return redirect(line)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """The survey, with canaries on the loopback addresses that the payloads name."""
    with ExitStack() as stack:
        canary = stack.enter_context(serve({"/x": page(title="秘密")}))
        port = canary.place.partition(":")[2]
        canaries = (canary, stack.enter_context(serve({"/x": page()}, host="127.127.127.127", port=int(port))))
        payloads = [payload.replace("{p}", port) for payload in PAYLOADS]
        site = stack.enter_context(serve(_roads(payloads)))
        order = plan(site.url, terms=TERMS, max_pages=400, delay_s=0.0, deadline_s=3.0)
        yield Attacked(run(order, tmp_path_factory.mktemp("attacked")), site, canaries, tuple(payloads))


def test_nothing_but_the_site_itself_was_asked(attacked: Attacked) -> None:
    assert [canary.paths() for canary in attacked.canaries] == [[]] * len(attacked.canaries)
    own = attacked.site.place
    assert {snapshot.final_url.split("/")[2] for snapshot in attacked.crawled.snapshots} == {own}
    assert {request.headers["Host"] for request in attacked.site.log} == {own}


def test_every_road_was_walked(attacked: Attacked) -> None:
    """The test could not fail if the survey had not met the payloads."""
    asked = set(attacked.site.paths())
    assert len(set(attacked.payloads)) >= 100
    assert {"/links", "/hops", "/frames", "/refresh", "/scripts", "/bases", "/sitemap.xml", "/feed.rss"} <= asked
    assert {f"/to/{number}" for number in range(len(PAYLOADS))} <= asked


def test_each_refused_redirect_is_told(attacked: Attacked) -> None:
    """No redirect into the machine reads as a page that is not there."""
    told = attacked.crawled.causes()
    hops = {f"/to/{number}": payload for number, payload in enumerate(attacked.payloads)}
    assert {path for path in hops if path not in told} <= {
        path for path, payload in hops.items() if _stays_on_the_site(payload)
    }


def _stays_on_the_site(payload: str) -> bool:
    """Payloads that are an address of the site's own, once read as browsers read them."""
    return payload.startswith(("/etc", "http:127", "http:/127"))
