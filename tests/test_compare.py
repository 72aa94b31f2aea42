"""Two surveys side by side: exactly what was edited is named, and what a person must look at again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from commands import classify
from crawling import CODE, RUN, Crawled, plan, run
from hostile import filler, redirect, serve
from living import Doc, Site
from queue_data import NOW
from reviewing import database_of
from test_reopening import CITY, FILLER, RPA, confirmed, html, surveyed
from tests_support import page_of

from pipeline.archive import Archive
from pipeline.compare import Survey, compare
from pipeline.compare.nouns import Difference, Fate
from pipeline.compare.sites import EVERYWHERE_MIN_PAGES, differing
from pipeline.compare.sites import Site as Seen
from pipeline.models import Cause, Coverage, Municipality, Page, Run, RunState, Verdict
from pipeline.reading import read
from pipeline.store.store import Store

SECOND = "20270101T000000Z-990101"


def run_noun(run_id: str, home: str, coverage: Coverage | None = None) -> Run:
    return Run(
        id=run_id,
        municipality=Municipality(code=CODE, name="青空市", home_url=home),
        criteria_id="dx-2024",
        criteria_sha256="0" * 64,
        as_of=date(2026, 11, 20),
        judge="rules",
        state=RunState.DONE,
        started=NOW,
        coverage=coverage,
    )


def survey_of(crawled: Crawled, folder: Path, run_id: str, home: str) -> Survey:
    with Archive(folder / "archive") as archive:
        seen = read(archive, run_noun(run_id, home), crawled.coverage, lambda *_: None)
    return Survey(run_noun(run_id, home, seen.coverage), crawled.snapshots, seen.pages, (), {})


# --- a random edit script, by a real crawl ----------------------------------------------------------------------------


@dataclass
class Town:
    """A home page that links to numbered pages, each with words of its own, and what an editor did to them."""

    seed: int
    labels: dict[str, str] = field(default_factory=dict)
    docs: dict[str, Doc] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Fate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        for number in range(14):
            self.add(f"/{number}.html")

    def add(self, path: str) -> None:
        self.labels[path] = f"{path.strip('/')}のご案内"
        self.docs[path] = Doc(self.page(filler(f"{self.seed}{path}")), etag=self.dice.random() < 0.7)

    def page(self, words: str) -> str:
        return f"<html lang=ja><title>お知らせ</title><main><h1>お知らせ</h1><p>{words}</p></main></html>"

    def site(self) -> Site:
        links = "".join(f'<li><a href="{path}">{label}</a></li>' for path, label in self.labels.items())
        home = Doc(f"<html lang=ja><title>青空市</title><p>ようこそ。</p><ul>{links}</ul></html>", etag=True)
        return Site({"/": home, **self.docs})

    def edit(self) -> None:
        """Does something else to every second page."""
        deeds = [self.reword, self.touch, self.delete, self.unlink, self.redirect, self.rename, self.breakdown]
        paths = self.dice.sample(sorted(self.docs), 7)
        for path, deed in zip(paths, self.dice.choices(deeds, k=len(paths)), strict=True):
            deed(path)
        if self.dice.random() < 0.5:
            self.add("/new.html")
            self.expected |= {"/new.html": Fate.NEW, "/": Fate.CHANGED}

    def reword(self, path: str) -> None:
        self.docs[path] = Doc(self.docs[path].body.replace("</main>", f"<p>{filler(path + 'x')}</p></main>"))
        self.expected[path] = Fate.CHANGED

    def touch(self, path: str) -> None:
        """Other bytes, the same words."""
        self.docs[path] = Doc(self.docs[path].body.replace("<main>", "<!-- 2027 --><main class=new>"))

    def delete(self, path: str) -> None:
        del self.docs[path]
        self.expected[path] = Fate.GONE

    def unlink(self, path: str) -> None:
        del self.labels[path]
        self.expected |= {path: Fate.UNFETCHED, "/": Fate.CHANGED}

    def redirect(self, path: str) -> None:
        self.docs["/to" + path] = self.docs.pop(path)
        self.redirects[path] = "/to" + path
        self.expected[path] = Fate.MOVED

    def rename(self, path: str) -> None:
        self.docs["/renamed" + path] = self.docs.pop(path)
        self.labels["/renamed" + path] = self.labels.pop(path)
        self.expected[path] = Fate.MOVED

    def breakdown(self, path: str) -> None:
        self.docs[path] = Doc("", answers=lambda handler, _: handler.send_error(500))
        self.expected[path] = Fate.FAILED


@pytest.mark.parametrize("seed", range(5))
def test_exactly_the_edited_pages_are_named(seed: int, tmp_path: Path) -> None:
    town = Town(seed)
    site = town.site()
    with serve(lambda path: redirect(town.redirects[path]) if path in town.redirects else site(path)) as server:
        quick = plan(server.url, deadline_s=2.0)
        then = survey_of(run(quick, tmp_path), tmp_path, RUN, server.url)
        town.edit()
        order = list(town.labels.items())
        town.labels = dict(sorted(order, key=lambda one: int("".join(filter(str.isdigit, one[0])) or 99)))
        site = town.site()
        now = survey_of(
            run(quick, tmp_path, run_id=SECOND, earlier=[RUN]), tmp_path, SECOND, server.url
        )  # fmt: skip
    found = compare(then, now)
    named = {one.url.removeprefix(server.url.rstrip("/")): one.fate for one in found.pages}
    assert named == town.expected
    assert found.unchanged + len(named) - ("/new.html" in named) == 15
    assert found.everywhere.urls == ()
    back = compare(now, then)
    changed = {one.url for one in found.of(Fate.CHANGED)}
    assert {one.url for one in back.of(Fate.CHANGED)} == changed


# --- rules ------------------------------------------------------------------------------------------------------------


def seen(*pages: Page, **more: object) -> Seen:
    usual: dict[str, object] = {"moved": {}, "failed": {}, "pending": frozenset(), "linked": frozenset()}
    return Seen(pages={page.url: page for page in pages}, **(usual | more))  # type: ignore[arg-type]


def at(path: str, *lines: str) -> Page:
    return page_of(*lines, url=f"https://city.example/{path}")


def test_a_menu_that_changes_everywhere_is_told_once() -> None:
    def menu(number: int, words: str) -> Page:
        return at(f"{number}.html", "# 見出し", f"本文その{number}。", words)

    then = [menu(number, "古いメニュー") for number in range(8)]
    now = [menu(number, "新しいメニュー") for number in range(8)]
    now[3] = at("3.html", "# 見出し", "本文その3は書き直されました。", "新しいメニュー")
    found, everywhere, unchanged = differing(seen(*then), seen(*now))
    assert [(one.url, one.removed, one.added) for one in found] == [
        ("https://city.example/3.html", ("本文その3。",), ("本文その3は書き直されました。",))
    ]
    assert (everywhere.removed, everywhere.added) == (("古いメニュー",), ("新しいメニュー",))
    assert len(everywhere.urls) == 7 and unchanged == 0
    few = EVERYWHERE_MIN_PAGES - 1
    found, everywhere, _ = differing(seen(*then[:few]), seen(*now[:few]))
    assert len(found) == few and everywhere.urls == ()


@pytest.mark.parametrize(
    ("now", "fate", "detail"),
    [
        (seen(failed={"https://city.example/a.html": (Cause.NOT_FOUND, "status 404")}), Fate.GONE, "status 404"),
        (seen(failed={"https://city.example/a.html": (Cause.TIMEOUT, "slow")}), Fate.FAILED, "slow"),
        (seen(failed={"https://city.example/a.html": (Cause.ROBOTS, "forbidden")}), Fate.FAILED, "forbidden"),
        (seen(pending=frozenset({"https://city.example/a.html"})), Fate.UNFETCHED, "budget"),
        (seen(linked=frozenset({"https://city.example/a.html"})), Fate.UNFETCHED, "not reached"),
        (seen(), Fate.UNFETCHED, "no page that was read links to it"),
        (
            seen(
                moved={"https://city.example/a.html": "https://city.example/b.html"},
                failed={"https://city.example/b.html": (Cause.NOT_FOUND, "status 404")},
            ),
            Fate.GONE,
            "status 404",
        ),
    ],
)
def test_gone_is_told_from_not_seen(now: Seen, fate: Fate, detail: str) -> None:
    found, _, _ = differing(seen(at("a.html", "本文です。")), now)
    assert [one.fate for one in found] == [fate]
    assert detail in found[0].detail


def test_short_pages_of_the_same_words_did_not_move() -> None:
    found, _, _ = differing(seen(at("a.html", "準備中です。")), seen(at("b.html", "準備中です。")))
    assert [one.fate for one in found] == [Fate.UNFETCHED, Fate.NEW]


def test_a_circle_of_redirects_ends() -> None:
    a, b = "https://city.example/a.html", "https://city.example/b.html"
    found, _, _ = differing(seen(at("a.html", "本文です。")), seen(moved={a: b, b: a}))
    assert [one.fate for one in found] == [Fate.UNFETCHED]


def test_what_could_not_be_read_then_is_new_with_its_reason() -> None:
    url = "https://city.example/a.html"
    found, _, _ = differing(seen(failed={url: (Cause.SERVER, "status 503")}), seen(at("a.html", "本文です。")))
    assert [(one.fate, one.cause) for one in found] == [(Fate.NEW, Cause.SERVER)]


def test_lines_in_another_order_are_a_change_of_the_page() -> None:
    found, _, _ = differing(seen(at("a.html", "甲です。", "乙です。")), seen(at("a.html", "乙です。", "甲です。")))
    assert [(one.fate, one.removed, one.detail) for one in found] == [
        (Fate.CHANGED, (), "the same lines in another order")
    ]


def test_a_site_that_went_to_another_host_is_compared_page_by_page() -> None:
    def side(home: str, words: str) -> Survey:
        page = page_of("# 見出し", words, url=home + "a.html")
        coverage = Coverage(home_read=True, found=1, fetched=1, read=1, started=NOW, finished=NOW)
        from pipeline.models import Snapshot

        answer = Snapshot(
            url=page.url, final_url=page.url, fetched_at=NOW, status=200, sha256=page.sha256, warc="x", offset=0
        )
        return Survey(run_noun(home, home, coverage), (answer,), {page.sha256: page}, (), {})

    found = compare(side("http://old.example/", "本文です。"), side("https://new.example/", "新しい本文です。"))
    assert [(one.fate, one.url) for one in found.pages] == [(Fate.CHANGED, "https://new.example/a.html")]


# --- the commands -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city surveyed twice, everything confirmed in between: its RPA page ends the service, its kiosk page is gone."""
    home = tmp_path_factory.mktemp("twice")
    first = surveyed(home, {})
    with Store(database_of(home)) as store:
        confirmed(store, first)
    ended = html("業務の効率化", "令和8年9月30日をもって、RPAの利用を終了しました。")
    surveyed(
        home,
        {"rpa.html": ended, "shomei.html": None, "new.html": html("新設", FILLER, "庁内でチャットボットを使います。")},
    )
    return home


