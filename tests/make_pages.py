"""Pages and documents for tests and benchmarks, made up from a seed."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from pipeline.models import Snapshot

_SUBJECTS = ("市", "役場", "図書館", "市民課", "町", "防災課", "水道局", "教育委員会", "保健センター", "議会事務局")
_VERBS = (
    "を案内しています",
    "の受付を始めました",
    "を見直しました",
    "についてお知らせします",
    "の手続きができます",
    "を開いています",
)
_THINGS = (
    "証明書",
    "施設の予約",
    "ごみの収集",
    "予防接種",
    "公民館の講座",
    "保育所の申込み",
    "納税",
    "水道の使用",
    "防災訓練",
)


def snapshot(
    body: bytes, *, url: str = "https://www.city.example.lg.jp/a/b.html", content_type: str = "text/html"
) -> Snapshot:
    """The snapshot of a body fetched on 20 November 2026."""
    return Snapshot(
        url=url,
        final_url=url,
        fetched_at=datetime(2026, 11, 20, tzinfo=UTC),
        status=200,
        headers=(("Content-Type", content_type),),
        sha256=sha256(body).hexdigest(),
        warc="x.warc.gz",
        offset=0,
    )


def municipal_page(seed: int, *, menu_links: int = 300, paragraphs: int = 40) -> str:
    """A page such as municipal CMSs make: long menus, breadcrumb, headings, prose, lists, a table and a footer."""
    pick = random.Random(seed)
    menu = _menu(menu_links)
    body = "".join(_section(pick, at) for at in range(paragraphs // 5))
    rows = "".join(
        f"<tr><th>{pick.choice(_THINGS)}</th><td>{sentence(pick)}</td><td>{pick.randint(1, 999)}円</td></tr>\n"
        for _ in range(12)
    )
    return f"""<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{pick.choice(_THINGS)}について</title>
<link rel="stylesheet" href="/style.css"><script>var menu = [{",".join(map(str, range(200)))}];</script></head><body>
<header id="header"><p><a href="/"><img src="/logo.png" alt="ある市"></a></p></header>
<nav id="gnav"><ul>{menu}</ul></nav>
<div class="pankuzu"><a href="/">ホーム</a> &gt; <a href="/k/">くらし</a> &gt; 今のページ</div>
<div id="main"><h1>{pick.choice(_THINGS)}について</h1>
<p class="update">更新日：令和8年{pick.randint(1, 11)}月{pick.randint(1, 20)}日</p>
{body}<table><tr><th>区分</th><th>内容</th><th>料金</th></tr>{rows}</table>
<dl><dt>お問い合わせ</dt><dd>{pick.choice(_SUBJECTS)}<br>電話 0000-00-0000</dd></dl></div>
<div id="footer"><ul><li><a href="/privacy.html">個人情報</a></li></ul><address>ある市役所</address></div>
</body></html>"""


def _menu(links: int) -> str:
    """The same on every page, as a site's menu is."""
    pick = random.Random(0)
    return "".join(
        f'<li class="m{at % 7}"><a href="/s/{at // 20}/{pick.randint(1, 9999)}.html">{pick.choice(_THINGS)}</a></li>\n'
        for at in range(links)
    )


def _section(pick: random.Random, number: int) -> str:
    prose = "".join(f"<p>{''.join(sentence(pick) for _ in range(pick.randint(1, 5)))}</p>\n" for _ in range(5))
    link = f'<a href="/f/{number}.pdf">{sentence(pick)}</a>'
    return f"<h2>{number} {pick.choice(_THINGS)}</h2>{prose}<ul><li>{link}</li></ul>"


def sentence(pick: random.Random) -> str:
    return f"{pick.choice(_SUBJECTS)}では、{pick.choice(_THINGS)}と{pick.choice(_THINGS)}{pick.choice(_VERBS)}。"


def pdf(sheets: Sequence[Sequence[str]], *, vertical: bool = False, size: float = 12, title: str = "") -> bytes:
    """A PDF of the given lines, 48 points from the left edge, in a Japanese font that is named and not embedded."""
    streams = []
    for lines in sheets:
        shown = "\n".join(
            f"1 0 0 1 {_at(number, vertical, size)} Tm <{line.encode('utf-16-be').hex()}> Tj"
            for number, line in enumerate(lines)
        )
        streams.append(f"BT /F1 {size} Tf\n{shown}\nET".encode())
    return _assemble([(stream, b"") for stream in streams], vertical=vertical, title=title)


def _at(number: int, vertical: bool, size: float) -> str:
    return f"{540 - number * size * 2} 780" if vertical else f"48 {780 - number * size * 1.7}"


def image_pdf() -> bytes:
    """A PDF with a picture and no text, such as a scanner makes."""
    image = zlib.compress(bytes(range(256)) * 16)
    head = b"<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /BitsPerComponent 8"
    head += b" /ColorSpace /DeviceGray /Filter /FlateDecode"
    xobject = head + b" /Length %d >>\nstream\n%s\nendstream" % (len(image), image)
    return _assemble([(b"q 500 0 0 700 48 40 cm /Im1 Do Q", b"")], extra=xobject)


def bomb_pdf() -> bytes:
    """A small PDF whose one sheet unpacks to 600 MB of drawing."""
    packer = zlib.compressobj(9)
    chunk = b"0 0 m 9 9 l S BT /F1 9 Tf <3042> Tj ET\n" * 30_000
    packed = b"".join(packer.compress(chunk) for _ in range(520)) + packer.flush()
    return _assemble([(packed, b"/Filter /FlateDecode ")])


def _assemble(
    streams: Sequence[tuple[bytes, bytes]], *, vertical: bool = False, title: str = "", extra: bytes = b""
) -> bytes:
    """Objects: 1 catalog, 2 pages, 3-5 font, 6 title, 7 image, then a page and its content for each stream."""
    kids = b" ".join(b"%d 0 R" % (8 + 2 * at) for at in range(len(streams)))
    direction = b"V" if vertical else b"H"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(streams)),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiMin-W3 /Encoding /UniJIS-UCS2-%s /DescendantFonts [4 0 R] >>"
        % direction,
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiMin-W3 /FontDescriptor 5 0 R /DW 1000 "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> >>",
        b"<< /Type /FontDescriptor /FontName /HeiseiMin-W3 /Flags 4 /Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 "
        b"/ItalicAngle 0 /FontBBox [-123 -257 1001 910] >>",
        b"<< /Title <feff%s> >>" % title.encode("utf-16-be").hex().encode(),
        extra or b"null",
    ]
    for at, (stream, options) in enumerate(streams):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> /XObject << /Im1 7 0 R >> >> >>" % (9 + 2 * at)
        )
        objects.append(b"<< %s/Length %d >>\nstream\n%s\nendstream" % (options, len(stream), stream))
    out = io.BytesIO()
    out.write(b"%PDF-1.5\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()
