"""How often the official accounts post: the densest of their dated lists, or why none of them tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from pipeline.judge.ages import at_most
from pipeline.judge.gaps import WINDOW_DAYS, days_of, gaps_of
from pipeline.models import (
    Cause,
    Criterion,
    DatedList,
    Measurement,
    Proposal,
    SocialAccount,
    Tried,
    Verdict,
)
from pipeline.services import account_key

MAX_GAP_DAYS = 7.0
# Four posts that a weekly rhythm would have brought have not come: a median of what was before says nothing of today.
SILENT_DAYS = 28
NAME = "投稿間隔の中央値"
_MOST_NAMED = 8
_CAUSES = {
    Cause.ROBOTS: "robots.txtが収集を認めていない",
    Cause.ROBOTS_UNREACHABLE: "robots.txtを確認できず、収集を控えた",
    Cause.NOT_FOUND: "ページがない(404・410)",
    Cause.FORBIDDEN: "閲覧を許されない",
    Cause.SERVER: "サーバーの障害(5xx)",
    Cause.TIMEOUT: "制限時間内に応答がない",
    Cause.TOO_LARGE: "大きさの上限を超える",
    Cause.REDIRECT: "サービスの外へ転送する、または転送が終わらない",
    Cause.MEDIA: "ページでもフィードでもない",
}
_Key = tuple[str, str]


@dataclass(frozen=True)
class _Told:
    """What a list of posts says: value, in days, a bound from above where days are known by their span alone; or why
    it says nothing."""

    source: DatedList
    limit: float
    value: float | None = None
    gaps: tuple[int, ...] = ()
    days: tuple[date, ...] = ()
    why: str = ""

    @property
    def met(self) -> bool:
        return self.value is not None and self.value <= self.limit


def post_frequency(
    criterion: Criterion,
    known: Sequence[SocialAccount],
    asked: Sequence[SocialAccount],
    lists: Sequence[DatedList],
    as_of: date,
) -> Proposal:
    """How often an official account posts. known: the accounts that the site links to; asked: those of them that were
    asked, with what came of it; lists: of kind `posts`.

    Days with a post count once, in the 60 days up to and including as_of, as update_frequency counts them. A median of
    at most the criterion's threshold (MAX_GAP_DAYS unless it has one) for any proven account is `met`, by the densest
    such list. `not_met` needs a whole list of every account that the site links to: one that could not be read may be
    the lively one. An account that has been silent for four weeks settles nothing, whatever its rhythm was before.
    Posts dated by their age alone count where every reading of them gives the same answer.
    """
    own = {account_key(one.url) for one in known if one.proven}
    posts = [one for one in lists if one.kind == "posts" and account_key(one.account) in own]
    limit = criterion.threshold or MAX_GAP_DAYS
    told = [_told(one, limit, as_of) for one in posts]
    settled = _by_account(told)
    met = [one for one in settled.values() if one.met]
    if met:
        return _measured(criterion, Verdict.MET, _densest(met), posts)
    if known and all(account_key(one.url) in settled for one in known):
        return _measured(criterion, Verdict.NOT_MET, _densest(list(settled.values())), posts)
    return Proposal(
        criterion=criterion.id,
        verdict=Verdict.NOT_JUDGED,
        rationale=_why_none(known, asked, told),
        confidence=0.0,
        searched=tuple(dict.fromkeys(one.sha256 for one in posts)),
        judge="probe",
    )


def _told(one: DatedList, limit: float, as_of: date) -> _Told:
    if one.spans:
        return _told_by_age(one, limit, as_of)
    days, gaps = days_of(one, as_of), gaps_of(one, as_of, limit=limit)
    if not gaps:
        return _Told(
            one, limit, why=f"直近{WINDOW_DAYS}日に投稿のあった日が{len(days)}日分しか分からず、間隔を測れない"
        )
    value = float(median(gaps))
    if value > limit and one.partial:
        return _Told(
            one, limit, why=f"見える投稿の間隔の中央値は{value:g}日だが、一部の投稿しか載らない一覧なので決められない"
        )
    if value <= limit and (as_of - days[-1]).days > SILENT_DAYS:
        return _Told(one, limit, why=_silence(days[-1], as_of))
    return _Told(one, limit, value, tuple(gaps), tuple(days))


def _told_by_age(one: DatedList, limit: float, as_of: date) -> _Told:
    newest = max((first for first, last in one.spans if last <= as_of), default=None)
    if newest is None or (as_of - newest).days > SILENT_DAYS:
        return _Told(one, limit, why=_silence(newest, as_of))
    value = at_most(one.spans, as_of)
    if value is None or value > limit:
        why = f"投稿の日が「3 日前」のような幅でしか分からず、間隔の中央値が{limit:g}日以下とは言い切れない"
        return _Told(one, limit, why=why)
    return _Told(one, limit, float(value))


def _silence(newest: date | None, as_of: date) -> str:
    if newest is None:
        return f"{as_of.isoformat()}までの投稿が見えない"
    return f"最後の投稿から{(as_of - newest).days}日たっており、それまでの間隔では決められない"


def _by_account(told: Sequence[_Told]) -> dict[_Key, _Told]:
    """What settles each account: a whole list before one that may leave posts out, of equals the denser."""
    found: dict[_Key, _Told] = {}
    for one in sorted((one for one in told if one.value is not None), key=_rank):
        found[account_key(one.source.account)] = one
    return found


def _rank(one: _Told) -> tuple[bool, int, int]:
    return not one.source.partial, len(one.days), len(one.source.spans)


def _densest(told: Sequence[_Told]) -> _Told:
    """The list with most days in the window; those whose days are known before those known by their spans alone."""
    return max(told, key=lambda one: (len(one.days), len(one.source.spans)))


def _measured(criterion: Criterion, verdict: Verdict, told: _Told, posts: Sequence[DatedList]) -> Proposal:
    source, value = told.source, told.value or 0.0
    name = account_key(source.account)[0]
    days = f"直近{WINDOW_DAYS}日に投稿のあった日は{len(told.days)}日、間隔の中央値は{value:g}日である。"
    if source.spans:
        days = f"投稿の日を幅のどこに取っても、直近{WINDOW_DAYS}日の投稿の間隔の中央値は{value:g}日以下である。"
    return Proposal(
        criterion=criterion.id,
        verdict=verdict,
        rationale=f"公式アカウント {name} {source.account} の投稿一覧({source.url})によれば、{days}",
        confidence=0.9 if len(told.days) >= 5 else 0.7,
        measurement=Measurement(
            name=NAME + ("(上限)" if source.spans else ""),
            value=value,
            unit="日",
            threshold=told.limit,
            threshold_source=criterion.source_of_threshold,
            values=tuple(float(gap) for gap in told.gaps),
            readings=tuple(_readings(told)),
            urls=(source.url,),
            sha256s=(source.sha256,),
        ),
        searched=tuple(dict.fromkeys(one.sha256 for one in posts)),
        judge="probe",
    )


def _readings(told: _Told) -> Iterator[str]:
    """The days that were counted, or the spans in which posts lie, oldest first."""
    yield from (day.isoformat() for day in told.days)
    yield from (f"{first.isoformat()}/{last.isoformat()}" for first, last in sorted(told.source.spans))


# --- why nothing tells ------------------------------------------------------------------------------------------------


def _why_none(known: Sequence[SocialAccount], asked: Sequence[SocialAccount], told: Sequence[_Told]) -> str:
    if not known:
        return "公式サイトの読めたページに、公式アカウントへのリンクが見つからず、投稿の間隔を測れない。"
    answers = {account_key(one.url): one for one in asked}
    by_account: dict[_Key, list[_Told]] = {}
    for one in told:
        by_account.setdefault(account_key(one.source.account), []).append(one)
    said = [_why(one, answers, by_account) for one in known[:_MOST_NAMED]]
    more = f"ほか{len(known) - _MOST_NAMED}件。" if len(known) > _MOST_NAMED else ""
    return "公式アカウントの投稿の間隔を測れない。" + "".join(said) + more


def _why(account: SocialAccount, asked: Mapping[_Key, SocialAccount], told: Mapping[_Key, Sequence[_Told]]) -> str:
    key = account_key(account.url)
    lists = {one.source.sha256: one for one in told.get(key, ())}
    answered = asked.get(key)
    tried = answered.tried if answered else ()
    reasons = [f"{one.url} は{_failure(one)}" for one in tried if one.sha256 not in lists]
    reasons += [f"{one.source.url} では{one.why or f'間隔の中央値は{one.value:g}日'}" for one in lists.values()]
    if not reasons:
        reasons = [_unasked(account, answered)]
    return f"{account.service} {account.url}: {'、'.join(reasons)}。"


def _failure(tried: Tried) -> str:
    if tried.cause is None:
        return "投稿の日付を読み取れない"
    return _CAUSES.get(tried.cause, f"読めない({tried.cause.value})")


def _unasked(account: SocialAccount, answered: SocialAccount | None) -> str:
    if not account.proven:
        return "公式のものかどうかリンクの書き方からは確かでないので、測らない"
    if answered is not None:
        return "投稿の日付を公開している一覧がない"
    return "尋ねていない(保存物からの調査、公開されていないサイトの調査、または件数の上限による)"
