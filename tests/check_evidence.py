"""Does every quote stand in what was archived? Checked without any code of Akashi: warcio, pypdf, standard library.

    classify queue export --city CITY --out queue.jsonl
    python tests/check_evidence.py WORKSPACE/archive queue.jsonl

For each quote of the exported surveys: the run's own WARC must hold a record of that address whose payload is the
cited page (a revisit is followed to the record it refers to, in whichever WARC of the folder), the body of that record
must have the cited sha256, and the quote must stand in it. Quotes are slices of a page's visible text, so "stands" is:
the body decoded, tags and entities undone by html.parser (of a PDF: its text by pypdf, widths and radicals folded), all
white space taken out of both. Prints what was not found, and how many were; ends with code 1 if one was not.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

PAGES = ("response", "revisit", "conversion")


@dataclass
class Held:
    """One record: its own sha256 (of a revisit none), or what it refers to."""

    kind: str
    file: str
    url: str
    asked: str
    date: str
    payload: str
    sha256: str = ""
    refers_to: tuple[str, str] = ("", "")
    media: str = ""


@dataclass
class Warcs:
    """Every record of every WARC in the folder, and bodies by the sha256 that was computed here."""

    records: list[Held] = field(default_factory=list)
    bodies: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def read(self, folder: Path) -> Warcs:
        for path in sorted(folder.rglob("*.warc*")):
            with path.open("rb") as file:
                for record in ArchiveIterator(file):
                    if record.rec_type in PAGES:
                        self._add(record, path.relative_to(folder).as_posix())
        return self

    def _add(self, record: Any, file: str) -> None:
        named = record.rec_headers.get_header
        held = Held(
            kind=record.rec_type,
            file=file,
            url=named("WARC-Target-URI"),
            asked=named("WARC-X-Asked-URI") or "",
            date=named("WARC-Date"),
            payload=(named("WARC-Payload-Digest") or "").removeprefix("sha256:"),
            refers_to=(named("WARC-Refers-To-Target-URI") or "", named("WARC-Refers-To-Date") or ""),
        )
        if record.rec_type != "revisit":
            body = record.content_stream().read()
            held.sha256 = hashlib.sha256(body).hexdigest()
            http = record.http_headers
            media = (http.get_header("Content-Type") if http else named("Content-Type")) or ""
            self.bodies.setdefault(held.sha256, (body, media))
        self.records.append(held)

    def found(self, run_id: str, url: str, sha256: str) -> tuple[str, str]:
        """(how, why not): where the record that this run has of the page leads."""
        mine = [one for one in self.records if f"/{run_id}" in f"/{one.file}" and sha256 in (one.sha256, one.payload)]
        mine = [one for one in mine if url in (one.url, one.asked)] or mine
        for one in mine:
            if one.kind != "revisit":
                return ("in the run's own WARC", "") if one.sha256 == sha256 else ("", "the record has another body")
            first = [o for o in self.records if (o.url, o.date) == one.refers_to and o.sha256 == sha256]
            if first:
                return "in an earlier WARC, by a revisit", ""
            return "", f"a revisit of {one.refers_to}, which no WARC of the folder holds"
        if sha256 in self.bodies:
            return "in an earlier WARC, cited by a decision of that time", ""
        return "", "no record with that sha256"


# --- what a body says -------------------------------------------------------------------------------------------------


class Words(HTMLParser):
    """All text but scripts and styles, ruby readings left out, and texts of attributes that a reader meets."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.attributes: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "rt", "rp"):
            self._skipped += 1
        told = [value for name, value in attrs if value and name in ("alt", "title", "aria-label", "value", "label")]
        self.attributes += told
        self.text += [value for name, value in attrs if value and name == "alt"]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "rt", "rp") and self._skipped:
            self._skipped -= 1

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.text.append(data)


def decoded(body: bytes, media: str) -> Iterator[str]:
    """The body under each charset that it may be in, the declared ones first."""
    declared = re.findall(r"charset=[\"']?([\w-]+)", media + " " + body[:2048].decode("latin-1"), re.I)
    for name in (*declared, "utf-8-sig", "cp932", "euc_jp", "iso2022_jp"):
        try:
            yield body.decode(codecs.lookup("cp932" if "jis" in name.lower() and "2022" not in name else name).name)
        except (LookupError, UnicodeDecodeError):
            continue
    yield body.decode("utf-8", "replace")


def says(body: bytes, media: str) -> Iterator[str]:
    if b"%PDF-" in body[:1024]:
        import pypdf

        text = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(body)).pages)
        yield text
        yield unicodedata.normalize("NFKC", text.translate(RADICALS))
        return
    for text in decoded(body, media):
        words = Words()
        words.feed(text)
        words.close()
        yield "".join(words.text)
        yield from words.attributes


# PDFs often hold the radical that looks like a character; NFKC knows those of one block only.
RADICALS = str.maketrans("⺠⻁⻄⻆⻑⻘⻝⻢⻣⻤⻨⻩⻫⻭⻯⻲", "民虎西角長青食馬骨鬼麦黄斉歯竜亀")


def bare(text: str) -> str:
    return "".join(text.split()).replace("\u200b", "").replace("\ufeff", "")


# --- the quotes of a queue file ---------------------------------------------------------------------------------------


def quotes(lines: Iterator[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(run, criterion, quote) of every judgement and of every decision in the file."""
    for line in lines:
        item = json.loads(line).get("item")
        if item is None:
            continue
        judgement = item["judgement"]
        cited = [judgement, *item["decisions"]]
        for quote in (quote for one in cited for quote in one["quotes"]):
            yield item["run_id"], judgement["criterion"], quote


def check(folder: Path, queue: Path) -> tuple[Counter[str], list[str]]:
    """How many quotes were located in which way, and a line for each that was not."""
    warcs, counts, lost = Warcs().read(folder), Counter[str](), []
    with queue.open(encoding="utf-8") as lines:
        for run_id, criterion, quote in quotes(lines):
            how, why = warcs.found(run_id, quote["url"], quote["page_sha256"])
            if how:
                body, media = warcs.bodies[quote["page_sha256"]]
                wanted = {bare(quote["text"]), bare(unicodedata.normalize("NFKC", quote["text"]))}
                if not any(one in bare(text) for text in says(body, media) for one in wanted):
                    how, why = "", "the body does not say so"
            counts[how or "not located"] += 1
            if why:
                lost.append(f"{run_id} {criterion} {quote['url']} 「{quote['text']}」: {why}")
    return counts, lost


def main() -> int:
    folder, queue = map(Path, sys.argv[1:3])
    counts, lost = check(folder, queue)
    total = counts.total()
    print(f"{total - counts['not located']} of {total} quotes located")
    for how, count in counts.most_common():
        print(f"  {count}  {how}")
    print("\n".join(lost), end="\n" if lost else "")
    return 1 if lost or not total else 0


if __name__ == "__main__":
    sys.exit(main())
