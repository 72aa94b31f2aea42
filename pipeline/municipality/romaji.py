"""Names in Latin letters: one folded key in which Hepburn, Kunrei, macrons and dropped long vowels meet."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pipeline.models import Municipality
from pipeline.urls import host_port

_ROWS = {
    "": "あいうえお", "k": "かきくけこ", "g": "がぎぐげご", "s": "さしすせそ", "z": "ざじずぜぞ", "t": "たちつてと",
    "d": "だぢづでど", "n": "なにぬねの", "h": "はひふへほ", "b": "ばびぶべぼ", "p": "ぱぴぷぺぽ", "m": "まみむめも",
    "r": "らりるれろ", "w": "わゐ_ゑを",
}  # fmt: skip
_SYLLABLES = {kana: row + vowel for row, line in _ROWS.items() for kana, vowel in zip(line, "aiueo", strict=True)}
_SYLLABLES |= {"や": "ya", "ゆ": "yu", "よ": "yo", "ん": "n", "ゔ": "vu"}
# Hepburn (旧ヘボン式 without its macrons) where it is not the row's letter and the vowel.
_SYLLABLES |= {"し": "shi", "じ": "ji", "ち": "chi", "ぢ": "ji", "つ": "tsu", "づ": "zu", "ふ": "fu"}
_GLIDES = {"ゃ": "a", "ゅ": "u", "ょ": "o"}
_VOWELS = "aiueo"
_SEPARATOR = re.compile(r"[\s,.'’‘ʼ`\u2010-\u2015\u2212·・_/-]+")
# NFKD writes ō as o and a mark of its own; macron and circumflex say that the vowel is long, other marks say nothing.
_LONG_MARK = re.compile("([aiueo])[\u0302\u0304]")
_MARK = re.compile("[\u0300-\u036f]")
# In this order. Left: Hepburn, and what keyboards take for it; right: Nihon-shiki, with づ as ず and ぢ as じ.
_RESPELLED = (
    ("cch", "tch"), ("shi", "si"), ("sh", "sy"), ("chi", "ti"), ("ch", "ty"), ("cy", "ty"), ("tsu", "tu"),
    ("dz", "z"), ("ji", "zi"), ("jy", "zy"), ("j", "zy"), ("di", "zi"), ("du", "zu"), ("dy", "zy"), ("f", "h"),
    ("mb", "nb"), ("mm", "nm"), ("mp", "np"), ("nn", "n"),
)  # fmt: skip
_PASSPORT_LONG = re.compile(r"oh(?![aiueoy])")
_LONG = re.compile(r"o[ou]+|u{2,}|a{2,}|i{2,}|e{2,}")
# What stands for 市 and so on, in Japanese and in English; the wards of Tokyo call themselves cities.
_KINDS = {
    "市": ("shi", "city"),
    "区": ("ku", "city", "ward"),
    "町": ("machi", "chou", "town"),
    "村": ("mura", "son", "village"),
    "県": ("ken",),
    "府": ("fu", "ken"),
    "都": ("to", "ken"),
}
_ENGLISH = {
    "市": "City",
    "区": "City",
    "町": "Town",
    "村": "Village",
    "県": "Prefecture",
    "府": "Prefecture",
    "都": "Metropolis",
}
_ENDINGS = {
    "市": ("し",), "区": ("く",), "町": ("まち", "ちょう"), "村": ("むら", "そん"),
    "県": ("けん",), "府": ("ふ",), "都": ("と",),
}  # fmt: skip
_WORDS = {"prefecture": "ken", "pref": "ken", "japan": ""}
_SPLIT = " "
_COUNTIES = {"gun", "district", "county"}
_HOST = re.compile(r"^(?:www\d?\.)?(?:city|town|vill|village)\.([a-z0-9-]+)\.")


def hepburn(kana: str) -> str:
    """Hiragana in Hepburn letters, long vowels written out (おおさか: oosaka); other characters are left out."""
    found: list[str] = []
    for character in kana:
        if character in _GLIDES and found and found[-1].endswith("i"):
            stem = found[-1][:-1]
            found[-1] = stem + ("" if stem in ("sh", "ch", "j") else "y") + _GLIDES[character]
        else:
            found.append("っ" if character == "っ" else _SYLLABLES.get(character, ""))
    doubled = re.sub("っ(?=ch)", "t", "".join(found))
    return re.sub("っ([a-z]?)", lambda match: match[1] * 2, doubled)


def english(each: Municipality) -> str:
    """The name as English texts write it, Sagamihara City: as its own host spells it where that is the same name, else
    with long vowels dropped; empty where the kana is not known."""
    read, *hosts = (stems(each) if each.kana else ()) or ("",)
    if not read:
        return ""
    own = next((host for host in hosts if folded(host) == folded(read)), re.sub("ou|oo", "o", read).replace("uu", "u"))
    return f"{own.capitalize()} {_ENGLISH.get(each.name[-1:], '')}".strip()


def words(text: str) -> tuple[str, ...]:
    """The words of a name typed in Latin letters, `ō` and `ô` as `oo`; none where anything else is in it."""
    plain = _LONG_MARK.sub(r"\1\1", unicodedata.normalize("NFKD", text).casefold())
    found = tuple(word for word in _SEPARATOR.split(_MARK.sub("", plain)) if word)
    return found if re.fullmatch("[a-z]+", "".join(found)) else ()


def folded(letters: str) -> str:
    """The key of a name in any spelling; capitals stand for vowels that are written long.

    Equal but for capitals: shi / si, tsu / tu, fu / hu, ji / zi / di, gumma / gunma, and osaka / oosaka / ohsaka.
    """
    for written, key in _RESPELLED:
        letters = letters.replace(written, key)
    return _LONG.sub(lambda match: match[0][0].upper(), _PASSPORT_LONG.sub("oo", letters))


class Index:
    """Municipalities and prefectures by every form in which Latin letters name them.

    A name with its prefecture is kept in two words and in one: `hokkaidourausu` may be 浦臼 and may be 羅臼, but
    `hokkaidou urausu` is one of them.
    """

    def __init__(self, municipalities: Iterable[Municipality], prefectures: Sequence[Municipality]) -> None:
        self._forms: dict[str, dict[tuple[str, str], Municipality]] = defaultdict(dict)
        self.stems: dict[str, list[Municipality]] = defaultdict(list)
        regions = {each.name: tuple(_named(each)) for each in prefectures}
        for each in (*prefectures, *municipalities):
            for stem in stems(each):
                self.stems[folded(stem).lower()].append(each)
            for form in _forms(each, regions.get(each.prefecture, ())):
                for key in (_SPLIT.join(map(folded, form)), folded("".join(form))):
                    self._forms[key.lower()][key, each.code] = each

    def find(self, typed: Sequence[str]) -> list[Municipality]:
        """All that the words may name. A vowel that was typed long rules out those where it is short."""
        said = [_WORDS.get(word, word) for word in typed]
        return self._named(said) or self._without_county(said)

    def _named(self, said: Sequence[str]) -> list[Municipality]:
        halves = [folded("".join(said[:at])) + _SPLIT + folded("".join(said[at:])) for at in range(1, len(said))]
        keys = [key for key in halves if key.lower() in self._forms] or [folded("".join(said))]
        found = {(key, *form): each for key in keys for form, each in self._forms.get(key.lower(), {}).items()}
        exact = {code: each for (key, form, code), each in found.items() if _agrees(form, key)}
        return list((exact or {code: each for (_, _, code), each in found.items()}).values())

    def _without_county(self, said: Sequence[str]) -> list[Municipality]:
        """Towns and villages typed with their county (Aiko-gun Aikawa-machi)."""
        for at, word in enumerate(said):
            if (word in _COUNTIES and at) or (word.endswith("gun") and len(word) > 3):
                before = said[: at - 1] if word in _COUNTIES else said[:at]
                found = self._named([*before, *said[at + 1 :]])
                return [each for each in found if each.name.endswith(("町", "村"))]
        return []


def _agrees(form: str, key: str) -> bool:
    return all(typed == own or not typed.isupper() for own, typed in zip(form, key, strict=True))


def stems(each: Municipality) -> tuple[str, ...]:
    """The name without what it is: read from the kana, and as the municipality's own host spells it (minamialps)."""
    endings = _ENDINGS.get(each.name[-1:], ())
    kana = next((each.kana.removesuffix(ending) for ending in endings if each.kana.endswith(ending)), each.kana)
    host = _HOST.match(host_port(each.home_url)[0]) if each.home_url else None
    own = "".join(words(host[1])) if host else ""
    return tuple(dict.fromkeys(stem for stem in (hepburn(kana), own) if stem))


def _named(each: Municipality) -> Iterator[str]:
    for stem in stems(each):
        yield stem
        yield from (stem + kind for kind in _KINDS.get(each.name[-1:], ()))


def _forms(each: Municipality, regions: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Sagamihara-shi; Kanagawa Sagamihara-shi; Sagamihara City, Kanagawa."""
    for name in _named(each):
        yield (name,)
        for region in regions:
            yield region, name
            yield name, region
