"""Posts of official accounts: whose they are, on which days, and what their gaps say, with every edge where a false
`met` or a failure that reads as silence could come in."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.criteria import load
from pipeline.extract import extract, feeds, from_page, posts_in, posts_on
from pipeline.judge.accounts import official
from pipeline.judge.actor import Names
from pipeline.judge.ages import at_most
from pipeline.judge.gaps import between, days_of
from pipeline.judge.posting import post_frequency
from pipeline.judge.probes import update_frequency
from pipeline.models import Cause, DatedList, Municipality, Page, Region, SocialAccount, Source, Tried, Verdict
from pipeline.services import account_key, service_of
from tests.make_pages import snapshot
from tests.social_answers import CHANNEL, ago, atom, channel, declared, lockup, renderer, rss
from tests.tests_support import page_of

AS_OF = date(2026, 11, 20)
CRITERIA = load("dx-2024")
CRITERION = CRITERIA.criterion("resident-05")
NAMES = Names(Municipality(code="999991", name="汐凪市", prefecture="霞県"))
YOUTUBE = "https://www.youtube.com/@shionagi"
X = "https://x.com/shionagi"


# --- whose account ----------------------------------------------------------------------------------------------------


TUBE, BOOK, SKY = "https://www.youtube.com", "https://www.facebook.com", "https://bsky.app"
FEED = f"{TUBE}/feeds/videos.xml?channel_id={CHANNEL}"


@pytest.mark.parametrize(
    ("url", "service", "account", "feed", "page"),
    [
        (f"{TUBE}/channel/{CHANNEL}/playlists?view=50", "YouTube", f"/channel/{CHANNEL}", FEED, "/videos"),
        ("http://youtube.com/user/shionagi", "YouTube", "/user/shionagi", "", "/videos"),
        ("https://m.youtube.com/@shionagi/featured", "YouTube", "/@shionagi", "", "/videos"),
        (f"{TUBE}/watch?v=abcdefghijk", "YouTube", None, "", None),
        ("https://twitter.com/shionagi?ref_src=twsrc", "X", "/shionagi", "", ""),
        ("https://twitter.com/shionagi/status/12", "X", "/shionagi", "", ""),
        ("https://twitter.com/intent/tweet?text=a", "X", None, "", None),
        (f"{BOOK}/profile.php?id=1000", "Facebook", "/profile.php?id=1000", "", ""),
        (f"{BOOK}/sharer/sharer.php?u=a", "Facebook", None, "", None),
        ("https://note.com/shionagi/n/n0a1b", "note", "/shionagi", "https://note.com/shionagi/rss", ""),
        (f"{SKY}/profile/a.example", "Bluesky", "/profile/a.example", f"{SKY}/profile/a.example/rss", ""),
        ("https://mstdn.jp/@shionagi", "mstdn.jp", "/@shionagi", "https://mstdn.jp/@shionagi.rss", ""),
        ("https://lin.ee/abc", "LINE", "/abc", "", None),
        ("https://youtube.com.evil.example/x", "youtube.com.evil.example", "/x", "", ""),
    ],
)  # fmt: skip
def test_an_account_has_one_address_and_its_public_sources(
    url: str, service: str, account: str | None, feed: str, page: str | None
):
    """account: the path of its address; page: what follows it on the page that lists its posts."""
    found = service_of(url)
    address = found.address(url)
    assert (found.name, found.feed_of(url)) == (service, feed)
    assert address.partition("//")[2].partition("/")[1:] == (("/", account[1:]) if account else ("", ""))
    assert found.page_of(url) == (address + page if page is not None else "")


def test_a_page_that_names_its_channel_leads_to_the_feed():
    service, page = service_of(YOUTUBE), channel([])
    assert service.feed_named_on(page, YOUTUBE) == FEED
    head = f'<link rel="canonical" href="https://www.youtube.com/channel/{CHANNEL}">'
    assert service.feed_named_on(f"<html>{head}", YOUTUBE) == FEED
    assert service.feed_named_on("<html>", YOUTUBE) == ""


def found_on(
    label: str,
    href: str = X,
    *,
    region: Region = Region.MAIN,
    title: str = "",
    heading: str = "",
    source: Source = Source.OFFICIAL,
):
    page = page_of("文", title=title, links=((label, href),), link_region=region, source=source)
    if heading:
        page = page.model_copy(
            update={"links": tuple(one.model_copy(update={"headings": (heading,)}) for one in page.links)}
        )
    return official(CRITERION, [page], NAMES)


@pytest.mark.parametrize(
    ("label", "place", "proven"),
    [
        ("汐凪市公式X", {}, [True]),
        ("市公式フェイスブック", {}, [True]),
        ("X(旧Twitter)", {"region": Region.FOOTER}, [True]),
        ("", {"region": Region.NAV}, [True]),
        ("Instagram", {"heading": "公式SNS"}, [True]),
        ("図書館 X", {"heading": "SNS一覧"}, [True]),
        ("Instagram", {"heading": "カフェ山田", "title": "カフェめぐり|汐凪市公式サイト"}, [False]),
        ("喫茶たまき公式Instagram", {"heading": "市内の店のSNS"}, [False]),
        ("山田建設 Facebook", {"region": Region.FOOTER}, [False]),
        ("汐凪市の花火大会実行委員会公式X", {}, [False]),
        ("X", {"region": Region.FOOTER, "title": "汐凪市観光協会"}, [False]),
        ("この記事をシェア", {"region": Region.FOOTER}, []),
        ("霞県公式X", {"region": Region.FOOTER}, []),
        ("汐凪市公式X", {"source": Source.SERVICE}, []),
        ("汐凪市公式X", {"source": Source.PRESS}, []),
        ("汐凪市公式X", {"href": "https://x.com/share?url=a"}, []),
    ],
)
def test_only_what_is_plainly_the_municipalitys_own_is_proven(label: str, place: dict[str, object], proven: list[bool]):
    assert [one.proven for one in found_on(label, **place)] == proven


def test_each_account_is_told_once_and_the_talkative_services_first():
    footer = ((("X"), X), ("Facebook", "https://www.facebook.com/shionagi"), ("YouTube", YOUTUBE + "/featured"))
    pages = [page_of(f"文{number}", links=footer, link_region=Region.FOOTER) for number in range(3)]
    pages.append(page_of("文", links=(("公式X", "https://twitter.com/Shionagi/status/1"),)))
    assert [one.url for one in official(CRITERION, pages, NAMES)] == [YOUTUBE, X, "https://www.facebook.com/shionagi"]


# --- on which days ----------------------------------------------------------------------------------------------------


def posts(text: str, media: str = "text/html; charset=utf-8") -> DatedList | None:
    body = text.encode()
    return posts_in(snapshot(body, url=YOUTUBE, content_type=media), body, YOUTUBE)


def test_a_feed_tells_publications_and_not_changes():
    found = posts(atom(ago(AS_OF, 40, 47), updated=AS_OF), "text/xml")
    assert found is not None
    assert (found.kind, found.account, found.partial) == ("posts", YOUTUBE, False)
    assert found.dates == tuple(ago(AS_OF, 40, 47))
    assert posts(rss(ago(AS_OF, 1, 2)), "application/rss+xml").dates == tuple(ago(AS_OF, 1, 2))


def test_a_declared_post_counts_and_another_declared_thing_does_not():
    found = posts(declared(ago(AS_OF, 1, 3)))
    assert found is not None
    assert (found.dates, found.partial) == (tuple(ago(AS_OF, 1, 3)), True)
    assert posts(declared(ago(AS_OF, 1, 3), "Event")) is None


NOW = datetime(2026, 11, 20, tzinfo=UTC)  # when make_pages.snapshot was fetched: 9:00 in Japan


@pytest.mark.parametrize(
    ("age", "first", "last"),
    [
        ("40 秒前", 0, 0),
        ("5 時間前", 0, 0),
        ("9 時間前", 1, 0),
        ("23 hours ago", 1, 1),
        ("1 日前", 2, 1),
        ("3 日前", 4, 3),
        ("配信済み: 3 日前", 4, 3),
        ("Streamed 3 days ago", 4, 3),
        ("2 週間前", 21, 14),
        ("1 か月前", 62, 28),
        ("1 ヶ月前", 62, 28),
        ("11 months ago", 372, 308),
        ("1 年前", 732, 365),
    ],
)
def test_an_age_is_a_span_of_days(age: str, first: int, last: int):
    for item in (lockup(age), renderer(age)):
        found = posts(channel([item]))
        assert found is not None
        assert (found.spans, found.dates, found.partial) == ((tuple(ago(AS_OF, first, last)),), (), True)


@pytest.mark.parametrize("age", ["2026/11/30 に公開予定", "1,234 回視聴", "3 日前に見た", "", "999 年前", "まもなく"])
def test_other_words_are_no_age(age: str):
    found = posts(channel([lockup(age), renderer(age)]))
    assert found is None or found.spans[0][1] < date(1100, 1, 1)


def test_only_the_channels_own_videos_count():
    assert posts(channel([lockup("1 日前", kind="PLAYLIST")])) is None
    assert posts(channel([])) is None


BOMB = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + rss(ago(AS_OF, 1, 2, 3)).partition("?>")[2]
ODD = (
    *("", "gestern", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "Thu, 45 Foo 2026 99:00", "2026-02-30"),
    "2026-11-19T10:00:00+09:00",
)


def test_hostile_feeds_tell_nothing_or_what_is_sound_in_them(monkeypatch: pytest.MonkeyPatch):
    assert posts('<?xml version="1.0"?>' + BOMB, "text/xml") is None
    odd = "".join(f"<item><pubDate>{text}</pubDate></item>" for text in ODD)
    assert posts(f"<rss><channel>{odd}</channel></rss>", "text/xml").dates == tuple(ago(AS_OF, 1))
    monkeypatch.setattr(feeds, "_MAX_DATES", 500)
    many = posts(rss([AS_OF - timedelta(days=number % 4000) for number in range(1_000)]), "text/xml")
    assert many is not None
    assert len(many.dates) == 500


@pytest.mark.parametrize(
    "text",
    [
        "ytInitialData = " + "[" * 100_000,
        "ytInitialData = {" + '"a":{' * 5_000,
        'ytInitialData = {"richGridRenderer": 3}',
        'ytInitialData = {"richGridRenderer": {"contents": [null, 3, {"lockupViewModel": [1]}]}}',
        'ytInitialData = {"richGridRenderer": {"contents": [{"publishedTimeText": {"runs": [3, {}]}}]}}',
        "application/ld+json" * 50_000,
        '<script type="application/ld+json">' * 50_000,
        '<script type="application/ld+json">{"@type": ["Article"], "datePublished": [3]}</script>',
        "<feed", "<?xml", "",
    ],
    ids=range(11),
)  # fmt: skip
def test_hostile_pages_tell_nothing(text: str):
    assert posts(text) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(body: bytes):
    posts_in(snapshot(b""), b"<rss><item><pubDate>" + body, X)
    posts_in(snapshot(b""), b"<script>ytInitialData = {" + body, X)


def shown(html: str) -> tuple[DatedList, ...]:
    body = html.encode()
    page = extract(snapshot(body), body)
    assert isinstance(page, Page)
    return posts_on(page, AS_OF)


def line(day: date) -> str:
    return f"<li>{day.year}年{day.month}月{day.day}日 <a href={X}/status/{day.day}>避難所を開設しました</a></li>"


LINES = "".join(map(line, ago(AS_OF, 1, 3, 6, 8, 11)))


def test_posts_that_a_page_shows_count_where_they_are_plainly_one_accounts():
    heading = "<h1>汐凪市</h1><p>ようこそ。</p><h2>公式X（旧Twitter）最新の投稿</h2>"
    (found,) = shown(f"{heading}<ul>{LINES}</ul>")
    assert (found.account, found.partial, found.dates) == (X, True, tuple(ago(AS_OF, 1, 3, 6, 8, 11)))
    other = '<li><a href="https://x.com/neighbour">隣の市</a></li>'
    assert shown(f"{heading}<ul>{LINES}{other}</ul>") == ()
    assert shown(f"<h1>汐凪市</h1><h2>新着情報</h2><ul>{LINES}</ul>") == ()
    assert shown(f"<h1>汐凪市</h1><h2>公式X 運用方針の更新履歴</h2><ul>{LINES}</ul>") == ()


def test_shown_posts_are_no_news_of_the_site():
    body = f"<h1>汐凪市</h1><p>文。</p><h2>公式X（旧Twitter）最新の投稿</h2><ul>{LINES}</ul>".encode()
    page = extract(snapshot(body, url="https://www.city.example.lg.jp/"), body)
    assert isinstance(page, Page)
    assert from_page(page, AS_OF) is None


# --- what the gaps say ------------------------------------------------------------------------------------------------


def account(url: str = YOUTUBE, *, proven: bool = True, tried: tuple[Tried, ...] = ()) -> SocialAccount:
    return SocialAccount(url=url, service=account_key(url)[0], proven=proven, tried=tried)


def told(url: str, days: list[int], **more: object) -> DatedList:
    sha256, dates = f"{len(url):02x}" * 32, tuple(ago(AS_OF, *days))
    return DatedList(url=url + "/feed", sha256=sha256, kind="posts", account=url, dates=dates, **more)


def judged(*lists: DatedList, known: tuple[SocialAccount, ...] = (account(),), asked: tuple[SocialAccount, ...] = ()):
    return post_frequency(CRITERION, known, asked, lists, AS_OF)


@pytest.mark.parametrize(
    ("days", "verdict", "value"),
    [
        ([0, 7, 14], Verdict.MET, 7.0),
        ([0, 7, 15], Verdict.NOT_MET, 7.5),
        ([0, 0, 0, 0, 10, 20], Verdict.NOT_MET, 10.0),
        ([28, 30, 32], Verdict.MET, 2.0),
        ([29, 30, 32], Verdict.NOT_JUDGED, None),
        ([0, 5], Verdict.NOT_JUDGED, None),
        ([0, 5, 61], Verdict.NOT_MET, 30.5),
        ([0, 5, 300], Verdict.NOT_MET, 150.0),
        ([59, 60, 61], Verdict.NOT_JUDGED, None),
        ([100, 200], Verdict.NOT_MET, 100.0),
        ([-1, -2, -3, -4], Verdict.NOT_JUDGED, None),
        ([-400, -3, 0, 20, 40], Verdict.NOT_MET, 20.0),
        ([60, 20, 10], Verdict.NOT_MET, 25.0),
        ([], Verdict.NOT_JUDGED, None),
    ],
)
def test_the_median_gap_of_days_with_a_post(days: list[int], verdict: Verdict, value: float | None):
    proposal = judged(told(YOUTUBE, days))
    assert proposal.verdict is verdict
    assert (proposal.measurement.value if proposal.measurement else None) == value
    assert proposal.rationale


def test_a_measurement_says_from_what_it_was_made():
    proposal = judged(told(YOUTUBE, [0, 2, 4]))
    made = proposal.measurement
    assert made is not None
    assert (made.name, made.unit, made.threshold) == ("投稿間隔の中央値", "日", 7.0)
    assert (made.values, made.readings) == ((2.0, 2.0), ("2026-11-16", "2026-11-18", "2026-11-20"))
    assert (made.urls, made.sha256s) == ((YOUTUBE + "/feed",), (proposal.searched))
    assert YOUTUBE in proposal.rationale


def test_the_densest_account_decides():
    both = (account(), account(X))
    proposal = judged(told(YOUTUBE, [0, 30, 60]), told(X, [0, 3, 6, 9]), known=both)
    assert proposal.verdict is Verdict.MET
    assert proposal.measurement is not None
    assert proposal.measurement.urls == (X + "/feed",)


def test_an_account_that_could_not_be_read_may_be_the_lively_one():
    slow = told(YOUTUBE, [0, 20, 40])
    denied = Tried(url=X, cause=Cause.ROBOTS)
    proposal = judged(slow, known=(account(), account(X)), asked=(account(X, tried=(denied,)),))
    assert proposal.verdict is Verdict.NOT_JUDGED
    assert "間隔の中央値は20日" in proposal.rationale
    assert f"{X} はrobots.txtが収集を認めていない" in proposal.rationale
    unsure = judged(slow, known=(account(), account(X, proven=False)))
    assert unsure.verdict is Verdict.NOT_JUDGED
    assert judged(slow, told(X, [0, 9, 19]), known=(account(), account(X))).verdict is Verdict.NOT_MET


def test_an_account_that_is_not_proven_is_never_measured():
    assert judged(told(X, [0, 1, 2, 3]), known=(account(X, proven=False),)).verdict is Verdict.NOT_JUDGED
    assert judged(told(X, [0, 1, 2, 3]), known=()).verdict is Verdict.NOT_JUDGED


def test_what_may_leave_posts_out_never_says_not_met():
    assert judged(told(YOUTUBE, [0, 20, 40], partial=True)).verdict is Verdict.NOT_JUDGED
    assert judged(told(YOUTUBE, [0, 3, 6], partial=True)).verdict is Verdict.MET


def test_the_whole_list_of_an_account_wins_over_a_part_of_it():
    part = told(YOUTUBE, [0, 1, 2, 3], partial=True)
    assert judged(part, told(YOUTUBE, [0, 9, 18])).verdict is Verdict.NOT_MET
    assert judged(part, told(YOUTUBE, [0, 1])).verdict is Verdict.MET


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ((), "尋ねていない"),
        ((account(),), "投稿の日付を公開している一覧がない"),
        ((account(tried=(Tried(url="https://a.example/", sha256="a" * 64),)),), "投稿の日付を読み取れない"),
        ((account(tried=(Tried(url="https://a.example/", cause=Cause.NOT_FOUND),)),), "ページがない(404・410)"),
        ((account(tried=(Tried(url="https://a.example/", cause=Cause.DNS),)),), "読めない(dns)"),
    ],
)
def test_why_nothing_tells_is_said(asked: tuple[SocialAccount, ...], says: str):
    proposal = judged(asked=asked)
    assert (proposal.verdict, proposal.measurement) == (Verdict.NOT_JUDGED, None)
    assert YOUTUBE in proposal.rationale
    assert says in proposal.rationale


def test_posts_are_no_updates_of_the_site():
    assert update_frequency(CRITERIA.criterion("resident-01"), [told(X, [0, 1, 2, 3])], AS_OF).verdict is (
        Verdict.NOT_JUDGED
    )


# --- posts dated by their age alone -----------------------------------------------------------------------------------


def spans(*edges: tuple[int, int]) -> tuple[tuple[date, date], ...]:
    """Spans between so many days ago."""
    return tuple((AS_OF - timedelta(days=first), AS_OF - timedelta(days=last)) for first, last in edges)


def aged(*edges: tuple[int, int]) -> DatedList:
    return told(YOUTUBE, [], spans=spans(*edges), partial=True)


@pytest.mark.parametrize(
    ("edges", "verdict"),
    [
        ([(day + 1, day) for day in range(0, 14, 2)], Verdict.MET),
        ([(1, 0), (8, 7), (15, 14)], Verdict.NOT_JUDGED),  # 6 to 8 days apart
        ([(1, 0), (7, 6), (13, 12)], Verdict.MET),  # 5 to 7 days apart
        ([(21, 14)] * 9, Verdict.NOT_JUDGED),  # may all be of one day
        ([(62, 28)] * 9, Verdict.NOT_JUDGED),
        ([(30, 29), (31, 30), (33, 32), (35, 34)], Verdict.NOT_JUDGED),  # silent since
        ([(62, 28), (93, 56), (124, 84)], Verdict.NOT_JUDGED),
        ([(0, -1), (-1, -2), (-2, -3)], Verdict.NOT_JUDGED),  # after the day of the survey
        ([], Verdict.NOT_JUDGED),
    ],
)
def test_an_age_counts_where_every_reading_agrees(edges: list[tuple[int, int]], verdict: Verdict):
    proposal = judged(aged(*edges))
    assert proposal.verdict is verdict
    if proposal.measurement is not None:
        assert proposal.measurement.name == "投稿間隔の中央値(上限)"
        assert all("/" in reading for reading in proposal.measurement.readings)


def test_the_bound_holds_for_every_reading():
    """Against all readings of small lists, one by one; and it is not far off."""
    chance, near = random.Random(20261120), 0
    bounds = []
    for _ in range(150):
        starts = sorted(chance.sample(range(-2, 50), chance.randint(3, 4)))
        edges = spans(*((start + chance.randint(0, 3), start) for start in starts))
        if (bound := at_most(edges, AS_OF)) is None:
            continue
        ranges = [[first + timedelta(days=at) for at in range((last - first).days + 1)] for first, last in edges]
        for reading in itertools.product(*ranges):
            days = days_of(told(YOUTUBE, []).model_copy(update={"dates": reading}), AS_OF)
            assert len(days) >= 3
            assert median(between(days)) <= bound
            near += median(between(days)) > bound - 3
        bounds.append(bound)
    assert len(bounds) > 30
    assert near > len(bounds)


def test_spans_within_each_other_tell_no_order():
    assert at_most(spans((10, 0), (6, 4), (3, 2), (1, 1)), AS_OF) is None
