"""What a reader sees is in the text, with its place; what no reader sees is not."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.extract import CODE, LIBRARIES, extract, version
from pipeline.models import Block, BlockKind, Cause, Media, Page, Region, Snapshot, Source, Unread
from tests.make_pages import municipal_page, snapshot


def page(html: str | bytes, **options: str) -> Page:
    body = html if isinstance(html, bytes) else html.encode()
    found = extract(snapshot(body, **options), body)
    assert isinstance(found, Page), found
    check(found)
    return found


def check(found: Page) -> None:
    """The rules of Page.text: blocks in order, each one collapsed line, joined by line feeds; links where they say."""
    assert "\n".join(found.slice(block) for block in found.blocks) == found.text
    for block in found.blocks:
        text = found.slice(block)
        assert text == " ".join(text.split()) != ""
    for link in found.links:
        assert 0 <= link.start <= link.end <= len(found.text)
        if link.end > link.start:
            assert " ".join(found.slice(link).split()).startswith(link.label)


def unread(html: str | bytes, **options: str) -> Unread:
    body = html if isinstance(html, bytes) else html.encode()
    found = extract(snapshot(body, **options), body)
    assert isinstance(found, Unread), found.text[:200]
    return found


def block(found: Page, text: str) -> Block:
    return next(block for block in found.blocks if found.slice(block) == text)


def texts(found: Page) -> list[str]:
    return [found.slice(block) for block in found.blocks]


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>市の<b>申請</b>は\n 　 <a href=/x>窓口</a>へ</p>", ["市の申請は 窓口へ"]),
        ("<p>一行目<br>二行目</p>", ["一行目 二行目"]),
        ("<td>一段落<br><br>二段落", ["一段落", "二段落"]),
        ("<div>前<p>中</p>後</div>", ["前", "中", "後"]),
        ("<ul><li>一<ul><li>二</ul><li>三</ul>", ["一", "二", "三"]),
        ("<p>&lt;申請&gt;&amp;&#8451;&nbsp;&nbsp;届</p>", ["<申請>&℃ 届"]),
        ("<p><ruby>霞野<rp>（</rp><rt>かすみの</rt><rp>）</rp></ruby>市</p>", ["霞野市"]),
        ("<details><summary>開く</summary><p>中身</p></details>", ["開く", "中身"]),
        ("<select><option>日本語<option>English</select>", ["日本語", "English"]),
        ("<p>ゼロ\u200b幅\u00ad文字\u202e反転</p>", ["ゼロ幅文字反転"]),
        ("<table><tr><th>手続<th>印鑑<tr><td>転入<td>不要</table>", ["手続", "印鑑", "転入", "不要"]),
        ("<p><b>太字<i>斜体</b>続き</i>終わり<p>次", ["太字斜体続き終わり", "次"]),
        ("<p>前</p><script>var 隠 = 1</script><style>p{}</style><!-- 注 --><p>後</p>", ["前", "後"]),
        ("<p>画像<img alt='地図'>の横</p><p>次</p>", ["画像の横", "地図", "次"]),
        ("<a href=/x><img alt='届出'>届出</a>", ["届出"]),
        ("<p>x\x00y &#xD800; &#0;</p>", ["xy \ufffd \ufffd"]),
    ],
)
def test_visible_text_stands_in_blocks(html: str, expected: list[str]) -> None:
    if html.startswith("<td>"):
        html = f"<table><tr>{html}</table>"
    assert texts(page(html)) == expected


HIDDEN = [
    "<p hidden>秘密</p>",
    "<p style='display:none'>秘密</p>",
    "<p style='DISPLAY : NONE !important'>秘密</p>",
    "<div style='visibility: hidden'><p>秘密</p></div>",
    "<p style='font-size:0'>秘密</p>",
    "<p style='font-size: 0px;'>秘密</p>",
    "<p style='opacity:0.0'>秘密</p>",
    "<p style='position:absolute;left:-9999px'>秘密</p>",
    "<p style='text-indent:-100em'>秘密</p>",
    "<p style='color:#fff'>秘密</p>",
    "<p style='color:white;background:#FFFFFF'>秘密</p>",
    "<p style='background-color:#000;color:#000'>秘密</p>",
    "<table bgcolor='#003366'><tr><td><font color='#003366'>秘密</font></table>",
    "<p style='color:transparent'>秘密</p>",
    "<p style='height:0;overflow:hidden'>秘密</p>",
    "<p style='clip:rect(0,0,0,0);position:absolute'>秘密</p>",
    "<span aria-hidden=true>秘密</span>",
    "<noscript>秘密</noscript>",
    "<dialog>秘密</dialog>",
    "<style>.x{display:none}</style><p class='a x'>秘密</p>",
    "<style>/* c */ p.y , #z { visibility : hidden }</style><p id=z>秘密</p>",
    "<style>@media screen{.w{display:none}}</style><p class=w>秘密</p>",
    "<p><del>秘密</del></p>",
    "<p><s>秘密</s></p>",
    "<p><strike>秘密</strike></p>",
    "<p style='text-decoration: line-through red'>秘密</p>",
    "<style>.old{text-decoration-line:line-through}</style><p class=old>秘密</p>",
]
VISIBLE = [
    "<p hidden=until-found>秘密</p>",
    "<p style='opacity:0.5;font-size:0.8em'>秘密</p>",
    "<p style='color:#fff;background:#036'>秘密</p>",
    "<table bgcolor='#003366'><tr><td><font color='#ffffff'>秘密</font></table>",
    "<div style='background:#333'><p style='color:white'>秘密</p></div>",
    "<p style='position:absolute;left:10px'>秘密</p>",
    "<p style='max-height:20em;overflow:hidden'>秘密</p>",
    "<style>@media print{.x{display:none}} @media (max-width:600px){.x{display:none}}</style><p class=x>秘密</p>",
    "<style>.x{display:none} .x{display:block}</style><p class=x>秘密</p>",
    "<style>.no-js .x{display:none} .x:hover{display:none}</style><p class=x>秘密</p>",
    "<dialog open>秘密</dialog>",
    "<p aria-hidden=false>秘密</p>",
]


@pytest.mark.parametrize("html", HIDDEN)
def test_what_no_reader_sees_is_not_in_the_text(html: str) -> None:
    found = page(f"<p>見える</p>{html}<p>続き</p>")
    assert texts(found) == ["見える", "続き"]
    assert found.hidden_text == "秘密"


@pytest.mark.parametrize("html", VISIBLE)
def test_what_a_reader_sees_is_kept(html: str) -> None:
    found = page(f"<p>見える</p>{html}")
    assert texts(found) == ["見える", "秘密"]
    assert found.hidden_text == ""


@pytest.mark.parametrize(
    "title",
    ["ただいまメンテナンス中です", "システムエラー", "Access Denied", "503 Service Unavailable", "Just a moment..."],
)
def test_an_error_behind_a_200_was_not_seen(title: str) -> None:
    assert unread(f"<title>{title}</title><p>しばらくお待ちください。</p>").cause is Cause.SERVER


@pytest.mark.parametrize("title", ["図書館システムのメンテナンスのお知らせ", "エラー音が鳴る信号機", "503番地の公園"])
def test_a_notice_about_a_fault_is_a_page(title: str) -> None:
    assert texts(page(f"<title>{title}</title><p>来週行います。</p>")) == ["来週行います。"]


def test_a_struck_word_leaves_its_correction() -> None:
    assert texts(page("<p>手数料は<del>300円</del><ins>200円</ins>です</p>")) == ["手数料は200円です"]


def test_hidden_links_are_no_links_and_hidden_text_is_bounded() -> None:
    found = page(f"<p>あ</p><div hidden><a href=/x>秘密</a><script>コード</script>{'長い文。' * 3000}</div>")
    assert found.links == ()
    assert found.hidden_text.startswith("秘密 長い文。")
    assert "コード" not in found.hidden_text
    assert len(found.hidden_text) == 5000


# --- place ------------------------------------------------------------------------------------------------------------


def test_headings_are_the_path_above() -> None:
    found = page("<h1>市</h1><p>a</p><h2>税</h2><h3>納付</h3><p>b</p><h2>福祉</h2><p>c</p>")
    assert [block.headings for block in found.blocks] == [
        (),
        ("市",),
        ("市",),
        ("市", "税"),
        ("市", "税", "納付"),
        ("市",),
        ("市", "福祉"),
    ]


def test_a_side_menu_names_nothing_outside_it() -> None:
    found = page("<h1>市</h1><nav><h2>関連</h2><a href=/m>品</a></nav><section><h2>節</h2></section><p>文</p>")
    assert block(found, "文").headings == ("市",)
    assert block(found, "品").headings == ("関連",)


def test_an_image_names_what_follows_where_it_is_the_heading() -> None:
    found = page("<h2><img src=a.png alt='お知らせ'></h2><p>文</p>")
    assert block(found, "文").headings == ("お知らせ",)


def test_cells_know_their_row_and_column() -> None:
    found = page(
        "<table><thead><tr><th>窓口<th>手数料<th>支払い</thead>"
        "<tr><th rowspan=2>市民課<td>300円<td>カード可<tr><td>200円<td>現金のみ"
        "<tr><th>税務課<td colspan=2>無料</table>"
    )
    places = {found.slice(block): (block.kind, block.row, block.column) for block in found.blocks}
    assert places["カード可"] == (BlockKind.CELL, "市民課", "支払い")
    assert places["200円"] == (BlockKind.CELL, "市民課", "手数料")
    assert places["現金のみ"] == (BlockKind.CELL, "市民課", "支払い")
    assert places["無料"] == (BlockKind.CELL, "税務課", "手数料")
    assert places["市民課"] == (BlockKind.HEADER_CELL, "", "窓口")


def test_two_header_rows_and_two_header_cells_are_joined() -> None:
    found = page(
        "<table><tr><th rowspan=2>区分<th colspan=2>令和8年度<tr><th>件数<th>率"
        "<tr><td>転入<td>12<td>3%</table><table><tr><th>市民課<th>窓口<td>平日</table>"
    )
    assert (block(found, "3%").row, block(found, "3%").column) == ("転入", "令和8年度 率")
    assert block(found, "平日").row == "市民課 窓口"


def test_the_first_cell_names_the_row_where_no_header_does() -> None:
    found = page("<table><tr><td>電話<td>0000<tr><td>場所<td>一階</table>")
    assert (block(found, "一階").row, block(found, "一階").column) == ("場所", "")


def test_layout_tables_name_nothing() -> None:
    found = page("<table><tr><td>左<td><h1>題</h1><p>文</p><table><tr><th>料金<td>無料</table></table>")
    assert block(found, "文").row == ""
    assert block(found, "無料").row == "料金"


def test_definitions_know_their_terms() -> None:
    found = page("<dl><dt>支払い<dt>納付<dd>カード<dd><p>現金</p><dt>場所<dd>一階</dl>")
    rows = {found.slice(block): (block.kind, block.row) for block in found.blocks}
    assert rows["カード"] == (BlockKind.DEFINITION, "支払い 納付")
    assert rows["現金"] == (BlockKind.DEFINITION, "支払い 納付")
    assert rows["一階"] == (BlockKind.DEFINITION, "場所")
    assert rows["支払い"] == (BlockKind.TERM, "")


@pytest.mark.parametrize(
    ("html", "region"),
    [
        ("<nav><p>対象</p></nav>", Region.NAV),
        ("<header><p>対象</p></header>", Region.NAV),
        ("<div id=header><p>対象</p></div>", Region.NAV),
        ("<ul class='gnavi clearfix'><li>対象</ul>", Region.NAV),
        ("<div class=side-menu>対象</div>", Region.NAV),
        ("<div role=navigation>対象</div>", Region.NAV),
        ("<p class=pankuzu>対象</p>", Region.NAV),
        ("<footer>対象</footer>", Region.FOOTER),
        ("<div id=foot><p>対象</p></div>", Region.FOOTER),
        ("<div class='has-menu wrap'><p>対象</p></div>", Region.BODY),
        ("<main><header><p>対象</p></header></main>", Region.BODY),
        ("<div id=header><div id=main><p>対象</p></div></div>", Region.BODY),
        ("<div class=news-list><p>対象</p></div>", Region.BODY),
    ],
)
def test_menus_and_footers_are_told_from_content(html: str, region: Region) -> None:
    found = page(f"<body><p>ほかの文です。</p>{html}</body>")
    got = block(found, "対象").region
    assert (Region.BODY if got is Region.MAIN else got) is region


def test_breadcrumbs_and_bare_menus_before_the_heading_are_navigation() -> None:
    found = page(
        "<p><a href=/>ホーム</a> &gt; <a href=/k>くらし</a> &gt; ごみ</p><ul><li><a href=/d>電子申請</a></ul>"
        "<h1>ごみ</h1><p>電子申請で粗大ごみの収集を申し込めます。</p><ul><li><a href=/e>電子申請はこちら</a></ul>"
    )
    regions = {found.slice(block): block.region for block in found.blocks}
    assert regions["ホーム > くらし > ごみ"] is Region.NAV
    assert regions["電子申請"] is Region.NAV
    assert regions["電子申請はこちら"] in (Region.BODY, Region.MAIN)


def test_a_page_of_menus_only_is_content() -> None:
    found = page("<nav><ul><li><a href=/a>くらし</a><li><a href=/b>防災</a></ul></nav>")
    assert {block.region for block in found.blocks} == {Region.BODY}
    assert {link.region for link in found.links} == {Region.BODY}


# --- links ------------------------------------------------------------------------------------------------------------


def test_links_have_labels_and_places() -> None:
    found = page(
        "<h2>窓口</h2><p>申請は<a href='../form.html' title='別窓'>ここ から</a>。</p>"
        "<p><a href=https://lin.ee/x><img src=l.png alt='市公式LINE'></a></p><a href=/n aria-label='検索'></a>"
        "<a href=tel:0120>電話</a><a href=mailto:a@b.jp>メール</a><a href='#top'>上へ</a><a name=x>印</a>"
        "<a href=/card><div>題</div><p>説明</p></a>"
    )
    links = {link.label: link for link in found.links}
    assert list(links) == ["ここ から", "市公式LINE", "検索", "題 説明"]
    form = links["ここ から"]
    assert (form.href, form.title, form.headings) == ("https://www.city.example.lg.jp/form.html", "別窓", ("窓口",))
    assert found.slice(form) == "ここ から"
    line = links["市公式LINE"]
    assert found.slice(line) == "市公式LINE"
    assert block(found, "市公式LINE").kind is BlockKind.ALT
    assert links["検索"].start == links["検索"].end


@pytest.mark.parametrize(
    ("tag", "href"),
    [
        ("""<a href="javascript:location.href='/a/b.html'">行く</a>""", "https://www.city.example.lg.jp/a/b.html"),
        ("""<a href="#" onclick="window.open('https://x.example.jp/chat/')">行く</a>""", "https://x.example.jp/chat/"),
        ("""<area href="map.html" alt="行く">""", "https://www.city.example.lg.jp/a/map.html"),
    ],
)
def test_addresses_in_scripts_and_image_maps_are_links(tag: str, href: str) -> None:
    (link,) = page(f"<p>文</p>{tag}").links
    assert (link.href, link.label) == (href, "行く")


def test_the_base_element_counts() -> None:
    (link,) = page("<head><base href='https://b.example.jp/x/'></head><a href=y.html>行く</a>").links
    assert link.href == "https://b.example.jp/x/y.html"


# --- the page itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "day"),
    [
        ("<p>更新日：2026年11月2日</p>", "2026-11-02"),
        ("<p>最終更新日 令和8年11月2日</p><p>掲載日 2020年1月1日</p>", "2026-11-02"),
        ("<p>掲載日：2026年2月12日更新</p>", "2026-02-12"),
        ("<p>公開日：Ｒ８．２．１２</p>", "2026-02-12"),
        ("<p>２０２６年２月１２日（木）掲載</p>", "2026-02-12"),
        ("<dl><dt>更新日</dt><dd>令和8年2月12日</dd></dl>", "2026-02-12"),
        ("<table><tr><th>掲載日<td>2026/2/12</table>", "2026-02-12"),
        ("<p>開催日：2026年10月3日</p>", None),
        ("<p>2026年10月3日に講座を開きます。</p>", None),
        ("<p>更新日：2027年11月2日</p>", None),
        ("<p>次回の更新は2026年10月3日に行う会議で決めます。</p>", None),
        ("<meta property='article:modified_time' content='2026-03-04T10:00:00+09:00'><p>文</p>", "2026-03-04"),
        ("<p>文</p><time datetime='2026-10-03'>10月3日</time>", None),
        ("<p>文</p><time class=updated datetime='2026-10-03'>10月3日</time>", "2026-10-03"),
        ('<script type="application/ld+json">{"dateModified": "2026-05-06T00:00"}</script><p>文</p>', "2026-05-06"),
    ],
)
def test_the_date_is_what_the_page_says_of_itself(html: str, day: str | None) -> None:
    found = page(html).dated
    assert (found.isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title> ごみ \n｜市</title><h1>見出し</h1>", "ごみ ｜市"),
        ("<h1>見出し</h1><p>文</p>", "見出し"),
        ("<title></title><meta property='og:title' content='題'><p>文</p>", "題"),
    ],
)
def test_titles(html: str, title: str) -> None:
    assert page(html).title == title


def test_origin_and_language_are_kept() -> None:
    body = b"<html lang=EN><p>Garbage collection</p>"
    taken = snapshot(body).model_copy(update={"source": Source.PRESS})
    found = extract(taken, body)
    assert isinstance(found, Page)
    assert (found.language, found.source, found.sha256, found.url) == (
        "en",
        Source.PRESS,
        taken.sha256,
        taken.final_url,
    )


@pytest.mark.parametrize(
    ("body", "content_type", "cause"),
    [
        ("", "text/html", Cause.EMPTY),
        ("<html><body><style>p{}</style></body>", "text/html", Cause.EMPTY),
        ("<html><body><script>x</script></body>", "text/html", Cause.SCRIPT),
        ("<p hidden>秘密</p>", "text/html", Cause.EMPTY),
        (" \n ", "text/plain", Cause.EMPTY),
        (
            "<title>お探しのページが見つかりません｜市</title><h1>お探しのページが見つかりません</h1>",
            "text/html",
            Cause.NOT_FOUND,
        ),
        ("<title>市</title><h1>404 Not Found</h1><p>トップへ</p>", "text/html", Cause.NOT_FOUND),
        (
            "<title>市</title><h1>指定されたページは存在しません</h1>" + "<p>ご案内です。</p>" * 100,
            "text/html",
            Cause.NOT_FOUND,
        ),
        ("<?xml version='1.0'?><rss><channel><item></item></channel></rss>", "text/xml", Cause.MEDIA),
        ("<urlset><url><loc>/</loc></url></urlset>", "text/html", Cause.MEDIA),
        ("\x89PNG\r\n", "image/png", Cause.MEDIA),
        ("PK\x03\x04xx", "text/html", Cause.MEDIA),
        ("{}", "application/json", Cause.MEDIA),
        ("ただの文", "application/pdf", Cause.BROKEN),
    ],
)
def test_what_cannot_be_read_says_why(body: str, content_type: str, cause: Cause) -> None:
    raw = body.encode("latin-1") if body.startswith(("\x89", "PK")) else body.encode()
    found = unread(raw, content_type=content_type)
    assert found.cause is cause
    assert (found.url, found.sha256) == (snapshot(raw).final_url, snapshot(raw).sha256)


@pytest.mark.parametrize(
    "html",
    [
        "<title>ページが見つからないときは</title><p>検索をお試しください。</p>",
        "<title>よくある質問</title><h2>ページが見つかりません</h2>" + "<p>長い答えです。</p>" * 100,
        "<title>落とし物が見つかりません</title><p>警察へ</p>",
    ],
)
def test_pages_about_missing_things_are_pages(html: str) -> None:
    page(html)


def test_plain_text() -> None:
    found = page("市の計画\r\n\r\n  本文は  ここ\n".encode("cp932"), content_type="text/plain; charset=shift_jis")
    assert (found.media, texts(found), found.title) == (Media.TEXT, ["市の計画", "本文は ここ"], "市の計画")


@pytest.mark.parametrize("charset", ["utf-8", "cp932", "euc_jp", "utf-16"])
def test_pages_in_every_encoding(charset: str) -> None:
    assert texts(page("<title>題</title><p>市の申請を受け付けています。</p>".encode(charset))) == [
        "市の申請を受け付けています。"
    ]


# --- hostile pages ----------------------------------------------------------------------------------------------------


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 10_000 + "本文",
        "<span>" * 10_000 + "本文",
        "<table><tr><td>" * 3_000 + "本文",
        "<dl><dt>a<dd>" * 3_000 + "本文",
        "<h1><h2>" * 20_000 + "本文",
        "<p>本文</p>" + "<table>" + "<tr><td colspan=1000 rowspan=65534>あ" * 2_000,
        "本文" + "<br>" * 1_000_000,
        "<p>本文</p><div " + " ".join(f"a{at}=1" for at in range(100_000)) + ">",
        "<style>" + "a" * 190_000 + "</style>本文",
        "<style>" + "/*" * 95_000 + "</style>本文",
        "<style>" + "@media{" * 25_000 + "</style>本文",
        '本文<a href="javascript:' + "'/" * 100_000 + '">x</a>',
        "<p>本文" + "\x00" * 1_000_000,
        "本文を読みます。\ud800\udfff",
        "<a href='http://[::1'>本文</a><a href='http://x:99999/'>y</a>",
    ],
)
def test_hostile_pages_take_bounded_time(html: str) -> None:
    found = page(html.encode("utf-8", "surrogatepass"))
    assert "本文" in found.text


@pytest.mark.timeout(60)
def test_ten_megabytes_of_tags_lose_no_text() -> None:
    found = page("<p>あ</p>" * 500_000 + "<p>終わり</p>")
    assert found.text.count("あ") == 500_000
    assert found.text.endswith("終わり")
    assert len(found.blocks) < 130_000


# --- any page ---------------------------------------------------------------------------------------------------------

_TAGS = re.findall(
    r"\w+", "p div ul li table tr td th dl dt dd h1 h2 h3 a span b nav footer main section br img ruby rt details"
)
_words = st.text(alphabet="市役所申請 　\n\tabc１２①㈱。\u200b&<\x00", max_size=8)
_open = st.builds(
    lambda tag, extra: f"<{tag}{extra}>",
    st.sampled_from(_TAGS),
    st.sampled_from(
        ["", " hidden", " href=/x", " alt='図 表'", " rowspan=3", " colspan=2", " class=menu", " style='color:red'"]
    ),
)
_close = st.sampled_from(_TAGS).map(lambda tag: f"</{tag}>")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_words, _open, _close), max_size=40).map("".join))
def test_offsets_are_exact_on_any_page(html: str) -> None:
    body = html.encode()
    found = extract(snapshot(body), body)
    if isinstance(found, Page):
        check(found)
    else:
        assert found.cause in (Cause.EMPTY, Cause.MEDIA)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["text/html", "text/plain", "", "application/xhtml+xml"]))
def test_any_bytes_give_a_page_or_a_reason(body: bytes, content_type: str) -> None:
    found = extract(snapshot(body, content_type=content_type), body)
    if isinstance(found, Page):
        check(found)


def test_a_municipal_page() -> None:
    found = page(municipal_page(7))
    regions = [block.region for block in found.blocks]
    assert regions.count(Region.NAV) >= 300
    assert regions.count(Region.MAIN) >= 40
    assert found.dated is not None


def test_the_same_bytes_give_the_same_page() -> None:
    assert page(municipal_page(3)) == page(municipal_page(3))


def test_the_extractors_version_covers_all_that_a_page_passes_through() -> None:
    """Every module of ours that extraction imports, and every library."""
    root = Path(pipeline.__file__).parent
    waiting, seen, libraries = sorted((root / "extract").rglob("*.py")), set(), set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                path = root.parent.joinpath(*name.split("."))
                found = [one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()]
                waiting += found if name.startswith("pipeline.") else []
                if name.split(".")[0] not in sys.stdlib_module_names | {"pipeline", "pydantic", ""}:
                    libraries.add(name.split(".")[0])
    assert {file.relative_to(root).parts[0] for file in seen} <= set(CODE)
    assert libraries <= set(LIBRARIES)
    assert len(version()) == 64 and version() == version()


# --- development data -------------------------------------------------------------------------------------------------


def site_page(root: Path, path: str) -> Page:
    file = root / path.lstrip("/")
    file = file / "index.html" if file.is_dir() else file
    body = file.read_bytes()
    kind = "application/pdf" if file.suffix == ".pdf" else "text/html"
    return page(body, url=f"http://127.0.0.1:8801{path}", content_type=kind)


@pytest.mark.parametrize("slug", ["aomine", "hinokuni", "tanigawa"])
def test_every_labelled_quote_stands_in_one_block(shared: Path, slug: str) -> None:
    """What a person quoted from the page as they saw it is found in it; white space aside for PDFs."""
    folder = shared / "evidence" / "sites" / slug
    missing, checked = [], 0
    for line in (folder / "labels.jsonl").read_text().splitlines():
        for evidence in json.loads(line)["evidence"]:
            if not evidence["quote"]:
                continue
            checked += 1
            found = site_page(folder / "site", evidence["path"])
            if not _holds(found, evidence):
                missing.append(evidence)
    assert not missing
    assert checked >= 15


def _holds(found: Page, evidence: dict[str, str]) -> bool:
    if "href" in evidence:
        return any(link.href == evidence["href"] and found.slice(link) == evidence["quote"] for link in found.links)
    if found.media is Media.PDF:
        return any("".join(evidence["quote"].split()) in "".join(found.slice(block).split()) for block in found.blocks)
    return any(" ".join(evidence["quote"].split()) in found.slice(block) for block in found.blocks)


_MENU_WORDS = re.compile("電子申請|オンライン申請|チャットボット|DX|デジタル")


def test_real_pages(shared: Path) -> None:
    """No crash, no undecodable character, a title, and menu words stay out of the content."""
    folder = shared / "data" / "html"
    in_content = set()
    for line in (folder / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        body = (folder / entry["path"]).read_bytes()
        found = extract(_snapshot(entry, body), body)
        if entry["kind"] == "not_found":
            assert isinstance(found, Unread), entry["path"]
            assert found.cause is Cause.NOT_FOUND
            continue
        if isinstance(found, Unread):
            assert entry["kind"] == "pdf", entry["path"]
            continue
        check(found)
        assert "\ufffd" not in found.text, entry["path"]
        assert found.title or not entry["title"], entry["path"]
        if entry["level"] != "fictional" and any(_in_content(found, block) for block in found.blocks):
            in_content.add(entry["municipality"])
    assert in_content == {"岡山市"}


def _snapshot(entry: dict[str, str], body: bytes) -> Snapshot:
    return snapshot(body, url=entry["url"] or "https://www.example.lg.jp/", content_type="")


def _in_content(found: Page, block: Block) -> bool:
    return block.region in (Region.MAIN, Region.BODY) and bool(_MENU_WORDS.search(found.slice(block)))
