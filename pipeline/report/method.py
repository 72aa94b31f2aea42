"""Method and coverage: how the survey was made, what it could not see, and what it therefore does not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from pipeline.models import Cause, Coverage, CriteriaSet, Home, Judgement, Run, Score, Unread
from pipeline.report import words
from pipeline.report.links import link
from pipeline.report.nouns import Fact, Method, Missing, Reviewed, Waiting
from pipeline.report.rows import missed

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


def method(run: Run, criteria: CriteriaSet, judgements: Sequence[Judgement], score: Score) -> Method:
    """Facts of the run, causes of what was not read, and who decided; `judgements` of this run only."""
    coverage = run.coverage
    unread, pending = (coverage.unread, coverage.pending) if coverage else ((), ())
    return Method(
        facts=(*_collected(run), *_judged(judgements), *_asked(run, criteria)),
        missing=_missing(unread),
        unread=len(unread),
        waiting=tuple(Waiting(link=link(one.url), label=words.visible(one.label)) for one in pending[:_MOST_LISTED]),
        pending=len(pending),
        reviewed=_reviewed(score),
        rules=_RULES,
        limits=_LIMITS,
    )


def _collected(run: Run) -> list[Fact]:
    kind, _, path = run.origin.partition(":")
    origin = _ORIGINS.get(kind, words.visible(kind)) + (f"（{words.visible(PurePath(path).name)}）" if path else "")
    facts = [Fact(term="収集方法", text=origin)]
    facts += [Fact(term="追加した資料", text=words.visible(url)) for url in run.sources]
    if run.coverage is None:
        return [*facts, Fact(term="収集範囲", text="記録がありません")]
    return [*facts, *_covered(run.coverage, crawled=kind == "crawl")]


def _covered(coverage: Coverage, *, crawled: bool) -> list[Fact]:
    denied = sum(one.cause in (Cause.ROBOTS, Cause.ROBOTS_UNREACHABLE) for one in coverage.unread)
    budget = f"{coverage.max_pages:,}ページ" if coverage.max_pages is not None else "なし"
    facts = [
        Fact(
            term="収集期間",
            text=f"{words.moment(coverage.started).ja} ～ {words.moment(coverage.finished).ja}（日本時間）",
        ),
        Fact(term="トップページ", text="読めた" if coverage.home_read else "読めなかった"),
        *_home(coverage.home),
        Fact(term="見つけたアドレス", text=f"{coverage.found:,}件"),
        Fact(term="取得・保存した応答", text=f"{coverage.fetched:,}件"),
        Fact(term="本文を読めたページ", text=f"{coverage.read:,}件"),
        Fact(term="読めなかったアドレス", text=f"{len(coverage.unread):,}件（下の一覧）"),
    ]
    if not crawled:
        return facts
    return [
        *facts,
        Fact(term="取得数の上限", text=budget),
        Fact(term="上限により未取得", text=f"{len(coverage.pending):,}件"),
        Fact(term="robots.txt", text=f"従う（これにより収集しなかったアドレス{denied:,}件）"),
    ]


def _home(home: Home | None) -> list[Fact]:
    """Where the site was found, if not where it was said to be, and what speaks against it."""
    if home is None:
        return []
    facts = []
    if home.elsewhere:
        why = f"（{words.CAUSES[home.cause]}）" if home.cause else ""
        text = f"指定のアドレス {words.visible(home.given)}{why}ではなく、{words.visible(home.answered)} で応答"
        facts.append(Fact(term="トップページの所在", text=text))
    if home.tried and not home.answered:
        tried = "、".join(words.visible(one.url) for one in home.tried)
        facts.append(Fact(term="ほかに試したアドレス", text=f"{tried}（いずれもこの団体のページとして読めない）"))
    if home.answered and not home.named:
        facts.append(Fact(term="トップページの名称", text="題名に団体名がない"))
    return facts


def _judged(judgements: Sequence[Judgement]) -> list[Fact]:
    judges = Counter(one.judge + (f"（{one.model}）" if one.model else "") for one in judgements)
    named = "、".join(f"{words.visible(judge)} {count}項目" for judge, count in judges.most_common())
    prompts = sorted({one.prompt_sha256 for one in judgements if one.prompt_sha256})
    cost = sum(one.cost_usd for one in judgements)
    facts = [Fact(term="機械判定", text=named or "なし")]
    facts += [Fact(term="プロンプトのSHA-256", text=sha, code=True) for sha in prompts]
    return facts + ([Fact(term="モデルの利用料", text=f"{cost:.4f}米ドル")] if cost else [])


def _asked(run: Run, criteria: CriteriaSet) -> list[Fact]:
    return [
        Fact(
            term="調査項目",
            text=f"{criteria.title_ja}（{criteria.id} 第{criteria.version}版、{len(criteria.criteria)}項目）",
        ),
        Fact(term="調査項目のSHA-256", text=criteria.sha256, code=True),
        Fact(term="基準日", text=words.day(run.as_of).ja),
        Fact(term="調査番号", text=words.visible(run.id), code=True),
    ]


def _missing(unread: Sequence[Unread]) -> tuple[Missing, ...]:
    causes = Counter(one.cause for one in unread)
    return tuple(
        Missing(
            cause=words.CAUSES[cause],
            count=count,
            listed=tuple(missed(one) for one in unread if one.cause is cause)[:_MOST_LISTED],
            more=max(0, count - _MOST_LISTED),
        )
        for cause, count in causes.most_common()
    )


def _reviewed(score: Score) -> tuple[Reviewed, ...]:
    by_reviewer: dict[str, list[str]] = {}
    for one in score.confirmed:
        by_reviewer.setdefault(one.reviewer, []).append(words.day_of(one.decided_at).iso)
    days = {words.day_of(one.decided_at).iso: words.day_of(one.decided_at) for one in score.confirmed}
    return tuple(
        Reviewed(reviewer=words.visible(who), count=len(when), first=days[min(when)], last=days[max(when)])
        for who, when in sorted(by_reviewer.items())
    )