def ids(home: Path) -> list[str]:
    with Store(database_of(home)) as store:
        return [run.id for run in store.runs()]


def difference(home: Path, *more: str) -> Difference:
    told = classify(home, "diff", "--city", CITY.name, "--format", "json", *more)
    return Difference.model_validate_json(told[told.index("{") :])


def test_what_must_be_looked_at_again_is_told_with_its_quote(home: Path) -> None:
    found = difference(home)
    assert (found.then.run_id, found.now.run_id) == tuple(ids(home))
    assert {one.url.rpartition("/")[2]: one.fate for one in found.pages} == {
        "rpa.html": Fate.CHANGED,
        "shomei.html": Fate.UNFETCHED,
        "new.html": Fate.NEW,
    }
    rpa = next(one for one in found.criteria if one.criterion == "ops-08")
    assert (rpa.then, rpa.now, rpa.reviewer, rpa.again) == (Verdict.MET, Verdict.NOT_MET, "佐藤", True)
    assert [(one.text, one.fate, one.stands) for one in rpa.quotes] == [(RPA, Fate.CHANGED, False)]
    kiosk = [one for one in found.criteria if any(quote.url.endswith("shomei.html") for quote in one.quotes)]
    assert kiosk and all(one.again for one in kiosk)
    untouched = {one.criterion for one in found.criteria if not (one.again or one.passages)}
    assert untouched == set()


