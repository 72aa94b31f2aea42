"""An HTML body to a page: visible blocks, links, title, date; or the reason why there is nothing to read."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from pipeline.charset import decode
from pipeline.extract.dates import page_date
from pipeline.extract.hidden import stylesheet
from pipeline.extract.links import address, inventory
from pipeline.extract.main_text import main_text
from pipeline.extract.place import Laid
from pipeline.extract.regions import is_breadcrumb
from pipeline.extract.scripted import MAX_ROOT_CHARS, UNFILLED, filled_by_script
from pipeline.extract.unread import unread
from pipeline.extract.walk import Layout
from pipeline.models import Block, BlockKind, Cause, Page, Record, Region, Snapshot, Unread

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

_MAX_TITLE_CHARS = 300
_TAME_FROM_CHARS = 50_000
_MONSTER_TAG = re.compile(
    r"""(<[a-z][^\s/>]*+)(?:[\s/]++[^\s"'<>/=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'>]++))?+){2000,}+""", re.I
)
# A page that says it is not there says so in its title or first heading, and says little else.
_GONE = re.compile(
    r"(?:ページ|ファイル|コンテンツ|URL|お探しのもの).{0,12}(?:見つかりません|みつかりません|見つかりませんでした|存在しません|ありません(?!か)|削除)"
    r"|お探しの(?:ページ|情報).{0,20}(?:ません|削除|移動|変更)|指定された(?:ページ|URL|ファイル).{0,20}(?:ません|削除)"
    r"|(?:404|410)\s*(?:Not\s*Found|エラー|error|ページ)|(?:Page|File)\s*Not\s*Found|^(?:404|Not Found)$",
    re.I,
)
_SURELY_GONE = re.compile(
    r"(?:お探しの|お求めの|ご?指定の|ご?指定された|要求された|該当する)(?:ページ|ファイル|URL|情報).{0,20}(?:ません|削除されて|移動)",
    re.I,
)
# One that says that the server does not serve it now, or not to us.
_DOWN = re.compile(
    r"^(?:ただいま|現在)?[、,]?(?:システム|サーバー?|サイト|ホームページ)?(?:の)?(?:緊急|定期)?メンテナンス(?:中|作業中)(?:です|のお知らせ)?[。.]?$"
    r"|^(?:システム|サーバー?|アプリケーション)?エラー(?:が発生しました)?[。.]?$|^(?:ただいま|現在)?、?アクセスが(?:集中|拒否|制限)"
    r"|^(?:40[13]|429|50[0-4])(?:\s*$|\s+[A-Z])|^(?:Access Denied|Forbidden|Bad Gateway"
    r"|Internal Server Error|Service (?:Temporarily )?Unavailable|Gateway Time-?out|Just a moment"
    r"|Attention Required|Under Maintenance|Maintenance)\b",
    re.I,
)
_GONE_MAX_CHARS = 400
_SURELY_GONE_MAX_CHARS = 2_000
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.I)


def read_html(snapshot: Snapshot, body: bytes) -> Page | Unread:
    """The page, or Unread with cause EMPTY (nothing visible), SCRIPT (a script would fill it), NOT_FOUND or SERVER (an
    error behind a 200)."""
    from selectolax.lexbor import LexborHTMLParser

    html = _tamed(decode(body, snapshot.header("content-type")).text)
    tree = LexborHTMLParser(html)
    layout = Layout(stylesheet("\n".join(node.text() for node in tree.css("style"))))
    if tree.body is not None:
        layout.run(tree.body)
    text = layout.text
    if _is_unfilled(snapshot, html, len(text)):
        return unread(snapshot, Cause.SCRIPT, UNFILLED)
    if not text:
        return unread(snapshot, Cause.EMPTY, "the answer holds no visible text")
    title = _title(tree, layout.blocks)
    regions = _regions(layout)
    if _is_gone(title, layout.blocks, regions):
        return unread(snapshot, Cause.NOT_FOUND, "the page says that it is not there")
    if _is_down(title, layout.blocks, regions):
        return unread(snapshot, Cause.SERVER, "the page says that it is not served now")
    dated = page_date(tree, layout.blocks, latest=snapshot.fetched_at.date())
    base, language = _base(tree, snapshot.final_url), _language(tree)
    regions = _with_main(tree, layout, regions)
    return Page(
        sha256=snapshot.sha256,
        url=snapshot.final_url,
        title=title,
        dated=dated,
        language=language,
        source=snapshot.source,
        text=text,
        blocks=tuple(map(_block, layout.blocks, regions)),
        links=inventory(layout.anchors, text, base, [block.start for block in layout.blocks], regions),
        hidden_text=layout.hidden,
    )


def _is_unfilled(snapshot: Snapshot, html: str, chars: int) -> bool:
    """What a browser made of a page is filled, unless it is still next to nothing."""
    rendered = snapshot.record is Record.CONVERSION
    return (not rendered or chars <= MAX_ROOT_CHARS) and filled_by_script(html, chars)


