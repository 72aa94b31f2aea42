"""One form for each address, None for what must not be asked, and where a municipality's site ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.urls import canonical, in_scope, mirrored, of_public_body, site

BASE = "https://www.city.example.lg.jp/kurashi/gomi/index.html"
SAME = [
    ("HTTPS://WWW.City.Example.LG.JP:443/a", "https://www.city.example.lg.jp/a"),
    ("http://x.jp:80", "http://x.jp/"),
    ("http://x.jp:/", "http://x.jp/"),
    ("http://x.jp./a", "http://x.jp/a"),
    ("http://x.jp:8080/", "http://x.jp:8080/"),
    ("http://x.jp/a#b", "http://x.jp/a"),
    ("http://x.jp/a?", "http://x.jp/a"),
    ("http://x.jp/a?b=2&a=1&b=1", "http://x.jp/a?a=1&b=2&b=1"),
    ("http://x.jp/a?20260101", "http://x.jp/a?20260101"),
    ("http://x.jp/a?PHPSESSID=1&id=3", "http://x.jp/a?id=3"),
    ("http://x.jp/a;jsessionid=0A1B?id=3", "http://x.jp/a?id=3"),
    ("http://x.jp/a?sid=12", "http://x.jp/a?sid=12"),
    ("http://x.jp/a?sid=0123456789abcdef0123", "http://x.jp/a"),
    ("http://x.jp/a?utm_source=x&fbclid=y", "http://x.jp/a"),
    ("http://x.jp/index.html", "http://x.jp/"),
    ("http://x.jp/a/INDEX.HTM", "http://x.jp/a/"),
    ("http://x.jp/a/index.php", "http://x.jp/a/"),
    ("http://x.jp/index.php?id=1", "http://x.jp/index.php?id=1"),
    ("http://x.jp/myindex.html", "http://x.jp/myindex.html"),
    ("http://x.jp/a/../b/./c", "http://x.jp/b/c"),
    ("http://x.jp/../../etc/passwd", "http://x.jp/etc/passwd"),
    ("http://x.jp/a/%2e%2e/b", "http://x.jp/b"),
    ("http://x.jp/a/..", "http://x.jp/"),
    ("http://x.jp/a/b/..", "http://x.jp/a/"),
    ("http://x.jp/%7euser/%e3%81%82", "http://x.jp/~user/%E3%81%82"),
    ("http://x.jp/a%2fb", "http://x.jp/a%2Fb"),
    ("http://x.jp/100%", "http://x.jp/100%25"),
    ("http://x.jp/ごみ 分別.pdf", "http://x.jp/%E3%81%94%E3%81%BF%20%E5%88%86%E5%88%A5.pdf"),
    ("http://x.jp/?q=ごみ", "http://x.jp/?q=%E3%81%94%E3%81%BF"),
    ("http://例え.jp/", "http://xn--r8jz45g.jp/"),
    ("http://ｘ.jp/", "http://x.jp/"),
    ("\u3000http://x.jp/a\r\n b ", "http://x.jp/a%20b"),
    ("http:\\\\x.jp\\a", "http://x.jp/a"),
    ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]/"),
    ("http://under_score.x.jp/", "http://under_score.x.jp/"),
]
RELATIVE = [
    ("../a.html", "https://www.city.example.lg.jp/kurashi/a.html"),
    ("?a=1", "https://www.city.example.lg.jp/kurashi/gomi/index.html?a=1"),
    ("//other.jp/a", "https://other.jp/a"),
    ("/\n/other.jp/a", "https://other.jp/a"),
    ("", "https://www.city.example.lg.jp/kurashi/gomi/"),
    ("../../../../a", "https://www.city.example.lg.jp/a"),
]
REFUSED = [
    "javascript:alert(1)", "mailto:a@x.jp", "tel:0421234567", "data:text/html,x", "ftp://x.jp/", "file:///etc/passwd",
    "gopher://x.jp/", "//x.jp/", "/a", "", "http://", "http:///a", "http://user@x.jp/", "http://user:pw@x.jp/",
    "http://@x.jp/", "http://x.jp@127.0.0.1/", "http://x.jp:0/", "http://x.jp:65536/", "http://x.jp:a/",
    "http://x..jp/", "http://-x.jp/", "http://x y.jp/", "http://x%2ejp/", "http://[::1", "http://[fe80::1%25eth0]/",
    "http://" + "a" * 64 + ".jp/", "http://" + "a." * 130 + "jp/", "http://x.jp/" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), SAME)
def test_one_form_for_each_address(written: str, expected: str) -> None:
    assert canonical(written) == expected


@pytest.mark.parametrize(("written", "expected"), RELATIVE)
def test_relative_addresses_are_resolved(written: str, expected: str) -> None:
    assert canonical(written, BASE) == expected


@pytest.mark.parametrize("written", REFUSED)
def test_what_must_not_be_asked_has_no_form(written: str) -> None:
    assert canonical(written) is None


@given(st.text(max_size=60))
def test_the_form_is_its_own_form_whatever_the_path(text: str) -> None:
    found = canonical("http://x.jp/" + text)
    assert found is None or (canonical(found) == found and found.isascii())


@given(st.text(alphabet="abあ.:/@\\[]%?#0x127 ", max_size=25))
def test_no_address_makes_it_fail(text: str) -> None:
    for base in ("", BASE):
        found = canonical("http:" + text, base)
        assert found is None or canonical(found) == found


HOME = "https://www.city.example.lg.jp/"
SCOPE = [
    ("http://city.example.lg.jp/a", True),
    ("https://library.city.example.lg.jp/", True),
    ("https://www2.city.example.lg.jp/", True),
    ("https://evilcity.example.lg.jp/", False),
    ("https://city.example.lg.jp.evil.com/", False),
    ("https://www.town.example.lg.jp/", False),
    ("https://example.lg.jp/", False),
    ("https://lg.jp/", False),
    ("https://www.pref.example.lg.jp/", False),
]


@pytest.mark.parametrize(("url", "expected"), SCOPE)
def test_a_site_is_its_host_and_its_subdomains(url: str, expected: bool) -> None:
    assert in_scope(url, HOME) is expected


@pytest.mark.parametrize(
    ("home", "own", "other"),
    [
        ("http://127.0.0.1:8801/", "http://127.0.0.1:8801/a", "http://127.0.0.1:8802/a"),
        ("http://127.0.0.1:8801/", "http://127.0.0.1:8801/a", "http://a.127.0.0.1:8801/a"),
        ("http://localhost:8801/", "http://localhost:8801/a", "http://localhost/a"),
        ("http://[::1]:8801/", "http://[::1]:8801/a", "http://[::1]/a"),
        ("https://www.town.x.hokkaido.jp/", "http://town.x.hokkaido.jp/", "http://www.town.y.hokkaido.jp/"),
        ("https://www.x-mura.or.jp/", "https://x-mura.or.jp/", "https://www.y-mura.or.jp/"),
        ("https://www.lg.jp/", "https://www.lg.jp/a", "https://city.example.lg.jp/"),
        ("https://www.e-town.jp/", "https://e-town.jp/", "https://www.f-town.jp/"),
    ],
)
def test_scope_under_many_suffixes(home: str, own: str, other: str) -> None:
    assert in_scope(own, home)
    assert not in_scope(other, home)
    assert site(home) == site(own)


def test_mirrors_are_one_address() -> None:
    assert mirrored("http://city.example.lg.jp/a?b", HOME) == "https://www.city.example.lg.jp/a?b"
    assert mirrored("http://lib.city.example.lg.jp/a", HOME) == "http://lib.city.example.lg.jp/a"
    assert mirrored("http://city.example.lg.jp:8080/a", HOME) == "http://city.example.lg.jp:8080/a"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("www.city.a.lg.jp", True), ("www.town.b.hokkaido.jp", True), ("www.vill.c.jp", True), ("www.pref.d.jp", True),
     ("www.example.com", False), ("city.com", False), ("city.a.com", False), ("lg.jp.example.com", False),
     ("shop.co.jp", False), ("notcity.a.jp", False)],
)  # fmt: skip
def test_names_that_only_public_bodies_hold(host: str, expected: bool) -> None:
    assert of_public_body(f"https://{host}/") is expected
