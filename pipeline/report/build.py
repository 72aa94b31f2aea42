"""The report of one municipality, decided in full before any template sees it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import AkashiError
from pipeline.models import CriteriaSet, QueueItem, Run, Score, Snapshot, Verdict
from pipeline.report import words
from pipeline.report.expect import expected
from pipeline.report.links import link
from pipeline.report.method import method
from pipeline.report.nouns import Highlight, Link, Report, Row, Spread, Stage, Tally
from pipeline.report.rows import row

_MOST_HIGHLIGHTS = 6
_MOST_PER_VIEWPOINT = 2
HIGHLIGHT_RULE = (
    "人が「該当」と確認し、引用のある項目から、最も直接の引用が公式ページにあるものを報道より先に、ページの日付の新しい順に選びました"
    f"（一つの観点から{_MOST_PER_VIEWPOINT}項目まで、全体で{_MOST_HIGHLIGHTS}項目まで）。"
)
_STAGES = {
    Stage.DRAFT: ("確認前（下書き）", "この報告書の項目は、まだ誰も確認していません。公表や引用をしないでください。"),
    Stage.PARTIAL: ("確認中", "一部の項目が確認を待っています。得点は今後変わることがあります。"),
    Stage.FINAL: ("確認済", "すべての項目を人が確認しました。"),
}


def build(
    run: Run,
    criteria: CriteriaSet,
    items: Sequence[QueueItem],
    score: Score,
    *,
    snapshots: Sequence[Snapshot] = (),
) -> Report:
    """The report of `run`: outcomes from `score.confirmed`, else from the judgement of `items`, marked unconfirmed.

    snapshots: of the cited pages, to name the WARC and the time of the copy. Raises AkashiError where run, criteria,
    items and score are not of one survey, or where the rows do not add up to the score.
    """
    _same_survey(run, criteria, items, score)
    rows = _rows(criteria, items, score, snapshots)
    tallies = _tallies(criteria, score)
    _adds_up(rows, score, tallies)
    stage = Stage.FINAL if not score.awaiting else Stage.PARTIAL if score.confirmed else Stage.DRAFT
    provisional = sum(tally.provisional for tally in tallies)
    place = run.municipality
    return Report(
        stage=stage,
        stage_word=_STAGES[stage][0],
        stage_note=_STAGES[stage][1],
        name=words.visible(place.name),
        prefecture=words.visible(place.prefecture),
        code=place.code,
        home=_home(run),
        edition=criteria.title_ja,
        version=criteria.version,
        as_of=words.day(run.as_of),
        points=score.points,
        possible=score.possible,
        provisional=provisional,
        awaiting=score.awaiting,
        summary=_summary(score, tallies),
        provisional_note=_provisional_note(provisional),
        cautions=_cautions(run),
        tallies=tallies,
        spread=_spread(rows),
        groups=tuple((tally, tuple(one for one in rows if one.viewpoint == tally.viewpoint)) for tally in tallies),
        highlight_rule=HIGHLIGHT_RULE,
        highlights=_highlights(rows, tallies),
        expected=expected(rows),
        method=method(run, criteria, [item.judgement for item in items], score),
    )


def _home(run: Run) -> Link | None:
    """The home page, where it answered on another host than the registry's."""
    found = run.coverage.home if run.coverage else None
    url = found.answered if found and found.moved else run.municipality.home_url
    return link(url) if url else None


def _same_survey(run: Run, criteria: CriteriaSet, items: Sequence[QueueItem], score: Score) -> None:
    others = {item.run_id for item in items} | {score.run_id}
    if others != {run.id}:
        raise AkashiError(f"the report of run {run.id} was given parts of {', '.join(sorted(others - {run.id}))}")
    if run.criteria_sha256 != criteria.sha256 or score.criteria_id != criteria.id:
        raise AkashiError(
            f"run {run.id} was judged by another version of {run.criteria_id} than the one given ({criteria.version}). "
            "Report with that version, or survey the city again."
        )


def _rows(
    criteria: CriteriaSet, items: Sequence[QueueItem], score: Score, snapshots: Sequence[Snapshot]
) -> tuple[Row, ...]:
    judged = {item.judgement.criterion: item.judgement for item in items}
    confirmed = {one.criterion: one for one in score.confirmed}
    copies = {snapshot.sha256: snapshot for snapshot in snapshots}
    return tuple(
        row(one, number, judged.get(one.id), confirmed.get(one.id), copies)
        for number, one in enumerate(criteria.criteria, start=1)
    )


