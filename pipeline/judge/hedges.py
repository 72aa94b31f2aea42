"""Words that turn a sentence around: negation and plan. Pure patterns over folded text (see text.py).

They err on the side of a warning: a flag costs a reviewer a glance, a missed one a false point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.models import Flag

# Names of services that carry a ない of their own: 書かない窓口, 行かない市役所.
_SERVICE_NAME = (
    r"(?!(?<=書かない|行かない|待たない|迷わない|並ばない|回らない)(?:窓口|市役所|区役所|町役場|村役場|役所|役場))"
)

NEGATION = re.compile(
    # without words that only end alike (少ない, つないで, おこない) or mean the contrary (しかない)
    r"ませ(?:ん|ぬ)|(?<![少危つぎ])(?<!おこ)(?<!とも)(?<!にな)(?<!しか)(?<!かもしれ)(?<!ければなら)(?<!ねばなら)(?<!てはなら)"
    rf"ない(?!し){_SERVICE_NAME}|なかった|(?:では|でき|出来|れ|てい|しか|おら|行わ)なく(?!ては)|"
    r"(?:せ|でき|出来|れ|おら|行わ|あら|得)ず(?!に)|"
    r"未(?![来満然就婚知曾])(?!成年)|不可(?!欠)|対象外|非対応|(?:でき|致し|いたし|出来)かね|限りでは|"
    r"廃止|中止|休止|停止|閉鎖|閉館|撤去|凍結|断念|見送|打ち切|取り?止め|取りやめ|とりやめ|終了(?!時刻|時間|日時)|"
    # a cell of its own, or the end of a clause
    r"(?:なし|無し)(?=[。、)」]|$)(?<!こなし)(?<!はなし)|^[×✕✗]$"
)
PLAN = re.compile(
    r"予定(?!価格|表|通り|どおり|時刻|納期)|検討(?!委員|会|部会|結果|の結果|の上|した結果|を重ね)|目指|めざ[しす]|"
    r"てい(?:く|き(?:ます|たい))|でい(?:く|き(?:ます|たい))|たいと(?:考え|思)|今後(?!も)|見込|構想|将来|"
    r"計画(?:し|中(?!の))|準備(?:中|を進め|して)|実現に向け|実施に向け|導入に向け|開始に向け|始める方針|する方針|"
    r"て(?:ほし|欲し|もらいた|いただきた)い|たい(?:です)?(?=[。」]|$)|べき"
)
# A predicate cut right before what turns it: `対応して` + `いません`, `使え` + `ず`, `申請できます` + `か。`
_TURNS = re.compile(
    r"(?!(?:[ぁ-ん]{0,4})(?:だけ|のみ|ばかり)(?:で|なら))"
    r"[ぁ-ん]{0,8}?(?:ませ[んぬ]|ない(?!し)|なかった|なく(?!な[るっり])|[かがさたなばまらわえけげせてねべめれ]ず(?![つれか]))"
    r"|(?<=[かがさたなばまらわえけげせてねべめれき])ず(?![つれか])"
    r"|[ぁ-ん]{0,8}?か(?=[。?!」)]|$)"
)
_LONGEST_NEGATION = 6
# A sentence that speaks of the list or table after it: `次の手続は`, or a caption without a full stop.
LEADS_IN = re.compile(r"次の|以下の?|下記|下の表|[^。！？!?]$")
CAVEAT_OPENERS = ("ただし", "但し", "ただ、", "なお", "しかし", "一方", "もっとも", "※")


def unquoted(folded: str, spans: Sequence[tuple[int, int]], start: int, end: int) -> set[Flag]:
    """Which of negation and plan stand in folded[start:end] and not wholly inside one of the quoted spans."""
    return {
        flag
        for flag, pattern in ((Flag.UNQUOTED_NEGATION, NEGATION), (Flag.UNQUOTED_PLAN, PLAN))
        if any(not _inside(word.span(), spans) for word in pattern.finditer(folded, start, end))
    }


def hedged(labels: Iterable[str]) -> set[Flag]:
    """Which of negation and plan stand in any of the folded labels (headings, row, column)."""
    return {flag for label in labels for flag in unquoted(label, (), 0, len(label))}


def turns(folded: str, at: int, until: int) -> bool:
    """Whether folded[:at] stops inside a negation, or right before words (within folded[:until]) that negate or ask."""
    if _TURNS.match(folded, at, until):
        return True
    around = NEGATION.finditer(folded, max(0, at - _LONGEST_NEGATION), min(until, at + _LONGEST_NEGATION))
    return any(word.start() < at < word.end() for word in around)


def _inside(word: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= word[0] and word[1] <= end for start, end in spans)
