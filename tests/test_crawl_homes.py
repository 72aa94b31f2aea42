"""A home page that moved is found where a public body can have moved it, is told from others', and is reported."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from commands import classify
from crawling import Crawled, plan, run
from hostile import Reply, Server, Site, page, redirect, serve

from pipeline.crawl import visit
from pipeline.crawl.homes import MOST_CANDIDATES, candidates
from pipeline.crawl.likeness import carries_name, of_another_prefecture
from pipeline.models import Cause, Coverage, Home, Municipality
from pipeline.municipality import Registry
from pipeline.urls import canonical

AOZORA = Municipality(code="112011", name="青空市", kana="あおぞらし", prefecture="埼玉県")
ADDRESS = "〒330-0000 埼玉県青空市本町1-1"
OLD, NEW = "www.city.aozora.saitama.jp", "www.city.aozora.lg.jp"


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the second try at a server that fails."""
    monkeypatch.setattr(visit, "_PAUSE_S", 0.05)


def home_of(name: str = "青空市", address: str = ADDRESS, *links: tuple[str, str]) -> str:
    return page(*(links or (("/a.html", "窓口"),)), title=f"{name}公式ホームページ", text=address)


SITE = {"/": home_of(), "/a.html": page(title="窓口")}


class Web:
    """Hosts by name, each a real server on a loopback address of its own, all on one port."""

    def __init__(self, servers: Mapping[str, Server], port: int) -> None:
        self.servers, self.port = servers, port

    def url(self, host: str, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def crawl(self, given: str, folder: Path, place: Municipality = AOZORA, **more: Any) -> Crawled:
        return run(plan(given, place=place, allow_private=("*",), **more), folder)


At = Callable[[str], str]


@contextmanager
def web(sites: Mapping[str, Site] | Callable[[At], Mapping[str, Site]]) -> Iterator[Web]:
    """Sites by host name, or a function of what gives a host's address. Every other name does not exist."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if callable(sites):
        sites = sites(lambda host: f"http://{host}:{port}/")
    addresses = {host: f"127.0.0.{number}" for number, host in enumerate(sites, start=2)}
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in addresses and not name[0].isdigit():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(addresses.get(name, name), *args, **kwargs)

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        servers = {
            host: stack.enter_context(serve(site, host=addresses[host], port=port)) for host, site in sites.items()
        }
        patch.setattr(socket, "getaddrinfo", resolve)
        yield Web(servers, port)


def home(crawled: Crawled) -> Home:
    assert crawled.coverage.home is not None
    return crawled.coverage.home


def test_a_name_that_is_gone_is_looked_for_under_lg_jp(tmp_path: Path) -> None:
    """The crawl's extent is the new host; what still links to the old one leads nowhere."""
    site = {"/": home_of("青空市", ADDRESS, ("/a.html", "窓口"), (f"http://{OLD}/old.html", "旧ページ"))}
    with web({NEW: site | {"/a.html": page(title="窓口")}}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
        assert crawled.coverage.home_read
        assert crawled.coverage.read == 2
        assert crawled.coverage.found == 3  # the given address, the new one and /a.html
        assert crawled.coverage.unread == ()
        found = home(crawled)
        assert (found.given, found.answered) == (there.url(OLD), there.url(NEW))
        assert found.moved and found.named and found.cause is Cause.DNS
        assert [one.url for one in found.tried] == [
            there.url("city.aozora.saitama.jp", scheme="https"),
            there.url(NEW, scheme="https"),
        ]
        assert [one.cause for one in found.tried] == [Cause.DNS, Cause.TLS]
        asked = len(there.servers[NEW].log)
        again = there.crawl(there.url(OLD), tmp_path)
        assert again.coverage == crawled.coverage and len(there.servers[NEW].log) == asked
        more = there.crawl(there.url(OLD), tmp_path, max_pages=500)
        assert (more.coverage.home, len(there.servers[NEW].log)) == (found, asked)


def test_http_and_https_and_www_are_tried_before_other_names(tmp_path: Path) -> None:
    with web({OLD: SITE}) as there:
        crawled = there.crawl(there.url(OLD, scheme="https"), tmp_path)
        assert (home(crawled).answered, home(crawled).cause) == (there.url(OLD), Cause.TLS)
        assert crawled.coverage.read == 2
    bare = OLD.removeprefix("www.")
    with web(lambda at: {bare: {"/": redirect(at(NEW))}, NEW: SITE}) as there:
        # The bare name speaks no TLS, so the search goes on to lg.jp.
        assert home(there.crawl(there.url(OLD), tmp_path / "www")).answered == there.url(NEW)


def test_a_path_that_is_gone_gives_way_to_the_hosts_root(tmp_path: Path) -> None:
    with web({OLD: SITE}) as there:
        crawled = there.crawl(there.url(OLD, "/old/index.html"), tmp_path)
        assert home(crawled).answered == there.url(OLD)
        assert home(crawled).cause is Cause.NOT_FOUND and not home(crawled).moved
        assert crawled.coverage.home_read and crawled.coverage.unread == ()


def test_a_redirect_to_a_public_bodys_name_is_told_as_a_move(tmp_path: Path) -> None:
    with web(lambda at: {OLD: {"/": redirect(at(NEW))}, NEW: SITE}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
    assert home(crawled) == Home(given=there.url(OLD), asked=there.url(OLD), answered=there.url(NEW))
    assert home(crawled).moved and crawled.coverage.read == 2


def test_a_name_that_a_stranger_has_bought_is_left_for_the_villages_own(tmp_path: Path) -> None:
    village = Municipality(code="013960", name="赤星村", kana="あかぼしむら", prefecture="北海道")
    old, new, stranger = "www.akaboshi.example", "www.vill.akaboshi.lg.jp", "casino.example"
    named = home_of("赤星村", "北海道空知郡赤星村字中央")
    with web(
        lambda at: {
            old: {"/": redirect(at(stranger))},
            stranger: {"/": page(title="カジノ")},
            new: {"/": named},
        }
    ) as there:
        crawled = there.crawl(there.url(old), tmp_path, village)
        assert there.servers[stranger].log == []
    assert (home(crawled).answered, home(crawled).cause) == (there.url(new), Cause.REDIRECT)
    assert all(stranger not in snapshot.final_url for snapshot in crawled.snapshots)


FUCHU = Municipality(code="132063", name="府中市", kana="ふちゅうし", prefecture="東京都")
TSU = Municipality(code="242012", name="津市", kana="つし", prefecture="三重県")
STRANGERS = {
    "a namesake of another prefecture": (FUCHU, "fuchu.lg.jp", home_of("府中市", "〒726-8601 広島県府中市府川町315")),
    "one that does not say which": (FUCHU, "fuchu.lg.jp", home_of("府中市", "府川町315")),
    "a name within another": (TSU, "tsu.lg.jp", home_of("大津市", "滋賀県大津市御陵町3-1")),
    "another body": (FUCHU, "fuchu.lg.jp", home_of("調布市", "東京都府中市の隣")),
    "a dealer in names": (
        FUCHU,
        "fuchu.lg.jp",
        page(title="府中市 - このドメインは販売中です", text="東京都府中市 This domain is for sale"),
    ),
    "nothing": (FUCHU, "fuchu.lg.jp", Reply(b"")),
    "an error": (FUCHU, "fuchu.lg.jp", Reply(home_of("府中市", "東京都府中市").encode(), status=503)),
    "a picture": (FUCHU, "fuchu.lg.jp", Reply(b"\x89PNG", media="image/png")),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_what_is_not_theirs_is_neither_taken_nor_archived(case: str, tmp_path: Path) -> None:
    place, ending, body = STRANGERS[case]
    new = f"www.city.{ending}"
    with web({new: {"/": body}}) as there:
        crawled = there.crawl(there.url(f"www.city.{ending.removesuffix('.lg.jp')}.tokyo.jp"), tmp_path, place)
        assert any(request.path == "/" for request in there.servers[new].log)
    assert not crawled.coverage.home_read
    assert crawled.coverage.read == 0
    assert [one.cause for one in crawled.coverage.unread] == [Cause.DNS]
    assert crawled.coverage.unread[0].url == home(crawled).given
    assert not home(crawled).answered
    assert 1 <= len(home(crawled).tried) <= MOST_CANDIDATES
    assert {snapshot.url.rpartition("/")[2] for snapshot in crawled.snapshots} <= {"robots.txt"}


def test_the_same_page_with_its_own_prefecture_is_taken(tmp_path: Path) -> None:
    with web({"www.city.fuchu.lg.jp": {"/": home_of("府中市", "〒183-8703 東京都府中市宮西町2-24")}}) as there:
        crawled = there.crawl(there.url("www.city.fuchu.tokyo.jp"), tmp_path, FUCHU)
    assert crawled.coverage.home_read


@pytest.mark.parametrize(
    "sign",
    [
        '<meta http-equiv="refresh" content="5;url=NEW"><p>お待ちください',
        '<title>青空市</title><p>新しいホームページはこちら<a href="NEW">NEW</a>',
        '<title>移転のお知らせ</title><p>青空市のホームページは移転しました。<a href="NEW">こちら</a>',
        '<title>青空市</title><script>location.href = "NEW";</script>',
    ],
)
def test_a_page_that_only_points_to_the_new_site_is_followed(sign: str, tmp_path: Path) -> None:
    with web(lambda at: {OLD: {"/": sign.replace("NEW", at(NEW))}, NEW: SITE}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
    assert home(crawled).answered == there.url(NEW)
    assert home(crawled).moved and home(crawled).named
    assert "/a.html" in crawled.paths()


def test_a_sign_to_another_body_is_not_followed_far(tmp_path: Path) -> None:
    """The page is read as it stands, and told: the crawl does not become that of the other body."""
    new = "www.city.unabara.lg.jp"
    other = {"/": home_of("海原市", "埼玉県海原市"), "/a.html": page(title="窓口")}
    sign = '<title>青空市</title><p>サイト移転<a href="NEW">NEW</a>'
    with web(lambda at: {OLD: {"/": sign.replace("NEW", at(new))}, new: other}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
        assert there.servers[new].pages() == ["/"]
    assert home(crawled).answered == there.url(OLD)
    assert [one.url for one in home(crawled).tried] == [there.url(new)]
    assert crawled.coverage.read == 1


def test_an_ordinary_home_page_that_links_to_the_prefecture_has_not_moved(tmp_path: Path) -> None:
    links = [("/a.html", "窓口"), ("http://www.pref.saitama.lg.jp/", "埼玉県"), *((f"/{n}", "x") for n in range(20))]
    site = {"/": page(*links, title="青空市", text="ホームページをリニューアルしました")} | {"/a.html": page()}
    with web({OLD: site}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
    assert home(crawled) == Home(given=there.url(OLD), asked=there.url(OLD), answered=there.url(OLD))


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("青空市ホームページ", True), ("青　空　市", True), ("ようこそ青空市へ", True), ("埼玉県青空市", True),
        ("埼玉県入間郡青空市", True), ("海原市", False), ("大青空市", False), ("HOME", False),
    ],
)  # fmt: skip
def test_a_given_page_without_the_name_is_read_and_told(title: str, named: bool, tmp_path: Path) -> None:
    with web({OLD: {"/": page(("/a.html", "a"), title=title), "/a.html": page()}}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
    assert crawled.coverage.read == 2
    assert home(crawled).named is named


@pytest.mark.parametrize(
    "head",
    [
        '<title>トップ</title><meta property="og:site_name" content="青空市">',
        '<title>HOME</title><h1><a href="/"><img src="x.png" alt="青空市"></a></h1>',
        "<title>HOME</title><h1>青空市</h1>",
    ],
)
def test_the_name_may_stand_in_og_site_name_or_in_the_picture_of_a_heading(head: str, tmp_path: Path) -> None:
    with web({OLD: {"/": f"<html><head>{head}</head><body><p>x</p></body></html>"}}) as there:
        assert home(there.crawl(there.url(OLD), tmp_path)).named


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_site_that_is_down_or_forbids_is_looked_for_nowhere_else(status: int, tmp_path: Path) -> None:
    with web({OLD: {"/": Reply(b"no", status=status, headers=(("Retry-After", "0"),))}, NEW: SITE}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
        assert there.servers[NEW].log == []
    assert not crawled.coverage.home_read and home(crawled).tried == ()


def test_a_host_that_asks_to_be_left_alone_is_not_asked_under_another_spelling(tmp_path: Path) -> None:
    robots = {"/robots.txt": Reply(b"", status=500)}
    with web({OLD: robots, OLD.removeprefix("www."): SITE, NEW: SITE}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
        assert set(there.servers[OLD].paths()) == {"/robots.txt"}
        assert there.servers[OLD.removeprefix("www.")].log == []
        assert home(crawled).answered == there.url(NEW)


def test_robots_txt_of_a_candidate_is_kept(tmp_path: Path) -> None:
    with web({NEW: SITE | {"/robots.txt": Reply(b"User-agent: *\nDisallow: /", media="text/plain")}}) as there:
        crawled = there.crawl(there.url(OLD), tmp_path)
        assert set(there.servers[NEW].paths()) == {"/robots.txt"}
    assert Cause.ROBOTS in {one.cause for one in home(crawled).tried}


def test_private_addresses_stay_closed_for_candidates(tmp_path: Path) -> None:
    with web({NEW: SITE}) as there:
        crawled = run(plan(there.url(OLD), place=AOZORA, allow_private=(f"{OLD}:{there.port}",)), tmp_path)
        assert there.servers[NEW].log == []
    assert Cause.ADDRESS in {one.cause for one in home(crawled).tried}


def test_an_ip_address_is_no_name_to_go_by(tmp_path: Path) -> None:
    with serve({}) as server:
        crawled = run(plan(server.url, place=AOZORA), tmp_path)
    assert {one.url for one in home(crawled).tried} == {server.url.replace("http:", "https:")}


# --- the rules, over the registry -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def registry(shared: Path) -> Registry:
    return Registry.read(shared / "data" / "localgovjp" / "localgovjp-utf8.csv")


def test_no_municipality_takes_the_name_of_another(registry: Registry) -> None:
    pairs = 0
    for one in registry.municipalities:
        for other in registry.municipalities:
            if one.name != other.name and one.name in other.name:
                pairs += 1
                for title in (other.name, f"{other.name}公式ホームページ", f"{other.prefecture}{other.name}役場"):
                    assert not carries_name(one, (title,)), (one.name, title)
    assert pairs > 90


def test_every_municipality_knows_its_own_name_and_host(registry: Registry) -> None:
    for one in (*registry.municipalities, *registry.prefectures):
        for title in (f"{one.name}ホームページ", f"トップ | {one.prefecture}{one.name}", f"ようこそ {one.name} へ"):
            assert carries_name(one, (title,)), title
        assert not of_another_prefecture(one, canonical(one.home_url or "") or "")


def test_candidates_are_few_and_of_public_bodies(registry: Registry) -> None:
    for one in (*registry.municipalities, *registry.prefectures):
        given = canonical(one.home_url or "") or ""
        for cause in Cause:
            found = candidates(given, one, cause)
            assert len(found) <= MOST_CANDIDATES and given not in found
    fuchu = registry.find("広島県府中市")
    assert candidates("https://www.city.fuchu.hiroshima.jp/", fuchu, Cause.DNS) == (
        "https://city.fuchu.hiroshima.jp/",
        "https://www.city.fuchu.lg.jp/",
        "http://www.city.fuchu.lg.jp/",
    )
    assert candidates("https://www.akaigawa.com/x/", registry.find("赤井川村"), Cause.NOT_FOUND) == (
        "https://www.akaigawa.com/",
        "http://www.akaigawa.com/x/",
        "https://akaigawa.com/x/",
        "https://www.vill.akaigawa.lg.jp/",
        "http://www.vill.akaigawa.lg.jp/",
        "https://www.vill.akaigawa.hokkaido.jp/",
    )
    assert candidates("https://www.akaigawa.com/", fuchu, Cause.SERVER) == ()


# --- what the user sees -----------------------------------------------------------------------------------------------


def test_the_move_is_told_on_the_terminal_and_in_the_report(tmp_path: Path) -> None:
    with serve(SITE) as server:
        given = server.url + "old/top.html"
        ask = ("--city", "青空市", "--url", given, "--allow-private", "--delay", "0", "--registry", str(tmp_path / "r"))
        (tmp_path / "r").write_text(
            "pref,city,citykana,url,lgcode\n埼玉県,青空市,あおぞらし,http://x.example/,112011\n", "utf-8"
        )
        told = classify(tmp_path / "home", *ask)
    assert f"{given} was given (status 404); the site answers at {server.url}." in told
    classify(tmp_path / "home", "report", "--city", "青空市", "--registry", str(tmp_path / "r"))
    report = unescape(next((tmp_path / "home" / "reports").rglob("*.md")).read_text("utf-8"))
    assert f"指定のアドレス {given}（ページがない（404・410））ではなく、{server.url} で応答" in report


def test_a_home_page_without_the_name_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("pref,city,citykana,url,lgcode\n埼玉県,青空市,あおぞらし,,112011\n", "utf-8")
    with serve({"/": page(("/a.html", "a"), title="中古車情報"), "/a.html": page()}) as server:
        ask = ("--city", "aozora", "--url", server.url, "--allow-private", "--delay", "0")
        told = classify(tmp_path / "home", *ask, "--registry", str(tmp_path / "r"))
    assert f"Warning: {server.url} does not carry the name 青空市." in told
    classify(tmp_path / "home", "report", "--city", "aozora", "--registry", str(tmp_path / "r"))
    report = next((tmp_path / "home" / "reports").rglob("*.md")).read_text("utf-8")
    assert "別の団体や第三者のサイトでないか" in report


def test_a_coverage_of_an_earlier_version_still_loads() -> None:
    kept = (
        '{"home_read":true,"found":1,"fetched":1,"read":1,"unread":[],"pending":[],'
        '"started":"2026-01-01T00:00:00Z","finished":"2026-01-01T00:00:00Z","max_pages":400}'
    )
    assert Coverage.model_validate_json(kept).home is None
