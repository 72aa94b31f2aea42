"""What to expect next: why each criterion is no point today, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pipeline.report.nouns import Example, Expectation, Expected, Row
from pipeline.report.speech import Speech

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


def expected(rows: Iterable[Row], examples: Mapping[str, tuple[Example, ...]], say: Speech) -> tuple[Expected, ...]:
    """Every criterion that is no confirmed point, grouped by its reason; groups without a criterion are left out.

    examples: by criterion, how comparable municipalities meet it.
    """
    groups: dict[str, list[Expectation]] = {key: [] for key in _REASONS}
    for row in rows:
        if row.outcome.key != "met":
            why = _WHY[row.outcome.key](row, say)
            groups[row.outcome.key].append(Expectation(row=row, why=why, examples=examples.get(row.id, ())))
        elif not row.confirmed:
            groups[_AWAITING].append(Expectation(row=row, why=_proposed(row, say)))
    return tuple(
        Expected(key=key, title=say(title), lead=say(lead), entries=tuple(groups[key]))
        for key, (title, lead) in _REASONS.items()
        if groups[key]
    )


def _says_no(row: Row, say: Speech) -> str:
    if row.measured:
        return say(
            "%(name)sは%(value)s%(unit)sで、基準（%(threshold)s%(unit)s以下）を満たしていません。",
            name=row.measured.name,
            value=row.measured.value,
            unit=row.measured.unit,
            threshold=row.measured.threshold,
        )
    return _cited(row, "“%(quote)s”（%(where)s）と書かれています。", say)


def _proposed(row: Row, say: Speech) -> str:
    if row.measured:
        told = "%(name)sは%(value)s%(unit)sと測定されました。"
        return say(told, name=row.measured.name, value=row.measured.value, unit=row.measured.unit)
    return _cited(row, "“%(quote)s”（%(where)s）という記載が根拠の候補です。", say)


def _cited(row: Row, told: str, say: Speech) -> str:
    if not row.evidence:
        return say("根拠の引用は記録されていません。")
    first = row.evidence[0]
    where = say.listed((first.title, first.dated.shown if first.dated else say("日付なし")))
    return say(told, quote=" ".join(first.lines), where=where)


def _found_nothing(row: Row, say: Speech) -> str:
    searched = row.searched.count if row.searched else 0
    if searched:
        said = say("%(count)sページを調べましたが、この項目を述べる記載は見当たりませんでした。", count=searched)
    else:
        said = say("該当しうるページが収集した中になく、この項目を述べる記載は見当たりませんでした。")
    gaps = (say("%(gap)sため、そこに記載がある可能性が残ります。", gap=gap) for gap in row.gaps)
    return say.told(said, *gaps)


def _not_read(row: Row, say: Speech) -> str:
    if not row.unread:
        return say("関係するページを読めず、記載の有無が分かりません。")
    causes = say.listed(dict.fromkeys(one.cause for one in row.unread))
    told = "関係するアドレス%(count)s件を読めませんでした（%(causes)s）。記載の有無は分かりません。"
    return say(told, count=len(row.unread), causes=causes)


def _no_verdict(row: Row, say: Speech) -> str:
    return say("判定の手段がないか、判定に失敗したため、該当とも非該当とも言えません。")


_WHY: dict[str, Callable[[Row, Speech], str]] = {
    "not_met": _says_no,
    "no_evidence": _found_nothing,
    "unobserved": _not_read,
    "not_judged": _no_verdict,
}
