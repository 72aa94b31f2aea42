"""What people confirmed holds in a later survey while the pages they cited say the same, and opens again where not."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from queue_data import NOW, item, judgement, quote
from reviewing import Person, classify, database_of, serving_here
from tests_support import page_of

from pipeline.archive import Archive
from pipeline.criteria import load
from pipeline.models import Action, Municipality, Page, QueueItem, Region, Run, Verdict
from pipeline.panel import Wish, panel
from pipeline.review import queue
from pipeline.review.changes import Change, changes
from pipeline.review.team import AKASHI
from pipeline.run import Order, survey
from pipeline.settings import Settings
from pipeline.store.log import standing
from pipeline.store.store import Store

CITY = Municipality(code="x0123456789", name="茜浜市", home_url="https://www.city.akanehama.example/")
RPA = "本市では、令和6年4月から税務課の入力業務にRPAを導入しています。"
KIOSK = "住民票の写しは、マイナンバーカードを使ってコンビニエンスストアで取得できます。"


def html(title: str, *paragraphs: str, menu: str = "くらし") -> str:
    body = "".join(f"<p>{one}</p>" for one in paragraphs)
    return (
        f"<!DOCTYPE html><html lang=ja><meta charset=utf-8><title>{title}</title><nav><a href=/>{menu}</a></nav>"
        f"<main><h1>{title}</h1><p>更新日 2026年4月1日</p>{body}</main>"
    )


FILLER = "茜浜市の暮らしと手続きをご案内します。窓口の受付時間は午前8時30分から午後5時15分までです。"
SITE = {
    "index.html": html("茜浜市", FILLER),
    "rpa.html": html("業務の効率化", RPA, "入力の手間が大きく減りました。職員は相談の時間を増やせています。"),
    "shomei.html": html("証明書の取り方", KIOSK, "手数料は1通300円です。お問い合わせは市民課までお願いします。"),
}


def surveyed(home: Path, changed: dict[str, str | None]) -> Run:
    """A survey of the folder, with some of its pages changed (or gone)."""
    folder = home / "site"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (SITE | changed).items():
        if text is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_text(text, encoding="utf-8")
    settings = Settings(home=home, cache=home / "cache", db="")
    order = Order(CITY, load("dx-2024"), date(2026, 11, 20), origin=f"site:{folder}", fresh=True)
    return survey(order, settings=settings, panel=panel(Wish(), settings), watch=lambda *_: None).run


def confirmed(store: Store, run: Run) -> dict[str, QueueItem]:
    for one in store.items(run.id):
        if one.judgement.verdict is not Verdict.NOT_JUDGED and not standing(one.decisions):
            store.record(queue.approve(one, reviewer="佐藤", now=NOW))
    return of(store, run)


def of(store: Store, run: Run) -> dict[str, QueueItem]:
    return {one.judgement.criterion: one for one in store.items(run.id)}


def test_unchanged_pages_carry_their_confirmations_over(tmp_path: Path) -> None:
    first = surveyed(tmp_path, {})
    with Store(database_of(tmp_path)) as store:
        before = confirmed(store, first)
        assert before["ops-08"].judgement.verdict is Verdict.MET
        again = surveyed(tmp_path, {"index.html": html("茜浜市", FILLER, "ホームページを少し直しました。")})
        after = of(store, again)
        assert after["ops-08"].decisions == before["ops-08"].decisions
        assert standing(after["ops-08"].decisions) and standing(after["ops-05"].decisions)


def test_a_menu_that_changes_reopens_nothing(tmp_path: Path) -> None:
    first = surveyed(tmp_path, {})
    with Store(database_of(tmp_path)) as store:
        confirmed(store, first)
        page = html(
            "業務の効率化",
            RPA,
            "入力の手間が大きく減りました。職員は相談の時間を増やせています。",
            menu="新しいメニュー",
        )
        after = of(store, surveyed(tmp_path, {"rpa.html": page}))
        assert standing(after["ops-08"].decisions)


def test_a_measurement_keeps_its_confirmation_while_its_verdict_stays(tmp_path: Path) -> None:
    """A value is hardly ever the same twice; what a person confirmed is on which side of the threshold it lies."""
    with Store(database_of(tmp_path)) as store:
        first = confirmed(store, surveyed(tmp_path, {"news.xml": feed(2)}))["resident-01"]
        slower = of(store, surveyed(tmp_path, {"news.xml": feed(3)}))["resident-01"]
        too_slow = of(store, surveyed(tmp_path, {"news.xml": feed(4)}))["resident-01"]
        again = of(store, surveyed(tmp_path, {"news.xml": feed(1)}))["resident-01"]
    told = [(one.judgement.verdict, one.judgement.measurement.value) for one in (first, slower, too_slow, again)]
    assert told == [(Verdict.MET, 2), (Verdict.MET, 3), (Verdict.NOT_MET, 4), (Verdict.MET, 1)]
    assert [bool(standing(one.decisions)) for one in (first, slower, too_slow, again)] == [True, True, False, True]


def feed(days: int) -> str:
    """News that many days apart, up to the day of the survey."""
    news = (date(2026, 11, 20) - timedelta(days=days * number) for number in range(10))
    items = "".join(
        f"<item><title>お知らせ</title><pubDate>{format_datetime(at(day))}</pubDate></item>" for day in news
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>新着</title>{items}</channel></rss>'


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def test_what_carries_over_is_reported_with_the_copy_that_its_reviewer_saw(tmp_path: Path) -> None:
    first = surveyed(tmp_path, {})
    with Store(database_of(tmp_path)) as store:
        confirmed(store, first)
        page = html(
            "業務の効率化",
            RPA,
            "入力の手間が大きく減りました。職員は相談の時間を増やせています。",
            menu="新しいメニュー",
        )
        again = surveyed(tmp_path, {"rpa.html": page})
        cited_ = of(store, again)["ops-08"].decisions[0].quotes[0]
    made = classify(tmp_path, "report", "--city", CITY.name, "--out", str(tmp_path / "out"))
    assert made.returncode == 0, made.stderr
    text = Path(made.stdout.splitlines()[0]).read_text("utf-8")
    assert cited_.page_sha256 in text and f"{first.id}.warc.gz" in text


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (
            html("業務の効率化", RPA, "この取り組みの今後については、ただいま見直しの話し合いを進めております。"),
            "変わりました",
        ),
        (None, "読めませんでした"),
    ],
    ids=["another sentence beside it", "gone"],
)
def test_a_confirmation_whose_page_changed_goes_back_to_its_reviewer(
    tmp_path: Path, page: str | None, why: str
) -> None:
    """A person's own quote on a page that the judge never cited is watched as well."""
    first = surveyed(tmp_path, {})
    with Store(database_of(tmp_path)) as store:
        silent = of(store, first)["ops-09"]
        assert silent.judgement.verdict is Verdict.NO_EVIDENCE
        cited = of(store, first)["ops-08"].judgement.quotes
        amended = queue.amend(silent, verdict=Verdict.MET, quotes=cited, reviewer="佐藤", now=NOW)
        store.record(amended)
        again = surveyed(tmp_path, {"rpa.html": page})
        reopened = of(store, again)["ops-09"]
        assert [line.action for line in reopened.decisions] == [Action.AMEND, Action.RETURN]
        assert reopened.decisions[-1].reviewer == AKASHI
        assert why in reopened.decisions[-1].note and "rpa.html" in reopened.decisions[-1].note
        assert reopened in store.waiting(CITY.code)
        # Confirmed anew from what is there now, it carries over again.
        if page:
            store.record(queue.approve(reopened, reviewer="佐藤", now=NOW))
            third = surveyed(tmp_path, {"rpa.html": page})
            assert standing(of(store, third)["ops-09"].decisions)


