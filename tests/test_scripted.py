"""Which pages only a script fills: empty frames for one, and no short page of another kind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.extract import extract
from pipeline.models import Cause, Page, Record, Snapshot, Unread

BUNDLE = '<script src="/assets/app.js"></script>'
ASKS = "<noscript>このサイトを表示するには JavaScript を有効にしてください。</noscript>"
WORDS = "本庁舎一階の総合案内で、お尋ねください。電話でもお受けします。"

FILLED = {
    "react": f'<div id="root"></div>{BUNDLE}',
    "next": f'<div id="__next"><p>Loading...</p></div>{BUNDLE}',
    "vue": f"<div id=app></div>{BUNDLE}",
    "angular": f"<app-root></app-root>{BUNDLE}",
    "inline": '<div id="root"></div><script>start()</script>',
    "module": '<div id="root"></div><script type="module" src="/a.js"></script>',
    "asks": f"{ASKS}<p>読み込み中です</p>{BUNDLE}",
    "asks in English": f"<noscript>You need to enable JavaScript to run this app.</noscript><p>...</p>{BUNDLE}",
    "nothing but a script": "<script>document.write(menu())</script>",
    "a frame and a header": f'<header>架空市</header><div id="app"></div>{BUNDLE}',
}
STANDING = {
    "a short page": f"<h1>総合案内</h1><p>{WORDS}</p>{BUNDLE}",
    "a short page that asks, with a menu": f"{ASKS}<p>{WORDS}</p>" + '<a href="/a">一</a>' * 3 + BUNDLE,
    "a long page that asks": f"{ASKS}<div id='root'></div><p>{WORDS * 9}</p>{BUNDLE}",
    "a filled frame": f'<div id="root"><p>{WORDS * 2}</p></div>{BUNDLE}',
    "no script": '<div id="root"></div><p>準備中です</p>',
    "structured data": '<div id="root"></div><p>準備中です</p><script type="application/ld+json">{"a": 1}</script>',
    "a noscript of another kind": f"<noscript><img src=/count.gif></noscript><p>{WORDS}</p>{BUNDLE}",
}
EMPTY = {
    "a splash of images": f'<img src="/top.jpg"><a href="/home.html"><img src="/enter.gif"></a>{BUNDLE}',
    "frames": f'<iframe src="/menu.html"></iframe>{BUNDLE}',
    "nothing at all": "<p> </p>",
}


def read(html: str, record: Record = Record.RESPONSE) -> Page | Unread:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    url = "https://www.city.example.lg.jp/"
    media = (("Content-Type", "text/html; charset=utf-8"),)
    snapshot = Snapshot(
        url=url,
        final_url=url,
        fetched_at=at,
        status=200,
        headers=media,
        sha256="ab" * 32,
        warc="a",
        offset=0,
        record=record,
    )
    return extract(snapshot, f"<!DOCTYPE html><title>架空市</title><body>{html}".encode())


@pytest.mark.parametrize("html", FILLED.values(), ids=FILLED)
def test_an_empty_frame_for_a_script_is_unread(html: str) -> None:
    found = read(html)
    assert isinstance(found, Unread)
    assert found.cause is Cause.SCRIPT


@pytest.mark.parametrize("html", STANDING.values(), ids=STANDING)
def test_a_page_that_says_something_is_a_page(html: str) -> None:
    assert isinstance(read(html), Page)


@pytest.mark.parametrize("html", EMPTY.values(), ids=EMPTY)
def test_a_page_without_words_that_no_script_would_fill_is_empty(html: str) -> None:
    found = read(html)
    assert isinstance(found, Unread)
    assert found.cause is Cause.EMPTY


def test_what_a_browser_made_of_a_page_may_be_short_but_not_empty() -> None:
    said = "本日の受付は終了しました。次の受付は来週月曜日の午前九時に始まりますので、それまでお待ちください。"
    short = f'{ASKS}<div id="root"><p>{said}</p></div>{BUNDLE}'
    assert isinstance(read(short), Unread)
    assert isinstance(read(short, Record.CONVERSION), Page)
    waiting = read(f'<div id="root">Loading...</div>{BUNDLE}', Record.CONVERSION)
    assert isinstance(waiting, Unread)
    assert waiting.cause is Cause.SCRIPT
