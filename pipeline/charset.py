"""Bytes of a Japanese page to text: by what the bytes say, since what pages declare is often wrong."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

# Labels a page may declare and the codec that browsers mean by them (WHATWG Encoding, as far as these sites use it).
# Multi-byte trick codecs such as utf-7 are left out on purpose.
_JAPANESE = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms932": "cp932",
    "windows-31j": "cp932", "cp932": "cp932", "ms_kanji": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp",
    "eucjp": "euc_jp", "euc_jp": "euc_jp",
}  # fmt: skip
_FOREIGN = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "iso-8859-1": "cp1252", "latin1": "cp1252", "windows-1252": "cp1252",
    "windows-1251": "cp1251", "windows-1258": "cp1258", "windows-874": "cp874", "tis-620": "cp874",
}  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]{2,20})""", re.I
)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{2,20})""", re.I)
_PRESCAN_BYTES = 4096
_SAMPLE_CHARS = 20_000
# Prose scores about 1.5; without a single error that leaves no doubt, and the other candidates need not be read.
_SURE = 1.2
_MOSTLY_UTF8 = 0.7
_ASCII_BYTES = bytes(range(128))
_ASCII = re.compile(r"[\x00-\x7f]+")
_KANA = re.compile("[\u3041-\u30ff]")
_CJK = re.compile("[\u4e00-\u9fff\u3000-\u3040\uff01-\uff5e\u2460-\u24ff]")
_HALF_KANA = re.compile("[\uff61-\uff9f]")
_WRONG = re.compile("[\ufffd\x80-\x9f\ue000-\uf8ff]")
# What browsers read where the JIS tables of the standard library say otherwise (WHATWG index jis0208).
_AS_BROWSERS = tuple(zip("\u301c\u2016\u2212\u00a2\u00a3\u00ac", "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2", strict=True))
_ROW_OF_ACCENTS = re.compile(rb"[\x80-\xff]{4}")
_ESCAPE = re.compile(rb"\x1b(\([BJI]|\$[@B]|\$\([DOPQ])")


@dataclass(frozen=True)
class Decoded:
    """text: never raises, undecodable bytes are U+FFFD; charset: codec that was used; reason: why that one."""

    text: str
    charset: str
    reason: str


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Text of a body. The declared charset (header, then the page's own) only breaks ties.

    Order: byte order mark, ISO-2022-JP escapes, strict UTF-8, then cp932, EUC-JP, damaged UTF-8 and what is declared,
    scored by how Japanese the result reads.
    """
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return Decoded(body[len(mark) :].decode(charset, "replace"), charset, "byte order mark")
    declared = _declared(body, content_type)
    if _ESCAPE.search(body):
        text = _iso_2022_jp(body)
        if _CJK.search(text) or _KANA.search(text):
            return Decoded(text, "iso-2022-jp", "escape sequences")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _best(body, declared)
    return _utf8_or_declared(body, text, declared)


def _declared(body: bytes, content_type: str) -> tuple[str, ...]:
    """Codecs named by the header and the page, known ones only, header first."""
    named = [match.group(1) for match in _HEADER.finditer(content_type)]
    named += [match.group(1).decode("ascii", "replace") for match in _DECLARED.finditer(body[:_PRESCAN_BYTES])]
    codec = {**_JAPANESE, **_FOREIGN}
    return tuple(dict.fromkeys(codec[name.lower()] for name in named if name.lower() in codec))


def _utf8_or_declared(body: bytes, text: str, declared: tuple[str, ...]) -> Decoded:
    """A word or two of EUC-JP can happen to be UTF-8; then it reads as Latin letters and the declaration decides."""
    if body.isascii():
        return Decoded(text, "utf-8", "ascii")
    if not (_KANA.search(text) or _CJK.search(text)):
        for charset in declared:
            other = _read(body, charset)
            if charset in _JAPANESE.values() and "\ufffd" not in other and _score(other) > 0:
                return Decoded(other, charset, "declared, and UTF-8 holds no Japanese")
    return Decoded(text, "utf-8", "valid UTF-8")


def _best(body: bytes, declared: tuple[str, ...]) -> Decoded:
    """The candidate that reads best. Declared ones come first, so that they win ties."""
    japanese = [charset for charset in (*declared, "cp932", "euc_jp", "utf-8") if charset not in _FOREIGN.values()]
    for charset in dict.fromkeys(japanese):
        text = _flawless(body, charset)
        if _score(text) >= _SURE:
            return Decoded(text, charset, _told(charset, declared))
    if _damaged_utf8(body):
        return Decoded(body.decode("utf-8", "replace"), "utf-8", "UTF-8 with damaged characters")
    texts = {charset: _read(body, charset) for charset in dict.fromkeys(japanese)}
    scores = {charset: _score(text) for charset, text in texts.items()}
    best = max(scores, key=lambda charset: scores[charset])
    for charset in (*(name for name in declared if name in _FOREIGN.values()), "cp1252"):
        if scores[best] <= 0 or (charset in declared and not _mostly_japanese(texts[best])):
            foreign = _read(body, charset)
            if _plausible(body, foreign, charset):
                return Decoded(foreign, charset, "declared" if charset in declared else "no Japanese reading")
    return Decoded(texts[best], best, _told(best, declared))


