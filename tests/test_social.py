"""The official accounts are asked after the crawl: gently, within bounds, once, and every answer is evidence."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from crawling import CODE, RUN, plan
from hostile import Reply, Server, Site, hostile_replies, page, redirect, serve

from pipeline.archive import Archive
from pipeline.crawl import social
from pipeline.criteria import load
from pipeline.models import (
    Cause,
    CriteriaSet,
    Judgement,
    Municipality,
    Record,
    Run,
    Snapshot,
    SocialAccount,
    Source,
    Verdict,
)
from pipeline.panel import Wish, panel
from pipeline.run import Order, rejudge, seen_by, survey
from pipeline.services import SERVICES, Service, service_of
from pipeline.settings import Settings
from pipeline.store.store import Store
from tests.social_answers import CHANNEL, ago, atom, channel, lockup, rss

AS_OF = date(2026, 11, 20)
ELSEWHERE = "127.0.0.2"  # where the services answer: another host than the city's
XML = "text/xml; charset=UTF-8"
NO_FEEDS = "User-agent: *\nDisallow: /feeds/videos.xml\n"
FEED, VIDEOS = f"/feeds/videos.xml?channel_id={CHANNEL}", "/@shionagi/videos"


def tube(server: Server) -> tuple[Service, ...]:
    """The table of services, with YouTube at a server of ours."""
    return tuple(
        replace(one, hosts=(ELSEWHERE,), origin=server.url.rstrip("/")) if one.name == "YouTube" else one
        for one in SERVICES
    )


def xml(text: str) -> Reply:
    return Reply(text.encode(), media=XML)


Asked = tuple[tuple[SocialAccount, ...], Server, list[Snapshot]]


def answers(site: Site, folder: Path, *paths: str, times: int = 1, deadline_s: float = 5.0) -> Asked:
    """What came of asking the accounts at those paths of a server: their records, the server, all that is archived."""
    with serve(site, host=ELSEWHERE) as server, Archive(folder / "archive") as archive:
        services = tube(server)
        urls = [server.url.rstrip("/") + path for path in paths]
        accounts = [SocialAccount(url=url, service=service_of(url, services).name) for url in urls]
        for _ in range(times):
            done = [one.url for one in kept(archive)]
            asking = social.follow(
                accounts,
                replace(plan(server.url), deadline_s=deadline_s, max_bytes=2_000_000),
                archive=archive,
                code=CODE,
                run_id=RUN,
                done=done,
                progress=lambda *_: None,
                services=services,
            )
            asyncio.run(asking)
        return kept(archive), server, archive.snapshots(RUN)


def kept(archive: Archive) -> tuple[SocialAccount, ...]:
    notes = [one for one in archive.snapshots(RUN) if one.record is Record.RESOURCE]
    return tuple(SocialAccount.model_validate_json(archive.body(one.sha256)) for one in notes)


def test_a_channel_by_its_id_is_one_request(tmp_path: Path) -> None:
    site = {FEED: xml(atom(ago(AS_OF, 1, 2, 3)))}
    (account,), server, archived = answers(site, tmp_path, f"/channel/{CHANNEL}")
    assert server.paths() == ["/robots.txt", FEED]
    assert [(one.cause, bool(one.sha256)) for one in account.tried] == [(None, True)]
    assert {one.source for one in archived} == {Source.SOCIAL}


def test_a_handle_leads_over_its_page_to_the_feed(tmp_path: Path) -> None:
    site = {VIDEOS: channel([lockup("1 日前")]), FEED: xml(atom(ago(AS_OF, 1)))}
    (account,), server, _ = answers(site, tmp_path, "/@shionagi")
    assert server.paths() == ["/robots.txt", VIDEOS, FEED]
    assert [one.cause for one in account.tried] == [None, None]


def test_robots_are_kept_and_the_page_is_asked_where_the_feed_may_not_be(tmp_path: Path) -> None:
    site = {"/robots.txt": NO_FEEDS, VIDEOS: channel([lockup("1 日前")]), FEED: xml(atom([AS_OF]))}
    (account,), server, _ = answers(site, tmp_path, "/@shionagi")
    assert server.paths() == ["/robots.txt", VIDEOS]
    assert [one.cause for one in account.tried] == [None, Cause.ROBOTS]


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(b"", status=404), Cause.NOT_FOUND),
        (Reply(b"<p>no</p>", status=403), Cause.FORBIDDEN),
        (redirect("http://169.254.169.254/latest/"), Cause.REDIRECT),
        (redirect("https://accounts.example/login"), Cause.REDIRECT),
        (redirect(VIDEOS), Cause.REDIRECT),
        (hostile_replies()["/bomb.html"], Cause.TOO_LARGE),
        (hostile_replies()["/drip.html"], Cause.TIMEOUT),
        (Reply(b"\x89PNG", media="image/png"), Cause.MEDIA),
    ],
    ids=["gone", "forbidden", "private", "off the service", "circle", "bomb", "drip", "image"],
)
def test_what_does_not_answer_is_told_with_its_reason(tmp_path: Path, reply: Reply, cause: Cause) -> None:
    deadline_s = 0.5 if cause is Cause.TIMEOUT else 5.0
    (account,), _, _ = answers({VIDEOS: reply}, tmp_path, "/@shionagi", deadline_s=deadline_s)
    assert [one.cause for one in account.tried] == [cause]


def test_a_service_that_forbids_everything_is_asked_for_its_rules_alone(tmp_path: Path) -> None:
    site = {"/robots.txt": "User-agent: *\nDisallow: /\n"}
    accounts, server, _ = answers(site, tmp_path, "/@one", "/@two")
    assert server.paths() == ["/robots.txt"]
    assert [one.cause for account in accounts for one in account.tried] == [Cause.ROBOTS] * 2


def test_what_was_asked_is_not_asked_again(tmp_path: Path) -> None:
    site = {VIDEOS: channel([lockup("1 日前")])}
    accounts, server, _ = answers(site, tmp_path, "/@shionagi", times=2)
    assert len(accounts) == 1
    assert server.paths().count(VIDEOS) == 1


def test_an_answer_that_is_archived_is_used_where_the_record_is_missing(tmp_path: Path) -> None:
    """kill -9 between an answer and the record of its account."""
    with serve({VIDEOS: channel([])}, host=ELSEWHERE) as server, Archive(tmp_path / "archive") as archive:
        services = tube(server)
        account = SocialAccount(url=server.url + "@shionagi", service="YouTube")
        for _ in range(2):
            asking = social.follow(
                [account], plan(server.url), archive=archive, code=CODE, run_id=RUN, done=(),
                progress=lambda *_: None, services=services,
            )  # fmt: skip
            asyncio.run(asking)
        assert server.paths() == ["/robots.txt", VIDEOS, FEED]


def test_few_accounts_are_asked_and_few_things_of_each(tmp_path: Path) -> None:
    feeds = "".join(f'<link rel="alternate" type="application/rss+xml" href="/feed{n}">' for n in range(9))

    def site(path: str) -> Reply | str | None:
        return channel([], head=feeds) if path.endswith("/videos") else None

    accounts, server, _ = answers(site, tmp_path, *(f"/@a{number}" for number in range(12)))
    assert len(accounts) == social.MAX_ACCOUNTS
    assert len(server.pages()) <= social.MAX_ACCOUNTS * social.MAX_REQUESTS


def test_a_long_crawl_delay_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(social, "DEADLINE_S", 0.5)
    site = {"/robots.txt": "User-agent: *\nCrawl-delay: 100\n", VIDEOS: channel([])}
    accounts, server, _ = answers(site, tmp_path, "/@one", "/@two")
    assert server.paths() == ["/robots.txt"]
    assert [one.cause for account in accounts for one in account.tried] == [Cause.TIMEOUT] * 2


def test_messages_to_friends_are_not_asked_for(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive") as archive:
        account = SocialAccount(url="https://lin.ee/abc", service="LINE")
        asking = social.follow(
            [account], plan(""), archive=archive, code=CODE, run_id=RUN, done=(), progress=lambda *_: None
        )
        asyncio.run(asking)
        assert kept(archive) == (account,)
        assert len(archive.snapshots(RUN)) == 1


# --- the whole walk ---------------------------------------------------------------------------------------------------


SHIPPED = load("dx-2024")


def asked_about(*hosts: str) -> CriteriaSet:
    changed = tuple(
        one.model_copy(update={"link_hosts": hosts}) if one.probe == "post_frequency" else one
        for one in SHIPPED.criteria
    )
    return SHIPPED.model_copy(update={"criteria": changed})


def city(account: str) -> dict[str, str]:
    """A site whose footer names one account."""
    pages = [("/", "青空市"), ("/a.html", "ごみの出し方"), ("/b.html", "市税の納付")]
    links = [(path, title) for path, title in pages[1:]]
    frame = f'<footer><a href="{account}">青空市公式アカウント</a></footer></body>'
    return {path: page(*links, title=title).replace("</body>", frame) for path, title in pages}


def walk(home: Path, origin: str, url: str, criteria: CriteriaSet, *typed: str) -> Run:
    place = Municipality(code="999991", name="青空市", home_url=url)
    order = Order(
        municipality=place,
        criteria=criteria,
        as_of=AS_OF,
        origin=origin,
        sources=typed,
        delay_s=0.0,
        allow_private=True,
    )
    settings = Settings(home=home, cache=home / "cache", db="")
    return survey(order, settings=settings, panel=panel(Wish(judges="rules"), settings), watch=lambda *_: None).run


def judgement(home: Path, run: Run, criterion: str = "resident-05") -> Judgement:
    with Store(Settings(home=home, db="").database_url) as store:
        return next(one.judgement for one in store.items(run.id) if one.judgement.criterion == criterion)


def test_a_survey_measures_an_account_and_judges_it_again_without_the_network(tmp_path: Path) -> None:
    feed = rss(ago(AS_OF, 0, 3, 6, 9, 12))
    service: dict[str, Reply | str] = {"/@aozora.rss": xml(feed), "/about.html": page(title="案内")}
    criteria = asked_about(ELSEWHERE)
    with serve(service, host=ELSEWHERE) as elsewhere, serve(city(elsewhere.url + "@aozora")) as server:
        run = walk(tmp_path / "live", "crawl", server.url, criteria, elsewhere.url + "about.html")
    live = judgement(tmp_path / "live", run)
    assert live.verdict is Verdict.MET
    assert live.measurement is not None
    assert (live.measurement.value, live.measurement.urls) == (3.0, (elsewhere.url + "@aozora.rss",))
    with Archive(tmp_path / "live" / "archive") as archive:
        assert archive.body(live.measurement.sha256s[0]) == feed.encode()
        told = [one for one in archive.snapshots(run.id) if one.source is Source.SOCIAL]
    # robots.txt was read by the crawl of the typed address too: each of the two keeps its own
    assert [one.record for one in told] == [Record.RESPONSE, Record.RESPONSE, Record.RESOURCE]

    settings = Settings(home=tmp_path / "live", cache=tmp_path / "cache", db="")
    rejudge(run, criteria, settings=settings, panel=panel(Wish(judges="rules"), settings), watch=lambda *_: None)
    again = judgement(tmp_path / "live", run)
    assert (again.verdict, again.measurement) == (live.verdict, live.measurement)

    warc = next((tmp_path / "live" / "archive").rglob("*.warc.gz"))
    from_warc = walk(tmp_path / "warc", f"warc:{warc}", server.url, criteria)
    assert judgement(tmp_path / "warc", from_warc).measurement == live.measurement
    assert from_warc.coverage is not None
    assert from_warc.coverage.read == run.coverage.read


def test_a_service_that_fails_makes_the_citys_coverage_no_worse(tmp_path: Path) -> None:
    """Its pages are no pages of the city: neither read nor unread, and never text that a criterion is judged by."""
    says = page(title="青空市", text="青空市は、RPAを利用して入力作業を自動化しています。")
    service = {"/@aozora": says, "/about.html": page(title="案内")}
    with serve(service, host=ELSEWHERE) as elsewhere, serve(city(elsewhere.url + "@aozora")) as server:
        run = walk(tmp_path, "crawl", server.url, asked_about(ELSEWHERE), elsewhere.url + "about.html")
    assert {"/@aozora", "/@aozora.rss"} <= set(elsewhere.paths())
    found = judgement(tmp_path, run)
    assert (found.verdict, found.unread) == (Verdict.NOT_JUDGED, ())
    assert f"{elsewhere.url}@aozora.rss はページがない" in found.rationale
    assert f"{elsewhere.url}@aozora は投稿の日付を読み取れない" in found.rationale
    assert run.coverage is not None
    assert run.coverage.unread == ()
    assert run.coverage.read == 4  # three of the city, and the page that was typed
    settings = Settings(home=tmp_path, cache=tmp_path / "cache", db="")
    assert {one.source for one in seen_by(run, settings, lambda *_: None).pages.values()} == {
        Source.OFFICIAL,
        Source.PRESS,
    }
    rules = panel(Wish(judges="rules"), settings)
    rejudge(run, asked_about(ELSEWHERE), settings=settings, panel=rules, watch=lambda *_: None)
    assert judgement(tmp_path, run, "ops-08").verdict is Verdict.NO_EVIDENCE


def test_a_survey_of_a_private_site_tells_nobody_of_it(tmp_path: Path) -> None:
    with serve({}, host=ELSEWHERE) as elsewhere, serve(city(elsewhere.url + "@aozora")) as server:
        run = walk(tmp_path, "crawl", server.url, asked_about(ELSEWHERE))
    assert elsewhere.log == []
    assert "尋ねていない" in judgement(tmp_path, run).rationale


def test_criteria_without_the_probe_ask_nobody(tmp_path: Path) -> None:
    criteria = asked_about(ELSEWHERE)
    others = tuple(one for one in criteria.criteria if one.probe != "post_frequency")
    without = criteria.model_copy(update={"criteria": others})
    site = {"/about.html": page()}
    with serve(site, host=ELSEWHERE) as elsewhere, serve(city(elsewhere.url + "@aozora")) as server:
        walk(tmp_path, "crawl", server.url, without, elsewhere.url + "about.html")
    assert elsewhere.pages() == ["/about.html"]
