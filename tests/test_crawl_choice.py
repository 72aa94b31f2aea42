"""Which address is asked next: promise, hunger, what sections paid, what was said too often, and traps."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from crawling import plan, run
from hostile import Reply, page, serve

from pipeline.crawl.address import Address, State
from pipeline.crawl.choice import Choice, Offer
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.learned import Learned, Seen
from pipeline.crawl.relevance import Promise
from pipeline.crawl.scope import Kind
from pipeline.models import Cause

TERMS = (("ops-01", ("施設予約",)), ("ops-08", ("RPA",)), ("resident-06", ("チャットボット",)))


def offer(
    *, host: str = "x.jp", family: str = "f", parent: str = "<p", word: str = "~", form: str = "=", weight: float = 0.0,
    criterion: str = "ops-01", base: float = 0.01, loops: bool = False,
) -> Offer:  # fmt: skip
    weights = ((criterion, weight),) if weight else ()
    return Offer(host, (host, "folder", family, parent, word, form), weights, base, loops=loops)


def choice(*offers: Offer) -> Choice:
    """The offers, numbered from 1."""
    made = Choice()
    for number, one in enumerate(offers, start=1):
        made.add(number, one)
    return made


def taken(made: Choice, *hosts: str) -> list[int]:
    """All numbers in the order in which they are taken."""
    order = []
    while (number := made.take(hosts or ("x.jp",))) is not None:
        order.append(number)
    return order


def test_the_better_promise_goes_first_and_of_two_equals_the_older() -> None:
    assert taken(choice(offer(), offer(weight=1.0), offer(weight=1.0))) == [2, 3, 1]


def test_a_better_label_raises_an_address() -> None:
    made = choice(offer(base=0.01), offer(base=0.02))
    made.add(1, offer(weight=0.9))
    assert taken(made) == [1, 2]


def test_other_hosts_are_left_alone() -> None:
    made = choice(offer(weight=1.0))
    assert made.take(["y.jp"]) is None
    assert made.hosts() == ("x.jp",)


def test_a_hungry_criterion_goes_before_one_that_was_fed() -> None:
    made = choice(offer(weight=0.6, criterion="ops-01"), offer(weight=0.5, criterion="ops-08"))
    made.learned.fed["ops-01"] = 20.0
    made.changed()
    assert taken(made) == [2, 1]


@pytest.mark.parametrize("section", ["f", "<p", "~"])
def test_links_of_a_section_that_paid_go_first(section: str) -> None:
    """A family of addresses, a page that led to good ones, a word of labels: each learns."""
    field = {"f": "family", "<p": "parent", "~": "word"}[section]
    made = choice(offer(weight=0.5, **{field: "dull"}), offer(weight=0.5, **{field: "rich"}))  # type: ignore[arg-type]
    for _ in range(5):
        made.learned.read("rich", 1.0, 0.8)
        made.learned.read("dull", 1.0, 0.0)
        made.learned.read("x.jp", 1.0, 0.4)
    made.changed()
    assert taken(made) == [2, 1]


def test_the_tenth_link_of_one_form_is_worth_less_than_the_first_of_another() -> None:
    made = choice(offer(weight=0.5, form="=第回会議"), offer(weight=0.2, form="=公民館"))
    for _ in range(9):
        made.learned.read("=第回会議", 1.0, 0.1)
    made.changed()
    assert taken(made) == [2, 1]


def test_a_familys_links_to_itself_are_given_up_when_nothing_in_it_is_new() -> None:
    loop, way_in = offer(family="cal?*", loops=True, base=5.0), offer(family="cal?*", base=0.01)
    speaking = offer(family="cal?*", loops=True, weight=0.5)
    made = choice(loop, way_in, speaking)
    for _ in range(8):
        made.learned.read("cal?*", 0.0, 0.0)
    made.changed()
    assert taken(made) == [3, 2]
    assert len(made) == 1
    for _ in range(22):
        made.learned.read("cal?*", 0.0, 0.0)
    made.changed()
    made.add(4, speaking)
    assert taken(made) == []
    assert made.hosts() == ()


def test_a_family_with_news_is_not_given_up() -> None:
    learned = Learned()
    for number in range(200):
        learned.read("cal?*", 1.0 if number % 4 == 0 else 0.0, 0.0)
    assert learned.seen["cal?*"].novelty > 0.08


def test_what_is_chosen_depends_on_what_is_known_and_not_on_how_it_came_about() -> None:
    """3,000 addresses come and half are taken; a choice built anew from what is left takes them in the same order."""
    chance = random.Random(7)
    made, waiting = Choice(), {}
    for number in range(1, 3001):
        one = offer(
            family=f"f{chance.randrange(20)}",
            word=f"~{chance.randrange(9)}",
            form=f"={chance.randrange(99)}",
            weight=chance.choice((0.0, 0.2, 0.5)),
            base=chance.random() / 10,
        )
        made.add(number, one)
        waiting[number] = one
        if number % 2:
            got = made.take(["x.jp"])
            assert got is not None
            gone = waiting.pop(got)
            for name in gone.sections:
                made.learned.read(name, 1.0, chance.random())
            made.changed()
    again = Choice()
    for name, seen in made.learned.seen.items():
        again.learned.restore(name, Seen(seen.pages, seen.novelty, seen.paid))
    for number, one in waiting.items():
        again.add(number, one)
    assert taken(again) == taken(made)


# --- the file ---------------------------------------------------------------------------------------------------------


def _address(number: int, **changes: object) -> Address:
    weights = (("ops-01", 0.1 + number / 7), ("ops-08", 1 / 3))
    promise = Promise(weights, base=0.1 / 3, word="施設予約", form="施設予約の ご案内")
    return Address(f"http://x.jp/{number}", Kind.PAGE, f"{number}", "http://x.jp/", 1, promise, **changes)  # type: ignore[arg-type]


def test_a_file_opened_again_knows_every_digit(tmp_path: Path) -> None:
    with Frontier(tmp_path / "f.db") as frontier, frontier.step():
        for number in range(20):
            frontier.add(_address(number))
        first = frontier.take(["x.jp"])
        assert first is not None
        frontier.finish(first, State.READ)
        frontier.learn(first, novelty=0.1 + 0.2, paid=1 / 3, speaks_of={"ops-01": 0.7})
        known = dict(frontier.learned.seen), dict(frontier.learned.fed)
    with Frontier(tmp_path / "f.db") as frontier, frontier.step():
        assert (dict(frontier.learned.seen), dict(frontier.learned.fed)) == known
        rest = [frontier.take(["x.jp"]) for _ in range(19)]
    assert [one and (one.url, one.promise) for one in rest] == [
        (f"http://x.jp/{number}", _address(number).promise) for number in reversed(range(19))
    ]


def test_the_file_of_an_older_version_is_begun_anew(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "f.db") as old:
        old.execute("CREATE TABLE address (number INTEGER PRIMARY KEY, url TEXT, criterion TEXT)")
        old.execute("INSERT INTO address VALUES (1, 'http://x.jp/old', '')")
    with Frontier(tmp_path / "f.db") as frontier, frontier.step():
        frontier.add(_address(1))
        assert frontier.hosts() == ("x.jp",)
        assert not frontier.knows("http://x.jp/old")


# --- the site's own search --------------------------------------------------------------------------------------------

FORM = '<form action="/find"><input type="search" name="q"></form>'


def _city(results: str) -> dict[str, Reply | str]:
    return {
        "/": page(("/a.html", "市の概要")) + FORM,
        "/a.html": page(title="概要"),
        "/find?q=RPA": results,
        "/find?q=%E6%96%BD%E8%A8%AD%E4%BA%88%E7%B4%84": page(("/b.html", "会館のご案内"), title="検索結果"),
        "/find?q=%E3%83%81%E3%83%A3%E3%83%83%E3%83%88%E3%83%9C%E3%83%83%E3%83%88": page(title="検索結果 0件"),
        "/b.html": page(title="会館"),
        "/c.html": page(title="業務の改善"),
    }


def test_the_sites_own_search_finds_what_no_link_leads_to(tmp_path: Path) -> None:
    with serve(_city(page(("/c.html", "業務の改善"), title="検索結果"))) as server:
        crawled = run(plan(server.url, terms=TERMS), tmp_path)
    assert {"/b.html", "/c.html"} <= crawled.paths()
    assert crawled.coverage.read == 4, "results are followed and are no pages"
    assert crawled.coverage.unread == ()


def test_a_search_that_finds_nothing_is_not_asked_on(tmp_path: Path) -> None:
    site = _city("") | {
        "/find?q=%E6%96%BD%E8%A8%AD%E4%BA%88%E7%B4%84": page(title="0件"),
        "/find?q=RPA": page(title="0件"),
    }
    with serve(site) as server:
        run(plan(server.url, terms=TERMS), tmp_path)
        assert sum(path.startswith("/find") for path in server.paths()) == 2


def test_a_search_that_robots_txt_forbids_is_no_page_unread(tmp_path: Path) -> None:
    robots = {"/robots.txt": Reply(b"User-agent: *\nDisallow: /find", media="text/plain")}
    with serve(_city("") | robots) as server:
        crawled = run(plan(server.url, terms=TERMS), tmp_path)
        assert not [path for path in server.paths() if path.startswith("/find")]
    assert crawled.coverage.unread == ()


def test_a_search_elsewhere_is_left_alone(tmp_path: Path) -> None:
    with serve({"/find?q=RPA": page()}) as other:
        home = page() + f'<form action="{other.url}find"><input name="q"></form>'
        with serve({"/": home}) as server:
            crawled = run(plan(server.url, terms=TERMS), tmp_path)
        assert other.log == []
    assert Cause.ADDRESS not in crawled.causes().values()
