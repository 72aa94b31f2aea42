"""Method and coverage: how the survey was made, what it could not see, and what it therefore does not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from pipeline.agreement import cohen
from pipeline.models import Cause, Coverage, CriteriaSet, Home, Judgement, QueueItem, Run, Score, Unread
from pipeline.report import words
from pipeline.report.links import link
from pipeline.report.nouns import Fact, Method, Missing, Reviewed, Waiting
from pipeline.report.rows import missed
from pipeline.report.speech import Speech
from pipeline.store.log import codings

# Addresses printed a list: the count is always whole, and the archive's index holds the rest.
_MOST_LISTED = 200

_RULES = (
    "引用は、保存した写し（SHA-256で識別）の本文と照合し、その位置に同じ文があるものだけを根拠としています。照合できない判定は「未判定」とします。",
    "得点は、人が確認した判断だけから計算しています。機械判定だけの項目は「暫定」として別に示し、得点に加えません。",
    "「根拠見当たらず」「未判定」「未観測」は0点ですが、「実施していない」という意味ではありません。否定の記載がある「非該当」と区別しています。",
    "ページ、PDF、報道記事の中にある指示文は、本文の一部として扱い、判定の手順には影響させていません。",
)
_LIMITS = (
    "ウェブで公表されていない取組は、この調査では分かりません。",
    "画像の中の文字、文字情報のないPDF、動画、ログインの先は読んでいません。",
    "リンク先のページは収集の後に変わることがあります。引用の根拠は、収集時に保存した写しです。引用箇所へ移動しないブラウザーもあります。",
    "ページの日付は、ページ自身が示す更新日または公開日で、示されていない場合は「日付なし」としています。",
)
_ORIGINS = {"crawl": "公式サイトを巡回", "site": "保存済みフォルダーを読込", "warc": "保存済みWARCを読込"}


def method(run: Run, criteria: CriteriaSet, items: Sequence[QueueItem], score: Score, say: Speech) -> Method:
    """Facts of the run, causes of what was not read, and who decided; `items` of this run only."""
    coverage = run.coverage
    unread, pending = (coverage.unread, coverage.pending) if coverage else ((), ())
    judgements = [item.judgement for item in items]
    return Method(
        facts=(
            *_collected(run, say),
            *_judged(judgements, say),
            *_asked(run, criteria, say),
            _agreement(items, say),
        ),
        missing=_missing(unread, say),
        unread=len(unread),
        waiting=tuple(Waiting(link=link(one.url), label=words.visible(one.label)) for one in pending[:_MOST_LISTED]),
        pending=len(pending),
        reviewed=_reviewed(score, say),
        rules=tuple(say(rule) for rule in _RULES),
        limits=tuple(say(limit) for limit in _LIMITS),
    )


def _collected(run: Run, say: Speech) -> list[Fact]:
    kind, _, path = run.origin.partition(":")
    origin = say(_ORIGINS[kind]) if kind in _ORIGINS else words.visible(kind)
    name = say("（%(name)s）", name=words.visible(PurePath(path).name)) if path else ""
    facts = [Fact(term=say("収集方法"), text=origin + name)]
    facts += [Fact(term=say("追加した資料"), text=words.visible(url)) for url in run.sources]
    if run.coverage is None:
        return [*facts, Fact(term=say("収集範囲"), text=say("記録がありません"))]
    return [*facts, *_covered(run.coverage, say), *(_bounds(run.coverage, say) if kind == "crawl" else [])]


def _covered(coverage: Coverage, say: Speech) -> list[Fact]:
    began, ended = say.moment(coverage.started).shown, say.moment(coverage.finished).shown
    return [
        Fact(term=say("収集期間"), text=say("%(began)s ～ %(ended)s（日本時間）", began=began, ended=ended)),
        Fact(term=say("トップページ"), text=say("読めた" if coverage.home_read else "読めなかった")),
        *_home(coverage.home, say),
        Fact(term=say("見つけたアドレス"), text=_count(coverage.found, say)),
        Fact(term=say("取得・保存した応答"), text=_count(coverage.fetched, say)),
        Fact(term=say("本文を読めたページ"), text=_count(coverage.read, say)),
        Fact(term=say("読めなかったアドレス"), text=say("%(count)s件（下の一覧）", count=f"{len(coverage.unread):,}")),
    ]


def _bounds(coverage: Coverage, say: Speech) -> list[Fact]:
    denied = sum(one.cause in (Cause.ROBOTS, Cause.ROBOTS_UNREACHABLE) for one in coverage.unread)
    obeyed = say("従う（これにより収集しなかったアドレス%(count)s件）", count=f"{denied:,}")
    limit = coverage.max_pages
    budget = say("%(count)sページ", count=f"{limit:,}") if limit is not None else say("なし")
    return [
        Fact(term=say("取得数の上限"), text=budget),
        Fact(term=say("上限により未取得"), text=_count(len(coverage.pending), say)),
        Fact(term="robots.txt", text=obeyed),
    ]


def _count(number: int, say: Speech) -> str:
    return say("%(count)s件", count=f"{number:,}")


def _home(home: Home | None, say: Speech) -> list[Fact]:
    """Where the site was found, if not where it was said to be, and what speaks against it."""
    if home is None:
        return []
    facts = []
    if home.elsewhere:
        why = say("（%(name)s）", name=say(words.CAUSES[home.cause])) if home.cause else ""
        given, answered = words.visible(home.given), words.visible(home.answered)
        told = "指定のアドレス %(given)s%(why)sではなく、%(answered)s で応答"
        facts.append(Fact(term=say("トップページの所在"), text=say(told, given=given, why=why, answered=answered)))
    if home.tried and not home.answered:
        tried = say.listed(words.visible(one.url) for one in home.tried)
        told = say("%(tried)s（いずれもこの団体のページとして読めない）", tried=tried)
        facts.append(Fact(term=say("ほかに試したアドレス"), text=told))
    if home.answered and not home.named:
        facts.append(Fact(term=say("トップページの名称"), text=say("題名に団体名がない")))
    return facts


def _judged(judgements: Sequence[Judgement], say: Speech) -> list[Fact]:
    judges = Counter(words.visible(one.judge + (f" ({one.model})" if one.model else "")) for one in judgements)
    named = say.listed(say("%(judge)s %(count)s項目", judge=judge, count=n) for judge, n in judges.most_common())
    prompts = sorted({one.prompt_sha256 for one in judgements if one.prompt_sha256})
    cost = sum(one.cost_usd for one in judgements)
    facts = [Fact(term=say("機械判定"), text=named or say("なし"))]
    facts += [Fact(term=say("プロンプトのSHA-256"), text=sha, code=True) for sha in prompts]
    paid = say("%(cost)s米ドル", cost=f"{cost:.4f}")
    return facts + ([Fact(term=say("モデルの利用料"), text=paid)] if cost else [])


def _asked(run: Run, criteria: CriteriaSet, say: Speech) -> list[Fact]:
    told = say(
        "%(title)s（%(id)s 第%(version)s版、%(count)s項目）",
        title=say.title(criteria),
        id=criteria.id,
        version=criteria.version,
        count=len(criteria.criteria),
    )
    return [
        Fact(term=say("調査項目"), text=told),
        Fact(term=say("調査項目のSHA-256"), text=criteria.sha256, code=True),
        Fact(term=say("基準日"), text=say.day(run.as_of).shown),
        Fact(term=say("調査番号"), text=words.visible(run.id), code=True),
    ]


def _agreement(items: Sequence[QueueItem], say: Speech) -> Fact:
    """Of two people who coded the same criterion without seeing the proposal or each other's answer."""
    coded = [codings(item.decisions) for item in items]
    pairs = [(one.verdict, other.verdict) for one, other in (pair for pair in coded if len(pair) == 2)]
    if not pairs:
        return Fact(term=say("独立判定の一致"), text=say("二人が独立に判定した項目はありません"))
    found = cohen(pairs)
    kappa = say("定まらない") if found.value is None else f"{found.value:.2f}"
    alike = sum(one == other for one, other in pairs)
    told = "二人が独立に判定した%(count)s項目のうち%(alike)s項目で一致（Cohenのκ %(kappa)s）"
    return Fact(term=say("独立判定の一致"), text=say(told, count=len(pairs), alike=alike, kappa=kappa))


def _missing(unread: Sequence[Unread], say: Speech) -> tuple[Missing, ...]:
    causes = Counter(one.cause for one in unread)
    return tuple(
        Missing(
            cause=say(words.CAUSES[cause]),
            count=count,
            listed=tuple(missed(one, say) for one in unread if one.cause is cause)[:_MOST_LISTED],
            more=max(0, count - _MOST_LISTED),
        )
        for cause, count in causes.most_common()
    )


def _reviewed(score: Score, say: Speech) -> tuple[Reviewed, ...]:
    by_reviewer: dict[str, list[str]] = {}
    for one in score.confirmed:
        by_reviewer.setdefault(one.reviewer, []).append(say.day_of(one.decided_at).iso)
    days = {say.day_of(one.decided_at).iso: say.day_of(one.decided_at) for one in score.confirmed}
    return tuple(
        Reviewed(reviewer=words.visible(who), count=len(when), first=days[min(when)], last=days[max(when)])
        for who, when in sorted(by_reviewer.items())
    )
