"""Words on a page that tell its reader how to judge: evidence of nothing, and worth a warning to people."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

from pipeline.judge.speech import addressed_to_evaluator
from pipeline.models import Media, Page
from pipeline.text import sentences

# What belongs to the talk between a program and a model and has no business on a municipal page (folded text).
_JUDGED = r"(?:not_)?(?:met(?![a-z])|no_evidence)"
_SAID = r"(?:お?答え|回答|判定|判断|評価|採点|出力|記録|記載|報告|紹介|説明|返|書[いくけ])"
_BIDDEN = r"[^。]{0,8}(?:ください|下さい|せよ|しろ|こと|なさい|願)"
_MACHINE_TALK = re.compile(
    r"<\|?(?:im_start|im_end|system|endoftext|start_header)|\[/?inst\]|<</?sys>>|</?(?:system|assistant|instructions?)>"
    r"|#{2,}(?:system|assistant|instruction|新しい指示|システム)"
    r"|(?:^|[\[【(])(?:system|assistant)[\]】)]?:[^。]{0,40}(?:判定|評価|指示|以後|must|should|you)"
    r"|[\"'“”]?verdict[\"'“”]?[:=]|needs_context|={2,}[0-9a-f]{16}|={2,}(?:begin|end)d\d|^(?:begin|end)d\d+$"
    r"|あなたは[^。]{0,20}(?:調査員|評価者|審査員|判定者|採点者|(?:生成)?ai|アシスタント|言語モデル)(?:です|である|として|では)"
    r"|(?:この|次の|以下の|上の|前の|右の)(?:文|一文|一節|行|記述|段落)(?:だけ|のみ)?を(?:必ず|そのまま|一字一句)*引用"
    r"|引用(?:文)?(?:は|には)「[^」]{1,80}」(?:と|を)"
    r"|(?:規則|ルール|指示|命令|プロンプト)(?:\d+)?(?:を|は)[^。]{0,6}(?:無視|上書き|忘れ)"
    r"|(?:次|以下|上記|下記|この)の?(?:指示|命令|プロンプト)に従(?:って|い)"
    + _SAID
    + rf"|(?:verdict|判定|評価|結果|結論|回答|答え|出力)(?:は|を|:|=)[^。]{{0,16}}(?<![a-z])(?:{_JUDGED})"
    rf"|(?<![a-z_])(?:{_JUDGED})(?:と|で|に|を)(?:{_SAID}|すべき|して|せよ|する)"
    rf"|(?:満たす|該当する|達成|済み|(?:てい|しな)(?:る|ます|ない|ません|い))と{_SAID}{_BIDDEN}"
    r"|(?:検討中|予定|計画|項目)[^。]{0,10}数える(?:もの|こと)と"
    r"|confidence(?:は|を|:|=)|(?:evaluator|grader|reviewer|assistant|model)s?[:,]?(?:must|should|please|shall|will)"
    r"|(?:mark|rate|judge|score|grade|report|output|answer|respond|return)[a-z]{0,30}as?[\"']?met(?![a-z])"
    r"|(?:ignore|disregard|override|forget)[a-z]{0,20}(?:instruction|rule|prompt|guideline)"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_BETWEEN = re.compile(r"(?<=\w)[・.,_*|/~\-‐―'’`､]+(?=\w)")
_TAG = 0xE0000
_BROKEN_LINES = 2  # before and after, that one sentence of a PDF or of plain text may run over
_LONGEST = 200_000  # characters of one text that are looked at


def ordered(page: Page, start: int, end: int) -> bool:
    """Whether a sentence that page.text[start:end] touches is such an order."""
    begin, text = _lines_around(page, start, end)
    return any(
        is_order(text[left:right].replace("\n", ""))
        for left, right in sentences(text.replace("\n", " ") if page.media is not Media.HTML else text)
        if begin + left < end and start < begin + right
    )


def _lines_around(page: Page, start: int, end: int) -> tuple[int, str]:
    """Where the lines of a place begin, and what they say; outside HTML with the lines that a sentence runs over."""
    more = 0 if page.media is Media.HTML else _BROKEN_LINES
    begin, until = page.text.rfind("\n", 0, start) + 1, page.text.find("\n", end)
    for _ in range(more):
        begin = page.text.rfind("\n", 0, max(begin - 1, 0)) + 1
        until = page.text.find("\n", until + 1) if until >= 0 else until
    return begin, page.text[begin : until if until >= 0 else len(page.text)]


def given_on(page: Page) -> bool:
    """Whether anything on the page, seen or unseen, is such an order."""
    return any(map(gives_orders, (page.title, page.text, page.hidden_text)))


@lru_cache(maxsize=8192)
def gives_orders(text: str) -> bool:
    """Whether any sentence of a text is such an order. Only the first 200,000 characters are looked at."""
    text = text[:_LONGEST]
    return any(is_order(text[start:end]) for start, end in sentences(text))


def is_order(sentence: str) -> bool:
    """Whether the sentence, in any disguise that is undone here, tells a program or an evaluator how to judge."""
    folded = _fold(sentence)
    readings = {folded, _BETWEEN.sub("", folded), *map(_fold, _decoded(sentence))}
    return any(addressed_to_evaluator(one) or _MACHINE_TALK.search(one) for one in readings)


def _fold(text: str) -> str:
    """NFKC, lower case, without white space and invisible characters; tag characters as the letters they hide."""
    shown = "".join(chr(ord(one) - _TAG) if _TAG < ord(one) < _TAG + 0x7F else one for one in text)
    kept = (one for one in unicodedata.normalize("NFKC", shown) if unicodedata.category(one) != "Cf")
    return "".join("".join(kept).lower().split())


def _decoded(text: str) -> list[str]:
    """What base64 in a text says, as far as it is text."""
    found = []
    for token in _BASE64.findall(text):
        try:
            found.append(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_").decode())
        except (binascii.Error, ValueError):
            continue
    return found
