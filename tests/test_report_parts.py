"""What a report compares, counts as a challenge, corrects and says in English; each from confirmed decisions alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import report_data as data
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from selectolax.lexbor import LexborHTMLParser

from pipeline.models import (
    Cause,
    Confirmed,
    Correction,
    Erratum,
    Municipality,
    Score,
    Source,
    Unread,
    Verdict,
    ViewpointScore,
)
from pipeline.report import Peer, Report, build, html, json, markdown
from pipeline.report.charts import radar
from pipeline.report.highlights import highlights
from pipeline.report.peers import comparison, examples, share
from pipeline.report.speech import CATALOGS, Speech

ROOM = CATALOGS.parent
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
GAP = re.compile(r"%\(\w+\)s")
ALL = frozenset[str]()
JA = Speech("ja")


def made(**changes: object) -> Report:
    awaiting = changes.pop("awaiting", ALL)
    items = data.items(awaiting=awaiting)  # type: ignore[arg-type]
    return build(data.run(), data.criteria_set(), items, data.score(items), snapshots=data.snapshots(), **changes)  # type: ignore[arg-type]


def peer(
    number: int, *, met: Sequence[str] = (), not_met: Sequence[str] = (), near: str = "both", **more: object
) -> Peer:
    """A comparable municipality that has just these criteria confirmed; all of them with `whole`."""
    place = Municipality(code=f"{900_000 + number:06}", name=f"第{number}市", kana="")
    source = more.get("source", Source.OFFICIAL)
    dated = more.get("dated", date(2025, 1, number % 27 + 1))
    quote = data.quote(f"第{number}市は実施しています", f"https://city{number}.example/", "実施").model_copy(
        update={"source": source, "dated": dated}
    )
    confirmed = [
        Confirmed(
            criterion=one,
            verdict=verdict,
            quotes=(quote,),
            reviewer="確認者",
            decided_at=datetime(2025, 4, 3, tzinfo=UTC),
        )
        for verdict, ids in ((Verdict.MET, met), (Verdict.NOT_MET, not_met))
        for one in ids
    ]
    awaiting = 0 if more.get("whole") else 31 - len(confirmed)
    viewpoints = tuple(
        ViewpointScore(
            viewpoint=name, confirmed=sum(one.startswith(name) for one in met), provisional=0, awaiting=0, possible=n
        )
        for name, n in (("policy", 6), ("ops", 9), ("resident", 16))
    )
    score = Score(
        municipality=place,
        run_id=f"r{number}",
        criteria_id="dx-2024",
        points=len(met),
        possible=31,
        awaiting=awaiting,
        viewpoints=viewpoints,
        confirmed=tuple(confirmed),
    )
    return Peer(
        municipality=place,
        score=score,
        same_class=near in ("both", "class"),
        same_prefecture=near in ("both", "prefecture"),
    )


# --- comparable municipalities ----------------------------------------------------------------------------------------


def test_examples_come_from_the_nearest_first_and_are_three_at_most() -> None:
    peers = [
        peer(1, met=["ops-08"], near="prefecture"),
        peer(2, met=["ops-08"], near="class"),
        peer(3, met=["ops-08"]),
        peer(4, met=["ops-08"], near="class", dated=date(2025, 3, 1)),
        peer(5, not_met=["ops-08"]),
    ]
    assert [one.place for one in examples(peers, "ops-08", JA)] == ["第3市", "第4市", "第2市"]
    assert examples(peers, "ops-08", JA)[0].relation == "人口区分と都道府県が同じ"


@pytest.mark.parametrize("source", [Source.PRESS, Source.SERVICE])
def test_an_example_is_quoted_from_the_municipalitys_own_page(source: Source) -> None:
    assert examples([peer(1, met=["ops-08"], source=source)], "ops-08", JA) == ()


def test_every_unmet_item_shows_examples_and_no_met_one_does() -> None:
    every = [one.id for one in data.criteria_set().criteria]
    report = made(peers=[peer(1, met=every)])
    tree = LexborHTMLParser(html(report))
    for group in report.expected:
        for entry in group.entries:
            assert [one.place for one in entry.examples] == ["第1市"]
    shown = tree.css(".examples li")
    assert len(shown) == 31 - report.points
    assert all("第1市は実施しています" in node.text() for node in shown)
    assert markdown(report).count("第1市は実施しています") == len(shown)


def test_means_are_of_three_wholly_confirmed_at_least() -> None:
    three = [peer(n, met=["policy-01", "ops-01"][: n % 2 + 1], whole=True) for n in range(3)]
    found = comparison(three, data.criteria_set(), JA)
    assert {one.viewpoint: round(one.points, 3) for one in found.means} == {"policy": 1, "ops": 0.333, "resident": 0}
    assert (found.count, found.whole) == (3, 3)
    few = comparison([*three[:2], peer(7, met=["ops-01"])], data.criteria_set(), JA)
    assert (few.count, few.whole, few.means) == (3, 2, ())
    assert "2" not in few.text and "3団体に満たない" in few.text


def test_a_peer_without_any_decision_is_not_compared() -> None:
    assert comparison([peer(1)], data.criteria_set(), JA).count == 0
    assert share([peer(1), peer(2, met=["ops-01"]), peer(3, not_met=["ops-01"])], "ops-01") == (1, 2)


def test_what_could_not_be_read_elsewhere_is_not_rare_there() -> None:
    at = datetime(2025, 4, 3, tzinfo=UTC)
    for verdict in (Verdict.UNOBSERVED, Verdict.NOT_JUDGED):
        seen = Confirmed(criterion="ops-08", verdict=verdict, reviewer="確認者", decided_at=at)
        one = peer(1)
        blind = one.model_copy(update={"score": one.score.model_copy(update={"confirmed": (seen,)})})
        assert share([blind] * 3, "ops-08") == (0, 0)
        assert share([blind, peer(4, met=["ops-08"])], "ops-08") == (1, 1)


def test_the_radar_draws_shares_and_the_mean() -> None:
    report = made(peers=[peer(n, met=["policy-01", "policy-02", "policy-03"], whole=True) for n in range(3)])
    drawn = radar(report, JA)
    assert drawn is not None
    top, middle = drawn.spokes[0], drawn.middle
    own = next(one for one in report.tallies if one.viewpoint == "policy")
    radius = middle[1] - top.y
    assert drawn.corners[0] == (middle[0], round(middle[1] - radius * own.confirmed / own.possible, 2))
    assert drawn.mean.split(" ")[0] == f"{middle[0]},{round(middle[1] - radius * 3 / 6, 2)}"
    assert LexborHTMLParser(html(report)).css_first("svg.radar polygon.mean") is not None
    assert radar(made(), JA).mean == ""  # type: ignore[union-attr]


# --- highlights and challenges ----------------------------------------------------------------------------------------


def test_a_rarer_measure_is_a_highlight_before_one_with_more_pages() -> None:
    report = made()
    met = [row for _, rows in report.groups for row in rows if row.outcome.key == "met" and row.id.startswith("ops")]
    rare, common = met[-1].id, met[0].id
    peers = [peer(n, met=[common], not_met=[rare]) for n in range(3)]
    confirmed = data.score(data.items(awaiting=ALL)).confirmed
    rows = [row for _, rows in report.groups for row in rows]
    shown = [one for one in highlights(rows, report.tallies, confirmed, peers, JA) if one.row.viewpoint == "ops"]
    assert shown[0].row.id == rare
    assert "比べた3団体中0団体で該当" in shown[0].why
    assert common not in [one.row.id for one in shown]


def test_a_draft_has_no_challenge_but_what_could_not_be_read() -> None:
    assert [one.key for one in made(awaiting=None).challenges] == ["unreadable"]


def test_challenges_count_confirmed_outcomes_only() -> None:
    whole, partial = made(), made(awaiting=data.AWAITING)
    for report in (whole, partial):
        rows = {row.id: row for _, rows in report.groups for row in rows}
        for one in report.challenges:
            if one.key in ("says_no", "unpublished", "press_only", "stale", "undated"):
                assert str(len(one.rows)) in one.text
                assert all(row.confirmed for row in one.rows)
        said = {one.key: one.rows for one in report.challenges}
        confirmed = [row for row in rows.values() if row.confirmed]
        assert list(said["says_no"]) == [row for row in confirmed if row.outcome.key == "not_met"]
        assert list(said["unpublished"]) == [row for row in confirmed if row.outcome.key == "no_evidence"]


def test_the_weakest_viewpoint_is_named_when_all_is_decided_and_it_is_alone() -> None:
    report = made()
    shares = {one.name: one.confirmed / one.possible for one in report.tallies}
    lowest = min(shares, key=lambda name: shares[name])
    weakest = next(one for one in report.challenges if one.key == "weakest")
    assert lowest in weakest.text and list(shares.values()).count(shares[lowest]) == 1
    assert not [one for one in made(awaiting=data.AWAITING).challenges if one.key == "weakest"]


def test_nothing_is_challenged_where_everything_is_read() -> None:
    coverage = data.run().coverage
    assert coverage is not None
    items = data.items(awaiting=None)
    clean = data.run(coverage=coverage.model_copy(update={"unread": (), "pending": ()}))
    assert build(clean, data.criteria_set(), items, data.score(items)).challenges == ()
    one = Unread(url="https://www.city.example/a.pdf", cause=Cause.NEEDS_OCR)
    scanned = data.run(coverage=coverage.model_copy(update={"unread": (one,), "pending": ()}))
    found = build(scanned, data.criteria_set(), items, data.score(items)).challenges
    assert [one.key for one in found] == ["unreadable"] and "画像のみ" in found[0].text


# --- errata, title, JSON ----------------------------------------------------------------------------------------------


def erratum(note: str = "ページの日付を見誤った") -> Erratum:
    change = Correction(
        criterion="ops-01", before=Verdict.MET, after=None, decided_at=datetime(2025, 6, 1, tzinfo=UTC), note=note
    )
    return Erratum(
        edition="2025",
        number=1,
        issued=date(2025, 6, 2),
        municipality=data.PLACE,
        points_before=15,
        points_after=14,
        corrections=(change,),
    )


def test_an_erratum_says_what_stood_and_what_stands() -> None:
    report = made(errata=(erratum(),))
    for said in (
        LexborHTMLParser(html(report)).css_first("section.errata").text(),
        markdown(report).split("## 正誤表")[1],
    ):
        for part in ("第1号", "2025年6月2日", "得点 15点 → 14点", "該当 → 未確認", "ページの日付を見誤った"):
            assert part in said
    assert "この報告書を作成した時点で、訂正はありません。" in markdown(made())


def test_an_edition_gives_its_title_else_the_surveys_year() -> None:
    assert made().title == "2025年版"
    assert made(language="en").title == "2025 edition"
    assert made(edition="2025年度 夏の版").title == "2025年度 夏の版"
    assert "2025年度 夏の版" in LexborHTMLParser(html(made(edition="2025年度 夏の版"))).css_first("title").text()


def test_the_json_is_the_whole_report() -> None:
    report = made(peers=[peer(1, met=["ops-08"])], errata=(erratum(),))
    assert Report.model_validate_json(json(report)) == report
    assert json(report) == json(made(peers=[peer(1, met=["ops-08"])], errata=(erratum(),)))


# --- English ----------------------------------------------------------------------------------------------------------


def translated() -> dict[str, str]:
    with (CATALOGS / "en.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file, locale="en") if one.id}


def constants(path: Path) -> set[str]:
    found = (node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant))
    return {
        value for value in found if isinstance(value, str) and re.search(r"[\u3040-\u30ff\u4e00-\u9fff、：（]", value)
    }


def test_the_english_catalog_is_complete_and_holds_nothing_else() -> None:
    said = {word for path in ROOM.glob("*.py") if path.stem != "links" for word in constants(path)}
    said -= {"年", "月", "日"}
    methods = [("templates/**", "jinja2.ext:babel_extract")]
    said |= {str(message) for _, _, message, _, _ in extract_from_dir(ROOM, method_map=methods)}
    assert set(translated()) == said


def test_no_translation_is_empty_loses_a_gap_or_is_japanese() -> None:
    for message, text in translated().items():
        assert text.strip() and not JAPANESE.search(text), message
        assert sorted(GAP.findall(message)) == sorted(GAP.findall(text)), message


def test_the_english_report_says_the_same_in_english() -> None:
    """The same figures, rows and quotes; Japanese only in what others wrote."""
    peers = [peer(n, met=["ops-08", "ops-09"], whole=True) for n in range(3)]
    ours, theirs = (
        made(awaiting=data.AWAITING, peers=peers, errata=(erratum("e"),), language=one) for one in ("ja", "en")
    )
    assert (theirs.points, theirs.awaiting, theirs.provisional) == (ours.points, ours.awaiting, ours.provisional)
    trees = [LexborHTMLParser(html(one)) for one in (ours, theirs)]
    for name in ("data-criterion", "data-outcome", "data-sha256", "data-challenge", "href"):
        assert len({tuple(node.attributes[name] for node in tree.css(f"[{name}]")) for tree in trees}) == 1, name
    assert trees[1].css_first("html").attributes["lang"] == "en"
    for tag in (
        "figure.evidence",
        "blockquote",
        "style",
        "[dir=auto]",
        ".where",
        ".measured",
        ".highlights",
        ".facts code",
    ):
        for node in trees[1].css(tag):
            node.decompose()
    left = [line for line in trees[1].body.text(separator="\n").split("\n") if JAPANESE.search(line)]
    assert left == []
