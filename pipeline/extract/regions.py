"""Which part of a page an element is: menus and breadcrumbs, footer, or content."""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.models import Region

_CONTENT_TAGS = {"main"}
_ARTICLE_TAGS = {"main", "article"}
_CONTENT_ID = re.compile(
    r"(?:(?:l|p|c|tmp|cms)[-_])?(?:main|contents?|honbun|main[-_]?(?:body|contents?|area|col|column|inner)|contents?[-_]?main|article|"
    r"entry(?:[-_]?(?:body|content))?|page[-_]?(?:body|content))",
    re.I,
)
_PLACE = (
    r"(?:l|p|c|g|sp|pc|site|page|global|gl|local|sub|main|side|left|right|head|header|foot"
    r"|top|drawer|mega|hamburger|common|base|block|cms|tmp)?[-_]?"
)
_TAIL = (
    r"(?:[-_]?(?:wrap|wrapper|area|inner|in|box|block|list|item|bar|contents?|body|container|ul|\d+|pc|sp|all|set))*"
)
_NAV_NAME = re.compile(
    # Classes such as `has-menu` or `column_lnavi` describe a wrapper around everything.
    rf"(?!(?:has|with|no|is|use|open|hide|show|column|layout|type)[-_])"
    rf"(?:[a-z0-9]+[-_])*[a-z]?(?:nav|navi|navigation|navbar|menu|sidemenu|submenu){_TAIL}"
    rf"|(?:topic[-_]?path|pankuzu|bread[-_]?crumbs?|crumbs?|bread){_TAIL}"
    rf"|(?:side|side[-_]?bar|sub[-_]?(?:column|col|area|contents?)|left[-_]?(?:column|col)|right[-_]?(?:column|col)){_TAIL}"
    rf"|skip(?:[-_]?(?:link|nav|to|navi))?{_TAIL}|(?:language|lang|font[-_]?size|search|site[-_]?search){_TAIL}",
    re.I,
)
_HEADER_NAME = re.compile(rf"{_PLACE}(?:header|hd){_TAIL}|hlinks", re.I)
_HEADER_ID = re.compile(rf"(?:head|tagline|site[-_]?(?:name|title|logo)){_TAIL}", re.I)
_FOOTER_NAME = re.compile(rf"{_PLACE}(?:footer|foot|ft|copy[-_]?right){_TAIL}", re.I)
_CRUMBS = re.compile(
    r"(?:現在(?:の)?(?:位置|地|のページ)|(?:サイト)?(?:ホーム|トップ)(?:ページ)?|home|top)[^。]{0,40}?\s*(?:>|＞|»|›|→|/)\s*\S",
    re.I,
)


@lru_cache(maxsize=4096)
def region_of(tag: str, role: str, identity: str, classes: str, *, inside: Region, in_content: bool) -> Region:
    """Region of an element within `inside`. in_content: below <main>, <article> or an element of that role or name,
    where headers and footers belong to the content and only menus and breadcrumbs do not."""
    if tag in ("html", "body"):
        return inside
    if starts_content(tag, role, identity):
        return Region.BODY
    if inside is not Region.BODY:
        return inside
    if (
        tag == "nav"
        or role in ("navigation", "menu", "menubar", "search", "tablist")
        or _named(_NAV_NAME, identity, classes)
    ):
        return Region.NAV
    if in_content:
        return inside
    if tag == "footer" or role == "contentinfo" or _named(_FOOTER_NAME, identity, classes):
        return Region.FOOTER
    if tag in ("header", "aside") or role in ("banner", "complementary"):
        return Region.NAV
    if _named(_HEADER_NAME, identity, classes) or _HEADER_ID.fullmatch(identity):
        return Region.NAV
    return inside


def may_hold_heading(tag: str, identity: str, classes: str) -> bool:
    """True for headers, where the page's h1 may be its logo; a menu that holds an h1 is no menu."""
    return tag in ("nav", "header") or _named(_HEADER_NAME, identity, classes) or bool(_HEADER_ID.fullmatch(identity))


def starts_content(tag: str, role: str, identity: str) -> bool:
    """True for the element that a page itself names as its content."""
    return tag in _CONTENT_TAGS or role == "main" or bool(identity and _CONTENT_ID.fullmatch(identity))


def is_article(tag: str) -> bool:
    return tag in _ARTICLE_TAGS


def is_breadcrumb(text: str) -> bool:
    """`ホーム > くらし > ごみ`: a path to the page, in whatever element it stands."""
    return len(text) <= 200 and bool(_CRUMBS.match(text))


def _named(pattern: re.Pattern[str], identity: str, classes: str) -> bool:
    return bool(pattern.fullmatch(identity)) or any(pattern.fullmatch(name) for name in classes.split())
