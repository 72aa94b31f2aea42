"""Small PDF files with a Japanese text layer."""

from __future__ import annotations

from collections.abc import Sequence

LINES_A_PAGE = 28
FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5 /Encoding /UniJIS-UCS2-H /DescendantFonts [ <<"
    b" /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 /DW 1000"
    b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >>"
    b" /FontDescriptor << /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /FontBBox [ -92 -250 1010 922 ]"
    b" /ItalicAngle 0 /Ascent 752 /Descent -221 /CapHeight 737 /StemV 114 >> >> ] >>"
)
LINE_CHARS = 44


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """A file of as many pages as the lines need; long lines wrap."""
    wrapped = [title, ""] + [row for line in lines for row in _rows(line)]
    sheets = [wrapped[at : at + LINES_A_PAGE] for at in range(0, len(wrapped), LINES_A_PAGE)]
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(len(sheets)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [ " + kids + b" ] /Count %d >>" % len(sheets),
        FONT,
    ]
    for number, sheet in enumerate(sheets):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 595 842 ] /Resources << /Font << /F1 3 0 R >> >>"
            b" /Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(_stream(sheet))
    return _file(objects)


def _rows(line: str) -> list[str]:
    return [line[at : at + LINE_CHARS] for at in range(0, len(line), LINE_CHARS)] or [""]


def _stream(rows: Sequence[str]) -> bytes:
    drawn = "\n".join(f"<{row.encode('utf-16-be', 'replace').hex()}> Tj T*" for row in rows)
    content = f"BT /F1 11 Tf 50 790 Td 26 TL\n{drawn}\nET".encode()
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _file(objects: Sequence[bytes]) -> bytes:
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(body) + end % (len(objects) + 1, table, len(objects) + 1, len(body))
