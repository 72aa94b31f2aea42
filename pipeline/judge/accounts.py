"""Links that prove an official account: on which service, whose, and not a share button or somebody's video."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.judge.actor import Actor, Names
from pipeline.judge.statements import fold, page_title
from pipeline.models import Criterion, Link, Page, Region, SocialAccount, Source
from pipeline.services import SERVICES, Service, account_key, is_on, service_of

_SHARE = re.compile(
    r"^/(?:sharer?|share|intent|dialog|plugins|widgets?|embed|tr|hashtag|search|login|home|policies|privacy|help|legal"
    r"|about|events|groups|watch|shorts|live|clip|results|playlist|explore|p|reel|status|photo|permalink|story)(?:[/.?]|$)|/share\b"
    r"|[?&](?:u|url|text|href)=|/r/(?:msg|share)|/lineit/|/status/\d|/posts/|/videos/|/photos",
    re.IGNORECASE,
)
_SHARE_HOST = re.compile(r"^(?:social-plugins|timeline|media|help|business|about|developers|support|www\.help)\.")
_SHARE_LABEL = re.compile(
    r"シェア|共有|ツイートする|ポストする|投稿する|で送る|に送る|いいね|share|tweet|this(?:page|article)"
)
_ACCOUNT = re.compile(r"公式|アカウント|チャンネル|channel|友だち|友達|フォロー|ページ$")
# 青年部のインスタグラム: whose it is stands before it.
_POSSESSED = re.compile(
    r"^(?P<who>[^の、。]{2,12})の(?:公式)?(?:アカウント|チャンネル|ページ|インスタ|フェイスブック|ツイッター|ユーチューブ|[a-z]+)"
)
_OFFICIAL_WHO = re.compile(
    r"[市町村区]$|役所|役場|本庁|公式|当[市町村区]|本[市町村区]|課$|室$|係$|図書館|博物館|美術館|センター|消防|学校|動物園|公園"
)
# A label that only names the service.
_SERVICE = re.compile(
    r"\(?旧?twitter\)?|\(?x\)?|line|instagram|facebook|youtube|インスタグラム|フェイスブック|ユーチューブ|ツイッター|ライン"
)
# Where a municipality lists its accounts.
_LISTS = re.compile(r"公式|ソーシャル|(?<![a-z])sns(?![a-z])|アカウント|情報発信|フォロー")
_NO_ACCOUNT = re.compile(r"^/?(?:index\.html?)?$")
# A heading or page title of that kind lists accounts and nothing else.
_ACCOUNT_LIST = re.compile(r"(?<![a-z])sns(?![a-z])|ソーシャル(?:ネットワーク|メディア)|公式(?:アカウント|チャンネル)")
# What a label says of any account; what is left names whose it is.
_SAYS_NOTHING = re.compile(
    r"公式|アカウント|チャンネル|ページ|(?<![a-z])sns(?![a-z])|友だち(?:に|を)?追加(?:する)?|フォロー(?:する)?|登録(?:する)?|をご?覧(?:になる|ください)?"
    r"|(?:は|へ|を|の)?(?:こちら|見る|開く|リンク|アイコン|バナー|ロゴ(?:マーク)?)|外部(?:サイト|リンク)?(?:へ)?|(?:別|新しい|新規)(?:の)?(?:ウィンドウ|ウインドウ|タブ)"
    r"(?:で|が|に)?(?:開きます|開く|表示)?|channel|official|account|note|ノート|bluesky|threads|tiktok|mastodon|マストドン|ブログ|ameba|アメーバ|[^a-z0-9ぁ-んァ-ヴー一-龠々]"
)


@dataclass(frozen=True)
class Account:
    """A link to an account of the municipality. score: how sure label, place and address make it."""

    page: Page
    link: Link
    label: str
    score: float


def accounts(criterion: Criterion, page: Page, names: Names) -> Iterator[Account]:
    """The links of a page that prove an account of the municipality itself."""
    for link in page.links:
        if not _is_account(link.href, criterion.link_hosts):
            continue
        label = fold(f"{link.label} {link.title}")
        score = _score(label, link, page, names)
        if score > 0:
            yield Account(page, link, link.label or link.title, score)


def _is_account(href: str, hosts: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(href)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if not is_on(href, hosts) or _SHARE_HOST.match(host) or _NO_ACCOUNT.match(parts.path):
        return False
    if host.endswith("youtu.be"):
        return False  # short addresses of single videos
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return not _SHARE.search(path)


def _score(label: str, link: Link, page: Page, names: Names) -> float:
    """0 where the account is not, or not plainly, the municipality's own."""
    if _SHARE_LABEL.search(label):
        return 0.0
    seen = 1.0 if link.end > link.start else 0.65  # an icon without a text cannot be quoted
    if names.topic(label) is Actor.OWN:
        return seen * (0.95 if _ACCOUNT.search(label) else 0.9)
    framed = link.region in (Region.NAV, Region.FOOTER)
    heading = fold(link.headings[-1]) if link.headings else ""
    around = [label, heading] if framed else [label, heading, fold(page.title)]
    whose = next((one for one in map(names.topic, around) if one is not Actor.UNSAID), Actor.UNSAID)
    if whose.other or page.source is Source.PRESS:
        return 0.0
    possessed = _POSSESSED.match(label)
    if possessed and not _OFFICIAL_WHO.search(possessed["who"]):
        return 0.0
    if _ACCOUNT.search(label):
        return seen * 0.85
    if framed:
        return seen * 0.75
    plain = not _SERVICE.sub("", label)
    return seen * 0.6 if plain or _LISTS.search("|".join(around)) else 0.0