def test_old_and_new_are_shown_side_by_side(tmp_path: Path) -> None:
    first = surveyed(tmp_path, {})
    with Store(database_of(tmp_path)) as store:
        confirmed(store, first)
        ended = "令和8年9月30日をもって、RPAの利用を終了しました。代わりの仕組みはありません。"
        again = surveyed(tmp_path, {"rpa.html": html("業務の効率化", ended)})
        number = of(store, again)["ops-08"].number
        assert of(store, again)["ops-08"].decisions == ()  # other evidence, so it is an item of its own
    with serving_here(tmp_path) as served, Person(served.origin) as me:
        me.get(served.link.removeprefix(served.origin))
        page = me.get(f"/items/{number}").text
        assert "以前の確認" in page
        then, now = page.split("確認した時のページ")[1].split("今回のページ")
        assert RPA in re.sub("<[^>]+>", "", then)
        assert ended in re.sub("<[^>]+>", "", now)


# --- the rule --------------------------------------------------------------------------------------------------------


def cited(page: Page, text: str, href: str = "") -> object:
    start = page.text.index(text)
    return quote(text, start=start, page_sha256=page.sha256, url=page.url, href=href)


OLD = page_of("# 業務の効率化", RPA, "問い合わせは総務課へ。")
FOOTER = page_of("公式LINE", "案内", region=Region.FOOTER, links=(("LINEで友だちになる", "https://line.example/a"),))


