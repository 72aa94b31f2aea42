"""Folding keeps the way back to the source, and never folds what would change the meaning."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.models import Match
from pipeline.text import fold, match_tier, normalise, searchable, sentences


@pytest.mark.parametrize(
    ("source", "folded"),
    [
        ("１２種類のｵﾝﾗｲﾝ申請", "12種類のオンライン申請"),
        ("ﾊﾞｯｸｱｯﾌﾟ", "バックアップ"),
        ("ハ\u3099ックアッフ\u309a", "バックアップ"),
        ("電子 申請\u3000を\n受\u00a0付", "電子申請を受付"),
        ("電\u200b子\ufeff申\u00ad請\u2060", "電子申請"),
        ("９時〜５時～６時~", "9時~5時~6時~"),
        ("A－B−C–D—E‐F", "A-B-C-D-E-F"),
        ("サービス", "サービス"),
        ("ｻｰﾋﾞｽ", "サービス"),
        ("㍻㋿㈱㍿℡", "平成令和(株)株式会社TEL"),
        ("⼀部の⽂書", "一部の文書"),
        ("葛\U000e0100飾", "葛飾"),
        ("", ""),
        (" \u200b\n", ""),
    ],
)
def test_folds(source: str, folded: str) -> None:
    assert fold(source) == folded


@pytest.mark.parametrize(
    "source",
    [
        "10²",
        "H₂O",
        "①",
        "⑴",
        "⒈",
        "½",
        "Ⅲ",
        "㎡",
        "㋉",
        "㏠",
        "㊙",
        "㋐",
        "髙",
        "﨑",
        "邊",
        "1\u20e3",
        "゛",
        "\u202e51",
    ],
)
def test_keeps_what_would_change_the_meaning(source: str) -> None:
    """NFKC turns 10² into 102 and ① into 1; folding here does not, nor does it touch variant kanji."""
    assert fold(source) == source


def test_spans_lead_back_to_the_source() -> None:
    source = "㍻30年 ﾊﾞｽを\u200b運行"
    folded = normalise(source)
    assert folded.text == "平成30年バスを運行"
    assert [source[slice(*folded.origin(at))] for at in range(len(folded.text))] == list("㍻㍻30年") + ["ﾊﾞ", *"ｽを運行"]
    assert folded.gaps == {5}
    assert folded.span(5, 7) == (5, 8)


def test_a_cluster_is_not_cut() -> None:
    """`平` is no part of `㍻`, nor `1` of a keycap."""
    folded = normalise("㍻1\u20e3")
    assert folded.span(0, 1) is None
    assert folded.span(1, 2) is None
    assert folded.span(2, 3) is None
    assert folded.span(0, 2) == (0, 1)
    assert folded.span(0, 0) is None
    assert folded.span(0, 9) is None


def test_gaps_and_line_feeds_are_remembered() -> None:
    folded = normalise("1 5\n7")
    assert (folded.text, folded.gaps, folded.breaks) == ("157", {1, 2}, {2})


@pytest.mark.parametrize(
    ("source", "quote", "tier"),
    [
        ("電子申請", "電子申請", Match.EXACT),
        ("電子 申請", "電子申請", Match.WIDTH_SPACE),
        ("電子\u3000申請", "電子申請", Match.WIDTH_SPACE),
        ("ＤＸ", "DX", Match.WIDTH_SPACE),
        ("ﾊﾞｽ", "バス", Match.WIDTH_SPACE),
        ("ハ\u3099ス", "バス", Match.WIDTH_SPACE),
        ("㍻", "平成", Match.COMPATIBLE),
        ("㍻ 3", "㍻3", Match.WIDTH_SPACE),
        ("〜", "～", Match.COMPATIBLE),
        ("―", "-", Match.COMPATIBLE),
    ],
)
def test_tier_says_how_two_texts_differ(source: str, quote: str, tier: Match) -> None:
    assert match_tier(source, quote) == tier


TEXTS = st.text(st.characters() | st.sampled_from("か\u3099ｶﾞ\u309a\ufe0f\u200b \n㍻①〜－ー１A\U000e0100"), max_size=60)


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_spans_are_monotone_and_cover_no_white_space_alone(source: str) -> None:
    folded = normalise(source)
    spans = [folded.origin(at) for at in range(len(folded.text))]
    assert all(0 <= start < end <= len(source) for start, end in spans)
    assert all(left == right or left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
    assert all(source[start:end].strip() for start, end in spans)
    assert not any(char.isspace() for char in folded.text)


@given(TEXTS, st.data())
@settings(max_examples=300, deadline=None)
def test_index_and_origin_agree(source: str, data: st.DataObject) -> None:
    folded = normalise(source)
    position = data.draw(st.integers(0, len(source)))
    starts = [folded.origin(at)[0] for at in range(len(folded.text))]
    expected = next((at for at, start in enumerate(starts) if start >= position), len(starts))
    assert folded.index(position) == expected


@given(st.text(st.characters(codec="cp932", include_characters="¢£¬‖−〜"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_folding_twice_changes_nothing(source: str) -> None:
    """On whatever a Shift_JIS page can hold."""
    assert fold(fold(source)) == fold(source)


@given(st.text(st.sampled_from("あいうカキク漢字ー。、「」"), max_size=40))
@settings(max_examples=100, deadline=None)
def test_plain_japanese_is_left_alone(source: str) -> None:
    assert fold(source) == source == unicodedata.normalize("NFKC", source)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("受付中です。明日も。", ["受付中です。", "明日も。"]),
        ("市長は「始める。続ける。」と述べた。以上", ["市長は「始める。続ける。」と述べた。", "以上"]),
        ("対象（市民。児童を含む。）は無料。", ["対象（市民。児童を含む。）は無料。"]),
        ("閉じない「括弧。次の文。", ["閉じない「括弧。", "次の文。"]),
        ("余る」括弧。次の文。", ["余る」括弧。", "次の文。"]),
        ("「入れ子（あ。）です。」終わり。次。", ["「入れ子（あ。）です。」終わり。", "次。"]),
        ("一行目\n二行目。", ["一行目", "二行目。"]),
        ("本当！？はい。", ["本当！？", "はい。"]),
        ("Yahoo!ニュースに載った。", ["Yahoo!ニュースに載った。"]),
        ("比率は３．５です．次です．", ["比率は３．５です．", "次です．"]),
        ("  前後の空白。  次。 ", ["前後の空白。", "次。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(st.sampled_from("あ。！「」（）()\n 」．1!"), max_size=40))
@settings(max_examples=300, deadline=None)
def test_sentences_keep_every_character_in_order(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(text[start:end] for start, end in spans).split()) == "".join(text.split())
    assert all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("公式 ＬＩＮＥ アカウント", "公式lineアカウント"),
        ("Facebook Instagram\nX", "facebook instagram x"),
        ("電子\n申請", "電子申請"),
        ("DX 推進", "dx推進"),
    ],
)
def test_searchable_keeps_words_apart_and_japanese_together(text: str, found: str) -> None:
    assert searchable(text).replace("\n", " ") == found
