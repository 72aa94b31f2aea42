"""PDFs: text with its sheet, sentences whole, and a reason where there is nothing to read."""

from __future__ import annotations

import io
import time
from datetime import date

import pypdf
import pytest

from pipeline.extract import extract
from pipeline.extract.paragraphs import Line, paragraphs
from pipeline.models import BlockKind, Cause, Media, Page, Region, Unread
from tests.make_pages import bomb_pdf, image_pdf, pdf, snapshot

WRAPPED = [
    "令和8年3月 ある市",
    "市では、令和8年4月から、窓口での手続きを画面だけで済ませられるようにし、待ち時",
    "間を半分に減らしました。",
    "これからも見直しを続けます。",
]


def read(body: bytes, content_type: str = "application/pdf") -> Page | Unread:
    return extract(snapshot(body, content_type=content_type), body)


def texts(found: Page | Unread) -> list[str]:
    assert isinstance(found, Page), found
    assert "\n".join(found.slice(block) for block in found.blocks) == found.text
    return [found.slice(block) for block in found.blocks]


def test_a_sentence_broken_over_lines_is_one_block() -> None:
    found = read(pdf([WRAPPED], title="計画の概要"))
    assert texts(found) == [WRAPPED[0], WRAPPED[1] + WRAPPED[2], WRAPPED[3]]
    assert isinstance(found, Page)
    assert (found.media, found.title, found.dated) == (Media.PDF, "計画の概要", date(2026, 3, 1))
    assert {block.sheet for block in found.blocks} == {1}


def test_what_it_is_comes_from_its_bytes() -> None:
    assert len(texts(read(pdf([WRAPPED]), "text/html"))) == 3


def test_sentences_go_on_over_sheets_and_running_heads_stand_apart() -> None:
    head = "ある市 行政改革課"
    first = [
        head,
        "- 1 -",
        *["短い行です。"] * 3,
        "この取組は、職員が自分の席を決めずに働くもので、令和7年10月から二つの課が始め、広",
    ]
    second = [head, "- 2 -", "げる考えです。", "ほかの文です。"]
    found = read(pdf([first, second]))
    assert "この取組は、職員が自分の席を決めずに働くもので、令和7年10月から二つの課が始め、広げる考えです。" in texts(
        found
    )
    assert isinstance(found, Page)
    assert [found.slice(block) for block in found.blocks if block.region is Region.NAV] == [
        head,
        "- 1 -",
        head,
        "- 2 -",
    ]


def test_vertical_writing_is_read_from_right_to_left() -> None:
    assert texts(read(pdf([["市では窓口の手続きを", "見直しました。次に"]], vertical=True)))[0] == (
        "市では窓口の手続きを見直しました。"
    )


def test_pictures_of_text_need_ocr() -> None:
    found = read(image_pdf())
    assert isinstance(found, Unread)
    assert found.cause is Cause.NEEDS_OCR


def test_a_long_document_says_what_was_left_unread() -> None:
    found = read(pdf([["本文のある一枚です。"]] * 203))
    assert isinstance(found, Page)
    assert found.cut == "sheets 201 to 203 of 203 were not read"
    assert max(block.sheet or 0 for block in found.blocks) == 200


def encrypted(password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf([WRAPPED])))
    writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(pdf([WRAPPED])[:400], id="cut"),
        pytest.param(b"%PDF-1.7\n" + bytes(range(256)) * 40, id="garbage"),
        pytest.param(b"%PDF-", id="empty"),
        pytest.param(encrypted("secret"), id="password"),
    ],
)
def test_what_cannot_be_parsed_is_broken(body: bytes) -> None:
    found = read(body)
    assert isinstance(found, Unread)
    assert found.cause is Cause.BROKEN


def test_a_document_closed_to_editing_only_is_read() -> None:
    assert len(texts(read(encrypted("")))) == 3


@pytest.mark.timeout(100)
def test_a_bomb_ends_its_own_process_only() -> None:
    started = time.monotonic()
    found = read(bomb_pdf())
    assert isinstance(found, Unread)
    assert found.cause is Cause.BROKEN
    assert time.monotonic() - started < 70


def line(text: str, left: float, top: float, *, size: float = 10, sheet: int = 1) -> Line:
    return Line(text, sheet, left, left + size * len(text), top - size, top, size)


def test_cells_of_a_table_stay_whole_and_headings_name_what_follows() -> None:
    found = paragraphs(
        [
            [
                line("第1章 はじめに", 50, 800, size=14),
                line("市は計画を作り、毎年見直すこととしています。次の表のとおりです", 50, 770),
                line("1 予約の仕組み 甲 体育館と図書館の予約を画面から受け付けるこ", 50, 750),
                line("とにした。", 300, 735),
                line("2 支払い 乙 始めていない。", 50, 715),
                line("・短い項目", 50, 695),
                line("・次の項目", 50, 680),
            ]
        ]
    )
    assert [paragraph.text for paragraph in found] == [
        "第1章 はじめに",
        "市は計画を作り、毎年見直すこととしています。次の表のとおりです",
        "1 予約の仕組み 甲 体育館と図書館の予約を画面から受け付けることにした。",
        "2 支払い 乙 始めていない。",
        "・短い項目",
        "・次の項目",
    ]
    assert found[0].kind is BlockKind.HEADING


def test_latin_words_keep_their_space_between_lines() -> None:
    found = paragraphs([[line("The city offers online booking of", 50, 800), line("halls.", 50, 785)]])
    assert [paragraph.text for paragraph in found] == ["The city offers online booking of halls."]