def _damaged_utf8(body: bytes) -> bool:
    """Whether most bytes outside ASCII form UTF-8 characters; of other encodings' bytes a fifth does at most."""
    high = len(body.translate(None, _ASCII_BYTES))
    valid = len(_ASCII.sub("", body.decode("utf-8", "ignore")).encode())
    return valid >= _MOSTLY_UTF8 * high


def _told(charset: str, declared: tuple[str, ...]) -> str:
    return "reads best" + (", as declared" if charset in declared else "")


def _flawless(body: bytes, charset: str) -> str:
    """The text where not one byte is wrong, else nothing; fails at the first error, which is what makes it cheap."""
    try:
        text = body.decode(charset)
    except UnicodeDecodeError:
        return ""
    return _as_browsers(text) if charset == "euc_jp" else text


def _plausible(body: bytes, text: str, charset: str) -> bool:
    """Hardly an error; and Western text has accents one by one, not in rows as misread Japanese has."""
    if charset == "cp1252" and _ROW_OF_ACCENTS.search(body):
        return False
    return text.count("\ufffd") * 50 <= len(text)


def _score(text: str) -> float:
    """How Japanese a reading is, per character outside ASCII: kana and kanji count, errors and half-width kana against.

    EUC-JP read as cp932 turns every hiragana into two half-width katakana; cp932 read as EUC-JP fails everywhere.
    """
    sample = _ASCII.sub("", text)[:_SAMPLE_CHARS]
    if not sample:
        return 0.0
    good = 2 * len(_KANA.findall(sample)) + len(_CJK.findall(sample))
    bad = 4 * len(_WRONG.findall(sample)) + 2 * len(_HALF_KANA.findall(sample))
    return (good - bad) / len(sample)


def _mostly_japanese(text: str) -> bool:
    """Japanese prose is at least a third kana; Chinese or Korean read as EUC-JP has hardly any."""
    sample = _ASCII.sub("", text)[:_SAMPLE_CHARS]
    return len(_KANA.findall(sample)) * 10 >= len(sample)


def _read(body: bytes, charset: str) -> str:
    if charset == "euc_jp":
        return _as_browsers(body.decode("euc_jp", _EUC_ERRORS))
    return body.decode(charset, "replace")


def _as_browsers(text: str) -> str:
    for char, other in _AS_BROWSERS:
        text = text.replace(char, other)
    return text


def _euc_extension(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: NEC and IBM characters (①, ㈱, 髙), missing in the EUC-JP table, read through cp932."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    if len(pair) == 2 and min(pair) >= 0xA1 and max(pair) <= 0xFE:
        char = _shift(pair).decode("cp932", "replace")
        return (char, error.start + 2) if len(char) == 1 else ("\ufffd", error.start + 2)
    return "\ufffd", error.start + 1


_EUC_ERRORS = "akashi-euc-extension"
codecs.register_error(_EUC_ERRORS, _euc_extension)


def _shift(pair: bytes) -> bytes:
    """The Shift_JIS bytes of one two-byte EUC-JP character (JIS X 0208 row and cell, shifted)."""
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + (0x40 if cell < 63 else 0x41)
    return bytes((lead, trail))


def _iso_2022_jp(body: bytes) -> str:
    """Segments between escapes, each read as EUC-JP, so that NEC characters survive here too."""
    pieces = _ESCAPE.split(body)
    text = [pieces[0].decode("ascii", "replace")]
    for escape, segment in zip(pieces[1::2], pieces[2::2], strict=True):
        text.append(_segment(escape, segment))
    return "".join(text)


def _segment(escape: bytes, segment: bytes) -> str:
    if escape in (b"(B", b"(J"):
        return segment.decode("ascii", "replace")
    # A line feed inside a two-byte segment ends it: mailers and old editors leave out the closing escape.
    head, feed, rest = segment.partition(b"\n")
    high = bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else byte for byte in head)
    if escape == b"(I":
        return high.decode("cp932", "replace") + (feed + rest).decode("ascii", "replace")
    if escape == b"$(D":
        high = b"".join(b"\x8f" + high[at : at + 2] for at in range(0, len(high), 2))
    return _read(high, "euc_jp") + (feed + rest).decode("ascii", "replace")
