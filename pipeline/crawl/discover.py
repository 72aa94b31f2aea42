"""What an HTML page leads to: its links with their labels and headings, frames, refreshes, feeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.urls import canonical

MAX_LINKS = 3000
MAX_LABEL = 200
# A parser's time grows with the square of the nesting (20,000 open divs: 0.5 s). Beyond this many tags or characters a
# plain scan for links takes over, which is linear.
MAX_TAGS = 30_000
MAX_CHARS = 3_000_000
# Text taken from elements of one page; nested elements hold the same text again and again.
MAX_TEXT_CHARS = 10_000_000
# A page with hardly a link may be a splash page that a script leaves.
FEW_LINKS, _SPLASH_CHARS = 3, 50_000
_SELECTOR = (
    "title,h1,h2,h3,h4,a,area,iframe,frame,base,link,meta[http-equiv],option[value],"
    "[onclick],[data-href],form"
)  # fmt: skip
_SEARCH_FIELD = re.compile(r"q|s|kw|k|query|keywords?|words?|search(_?word)?|free_?word|kensaku", re.I)
_LONGEST_NOTHING = 20
_SAYS_NOTHING = re.compile(
    r"(詳しく(は|見る)?|くわしくは?|詳細(は|を見る|情報)?|続きを読む|もっと見る|一覧(を見る|へ)?|more|リンク)?"
    r"(こちら(から|へ|を.{1,8})?|ここ(から)?|へ)?[→>»。.…]*",
    re.I,
)
# A link with no other attributes leads to its href alone: nearly all of them, and worth a short cut.
_PLAIN = {"href", "class", "id", "target", "title", "rel", "aria-label"}
_HEADINGS = {"h1", "h2", "h3", "h4"}
_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")
_REFRESH = re.compile(r"""url\s*=\s*["']?([^"'>;]+)""", re.I)
# An address in a script attribute: what is assigned to location or handed to open().
_SCRIPTED = re.compile(
    r"""(?:location(?:\.href)?\s*=|location\.(?:assign|replace)\(|open\()\s*(["'])([^"']{1,500})\1"""
)
_TAG = re.compile(r"<(a|area|iframe|frame)\s([^<>]{1,1000})>([^<]{0,200})", re.I)
_REFERENCE = re.compile(r"""(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,500})", re.I)
_ROOTED = re.compile(r"/[\w.~%-]")
_BESIDE = re.compile(r"(\.{1,2}/|[\w~%-][^:]*$)")
_INVISIBLE = ["script", "style", "template", "noscript"]


class Found(NamedTuple):
    """An address on a page. kind: `link`, `frame` (part of the page itself), `refresh` or `feed`; around: the text that
    the link stands in, where its label is only "more"."""

    url: str
    label: str = ""
    heading: str = ""
    kind: str = "link"
    around: str = ""


@dataclass(frozen=True)
class Search:
    """A site's own search: `url` asks for the words that follow it, in the page's charset."""

    url: str
    charset: str

    def of(self, words: str) -> str | None:
        """The canonical address that searches for these words."""
        return canonical(self.url + quote(words, safe="", encoding=self.charset, errors="replace"))


@dataclass(frozen=True)
class Discovered:
    """What a page leads to. headings: h1 and h2 texts; lines: its visible text, to tell new from old,
    None where the page was too large to take apart."""

    title: str = ""
    headings: tuple[str, ...] = ()
    links: tuple[Found, ...] = ()
    lines: tuple[str, ...] | None = None
    search: Search | None = None


def discover(html: str, url: str, charset: str = "utf-8") -> Discovered:
    """What an HTML page at a canonical URL leads to, at most 3,000 addresses, each once with its first label.

    charset: codec of the page, in which browsers encode Japanese queries of its links.
    """
    if len(html) > MAX_CHARS or html.count("<") > MAX_TAGS:
        return _scan(html[: 4 * MAX_CHARS], url)
    tree = LexborHTMLParser(html)
    page = _Page(url, charset)
    for node in tree.css(_SELECTOR):
        page.meet(node)
        if len(page.found) >= MAX_LINKS:
            break
    if len(page.found) < FEW_LINKS:
        for _, written in _SCRIPTED.findall(html[:_SPLASH_CHARS]):
            page.add(written, "", "refresh")
    found = tuple(page.found.values())
    return Discovered(page.title, tuple(page.headings[:10]), found, _lines(tree), page.search)


class _Page:
    """Collects addresses in the order of the document."""

    def __init__(self, url: str, charset: str) -> None:
        self._text_chars = 0
        self._rebase(url)
        self.charset = charset
        self.title = ""
        self.heading = ""
        self.headings: list[str] = []
        self.search: Search | None = None
        self.found: dict[str, Found] = {}

    def text(self, node: LexborNode) -> str:
        """Text of an element, as long as the page's elements do not repeat each other's text beyond all measure."""
        if self._text_chars > MAX_TEXT_CHARS:
            return ""
        text = node.text(deep=True)
        self._text_chars += len(text)
        return _squeeze(text)

    def _rebase(self, url: str) -> None:
        parts = urlsplit(url)
        self.base = url
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._folder = self._origin + parts.path.rpartition("/")[0] + "/"

    def meet(self, node: LexborNode) -> None:
        tag, attributes = node.tag or "", node.attributes
        if tag == "a" and attributes.keys() <= _PLAIN and "script:" not in (attributes.get("href") or ""):
            label = self.text(node) or _unwritten_label(node, attributes)
            self.add(attributes.get("href") or "", label, "link", self._around(node, label))
        elif tag == "title":
            self.title = self.title or self.text(node)
        elif tag in _HEADINGS:
            heading = self.text(node)
            # A page's title stands above all its links and is no heading of any.
            self.heading = "" if tag == "h1" else heading
            self.headings += [heading] if tag in ("h1", "h2") else []
        elif tag == "form":
            self.search = self.search or self._search(node, attributes)
        elif tag == "base":
            self._rebase(canonical(attributes.get("href") or "", self.base) or self.base)
        else:
            for reference, label, kind in _references(node, tag, attributes, self.text):
                self.add(reference, label, kind)

    def _search(self, form: LexborNode, attributes: dict[str, str | None]) -> Search | None:
        """The search that a form offers: asked by GET, one field for words and a name that says so."""
        words = [
            node for node in form.css("input[name]") if (node.attributes.get("type") or "text") in ("text", "search")
        ]
        url = canonical(attributes.get("action") or "", self.base)
        if (attributes.get("method") or "get").lower() != "get" or len(words) != 1 or not url:
            return None
        name = words[0].attributes.get("name") or ""
        if not (
            _SEARCH_FIELD.fullmatch(name) or "検索" in self.text(form) or words[0].attributes.get("type") == "search"
        ):
            return None
        hidden = (
            (node.attributes.get("name"), node.attributes.get("value")) for node in form.css("input[type=hidden]")
        )
        fields = "&".join(f"{quote(key, safe='')}={quote(value or '', safe='')}" for key, value in hidden if key)
        return Search(f"{url.partition('?')[0]}?{fields and fields + '&'}{quote(name, safe='')}=", self.charset)

    def _around(self, node: LexborNode, label: str) -> str:
        """The text that a link stands in, where its label says nothing of its own and the text is short."""
        if len(label) > _LONGEST_NOTHING or node.parent is None or not _SAYS_NOTHING.fullmatch(label):
            return ""
        text = self.text(node.parent)
        return text if len(text) < MAX_LABEL else ""

    def add(self, reference: str, label: str, kind: str, around: str = "") -> None:
        if not reference or reference[0] == "#":
            return
        reference = reference.strip()
        url = self._resolved(_in_charset(reference, self.charset) if "?" in reference else reference)
        if url is None:
            return
        known = self.found.get(url)
        if known is None or (label and not known.label):
            self.found[url] = Found(url, label, self.heading, kind, around)

    def _resolved(self, reference: str) -> str | None:
        """The canonical address. What does not depend on this very page is asked so that the answer is remembered."""
        if _ROOTED.match(reference):
            return canonical(self._origin + reference)
        if _BESIDE.match(reference):
            return canonical(reference, self._folder)
        return canonical(reference, self.base)


def _references(
    node: LexborNode, tag: str, attributes: dict[str, str | None], text: Callable[[LexborNode], str]
) -> Iterator[tuple[str, str, str]]:
    """Address as written, label and kind of everything an element leads to."""
    href = attributes.get("href") or ""
    if tag == "link":
        yield from _of_head(href, attributes)
    elif tag == "meta":
        if (attributes.get("http-equiv") or "").lower() == "refresh":
            yield from ((url, "", "refresh") for url in _REFRESH.findall(attributes.get("content") or ""))
    elif tag in ("iframe", "frame"):
        yield attributes.get("src") or "", attributes.get("title") or "", "frame"
    elif tag == "option":
        if re.match(r"/|https?:|\.{1,2}/", attributes["value"] or ""):
            yield attributes["value"] or "", text(node), "link"
    else:
        label = text(node) or _unwritten_label(node, attributes)
        if href and not href.lower().startswith("javascript:"):
            yield href, label, "link"
        scripts = " ".join((href, attributes.get("onclick") or ""))
        yield from ((url, label, "link") for _, url in _SCRIPTED.findall(scripts))
        if attributes.get("data-href"):
            yield attributes["data-href"] or "", label, "link"


def _of_head(href: str, attributes: dict[str, str | None]) -> Iterator[tuple[str, str, str]]:
    relation = (attributes.get("rel") or "").lower().split()
    if "canonical" in relation or "next" in relation:
        yield href, attributes.get("title") or "", "link"
    elif "alternate" in relation and (attributes.get("type") or "").lower() in _FEEDS:
        yield href, attributes.get("title") or "", "feed"


def _unwritten_label(node: LexborNode, attributes: dict[str, str | None]) -> str:
    """What a reader is told where there is no text: the image's alternative text, else a title."""
    image = node.css_first("img[alt]") if node.first_child is not None else None
    alt = image.attributes.get("alt") if image is not None else ""
    spoken = alt or attributes.get("alt") or attributes.get("aria-label") or attributes.get("title") or ""
    return _squeeze(spoken)


def _squeeze(text: str) -> str:
    return " ".join(text[: 4 * MAX_LABEL].split())[:MAX_LABEL]


def _in_charset(reference: str, charset: str) -> str:
    head, mark, query = reference.partition("?")
    if not mark or query.isascii() or charset.startswith("utf"):
        return reference
    return head + mark + quote(query, safe="/%:@!$&'()*+,;=-._~?#", encoding=charset, errors="replace")


def _lines(tree: LexborHTMLParser) -> tuple[str, ...]:
    if tree.body is None:
        return ()
    tree.strip_tags(_INVISIBLE)
    return tuple(tree.body.text(deep=True, separator="\n", strip=True).split("\n")) if tree.body is not None else ()


def _scan(html: str, url: str) -> Discovered:
    """Links by a linear scan, for documents that a parser could choke on."""
    title = _TITLE.search(html)
    page = _Page(url, "utf-8")
    for match in islice(_TAG.finditer(html), MAX_TAGS):
        reference = _REFERENCE.search(match[2])
        if reference:
            page.add(unescape(next(filter(None, reference.groups()), "")), _squeeze(unescape(match[3])), "link")
        if len(page.found) >= MAX_LINKS:
            break
    return Discovered(_squeeze(unescape(title[1])) if title else "", (), tuple(page.found.values()))
