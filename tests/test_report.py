"""The report says what people confirmed, shows its proof, and nothing on a page can change it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import report_data as data
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.errors import AkashiError
from pipeline.models import (
    Action,
    Cause,
    Coverage,
    Decision,
    Flag,
    Judgement,
    Match,
    Municipality,
    Pending,
    QueueItem,
    Source,
    Unread,
    Verdict,
)
from pipeline.report import Report, build, html, markdown, words
from pipeline.report.links import href, link
from pipeline.report.markdown import escape
from pipeline.report.speech import Speech
from pipeline.report.words import visible
from pipeline.score import score

CHROMIUM = shutil.which("chromium")
ROOM = Path(__file__).resolve().parents[1] / "pipeline" / "report"


def made(queue: Sequence[QueueItem], **changes: object) -> Report:
    run = data.run(**changes)
    return build(run, data.criteria_set(), queue, score(run, queue, data.criteria_set()), snapshots=data.snapshots())


def page(report: Report) -> LexborHTMLParser:
    return LexborHTMLParser(html(report))


def rows(tree: LexborHTMLParser) -> dict[str, LexborNode]:
    return {node.attributes["data-criterion"] or "": node for node in tree.css("tr.criterion")}


def text(node: LexborNode | None) -> str:
    assert node is not None
    return re.sub(r"\s+", " ", node.text()).strip()


@pytest.fixture(scope="module")
def partial() -> Report:
    return made(data.items())


@pytest.fixture(scope="module")
def tree(partial: Report) -> LexborHTMLParser:
    return page(partial)


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("awaiting", [data.AWAITING, None, frozenset()], ids=["partial", "draft", "final"])
def test_every_number_can_be_recounted_from_the_rows(awaiting: frozenset[str] | None) -> None:
    queue = data.items(awaiting=awaiting)
    tree, second = page(made(queue)), data.score(queue)
    found = rows(tree)
    assert len(found) == 31
    by_viewpoint: dict[str, Counter[str]] = {}
    for criterion, node in found.items():
        kind = f"{node.attributes['data-outcome']} {node.attributes['data-state']}"
        by_viewpoint.setdefault(criterion.split("-")[0], Counter())[kind] += 1
    for viewpoint in second.viewpoints:
        counted = by_viewpoint[viewpoint.viewpoint]
        cells = [text(cell) for cell in tree.css(f"table.tallies tr[data-viewpoint={viewpoint.viewpoint}] td")]
        waiting = sum(count for kind, count in counted.items() if kind.endswith(" unconfirmed"))
        assert cells == [
            str(counted["met confirmed"]),
            str(counted.total()),
            str(counted["met unconfirmed"]),
            str(waiting),
        ]
        assert (viewpoint.confirmed, viewpoint.provisional) == (counted["met confirmed"], counted["met unconfirmed"])
    total = sum(by_viewpoint.values(), Counter())
    assert text(tree.css_first("[data-total=confirmed]")) == str(total["met confirmed"]) == str(second.points)
    assert text(tree.css_first("[data-total=awaiting]")) == str(second.awaiting)
    for outcome in Verdict:
        cells = [text(cell) for cell in tree.css(f"table.spread tr[data-outcome={outcome}] td")][1:]
        assert cells == [str(total[f"{outcome} confirmed"]), str(total[f"{outcome} unconfirmed"])]


def test_provisional_points_stand_apart_from_the_confirmed(partial: Report, tree: LexborHTMLParser) -> None:
    assert (partial.points, partial.provisional, partial.awaiting) == (19, 3, 8)
    assert "得点は31点満点中19点" in partial.summary
    assert "22" not in re.sub(r"2022|22件", "", text(tree.css_first("section.summary")))
    assert "暫定" in text(tree.css_first(".figures .provisional"))
    assert len(tree.css("svg.chart rect.filled")) == 19
    assert len(tree.css("svg.chart rect.waiting")) == 3
    assert len(tree.css("svg.chart rect.cell")) == 31 + 3
    for node in rows(tree).values():
        provisional = node.attributes["data-state"] == "unconfirmed"
        badge = node.css_first(".badge")
        assert ("暫定" in text(badge)) is provisional
        assert ("provisional" in (badge.attributes["class"] or "")) is provisional


def test_before_any_decision_it_is_a_draft_with_no_points() -> None:
    draft = made(data.items(awaiting=None))
    tree = page(draft)
    assert (draft.stage, draft.points, draft.awaiting) == ("draft", 0, 31)
    assert "確認前" in text(tree.css_first(".seal"))
    assert "確認前" in text(tree.css_first(".stage"))
    assert text(tree.css_first("[data-total=confirmed]")) == "0"
    assert not tree.css("svg.chart rect.filled")
    assert text(tree.css_first("[data-total=provisional]")) == "21"
    assert "確認前" in markdown(draft)
    assert draft.highlights == ()
    assert "まだありません" in text(tree.css_first(".nothing"))


def test_a_finished_review_has_no_provisional_points() -> None:
    tree = page(made(data.items(awaiting=frozenset())))
    assert not tree.css(".stage, .figures .provisional, rect.waiting, p.open")
    assert "暫定" not in "".join(text(node) for node in tree.css(".badge"))


def test_one_more_decision_changes_its_own_row_and_no_other() -> None:
    before, after = (rows(page(made(data.items(awaiting=data.AWAITING - less)))) for less in (set(), {"ops-08"}))
    changed = {criterion for criterion in before if before[criterion].html != after[criterion].html}
    assert changed == {"ops-08"}
    assert after["ops-08"].attributes["data-state"] == "confirmed"


def test_an_undone_decision_is_no_point() -> None:
    queue = data.items()
    first = queue[0]
    undone = Decision(
        municipality=data.PLACE.code,
        criterion=first.judgement.criterion,
        of=first.digest,
        action=Action.UNDO,
        reviewer="田辺 沙織",
        decided_at=datetime(2025, 4, 9, tzinfo=UTC),
    )
    queue[0] = first.model_copy(update={"decisions": (*first.decisions, undone)})
    report = made(queue)
    assert (report.points, report.provisional) == (18, 4)
    assert rows(page(report))["policy-01"].attributes["data-state"] == "unconfirmed"


def test_a_criterion_that_nobody_judged_is_not_judged() -> None:
    report = made([item for item in data.items() if item.judgement.criterion != "resident-13"])
    assert rows(page(report))["resident-13"].attributes["data-outcome"] == "not_judged"
    assert (report.points, report.provisional, report.awaiting) == (19, 2, 8)


def test_the_same_survey_gives_the_same_report(partial: Report) -> None:
    again = made(data.items())
    assert again == partial
    assert (html(again), markdown(again)) == (html(partial), markdown(partial))
    with pytest.raises(ValidationError, match="frozen"):
        again.points = 31  # type: ignore[misc]


def test_parts_of_different_surveys_are_refused() -> None:
    queue, criteria = data.items(), data.criteria_set()
    run, counted = data.run(), data.score(queue)
    with pytest.raises(AkashiError, match="parts of other"):
        build(run, criteria, queue, counted.model_copy(update={"run_id": "other"}))
    with pytest.raises(AkashiError, match="parts of other"):
        build(run, criteria, [*queue[1:], queue[0].model_copy(update={"run_id": "other"})], counted)
    with pytest.raises(AkashiError, match="another version"):
        build(run, criteria.model_copy(update={"sha256": "0" * 64}), queue, counted)


def test_a_score_that_the_rows_do_not_make_is_refused() -> None:
    queue, criteria = data.items(), data.criteria_set()
    counted = data.score(queue)
    more = counted.viewpoints[0].model_copy(update={"confirmed": 5})
    for wrong in (
        counted.model_copy(update={"points": 22}),
        counted.model_copy(update={"awaiting": 0}),
        counted.model_copy(update={"viewpoints": (more, *counted.viewpoints[1:])}),
        counted.model_copy(update={"confirmed": counted.confirmed[1:]}),
    ):
        with pytest.raises(AkashiError, match="do not add up"):
            build(data.run(), criteria, queue, wrong)


# --- results and evidence ---------------------------------------------------------------------------------------------


def test_the_five_outcomes_differ_in_word_and_in_shape(tree: LexborHTMLParser) -> None:
    badges = tree.css("table.spread .badge")
    assert len({text(badge) for badge in badges}) == 5
    assert len({badge.css_first("svg").html for badge in badges}) == 5
    assert len({outcome.glyph for outcome in words.OUTCOMES.values()}) == 5
    assert len({node.attributes["data-outcome"] for node in rows(tree).values()}) == 5


def test_words_are_kept_for_every_outcome_cause_flag_and_match() -> None:
    assert set(words.OUTCOMES) == set(Verdict)
    assert set(words.CAUSES) == set(Cause)
    assert set(words.FLAGS) == set(Flag)
    assert set(words.MATCHES) == set(Match)


def test_every_quote_comes_with_its_page_its_link_and_its_copy(tree: LexborHTMLParser) -> None:
    stored = {snapshot.sha256: snapshot for snapshot in data.snapshots()}
    shown = 0
    for criterion, node in rows(tree).items():
        figures = node.css("figure.evidence")
        quotes = {quote.text: quote for quote in data.QUOTES.get(criterion, ())}
        assert len(figures) == len(quotes)
        for figure in figures:
            quote = quotes[text(figure.css_first("blockquote"))]
            anchor = figure.css_first("figcaption a")
            address, fragment = (anchor.attributes["href"] or "").split("#:~:text=")
            assert (address, unquote(fragment)) == (quote.url, quote.text)
            assert text(anchor) == quote.title
            assert text(figure.css_first(".source")) == ("公式" if quote.source is Source.OFFICIAL else "報道")
            dated = figure.css_first(".dated time")
            assert (dated.attributes["datetime"] if dated else None) == (str(quote.dated) if quote.dated else None)
            assert quote.page_sha256 in text(figure.css_first(".copy"))
            assert stored[quote.page_sha256].warc in text(figure.css_first(".copy"))
            place = [figure.attributes[key] for key in ("data-sha256", "data-start", "data-end")]
            assert place == [quote.page_sha256, str(quote.start), str(quote.end)]
            shown += 1
    assert shown == sum(map(len, data.QUOTES.values()))


def test_the_copy_needs_no_snapshot_to_be_named() -> None:
    queue = data.items()
    report = build(data.run(), data.criteria_set(), queue, data.score(queue))
    node = rows(page(report))["policy-01"]
    assert data.QUOTES["policy-01"][0].page_sha256 in text(node)
    assert "warc" not in (node.html or "")


def test_who_confirmed_and_when_stands_in_the_row(tree: LexborHTMLParser) -> None:
    for item in data.items():
        node = rows(tree)[item.judgement.criterion]
        if not item.decisions:
            assert text(node.css_first(".c-state")) == "未確認"
            continue
        assert text(node.css_first(".c-state .reviewer")) == item.decisions[0].reviewer
        when = datetime.fromisoformat(node.css_first(".c-state time").attributes["datetime"] or "")
        assert when == item.decisions[0].decided_at
    assert "「根拠見当たらず」から変更" in text(rows(tree)["resident-06"])
    assert "トップページからの案内で確認" in text(rows(tree)["resident-06"])


def test_times_are_told_in_japan() -> None:
    say = Speech("ja")
    assert say.day_of(datetime(2025, 3, 31, 15, 30, tzinfo=UTC)).shown == "2025年4月1日"
    assert say.moment(datetime(2025, 3, 31, 15, 30)).iso == "2025-04-01T00:30:00+09:00"
    assert say.day(date(2025, 3, 5)).shown == "2025年3月5日"
    assert Speech("en").moment(datetime(2025, 3, 31, 15, 30, tzinfo=UTC)).shown == "2025-04-01 00:30 JST"
    assert Speech("en").day_of(datetime(2025, 3, 31, 15, 30, tzinfo=UTC)).shown == "2025-04-01"


def test_nothing_found_names_the_pages_searched(tree: LexborHTMLParser) -> None:
    node = rows(tree)["policy-03"]
    searched = next(i.judgement.searched for i in data.items() if i.judgement.criterion == "policy-03")
    assert f"{len(searched)}ページを調べて" in text(node)
    assert [a.attributes["href"] for a in node.css(".searched a")] == list(searched)
    assert not rows(tree)["policy-01"].css(".searched")


def test_what_could_not_be_read_is_named_with_its_cause(tree: LexborHTMLParser) -> None:
    for criterion, unread in data.UNREAD_OF.items():
        shown = text(rows(tree)[criterion].css_first(".unread"))
        for one in unread:
            assert one.url in shown
            assert words.CAUSES[one.cause] in shown
    assert "読めなかったものがある" in text(rows(tree)["resident-10"].css_first(".remarks"))


def test_a_measurement_shows_value_threshold_and_source(tree: LexborHTMLParser) -> None:
    shown = text(rows(tree)["resident-01"].css_first(".measured"))
    for part in ("1日", "基準 3日以下：満たす", data.MEASURED.threshold_source, *data.MEASURED.readings):
        assert part in shown
    assert data.MEASURED.sha256s[0] in shown
    assert data.MEASURED.urls[0] in shown


@pytest.mark.parametrize(("value", "shown"), [(2.0, "2"), (2.345, "2.35"), (0.1 + 0.2, "0.3"), (100.0, "100")])
def test_numbers_are_short(value: float, shown: str) -> None:
    assert words.number(value) == shown


def test_a_rejected_proposal_shows_neither_its_quotes_nor_its_measurement() -> None:
    queue = data.items()
    for number in (0, 15):
        item = queue[number]
        decided = item.decisions[0].model_copy(
            update={"action": Action.REJECT, "verdict": Verdict.NO_EVIDENCE, "quotes": ()}
        )
        queue[number] = item.model_copy(update={"decisions": (decided,)})
    found = rows(page(made(queue)))
    for criterion in ("policy-01", "resident-01"):
        assert found[criterion].attributes["data-outcome"] == "no_evidence"
        assert not found[criterion].css(".evidence, .measured")
        assert "「該当」から変更" in text(found[criterion])


def test_quotes_keep_the_order_of_the_judge_and_the_rest_is_counted() -> None:
    queue = data.items(awaiting=None)
    dates = ("2020-01-01", "2024-01-01", "", "2025-01-01", "2023-01-01")
    quotes = tuple(data.quote(f"根拠{n}です。", f"{n}.html", f"題{n}", dated) for n, dated in enumerate(dates))
    queue[0] = queue[0].model_copy(update={"judgement": queue[0].judgement.model_copy(update={"quotes": quotes})})
    node = rows(page(made(queue)))["policy-01"]
    assert [text(one) for one in node.css("blockquote")] == ["根拠0です。", "根拠1です。", "根拠2です。"]
    assert text(node.css_first(".more")) == "ほか2件の引用"


def test_a_long_list_of_searched_pages_is_cut_and_its_count_is_whole() -> None:
    queue = data.items(awaiting=None)
    many = tuple(f"{data.HOME}{n}.html" for n in range(400))
    queue[2] = queue[2].model_copy(update={"judgement": queue[2].judgement.model_copy(update={"searched": many})})
    node = rows(page(made(queue)))["policy-03"]
    assert "400ページを調べて" in text(node)
    assert len(node.css(".searched a")) == 50
    assert "ほか350件" in text(node)


def test_quotes_that_prove_nothing_are_not_shown_as_evidence() -> None:
    queue = data.items(awaiting=None)
    vague = queue[0].judgement.model_copy(update={"verdict": Verdict.NO_EVIDENCE})
    queue[0] = queue[0].model_copy(update={"judgement": vague})
    assert vague.quotes
    assert not rows(page(made(queue)))["policy-01"].css(".evidence")


# --- highlights, what to expect, method -------------------------------------------------------------------------------


def test_highlights_follow_their_rule(partial: Report) -> None:
    shown = [highlight.row.id for highlight in partial.highlights]
    assert len(shown) == 6
    assert set(Counter(one.split("-")[0] for one in shown).values()) == {2}
    assert all(one.row.confirmed and one.evidence[0].official for one in partial.highlights)
    pages = [one.why for one in partial.highlights]
    assert pages == sorted(pages, reverse=True), "those that more pages prove come first"
    assert "policy-06" not in shown, "an unconfirmed press report is no highlight"
    assert data.VERDICTS.keys().isdisjoint(set(shown) - {"ops-06"})


def test_what_only_the_press_tells_is_no_highlight() -> None:
    report = made(data.items(awaiting=frozenset()))
    assert "policy-06" not in {one.row.id for one in report.highlights}
    assert "policy-06" in {row.id for one in report.challenges if one.key == "press_only" for row in one.rows}


def test_every_criterion_without_a_confirmed_point_is_expected_with_its_rule(
    partial: Report, tree: LexborHTMLParser
) -> None:
    found = rows(tree)
    unmet = {
        criterion
        for criterion, node in found.items()
        if (node.attributes["data-outcome"], node.attributes["data-state"]) != ("met", "confirmed")
    }
    shown = {node.attributes["data-criterion"]: text(node) for node in tree.css(".expected [data-criterion]")}
    assert set(shown) == unmet
    assert len(tree.css(".expected [data-criterion]")) == 31 - partial.points
    for criterion, said in shown.items():
        assert data.criteria_set().criterion(criterion or "").counts_ja in said
    assert [group.key for group in partial.expected] == [
        "not_met",
        "no_evidence",
        "unobserved",
        "not_judged",
        "awaiting",
    ]
    assert "実施しておりません" in shown["ops-04"]
    assert "可能性が残ります" in shown["resident-10"]
    assert "可能性が残ります" in shown["ops-09"]
    assert "可能性" not in shown["policy-03"]


def test_the_method_names_the_run_and_lists_what_was_not_read(tree: LexborHTMLParser) -> None:
    said = text(tree.css_first("section.method"))
    for part in (
        "612件",
        "398件",
        "389件",
        "400ページ",
        data.RUN_ID,
        data.sha("criteria"),
        "rules 28項目",
        "robots.txt",
    ):
        assert part in said
    for unread in data.UNREAD:
        assert unread.url in said
        assert words.CAUSES[unread.cause] in said
    assert "執務室の改革" in said
    for reviewer in data.REVIEWERS:
        assert reviewer in said
    assert sum(int(n) for n in re.findall(r"(\d+)項目（\d{4}年", said)) == 23


def test_a_folder_is_not_called_a_crawl() -> None:
    report = made(data.items(), origin="site:/home/somebody/pages", coverage=None)
    said = text(page(report).css_first("section.method"))
    assert "保存済みフォルダーを読込（pages）" in said
    assert "somebody" not in html(report) + markdown(report)
    assert "収集の記録がない" in " ".join(report.cautions)


def test_an_unread_home_page_is_said_at_the_top() -> None:
    coverage = data.run().coverage
    assert coverage is not None
    report = made(data.items(), coverage=coverage.model_copy(update={"home_read": False}))
    assert "トップページを読めなかった" in text(page(report).css_first("section.summary"))


def test_long_lists_are_cut_and_their_count_is_whole() -> None:
    unread = tuple(Unread(url=f"{data.HOME}{n}", cause=Cause.TIMEOUT) for n in range(700))
    pending = tuple(Pending(url=f"{data.HOME}p{n}") for n in range(900))
    now = data.CRAWLED
    coverage = Coverage(
        home_read=True, found=2000, fetched=400, read=400, unread=unread, pending=pending, started=now, finished=now
    )
    said = text(page(made(data.items(), coverage=coverage)).css_first("section.method"))
    assert "読めなかったアドレス（700件）" in said
    assert "ほか500件" in said
    assert "（900件）" in said
    assert "ほか700件" in said


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_page_runs_and_loads_nothing(tree: LexborHTMLParser, partial: Report) -> None:
    policy = tree.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert not tree.css("script, link, iframe, object, embed, img, form, base, style[src], [src], [srcset], [style]")
    assert not re.search(r"@import|url\((?!#hatch\))|expression\(", text(tree.css_first("style")))
    for node in tree.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")]
        address = node.attributes.get("href")
        assert address is None or re.match(r"https?://|#[a-z][a-z0-9-]*$", address), address
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", html(partial).replace("\r", ""))


def test_the_page_can_be_read_by_ear(tree: LexborHTMLParser) -> None:
    assert tree.css_first("html").attributes["lang"] == "ja"
    assert len(tree.css("h1")) == 1
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4")]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    for table in tree.css("table"):
        assert text(table.css_first("caption"))
        assert all(cell.attributes.get("scope") for cell in table.css("th"))
    chart = tree.css_first("svg.chart")
    assert chart.attributes["role"] == "img"
    for name in (chart.attributes["aria-labelledby"] or "").split():
        assert text(tree.css_first(f"#{name}"))
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(ids) == len(set(ids))
    for name in [node.attributes["aria-labelledby"] for node in tree.css("section[aria-labelledby]")]:
        assert tree.css_first(f"#{name}") is not None
    for address in [node.attributes["href"] or "" for node in tree.css("a[href^='#']")]:
        assert tree.css_first(address) is not None


def test_the_sections_stand_in_the_order_of_the_series(tree: LexborHTMLParser, partial: Report) -> None:
    order = ["要約", "観点別の得点", "31項目の結果と根拠", "注目される取組", "全体の課題", "今後に期待される項目"]
    order += ["調査の方法と範囲", "正誤表"]
    assert [text(node) for node in tree.css("h2")] == order
    assert re.findall(r"^## (.+)$", markdown(partial), re.M) == order


# --- hostile text -----------------------------------------------------------------------------------------------------

RUN = "document.title='ran'"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script/x>{RUN}</script>",
    f"<<script>{RUN}//<</script>",
    f"<scr<script>ipt>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror={RUN}>',
    f"'><img src=x onerror={RUN}>",
    f"`><img src=x onerror={RUN}>",
    f"<img/src=x/onerror={RUN}>",
    f"<img src=x onerror={RUN}//",
    f"<svg onload={RUN}>",
    f"<svg/onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><set attributeName=href to=javascript:{RUN}>",
    f"<svg><foreignObject><body onload={RUN}>",
    f"<math><mtext><img src onerror={RUN}></mtext></math>",
    f"<math href=javascript:{RUN}>x</math>",
    f"<body onload={RUN}>",
    f"<iframe onload={RUN}></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<iframe src=javascript:parent.{RUN}>",
    f"<object data=javascript:{RUN}>",
    f"<embed src=javascript:{RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<video src=x onerror={RUN}>",
    f"<audio src=x onerror={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<textarea autofocus onfocus={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<a href=javascript:{RUN}>x</a>",
    f"<a href='data:text/html,<script>{RUN}</script>'>x</a>",
    f"<form action=javascript:{RUN}><button>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<base href=javascript:{RUN}//>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>",
    "<style>@import '//evil.example/x.css';</style>",
    "<h1>満点</h1>",
    "<plaintext>",
    "<noscript><p title='</noscript><img src=x>'>",
    f"<template><img src=x onerror={RUN}></template>",
    f"<table><tr><td><img src=x onerror={RUN}>",
    "</td></tr></table><h1>31点</h1>",
    f'" onmouseover="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f'" autofocus onfocus="{RUN}',
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    f"\x00<scr\x00ipt>{RUN}</scr\x00ipt>",
    f"\u202e<script>{RUN}</script>\u2066",
    f"\ud800<script>{RUN}</script>",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    f"{{{{ ''.__class__.__mro__ }}}}{{% for x in y %}}<script>{RUN}</script>",
    "{{ report.points }} {% raw %} {# x #}",
    f"${{{RUN}}} #{{{RUN}}} <%= {RUN} %>",
    f"javascript:{RUN}",
    f"jAvAsCrIpT:{RUN}",
    f"<!--><script>{RUN}</script>-->",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"<?xml version='1.0'?><script>{RUN}</script>",
    f"<x contenteditable onblur={RUN} tabindex=1 id=x>",
    f'<p style="animation-name:x" onanimationstart={RUN}>',
    f"<custom-element onpointerrawupdate={RUN}>",
)

ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f" javascript:{RUN}",
    f"java\nscript:{RUN}",
    f"java\tscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"javascript://www.city.example/%0a{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://www.city.example/",
    "//evil.example/",
    "/relative",
    "http:",
    "https:///x",
    "https://www.city.example@evil.example/",
    "https://a:b@evil.example/",
    "https://www.city.example\\@evil.example/",
    "https://www.city.example /x",
    "https://\u202ewww.city.example/",
    "https://www.city.example/a\\..\\b",
    "https://[::1/",
    "https://a<b>/",
    'https://a"onmouseover=x/',
    "https://www.city.example:8x/",
    "blob:https://www.city.example/1",
    "view-source:https://www.city.example/",
    "",
)


def hostile(payload: str, *, address: str | None = None, base: Sequence[QueueItem] | None = None) -> Report:
    """The example with a text of others in every place that takes one."""

    def quoted(item: QueueItem) -> QueueItem:
        judged: Judgement = item.judgement
        url = {"url": address} if address is not None else {}
        quotes = tuple(
            quote.model_copy(update={"text": payload, "title": payload, "end": quote.start + len(payload), **url})
            for quote in judged.quotes
        )
        unread = tuple(one.model_copy(update={"label": payload, "detail": payload, **url}) for one in judged.unread)
        measured = judged.measurement
        if measured:
            said = {"name": payload, "unit": payload, "threshold_source": payload, "readings": (payload,)}
            urls = {"urls": (address,)} if address is not None else {}
            measured = measured.model_copy(update={**said, **urls})
        said = {"quotes": quotes, "unread": unread, "measurement": measured, "model": payload, "judge": payload}
        reason = {"rationale": payload} if judged.rationale else {}
        decisions = tuple(
            one.model_copy(update={"reviewer": payload, "note": payload, "quotes": quotes if one.quotes else ()})
            for one in item.decisions
        )
        judged = judged.model_copy(update={**said, **reason})
        return item.model_copy(update={"judgement": judged, "decisions": decisions, "municipality": place})

    place = Municipality(code=data.PLACE.code, name=payload, prefecture=payload, home_url=address or data.HOME)
    coverage = data.run().coverage
    assert coverage is not None
    url = {"url": address} if address is not None else {}
    coverage = coverage.model_copy(
        update={
            "unread": tuple(one.model_copy(update={"label": payload, "detail": payload, **url}) for one in data.UNREAD),
            "pending": tuple(one.model_copy(update={"label": payload, **url}) for one in coverage.pending),
        }
    )
    queue = [quoted(item) for item in base or data.items()]
    return made(queue, municipality=place, coverage=coverage, sources=(payload,), origin=f"site:{payload}")


@cache
def harmless() -> tuple[str, str]:
    report = hostile("文")
    return html(report), markdown(report)


def skeleton(source: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(node.tag or "", tuple(sorted(node.attributes))) for node in LexborHTMLParser(source).css("*")]


def test_there_are_enough_hostile_texts() -> None:
    assert len(set(PAYLOADS)) >= 60
    assert len(set(ADDRESSES)) >= 25


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_adds_no_element_and_no_attribute(payload: str) -> None:
    report = hostile(payload)
    source = html(report)
    source.encode("utf-8")
    assert skeleton(source) == skeleton(harmless()[0])
    shown = LexborHTMLParser(source).css_first("figure.evidence blockquote")
    assert shown is not None
    assert shown.text() == visible(payload)


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_plain_web_addresses_are_linked(address: str) -> None:
    assert href(address) is None
    tree = page(hostile("文", address=address))
    quoted = tree.css("figure.evidence a, .unread a, .measured a, .method a")
    assert quoted == []
    for node in tree.css("[href]"):
        assert re.match(r"https?://|#[a-z][a-z0-9-]*$", node.attributes["href"] or "")


def test_what_is_counted_does_not_change_under_hostile_text() -> None:
    report = hostile(PAYLOADS[0])
    assert (report.points, report.provisional, report.awaiting) == (19, 3, 8)


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://www.city.example/a?b=c&d=e#f", "https://www.city.example/a?b=c&d=e#f"),
        ("http://127.0.0.1:8801/", "http://127.0.0.1:8801/"),
        ("http://[::1]:8801/x", "http://[::1]:8801/x"),
        ("HTTPS://www.city.example/", "https://www.city.example/"),
        ("https://www.city.example/市役所", "https://www.city.example/%E5%B8%82%E5%BD%B9%E6%89%80"),
        ("https://www.city.example/%E5%B8%82", "https://www.city.example/%E5%B8%82"),
        ('https://www.city.example/"><b>(x)', "https://www.city.example/%22%3E%3Cb%3E%28x%29"),
        ("https://www.city.example/?q='a|b`", "https://www.city.example/?q=%27a%7Cb%60"),
    ],
)
def test_addresses_keep_their_meaning(address: str, linked: str) -> None:
    assert href(address) == linked


@pytest.mark.parametrize(
    ("address", "said", "fragment"),
    [
        ("https://a.example/", "予約できます", "#:~:text=予約できます"),
        ("https://a.example/#top", "予約", "#top:~:text=予約"),
        ("https://a.example/#:~:text=old", "予約", "#:~:text=予約"),
        ("https://a.example/", "24-7, A&B", "#:~:text=24%2D7%2C%20A%26B"),
        ("https://a.example/", "一行目。\n二行目。", "#:~:text=一行目。,二行目。"),
        ("https://a.example/", "初めの文、" + "あ" * 300 + "。終わりの文。", "#:~:text=初めの文、,終わりの文。"),
    ],
)
def test_a_link_leads_to_the_passage(address: str, said: str, fragment: str) -> None:
    target = link(address, said).target or ""
    wanted = re.sub("[^\x00-\x7f]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), fragment)
    assert target == "https://a.example/" + wanted


def test_text_that_could_turn_around_its_neighbours_is_made_visible() -> None:
    assert visible("a\u202eb\x00c\ud800d\u2066") == "a\ufffdb\ufffdc\ufffdd\ufffd"
    plain = "髙𠮷 ①㈱ｶﾅ\u3099 𛂞 👨\u200d👩\u200d👧 葛\U000e0100\n次"
    assert visible(plain) == plain


# --- Markdown ---------------------------------------------------------------------------------------------------------

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(source: str) -> list[str]:
    found = []
    for token in GITHUB.parse(source):
        found.append(token.type)
        found.extend(child.type for child in token.children or () if child.type not in ("text", "text_special"))
    return found


def plain_text(source: str) -> str:
    children = [child for token in GITHUB.parse(source) for child in token.children or ()]
    return "".join(child.content if child.content else " " for child in children if not child.type.startswith("link_"))


def squeezed(said: str) -> str:
    return re.sub(r"\s+", "", said)


def test_markdown_says_the_same_as_the_page(partial: Report) -> None:
    source = markdown(partial)
    lines = [line.split(" | ") for line in source.splitlines() if re.match(r"\| \d+ \| ", line)]
    assert len(lines) == 31
    confirmed = [cells for cells in lines if "該当" in cells[2].split() and cells[3].startswith("確認済")]
    provisional = [cells for cells in lines if "● *暫定*" in cells[2]]
    assert (len(confirmed), len(provisional)) == (partial.points, partial.provisional)
    for quote in (quote for quotes in data.QUOTES.values() for quote in quotes):
        assert squeezed(quote.text) in squeezed(plain_text(source))
        assert quote.page_sha256 in source
    assert "html_inline" not in tokens(source)
    assert "html_block" not in tokens(source)
    assert tokens(source).count("table_open") == 2 + 3


@pytest.mark.parametrize(
    "payload",
    [
        *PAYLOADS,
        "[満点](https://evil.example/)",
        "![x](https://evil.example/x.png)",
        "[x]: https://evil.example/",
        "<https://evil.example/>",
        "# 31点",
        "- 項目",
        "1. 項目",
        "> 引用",
        "***",
        "---",
        "===",
        "    code",
        "```\ncode\n```",
        "~~~ x",
        "`code` ``x``",
        "**31点** _x_ ~~y~~",
        "a | b | c |",
        "| --- | --- |",
        "\\| \\` \\[",
        "x\n\n# 31点\n\n| a | b |\n| - | - |",
        "x\r\n# 31点",
        "x\x0b# y\x0c# z\x85# w\u2028# v",
        "&lt;b&gt; &#91;x&#93;(y)",
        "[^1] [x][y] <!-- c -->",
        "](https://evil.example/) [",
        "）](https://evil.example/)",
    ],
)
def test_hostile_text_adds_nothing_to_the_markdown(payload: str) -> None:
    source, plain = markdown(hostile(payload)), harmless()[1]
    source.encode("utf-8")
    mail = ["code_inline"] if "@" in payload else []  # a mail sign stands in a code span of its own
    assert [kind for kind in tokens(source) if kind not in mail] == [kind for kind in tokens(plain) if kind not in mail]
    links = linked(source)
    assert links
    assert all(re.match(r"https?://[a-z.-]+\.example/", address) for address in links)
    assert not [address for address in links if "evil" in address.split("#")[0]]


def linked(source: str) -> list[str]:
    children = [child for token in GITHUB.parse(source) for child in token.children or ()]
    return [str(child.attrs["href"]) for child in children if "href" in child.attrs]


@pytest.mark.parametrize("address", ADDRESSES)
def test_markdown_links_only_plain_web_addresses(address: str) -> None:
    links = linked(markdown(hostile("文", address=address)))
    assert all(found.startswith(data.HOME) for found in links)


@pytest.mark.parametrize(
    "bare", ["http://evil.example/", "see https://evil.example", "www.evil.example", "WWW.evil.example"]
)
def test_bare_addresses_are_not_left_for_a_renderer_to_link(bare: str) -> None:
    assert not re.search(r"://|www\.", escape(bare), re.I)
    assert plain_text(escape(bare)) == bare


def test_mail_addresses_are_not_left_for_a_renderer_to_link() -> None:
    assert escape("info@city.example") == "info`@`city.example"


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("|\\`[]()<>*_~#!-+=.&;: \n1@$^{}")),
        max_size=60,
    )
)
def test_any_text_comes_out_of_markdown_as_it_went_in(said: str) -> None:
    shown = visible(said)
    for source, wrapped in (
        (f"| a | b |\n| - | - |\n| x | {escape(shown)} |\n", "table_open"),
        (f"- {escape(shown)}\n", ""),
    ):
        kinds = set(tokens(source))
        assert not kinds & {"link_open", "image", "html_inline", "html_block", "heading_open", "em_open", "strong_open"}
        assert not kinds & {"fence", "code_block", "hr", "blockquote_open", "ordered_list_open", "s_open"}
        assert not wrapped or wrapped in kinds
        assert squeezed(plain_text(source)) == squeezed(("ab" + "x" if wrapped else "") + shown)


# --- in a browser -----------------------------------------------------------------------------------------------------


def browse(path: Path, folder: Path, *flags: str) -> str:
    if CHROMIUM is None:
        pytest.skip("no Chromium to load the report in")
    command = [
        *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom", *flags, path.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env={**os.environ, "HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def titled(source: str) -> str:
    return text(LexborHTMLParser(source).css_first("title"))


def test_no_hostile_text_runs_in_a_browser(tmp_path: Path) -> None:
    """All texts in one file, without the policy, so that escaping alone must hold."""
    queue = data.items()
    model = next(item for item in queue if item.judgement.quotes)
    many = []
    for number, item in enumerate(queue):
        mine = PAYLOADS[number * 3 : number * 3 + 3] or PAYLOADS[:3]
        quotes = tuple(
            data.quote(payload, ADDRESSES[number % len(ADDRESSES)] or data.HOME, payload, start=n)
            for n, payload in enumerate(mine)
        )
        judged = model.judgement.model_copy(update={"criterion": item.judgement.criterion, "quotes": quotes})
        decided = model.decisions[0].model_copy(
            update={"criterion": item.judgement.criterion, "quotes": quotes, "reviewer": mine[0], "note": mine[-1]}
        )
        many.append(item.model_copy(update={"judgement": judged, "decisions": (decided,)}))
    place = data.PLACE.model_copy(update={"name": PAYLOADS[0] + PAYLOADS[11], "prefecture": PAYLOADS[1]})
    source = html(made(many, municipality=place))
    assert len(LexborHTMLParser(source).css("figure.evidence")) >= 75
    naked = re.sub(r"<meta http-equiv=[^>]+>", "", source)
    assert "Content-Security-Policy" not in naked
    (tmp_path / "report.html").write_text(naked, encoding="utf-8")
    (tmp_path / "control.html").write_text(f"<!DOCTYPE html><title>x</title>{PAYLOADS[10]}", encoding="utf-8")
    assert titled(browse(tmp_path / "control.html", tmp_path)) == "ran"
    assert titled(browse(tmp_path / "report.html", tmp_path)) == titled(source)


def test_nothing_sticks_out_on_a_phone_or_a_screen(tmp_path: Path) -> None:
    """Even with words that cannot be broken, the page is as wide as the window."""
    for name, report in (("plain", made(data.items())), ("long", hostile("W" * 400))):
        (tmp_path / f"{name}.html").write_text(html(report), encoding="utf-8")
    frames = "".join(
        f"<iframe src={name}.html width={width} height=900></iframe>"
        for name in ("plain", "long")
        for width in (360, 1200)
    )
    measure = "[...document.querySelectorAll('iframe')].map(f => f.contentDocument.documentElement.scrollWidth).join()"
    wrapper = f'<!DOCTYPE html><title>x</title><body onload="document.title={measure}">{frames}'
    (tmp_path / "wrapper.html").write_text(wrapper, encoding="utf-8")
    widths = titled(browse(tmp_path / "wrapper.html", tmp_path, "--allow-file-access-from-files", "--hide-scrollbars"))
    assert widths == "360,1200,360,1200"


# --- the room ---------------------------------------------------------------------------------------------------------


def test_the_room_imports_no_sibling_and_touches_no_file_but_its_templates() -> None:
    allowed = re.compile(r"pipeline\.(models|errors|language|agreement|municipality\.romaji|store\.log|report(\..+)?)$")
    for module in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline"):
                assert allowed.match(node.module or ""), f"{module.name}: {node.module}"
            assert not (isinstance(node, ast.Name) and node.id == "open"), module.name


def test_building_a_report_waits_for_no_template_engine() -> None:
    code = "import sys, pipeline.report; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOM.parents[1])
    assert done.stdout.strip() == "False"
