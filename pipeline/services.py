"""Social services: whose address is whose account, and where each service tells posts with their dates in public."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

# What stands where an account's name would: single posts, share buttons, the service's own pages.
_NO_ACCOUNT = re.compile(
    r"^(?:watch|shorts|embed|playlist|live|clip|results|feed|hashtag|intent|share|sharer|sharer\.php|search|home|i|p|reel"
    r"|reels|explore|stories|login|about|help|legal|privacy|policies|events|groups|photo|photo\.php|permalink\.php"
    r"|story\.php|plugins|dialog|tr|v\d[\d.]*)(?:[/?]|$)",
    re.I,
)
_CHANNEL = r"UC[\w-]{22}"


@dataclass(frozen=True)
class Service:
    """One social service.

    hosts: its own, with their subdomains; origin: where it is asked, empty for wherever the account is; account: what
    of path and query names an account (group 1). feed: a pattern over that name and the feed's address for it; page:
    what follows the account's address on the page that lists its posts, None where no page does so in public.
    identity: a pattern that finds the name the feed goes by on the account's page, where another name was linked.
    """

    name: str
    hosts: tuple[str, ...]
    origin: str = ""
    account: str = r"/([^/?#]+)"
    feed: tuple[str, str] | None = None
    page: str | None = ""
    identity: str = ""

    def has(self, url: str) -> bool:
        """Whether an address is one of the service's."""
        return is_on(url, self.hosts)

    def handle(self, url: str) -> str:
        """What names the account at or above an address, empty where it is no account's."""
        parts = urlsplit(url)
        found = re.match(self.account, parts.path + (f"?{parts.query}" if parts.query else ""))
        return found[1] if found and not _NO_ACCOUNT.match(found[1]) else ""

    def address(self, url: str) -> str:
        """The account's own address, whichever of its pages `url` is; empty where there is no account."""
        handle = self.handle(url)
        return f"{self._origin(url)}/{handle}" if handle else ""

    def feed_of(self, url: str) -> str:
        """Address of the account's feed, empty where its own address does not tell."""
        found = re.fullmatch(self.feed[0], self.handle(url)) if self.feed else None
        return self._origin(url) + found.expand(self.feed[1]) if self.feed and found else ""

    def page_of(self, url: str) -> str:
        """Address of the page that lists the account's posts, empty where there is none."""
        return "" if self.page is None or not self.handle(url) else self.address(url) + self.page

    def feed_named_on(self, html: str, url: str) -> str:
        """Address of the feed under the name that the account's page gives itself, empty where it gives none."""
        found = re.search(self.identity, html) if self.identity else None
        name = next(filter(None, found.groups()), "") if found else ""
        return self.feed_of(f"{self._origin(url)}/channel/{name}") if name else ""

    def _origin(self, url: str) -> str:
        parts = urlsplit(url)
        return self.origin or f"{parts.scheme}://{parts.netloc}"


# In the order in which they are asked: those that tell dates in public first. Whether they let themselves be asked is
# for their robots.txt to say, which is read each time.
SERVICES = (
    Service(
        "YouTube",
        ("youtube.com",),
        "https://www.youtube.com",
        account=r"/((?:channel|c|user)/[^/?#]+|[^/?#]+)",
        feed=(rf"channel/({_CHANNEL})", r"/feeds/videos.xml?channel_id=\1"),
        page="/videos",
        identity=rf'<link rel="canonical" href="[^"]{{0,100}}/channel/({_CHANNEL})"|"externalId":\s?"({_CHANNEL})"',
    ),
    Service("note", ("note.com",), "https://note.com", feed=(r"([\w-]+)", r"/\1/rss")),
    Service(
        "Bluesky",
        ("bsky.app",),
        "https://bsky.app",
        account=r"/(profile/[^/?#]+)",
        feed=(r"(profile/[\w.:-]+)", r"/\1/rss"),
    ),
    Service("アメーバブログ", ("ameblo.jp", "ameba.jp"), "https://ameblo.jp"),
    Service("X", ("x.com", "twitter.com"), "https://x.com"),
    Service(
        "Facebook",
        ("facebook.com", "fb.com", "fb.me"),
        "https://www.facebook.com",
        account=r"/(profile\.php\?id=\d+|pages/[^/?#]+/\d+|people/[^/?#]+/\d+|[^/?#]+)",
    ),
    Service("Instagram", ("instagram.com",), "https://www.instagram.com"),
    Service("Threads", ("threads.net", "threads.com"), "https://www.threads.com"),
    Service("TikTok", ("tiktok.com",), "https://www.tiktok.com"),
    # Messages go to friends; there is no public list of them.
    Service("LINE", ("line.me", "lin.ee", "line.naver.jp"), account=r"/(.+?)/?$", page=None),
)
# Mastodon and Misskey run under any name and give a feed of each @account; other services may name one on their page.
_FEDIVERSE = (r"(@[\w.-]+)", r"/\1.rss")


def is_on(url: str, hosts: Sequence[str]) -> bool:
    """Whether an address is on one of these hosts or below one."""
    host = _host(url)
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def service_of(url: str, services: Sequence[Service] = SERVICES) -> Service:
    """The service an address belongs to; one of its host alone where the host is none of the known ones."""
    known = next((one for one in services if one.has(url)), None)
    return known or Service(_host(url), (_host(url),), feed=_FEDIVERSE)


def account_key(url: str, services: Sequence[Service] = SERVICES) -> tuple[str, str]:
    """Equal for two addresses of one account; the second part is empty where the address is no account's."""
    service = service_of(url, services)
    return service.name, service.handle(url).lower()


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()
