"""The report's own Japanese words for outcomes, causes and flags, and how it writes numbers and the text of others."""

from __future__ import annotations

import re
from datetime import timedelta, timezone

from pipeline.models import Cause, Flag, Match, Source, Verdict
from pipeline.report.nouns import Outcome

JAPAN = timezone(timedelta(hours=9), "JST")

OUTCOMES = {
    Verdict.MET: Outcome(
        key="met", word="該当", glyph="●", meaning="実施・提供していることを示す記載または測定値がある"
    ),
    Verdict.NOT_MET: Outcome(
        key="not_met",
        word="非該当",
        glyph="✕",
        meaning="否定の記載（していない、終了、予定にとどまる）または測定値がある",
    ),
    Verdict.NO_EVIDENCE: Outcome(
        key="no_evidence",
        word="根拠見当たらず",
        glyph="○",
        meaning="調べたページに記載が見当たらない。無いという意味ではない",
    ),
    Verdict.NOT_JUDGED: Outcome(
        key="not_judged", word="未判定", glyph="△", meaning="測る手段がない、または判定に失敗し、結論が出ていない"
    ),
    Verdict.UNOBSERVED: Outcome(
        key="unobserved", word="未観測", glyph="▧", meaning="関係するページを読めず、記載の有無が分からない"
    ),
}

CAUSES = {
    Cause.ROBOTS: "robots.txt が収集を認めていない",
    Cause.ROBOTS_UNREACHABLE: "robots.txt を確認できず、収集を控えた",
    Cause.ADDRESS: "収集しない種類のアドレス",
    Cause.DNS: "ホスト名を解決できない",
    Cause.CONNECT: "接続できない",
    Cause.TLS: "暗号化通信（TLS）を確立できない",
    Cause.TIMEOUT: "制限時間内に応答がない",
    Cause.TOO_LARGE: "大きさの上限を超える",
    Cause.REDIRECT: "転送が終わらない、または拒否された先へ転送する",
    Cause.PROTOCOL: "応答を HTTP として読めない",
    Cause.NOT_FOUND: "ページがない（404・410）",
    Cause.FORBIDDEN: "閲覧を許されない（401・403・429・451）",
    Cause.SERVER: "サーバーの障害（5xx）",
    Cause.EMPTY: "目に見える文字がない",
    Cause.SCRIPT: "スクリプトを実行しないと内容が表示されない",
    Cause.MEDIA: "対象外の形式（HTML・PDF・テキスト以外）",
    Cause.NEEDS_OCR: "文字情報のない PDF（画像のみ）",
    Cause.BROKEN: "文書が壊れていて読めない",
    Cause.ELSEWHERE: "本文が別の WARC にある（再訪の記録のみ）",
}

SOURCES = {
    Source.OFFICIAL: "公式",
    Source.SERVICE: "外部サービス",
    Source.PRESS: "報道",
    Source.SOCIAL: "公式アカウント",
    Source.LISTING: "サイト内検索",
}

FLAGS = {
    Flag.UNQUOTED_NEGATION: "引用の近くに否定の語がある",
    Flag.UNQUOTED_PLAN: "引用の近くに予定・検討の語がある",
    Flag.OTHER_PAGE: "判定が示したものと別のページで引用が見つかった",
    Flag.AMBIGUOUS: "同じ文が複数の箇所にある",
    Flag.QUOTE_NOT_FOUND: "写しと照合できず、除いた引用がある",
    Flag.SHORT_QUOTE: "引用が短い",
    Flag.ADDRESSED_TO_EVALUATOR: "評価者に宛てた文がページにある",
    Flag.JUDGES_DISAGREE: "判定どうしが食い違う",
    Flag.CONTRADICTED: "反対の内容の記載がほかにある",
    Flag.OLD_PAGE: "ページが古い",
    Flag.UNDATED: "ページに日付がない",
    Flag.OTHER_ACTOR: "国・県・近隣・企業など別の主体の語が近くにある",
    Flag.TRIAL: "試行・実証の段階",
    Flag.PRESS: "報道による",
    Flag.PAGES_UNREAD: "関係しそうなページに読めなかったものがある",
    Flag.BUDGET_SPENT: "関係しそうなページを取得していない（取得数の上限、または保存物に含まれない）",
    Flag.LOW_CONFIDENCE: "判定の確信度が低い",
    Flag.MODEL_FAILED: "モデルから使える答えを得られなかった",
    Flag.VOTES_SPLIT: "同じ問いへの答えが割れた",
}

# What a person's confirmation does not settle: it stays true of the crawl.
LASTING = frozenset({Flag.PAGES_UNREAD, Flag.BUDGET_SPENT, Flag.TRIAL})

# Why nothing found may not be the last word.
GAPS = {
    Flag.PAGES_UNREAD: "関係しうるページに読めなかったものがある",
    Flag.BUDGET_SPENT: "関係しそうなページを取得していない（取得数の上限、または保存物に含まれない）",
}

MATCHES = {
    Match.EXACT: "写しと完全一致",
    Match.WIDTH_SPACE: "写しと一致（全角・半角、空白の違いを除く）",
    Match.COMPATIBLE: "写しと一致（合字などの互換文字の違いを除く）",
    Match.FRAGMENTS: "写しと一致（中略の前後をそれぞれ照合）",
}

# Control characters, direction overrides, lone surrogates, noncharacters: they could reorder or break the text around.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Text of others as it may be shown: unprintable characters become U+FFFD, everything else stays as it is."""
    return _UNPRINTABLE.sub("\ufffd", text)


def lines(text: str) -> tuple[str, ...]:
    """The non-empty lines of a text of others, as they may be shown."""
    return tuple(visible(line) for line in text.split("\n") if line.strip())


def number(value: float) -> str:
    """A measured number without trailing zeros: 2.0 -> 2, 2.345 -> 2.35."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
