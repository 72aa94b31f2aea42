"""Whatever a page, a model or a colleague has written stays text: tried in a real browser, with files/xss.yaml."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, sync_playwright
from queue_data import NOW, judgement, measurement, quote, run, told
from reviewing import Served, copied, database_of, serving
from wave_data import WAVE, a_city, a_wave

from pipeline.archive import Archive
from pipeline.desk.pages import Pages
from pipeline.models import (
    Cause,
    CityState,
    Coverage,
    Flag,
    Judgement,
    Municipality,
    Opinion,
    Passage,
    Pending,
    QueueItem,
    Quote,
    Role,
    Run,
    Unread,
    Verdict,
    View,
)
from pipeline.models import Page as Archived
from pipeline.report.words import visible
from pipeline.store.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run"]
ATTACKS = yaml.safe_load((Path(__file__).parent / "files" / "xss.yaml").read_text(encoding="utf-8"))
PAYLOADS: list[str] = ATTACKS["payloads"]
DOCUMENTS: dict[str, str] = ATTACKS["documents"]
ALL = " ".join(PAYLOADS)
SITE = "http://evil.localhost/"
MARK = "attack:"
REMARK = "Failed to load resource: the server responded with a status of 4"  # of the browser, on our error pages
WATCH = f"""
for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => console.log('{MARK} a script ran');
addEventListener('securitypolicyviolation', (one) => console.log('{MARK} policy', one.violatedDirective));
"""
# What our templates are made of: an element or an attribute that they do not use has come from a payload.
STRANGE = """() => {
    const tags = new Set(('html head meta title link script body header main nav section form div p span a b br ' +
        'button input textarea select option label h1 h2 h3 small ul ol li dl dt dd table thead tbody tr th td ' +
        'figure figcaption blockquote q kbd mark details summary progress iframe dialog').split(' '));
    const names = new Set(('action autocomplete autofocus charset class colspan content defer for form formaction ' +
        'hidden href id lang loading max maxlength method name open rel required role rows sandbox scope selected ' +
        'src tabindex target title type value').split(' '));
    const ours = (address) => /^(\\/(?![\\/\\\\])|\\?|#)/.test(address);
    const found = [];
    for (const one of document.querySelectorAll('*')) {
        if (!tags.has(one.localName) || one.namespaceURI !== 'http://www.w3.org/1999/xhtml') found.push(one.outerHTML);
        if (one.target === '_blank' && one.rel !== 'noopener noreferrer') found.push(`${one.href} ${one.rel}`);
        for (const {name, value} of one.attributes) {
            if (!names.has(name) && !/^(aria|data)-/.test(name)) found.push(`${one.localName} ${name}`);
            if (['src', 'action', 'formaction'].includes(name) && !ours(value)) found.push(value);
            if (name === 'href' && !ours(value) && !/^https?:\\/\\/[^\\s"'<>`\\\\]+$/.test(value)) found.push(value);
        }
    }
    return found;
}"""


@dataclass
class Planted:
    """A running server whose database and archive the attacker has filled. Numbers of items; sha256s of pages."""

    served: Served
    main: int
    returned: int
    held: int
    framing: int
    pages: list[str]
    page: Archived


@dataclass
class Watched:
    """A browser's page, and what became of the attacks on it. said: by the browser's console and in dialogs, of which
    our own pages cause nothing; left: requests that set out for another site, and windows that opened."""

    page: Page
    origin: str
    said: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda one: self.said.append(one.text) if REMARK not in one.text else None)
        self.page.on("dialog", lambda one: (self.said.append(one.message), one.dismiss()))
        self.page.on("pageerror", lambda one: self.said.append(str(one)))
        self.page.on("popup", lambda one: self.left.append(one.url))
        self.page.route(lambda url: not url.startswith(f"{self.origin}/"), self._stop)

    def _stop(self, route: Route) -> None:
        self.left.append(route.request.url)
        route.abort()

    def open(self, path: str) -> None:
        """Opens the path and checks that it is all our own."""
        self.page.goto(self.origin + path)
        self.check()

    def check(self) -> None:
        assert self.page.evaluate(STRANGE) == []
        assert (self.said, self.left) == ([], [])
        assert self.page.url.startswith(f"{self.origin}/")

    def harmless(self) -> None:
        """No script has run and nothing has left; that the browser tells what it has blocked is as it should be."""
        assert [one for one in self.said if MARK in one] == []
        assert self.left == []

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.page.eval_on_selector_all(selector, "all => all.map((one) => one.textContent)")
        return [_normal(text) for text in found]

    def shows(self, selector: str, payloads: list[str]) -> None:
        """Every payload is to be read, each in an element of its own."""
        texts = set(self.texts(selector))
        assert [one for one in payloads if _normal(one) not in texts] == []

    def tells(self, selector: str, text: str = ALL) -> None:
        """The text stands in the one element."""
        (whole,) = self.texts(selector)
        assert _normal(text) in whole


def _normal(text: str) -> str:
    return " ".join(visible(text).split())


# --- what the attacker has planted ------------------------------------------------------------------------------------

SURVEY = "r999999"
HELD_BY = "<img src=x onerror=alert(1)>"
NAMES = [one for one in PAYLOADS if one.isprintable() and one == one.strip()]  # that can stand in the log
USERS = list({one.casefold(): one for one in NAMES if len(one) <= 64 and "," not in one}.values())[:70]

UNLINKED = [one for one in PAYLOADS if not one.startswith("http")]


@pytest.fixture(scope="module")
def planted(surveyed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    home = copied(surveyed, tmp_path_factory.mktemp("attacked") / "workspace")
    with Archive(home / "archive") as archive, Store(database_of(home)) as store:
        pages = [_archived(archive, at, body) for at, body in enumerate([*map(_raw, DOCUMENTS.values()), *_groups()])]
        page = Pages(archive).page(_archived(archive, len(pages), _escaped()))
        assert page
        like = store.runs()[0]
        items = _survey(store, page, like)
        _decide(store, page, *items)
        _cities(store, like)
        _wave(store)
        for name in USERS:
            store.users.add(name, Role.ANALYST)
    with serving(home) as served:
        yield Planted(served, *(one.number for one in items), pages=pages, page=page)


def _archived(archive: Archive, at: int, body: str) -> str:
    to: dict[str, Any] = {"code": "999999", "run_id": SURVEY, "url": f"{SITE}{at}", "final_url": f"{SITE}{at}"}
    headers = [("content-type", "text/html; charset=utf-8")]
    return archive.write(**to, fetched_at=NOW, status=200, headers=headers, body=body.encode()).sha256


def _raw(body: str) -> str:
    return f"<!DOCTYPE html><title>写し</title>{body}<p>本文です。</p>"


def _groups() -> list[str]:
    """Pages with some of the payloads each as they are, every one in a place of its own."""
    apart = (
        """</plaintext>--></textarea></title></style></script></xmp></noscript></template></iframe></svg></math><hr>"""
    )
    return [_raw(apart.join(PAYLOADS[at::10])) for at in range(10)]


def _escaped() -> str:
    """A page that says the payloads, in paragraphs, cells, list items, links and alternative texts."""
    said = ["".join(one if one.isprintable() else f"&#{ord(one)};" for one in html.escape(text)) for text in PAYLOADS]
    text = "".join(f"<p>{one}</p>" for one in said)
    rows = "".join(f"<tr><th>{one}<td>{one} 行" for one in said)
    rest = "".join(f'<li>{one} 項目<li><img alt="{one} 図"><li><a href="{one}">{one} リンク</a>' for one in said)
    return f"<!DOCTYPE html><title>{' '.join(said)}</title><main>{text}<table>{rows}</table><ul>{rest}</ul></main>"


def _survey(store: Store, page: Archived, like: Run) -> list[QueueItem]:
    """Four items: with everything at once, sent back, held by another, and with the hostile documents to open."""
    unread = tuple(Unread(url=one, cause=Cause.BROKEN, label=one, detail=one) for one in PAYLOADS)
    links = tuple(Unread(url=f"{SITE}?{one}", cause=Cause.BROKEN, label="") for one in PAYLOADS)
    pending = tuple(Pending(url=one, label=one) for one in PAYLOADS)
    coverage = Coverage(
        home_read=True, found=9, fetched=9, read=9, unread=unread, pending=pending, started=NOW, finished=NOW
    )
    city = Municipality(code="999999", name=ALL, prefecture=ALL)
    asked = {"criteria_id": like.criteria_id, "criteria_sha256": like.criteria_sha256}
    survey = run(SURVEY, city, coverage=coverage, origin=ALL, **asked)
    of = {"criteria_sha256": like.criteria_sha256}
    measured = measurement(name=ALL, unit=ALL, threshold_source=ALL, urls=tuple(PAYLOADS), readings=tuple(PAYLOADS))
    whole = judgement(
        "policy-01",
        quotes=(*(_quote(page, one, url=page.url) for one in PAYLOADS[::2]), *(_quote(page, one) for one in PAYLOADS)),
        flags=tuple(Flag),
        measurement=measured,
        rationale=ALL,
        model=ALL,
        unread=unread + links,
        searched=tuple(PAYLOADS),
        others=tuple(_opinion(page, one) for one in PAYLOADS),
        passages=tuple(_passage(page, one) for one in PAYLOADS),
        **of,
    )
    sent_back = judgement("policy-02", quotes=(_quote(page, PAYLOADS[0], url=page.url),), **of)
    opened = judgement(
        "policy-04", Verdict.NO_EVIDENCE, searched=tuple(f"{SITE}{at}" for at in range(len(DOCUMENTS))), **of
    )
    return _saved(store, survey, whole, sent_back, judgement("policy-03", Verdict.NO_EVIDENCE, **of), opened)


def _saved(store: Store, survey: Run, *judged: Judgement) -> list[QueueItem]:
    store.save_run(survey)
    store.save_judgements(survey, judged)
    return store.items(survey.id)


def _quote(page: Archived, text: str, *, url: str = "") -> Quote:
    """At the page's own address, or at one that is the payload itself, where nothing is archived."""
    sha256 = page.sha256 if url else "b" * 64
    at = {"start": max(0, page.text.find(text)), "page_sha256": sha256, "url": url or text}
    return quote(text, title=text, context=text, href=f"{SITE}?{text}", **at)


def _opinion(page: Archived, text: str) -> Opinion:
    cited = (_quote(page, text),)
    return Opinion(judge=text, model=text, verdict=Verdict.MET, quotes=cited, rationale=text, confidence=0.5)


def _passage(page: Archived, text: str) -> Passage:
    place = {"page_sha256": page.sha256, "url": text, "start": 0, "end": len(text), "view": View.MAIN, "href": text}
    return Passage(criterion="policy-01", text=text, headings=(text,), score=1.0, **place)


def _decide(
    store: Store, page: Archived, whole: QueueItem, sent_back: QueueItem, held: QueueItem, _: QueueItem
) -> None:
    """Notes, two coders who differ, a return with its reason, and an item in somebody's hands."""
    for name, note in zip(NAMES, PAYLOADS, strict=False):
        store.record(told(whole, "x note", reviewer=name, note=note))
    for name, verdict in ((NAMES[0], "met"), (NAMES[1], "not_met")):
        cited = tuple(_quote(page, one) for one in PAYLOADS)
        store.record(told(whole, f"x code {verdict}", reviewer=name, note=ALL, quotes=cited))
    store.record(told(sent_back, "x approve", reviewer=NAMES[0], note=ALL))
    store.record(told(sent_back, "x return", reviewer=NAMES[1], note=ALL))
    store.serving.take(held.number, HELD_BY, now=datetime.now(UTC))


def _cities(store: Store, like: Run) -> None:
    """A municipality and a judge of every name, with a note on its one item."""
    for at, (name, reviewer) in enumerate(zip(PAYLOADS, NAMES * 2, strict=False)):
        asked = {"criteria_id": like.criteria_id, "criteria_sha256": like.criteria_sha256}
        survey = run(f"c{at:06}", Municipality(code=f"{at:06}", name=name), **asked)
        found = judgement("policy-01", Verdict.NO_EVIDENCE, judge=name, criteria_sha256=like.criteria_sha256)
        (one,) = _saved(store, survey, found)
        store.record(told(one, "x note", reviewer=reviewer, note=name))


def _wave(store: Store) -> None:
    """A survey of many in which each name failed by a cause of that name, and others are worked on."""
    some = [name for name in PAYLOADS if name.isprintable()]
    cities = [
        a_city(at, CityState.FAILED, 0, at + 1, name=name, cause=name, detail=name) for at, name in enumerate(some)
    ]
    cities += [a_city(1000 + at, CityState.CRAWLING, 0, name=name) for at, name in enumerate(some)]
    store.waves.begin(a_wave(), [*cities, a_city(9999, CityState.DONE, 0, 5000, name=ALL)])


# --- the browser ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield running
    running.close()


@pytest.fixture(scope="module")
def context(browser: Browser, planted: Planted) -> Iterator[BrowserContext]:
    """Signed in as whoever runs the server."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(10_000)
    opened.add_init_script(WATCH)
    page = opened.new_page()
    page.goto(planted.served.link)
    page.close()
    yield opened
    opened.close()


@pytest.fixture
def watched(context: BrowserContext, planted: Planted) -> Iterator[Watched]:
    page = context.new_page()
    yield Watched(page, planted.served.origin)
    page.close()


# --- our own pages ----------------------------------------------------------------------------------------------------


FILL = """all => all.forEach((one) => {
    document.body.append(document.createElement('p'));
    document.body.lastChild.innerHTML = one;
})"""


def test_the_attacks_work_where_nothing_guards_against_them(watched: Watched) -> None:
    """Else none of the tests below could fail."""
    watched.page.set_content(DOCUMENTS["scripts"])
    assert sum(MARK in one for one in watched.said) >= 3
    watched.page.evaluate(FILL, [one for one in PAYLOADS if "http-equiv" not in one])
    watched.page.wait_for_timeout(300)
    assert sum(MARK in one for one in watched.said) >= 40
    assert len(watched.left) >= 5
    assert len(watched.page.evaluate(STRANGE)) >= 100


@pytest.mark.parametrize("language", ["ja", "en"])
def test_an_item_is_text_alone(watched: Watched, planted: Planted, language: str) -> None:
    watched.page.context.add_cookies([{"name": "akashi_language", "value": language, "url": watched.origin}])
    watched.open(f"/items/{planted.main}")
    for whole in ("title", ".where", ".by", ".measured", ".rationale"):
        watched.tells(whole)
    watched.shows(".proposal blockquote", PAYLOADS)
    watched.shows(".proposal .place", PAYLOADS)
    watched.shows(".proposal > ul .dead", UNLINKED)
    watched.shows(".opinion b", PAYLOADS)
    watched.shows(".answer blockquote", PAYLOADS)
    watched.shows(".answer .note", [ALL])
    watched.shows(".offered small", PAYLOADS)
    watched.shows(".searched li:not(.failed)", PAYLOADS)
    watched.shows(".history .note", [*PAYLOADS[: len(NAMES)], ALL])
    assert len(watched.texts(".searched .failed")) == 100


def test_a_page_opened_for_reading_is_text_alone(watched: Watched, planted: Planted) -> None:
    page = planted.page
    rows = {block: block.row if page.slice(block) != block.row else "" for block in page.blocks}
    said = [f"{row} {page.slice(block)}" for block, row in rows.items()]
    assert sum(_normal(one) in map(_normal, said) for one in PAYLOADS) > 170
    watched.open(f"/items/{planted.main}?view=q0&whole=true")
    watched.shows("#page .line", said)
    watched.tells(".reading h2", page.title)
    assert len(watched.texts("#page mark")) > 90
    watched.open(f"/items/{planted.main}?view=p0")
    watched.shows(".reading .dead", [PAYLOADS[0]])


def test_what_was_decided_before_is_text_alone(watched: Watched, planted: Planted) -> None:
    watched.open(f"/items/{planted.returned}")
    watched.shows(".returned .note", [ALL])
    watched.tells("#before-title", NAMES[0])
    assert len(watched.texts(".pair .line")) > 30
    watched.open(f"/items/{planted.held}")
    assert any(HELD_BY in one for one in watched.texts(".problem"))


def test_lists_are_text_alone(watched: Watched) -> None:
    watched.open("/")
    cities = watched.texts("th[scope=row]")
    assert sum(any(one.startswith(_normal(payload)) for one in cities) for payload in PAYLOADS) >= 99
    watched.shows("th[scope=row]", USERS)
    watched.shows("#filter-judge option", PAYLOADS)
    assert len(watched.texts("#filter-code option")) > len(PAYLOADS)
    for at in range(1, 6):
        watched.open(f"/items?page={at}")
    watched.open("/log")
    newest = PAYLOADS[-190:]
    watched.shows("td.note", newest)
    watched.shows("td:nth-child(4)", [f"{one} policy-01" for one in newest])
    assert set(NAMES) <= set(watched.texts("td:nth-child(2)"))


def test_a_survey_of_many_is_text_alone(watched: Watched) -> None:
    some = [one for one in PAYLOADS if one.isprintable()]
    for path in ("/waves", f"/waves/{WAVE}/figures"):
        watched.open(path)
        watched.shows("th[scope=row]", some)
        watched.tells("table:last-of-type td a, table:last-of-type th a")
        told = " ".join(watched.texts("td p"))
        assert [one for at, one in enumerate(some) if _normal(f"{one} {900000 + at} {one}") not in told] == []
    for at in range(1, 4):
        watched.open(f"/waves/{WAVE}/cities?state=failed&page={at}")


def test_addresses_and_names_come_back_as_text(watched: Watched) -> None:
    for start in range(0, len(PAYLOADS), 30):
        some = quoted(" ".join(PAYLOADS[start : start + 30]))
        watched.open(f"/nowhere/{some}?{some}")
    some = quoted("".join(PAYLOADS[40:60]))
    watched.open(f"/sign-in?to={some}")
    watched.open(f"/?judge={quoted('<script>alert(1)</script>')}&verdict={quoted(HELD_BY)}")
    watched.open("/sign-in")
    watched.page.locator("#name").fill(f'"{HELD_BY}')
    watched.page.locator("#password").fill(HELD_BY)
    watched.page.locator(".card button").click()
    watched.check()
    assert watched.page.locator("#name").input_value() == f'"{HELD_BY}'


ADD = """all => all.forEach((value) => {
    const input = document.createElement('input');
    document.getElementById('decide').append(Object.assign(input, {type: 'hidden', name: 'quote', value}));
})"""


def test_what_is_refused_comes_back_as_text(watched: Watched, planted: Planted) -> None:
    one_line = [one for one in reversed(PAYLOADS) if "\n" not in one]  # in no such order on the page
    some = [" ".join(one_line[start : start + 12]) for start in range(0, 144, 12)]
    watched.open(f"/items/{planted.main}")
    watched.page.evaluate(ADD, some)
    watched.page.locator("#note").fill(ALL[:3900])
    watched.page.locator("button[value='amend:not_met']").click()
    watched.page.wait_for_url("**/decide")
    watched.check()
    watched.shows(".picked q", some)
    assert _normal(watched.page.locator("#note").input_value()) == _normal(ALL[:3900])
    assert _normal(some[0][:200]) in watched.texts(".matter > .problem")[0]


PICK = """async () => {
    const basket = document.getElementById('basket'), say = document.getElementById('say');
    for (const line of [...document.querySelectorAll('#page .line')].slice(0, 25)) {
        const before = basket.childElementCount;
        line.focus();
        document.getElementById('pick').click();
        for (let at = 0; at < 200 && basket.childElementCount === before && !say.textContent; at++)
            await new Promise((done) => setTimeout(done, 10));
    }
}"""


def test_picked_sentences_are_text_alone(watched: Watched, planted: Planted) -> None:
    watched.open(f"/items/{planted.main}")
    watched.page.evaluate(PICK)
    watched.check()
    picked = watched.texts(".picked q")
    assert len(picked) == 25 and set(picked) <= set(map(_normal, PAYLOADS))


# --- archived pages ---------------------------------------------------------------------------------------------------


def test_an_archived_page_runs_loads_and_sends_nothing(watched: Watched, planted: Planted) -> None:
    for sha256 in planted.pages:
        path = f"{watched.origin}/snapshots/{sha256}"
        watched.page.goto(path)
        assert watched.page.url == path
    watched.page.wait_for_timeout(500)
    watched.harmless()
    assert watched.page.url == path


def test_an_archived_page_does_nothing_within_an_item(watched: Watched, planted: Planted) -> None:
    readable = [at for at, name in enumerate(DOCUMENTS) if name != "framesets"]  # which have no text to judge by
    for at in readable:
        watched.page.goto(f"{watched.origin}/items/{planted.framing}?view=s{at}")
        assert watched.page.locator(".snapshot iframe").get_attribute("sandbox") == ""
        watched.page.locator(".snapshot summary").click()
        frame = watched.page.frame_locator(".snapshot iframe").locator("html")
        frame.wait_for(state="attached")
        assert watched.page.evaluate(STRANGE) == []
    watched.page.wait_for_timeout(300)
    watched.harmless()


@pytest.mark.parametrize("name", [name for name, body in DOCUMENTS.items() if "<a " in body or "<button" in body])
def test_a_click_within_the_frame_leads_nowhere(watched: Watched, planted: Planted, name: str) -> None:
    at = list(DOCUMENTS).index(name)
    watched.page.goto(f"{watched.origin}/items/{planted.framing}?view=s{at}")
    watched.page.locator(".snapshot summary").click()
    watched.page.frame_locator(".snapshot iframe").locator("a, button").first.click(force=True)
    watched.page.wait_for_timeout(200)
    watched.harmless()
    assert watched.page.url == f"{watched.origin}/items/{planted.framing}?view=s{at}"


NOWHERE = "--host-resolver-rules=MAP *.google.com ~NOTFOUND, MAP *.googleapis.com ~NOTFOUND"


def test_no_name_is_looked_up_and_no_connection_made(
    playwright: Playwright, context: BrowserContext, planted: Planted, tmp_path: Path
) -> None:
    """What a page asks to be connected early obeys no policy, and only Chromium's own log shows it."""
    log = tmp_path / "net.json"
    flags = [*FLAGS, NOWHERE, f"--log-net-log={log}"]
    opened = playwright.chromium.launch_persistent_context(tmp_path / "user", executable_path=CHROMIUM, args=flags)
    opened.add_cookies(context.cookies())
    page, origin = opened.new_page(), planted.served.origin
    page.goto(f"{origin}/items/{planted.main}")
    for name, sha256 in zip(DOCUMENTS, planted.pages, strict=False):
        if "<link" in DOCUMENTS[name].lower() or "<meta" in DOCUMENTS[name]:
            page.goto(f"{origin}/snapshots/{sha256}")
    page.goto(f"{origin}/items/{planted.framing}?view=s{list(DOCUMENTS).index('early connections')}")
    page.locator(".snapshot summary").click()
    page.wait_for_timeout(500)
    page.set_content(DOCUMENTS["early connections"].replace("evil", "unguarded"))
    page.wait_for_timeout(500)
    opened.close()
    asked = {one["params"]["host"] for one in json.loads(log.read_text())["events"] if "host" in one.get("params", {})}
    assert any("unguarded" in one for one in asked)
    assert not [one for one in asked if "evil" in one]
