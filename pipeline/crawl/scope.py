"""Which of the addresses on a page the crawl takes up, as what, and which it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlsplit

from pipeline.crawl.relevance import spoken
from pipeline.models import Source
from pipeline.urls import host_port, in_scope, is_ip, mirrored, of_public_body, site


class Kind(StrEnum):
    """What an address is to the crawl."""

    HOME = "home"
    PAGE = "page"
    LEAF = "leaf"  # a booking or application service elsewhere: fetched, not followed
    PRESS = "press"  # given by hand: fetched, not followed
    SITEMAP = "sitemap"
    FEED = "feed"
    SEARCH = "search"  # the site's own search for a criterion's first term: followed, no page of its own

    @property
    def source(self) -> Source:
        """Who speaks there."""
        known = {Kind.PRESS: Source.PRESS, Kind.LEAF: Source.SERVICE, Kind.SEARCH: Source.LISTING}
        return known.get(self, Source.OFFICIAL)


@dataclass(frozen=True)
class Extent:
    """How far a crawl goes. homes: the home page as given and, where it redirects, as it answers."""

    homes: tuple[str, ...] = ()

    def own(self, url: str) -> bool:
        return any(in_scope(url, home) for home in self.homes)

    def settled(self, url: str) -> str:
        """The address on the home page's own scheme and host, where only http / https or `www.` differ."""
        return mirrored(url, self.homes[-1]) if self.homes else url

    def kind(self, url: str, label: str, relevant: bool) -> Kind | None:
        """What to take a link up as, or None to leave it."""
        if _is_asset(url) or is_variant(url) or _VARIANT_LABEL.search(label):
            return None
        if self.own(url):
            return Kind.PAGE
        return Kind.LEAF if relevant and is_service(url, label) else None


# Files that no reader takes for a page. Office files are kept: that they could not be read must be told.
_ASSET = re.compile(
    r"\.(png|jpe?g|gif|svg|ico|webp|bmp|tiff?|css|js|mjs|json|woff2?|ttf|eot|mp[34]|m4[av]|wav|avi|wmv|mov|webm|swf|exe|"
    r"msi|apk|dmg|iso|zip|lzh|7z|rar|tar|tgz|ics|vcf|kml|kmz|geojson|shp|dwg|dxf|epub|csv|bin)$",
    re.I,
)
_OFFICE = re.compile(r"\.(docx?|docm|dotx?|xlsx?|xlsm|xltx?|pptx?|ppsx?|odt|ods|odp|rtf|jtd|jtt|jhd)$", re.I)
# The link inventory of the page that carries the link proves these; the services themselves are not asked.
_SOCIAL = re.compile(
    r"(^|\.)(youtube(-nocookie)?\.com|youtu\.be|twitter\.com|x\.com|t\.co|facebook\.com|fb\.(com|me)|instagram\.com|"
    r"line\.me|lin\.ee|line\.naver\.jp|tiktok\.com|threads\.(net|com)|note\.com|pinterest\.(com|jp)|linkedin\.com)$"
)
_SERVICE_ADDRESS = re.compile(
    r"yoyaku|reserv|rsv|shinsei|sinsei|apply|application|e-?tumo|tetsuz[uk]|tetuduki|shisetsu|sisetu|facility|"
    r"logoform|graffer|e-?harp|task-asp|booking|eforms?|denshi|mousikomi|moushikomi|chat|(^|[./])bot",
    re.I,
)
_SERVICE_LABEL = re.compile("予約|申請|申込|申し込み|手続|届出|チャット|診断|システム|ポータル|オンライン窓口")
# The nation's own sites and other public bodies' pages speak for themselves, not for this municipality.
_NATION = re.compile(r"(^|\.)go\.jp$")
_VARIANT_KEY = re.compile(
    r"(^|&)(print(able|mode|er)?|insatu|insatsu|font(size)?|fs|moji|mojisize|style(sheet)?|css|contrast|bgcolor|theme|size|colou?r|"
    r"text_?size|replytocom|share|_print|pdfprint)=", re.I
)  # fmt: skip
_VARIANT_LABEL = re.compile(
    r"^(文字(サイズ)?を?(大き|小さ|拡大|縮小|標準)|背景(色)?を?|(この(ページ|画面)を)?印刷|ふりがな|音声読み?上げ|配色|色合い)"
)
_VARIANT_VALUE = re.compile(
    r"(^|&)(mode|view|display|disp|format|type|act|action|cmd)=(print|sp|mobile|text|large|small)(&|$)", re.I
)
_TRANSLATOR = re.compile(r"(translate\.goog|translate\.google\.|j-server\.com|honyaku|transer\.com)", re.I)


