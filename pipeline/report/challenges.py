"""General challenges: what the outcomes of a whole survey have in common, each found by one stated rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from pipeline.models import Run
from pipeline.report import words
from pipeline.report.nouns import Challenge, Row, Tally
from pipeline.report.speech import Speech

# As the judge flags an old page.
STALE = timedelta(days=4 * 365)


def challenges(run: Run, rows: Sequence[Row], tallies: Sequence[Tally], say: Speech) -> tuple[Challenge, ...]:
    """What confirmed outcomes show, and what the crawl could not read; rules that find nothing are left out."""
    confirmed = [row for row in rows if row.confirmed]
    found = [
        _weakest(tallies, say) if confirmed else None,
        *(rule(confirmed, run.as_of, say) for rule in (_says_no, _unpublished, _press_only, _stale, _undated)),
        _unreadable(run, [row for row in rows if row.outcome.key == "unobserved"], say),
    ]
    return tuple(one for one in found if one)


def _weakest(tallies: Sequence[Tally], say: Speech) -> Challenge | None:
    """The viewpoint with the smallest share of points, where one is alone in that and all of it is decided."""
    decided = sorted((one for one in tallies if one.possible and not one.awaiting), key=_share)
    if len(decided) < len(tallies) or len(decided) < 2 or _share(decided[0]) == _share(decided[1]):
        return None
    one = decided[0]
    told = say(
        "「%(name)s」は%(possible)s点中%(points)s点で、観点の中で満点に対する割合が最も低くなっています。",
        name=one.name,
        possible=one.possible,
        points=one.confirmed,
    )
    return Challenge(key="weakest", title=say("得点の割合が最も低い観点"), text=told)


def _share(tally: Tally) -> float:
    return tally.confirmed / tally.possible


def _says_no(rows: Iterable[Row], as_of: date, say: Speech) -> Challenge | None:
    told = (
        "%(count)s項目で、ページ自身が実施していない、終了した、または予定・検討の段階であると述べているか、"
        "測定値が基準に届いていません。"
    )
    return _of(rows, lambda row: row.outcome.key == "not_met", "says_no", "実施に至っていない項目がある", told, say)


def _unpublished(rows: Iterable[Row], as_of: date, say: Speech) -> Challenge | None:
    told = (
        "%(count)s項目で、調べたページに記載が見当たりませんでした。"
        "実施していないという意味ではなく、住民や事業者が公式ページから確かめられない状態です。"
    )
    return _of(
        rows, lambda row: row.outcome.key == "no_evidence", "unpublished", "公表が確かめられない項目がある", told, say
    )


def _press_only(rows: Iterable[Row], as_of: date, say: Speech) -> Challenge | None:
    told = "該当と確認された項目のうち%(count)s項目は、根拠が報道だけで、公式ページの記載がありません。"
    return _of(rows, _proven_by_press, "press_only", "公式ページで述べられていない取組がある", told, say)


def _proven_by_press(row: Row) -> bool:
    quoted = row.outcome.key == "met" and row.evidence and not row.more_quotes
    return bool(quoted) and not any(one.official for one in row.evidence)


def _stale(rows: Iterable[Row], as_of: date, say: Speech) -> Challenge | None:
    oldest = (as_of - STALE).isoformat()

    def stale(row: Row) -> bool:
        dates = [one.dated.iso for one in row.evidence if one.dated]
        return row.outcome.key == "met" and bool(dates) and max(dates) < oldest

    told = (
        "該当と確認された項目のうち%(count)s項目は、根拠としたページの日付が基準日より4年以上前です。"
        "続いているかどうかを読み手が判断できません。"
    )
    return _of(rows, stale, "stale", "更新されていないページがある", told, say)


def _undated(rows: Iterable[Row], as_of: date, say: Speech) -> Challenge | None:
    def undated(row: Row) -> bool:
        return row.outcome.key == "met" and bool(row.evidence) and not any(one.dated for one in row.evidence)

    told = "該当と確認された項目のうち%(count)s項目は、根拠としたページに日付がありません。"
    return _of(rows, undated, "undated", "日付のないページがある", told, say)


def _of(
    rows: Iterable[Row], holds: Callable[[Row], bool], key: str, title: str, told: str, say: Speech
) -> Challenge | None:
    found = tuple(row for row in rows if holds(row))
    return Challenge(key=key, title=say(title), text=say(told, count=len(found)), rows=found) if found else None


def _unreadable(run: Run, rows: Sequence[Row], say: Speech) -> Challenge | None:
    unread = run.coverage.unread if run.coverage else ()
    if not unread:
        return None
    causes = Counter(one.cause for one in unread).most_common()
    named = say.listed(say("%(cause)s %(count)s件", cause=say(words.CAUSES[cause]), count=n) for cause, n in causes)
    told = (
        "%(count)s件のアドレスを読めませんでした（%(causes)s）。"
        "検索エンジンや読み上げソフトの利用者も読めない場合があります。"
    )
    return Challenge(
        key="unreadable",
        title=say("読めないページがある"),
        text=say(told, count=len(unread), causes=named),
        rows=tuple(rows),
    )
