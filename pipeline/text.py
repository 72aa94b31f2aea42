"""Text as people write it, folded for comparison, with the way back to the source kept for every character.

Folding (per grapheme cluster): white space and format characters dropped, NFKC width and compatibility forms unified,
wave dashes and dashes unified. Never folded, because the meaning would change: superscripts, subscripts, fractions,
circled or parenthesised figures, Roman-numeral signs, signs that hide a digit (`㋉`, `㎡`), variant kanji (`髙`, `﨑`)
and the long vowel `ー`.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pipeline.models import Match

_DASHES = "‐‑‒–—―−⁃─﹘﹣－"
_WAVES = "〜～∼⁓"
_ONE_TO_ONE = (
    {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {ord(dash): "-" for dash in _DASHES}
    | {ord(wave): "~" for wave in _WAVES}
)
# Code points that belong to the character before them: combining marks, (half-width) voicing marks, conjoining jamo,
# variation selectors.
_EXTENDERS = "\u0300-\u036f\u1160-\u11ff\u20d0-\u20ff\u3099\u309a\uff9e\uff9f\ufe00-\ufe0f\U000e0100-\U000e01ef"
# One character in, one character out, found in long runs.
_SIMPLE = f"!-~ぁ-ゖァ-ヺー・々〆〇一-鿿、。「」『』【】！-～〜∼⁓{_DASHES}"
_PIECES = re.compile(f"([{_SIMPLE}]+(?![{_EXTENDERS}]))|(\\s+)|(?s:.)[{_EXTENDERS}]*")
_INVISIBLE = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SOFT_BREAKS = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"  # bidi controls change what a reader sees: never dropped
_UNFOLDED_FORMS = ("<circle>", "<super>", "<sub>", "<fraction>")


@dataclass(frozen=True, slots=True)
class Normalised:
    """Folded text and where each of its characters came from.

    Kept as pieces, in order: piece k begins at folded index `at[k]` and covers `source[begins[k]:ends[k]]`; in a piece
    with `whole[k]` 0 folded and source characters correspond one to one, else the piece is one indivisible cluster.
    gaps: folded indices before which white space was dropped; breaks: those where it held a line feed.
    """

    text: str
    at: array[int]
    begins: array[int]
    ends: array[int]
    whole: bytes
    gaps: frozenset[int]
    breaks: frozenset[int]

    def origin(self, index: int) -> tuple[int, int]:
        """Span [start, end) in the source of the folded character at `index`."""
        piece = bisect_right(self.at, index) - 1
        if self.whole[piece]:
            return self.begins[piece], self.ends[piece]
        start = self.begins[piece] + index - self.at[piece]
        return start, start + 1

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Span in the source of folded [start, end), or None where it is empty or cuts a cluster (`平` of `㍻`)."""
        if not 0 <= start < end <= len(self.text) or self._cuts(start) or self._cuts(end):
            return None
        return self.origin(start)[0], self.origin(end - 1)[1]

    def index(self, position: int) -> int:
        """Index of the first folded character that begins at or after a source position."""
        piece = bisect_right(self.begins, position) - 1
        if piece < 0:
            return 0
        until = self.at[piece + 1] if piece + 1 < len(self.at) else len(self.text)
        if self.whole[piece]:
            return self.at[piece] if position == self.begins[piece] else until
        return min(self.at[piece] + position - self.begins[piece], until)

    def _cuts(self, index: int) -> bool:
        piece = bisect_right(self.at, index) - 1
        return index < len(self.text) and bool(self.whole[piece]) and self.at[piece] != index


@lru_cache(maxsize=2048)
def normalise(text: str) -> Normalised:
    """The folded text with its offset map. About 1 ms for 10,000 characters; remembered."""
    parts: list[str] = []
    at, begins, ends, whole = array("I"), array("I"), array("I"), bytearray()
    gaps: set[int] = set()
    breaks: set[int] = set()
    length = 0
    for piece in _PIECES.finditer(text):
        start, end = piece.span()
        if piece.group(2):
            gaps.add(length)
            if "\n" in piece.group(2):
                breaks.add(length)
            continue
        single = piece.group(1) is not None
        folded = piece.group().translate(_ONE_TO_ONE) if single else _fold(piece.group())
        if not folded:
            continue
        parts.append(folded)
        if single and at and not whole[-1] and ends[-1] == start:
            ends[-1] = end
        else:
            at.append(length)
            begins.append(start)
            ends.append(end)
            whole.append(not single)
        length += len(folded)
    return Normalised("".join(parts), at, begins, ends, bytes(whole), frozenset(gaps), frozenset(breaks))


