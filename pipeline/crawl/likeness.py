"""Whether a page is the home page of this municipality: by the name it carries, its host, what it says of itself."""

from __future__ import annotations

import re
import unicodedata

from pipeline.crawl.discover import Discovered
from pipeline.models import Municipality
from pipeline.municipality.naming import folded
from pipeline.municipality.prefectures import HOST_LABELS
from pipeline.urls import host_port, in_scope, of_public_body

# Lines from the top and from the bottom of a page: name and postal address stand in its head or its foot.
_EDGE_LINES = 60
_HEAD_CHARS = 200_000
_HEAD_SIGNS = (
    re.compile(r"<meta\s[^<>]{0,300}?og:site_name[^<>]{0,300}>", re.I),
    re.compile(r"<h1\b[^<>]{0,300}>.{0,1500}?</h1", re.I | re.S),
)
_WRITTEN = re.compile(r"""(?:content|alt)\s*=\s*["']([^"'<>]{1,200})""", re.I)
# 津市 within 大津市 is another name; after a county or a prefecture it is the same.
_ANOTHER_BEFORE = re.compile(r"[\u3400-\u9fff々〆ヶァ-ヴー]$")
# 東村 within 東村山市, but 東村 町内会 and the like.
_ANOTHER_AFTER = re.compile(r"^[\u3400-\u9fff々]{0,3}[市町](?![長議民政内立史])")
_COUNTY = "(?:[\u3040-\u30ff\u3400-\u9fff々]{1,5}郡)?"
_FOR_SALE = re.compile(
    r"domain (?:name )?(?:is|may be) (?:for sale|available)|buy this domain|domain parking|(?:parked|expired) domain|"
    r"ドメイン(?:名)?(?:を|の|は|が)?.{0,12}(?:販売|売却|購入|取得|オークション|期限切れ|有効期限)",
    re.I,
)
_MOVED = re.compile(
    r"(?:ホームページ|ウェブサイト|webサイト|サイト|ページ|url|アドレス|ドメイン).{0,12}(?:移転|移行|変更|変わり|新しく|リニューアル)"
    r"|(?:新しい|新)\s*(?:公式)?(?:ホームページ|ウェブサイト|webサイト|サイト|url|アドレス|ドメイン)",
    re.I,
)
# A page that only says where the new one is has hardly another link.
_FEW_LINKS = 12


def signs(page: Discovered, html: str) -> tuple[str, ...]:
    """What a page calls itself: title, first headings, og:site_name, the alternative text of a picture in its h1."""
    head = html[:_HEAD_CHARS]
    marked = [match[0] for pattern in _HEAD_SIGNS if (match := pattern.search(head))]
    return (page.title, *page.headings[:3], *(text for mark in marked for text in _WRITTEN.findall(mark)))


def carries_name(place: Municipality, called: tuple[str, ...]) -> bool:
    """Whether what a page calls itself holds the municipality's name, and not as a part of another's."""
    return any(_holds(place, _plain(text)) for text in called)


def _holds(place: Municipality, text: str) -> bool:
    name, prefecture = re.escape(_plain(place.name)), re.escape(_plain(place.prefecture))
    for found in re.finditer(name, text):
        before, after = text[: found.start()], text[found.end() :]
        own = bool(prefecture) and re.search(f"{prefecture}{_COUNTY}$", before)
        another = _ANOTHER_BEFORE.search(before) and not before.endswith("郡")
        if (own or not another) and not (name[-1] in "町村" and _ANOTHER_AFTER.match(after)):
            return True
    return False


def of_another_prefecture(place: Municipality, url: str) -> bool:
    """Whether the host says another prefecture: city.fuchu.hiroshima.jp is not 東京都府中市."""
    labels = host_port(url)[0].split(".")
    told = labels[-2] if len(labels) >= 4 and labels[-1] == "jp" else ""
    return told in HOST_LABELS.values() and told != HOST_LABELS.get(place.prefecture or place.name, told)


def says_prefecture(place: Municipality, url: str, page: Discovered, called: tuple[str, ...]) -> bool:
    """Whether host or page tells the municipality from its namesakes: 東京都府中市 in a title or an address line."""
    if not place.prefecture:
        return True
    if host_port(url)[0].endswith(f".{HOST_LABELS.get(place.prefecture, ' ')}.jp"):
        return True
    name, prefecture = re.escape(_plain(place.name)), re.escape(_plain(place.prefecture))
    written = re.compile(rf"{prefecture}{_COUNTY}{name}|{name}[(]{prefecture}")
    lines = page.lines or ()
    return any(written.search(_plain(text)) for text in (*called, *lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]))


def is_for_sale(page: Discovered) -> bool:
    """Whether a dealer in names speaks instead of the municipality."""
    return any(_FOR_SALE.search(text) for text in (page.title, *page.headings, *(page.lines or ())[:_EDGE_LINES]))


def leads_to(page: Discovered, at: str) -> str | None:
    """Where a page that is only a sign to the new site leads (a refresh, or a link where it says that it has moved):
    another site, under a name only a public body can hold."""
    links = [link for link in page.links if not in_scope(link.url, at) and of_public_body(link.url)]
    refreshed = [link.url for link in links if link.kind == "refresh"]
    if refreshed or len(page.links) > _FEW_LINKS:
        return next(iter(refreshed), None)
    says_so = any(_MOVED.search(text) for text in (page.title, *page.headings, *(page.lines or ())[:_EDGE_LINES]))
    told = [link.url for link in links if says_so or _MOVED.search(link.label)]
    return next(iter(told), None)


def _plain(text: str) -> str:
    """For comparison: NFKC, no white space, variant characters made equal."""
    return folded(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
