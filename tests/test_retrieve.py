"""Each criterion is offered slices of pages that speak of it, in a fixed order, without repetition."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_lines import make_page

from pipeline.models import Criterion, Page, Passage, SettledBy, View
from pipeline.retrieve import PER_PAGE, Index
from pipeline.retrieve.units import LONG_CHARS


def criterion(*terms: str, statement: str = "業務を見直している", **fields: object) -> Criterion:
    return Criterion.model_validate(
        {
            "id": "ops-01",
            "viewpoint": "ops",
            "settled_by": "text",
            "statement_ja": statement,
            "statement_en": "",
            "counts_ja": "",
            "counts_en": "",
            "search_terms": terms,
        }
        | fields
    )


def texts(pages: list[Page], *terms: str, limit: int = 10, **fields: object) -> list[str]:
    return [passage.text for passage in Index(pages).passages(criterion(*terms, **fields), limit=limit)]


FILLER = [
    make_page(
        [f"# お知らせ{number}", f"第{number}回の催しを公民館で開きます。持ち物は筆記用具です。"], f"filler{number}"
    )
    for number in range(30)
]


@pytest.mark.parametrize("term", ["鍵", "予約", "ごみ", "DX", "X", "電子申請", "AI", "Ｅ"])
def test_no_term_is_too_short_to_find(term: str) -> None:
    """An engine of trigrams answers nothing for 申請, 予約 or DX."""
    page = make_page(["# 案内", f"これは {term} についての案内です。"], "wanted")
    assert texts([*FILLER, page], term)[0].endswith(f"これは {term} についての案内です。")


def test_a_whole_term_beats_its_scattered_pairs() -> None:
    whole = make_page(["窓口の番号札を発券機で配り、電子申請もあります。"], "whole")
    scattered = make_page(["電子図書を子ども申し込み、申請の電子子申、申請電子。"], "scattered")
    found = Index([*FILLER, scattered, whole]).passages(criterion("電子申請"))
    assert [passage.url for passage in found[:2]] == [whole.url, scattered.url]
    assert found[0].score > 1.5 * found[1].score


@pytest.mark.parametrize(
    ("text", "found"), [("ONLINE講座", False), ("公式LINEを始めました", True), ("LINE で相談", True)]
)
def test_a_latin_term_is_a_whole_word(text: str, found: bool) -> None:
    page = make_page([text, "別の話題です"], "latin")
    best = Index([page]).passages(criterion("LINE", statement="あ"))
    assert bool(best and best[0].score > 0.2) == found


def test_width_and_case_make_no_difference() -> None:
    page = make_page(["ｵﾝﾗｲﾝで ＲＰＡ を使う"], "wide")
    assert texts([*FILLER, page], "rpa")[0] == texts([*FILLER, page], "オンライン")[0] == "ｵﾝﾗｲﾝで ＲＰＡ を使う"


def test_headings_title_row_and_column_help_to_find() -> None:
    under = make_page(["# 電子決裁", "全課で使っています。"], "under")
    row = make_page(["td 施設|予約方法: 専用サイトから"], "row")
    titled = make_page(["令和６年に始めました。"], "titled", title="フリーアドレス")
    pages = [*FILLER, under, row, titled]
    assert texts(pages, "電子決裁")[0] == "電子決裁\n全課で使っています。"
    assert texts(pages, "予約方法")[0] == "専用サイトから"
    assert texts(pages, "フリーアドレス")[0] == "令和６年に始めました。"


def test_a_table_row_and_a_definition_are_read_together() -> None:
    page = make_page(
        [
            "td 体育館|施設: 体育館",
            "td 体育館|予約: ウェブ予約",
            "td 公民館|施設: 公民館",
            "td 公民館|予約: 電話のみ",
            "dt: 登録制メール",
            "dd: 警報を配信します",
            "別の段落です",
        ]
    )
    assert texts([page], "ウェブ予約")[0] == "体育館\nウェブ予約"
    assert texts([page], "登録制メール")[0] == "登録制メール\n警報を配信します"


def test_a_question_is_offered_with_its_answer_and_nothing_else() -> None:
    page = make_page(
        [
            "議会の記録です。",
            "議員 担当の課はありますか。",
            "町長 置いておりません。",
            "議員 道路を直しますか。",
            "町長 直します。",
        ]
    )
    assert texts([page], "担当の課")[0] == "議員 担当の課はありますか。\n町長 置いておりません。"


def test_a_long_block_is_offered_by_its_sentences() -> None:
    filler = "この文は段落を長くするために置かれています。" * 20
    page = make_page([f"{filler}市はRPAを使っています。{filler}"], "long")
    best = texts([page], "RPA")[0]
    assert "市はRPAを使っています。" in best and len(best) < LONG_CHARS


def test_what_repeats_on_a_host_is_offered_once_from_nearest_to_home() -> None:
    menu = "nav: 電子申請のご案内"
    deep = [make_page([menu, f"本文{number}"], f"a/b/{number}") for number in range(20)]
    home = make_page([menu, "ようこそ"], "index")
    found = [passage for passage in Index([*deep, home]).passages(criterion("電子申請")) if "電子申請" in passage.text]
    assert [passage.url for passage in found] == [home.url]


def test_the_menu_stands_behind_the_text() -> None:
    pages = [make_page(["nav: 電子申請の受付", "電子申請の受付"], f"page{number}") for number in range(2)]
    views = [passage.view for passage in Index([*FILLER, *pages]).passages(criterion("電子申請"))]
    assert views[:2] == [View.MAIN, View.FULL]


def test_no_page_takes_more_than_its_share() -> None:
    greedy = make_page(
        [line for number in range(20) for line in (f"# 予約{number}", f"予約システム{number}の予約")], "g"
    )
    others = [make_page([f"# 施設{number}", f"予約は窓口{number}でどうぞ。"], f"other{number}") for number in range(9)]
    found = Index([greedy, *others]).passages(criterion("予約システム", "予約"), limit=10)
    assert sum(passage.url == greedy.url for passage in found) == PER_PAGE
    assert len(found) == 10
    alone = Index([greedy]).passages(criterion("予約システム", "予約"), limit=10)
    assert len(alone) == 10


def test_links_are_found_by_their_host() -> None:
    page = make_page(["link まちの動画 -> https://www.video.example/@machi", "動画の一覧です"], "links")
    asked = criterion("公式チャンネル", settled_by=SettledBy.LINK, link_hosts=("video.example",))
    best = Index([*FILLER, page]).passages(asked)[0]
    assert (best.view, best.href, best.text) == (View.LINKS, "https://www.video.example/@machi", "まちの動画")
    other = asked.model_copy(update={"link_hosts": ("deo.example",)})
    assert all(passage.href != best.href for passage in Index([*FILLER, page]).passages(other)[:1])


def test_nothing_to_offer() -> None:
    assert Index([]).passages(criterion("予約")) == ()
    assert Index([make_page(["。"], "dot")]).passages(criterion("予約")) == ()
    assert Index([make_page([], "empty")]).passages(criterion("予約")) == ()
    assert texts([make_page(["まったく別のこと"], "x")], "宇宙", statement="鯨") == []


def test_the_order_of_the_pages_makes_no_difference() -> None:
    pages = [*FILLER, *(make_page([f"予約の案内{number % 3}", "同じ文です"], f"p{number}") for number in range(12))]
    first = Index(pages).passages(criterion("予約", "案内"))
    shuffled = random.Random(7).sample(pages, len(pages))
    assert Index(shuffled).passages(criterion("予約", "案内")) == first
    assert [passage.score for passage in first] == sorted((passage.score for passage in first), reverse=True)


@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["", "# ", "- ", "dt: ", "dd: ", "nav: ", "footer: ", "alt: ", "pdf: "]),
            st.text(st.sampled_from("予約システムDX 12。「」市ｶﾞ〜\u3099"), min_size=1, max_size=30).map(str.strip),
        ).filter(lambda line: bool(line[1])),
        max_size=12,
    ),
    terms=st.lists(st.text(max_size=6), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_every_passage_is_a_slice(lines: list[tuple[str, str]], terms: list[str]) -> None:
    page = make_page([mark + text for mark, text in lines])
    found = Index([page]).passages(criterion(*terms, "予約"))
    assert all(passage.text == page.text[passage.start : passage.end] for passage in found)
    assert all(isinstance(passage, Passage) and passage.score > 0 for passage in found)
    assert len({(passage.start, passage.end, passage.view) for passage in found}) == len(found)
