"""Every page decodes to what its author wrote, whatever it declares."""

from __future__ import annotations

import codecs
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.charset import decode

STRAY = "①㈱髙Ⅱ㎡"
LONG = (
    "市では、住民票の写しなどの証明書を、コンビニエンスストアのマルチコピー機で受け取れます。"
    "手数料は1通200円です。ご利用には利用者証明用の暗証番号が必要です。くわしくは市民課までお問い合わせください。"
)
TEXTS = {
    "long": LONG * 20,
    "paragraph": LONG,
    "sentence": "申請の受付は、窓口で行っています。",
    "katakana": "オンラインサービス・メールマガジン・コンビニ",
    "kanji": "東京都千代田区役所総務部情報政策課",
    "word": "お知らせ",
    "half-width kana": "口座名義は「ｶﾜｸﾞﾁ ｼﾔｸｼﾖ」です。" + LONG,
    "few": "<a href='/index.html'>Home</a>" * 200 + "本日の休館のお知らせ",
}
CODECS = {"utf-8": "utf-8", "shift_jis": "cp932", "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp"}
DECLARED = ("utf-8", "Shift_JIS", "EUC-JP", "iso-8859-1", "x-unknown", "utf-7")


def euc(text: str) -> bytes:
    """EUC-JP with the NEC and IBM characters that editors on Windows write: JIS row and cell of the cp932 bytes."""
    out = b""
    for char in text:
        raw = char.encode("cp932")
        if len(raw) == 2:
            out += bytes(byte | 0x80 for byte in _jis(raw))
        else:
            out += raw if raw < b"\x80" else b"\x8e" + raw
    return out


def _jis(raw: bytes) -> bytes:
    lead = (raw[0] - (0x81 if raw[0] < 0xA0 else 0xC1)) * 2 + 0x21
    if raw[1] >= 0x9F:
        return bytes((lead + 1, raw[1] - 0x7E))
    return bytes((lead, raw[1] - (0x1F if raw[1] < 0x7F else 0x20)))


def iso_2022_jp(text: str) -> bytes:
    """ISO-2022-JP with the same characters; half-width kana have no place in it and are left out."""
    out, wide = b"", False
    for char in text:
        raw = char.encode("cp932")
        if len(raw) == 1 and raw >= b"\x80":
            continue
        if (len(raw) == 2) != wide:
            out += b"\x1b(B" if wide else b"\x1b$B"
            wide = not wide
        out += _jis(raw) if wide else raw
    return out + (b"\x1b(B" if wide else b"")


ENCODE = {
    "utf-8": lambda text: text.encode(),
    "utf-8-sig": lambda text: text.encode("utf-8-sig"),
    "shift_jis": lambda text: text.encode("cp932"),
    "euc-jp": euc,
    "iso-2022-jp": iso_2022_jp,
    "utf-16-le": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
}


def page(text: str, declared: str | None) -> str:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    return f"<html><head>{meta}<title>{text[:20]}</title></head><body><p>{text}</p></body></html>"


CASES = [
    (charset, declared, name, stray)
    for charset, declared, name, stray in itertools.product(ENCODE, (None, *DECLARED), TEXTS, (False, True))
    if not (charset == "iso-2022-jp" and name == "half-width kana")
]


@pytest.mark.parametrize("charset", ENCODE)
def test_pages_decode_whatever_they_declare(charset: str) -> None:
    """Honest, lying and missing declarations, with and without ①㈱髙Ⅱ㎡, long and short."""
    wrong = []
    for name, declared, stray in [case[2:0:-1] + case[3:] for case in CASES if case[0] == charset]:
        html = page(TEXTS[name] + (STRAY if stray else ""), declared)
        decoded = decode(ENCODE[charset](html))
        if decoded.text != html:
            wrong.append((name, declared, stray, decoded.charset, decoded.reason))
    assert not wrong


@pytest.mark.parametrize("charset", ["shift_jis", "euc-jp"])
@pytest.mark.parametrize("seed", range(5))
def test_pages_of_random_prose_decode(charset: str, seed: int) -> None:
    """Random lengths of prose, with a header that says nothing, the truth or a lie."""
    pick = random.Random(seed)
    for _ in range(60):
        words = [pick.choice(list(TEXTS.values())[:5])[: pick.randint(6, 60)] for _ in range(pick.randint(1, 30))]
        html = page("".join(words) + pick.choice(["", *STRAY]), pick.choice([None, *DECLARED]))
        header = pick.choice(["", "text/html", "text/html; charset=utf-8", f"text/html; charset={charset}"])
        assert decode(ENCODE[charset](html), header).text == html


def test_one_broken_character_does_not_lose_the_page() -> None:
    """A page cut in the middle of a character, or with a stray byte, keeps the rest."""
    for charset in ("utf-8", "shift_jis", "euc-jp"):
        body = ENCODE[charset](page(LONG, None))
        cut = body[: body.index(b"</p>") - 1] + b"</p>"
        text = decode(cut).text
        assert LONG[:-2] in text, (charset, text)
        assert text.count("\ufffd") <= 2


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("欢迎来到我们的城市。垃圾分类请按照规定进行，谢谢合作。", "gb2312"),
        ("시청에 오신 것을 환영합니다. 쓰레기 분리 배출 안내입니다.", "euc-kr"),
        ("Prefeitura — informações para moradores, orientação e saúde", "iso-8859-1"),
        ("Thông báo cho người dân", "utf-8"),
    ],
)
def test_pages_in_other_languages_keep_their_declared_charset(text: str, declared: str) -> None:
    codec = {"gb2312": "gb18030", "euc-kr": "cp949", "iso-8859-1": "cp1252"}.get(declared, declared)
    assert decode(page(text * 3, declared).encode(codec)).text == page(text * 3, declared)


@pytest.mark.parametrize("declared", [None, *DECLARED])
def test_damaged_utf8_is_still_utf8(declared: str | None) -> None:
    """CESU surrogates, cut characters and stray bytes, as old databases and truncated titles leave them."""
    for damage in (b"\xed\xa0\x80\xed\xbf\xbf", b"\xe3\x81", b"\x83\x94", b"\xff"):
        body = page("申請の受付を行っています。", declared).encode() + damage
        decoded = decode(body)
        assert (decoded.charset, decoded.text.rstrip("\ufffd")) == (
            "utf-8",
            page("申請の受付を行っています。", declared),
        )


def test_what_was_used_is_told() -> None:
    assert decode(b"plain").charset == "utf-8"
    assert decode(page(LONG, "EUC-JP").encode("euc_jp")).charset == "euc_jp"
    lying = decode(page(LONG, "UTF-8").encode("cp932"), "text/html; charset=utf-8")
    assert (lying.charset, lying.reason) == ("cp932", "reads best")
    assert decode(page(LONG, "Shift_JIS").encode("cp932")).reason == "reads best, as declared"


@pytest.mark.parametrize("word", ["お知らせ", "大野市", "議会だより", "令和"])
@pytest.mark.parametrize("charset", ["shift_jis", "euc-jp"])
def test_a_few_honest_characters_are_read_as_declared(charset: str, word: str) -> None:
    html = f"<title>{word}</title>"
    assert decode(ENCODE[charset](html), f"text/html; charset={charset}").text == html


@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_bytes_give_text(body: bytes, content_type: str) -> None:
    decoded = decode(body, content_type)
    decoded.text.encode("utf-8")  # no lone surrogates


@given(st.binary(max_size=200))
def test_any_bytes_after_an_escape_give_text(body: bytes) -> None:
    decode(b"\x1b$B" + body + b"\x1b(I" + body + b"\x1b$(D" + body).text.encode("utf-8")