def official(
    criterion: Criterion, pages: Iterable[Page], names: Names, services: Sequence[Service] = SERVICES
) -> tuple[SocialAccount, ...]:
    """The accounts that the municipality's own pages link to, each once: the proven ones first, then in the order in
    which services tell dates in public, then as sure as the links are.

    criterion.link_hosts names the services. Links on pages of others (services, press) prove nothing here.
    """
    found: dict[tuple[str, str], list[tuple[bool, float, SocialAccount]]] = {}
    for page in pages:
        if page.source is not Source.OFFICIAL:
            continue
        for account in accounts(criterion, page, names):
            key = account_key(account.link.href, services)
            if key[1]:
                proven = _proven(account, names)
                found.setdefault(key, []).append((proven, account.score, _social(account, proven, services)))
    known = [service.name for service in services]

    def order(links: list[tuple[bool, float, SocialAccount]]) -> tuple[bool, int, float, int, str]:
        proven, score, account = max(links, key=lambda link: link[:2])
        place = known.index(account.service) if account.service in known else len(known)
        return not proven, place, -score, -len(links), account.url

    ranked = sorted(found.values(), key=order)
    return tuple(max(links, key=lambda link: link[:2])[2] for links in ranked)


def _social(account: Account, proven: bool, services: Sequence[Service]) -> SocialAccount:
    service = service_of(account.link.href, services)
    return SocialAccount(
        url=service.address(account.link.href),
        service=service.name,
        label=account.label,
        linked_from=account.page.url,
        proven=proven,
    )


def _proven(account: Account, names: Names) -> bool:
    """Whether the label names the municipality or one of its offices and nobody beside it, or names nobody and stands
    in the site's frame or in a list of accounts. A shop's page has an official account too."""
    label, link = fold(f"{account.link.label} {account.link.title}"), account.link
    if any(one.actor.other for one in names.mentions(label)):
        return False
    if names.topic(label) is Actor.OWN:
        return True
    left = _SAYS_NOTHING.sub("", _SERVICE.sub("", label))
    if left and not _OFFICIAL_WHO.search(left):
        return False
    if link.region in (Region.NAV, Region.FOOTER):
        return not names.topic(fold(account.page.title)).other  # the frame of another body's pages names its own
    heading = fold(link.headings[-1]) if link.headings else ""
    listed = _ACCOUNT_LIST.search(heading) or _ACCOUNT_LIST.search(page_title(account.page.title))
    return bool(listed) or names.topic(heading) is Actor.OWN