def _tamed(html: str) -> str:
    """The page without tags of thousands of attributes: the parser compares each with all before it."""
    return _MONSTER_TAG.sub(r"\1", html) if len(html) > _TAME_FROM_CHARS else html


def _with_main(tree: LexborHTMLParser, layout: Layout, regions: list[Region]) -> list[Region]:
    """Regions with the main text marked. Takes menus, hidden parts and ruby readings out of the tree first."""
    chrome = layout.chrome if any(block.place.region is Region.BODY for block in layout.blocks) else []
    for node in (*layout.unseen, *chrome):
        node.decompose()
    main = main_text(tree.html or "", layout.nodes)
    return [
        Region.MAIN if region is Region.BODY and main.holds(block.text) else region
        for block, region in zip(layout.blocks, regions, strict=True)
    ]


def _title(tree: LexborHTMLParser, blocks: list[Laid]) -> str:
    """The <title>, else the first heading, else og:title."""
    found = tree.css_first("head > title") or tree.css_first("title")
    title = " ".join(found.text().split()) if found is not None else ""
    if not title:
        title = next((block.text for block in blocks if block.kind is BlockKind.HEADING), "")
    if not title:
        meta = tree.css_first('meta[property="og:title"]')
        title = " ".join((meta.attributes.get("content") or "").split()) if meta is not None else ""
    return title[:_MAX_TITLE_CHARS]


def _language(tree: LexborHTMLParser) -> str:
    root = tree.css_first("html")
    declared = (root.attributes.get("lang") or root.attributes.get("xml:lang") or "") if root is not None else ""
    return declared.lower() if _LANGUAGE.fullmatch(declared) else "ja"


def _base(tree: LexborHTMLParser, url: str) -> str:
    base = tree.css_first("base[href]")
    return address(base.attributes.get("href") or "", url) or url if base is not None else url


def _regions(layout: Layout) -> list[Region]:
    """Region of each block. Menus that no name gives away: blocks that are links only and stand before the page's
    first h1, or outside the element that the page calls its content. A page that would be all menu is content."""
    linked = _linked(layout)
    named = any(block.place.named_content and block.place.region is Region.BODY for block in layout.blocks)
    first = next((at for at, block in enumerate(layout.blocks) if _is_main_heading(block)), 0)
    regions = []
    for at, block in enumerate(layout.blocks):
        region = block.place.region
        outside = at < first or (named and not block.place.named_content)
        if region is Region.BODY and (is_breadcrumb(block.text) or (outside and at in linked)):
            region = Region.NAV
        regions.append(region)
    return regions if Region.BODY in regions else [Region.BODY] * len(regions)


def _is_main_heading(block: Laid) -> bool:
    return block.place.level == 1 and block.place.region is Region.BODY and block.kind is BlockKind.HEADING


def _linked(layout: Layout) -> set[int]:
    """Indexes of the blocks that are links for four fifths of their text or more."""
    starts = [block.start for block in layout.blocks]
    covered = [0] * len(starts)
    for anchor in layout.anchors:
        start, end = (anchor.start, anchor.end) if anchor.start >= 0 else (anchor.alt_start, anchor.alt_end)
        at = bisect_right(starts, start) - 1
        while 0 <= at < len(starts) and starts[at] < end:
            block = layout.blocks[at]
            covered[at] += min(end, block.end) - max(start, block.start)
            at += 1
    return {at for at, block in enumerate(layout.blocks) if covered[at] * 5 >= 4 * len(block.text)}


def _is_gone(title: str, blocks: list[Laid], regions: list[Region]) -> bool:
    said = _heads(title, blocks)
    if not any(len(text) <= 80 and _GONE.search(text) for text in said):
        return False
    content = _content_chars(blocks, regions)
    return content <= (_SURELY_GONE_MAX_CHARS if any(_SURELY_GONE.search(text) for text in said) else _GONE_MAX_CHARS)


def _is_down(title: str, blocks: list[Laid], regions: list[Region]) -> bool:
    down = any(_DOWN.search(text) for text in _heads(title, blocks))
    return down and _content_chars(blocks, regions) <= _GONE_MAX_CHARS


def _heads(title: str, blocks: list[Laid]) -> list[str]:
    return [title, *(block.text for block in blocks if block.kind is BlockKind.HEADING)][:4]


def _content_chars(blocks: list[Laid], regions: list[Region]) -> int:
    return sum(len(block.text) for block, region in zip(blocks, regions, strict=True) if region is Region.BODY)


def _block(laid: Laid, region: Region) -> Block:
    return Block(
        start=laid.start,
        end=laid.end,
        kind=laid.kind,
        region=region,
        headings=laid.headings,
        row=laid.place.row(),
        column=laid.place.column(),
    )
