"""A page cannot use the browser to reach what the crawl may not: real Chromium, forty ways out, one silent canary."""

from __future__ import annotations

import asyncio
import json

from browsing import Canary, canary, needs_chromium
from hostile import Reply, Server, redirect, serve

from pipeline.crawl.browser import Browser
from pipeline.crawl.guard import Guard

pytestmark = needs_chromium

# After the page has told that its attempts are over, for what it does last.
SECONDS = 1.2


def ways_out(port: int, site: Server) -> dict[str, Reply | str]:
    """A site whose pages try to reach the port by every means a page has."""
    there = f"127.0.0.1:{port}"
    hosts = [
        there,
        f"localhost:{port}",
        f"a.localhost:{port}",
        f"2130706433:{port}",
        f"0x7f000001:{port}",
        f"0177.0.0.1:{port}",
        f"127.1:{port}",
        f"[::ffff:127.0.0.1]:{port}",
        f"[::1]:{port}",
        f"0.0.0.0:{port}",
        f"127.0.0.1.nip.io:{port}",
        f"LOCALHOST.:{port}",
    ]
    tags = "".join(f'<img src="http://{host}/img"><script src="http://{host}/script"></script>' for host in hosts)
    page = f"""<!DOCTYPE html><html><head><title>ways out</title>
<link rel="dns-prefetch" href="//{there}"><link rel="preconnect" href="http://{there}">
<link rel="prefetch" href="http://{there}/prefetch"><link rel="preload" as="image" href="http://{there}/preload">
<link rel="modulepreload" href="http://{there}/module"><link rel="stylesheet" href="http://{there}/style">
<link rel="manifest" href="http://{there}/manifest"><link rel="icon" href="http://{there}/icon">
<link rel="prerender" href="http://{there}/prerender">
<script type="speculationrules">{{"prefetch": [{{"urls": ["http://{there}/spec"]}}],
 "prerender": [{{"urls": ["http://{there}/spec2"]}}]}}</script>
<style>@import url(http://{there}/import); @font-face {{font-family: f; src: url(http://{there}/font)}}
 body {{background: url(http://{there}/background); font-family: f}}</style></head>
<body>text {tags}
<iframe src="http://{there}/iframe"></iframe><iframe src="/meta"></iframe><iframe src="/moved"></iframe>
<iframe src="file:///etc/passwd"></iframe><iframe src="http://{there}/x" sandbox></iframe>
<iframe srcdoc="<img src='http://{there}/srcdoc'>"></iframe>
<object data="http://{there}/object"></object><embed src="http://{there}/embed">
<video src="http://{there}/video" autoplay poster="http://{there}/poster"></video>
<audio src="http://{there}/audio" autoplay></audio><svg><image href="http://{there}/svg"/></svg>
<img src="/moved"><script src="/moved"></script>
<form id="form" action="http://{there}/form" method="post" target="frame"></form><iframe name="frame"></iframe>
<a id="ping" href="/here" ping="http://{there}/ping">x</a>
<script>
const there = "{there}", results = [];
const tried = (name, act) => {{ try {{ const made = act(); if (made && made.then)
  made.then(() => results.push(name), () => 0); }} catch (error) {{}} }};
tried("fetch", () => fetch("http://" + there + "/fetch"));
tried("no-cors", () => fetch("http://" + there + "/no-cors", {{mode: "no-cors"}}));
tried("https", () => fetch("https://" + there + "/https"));
tried("moved", () => fetch("/moved"));
tried("keepalive", () => fetch("http://" + there + "/alive", {{keepalive: true, method: "POST", mode: "no-cors"}}));
tried("file", () => fetch("file:///etc/passwd"));
tried("ftp", () => fetch("ftp://" + there + "/"));
tried("xhr", () => {{ const x = new XMLHttpRequest(); x.open("GET", "http://" + there + "/xhr"); x.send(); }});
tried("ws", () => new WebSocket("ws://" + there + "/ws"));
tried("wss", () => new WebSocket("wss://" + there + "/wss"));
tried("sse", () => new EventSource("http://" + there + "/events"));
tried("beacon", () => navigator.sendBeacon("http://" + there + "/beacon", "x"));
tried("worker", () => new Worker(URL.createObjectURL(new Blob(["fetch('http://" + there + "/worker')"]))));
tried("sw", () => navigator.serviceWorker.register("/sw.js"));
tried("open", () => window.open("http://" + there + "/open"));
tried("transport", () => new WebTransport("https://" + there + "/transport"));
tried("form", () => document.getElementById("form").submit());
tried("ping", () => document.getElementById("ping").dispatchEvent(new MouseEvent("click", {{ctrlKey: true}})));
tried("import", () => import("http://" + there + "/import.js"));
tried("rtc", () => {{
  const urls = ["stun:" + there, "turn:" + there + "?transport=tcp"];
  const c = new RTCPeerConnection({{iceServers: [{{urls, username: "u", credential: "c"}}]}});
  c.createDataChannel("x"); return c.createOffer().then(o => c.setLocalDescription(o)); }});
tried("data", () => {{ const f = document.createElement("iframe");
  f.src = "data:text/html,<img src='http://" + there + "/data'>"; document.body.append(f); }});
setTimeout(() => fetch("/done?" + results.join(",")), 800);
setTimeout(() => {{ const a = document.createElement("a"); a.href = "http://" + there + "/download"; a.download = "x";
  a.click(); }}, 1000);
setTimeout(() => location = "http://" + there + "/location", 1400);
</script></body></html>"""
    meta = f'<meta http-equiv="refresh" content="0;url=http://{there}/meta"><p>on</p>'
    worker = f"self.addEventListener('install', () => fetch('http://{there}/sw'))"
    return {
        "/": page,
        "/meta": meta,
        "/moved": redirect(f"http://{there}/moved"),
        "/sw.js": Reply(worker.encode(), media="text/javascript"),
    }


async def visit(site: Server, guard: Guard) -> None:
    browser = Browser(guard)
    try:
        async with browser.tab() as page, asyncio.timeout(30):
            await page.goto(site.url, wait_until="commit")
            while not any(path.startswith("/done?") for path in site.paths()):
                await asyncio.sleep(0.05)
            await asyncio.sleep(SECONDS)
    finally:
        await browser.close()


def opened(bird: Canary, *allowed: str) -> Server:
    pages: dict[str, Reply | str] = {}
    with serve(pages) as site:
        pages |= ways_out(bird.port, site)
        asyncio.run(visit(site, Guard((site.place, *allowed))))
        return site


def test_no_page_leads_the_browser_where_the_crawl_may_not_go() -> None:
    with canary() as bird:
        site = opened(bird)
        assert bird.heard == []
    assert "/meta" in site.paths()
    done = [path for path in site.paths() if path.startswith("/done?")]
    assert done, "its script has run to the end"
    assert not {"fetch", "https", "moved", "file", "ftp", "import"} & set(done[0].removeprefix("/done?").split(","))


def test_the_same_page_reaches_a_place_that_is_allowed() -> None:
    """So the canary hears what there is to hear."""
    with canary() as bird:
        opened(bird, bird.place)
        heard = list(bird.heard)
    asked = {line.split(b" ")[1] for line in heard if line.startswith((b"GET ", b"POST "))}
    assert len(asked) > 15, json.dumps([one.decode() for one in asked])
    assert all(not line.startswith(b"udp") for line in heard), "nothing goes round the proxy even there"