def _tallies(criteria: CriteriaSet, score: Score) -> tuple[Tally, ...]:
    names = {viewpoint.id: viewpoint.name_ja for viewpoint in criteria.viewpoints}
    return tuple(Tally(name=names[one.viewpoint], **one.model_dump()) for one in score.viewpoints)


def _adds_up(rows: Sequence[Row], score: Score, tallies: Sequence[Tally]) -> None:
    """A total that a reader cannot recount from the table must never be printed."""
    for tally in tallies:
        mine = [one for one in rows if one.viewpoint == tally.viewpoint]
        met = [one.confirmed for one in mine if one.outcome.key == Verdict.MET]
        counted = (sum(met), len(met) - sum(met), sum(not one.confirmed for one in mine), len(mine))
        if counted != (tally.confirmed, tally.provisional, tally.awaiting, tally.possible):
            raise AkashiError(f"run {score.run_id}: the rows of {tally.viewpoint} do not add up to its score")
    totals = (sum(t.confirmed for t in tallies), sum(t.awaiting for t in tallies), sum(t.possible for t in tallies))
    if totals != (score.points, score.awaiting, score.possible) or score.possible != len(rows):
        raise AkashiError(f"run {score.run_id}: the viewpoints do not add up to the score")


def _summary(score: Score, tallies: Sequence[Tally]) -> str:
    waiting = f"{score.awaiting}項目が確認を待っています。" if score.awaiting else "全項目の確認が済んでいます。"
    parts = "、".join(f"{tally.name}{tally.possible}点中{tally.confirmed}点" for tally in tallies)
    if not score.confirmed:
        return f"まだ一つの項目も確認されていないため、得点は{score.possible}点満点中0点です（{parts}）。{waiting}"
    return (
        f"人が確認した{len(score.confirmed)}項目のうち{score.points}項目が「該当」で、得点は{score.possible}点満点中"
        f"{score.points}点です（{parts}）。{waiting}"
    )


def _provisional_note(provisional: int) -> str:
    if not provisional:
        return ""
    return f"暫定{provisional}点：機械判定だけで「該当」とされ、確認を待つ項目です。得点には含めていません。"


def _cautions(run: Run) -> tuple[str, ...]:
    coverage = run.coverage
    if coverage is None:
        return ("収集の記録がないため、見ていないページの数は分かりません。",)
    home = () if coverage.home_read else ("トップページを読めなかったため、多くの項目を観測できていません。",)
    if coverage.home and coverage.home.answered and not coverage.home.named:
        home = (*home, "トップページの題名に団体名がありません。別の団体や第三者のサイトでないか、確かめてください。")
    gaps = [f"読めなかったアドレスが{len(coverage.unread):,}件"] if coverage.unread else []
    gaps += [f"上限により取得していないアドレスが{len(coverage.pending):,}件"] if coverage.pending else []
    if not gaps:
        return home
    return (*home, f"{'、'.join(gaps)}あります。記載が見当たらないことは、取組がないことを意味しません。")


def _spread(rows: Sequence[Row]) -> tuple[Spread, ...]:
    def count(key: str, *, confirmed: bool) -> int:
        return sum(one.outcome.key == key and one.confirmed is confirmed for one in rows)

    return tuple(
        Spread(
            outcome=outcome,
            confirmed=count(outcome.key, confirmed=True),
            unconfirmed=count(outcome.key, confirmed=False),
        )
        for outcome in words.OUTCOMES.values()
    )


def _highlights(rows: Sequence[Row], tallies: Sequence[Tally]) -> tuple[Highlight, ...]:
    """By HIGHLIGHT_RULE; rows hold their most direct quote first, and undated quotes come after dated ones."""
    names = {tally.viewpoint: tally.name for tally in tallies}
    proven = [one for one in rows if one.confirmed and one.outcome.key == Verdict.MET and one.evidence]
    proven.sort(key=lambda one: one.evidence[0].dated.iso if one.evidence[0].dated else "", reverse=True)
    proven.sort(key=lambda one: not one.evidence[0].official)
    chosen: list[Row] = []
    for one in proven:
        if sum(other.viewpoint == one.viewpoint for other in chosen) < _MOST_PER_VIEWPOINT:
            chosen.append(one)
    return tuple(
        Highlight(row=one, viewpoint=names[one.viewpoint], evidence=one.evidence[0])
        for one in chosen[:_MOST_HIGHLIGHTS]
    )
