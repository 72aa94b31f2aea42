"""The verifier accepts what a page says, refuses everything else, and warns where the words around turn it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_lines import make_page

from pipeline.judge.grounding import Outcome, verify
from pipeline.judge.hedges import NEGATION, PLAN
from pipeline.judge.surroundings import caveats
from pipeline.models import Claim, Flag, Match, Page, Region
from pipeline.text import fold

CORPUS = yaml.safe_load((Path(__file__).parent / "files" / "false_quotes.yaml").read_text(encoding="utf-8"))
NAMED = {name: make_page(lines, name) for name, lines in CORPUS["pages"].items()}


def cases() -> Iterator[Any]:
    for group, rows in CORPUS["groups"].items():
        for number, case in enumerate(rows, 1):
            yield pytest.param(case, id=f"{group}-{number}")


def region_of(page: Page, start: int) -> Region:
    return next(block.region for block in page.blocks if block.start <= start < block.end)


@pytest.mark.parametrize("case", list(cases()))
def test_corpus(case: dict[str, Any]) -> None:
    """Every case of the corpus ends as it says, with all other pages offered too."""
    page = NAMED.get(case["page"]) or make_page(case["page"].split("\n"), hidden=case.get("hidden", ""))
    pages = {shown.sha256: shown for shown in [*NAMED.values(), page]}
    claimed = NAMED[case["claimed"]] if "claimed" in case else page
    grounded = verify(Claim(text=case["quote"], page_sha256=claimed.sha256, href=case.get("href", "")), pages)
    if case["expect"] in ("refused", "too_short"):
        assert grounded.quote is None, grounded.quote
        assert grounded.outcome == {"refused": "not_found", "too_short": "too_short"}[case["expect"]]
        return
    quote = grounded.quote
    assert quote is not None, grounded.hint
    assert quote.match == case["expect"]
    assert quote.text == case.get("slice", case["quote"].strip())
    assert quote.text == page.text[quote.start : quote.end]
    assert quote.page_sha256 == page.sha256
    assert set(grounded.flags) - {Flag.SHORT_QUOTE} == set(case.get("flags", []))
    assert quote.href == case.get("href", "")
    if "region" in case:
        assert region_of(page, quote.start) == case["region"]


def test_corpus_is_large_and_mostly_false() -> None:
    outcomes = [case["expect"] for rows in CORPUS["groups"].values() for case in rows]
    assert len(outcomes) >= 150
    assert sum(outcome in ("refused", "too_short") for outcome in outcomes) > len(outcomes) / 2


def one(text: str, *lines: str, **claim: Any) -> Any:
    page = make_page(list(lines))
    return verify(Claim(text=text, page_sha256=page.sha256, **claim), {page.sha256: page})


def test_outcomes_are_told_apart() -> None:
    assert one("電子申請ができます", "電子申請ができます").outcome == Outcome.EXACT
    assert one("ＤＸを進める課", "DXを進める課").outcome == Outcome.NORMALISED
    assert one("電子申請の窓口", "電子申請の窓口", "電子申請の窓口").outcome == Outcome.AMBIGUOUS
    assert one("電子図書館の窓口", "電子申請の窓口").outcome == Outcome.NOT_FOUND
    assert one("窓口", "電子申請の窓口").outcome == Outcome.TOO_SHORT
    both = {page.sha256: page for page in NAMED.values()}
    other = verify(Claim(text="電子図書館を開いています", page_sha256=NAMED["dx"].sha256), both)
    assert other.outcome == Outcome.OTHER_PAGE and other.quote and other.quote.url == NAMED["snow"].url


def test_a_claim_without_a_page_is_looked_for_in_all() -> None:
    pages = {page.sha256: page for page in NAMED.values()}
    grounded = verify(Claim(text="電子図書館を開いています"), pages)
    assert grounded.outcome == Outcome.EXACT and Flag.OTHER_PAGE not in grounded.flags


def test_no_pages_no_quote() -> None:
    assert verify(Claim(text="電子図書館を開いています"), {}).outcome == Outcome.NOT_FOUND


def test_quote_carries_its_page() -> None:
    page = NAMED["dx"].model_copy(update={"title": "緑水市", "source": "press"})
    quote = verify(Claim(text="庁舎の２階・３階ではフリーアドレス"), {page.sha256: page}).quote
    assert quote and (quote.title, quote.source, quote.url) == ("緑水市", "press", page.url)
    assert quote.context == "庁舎の２階・３階ではフリーアドレスを始めました。"


def test_context_of_a_long_block_is_its_sentence() -> None:
    filler = "この文は長い段落をつくるためだけに置かれています。" * 20
    grounded = one("電子申請を受け付けて", f"{filler}市は電子申請を受け付けています。{filler}")
    assert grounded.quote.context == "市は電子申請を受け付けています。"


def test_context_of_a_cell_is_its_row() -> None:
    quote = one_of(NAMED["dx"], "スマホ決済アプリ")
    assert quote.context == "スマホ決済アプリ\n検討中\n利用可"


def test_caveats_are_told_for_any_span() -> None:
    """Other rooms of the judge ask without a claim."""
    page = NAMED["snow"]
    at = page.text.index("電子申請は")
    assert caveats(page, [(at, at + 4)]) == (Flag.UNQUOTED_NEGATION,)
    assert caveats(page, [(at, at + 14)]) == ()
    assert caveats(page, [(len(page.text) + 5, len(page.text) + 9)]) == ()


def test_short_quotes_are_marked_but_links_are_not() -> None:
    assert one("電子申請室", "電子申請室").flags == (Flag.SHORT_QUOTE,)
    assert one("動画", "link 動画 -> https://v.example/", href="https://v.example/").flags == ()


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("キャッシュレス決済に対応しています", "窓口のキャッシュレス決済に対応していません。", "近い箇所: 窓口の"),
        ("5種類の手続", "手続は15種類の手続です", "語や数や文の途中で切れるため"),
        ("宇宙船の発着場", "手続は15種類の手続です", ""),
    ],
)
def test_hint_says_what_stands_nearest(text: str, line: str, hint: str) -> None:
    grounded = one(text, line)
    assert grounded.quote is None
    assert grounded.hint.startswith(hint) and bool(grounded.hint) == bool(hint)


def test_hint_names_hidden_text() -> None:
    page = make_page(["表の文"], hidden="隠された電子申請の文")
    assert "表示されない" in verify(Claim(text="隠された電子申請"), {page.sha256: page}).hint


def test_hint_on_a_huge_page_is_quick() -> None:
    """A long invented quote against 600,000 characters is refused within seconds, hint included."""
    page = make_page(
        [f"番号{number}の施設では電子申請と予約の受付について案内しています" * 6 for number in range(3000)]
    )
    started = time.perf_counter()
    assert (
        one_of(
            page, "市のすべての施設で電子申請と予約の自動受付が行われており、市民の九割が利用していますという調査結果"
        )
        is None
    )
    assert time.perf_counter() - started < 3


def one_of(page: Page, text: str) -> Any:
    return verify(Claim(text=text, page_sha256=page.sha256), {page.sha256: page}).quote


@pytest.mark.parametrize(
    "text",
    [
        "行っていません",
        "できない",
        "実施していなかった",
        "未導入",
        "廃止しました",
        "不可",
        "対象外",
        "来庁せず",
        "×",
        "手数料なし",
    ],
)
def test_words_of_negation(text: str) -> None:
    assert NEGATION.search(fold(text))


@pytest.mark.parametrize(
    "text", ["少ない", "書かない窓口", "未来", "おこないます", "つないで相談", "しかない", "必ず", "不可欠", "終了時刻"]
)
def test_words_that_only_look_like_negation(text: str) -> None:
    assert not NEGATION.search(fold(text))


@pytest.mark.parametrize("text", ["導入予定", "検討中", "目指します", "進めていきます", "したいと考えています", "将来"])
def test_words_of_plan(text: str) -> None:
    assert PLAN.search(fold(text))


@pytest.mark.parametrize("text", ["予定価格", "検討委員会", "検討の結果", "今後もご利用ください"])
def test_words_that_only_look_like_a_plan(text: str) -> None:
    assert not PLAN.search(fold(text))


ALPHABET = st.sampled_from(
    list("市は電子申請をいませんない。、「」（）　 アプリー-〜～…‥・15１５㍻①²㈱ｶﾞLIN\u3099\u200b\U000e0100×未\t中略.,")
)
LINES = st.lists(st.text(ALPHABET, min_size=1, max_size=40).map(lambda s: " ".join(s.split())).filter(bool), max_size=6)


@given(
    lines=LINES,
    text=st.text(ALPHABET, max_size=30) | st.text(max_size=20),
    href=st.sampled_from(["", "https://a.example/"]),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_answered_and_any_quote_is_a_slice(lines: list[str], text: str, href: str) -> None:
    page = make_page([f"link {lines[0]} -> https://a.example/", *lines] if lines and " -> " not in lines[0] else lines)
    grounded = verify(Claim(text=text, page_sha256=page.sha256, href=href), {page.sha256: page})
    if grounded.quote:
        assert grounded.quote.text == page.text[grounded.quote.start : grounded.quote.end]
        assert grounded.quote.match is not Match.EXACT or grounded.quote.text in text
        assert grounded.quote.match is Match.FRAGMENTS or fold(grounded.quote.text) in fold(text)
    assert (grounded.quote is None) == (grounded.outcome in (Outcome.NOT_FOUND, Outcome.TOO_SHORT))


@given(lines=LINES.filter(bool), data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_whole_block_can_always_be_quoted(lines: list[str], data: st.DataObject) -> None:
    page = make_page(lines)
    text = page.slice(page.blocks[data.draw(st.integers(0, len(page.blocks) - 1))])
    grounded = verify(Claim(text=text, page_sha256=page.sha256), {page.sha256: page})
    if not fold(text):
        assert grounded.quote is None
    else:
        assert grounded.quote and fold(grounded.quote.text) == fold(text)
