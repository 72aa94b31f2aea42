"""What the embedded judge hands to people: the quotes it rests on and one sentence that says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.judge.actor import Actor
from pipeline.judge.findings import Finding, Side
from pipeline.judge.surroundings import CELLS, contiguous
from pipeline.judge.tense import Mode
from pipeline.models import Block, BlockKind, Claim, Page

# A quote shorter than this does not speak for itself; one longer is no longer read.
SHORT_QUOTE_CHARS = 24
LONG_QUOTE_CHARS = 200
SHORT_CELL_CHARS = 10
FARTHEST_NAME_BLOCKS = 8

_DEED = {
    Mode.DOES: "実施・提供を述べる文",
    Mode.LABEL: "実施・提供を示す項目",
    Mode.DENIES: "行っていないと述べる文",
    Mode.PLANS: "予定または検討にとどまると述べる文",
    Mode.ENDED: "終了したと述べる文",
    Mode.INTENDS: "施策として掲げる文",
    Mode.LIMITS: "取りやめ・不要を述べる文",
    Mode.ASKS: "文",
}
_OTHERS = {
    Actor.NEIGHBOUR: "他の市町村",
    Actor.PREFECTURE: "都道府県",
    Actor.NATION: "国",
    Actor.COMPANY: "事業者",
    Actor.BODY: "他の団体",
}
_SET_ASIDE = {
    Mode.ASKS: "質問や要望",
    Mode.INTENDS: "めざすという記述",
    Mode.LIMITS: "一部や受付期間についての記述",
    Mode.LABEL: "見出しや項目名",
    Mode.PLANS: "予定や検討",
}


def claims(chosen: Finding, support: Sequence[Finding]) -> tuple[Claim, ...]:
    """The quotes, the deciding one first: whole sentences or cells as the page has them, and the links."""
    return tuple(_claim(one) for one in (chosen, *support))


def _claim(finding: Finding) -> Claim:
    if finding.account is not None:
        return Claim(text=finding.account.label, page_sha256=finding.page.sha256, href=finding.account.link.href)
    return Claim(text=_quoted(finding), page_sha256=finding.page.sha256)


def _quoted(finding: Finding) -> str:
    """The sentence; its whole block where it leans on what stands before, denies, or is too short to be understood."""
    statement = finding.statement
    if statement is None:
        return ""
    block = statement.part.block
    if block.kind in CELLS and block.row and block.end - block.start < SHORT_CELL_CHARS:
        return _with_name(finding.page, block)
    denies = finding.side is Side.AGAINST
    leans = finding.elliptic or denies or statement.end - statement.start < SHORT_QUOTE_CHARS
    if leans and block.end - block.start <= LONG_QUOTE_CHARS:
        return finding.page.text[block.start : block.end]
    return finding.page.text[statement.start : statement.end]


def _with_name(page: Page, block: Block) -> str:
    """A cell that says too little alone (未整備), from the cell or term that names its line on."""
    last = page.blocks.index(block)
    for first in range(last - 1, max(last - FARTHEST_NAME_BLOCKS, -1), -1):
        if page.slice(page.blocks[first]) == block.row and contiguous(page, first, last):
            return page.text[page.blocks[first].start : block.end]
    return page.slice(block)


def rationale(chosen: Finding | None, other: Finding | None, aside: Sequence[Finding] = (), pages: int = 0) -> str:
    """One Japanese sentence that tells a reviewer why, made of what was found."""
    if chosen is None:
        return _why_nothing(aside, pages)
    if chosen.account is not None:
        said = f"自治体のアカウントへのリンク「{chosen.account.label or chosen.account.link.href}」がある"
    else:
        said = f"{_where(chosen)}{_DEED[chosen.said.mode]}があり、{_who(chosen)}"
    return said + _against(chosen, other) + "。"


def _where(chosen: Finding) -> str:
    statement = chosen.statement
    if statement is None:
        return ""
    if statement.part.block.kind in (BlockKind.CELL, BlockKind.DEFINITION) and statement.part.row:
        return f"表の「{statement.part.row[:20]}」の欄に、"
    return f"「{chosen.page.title[:30]}」に、" if chosen.page.title else ""


def _who(chosen: Finding) -> str:
    who = "主体は当該自治体と読める" if chosen.actor is Actor.OWN else "他の主体の記述ではない"
    if chosen.said.kept:
        return f"{who}(予定とされた日は過ぎている)"
    return f"{who}(試行)" if chosen.said.trial else who


def _against(chosen: Finding, other: Finding | None) -> str:
    if other is None:
        return ""
    if chosen.day and other.day and chosen.day > other.day:
        return f"が、{other.day.isoformat()}付の反対の記述より新しい"
    return "が、反対の記述もある"


def _why_nothing(aside: Sequence[Finding], pages: int) -> str:
    if not aside:
        return f"{pages}ページを調べたが、この項目に触れる文は見つからなかった。"
    reasons = Counter(_OTHERS.get(one.actor) or _SET_ASIDE.get(one.said.mode, "決め手にならない記述") for one in aside)
    named = "、".join(reason for reason, _ in reasons.most_common(2))
    return f"{pages}ページを調べたが、見つかったのは{named}だけで、当該自治体が行うと述べる文はなかった。"
