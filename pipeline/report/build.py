"""The report of one municipality, decided in full before any template sees it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import AkashiError
from pipeline.models import CriteriaSet, Erratum, QueueItem, Run, Score, Snapshot, Verdict
from pipeline.report import words
from pipeline.report.challenges import challenges
from pipeline.report.expect import expected
from pipeline.report.highlights import highlights, rule
from pipeline.report.links import link
from pipeline.report.method import method
from pipeline.report.nouns import Amendment, Change, Link, Report, Row, Spread, Stage, Tally
from pipeline.report.peers import Peer, comparison, examples
from pipeline.report.rows import row
from pipeline.report.speech import Speech

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
    peers: Sequence[Peer] = (),
    errata: Sequence[Erratum] = (),
    edition: str = "",
    language: str = "ja",
) -> Report:
    """The report of `run`: outcomes from `score.confirmed`, else from the judgement of `items`, marked unconfirmed.

    snapshots: of the cited pages, to name the WARC and the time of the copy. peers: comparable municipalities. errata:
    issued for this municipality. edition: its title, else the year of the survey's day. language: ja or en.

    Raises AkashiError where run, criteria, items and score are not of one survey, or where the rows do not add up to
    the score.
    """
    _same_survey(run, criteria, items, score)
    say = Speech(language)
    rows = _rows(criteria, items, score, snapshots, say)
    tallies = _tallies(criteria, score, say)
    _adds_up(rows, score, tallies)
    stage = Stage.FINAL if not score.awaiting else Stage.PARTIAL if score.confirmed else Stage.DRAFT
    provisional = sum(tally.provisional for tally in tallies)
    place = run.municipality
    known = {row.id: examples(peers, row.id, say) for row in rows if row.outcome.key != Verdict.MET}
    return Report(
        language=language,
        title=words.visible(edition) or say("%(year)s年版", year=run.as_of.year),
        stage=stage,
        stage_word=say(_STAGES[stage][0]),
        stage_note=say(_STAGES[stage][1]),
        name=say.place(place),
        prefecture=words.visible(place.prefecture),
        code=place.code,
        home=_home(run),
        edition=say.title(criteria),
        version=criteria.version,
        as_of=say.day(run.as_of),
        points=score.points,
        possible=score.possible,
        provisional=provisional,
        awaiting=score.awaiting,
        summary=_summary(score, tallies, say),
        provisional_note=_provisional_note(provisional, say),
        cautions=_cautions(run, say),
        tallies=tallies,
        spread=_spread(rows, say),
        groups=tuple((tally, tuple(one for one in rows if one.viewpoint == tally.viewpoint)) for tally in tallies),
        comparison=comparison(peers, criteria, say),
        highlight_rule=rule(say),
        highlights=highlights(rows, tallies, score.confirmed, peers, say),
        challenges=challenges(run, rows, tallies, say),
        expected=expected(rows, known, say),
        method=method(run, criteria, items, score, say),
        errata=tuple(_amendment(one, criteria, say) for one in errata),
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
    criteria: CriteriaSet, items: Sequence[QueueItem], score: Score, snapshots: Sequence[Snapshot], say: Speech
) -> tuple[Row, ...]:
    judged = {item.judgement.criterion: item.judgement for item in items}
    confirmed = {one.criterion: one for one in score.confirmed}
    copies = {snapshot.sha256: snapshot for snapshot in snapshots}
    return tuple(
        row(one, number, judged.get(one.id), confirmed.get(one.id), copies, say)
        for number, one in enumerate(criteria.criteria, start=1)
    )


def _tallies(criteria: CriteriaSet, score: Score, say: Speech) -> tuple[Tally, ...]:
    names = {viewpoint.id: say.viewpoint(viewpoint) for viewpoint in criteria.viewpoints}
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


def _summary(score: Score, tallies: Sequence[Tally], say: Speech) -> str:
    told = "%(name)s%(possible)s点中%(points)s点"
    parts = say.listed(say(told, name=t.name, possible=t.possible, points=t.confirmed) for t in tallies)
    values = {"possible": score.possible, "points": score.points, "parts": parts, "count": len(score.confirmed)}
    if score.confirmed:
        said = say(
            "人が確認した%(count)s項目のうち%(points)s項目が「該当」で、得点は%(possible)s点満点中%(points)s点です（%(parts)s）。",
            **values,
        )
    else:
        said = say("まだ一つの項目も確認されていないため、得点は%(possible)s点満点中0点です（%(parts)s）。", **values)
    if not score.awaiting:
        return say.told(said, say("全項目の確認が済んでいます。"))
    return say.told(said, say("%(count)s項目が確認を待っています。", count=score.awaiting))


def _provisional_note(provisional: int, say: Speech) -> str:
    if not provisional:
        return ""
    told = "暫定%(count)s点：機械判定だけで「該当」とされ、確認を待つ項目です。得点には含めていません。"
    return say(told, count=provisional)


def _cautions(run: Run, say: Speech) -> tuple[str, ...]:
    coverage = run.coverage
    if coverage is None:
        return (say("収集の記録がないため、見ていないページの数は分かりません。"),)
    found = []
    if not coverage.home_read:
        found.append(say("トップページを読めなかったため、多くの項目を観測できていません。"))
    if coverage.home and coverage.home.answered and not coverage.home.named:
        found.append(
            say("トップページの題名に団体名がありません。別の団体や第三者のサイトでないか、確かめてください。")
        )
    unread, pending = len(coverage.unread), len(coverage.pending)
    gaps = [say("読めなかったアドレスが%(count)s件", count=f"{unread:,}")] if unread else []
    gaps += [say("上限により取得していないアドレスが%(count)s件", count=f"{pending:,}")] if pending else []
    if gaps:
        told = "%(gaps)sあります。記載が見当たらないことは、取組がないことを意味しません。"
        found.append(say(told, gaps=say.listed(gaps)))
    return tuple(found)


def _spread(rows: Sequence[Row], say: Speech) -> tuple[Spread, ...]:
    def count(key: str, *, confirmed: bool) -> int:
        return sum(one.outcome.key == key and one.confirmed is confirmed for one in rows)

    return tuple(
        Spread(
            outcome=say.outcome(verdict),
            confirmed=count(verdict.value, confirmed=True),
            unconfirmed=count(verdict.value, confirmed=False),
        )
        for verdict in words.OUTCOMES
    )


def _amendment(erratum: Erratum, criteria: CriteriaSet, say: Speech) -> Amendment:
    known = {one.id: one for one in criteria.criteria}
    return Amendment(
        number=erratum.number,
        edition=words.visible(erratum.edition),
        issued=say.day(erratum.issued),
        points_before=erratum.points_before,
        points_after=erratum.points_after,
        changes=tuple(
            Change(
                statement=say.statement(known[one.criterion]) if one.criterion in known else one.criterion,
                id=one.criterion,
                before=_outcome_word(one.before, say),
                after=_outcome_word(one.after, say),
                note=words.visible(one.note),
            )
            for one in erratum.corrections
        ),
    )


def _outcome_word(verdict: Verdict | None, say: Speech) -> str:
    return say.outcome(verdict).word if verdict else say("未確認")