@pytest.mark.parametrize(
    ("old", "text", "new", "change"),
    [
        (OLD, RPA, OLD, None),
        (
            OLD,
            RPA,
            page_of("# 業務の効率化", RPA, "問い合わせは総務課へ。", links=(("x", "/x"),), link_region=Region.NAV),
            None,
        ),
        (OLD, RPA, page_of("# 業務の効率化", RPA, "問い合わせは税務課へ。"), Change.EDITED),
        (OLD, RPA, page_of("# 業務の効率化", "なくなりました。"), Change.EDITED),
        (OLD, RPA, None, Change.UNSEEN),
        (FOOTER, "公式LINE", page_of("公式LINE", "別の案内", region=Region.FOOTER), None),
        (FOOTER, "公式LINE", page_of("別の案内", region=Region.FOOTER), Change.EDITED),
    ],
)
def test_what_counts_as_changed(old: Page, text: str, new: Page | None, change: Change | None) -> None:
    found = changes([cited(old, text)], {old.sha256: old}, {new.url: new} if new else {})
    assert [one.change for one in found] == ([change] if change else [])


def test_a_link_that_leads_elsewhere_has_changed() -> None:
    one = cited(FOOTER, "LINEで友だちになる", "https://line.example/a")
    moved = page_of("公式LINE", region=Region.FOOTER, links=(("LINEで友だちになる", "https://line.example/b"),))
    assert [found.change for found in changes([one], {FOOTER.sha256: FOOTER}, {moved.url: moved})] == [Change.EDITED]


def test_a_page_that_the_archive_has_lost_cannot_be_compared() -> None:
    assert [one.change for one in changes([cited(OLD, RPA)], {}, {OLD.url: page_of(RPA)})] == [Change.EDITED]


def test_an_open_item_is_not_reopened() -> None:
    from pipeline.review.changes import Changed, reopened

    found = [Changed(quote(), Change.EDITED)]
    assert reopened(item(judgement()), found, now=NOW) is None


def test_the_archive_still_holds_what_was_confirmed(tmp_path: Path) -> None:
    first = surveyed(tmp_path, {})
    surveyed(tmp_path, {"rpa.html": None})
    with Store(database_of(tmp_path)) as store, Archive(tmp_path / "archive") as archive:
        for one in store.items(first.id):
            for cited_ in one.judgement.quotes:
                assert archive.body(cited_.page_sha256)
