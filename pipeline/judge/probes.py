"""Criteria that a measurement settles: how often a site says that it changed, how fast its home page is displayed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import ceil
from statistics import median

from pipeline.judge.gaps import WINDOW_DAYS, days_of, gaps_of
from pipeline.models import Criterion, DatedList, Load, Measurement, Proposal, Speed, Unread, Verdict

MAX_GAP_DAYS = 3.0
NAME = "更新間隔の中央値"
MAX_LCP_S = 2.5
MIN_LOADS = 3
SPEED_NAME = "LCP(最大の要素が表示されるまでの時間)の中央値"
_UNTRIED = (
    "この調査には表示速度の測定記録がない。測るのは、公式サイトを巡回する調査だけである"
    "(--site、--warc、--speed never とデモでは測らない)。"
)
_KINDS = {"feed": "フィード", "list": "新着一覧", "sitemap": "サイトマップ"}


def update_frequency(criterion: Criterion, lists: Sequence[DatedList], as_of: date) -> Proposal:
    """How often the site is updated, from the densest of its feeds, dated lists and sitemaps.

    Days with at least one dated item count once. The window is the 60 days up to and including as_of; later days are
    dropped. The value is the median of the gaps, in days, between consecutive such days; up to the criterion's
    threshold (MAX_GAP_DAYS unless it has one) is `met`, more is `not_met`. The gap that crosses an edge of the window
    is not counted: before the first day the list may be cut off, and after the last one nobody knows yet. The densest
    list is the one with most days in the window.

    A list with fewer than three such days settles nothing where it is cut off within the window (a feed of its last few
    items) or says nothing of it. One that reaches back beyond the window and still shows at most two days in it is
    sparse: the gap that leads into the window is then counted too, which can only say `not_met`.
    A sitemap whose dates are all the same day is a build date, not a list of updates.
    """
    lists = [one for one in lists if one.kind != "posts"]
    told = [one for one in lists if not _is_build_date(one)]
    best = max(told, key=lambda one: _density(one, as_of), default=None)
    if best is None:
        return _not_judged(criterion, _why_none(lists))
    limit = criterion.threshold or MAX_GAP_DAYS
    days, gaps = days_of(best, as_of), gaps_of(best, as_of, limit=limit)
    if not gaps:
        return _not_judged(
            criterion, f"{_KINDS[best.kind]}の日付が直近{WINDOW_DAYS}日に{len(days)}日分しかなく、間隔を測れない。"
        )
    value = float(median(gaps))
    verdict = Verdict.MET if value <= limit else Verdict.NOT_MET
    return Proposal(
        criterion=criterion.id,
        verdict=verdict,
        rationale=f"{_KINDS[best.kind]}によれば、直近{WINDOW_DAYS}日に更新のあった日は{len(days)}日、間隔の中央値は{value:g}日である。",
        confidence=0.9 if len(days) >= 5 else 0.7,
        measurement=_measurement(criterion, best, days, gaps, value),
        searched=tuple(dict.fromkeys(one.sha256 for one in lists)),
        judge="probe",
    )


def display_speed(criterion: Criterion, speed: Speed | None, unread: Unread | None) -> Proposal:
    """How fast the home page is displayed: the median, in seconds, of the Largest Contentful Paint of its cold loads.

    Up to the criterion's threshold is `met`, more is `not_met`; unless it has one, 2.5 s: what web.dev calls good for
    the 75th percentile of real visits (Core Web Vitals, "Largest Contentful Paint"), taken here for the median in the
    laboratory. A load that failed has no value; with fewer than three values nothing is settled. Rounded up to 0.01 s,
    so that rounding never makes it faster. unread: the home page where it could not be read: what was painted then was
    something else.
    """
    if speed is None:
        return _not_judged(criterion, _UNTRIED)
    if speed.refused:
        return _not_judged(criterion, f"表示速度を測れなかった: {speed.refused}。")
    if unread is not None:
        return _not_judged(
            criterion, f"トップページを読めなかったので、測った表示がトップページのものとはいえない({unread.cause})。"
        )
    values = [ceil(load.lcp_ms / 10) / 100 for load in speed.loads if load.lcp_ms is not None]
    if len(values) < MIN_LOADS:
        why = "、".join(dict.fromkeys(load.why for load in speed.loads if load.why))
        return _not_judged(
            criterion, f"{len(speed.loads)}回のうち値を得たのは{len(values)}回で、中央値をとるには足りない: {why}。"
        )
    value, limit = median(values), criterion.threshold or MAX_LCP_S
    return Proposal(
        criterion=criterion.id,
        verdict=Verdict.MET if value <= limit else Verdict.NOT_MET,
        rationale=f"トップページを{speed.browser}で{len(speed.loads)}回読み込み、{len(values)}回で値を得た。LCPの中央値は{value:g}秒である。"
        f"条件: {speed.conditions}。User-Agent: {speed.agent}。",
        confidence=0.9 if len(values) == len(speed.loads) else 0.7,
        measurement=Measurement(
            name=SPEED_NAME,
            value=value,
            unit="秒",
            threshold=limit,
            threshold_source=criterion.source_of_threshold,
            values=tuple(values),
            readings=(*map(_reading, speed.loads), f"{speed.browser}。{speed.conditions}"),
            urls=tuple(dict.fromkeys((speed.url, *(load.url for load in speed.loads if load.lcp_ms is not None)))),
            sha256s=(speed.sha256,) if speed.sha256 else (),
        ),
        judge="probe",
    )


def _reading(load: Load) -> str:
    """One load in a line: when, what was largest and how long that took, or why there is no value."""
    at = f"{load.started:%Y-%m-%dT%H:%M:%SZ}"
    if load.lcp_ms is None:
        return f"{at} 値なし({load.why})"
    largest = f"<{load.element}>" if load.element else "要素不明"
    rest = "" if load.quiet else "、通信が静まる前に読取"
    return f"{at} {load.lcp_ms:g}ミリ秒({largest}{' ' + load.resource if load.resource else ''}{rest})"


def not_measured(criterion: Criterion) -> Proposal:
    """The answer for a measured criterion that nothing measures yet."""
    return _not_judged(criterion, "まだ測定していない(not measured yet)。")


def _not_judged(criterion: Criterion, why: str) -> Proposal:
    return Proposal(criterion=criterion.id, verdict=Verdict.NOT_JUDGED, rationale=why, confidence=0.0, judge="probe")


def _is_build_date(one: DatedList) -> bool:
    return one.kind == "sitemap" and len(one.dates) > 1 and len(set(one.dates)) == 1


def _why_none(lists: Sequence[DatedList]) -> str:
    if lists:
        return "サイトマップの日付がすべて同じ日(一括生成の日)で更新の一覧とはいえず、ほかに一覧が見つからない。"
    return "日付のある新着一覧、フィード、サイトマップのいずれも見つからない。"


def _density(one: DatedList, as_of: date) -> tuple[int, int, int]:
    """Days in the window first; of equals the longer list, and a feed or list before a sitemap."""
    return len(days_of(one, as_of)), len(set(one.dates)), int(one.kind != "sitemap")


def _measurement(
    criterion: Criterion, best: DatedList, days: Sequence[date], gaps: Sequence[int], value: float
) -> Measurement:
    return Measurement(
        name=NAME,
        value=value,
        unit="日",
        threshold=criterion.threshold or MAX_GAP_DAYS,
        threshold_source=criterion.source_of_threshold,
        values=tuple(float(gap) for gap in gaps),
        readings=tuple(day.isoformat() for day in days),
        urls=(best.url,),
        sha256s=(best.sha256,),
    )