def test_people_read_what_asks_for_work_first(home: Path) -> None:
    told = classify(home, "diff", "--city", CITY.name)
    again, pages = told.index("To look at again"), told.index("Pages: 1 as they were, 1 changed, 1 new")
    assert again < told.index("ops-08  met -> not_met  (confirmed by 佐藤; open again)") < told.index(RPA) < pages
    assert "- " + RPA in told[pages:]


def test_a_survey_beside_itself_differs_in_nothing(home: Path) -> None:
    with Store(database_of(home)) as store:
        last = store.runs()[-1]
        items = store.items(last.id)
    from pipeline.reading import Read
    from pipeline.run import seen_by
    from pipeline.settings import Settings

    read_: Read = seen_by(last, Settings(home=home, cache=home / "cache", db=""), lambda *_: None)
    with Archive(home / "archive") as archive:
        one = Survey(last, archive.snapshots(last.id), read_.pages, items, {})
    later = replace(one, run=last.model_copy(update={"started": last.started + timedelta(days=365)}))
    found = compare(one, later)
    assert (found.pages, found.criteria, found.unchanged) == ((), (), len(read_.pages))


def test_runs_are_named_by_a_beginning_and_listed_where_that_fails(home: Path, tmp_path: Path) -> None:
    first, second = ids(home)
    shared = next(at for at in range(len(first)) if first[at] != second[at])
    both = difference(home, "--from", first[: shared + 1], "--to", second)
    assert both == difference(home) == difference(home, "--from", first) == difference(home, "--to", second)
    told = classify(home, "runs", "--city", CITY.name)
    assert [line.split()[0] for line in told.splitlines()] == [first, second]
    for wrong in (["--from", "2019"], ["--to", first[:shared]], ["--from", first, "--to", first], ["--to", first]):
        told = classify(home, "diff", "--city", CITY.name, *wrong, code=2)
        assert first in told and second in told
