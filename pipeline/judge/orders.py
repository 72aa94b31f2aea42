"""Words on a page that tell its reader how to judge: evidence of nothing, and worth a warning to people."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

from pipeline.judge.speech import addressed_to_evaluator
from pipeline.models import Page
from pipeline.text import sentences

# What belongs to the talk between a program and a model and has no business on a municipal page (folded text).
_MACHINE_TALK = re.compile(
    r"<\|?(?:im_start|im_end|system|endoftext|start_header)|\[/?inst\]|<</?sys>>|</?(?:system|assistant|instructions?)>"
    r"|#{2,}(?:system|assistant|instruction|新しい指示|システム)|(?:^|[\[【(])(?:system|assistant|システム|アシスタント)[\]】)]?[::]"
    r"|[\"'“”]?verdict[\"'“”]?[::=]|needs_context|={4,}[0-9a-f]{8,}|={4,}(?:begin|end)d\d|(?:begin|end)d\d+$"
    r"|あなたは[^。]{0,20}(?:調査員|評価者|審査員|判定者|採点者|(?:生成)?ai|アシスタント|言語モデル)(?:です|である|として|では)"
    r"|(?:この|次の|以下の|上の|前の|右の)(?:文|一文|一節|行|記述|段落)(?:だけ|のみ)?を(?:必ず|そのまま|一字一句)*引用"
    r"|(?:指示|命令|規則|ルール|プロンプト)(?:を|は|に)[^。]{0,10}(?:無視|無効|上書き|取り消|優先|従わな|従って|従い|従うこと|忘れ)"
    r"|(?:verdict|判定|評価|結果|結論|回答|答え|出力)(?:は|を|:|=)[^。]{0,16}(?<![a-z])(?:not_)?(?:met|no_evidence)(?![a-z])"
    r"|(?<![a-z_])(?:not_met|no_evidence|met)(?:と|で|に|を)(?:お?答え|回答|判定|判断|評価|出力|返|すべき|して|せよ)"
    r"|confidence(?:は|を|:|=)|(?:evaluator|grader|reviewer|assistant|model)s?[::,]?(?:must|should|please|shall|will)"
    r"|(?:mark|rate|judge|score|grade|report|output|answer|respond|return)[a-z]{0,30}as?[\"']?met"
    r"|(?:ignore|disregard|override|forget)[a-z]{0,20}(?:instruction|rule|prompt|guideline)"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_BETWEEN = re.compile(r"(?<=\w)[・.,_*|/~\-‐―'’`､]+(?=\w)")
_TAG = 0xE0000
_LONGEST = 200_000  # characters of one text that are looked at


def ordered(page: Page, start: int, end: int) -> bool:
    """Whether a sentence that page.text[start:end] touches is such an order."""
    block = page.text.rfind("\n", 0, start) + 1
    until = page.text.find("\n", end)
    text = page.text[block : until if until >= 0 else len(page.text)]
    return any(
        is_order(text[left:right]) for left, right in sentences(text) if block + left < end and start < block + right
    )


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
