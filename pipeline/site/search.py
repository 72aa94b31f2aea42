"""What the search box compares: the same folding as `--city`, which search.js does to what is typed."""

from __future__ import annotations

import unicodedata

from pipeline.models import Municipality
from pipeline.municipality.romaji import folded, hepburn, stems
from pipeline.report.words import visible

_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


def search_keys(place: Municipality) -> str:
    """Name with prefecture, kana and code, widths and letter case folded, katakana as hiragana."""
    text = " ".join((f"{place.prefecture}{place.name}", place.kana, place.code))
    return visible(unicodedata.normalize("NFKC", text).casefold().translate(_HIRAGANA))


def romaji_keys(place: Municipality) -> str:
    """Every stem of the name, and the whole of it, in the one spelling in which all romaji meet."""
    kana = place.kana.translate(_HIRAGANA)
    found = [*stems(place.model_copy(update={"kana": kana})), hepburn(kana)]
    return " ".join(dict.fromkeys(folded(one).lower() for one in found if one))
