"""What to expect next: why each criterion is no point today, in plain words."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.report.nouns import Expectation, Expected, Row

_AWAITING = "awaiting"
# reason -> title and lead, in the order of the report
_REASONS = {
    "not_met": (
        "「していない」「予定」などの記載がある項目",
        "ページがはっきりと否定しているか、測定値が基準に届いていない項目です。取組が始まり、そのことが公表されれば該当となります。",
    ),
    "no_evidence": (
        "記載が見当たらない項目",
        "調べたページに、この項目を述べる記載がありませんでした。実施していないという意味ではありません。公表されれば該当となる場合があります。",
    ),
    "unobserved": (
        "ページを読めなかった項目",
        "関係するページを読めなかったため、記載の有無が分かりません。読めるようになれば、次の調査で結論が出ます。",
    ),
    "not_judged": (
        "結論が出ていない項目",
        "測る手段がないか、判定に失敗した項目です。人が根拠を確かめれば結論を出せます。",
    ),
    _AWAITING: (
        "確認を待つ項目（暫定で該当）",
        "機械判定では「該当」ですが、まだ人が確認していません。確認されれば1点となります。",
    ),
}


def expected(rows: Iterable[Row]) -> tuple[Expected, ...]:
    """Every criterion that is no confirmed point, grouped by its reason; groups without a criterion are left out."""
    groups: dict[str, list[Expectation]] = {key: [] for key in _REASONS}
    for row in rows:
        if row.outcome.key != "met":
            groups[row.outcome.key].append(Expectation(row=row, why=_why(row)))
        elif not row.confirmed:
            groups[_AWAITING].append(Expectation(row=row, why=_proposed(row)))
    return tuple(
        Expected(key=key, title=title, lead=lead, entries=tuple(groups[key]))
        for key, (title, lead) in _REASONS.items()
        if groups[key]
    )


def _why(row: Row) -> str:
    return {"not_met": _says_no, "no_evidence": _found_nothing, "unobserved": _not_read, "not_judged": _no_verdict}[
        row.outcome.key
    ](row)


def _says_no(row: Row) -> str:
    if row.measured:
        return (
            f"{row.measured.name}は{row.measured.value}{row.measured.unit}で、"
            f"基準（{row.measured.threshold}{row.measured.unit}以下）を満たしていません。"
        )
    return _cited(row, "と書かれています。")


def _proposed(row: Row) -> str:
    if row.measured:
        return f"{row.measured.name}は{row.measured.value}{row.measured.unit}と測定されました。"
    return _cited(row, "という記載が根拠の候補です。")


def _cited(row: Row, ending: str) -> str:
    if not row.evidence:
        return "根拠の引用は記録されていません。"
    first = row.evidence[0]
    where = first.title + (f"、{first.dated.ja}" if first.dated else "、日付なし")
    return f"“{' '.join(first.lines)}”（{where}）{ending}"


def _found_nothing(row: Row) -> str:
    searched = row.searched.count if row.searched else 0
    said = f"{searched}ページを調べましたが、" if searched else "該当しうるページが収集した中になく、"
    rest = "".join(f"{gap}ため、そこに記載がある可能性が残ります。" for gap in row.gaps)
    return f"{said}この項目を述べる記載は見当たりませんでした。{rest}"


def _not_read(row: Row) -> str:
    if not row.unread:
        return "関係するページを読めず、記載の有無が分かりません。"
    causes = "、".join(dict.fromkeys(one.cause for one in row.unread))
    return f"関係するアドレス{len(row.unread)}件を読めませんでした（{causes}）。記載の有無は分かりません。"


def _no_verdict(row: Row) -> str:
    return "判定の手段がないか、判定に失敗したため、該当とも非該当とも言えません。"
