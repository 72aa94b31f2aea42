"""How municipalities are named and numbered, and the forms in which people type that."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from pipeline.errors import InputError
from pipeline.models import Municipality

_WEIGHTS = (6, 5, 4, 3, 2)
_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1) if chr(code) not in "ヵヶ"}
# Characters that stand for one another in place names. Only for hints: 龍ケ崎市 is not taken for 竜ヶ崎市.
_VARIANTS = str.maketrans(
    "けがか龍澤櫻廣嶋濱斎齋齊邊邉髙﨑曾惠舘篭鰺淵萬眞國寶關瀧梼",
    "ヶヶヶ竜沢桜広島浜斉斉斉辺辺高崎曽恵館籠鯵渕万真国宝関滝檮",
)
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def check_digit(digits: str) -> str:
    """The sixth digit of a code from its first five: weights 6, 5, 4, 3, 2, modulo 11.

    Source: 総務省「全国地方公共団体コード仕様」(検査数字).
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return str((11 - total % 11) % 10)


def spoken(text: str) -> str:
    """What was typed, for comparison: NFKC, no white space, no variation selectors."""
    return re.sub(r"\s+", "", _SELECTORS.sub("", unicodedata.normalize("NFKC", text)))


def hiragana(text: str) -> str:
    """Katakana as hiragana, the rest as it is (ヶ too: in names it is no kana)."""
    return text.translate(_TO_HIRAGANA)


def folded(text: str) -> str:
    """Variant characters made equal, for hints only."""
    return hiragana(text).translate(_VARIANTS)


def line(municipality: Municipality) -> str:
    """`code prefecture name`, as candidates are listed."""
    return " ".join(part for part in (municipality.code, municipality.prefecture, municipality.name) if part)


def unregistered(name: str, home_url: str | None) -> Municipality:
    """A place outside the registry: code `x` and ten hex digits of its name's sha256. InputError where it is empty."""
    name = unicodedata.normalize("NFKC", name).strip()
    if not name:
        raise InputError("a municipality outside the registry needs a name; give it with --city")
    return Municipality(code="x" + hashlib.sha256(name.encode()).hexdigest()[:10], name=name, home_url=home_url)