def is_social(url: str) -> bool:
    """Whether a video, social or messaging service answers there."""
    return bool(_SOCIAL.search(host_port(url)[0]))


def is_office(url: str) -> bool:
    """Whether the name is that of an office document, which nothing here can read."""
    return bool(_OFFICE.search(urlsplit(url).path))


def is_service(url: str, label: str) -> bool:
    """Whether a link out of scope seems to lead to a booking, application or consultation service."""
    host = host_port(url)[0]
    if is_social(url) or is_ip(host) or _NATION.search(host) or _TRANSLATOR.search(host):
        return False
    if _SERVICE_ADDRESS.search(url):
        return True
    return bool(_SERVICE_LABEL.search(label)) and not of_public_body(url)


def is_variant(url: str) -> bool:
    """Whether the address only shows another page anew: for printing, in other sizes or colours, machine-translated."""
    query = urlsplit(url).query
    return bool(_VARIANT_KEY.search(query) or _VARIANT_VALUE.search(query) or _TRANSLATOR.search(url))


def _is_asset(url: str) -> bool:
    return bool(_ASSET.search(urlsplit(url).path))


def is_likely_home(url: str, home: str) -> bool:
    """Whether a home page may have moved to that address: its own site, or a name only a public body can hold.

    Names that expired are bought for what still links to them, so any other host is not taken for the municipality's.
    """
    return in_scope(url, home) or site(url) == site(home) or of_public_body(url)


_FEED = re.compile(r"(\.(rss|rdf|atom)|/(rss|feed|atom|news|index|whatsnew|shinchaku)[\w-]*\.xml|/(feed|rss)/?)$", re.I)


def is_feed(url: str) -> bool:
    """Whether the address looks like a feed's."""
    return bool(_FEED.search(urlsplit(url).path))


# --- families of addresses --------------------------------------------------------------------------------------------

MAX_SEGMENTS = 14
_DIGITS = re.compile(r"\d+")


@lru_cache(maxsize=50_000)
def family(url: str) -> str:
    """What an address has in common with its neighbours, figures collapsed: host, first two folders, depth and file
    type; with a query the whole path and the key, or that there are several. A calendar or a faceted search is one
    family, and so is a section of articles."""
    parts = urlsplit(url)
    keys = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    if keys:
        return _DIGITS.sub("0", f"{parts.netloc}{parts.path}?{keys[0] if len(keys) == 1 else '*'}")
    folders, _, name = parts.path.rpartition("/")
    segments = folders.split("/")[1:]
    extension = name.rpartition(".")[2].lower() if "." in name else ("/" if not name else "")
    return _DIGITS.sub("0", "/".join((parts.netloc, *segments[:2], "*" * len(segments), extension)))


def sections(url: str, parent: str, word: str, form: str) -> tuple[str, ...]:
    """What an address shares with others: its host, its first folder, its family, the page that led there, the word of
    its link that promises most, the form of its label."""
    parts = urlsplit(url)
    first = parts.path.split("/")[1] if parts.path.count("/") > 1 else ""
    return parts.netloc, f"{parts.netloc}/{first}/", family(url), f"<{parent}", f"~{word}", f"={form}"


def is_runaway(url: str) -> bool:
    """Whether the path repeats itself or is deeper than any site needs, as broken relative links make it."""
    segments = [segment for segment in urlsplit(url).path.split("/") if segment]
    return len(segments) > MAX_SEGMENTS or _repeats(segments)


def _repeats(segments: Sequence[str]) -> bool:
    return any(segments.count(segment) > 3 for segment in set(segments))


def is_site_map(url: str, label: str) -> bool:
    """Whether a link leads to a page that lists the whole site."""
    return "サイトマップ" in label or bool(re.search(r"site ?map", spoken(url), re.I))


def is_news_list(label: str) -> bool:
    """Whether a link leads to the list of what is new on the site."""
    return bool(re.search("(新着|更新)(情報|一覧|記事)|お知らせ(一覧|の一覧)", label))
