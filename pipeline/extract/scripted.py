"""Whether a page stands there only after its scripts have run, so that the answer itself says nothing of it."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

UNFILLED = "only a script fills this page"
# Of 1,301 static pages (labelled sites, real ones) four are that short with so few links, and none counts.
MAX_CHARS, MAX_LINKS = 200, 2
# What the frame of a page that a script has not filled yet may still say: a word such as "Loading...".
MAX_ROOT_CHARS = 40
_ROOTS = (
    "#root, #app, #__next, #__nuxt, #___gatsby, #q-app, #react-root, #app-root, #svelte, [ng-app], [data-reactroot]"
)
_ASKS = re.compile(r"java\s*script|ジャバ\s*スクリプト|スクリプト", re.I)
_NEEDED = re.compile(r"有効|オン|必要|使用して|利用して|enable|turn(ed)? on|require|need|activate", re.I)
_SHOWN = "img[src], iframe[src], frame[src], object[data], embed[src], video, meta[http-equiv=refresh i]"
_NO_SCRIPT_TYPES = re.compile(r"json|template|text/(html|plain|x-)", re.I)


def filled_by_script(html: str, chars: int) -> bool:
    """Whether only a script fills the page. chars: of its visible text as answered.

    It says nearly nothing, links to nearly nothing, runs a script, and one of these holds: its frame for a script is
    empty; it asks the reader to switch JavaScript on; it has nothing at all to show. A false yes makes a short page
    `unread` and never speaks for or against a criterion.
    """
    if chars > MAX_CHARS or "<script" not in html.lower():
        return False
    tree = LexborHTMLParser(html)
    if not any(map(_runs, tree.css("script"))) or len(tree.css("a[href], area[href]")) > MAX_LINKS:
        return False
    if any(map(_is_empty, tree.css(_ROOTS))) or any(map(_is_empty, _own_elements(tree))):
        return True
    return any(map(_asks, tree.css("noscript"))) or (not chars and not tree.css(_SHOWN))


def _runs(script: LexborNode) -> bool:
    kind = script.attributes.get("type") or ""
    return not _NO_SCRIPT_TYPES.search(kind) and bool(script.attributes.get("src") or script.text().strip())


def _own_elements(tree: LexborHTMLParser) -> list[LexborNode]:
    """Elements of the page's own making that its body consists of, such as <app-root>."""
    children = tree.body.iter() if tree.body is not None else ()
    return [node for node in children if re.match("[a-z][^-]*-", node.tag or "")]


def _is_empty(frame: LexborNode) -> bool:
    return len("".join(frame.text(deep=True).split())) <= MAX_ROOT_CHARS


def _asks(node: LexborNode) -> bool:
    said = node.text(deep=True)
    return bool(_ASKS.search(said) and _NEEDED.search(said))