def fold(text: str) -> str:
    """The folded text alone."""
    return normalise(text).text


@lru_cache(maxsize=65536)
def _fold(cluster: str) -> str:
    cluster = _INVISIBLE.sub("", cluster)
    if not cluster or (unicodedata.category(cluster[0]) == "Cf" and cluster[0] not in _SOFT_BREAKS):
        return cluster[1:]
    if _keeps_its_form(cluster[0]):
        return cluster
    folded = unicodedata.normalize("NFKC", cluster)
    return cluster if " " in folded else folded.translate(_ONE_TO_ONE)


def _keeps_its_form(char: str) -> bool:
    """Whether compatibility folding of this character would change what is said."""
    if unicodedata.category(char) in ("No", "Nl") or unicodedata.decomposition(char).startswith(_UNFOLDED_FORMS):
        return True
    hides_digit = any("0" <= folded <= "9" for folded in unicodedata.normalize("NFKC", char))
    return hides_digit and unicodedata.category(char) != "Nd"


def match_tier(source: str, quote: str) -> Match:
    """How two texts that are equal when folded differ as written."""
    if source == quote:
        return Match.EXACT
    return Match.WIDTH_SPACE if _same_width(source) == _same_width(quote) else Match.COMPATIBLE


def _same_width(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(_narrowed(char) for char in text))


@lru_cache(maxsize=65536)
def _narrowed(char: str) -> str:
    if char.isspace() or not _fold(char):
        return ""
    halved = unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", char) if halved else char


# --- sentences --------------------------------------------------------------------------------------------------------

_BRACKETS = {"」": "「", "』": "『", "）": "（", ")": "(", "】": "【", "〕": "〔", "］": "［", "]": "["}
_MARKS = re.compile(r"[「」『』（）()【】〔〕［］\[\]]|[。！？]+|．(?!\d)|[!?]+(?=\s|$)|\n", re.MULTILINE)


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans [start, end) of the sentences, without surrounding white space.

    They end at 。！？ or a line feed, not inside brackets that close on the same line.
    """
    found = []
    start = 0
    for end in [*_sentence_ends(text), len(text)]:
        piece = text[start:end]
        if stripped := piece.strip():
            begin = start + piece.index(stripped[0])
            found.append((begin, begin + len(stripped)))
        start = end
    return found


def _sentence_ends(text: str) -> Iterator[int]:
    marks = [(mark.group(), mark.end()) for mark in _MARKS.finditer(text)]
    closed = _closed_pairs([mark for mark, _ in marks])
    depth = 0
    for number, (mark, end) in enumerate(marks):
        if number in closed:
            depth += closed[number]
        elif mark == "\n" or (depth == 0 and mark not in _BRACKETS and mark not in _BRACKETS.values()):
            yield end


def _closed_pairs(marks: list[str]) -> dict[int, int]:
    """Positions of brackets that have a partner on their line: +1 opens, -1 closes."""
    closed: dict[int, int] = {}
    stack: list[int] = []
    for number, mark in enumerate(marks):
        if mark == "\n":
            stack.clear()
        elif mark in _BRACKETS.values():
            stack.append(number)
        elif mark in _BRACKETS and any(marks[opened] == _BRACKETS[mark] for opened in stack):
            while marks[opened := stack.pop()] != _BRACKETS[mark]:
                pass
            closed[opened], closed[number] = 1, -1
    return closed


# --- what search looks in --------------------------------------------------------------------------------------------

_LOOSE_SPACE = re.compile(r"(?<![0-9a-z])\s+|\s+(?![0-9a-z])")


def searchable(text: str) -> str:
    """Lower-case NFKC text whose white space is kept only between Latin words and figures, where it parts them."""
    return _LOOSE_SPACE.sub("", unicodedata.normalize("NFKC", text).lower())


# --- what a terminal shows -------------------------------------------------------------------------------------------

_UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str, keep: str = "") -> str:
    """Text of others for a terminal: what could move its cursor or turn its writing stands as `?`, save `keep`."""
    return "".join("?" if unicodedata.category(one) in _UNSHOWN and one not in keep else one for one in text)
